"""The check on real servers: deals and forecast at work, a broker between them, and somebody who tampers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local import kafka as local_kafka
from deploy.local.program import stop_left_overs
from deploy.local.stack import Stack
from deploy.services import definition_of
from deploy.verify.comparing import Difference
from deploy.verify.verification import Part, verify
from services.deals.app import SERVICE as DEALS
from services.deals.domain.deal import deal
from services.deals.domain.deal.history import ImportDeal, ImportDealChange
from services.forecast.app import SERVICE as FORECAST
from shared.commands.request import CommandRequest, CommandResult
from shared.domain.context import Actor
from shared.domain.roles import Role
from shared.events.money import Money
from shared.events.registry import topic_of
from shared.http.context import ServiceContext
from shared.kafka.partitioning import PARTITIONS, partition_of
from shared.ops.health import Health
from shared.ops.ids import new_id
from shared.ops.metrics import Metrics
from shared.ops.settings import Settings
from shared.projections.builds import builds_of_projections, request_rebuild
from shared.service.definition import Service
from shared.service.runtime import running_process
from shared.testing.servers import DatabaseServer
from shared.testing.transactions import long_transaction

PATIENCE_SECONDS = 120.0
"""On a busy machine the first meeting with the broker takes long."""
ITSELF = Actor(subject="test", roles=frozenset({Role.SERVICE}))


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Two services at work, as the check sees them."""

    deals: ServiceContext
    forecast: ServiceContext
    bootstrap: str
    partitions: int = PARTITIONS

    async def differences(self) -> list[Difference]:
        parts = [
            Part.of(definition_of(running.name), running.pool, running.settings.company, self.partitions)
            for running in (self.deals, self.forecast)
        ]
        return (await verify(parts, self.bootstrap, patience=PATIENCE_SECONDS)).differences

    async def deal(self, amount: str = "1000.00") -> CommandResult:
        command = ImportDeal(on=date(2026, 3, 2), name="Servers", amount=euros(amount))
        return await self.deals.commands.execute(CommandRequest(deal, new_id(), command, ITSELF, imported=True))

    async def change(self, deal_id: UUID, amount: str, on: date) -> CommandResult:
        command = ImportDealChange(on=on, amount=euros(amount))
        return await self.deals.commands.execute(CommandRequest(deal, deal_id, command, ITSELF, imported=True))

    async def journaled(self, event: CommandResult) -> asyncpg.Record:
        """The event in forecast's journal, with its projections as far."""
        found: list[asyncpg.Record] = []

        async def there() -> bool:
            found[:] = await self.forecast.pool.fetch(
                "select * from journal where topic = $1 and source_position = $2",
                topic_of("deals", event.written[0].aggregate),
                event.position,
            )
            serving = await builds_of_projections(self.forecast.pool, "serving", ["deals"])
            return bool(found) and serving[0].position >= found[0]["position"]

        await until(there)
        return found[0]


def euros(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not await condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
async def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A broker of its own: topics belong to one store, and other tests publish into theirs."""
    stack = Stack.at(tmp_path_factory.mktemp("verify") / "stack", environment={})
    await local_kafka.launch(stack.kafka)
    yield stack.bootstrap
    await stop_left_overs(stack.home)
    stack.home.remove()


@pytest.fixture(scope="module")
async def house(postgres: DatabaseServer, bootstrap: str) -> AsyncIterator[House]:
    async with AsyncExitStack() as opened:
        running = [
            await opened.enter_async_context(at_work(service, postgres, bootstrap)) for service in (DEALS, FORECAST)
        ]
        yield House(deals=running[0], forecast=running[1], bootstrap=bootstrap)


@asynccontextmanager
async def at_work(service: Service, postgres: DatabaseServer, bootstrap: str) -> AsyncIterator[ServiceContext]:
    url = await postgres.create_database(service.name, await postgres.migrated())
    settings = Settings(service=service.name, database_url=url, claim_secret="c" * 32, kafka_bootstrap=bootstrap)
    async with running_process(service, settings, Health(Metrics.of(service.name))) as running:
        yield running
    await postgres.drop_database(url)


@asynccontextmanager
async def tampering(pool: asyncpg.Pool, table: str, change: str, undo: str, *about: object) -> AsyncIterator[None]:
    """Do to a log what it refuses, and make it good again."""
    for_now = f"alter table {table} disable trigger append_only"
    await pool.execute(f"create table kept as table {table}")
    await pool.execute(for_now)
    try:
        assert (await pool.execute(change, *about)).endswith(" 1")
        yield
    finally:
        await pool.execute(undo)
        await pool.execute("drop table kept")
        await pool.execute(f"alter table {table} enable trigger append_only")


async def test_nothing_differs_while_both_are_at_work(house: House) -> None:
    opened = [await house.deal(f"{number}000.00") for number in range(1, 6)]
    await house.change(opened[0].aggregate_id, "1500.00", date(2026, 3, 3))
    going_on = asyncio.create_task(traffic(house, 60))
    assert [one.sentence for one in await house.differences()] == []
    await going_on
    assert [one.sentence for one in await house.differences()] == []


async def rebuilt(pool: asyncpg.Pool, projection: str) -> None:
    """Make a projection good again."""
    (before,) = await builds_of_projections(pool, "serving", [projection])
    assert await request_rebuild(pool, projection)

    async def switched() -> bool:
        (serving,) = await builds_of_projections(pool, "serving", [projection])
        return serving.build > before.build

    await until(switched)


async def traffic(house: House, deals: int) -> None:
    for _ in range(deals):
        await house.deal()


async def test_a_deleted_row_of_a_journal_is_named(house: House) -> None:
    lost = await house.deal()
    row = await house.journaled(lost)
    async with tampering(
        house.forecast.pool,
        "journal",
        "delete from journal where position = $1",
        "insert into journal select * from kept where position not in (select position from journal)",
        row["position"],
    ):
        found = await house.differences()
    (missing,) = [one for one in found if one.where == "journal of forecast"]
    assert (missing.what, missing.service, missing.aggregate) == ("missing", "deals", "deal")
    assert (missing.event_id, missing.aggregate_id, missing.position) == (
        row["event_id"],
        lost.aggregate_id,
        lost.position,
    )
    assert {"projection deals of forecast", "projection feed of forecast"} < {one.where for one in found}, (
        "whoever folded it"
    )
    assert {one.what for one in found if one.where.startswith("projection")} <= {"unexpected", "altered"}


async def test_one_altered_byte_of_a_journal_is_named(house: House) -> None:
    opened = await house.deal("4711.00")
    row = await house.journaled(opened)
    async with tampering(
        house.forecast.pool,
        "journal",
        "update journal set data = replace(data::text, '4711', '4712')::json where position = $1",
        "update journal set data = kept.data from kept where kept.position = journal.position",
        row["position"],
    ):
        found = await house.differences()
    (altered,) = [one for one in found if one.where == "journal of forecast"]
    assert (altered.what, altered.event_id, altered.position) == ("altered", row["event_id"], opened.position)
    of_projections = [one for one in found if one.where == "projection deals of forecast"]
    assert of_projections
    assert {one.event_id for one in of_projections} == {row["event_id"]}, "the newest event behind the row"


async def test_one_altered_byte_of_a_store_is_named_against_every_copy(house: House) -> None:
    opened = await house.deal("4713.00")
    row = await house.journaled(opened)
    async with tampering(
        house.deals.pool,
        "event",
        "update event set data = replace(data::text, 'Servers', 'Servera')::json where position = $1",
        "update event set data = kept.data from kept where kept.position = event.position",
        opened.position,
    ):
        found = await house.differences()
    in_logs = [one for one in found if not one.where.startswith("projection")]
    assert {(one.where, one.what, one.event_id) for one in in_logs} == {
        ("topics of deals", "altered", row["event_id"]),
        ("journal of forecast", "altered", row["event_id"]),
    }


async def test_a_skipped_fold_is_named_by_its_event(house: House) -> None:
    opened = await house.deal("100.00")
    await house.journaled(opened)
    pool = house.deals.pool
    async with pool.acquire() as connection, long_transaction(connection):
        mark = await connection.fetchval("select name from mark where name like 'deals\\_%' for update")
        changed = await house.change(opened.aggregate_id, "200.00", date(2026, 3, 4))
        await connection.execute("update mark set position = $2 where name = $1", mark, changed.position)
    event_id = await pool.fetchval("select event_id from event where position = $1", changed.position)
    try:
        found = await house.differences()
        assert {one.where for one in found} == {"projection deals of deals"}
        assert {(one.event_id, one.position) for one in found} == {(event_id, changed.position)}
        assert all("This event was not folded." in one.sentence for one in found)
    finally:
        await rebuilt(pool, "deals")


async def test_a_deleted_row_of_a_projection_is_named_with_its_event(house: House) -> None:
    opened = await house.deal("300.00")
    row = await house.journaled(opened)
    (build,) = await builds_of_projections(house.forecast.pool, "serving", ["feed"])
    deleted = await house.forecast.pool.execute(
        f"delete from {build.schema}.entry where position = $1", row["position"]
    )
    assert deleted == "DELETE 1"
    found = await house.differences()
    assert len(found) == 1, found
    missing = found[0]
    assert (missing.where, missing.what) == ("projection feed of forecast", "missing")
    assert (missing.event_id, missing.aggregate_id) == (row["event_id"], opened.aggregate_id)


async def test_a_foreign_record_in_a_topic_is_named(house: House) -> None:
    """The last test of these: what is in a topic cannot be taken out again."""
    producer = AIOKafkaProducer(bootstrap_servers=house.bootstrap, acks="all")
    await producer.start()
    stranger = new_id()
    await producer.send_and_wait("deals.product.v1", b"{}", str(stranger).encode(), partition_of(stranger, PARTITIONS))
    await producer.stop()
    found = await house.differences()
    of_topic = [one for one in found if one.where == "topics of deals"]
    assert [(one.what, one.aggregate_id) for one in of_topic] == [("unexpected", stranger)]
