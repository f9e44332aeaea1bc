"""Two small aggregates whose commands name others: crates, and the shelves of the same service that they stand on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from shared.domain.aggregate import Aggregate
from shared.domain.context import Context
from shared.domain.references import (
    AccountId,
    AnyAccountId,
    AnyMemberId,
    AnyTeamId,
    CustomerId,
    DealId,
    MemberId,
    TeamId,
)
from shared.domain.rejection import Reason, Rejected, refuse_all
from shared.domain.roles import ONLY_SERVICES, READING, SELLING
from shared.events.codec import Codec
from shared.events.definition import event, value
from shared.events.follow_ups import follow_up_events
from shared.events.references import Reference
from shared.events.registry import Registry

ShelfId = Annotated[UUID, Reference("shelf")]


@event("crates.crate-packed", aggregate="crate")
class CratePacked:
    """A crate was filled."""

    crate_id: UUID
    owner: UUID | None = None
    account_id: UUID | None = None


@event("crates.crate-relabelled", aggregate="crate")
class CrateRelabelled:
    """A crate goes to another customer."""

    crate_id: UUID
    account_id: UUID


@event("crates.shelf-built", aggregate="shelf")
class ShelfBuilt:
    """There is a shelf."""

    shelf_id: UUID
    owner: UUID | None = None


@event("crates.shelf-removed", aggregate="shelf")
class ShelfRemoved:
    """There is no such shelf any more."""

    shelf_id: UUID


CODEC = Codec(
    Registry([CratePacked, CrateRelabelled, ShelfBuilt, ShelfRemoved, *follow_up_events("crates").every]),
)


@value
class Part:
    """What is in a crate, and from which shelf it comes."""

    shelf_id: ShelfId | None = None


@value
class PackCrate:
    """Fill a crate."""

    weight: int = 1
    owner: MemberId | None = None
    team: TeamId | None = None
    carrier: AnyTeamId | None = None
    receiver: AnyMemberId | None = None
    account_id: AccountId | None = None
    deal_id: DealId | None = None
    returned_by: AnyAccountId | None = None
    parts: tuple[Part, ...] = ()


@value
class RelabelCrate:
    """Send it to another customer."""

    account_id: CustomerId
    inspector: MemberId | None = None


@value
class ImportCrate:
    """A crate of the past."""

    on: date
    owner: MemberId | None = None
    account_id: AccountId | None = None


@value
class BuildShelf:
    """Build a shelf."""


@value
class RemoveShelf:
    """Remove it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoCrate:
    """There is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedCrate:
    """It is full."""

    id: UUID
    owner: UUID | None
    account_id: UUID | None
    team: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoShelf:
    """There is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingShelf:
    """It stands."""

    id: UUID
    owner: UUID | None
    team: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedShelf:
    """It is gone."""

    id: UUID


crate = Aggregate("crate", plural="crates", start=NoCrate, readers=READING)
shelf = Aggregate("shelf", plural="shelves", start=NoShelf, readers=READING)


@crate.decides(allow=SELLING)
def pack(state: NoCrate, command: PackCrate, context: Context) -> Sequence[Any]:
    """Fill a crate."""
    reasons = []
    if command.weight <= 0:
        reasons.append(Reason(code="too-light", message="It has a weight.", field="weight"))
    if command.weight < 0:
        # As a handler does that has more to say of a reference than that it is there.
        reasons.append(Reason(code="unknown-member", message="Nobody packs that.", field="owner"))
    refuse_all("invalid-crate", "The crate cannot be packed like this.", reasons)
    return [CratePacked(crate_id=context.aggregate_id, owner=context.actor.member, account_id=command.account_id)]


@crate.decides(allow=SELLING)
def relabel(state: PackedCrate, command: RelabelCrate, context: Context) -> Sequence[Any]:
    """Send it to another customer."""
    if command.account_id == state.account_id:
        return []
    return [CrateRelabelled(crate_id=state.id, account_id=command.account_id)]


@crate.decides(allow=ONLY_SERVICES)
def import_crate(state: NoCrate, command: ImportCrate, context: Context) -> Sequence[Any]:
    """Take over a crate."""
    return [CratePacked(crate_id=context.aggregate_id, owner=command.owner, account_id=command.account_id)]


@crate.already
def is_packed(state: PackedCrate, command: PackCrate) -> bool:
    return command.account_id == state.account_id


@crate.evolves
def packed(state: NoCrate, event: CratePacked) -> PackedCrate:
    return PackedCrate(id=event.crate_id, owner=event.owner, account_id=event.account_id)


@crate.evolves
def relabelled(state: PackedCrate, event: CrateRelabelled) -> PackedCrate:
    return replace(state, account_id=event.account_id)


@shelf.decides(allow=SELLING)
def build(state: NoShelf, command: BuildShelf, context: Context) -> Sequence[Any]:
    """Build a shelf."""
    return [ShelfBuilt(shelf_id=context.aggregate_id, owner=context.actor.member)]


@shelf.decides(allow=SELLING)
def remove(state: StandingShelf, command: RemoveShelf, context: Context) -> Sequence[Any]:
    """Remove it."""
    if context.actor.member is None:
        raise Rejected("nobody", "Somebody removes it.")
    return [ShelfRemoved(shelf_id=state.id)]


@shelf.evolves
def built(state: NoShelf, event: ShelfBuilt) -> StandingShelf:
    return StandingShelf(id=event.shelf_id, owner=event.owner)


@shelf.evolves
def removed(state: StandingShelf, event: ShelfRemoved) -> RemovedShelf:
    return RemovedShelf(id=event.shelf_id)
