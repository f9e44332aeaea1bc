"""How a rule says no: one refusal that carries every reason at once."""

import dataclasses
from collections.abc import Mapping, Sequence
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
    """A command was refused by a rule. The caller may read the message and every reason; nothing was recorded.

    `code` is stable and kebab-case. A refusal about one field may name it: `Rejected(code, message, field="on")`.
    """

    def __init__(self, code: str, message: str, *, reasons: Sequence[Reason] = (), field: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reasons = tuple(reasons) or (Reason(code=code, message=message, field=field),)


def refuse_all(code: str, message: str, reasons: Sequence[Reason]) -> None:
    """Raise one `Rejected` with all reasons, or return when there are none."""
    if reasons:
        raise Rejected(code, message, reasons=reasons)
