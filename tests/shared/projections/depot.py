"""A depot for the tests of projections: parcels of its own, which it posts when the shops' orders are paid."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid5

from shared.domain.aggregate import Aggregate
from shared.domain.context import Actor, Context
from shared.domain.rejection import Rejected
from shared.domain.roles import EVERYBODY, Role
from shared.events.codec import Codec
from shared.events.definition import event, value
from shared.events.envelope import Envelope
from shared.events.follow_ups import follow_up_events
from shared.events.registry import Registry
from shared.projections.projection import Projection, ProjectionDatabase, Source
from shared.reactions.registry import Do, Reactions

DEPOT = Actor(subject="service:depot", roles=frozenset({Role.SERVICE}))


@event("depot.parcel-posted", aggregate="parcel")
class ParcelPosted:
    """A parcel is on its way."""

    parcel_id: UUID
    weight: int


@event("depot.parcel-scanned", aggregate="parcel")
class ParcelScanned:
    """A parcel came by."""

    parcel_id: UUID
    number: int
    """1, 2, 3 … inside the parcel."""


@event("shops.order-paid", aggregate="order")
class OrderPaid:
    """An order may be sent."""

    order_id: UUID
    weight: int


@event("shops.order-praised", aggregate="order")
class OrderPraised:
    """Nobody in the depot reads this."""

    order_id: UUID


TOLD = follow_up_events("depot")
CODEC = Codec(Registry([ParcelPosted, ParcelScanned, OrderPaid, OrderPraised, *TOLD.every]))


@value
class PostParcel:
    """Post a parcel."""

    weight: int


@value
class ScanParcel:
    """See a parcel come by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoParcel:
    """There is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedParcel:
    """It is on its way."""

    id: UUID
    scans: int = 0


parcel = Aggregate("parcel", plural="parcels", start=NoParcel, readers=EVERYBODY)


@parcel.decides(allow=EVERYBODY)
def post(state: NoParcel, command: PostParcel, context: Context) -> list[ParcelPosted]:
    """Post a parcel."""
    if command.weight > 100:
        raise Rejected("too-heavy", "A parcel weighs 100 kg at most.", field="weight")
    return [ParcelPosted(parcel_id=context.aggregate_id, weight=command.weight)]


@parcel.decides(allow=EVERYBODY)
def scan(state: PostedParcel, command: ScanParcel) -> list[ParcelScanned]:
    """Scan a parcel."""
    return [ParcelScanned(parcel_id=state.id, number=state.scans + 1)]


@parcel.evolves
def posted(state: NoParcel, event: ParcelPosted) -> PostedParcel:
    return PostedParcel(id=event.parcel_id)


@parcel.evolves
def scanned(state: PostedParcel, event: ParcelScanned) -> PostedParcel:
    return replace(state, scans=event.number)


# -- projections
# ------------------------------------------------------------------------------------------------------------

DDL = """
create table {view}.parcel (parcel_id uuid primary key, weight integer not null, scans integer not null default 0);
create table {view}.history (parcel_id uuid, number integer, primary key (parcel_id, number));
"""
Fails = Callable[[Any], bool]


def nothing(_: Any) -> bool:
    """No event is a poison."""
    return False


async def fold_parcels(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Counts what it sees, and refuses a scan out of order: an event applied twice, or late, shows."""
    for fact in events:
        match fact.data:
            case ParcelPosted(parcel_id=parcel_id, weight=weight):
                await db.execute("insert into {view}.parcel (parcel_id, weight) values ($1, $2)", parcel_id, weight)
            case ParcelScanned(parcel_id=parcel_id, number=number):
                sql = "update {view}.parcel set scans = scans + 1 where parcel_id = $1 and scans = $2 - 1"
                if await db.execute(sql, parcel_id, number) != "UPDATE 1":
                    raise LookupError(f"scan {number} of {parcel_id} is out of order")
                await db.execute("insert into {view}.history values ($1, $2)", parcel_id, number)


def parcels(*, version: int = 1, fails: Fails = nothing, ddl: str = DDL) -> Projection:
    """The projection of parcels; `fails` says which events its fold cannot take."""

    async def fold(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
        await fold_parcels(db, events)
        if any(fails(fact.data) for fact in events):
            raise RuntimeError("this fold has a mistake")

    return Projection(name="parcels", version=version, ddl=ddl, apply=fold, events=(ParcelPosted, ParcelScanned))


async def count_events(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """One row, one number."""
    await db.execute("update {view}.total set events = events + $1", len(events))


def totals(source: Source = "log", name: str = "totals") -> Projection:
    """A second projection, of all events of a log."""
    ddl = "create table {view}.total (events integer); insert into {view}.total values (0)"
    return Projection(name=name, version=1, ddl=ddl, apply=count_events, source=source)


# -- reactions --------------------------------------------------------------------------------------------------------


def parcel_of(order_id: UUID) -> UUID:
    """The parcel of an order."""
    return uuid5(order_id, "parcel")


def depot_reactions(*, fails: Fails = nothing, imported: bool = False, live: bool = False) -> Reactions:
    """A paid order is posted and scanned, and what was posted by ourselves is scanned once more."""
    reactions = Reactions("depot")

    @reactions.on(imported=imported, live=live)
    def post_what_is_paid(event: OrderPaid, fact: Envelope[OrderPaid]) -> Iterable[Do]:
        if fails(event):
            raise RuntimeError("this reaction has a mistake")
        there = parcel_of(event.order_id)
        yield Do(aggregate=parcel, aggregate_id=there, command=PostParcel(weight=event.weight))
        yield Do(aggregate=parcel, aggregate_id=there, command=ScanParcel())

    return reactions
