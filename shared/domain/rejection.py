"""Notification pattern: a rule says no once, with every reason at once (Fowler, 2004)."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One unmet rule: a stable code, a sentence for a person, the field it is about, and the values that it met."""

    code: str
    message: str
    field: str | None = None
    """The path of the field in the command, like "amount.currency"."""
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class Rejected(Exception):
    """A command was refused by a rule. The caller may read the message and every reason; nothing was recorded, but for
    the events that the refusal puts `on_record`: that it was asked for is a fact then.

    `code` is stable and kebab-case. A refusal about one field may name it: `Rejected(code, message, field="on")`.
    """

    sequence: int | None = None
    """Where the stream stands once it was put on record; None where nothing was."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        reasons: Sequence[Reason] = (),
        field: str | None = None,
        on_record: Sequence[Any] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reasons = tuple(reasons) or (Reason(code=code, message=message, field=field),)
        self.on_record = tuple(on_record)

    def along_with(self, reasons: Sequence[Reason]) -> "Rejected":
        """The same refusal with further reasons; one that it gives already for a field is not repeated."""
        given = {(reason.code, reason.field) for reason in self.reasons}
        further = [reason for reason in reasons if (reason.code, reason.field) not in given]
        return Rejected(self.code, self.message, reasons=(*self.reasons, *further), on_record=self.on_record)


def refusal_of(reasons: Sequence[Reason]) -> Rejected:
    """The refusal for reasons that need no further word: of one it has code and sentence."""
    if len(reasons) == 1:
        return Rejected(reasons[0].code, reasons[0].message, reasons=reasons)
    return Rejected("names-what-is-not-there", "Something that this names is not there, or not yours.", reasons=reasons)


SAYS_OTHERWISE = "says-otherwise"
"""The code of a refusal of what is known already and is told otherwise."""


def refuse_otherwise(known: Mapping[str, Any], said: Mapping[str, Any]) -> None:
    """Refuse a fact of history that is known already and says something else; every reason names both values.

    `known` has each field of `said`.
    """
    refuse_all(
        SAYS_OTHERWISE,
        "It is known already, and says something else.",
        [
            Reason(
                code=SAYS_OTHERWISE,
                message=f"It is known with {_shown(known[field])}; this says {_shown(value)}.",
                field=field,
                details={"known": _shown(known[field]), "said": _shown(value)},
            )
            for field, value in said.items()
            if value != known[field]
        ],
    )


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)


def refuse_all(code: str, message: str, reasons: Sequence[Reason], *, on_record: Sequence[Any] = ()) -> None:
    """Raise one `Rejected` with all reasons, or return when there are none."""
    if reasons:
        raise Rejected(code, message, reasons=reasons, on_record=on_record)


def all_at_once(*checks: Callable[[], object]) -> None:
    """Make checks that raise `Rejected` each for itself; the first refusal has the reasons of all others, too. On
    record is what the first one puts there."""
    refusals = []
    for check in checks:
        try:
            check()
        except Rejected as refusal:
            refusals.append(refusal)
    if refusals:
        first, *others = refusals
        raise first.along_with([reason for other in others for reason in other.reasons])
