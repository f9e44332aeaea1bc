"""A small service with an aggregate of its own: errands, which are run for money."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from annotated_types import MaxLen, MinLen
from fastapi import Query, Request, Response
from pydantic import TypeAdapter

from shared.domain.aggregate import Aggregate
from shared.domain.context import Context
from shared.domain.money import check_money
from shared.domain.rejection import Reason, Rejected, refuse_all
from shared.domain.roles import EVERYBODY, ONLY_SERVICES, OPERATIONS, READING, SELLING
from shared.events.definition import event, value
from shared.events.envelope import Envelope
from shared.events.money import Money
from shared.http.command_routes import execute_command
from shared.http.handwritten import CurrentActor, CurrentService, answer, body_of, handwritten, operation
from shared.http.resources import Resource
from shared.http.sse import Select, ServerEvent
from shared.ops.ids import new_id
from shared.projections.lists import Listing, at_least, equals
from shared.projections.projection import Projection, ProjectionDatabase
from shared.projections.read_snapshot import Projections
from shared.service.definition import FeedSource, Service
from tests.shared.http import sample_resources


@event("errands.errand-opened", aggregate="errand")
class ErrandOpened:
    errand_id: UUID
    name: str
    price: Money
    owner: UUID | None
    team: UUID | None
    opened_at: datetime


@event("errands.errand-changed", aggregate="errand")
class ErrandChanged:
    name: str


@event("errands.errand-finished", aggregate="errand")
class ErrandFinished:
    errand_id: UUID


@value
class NoErrand:
    """Not there yet."""


@value
class OpenErrand:
    """Somebody runs it."""

    id: UUID
    name: str
    price: Money
    owner: UUID | None
    team: UUID | None
    names: tuple[str, ...] = ()
    """All that it was called: only the rules remember them."""


@value
class FinishedErrand:
    """It is done."""

    id: UUID
    name: str
    price: Money
    owner: UUID | None
    team: UUID | None


@value
class OpenNewErrand:
    """Open an errand."""

    example: ClassVar[dict[str, object]] = {"name": "Bread", "price": {"amount": "3.50", "currency": "EUR"}}

    name: Annotated[str, MinLen(1), MaxLen(100)]
    """What it is about."""
    price: Money
    owner: UUID | None = None
    team: UUID | None = None


@value
class ChangeErrand:
    """Change what an errand is about."""

    example: ClassVar[dict[str, object]] = {"name": "Milk"}

    name: str


@value
class FinishErrand:
    """Finish an errand."""


@value
class ForgetErrand:
    """Only the service itself does this."""


@value
class BlessErrand:
    """Only operations may."""


errand = Aggregate("errand", plural="errands", start=NoErrand, readers=READING)


@errand.decides(allow=SELLING)
def open_new(state: NoErrand, command: OpenNewErrand, context: Context) -> list[ErrandOpened]:
    """Open an errand.

    It stays open until it is finished.
    """
    price = check_money(command.price, "price", currency=context.company.currency)
    return [
        ErrandOpened(
            errand_id=context.aggregate_id,
            name=command.name,
            price=price,
            owner=command.owner,
            team=command.team,
            opened_at=context.now,
        )
    ]


@errand.decides(allow=SELLING, method="PATCH")
def change(state: OpenErrand, command: ChangeErrand) -> list[ErrandChanged]:
    return [ErrandChanged(name=command.name)] if command.name != state.name else []


@errand.decides(allow=SELLING)
def finish_it(state: OpenErrand, command: FinishErrand) -> list[ErrandFinished]:
    """Finish an errand."""
    unmet = [
        Reason(code="too-dear", message="It is too dear.", details={"price": str(state.price.amount)}),
        Reason(code="too-long", message="Its name is too long."),
    ]
    refuse_all("not-finished", "The errand cannot be finished.", unmet if state.price.amount > 1000 else [])
    return [ErrandFinished(errand_id=state.id)]


@errand.decides(allow=ONLY_SERVICES)
def forget(state: OpenErrand, command: ForgetErrand) -> list[ErrandFinished]:
    return []


@errand.decides(allow=OPERATIONS)
def bless(state: OpenErrand, command: BlessErrand) -> list[ErrandChanged]:
    """Bless an errand."""
    raise Rejected("no-blessing", "There is no blessing today.", field="name")


@errand.already
def is_finished(state: FinishedErrand, command: FinishErrand) -> bool:
    return True


@errand.evolves
def opened(state: NoErrand, event: ErrandOpened) -> OpenErrand:
    return OpenErrand(id=event.errand_id, name=event.name, price=event.price, owner=event.owner, team=event.team)


@errand.evolves
def changed(state: OpenErrand, event: ErrandChanged) -> OpenErrand:
    return OpenErrand(id=state.id, name=event.name, price=state.price, owner=state.owner, team=state.team)


@errand.evolves
def finished(state: OpenErrand, event: ErrandFinished) -> FinishedErrand:
    return FinishedErrand(id=state.id, name=state.name, price=state.price, owner=state.owner, team=state.team)


# -- read side --------------------------------------------------------------------------------------------------------


async def fold(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    for envelope in events:
        if isinstance(envelope.data, ErrandOpened):
            given = envelope.data
            await db.execute(
                "insert into {view}.errand values ($1, $2, $3, $4, $5, $6, $7, $8)",
                given.errand_id,
                given.name,
                given.price.amount,
                given.price.currency,
                given.owner,
                given.team,
                given.opened_at,
                envelope.position,
            )


ERRANDS = Projection(
    name="errands",
    version=1,
    ddl="create table {view}.errand (errand_id uuid primary key, name text not null, price numeric, currency text, "
    "owner uuid, team uuid, opened_at timestamptz not null, position bigint not null)",
    apply=fold,
    events=(ErrandOpened,),
)


@value
class ErrandRow:
    """One errand of the list."""

    errand_id: UUID
    name: str
    price: Money
    opened_at: datetime


LISTING = Listing(
    name="errands",
    projection=ERRANDS,
    table="errand",
    item=ErrandRow,
    key="errand_id",
    filters={"name": equals("name"), "opened_from": at_least("opened_at", datetime)},
    sorts=("opened_at", "name"),
    default_sort="-opened_at",
    readers=READING,
)

router = handwritten("errands")


@value
class Count:
    """How many there are."""

    count: int


@value
class ReceiveErrand:
    """An errand from outside."""

    name: Annotated[str, MinLen(1)]
    count: int = 1
    """How many."""


RECEIVE: TypeAdapter[ReceiveErrand] = TypeAdapter(ReceiveErrand)


@router.get("/v1/errand-count", **operation(roles=EVERYBODY, reads=("errands",), answers=Count, example={"count": 3}))
async def count_errands(here: CurrentService, asking: CurrentActor, least: Annotated[int, Query(ge=0)] = 0) -> Response:
    """Count the errands.

    All of them.
    """
    async with here.projections.reading(["errands"]) as reading:
        count = await reading("errands").fetchval("select count(*) from {view}.errand")
    return answer(Count(count=max(count, least)))


@router.get("/v1/errand-secrets", **operation(roles=OPERATIONS, example={}))
async def errand_secrets() -> Response:
    """What operations alone may read."""
    return answer({})


@router.get("/v1/errand-failures", **operation(roles=EVERYBODY, example={}))
async def errand_failures() -> Response:
    """Break."""
    raise RuntimeError("the secret inside")


@router.post("/v1/errand-receipts", **operation(roles=SELLING, body=ReceiveErrand, example={"name": "x"}, status=201))
async def receive_errand(request: Request, asking: CurrentActor) -> Response:
    """Receive an errand from outside."""
    body = await body_of(request, RECEIVE)
    command = OpenNewErrand(
        name=body.value.name, price=Money(amount=check("1.00"), currency="EUR"), owner=asking.member
    )
    return await execute_command(
        request, asking, errand, new_id(), command, raw=body.raw, operation="receiveErrand", created=True
    )


@value
class LookForErrands:
    """What is looked for."""

    names: tuple[str, ...]


LOOK_FOR: TypeAdapter[LookForErrands] = TypeAdapter(LookForErrands)


@router.post(
    "/v1/errand-search",
    **operation(roles=SELLING, reads=("errands",), answers=Count, asks=LookForErrands, example={"names": ["x"]}),
)
async def look_for_errands(request: Request, here: CurrentService, asking: CurrentActor) -> Response:
    """Count the errands of some names."""
    names = (await body_of(request, LOOK_FOR)).value.names
    async with here.projections.reading(["errands"]) as reading:
        sql = "select count(*) from {view}.errand where name = any($1)"
        return answer(Count(count=await reading("errands").fetchval(sql, list(names))))


def check(amount: str) -> Any:
    return TypeAdapter(Money).validate_python({"amount": amount, "currency": "EUR"}).amount


def select(row: Any) -> ServerEvent | None:
    return (
        None if row["name"] == "hidden" else ServerEvent(event="opened", data=b'{"name":"%s"}' % row["name"].encode())
    )


@router.get("/v1/errand-stream", **operation(roles=EVERYBODY, media_type="text/event-stream"))
async def stream_errands(request: Request, asking: CurrentActor, here: CurrentService) -> Response:
    """Errands as they are opened."""

    async def selection() -> Select | None:
        return select

    return await here.feed.respond(request, selection, here.stopping, caller=asking.subject)


async def read(projections: Projections, after: int, limit: int) -> tuple[list[tuple[int, Any]], int]:
    async with projections.reading(["errands"]) as reading:
        db = reading("errands")
        rows = await db.fetch(
            "select * from {view}.errand where position > $1 order by position limit $2", after, limit
        )
        upto = rows[-1]["position"] if len(rows) == limit else db.position
    return [(row["position"], row) for row in rows], max(upto, after)


async def head(projections: Projections) -> int:
    async with projections.reading(["errands"]) as reading:
        return int(reading("errands").position)


SERVICE = Service(
    "errands",
    aggregates=(errand,),
    resources=(Resource(errand, sample_resources.OpenErrand, sample_resources.FinishedErrand),),
    projections=(ERRANDS,),
    listings=(LISTING,),
    routes=(router,),
    feed=FeedSource(reads=("errands",), read=read, head=head),
    tags={"errands": "What is run for money."},
    description="Errands.",
)
