"""Saved query: a list or a board that somebody keeps under a name, for themselves, their team or everybody (DEAL-3).

It never widens rights: whoever opens it asks its query themselves, and is answered what they may see.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from annotated_types import MaxLen

from shared.domain.aggregate import Aggregate, Decision
from shared.domain.context import Actor, Context
from shared.domain.fields import Name
from shared.domain.rejection import Reason, Rejected, refuse_all
from shared.domain.roles import Reach, Role, permission
from shared.events.deals.saved_view import ViewChanged, ViewSaved, ViewShared, ViewWithdrawn
from shared.events.definition import value

Shown = Literal[
    "board",
    "content-items",
    "deals",
    "exchange-rates",
    "migrated-deals",
    "process-migrations",
    "process-remarks",
    "process-suggestions",
    "processes",
    "product-costs",
    "products",
    "quotes",
    "stage-visits",
    "support-requests",
    "targets",
]
SharedWith = Literal["me", "team", "everybody"]
Query = Annotated[str, MaxLen(4000)]

SEEING_VIEWS = permission(
    {**dict.fromkeys(Role, Reach.OWN_AND_COMMON), Role.SALES_OPERATIONS: Reach.OWN_AND_ALL_COMMON}
)
"""Everybody their own, what is shared with their teams, and what is shared with all; operations also what is shared
with any team, so that somebody can withdraw what nobody looks after. What somebody keeps for themselves is theirs
alone."""


@value
class NoSavedView:
    """Nothing is kept under this id."""


@value
class SavedView:
    """What somebody keeps."""

    id: UUID
    name: str
    shows: Shown
    query: str
    shared_with: SharedWith
    saved_by: UUID
    owner: UUID | None
    team: UUID | None


@value
class KeptSavedView(SavedView):
    """It is kept."""


@value
class WithdrawnSavedView:
    """It is kept no longer."""

    id: UUID
    owner: UUID | None
    team: UUID | None


saved_view = Aggregate("saved-view", plural="saved-views", start=NoSavedView, readers=SEEING_VIEWS)


@value
class SaveView:
    """A list or a board that is kept under a name."""

    name: Name
    shows: Shown
    """board, or the name of a list of this service as it stands in its address."""
    query: Query = ""
    """The parameters as they stand in the address behind the question mark, without a cursor."""
    shared_with: SharedWith = "me"

    example: ClassVar[dict[str, Any]] = {
        "name": "Large ones that close soon",
        "shows": "deals",
        "query": "status=open&mine=true&sort=-amount",
        "shared_with": "team",
    }


@value
class ChangeView:
    """What it is called and shows from now on."""

    name: Name
    shows: Shown
    query: Query = ""

    example: ClassVar[dict[str, Any]] = {"name": "Large ones", "shows": "deals", "query": "status=open&sort=-amount"}


@value
class ShareView:
    """Who sees it from now on."""

    shared_with: SharedWith
    """team is the team that whoever keeps it sits in."""

    example: ClassVar[dict[str, Any]] = {"shared_with": "everybody"}


@value
class WithdrawView:
    """Keep it no longer."""

    example: ClassVar[dict[str, Any]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedView:
    """What is wrong with the query of a view, by the rules of what it shows, as a handler is given it."""

    faults: tuple[Reason, ...] = ()


def keeper(state: KeptSavedView, actor: Actor) -> None:
    """Only whoever keeps it changes it, whoever it is shared with."""
    if actor.member != state.saved_by:
        raise Rejected("not-yours", "Somebody else keeps this view: save one of your own.")


def keeper_or_operations(state: KeptSavedView, actor: Actor) -> None:
    """Whoever keeps it, and operations what is shared and nobody looks after."""
    if actor.roles.isdisjoint({Role.SALES_OPERATIONS, Role.ADMIN, Role.SERVICE}):
        keeper(state, actor)


@saved_view.decides(allow=SEEING_VIEWS)
def save(state: NoSavedView, command: SaveView, context: Context, view: CheckedView) -> Decision:
    """Keep a list or a board under a name."""
    member = context.actor.member
    if member is None:
        raise Rejected("not-a-member", "You are no member of the organisation, so nothing can be kept for you.")
    refuse_all("unknown-query", "What it is to show cannot be asked.", list(view.faults))
    owner, team = seen_by(command.shared_with, context.actor)
    return [
        ViewSaved(
            saved_view_id=context.aggregate_id,
            name=command.name,
            shows=command.shows,
            query=command.query,
            shared_with=command.shared_with,
            saved_by=member,
            owner=owner,
            team=team,
        )
    ]


@saved_view.decides(allow=SEEING_VIEWS, guard=keeper)
def change(state: KeptSavedView, command: ChangeView, view: CheckedView) -> Decision:
    """Call it something else, or have it show something else."""
    refuse_all("unknown-query", "What it is to show cannot be asked.", list(view.faults))
    said = (command.name, command.shows, command.query)
    if said == (state.name, state.shows, state.query):
        return []
    return [ViewChanged(saved_view_id=state.id, name=command.name, shows=command.shows, query=command.query)]


@saved_view.decides(allow=SEEING_VIEWS, guard=keeper)
def share(state: KeptSavedView, command: ShareView, context: Context) -> Decision:
    """Share it with one's team or everybody, or keep it for oneself again."""
    owner, team = seen_by(command.shared_with, context.actor)
    if (command.shared_with, owner, team) == (state.shared_with, state.owner, state.team):
        return []
    return [ViewShared(saved_view_id=state.id, shared_with=command.shared_with, owner=owner, team=team)]


@saved_view.decides(allow=SEEING_VIEWS, guard=keeper_or_operations)
def withdraw(state: KeptSavedView, command: WithdrawView) -> Decision:
    """Keep it no longer; nobody sees it any more."""
    return [ViewWithdrawn(saved_view_id=state.id)]


@saved_view.already
def is_saved(state: KeptSavedView, command: SaveView) -> bool:
    names = ("name", "shows", "query", "shared_with")
    return all(getattr(state, name) == getattr(command, name) for name in names)


@saved_view.already
def is_withdrawn(state: WithdrawnSavedView, command: WithdrawView) -> bool:
    return True


@saved_view.evolves
def saved(state: NoSavedView, event: ViewSaved) -> KeptSavedView:
    return KeptSavedView(
        id=event.saved_view_id,
        name=event.name,
        shows=event.shows,  # type: ignore[arg-type]
        query=event.query,
        shared_with=event.shared_with,  # type: ignore[arg-type]
        saved_by=event.saved_by,
        owner=event.owner,
        team=event.team,
    )


@saved_view.evolves
def changed(state: KeptSavedView, event: ViewChanged) -> KeptSavedView:
    return replace(state, name=event.name, shows=event.shows, query=event.query)  # type: ignore[arg-type]


@saved_view.evolves
def shared(state: KeptSavedView, event: ViewShared) -> KeptSavedView:
    return replace(state, shared_with=event.shared_with, owner=event.owner, team=event.team)  # type: ignore[arg-type]


@saved_view.evolves
def withdrawn(state: KeptSavedView, event: ViewWithdrawn) -> WithdrawnSavedView:
    return WithdrawnSavedView(id=state.id, owner=state.owner, team=state.team)


def seen_by(shared_with: SharedWith, actor: Actor) -> tuple[UUID | None, UUID | None]:
    """Owner and team of what is shared so: what nobody owns belongs to the team, or to all. Raises Rejected."""
    if shared_with == "me":
        return actor.member, None
    if shared_with == "everybody":
        return None, None
    if actor.team is None:
        raise Rejected("no-team", "You sit in no team that it could be shared with.", field="shared_with")
    return None, actor.team
