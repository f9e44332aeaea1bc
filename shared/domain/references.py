"""Typed references: what a command's ids lead to is told by their types, and checked from them (API-1, API-4).

    owner: MemberId | None = None
    team: TeamId | None = None
    activity_id: ActivityId | None = None

JSON, schemas and pydantic see a UUID. What leads to something else is a `Reference`; what has to lead nowhere is
`Free`, and says why. No id of a command is neither: a law asks for it.
"""

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import Annotated, Any, ClassVar
from uuid import UUID

from shared.events.references import Free, Reference

MemberId = Annotated[UUID, Reference("member", called="active member")]
"""An active member; where whoever asks does not reach everything, themselves or one in a team of theirs."""
AnyMemberId = Annotated[UUID, Reference("member", called="active member", anywhere=True)]
"""An active member, whoever asks: the one whom something is handed to."""
TeamId = Annotated[UUID, Reference("team")]
"""A team; where whoever asks does not reach everything, one of their own."""
AnyTeamId = Annotated[UUID, Reference("team", anywhere=True)]
"""A team, whoever asks: the one that something is handed to, or about which the permission decides by itself."""
AccountId = Annotated[UUID, Reference("account")]
"""An account that whoever asks sees."""
AnyAccountId = Annotated[UUID, Reference("account", anywhere=True)]
"""An account, whoever keeps it: a company belongs to what it belongs to."""
CustomerId = Annotated[UUID, Reference("account", kept=True)]
"""An account that whoever asks sees, or the one that the thing has already."""
ContactId = Annotated[UUID, Reference("contact")]
"""Somebody at an account."""
LeadId = Annotated[UUID, Reference("lead")]
"""A lead."""
DealId = Annotated[UUID, Reference("deal")]
"""A deal that whoever asks sees."""
ContractId = Annotated[UUID, Reference("contract")]
"""A contract."""
ProcessId = Annotated[UUID, Reference("process")]
"""A sales process."""
ProcessRemarkId = Annotated[UUID, Reference("process-remark")]
"""A remark on a step of a process that whoever asks sees."""
ReviewId = Annotated[UUID, Reference("review")]
"""A review of a period that whoever asks sees."""
ContentItemId = Annotated[UUID, Reference("content-item")]
"""A solution, case, script or template."""
ProductId = Annotated[UUID, Reference("product")]
"""A product."""

ActivityId = Annotated[UUID, Free("its caller gives it, so that the same activity is logged once", thing="activity")]
AnswerId = Annotated[UUID, Free("its caller gives it, so that an answer is found again and replaced", thing="answer")]
OwnActivityId = Annotated[UUID, Free("the activity stands in the deal itself", thing="activity")]
ContactOfDealId = Annotated[UUID, Free("the contact stands in the deal itself", thing="contact")]
OwnContactId = Annotated[UUID, Free("the contact stands in the account itself", thing="contact")]
NoteId = Annotated[UUID, Free("its caller gives it, so that the same note is added once", thing="note")]
FileId = Annotated[UUID, Free("the file stands in the deal itself", thing="file")]
FoundDealId = Annotated[UUID, Free("it is one of the deals that the command finds by itself", thing="deal")]
OwnInvoiceId = Annotated[UUID, Free("the invoice stands in the ledger itself", thing="invoice")]
OwnReceiptId = Annotated[UUID, Free("the receipt stands in the ledger itself", thing="receipt")]
ToldById = Annotated[UUID, Free("a request told facts of the thing itself, or there is nothing to take back")]

MADE_A_MOMENT_AGO = "If it was made a moment ago, send the Consistency-Token of that answer along."
"""What to do about something of another service that is not known yet."""

Mark = Reference | Free

EACH = "*"
"""Stands in a path for every item of a tuple."""


def mark_of(annotation: Any) -> Mark | None:
    """What the annotation of a field says of its id, also of an optional one or of each in a tuple."""
    return next((mark for _, mark in _ids(annotation, (), None, ())), None)


def reference_of(annotation: Any) -> Reference | None:
    """The reference that a field is, if it is one."""
    mark = mark_of(annotation)
    return mark if isinstance(mark, Reference) else None


@cache
def ids_of(command: type) -> tuple[tuple[tuple[str, ...], Mark | None], ...]:
    """Every id of a command, also in the values inside of it: its path, like ("lines", EACH, "product_id"), and what
    its type says of it; None where it says nothing."""
    return tuple(_ids(command, (), None, ()))


def _ids(
    hint: Any, path: tuple[str, ...], mark: Mark | None, within: tuple[type, ...]
) -> Iterator[tuple[tuple[str, ...], Mark | None]]:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is UUID:
        yield path, mark
    elif origin is Annotated:
        said = next((each for each in inner[1:] if isinstance(each, Reference | Free)), mark)
        yield from _ids(inner[0], path, said, within)
    elif origin in (typing.Union, types.UnionType):
        for each in inner:
            yield from _ids(each, path, mark, within)
    elif origin is tuple:
        yield from _ids(inner[0], (*path, EACH), mark, within)
    elif isinstance(hint, type) and is_dataclass(hint):
        if hint not in within:
            for name, kind in _fields(hint):
                yield from _ids(kind, (*path, name), None, (*within, hint))
        elif _has_ids(hint, set()):
            yield path, None  # no check goes down without end
    elif origin is not None:
        for each in inner:
            yield from ((found, None) for found, _ in _ids(each, path, None, within))  # no check would find them


def _fields(kind: type) -> Iterator[tuple[str, Any]]:
    hints = typing.get_type_hints(kind, include_extras=True).items()
    return ((name, hint) for name, hint in hints if typing.get_origin(hint) is not ClassVar)


def _has_ids(hint: Any, seen: set[type]) -> bool:
    if isinstance(hint, type) and is_dataclass(hint) and hint not in seen:
        seen.add(hint)
        return any(_has_ids(kind, seen) for _, kind in _fields(hint))
    return hint is UUID or any(_has_ids(each, seen) for each in typing.get_args(hint))


Thing = tuple[str, UUID]
"""What something is, like "member", and its id."""


@dataclass(frozen=True, slots=True)
class Naming:
    """A reference as a command makes it: in which field, like "lines.0.product_id", and to what."""

    field: str
    reference: Reference
    id: UUID

    @property
    def key(self) -> Thing:
        """What is named."""
        return self.reference.thing, self.id


def named_by(command: Any) -> list[Naming]:
    """All that a command names beside its own aggregate, in the order of its fields."""
    kind: type = type(command)
    named = (
        Naming(field, mark, found)
        for path, mark in ids_of(kind)
        if isinstance(mark, Reference)
        for field, found in _values(command, path)
    )
    return list(dict.fromkeys(named))  # of a union two may have the field


def _values(held: Any, path: tuple[str, ...], field: str = "") -> Iterator[tuple[str, UUID]]:
    """The ids at a path, each with its field; what is left out names nothing."""
    if isinstance(held, UUID):
        yield field, held
    elif path and isinstance(held, tuple):
        for place, each in enumerate(held):
            yield from _values(each, path[1:], f"{field}.{place}")
    elif path and held is not None:
        yield from _values(getattr(held, path[0], None), path[1:], f"{field}.{path[0]}" if field else path[0])
