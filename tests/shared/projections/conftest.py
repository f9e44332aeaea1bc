"""A migrated database of its own for each test, and a depot at work on it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from shared.commands.executor import CommandExecutor
from shared.commands.request import CommandRequest
from shared.domain.context import Company
from shared.events.registry import topic_of_class, type_of, version_of
from shared.eventstore.group_commit import GroupCommit
from shared.eventstore.log import Log
from shared.eventstore.pool import create_pool
from shared.eventstore.streams import StreamCache
from shared.eventstore.wakeup import Wakeup
from shared.following.log_follower import LogFollower
from shared.kafka.partitioning import PARTITIONS, partition_of
from shared.ops.clock import Clock
from shared.ops.health import Health
from shared.ops.ids import new_id
from shared.ops.metrics import Metrics
from shared.projections import builds
from shared.projections.consistency import ConsistencyGate
from shared.projections.projection import Projection, Source, revision_of
from shared.projections.read_snapshot import Projections, ReadSnapshot
from shared.projections.runner import ProjectionRunner
from shared.reactions.follower import reaction_follower
from shared.reactions.registry import Reactions
from shared.testing.servers import DatabaseServer
from tests.shared.projections.depot import CODEC, DEPOT, OrderPaid, PostParcel, ScanParcel, parcel

NOW = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)
PATIENCE_SECONDS = 60.0

INSERT = """
    insert into journal (topic, partition, source_position, aggregate_id, aggregate, sequence, event_id, type, version,
        occurred_at, recorded_at, actor, correlation_id, causation_id, imported, traceparent, data)
    select $1, $2, $3, $4, $5, 1, $6, $7, $8, $9, $9, 'shop', $6, $6, $10, null, $11
"""
JOURNALED = """
    insert into journal_mark values ($1, $2, $3)
    on conflict (topic, partition) do update set position = greatest(journal_mark.position, excluded.position)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Depot:
    """One process of the depot."""

    pool: asyncpg.Pool
    appender: GroupCommit
    commands: CommandExecutor
    log: Log
    journal: Log
    health: Health
    company: Company = field(default_factory=Company)
    arrived: Wakeup = field(default_factory=Wakeup)
    advanced: Wakeup = field(default_factory=Wakeup)

    def runner(
        self, *projections: Projection, source: Source = "log", page: int = 1000, build_page: int = 5000
    ) -> ProjectionRunner:
        """The runner of some views."""
        return ProjectionRunner(
            source,
            pool=self.pool,
            log=self.of(source),
            projections=projections,
            company=self.company,
            health=self.health,
            wake=self.appender.appended if source == "log" else self.arrived,
            advanced=self.advanced,
            page=page,
            build_page=build_page,
        )

    def reactor(self, reactions: Reactions, source: Source = "journal", page: int = 200) -> LogFollower:
        """What reacts, by some reactions."""
        return reaction_follower(
            source,
            pool=self.pool,
            log=self.of(source),
            reactions=reactions,
            commands=self.commands,
            health=self.health,
            wake=self.appender.appended if source == "log" else self.arrived,
            advanced=self.advanced,
            partitions=PARTITIONS,
            page=page,
        )

    def projections(self, *projections: Projection) -> Projections:
        """The read side of some views."""
        return Projections(self.pool, projections, {"log": self.log, "journal": self.journal}, self.company)

    def reading(self, *projections: Projection) -> AbstractAsyncContextManager[ReadSnapshot]:
        """These projections on one snapshot."""
        return self.projections(*projections).reading([projection.name for projection in projections])

    def arrival(self, *projections: Projection, reactions: Sequence[str] = ()) -> ConsistencyGate:
        """What waits for tokens."""
        return ConsistencyGate(
            self.pool,
            "depot",
            projections=projections,
            company=self.company,
            reactions=reactions,
            topics=["shops.order.v1"],
            log=self.log,
            journal=self.journal,
            advanced=self.advanced,
        )

    def of(self, source: Source) -> Log:
        return self.log if source == "log" else self.journal

    async def prepare(self, *projections: Projection) -> None:
        """What every process does when it starts."""
        for projection in projections:
            await builds.prepare(self.pool, projection, self.company)

    async def post(self, parcel_id: UUID | None = None, *, weight: int = 1) -> UUID:
        """Post a parcel."""
        parcel_id = parcel_id or new_id()
        await self.commands.execute(CommandRequest(parcel, parcel_id, PostParcel(weight=weight), DEPOT))
        return parcel_id

    async def scan(self, parcel_id: UUID, times: int = 1) -> int:
        """Scan a parcel; the position of the last scan."""
        results = [
            await self.commands.execute(CommandRequest(parcel, parcel_id, ScanParcel(), DEPOT)) for _ in range(times)
        ]
        return results[-1].position

    async def receive(self, position: int, *events: Any, imported: bool = False) -> int:
        """Journal events of the shops, the first of which stands at `position` in their log; the last's position."""
        for place, event in enumerate(events, start=position):
            await self.receive_raw(place, event.order_id, CODEC.encode(event).data.decode(), type(event), imported)
        return position + len(events) - 1

    async def receive_raw(
        self, place: int, order_id: UUID, data: str, kind: type = OrderPaid, imported: bool = False
    ) -> None:
        """Journal an event by its stored text."""
        about = (topic_of_class(kind), partition_of(order_id, PARTITIONS))
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                INSERT, *about, place, order_id, "order", new_id(), type_of(kind), version_of(kind), NOW, imported, data
            )
            await connection.execute(JOURNALED, *about, place)
        self.arrived.notify()

    async def table(self, projection: str, table: str = "parcel", columns: str = "*") -> list[asyncpg.Record]:
        """The rows of the newest serving build of a projection, in order."""
        build = await self.pool.fetchval(
            "select max(build) from view_build where view = $1 and state = 'serving'", projection
        )
        rows: list[asyncpg.Record] = await self.pool.fetch(
            f"select {columns} from {projection}_{build}.{table} order by 1, 2"
        )
        return rows

    async def close(self) -> None:
        await self.appender.close()
        await self.pool.close()


async def start_depot(url: str) -> Depot:
    """A process on a migrated database."""
    pool = await create_pool(url, name="depot", size=12)
    appender = GroupCommit(pool)
    commands = CommandExecutor(
        aggregates=(parcel,),
        pool=pool,
        appender=appender,
        streams=StreamCache(pool, CODEC),
        codec=CODEC,
        clock=Clock(lambda: NOW),
        company=Company(),
        claim_secret=b"only for these tests",
    )
    log, journal = Log(pool, CODEC, service="depot"), Log(pool, CODEC)
    health = Health(Metrics.of("depot"))
    return Depot(pool=pool, appender=appender, commands=commands, log=log, journal=journal, health=health)


@asynccontextmanager
async def working(*workers: ProjectionRunner | LogFollower) -> AsyncIterator[None]:
    """Workers at work; they are stopped in the end, and a failure of theirs is one of the test."""
    stopping = asyncio.Event()
    tasks = [asyncio.create_task(worker.run(stopping)) for worker in workers]
    try:
        yield
    finally:
        stopping.set()
        await asyncio.gather(*tasks)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - nothing in this process may know of the change
            await asyncio.sleep(0.01)


async def caught_up(depot: Depot, *projections: Projection) -> None:
    """Wait until projections hold everything that is in their logs."""
    revisions = [revision_of(projection, depot.company) for projection in projections]

    async def level() -> bool:
        heads = {"log": await depot.log.head(), "journal": await depot.journal.head()}
        serving = await builds.builds(depot.pool, "serving", revisions)
        return len(serving) == len(revisions) and all(build.position >= heads[build.source] for build in serving)

    await until(level)


async def reacted(depot: Depot, checkpoint: str = "reactions-journal") -> None:
    """Wait until the reactions have gone through the journal."""

    async def level() -> bool:
        position = await depot.pool.fetchval("select position from mark where name = $1", checkpoint)
        return position is not None and position >= await depot.journal.head()

    await until(level)


@pytest.fixture
async def database(postgres: DatabaseServer) -> AsyncIterator[str]:
    """The URL of a migrated database of the test's own."""
    url = await postgres.create_database("views", await postgres.migrated())
    yield url
    await postgres.drop_database(url)


@pytest.fixture
async def depot(database: str) -> AsyncIterator[Depot]:
    """One process on the database."""
    started = await start_depot(database)
    yield started
    await started.close()


@pytest.fixture
async def other(database: str) -> AsyncIterator[Depot]:
    """Another process on the same database."""
    started = await start_depot(database)
    yield started
    await started.close()
