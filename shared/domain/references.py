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

from shared.domain.context import Actor
from shared.domain.permissions import reach_of
from shared.domain.rejection import Reason
from shared.domain.roles import Permission, Reach
from shared.events.definition import value


@dataclass(frozen=True, slots=True)
class Reference:
    """The mark of an id that leads to something beside the command's own aggregate."""

    thing: str
    """What it leads to, like "member": the name of its aggregate, or of what stands inside of one."""
    anywhere: bool = False
    """Also to one that whoever asks does not reach or see."""


@dataclass(frozen=True, slots=True)
class Free:
    """The mark of an id that has to lead nowhere beside the command's own aggregate."""

    why: str
    thing: str | None = None
    """What it is the id of, where that has a name."""


MemberId = Annotated[UUID, Reference("member")]
"""An active member."""
TeamId = Annotated[UUID, Reference("team")]
"""A team; where whoever asks does not reach everything, one of their own."""
AnyTeamId = Annotated[UUID, Reference("team", anywhere=True)]
"""A team, whoever asks: the one that something is handed to, or about which the permission decides by itself."""
AccountId = Annotated[UUID, Reference("account")]
"""An account that whoever asks sees."""
AnyAccountId = Annotated[UUID, Reference("account", anywhere=True)]
"""An account, whoever keeps it: a company belongs to what it belongs to."""
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
ProductId = Annotated[UUID, Free("its handler is given the product, and judges it", thing="product")]
"""A product on a line."""

ActivityId = Annotated[UUID, Free("its caller gives it, so that the same activity is logged once", thing="activity")]
OwnContactId = Annotated[UUID, Free("the contact stands in the account itself", thing="contact")]
OwnInvoiceId = Annotated[UUID, Free("the invoice stands in the ledger itself", thing="invoice")]
OwnReceiptId = Annotated[UUID, Free("the receipt stands in the ledger itself", thing="receipt")]
ToldById = Annotated[UUID, Free("a request told facts of the thing itself, or there is nothing to take back")]

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
    elif isinstance(hint, type) and is_dataclass(hint) and hint not in within:
        for name, kind in typing.get_type_hints(hint, include_extras=True).items():
            if typing.get_origin(kind) is not ClassVar:
                yield from _ids(kind, (*path, name), None, (*within, hint))
    elif origin is not None:
        # Where no look-up would find them: the law sees them as unmarked.
        for each in inner:
            yield from ((found, None) for found, _ in _ids(each, path, None, within))


MADE_A_MOMENT_AGO = "If it was made a moment ago, send the Consistency-Token of that answer along."


@value
class References:
    """Whether whom and what a command names is known here. What it does not name is not asked for."""

    member: bool = True
    """In the organisation, and not departed."""
    team: bool = True
    account: bool = True
    """There, and the asker sees it (API-4)."""


def unknown(references: References, *, member: str = "owner") -> list[Reason]:
    """The reasons against a command that leads nowhere; `member` is the field that names the person."""
    reasons = []
    if not references.member:
        reasons.append(unknown_reference("unknown-member", "There is no such active member.", member))
    if not references.team:
        reasons.append(unknown_reference("unknown-team", "There is no such team.", "team"))
    if not references.account:
        reasons.append(unknown_reference("unknown-account", "There is no such account.", "account_id"))
    return reasons


def unknown_reference(code: str, message: str, field: str) -> Reason:
    """The reason against a field that names what is not known here, or not yet."""
    return Reason(code=code, message=f"{message} {MADE_A_MOMENT_AGO}", field=field)


def foreign_team(actor: Actor, permission: Permission, team: UUID | None) -> list[Reason]:
    """The reason against a team that somebody names who does not reach it (API-4)."""
    if team is None or reach_of(actor, permission) is Reach.ALL or team == actor.team or team in actor.teams:
        return []
    return [Reason(code="other-team", message="This is done in a team of your own.", field="team")]
