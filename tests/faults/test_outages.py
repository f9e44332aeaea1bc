"""What a process remembers of its database does not outlive an outage: a crash, a restore, a fail-over (OPS-3)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import httpx
import pytest

from deploy.local import postgres
from deploy.local.home import Home
from deploy.local.ports import free_port
from deploy.local.postgres import PostgresPlace
from deploy.local.program import stop_left_overs
from shared.commands.request import CommandRequest
from shared.events.envelope import Envelope
from shared.eventstore.log import Page
from shared.eventstore.migrate import migrate
from shared.eventstore.pool import DATABASE_AWAY
from shared.ops.ids import new_id
from shared.ops.settings import Settings
from shared.reactions.registry import Do, Reactions
from shared.service.build import build
from shared.testing.servers import DatabaseServer
from tests.shared.eventstore.conftest import Process, start_process
from tests.shared.eventstore.tickets import SERVICE_ACTOR, AddNote, OpenTicket, ticket
from tests.shared.http.sample import SERVICE, ErrandOpened

PATIENCE_SECONDS = 20
NOTICED_SECONDS = 10
RECOVERED_SECONDS = 15
"""The longest pause, a lease that has to run out, and what a worker has to stand; the rest is for a busy machine."""
ABORTED = """
insert into event select nextval('event_position'), gen_random_uuid(), aggregate, 1, event_id, type, version, partition,
       occurred_at, recorded_at, actor, correlation_id, causation_id, imported, traceparent, data
  from event, generate_series(1, 100) where position = 1"""


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[PostgresPlace]:
    """A PostgreSQL that may be killed."""
    home = Home(tmp_path / "own")
    home.prepare()
    yield PostgresPlace(home=home, port=free_port(set()))
    await stop_left_overs(home)
    home.remove()


async def reached(process: Process) -> None:
    """Wait until the pool has a connection again."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                await process.pool.fetchval("select 1")
            except DATABASE_AWAY:
                await asyncio.sleep(0.05)
            else:
                return


def positions(page: Page) -> list[int]:
    return [event.position for event in page.events if isinstance(event, Envelope)]


async def opened(process: Process) -> None:
    ticket_id = new_id()
    await process.commands.execute(
        CommandRequest(ticket, ticket_id, OpenTicket(email=f"{ticket_id}@example.com"), SERVICE_ACTOR)
    )


async def test_no_event_is_skipped_after_a_crash_hands_positions_out_again(place: PostgresPlace) -> None:
    """A transaction takes a hundred positions and ends without commit; the crash forgets that they were taken."""
    server = await postgres.launch(place)
    connection = await asyncpg.connect(place.url)
    # Else the background writer may save the sequence just in time, and nothing is handed out again.
    await connection.execute("alter system set wal_writer_delay = '10s'")
    await connection.execute("select pg_reload_conf()")
    await connection.close()
    url = await DatabaseServer(place.url).create_database("crash")
    await migrate(url)
    process = await start_process(url)
    await opened(process)
    async with process.pool.acquire() as own:
        aborted = own.transaction()
        await aborted.start()
        await own.execute(ABORTED)
        await aborted.rollback()
    read = await process.log.read(0, 1000)
    assert (positions(read), read.upto) == ([1], 1)

    server.kill()
    server = await postgres.launch(place)
    await reached(process)
    await opened(process)
    first = await process.log.read(read.upto, 1000)
    await opened(process)
    second = await process.log.read(first.upto, 1000)
    there = await process.pool.fetch("select position from event where position > 1 order by position")
    assert there[-1]["position"] < 101, "the crash did not hand positions out again"
    assert positions(first) + positions(second) == [row["position"] for row in there]
    await process.close()
    await server.stop()


async def test_a_restore_under_a_running_process_leaves_no_old_state_behind(process: Process) -> None:
    """The database is put back to an earlier state; the remembered stream is longer than the one that is there."""
    ticket_id = new_id()
    await process.commands.execute(
        CommandRequest(ticket, ticket_id, OpenTicket(email="ann@example.com"), SERVICE_ACTOR)
    )
    for note in ("lost", "lost as well"):
        await process.commands.execute(CommandRequest(ticket, ticket_id, AddNote(note=note), SERVICE_ACTOR))
    assert (await process.log.read(0, 100)).upto == 3
    await put_back(process, to=1)

    await reached(process)
    added = await process.commands.execute(CommandRequest(ticket, ticket_id, AddNote(note="newest"), SERVICE_ACTOR))
    assert (added.sequence, (await process.commands.state(ticket, ticket_id)).sequence) == (2, 2)
    page = await process.log.read(1, 100)
    assert [event.data.note for event in page.events if isinstance(event, Envelope)] == ["newest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a process tells those who run it."""

    workers: Mapping[str, str]
    """The detail of each that is not well, empty for the others."""
    lags: frozenset[tuple[str, str]]
    figures: str

    @property
    def well(self) -> frozenset[str]:
        return frozenset(name for name, detail in self.workers.items() if not detail)


async def told_by(client: httpx.AsyncClient) -> Told:
    workers, lags = (await client.get("/health/workers")).json(), (await client.get("/health/lags")).json()
    return Told(
        workers={one["name"]: "" if one["ok"] else one["detail"] for one in workers},
        lags=frozenset((one["kind"], one["name"]) for one in lags),
        figures=(await client.get("/metrics")).text,
    )


async def until_told(client: httpx.AsyncClient, holds: Callable[[Told], bool], seconds: float) -> Told:
    told = await told_by(client)
    try:
        async with asyncio.timeout(seconds):
            while not holds(told):
                await asyncio.sleep(0.05)
                told = await told_by(client)
    except TimeoutError:
        pytest.fail(f"not told in {seconds} s: {told.workers} {sorted(told.lags)}")
    return told


@pytest.mark.xdist_group("errands")  # two at once would write the topics of errands from two logs
async def test_while_the_database_is_away_nobody_says_that_it_works(place: PostgresPlace, kafka: str) -> None:
    """OPS-2: every worker says so in seconds, no lag is told that nobody can measure, and soon after all is well."""
    reactions = Reactions("errands")

    @reactions.on
    def nothing(event: ErrandOpened, fact: Envelope[ErrandOpened]) -> Iterable[Do]:
        return ()

    every = frozenset(
        [
            "clock",
            "feed",
            "journal",
            "reactions-log",
            "relay",
            "retention",
            "signals",
            "timers",
            "projections-journal",
            "projections-log",
        ]
    )
    server = await postgres.launch(place)
    url = await DatabaseServer(place.url).create_database("errands")
    await migrate(url)
    settings = Settings(service="errands", database_url=url, claim_secret="c" * 32, kafka_bootstrap=kafka)
    app = build(replace(SERVICE, reactions=reactions), settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://errands.test") as client,
    ):
        lags = {
            ("relay", "errands"),
            ("projection", "organisation"),
            ("consumer", "reactions-log"),
            ("consumer", "errands"),
        }
        before = await until_told(client, lambda told: told.well == every and told.lags >= lags, PATIENCE_SECONDS)

        server.kill()
        away = await until_told(client, lambda told: not told.well and told.workers.keys() == every, NOTICED_SECONDS)
        assert {detail for detail in away.workers.values() if "cannot reach the database" not in detail} == set()
        gone = await until_told(client, lambda told: told.lags <= {("consumer", "errands")}, NOTICED_SECONDS)
        assert 'throughline_lag_seconds{kind="relay"' not in gone.figures
        assert 'throughline_lag_seconds{kind="projection"' not in gone.figures
        assert 'throughline_lag_measured_timestamp_seconds{kind="relay",name="errands"}' in gone.figures

        for _ in range(100):  # more than two of the longest pauses
            assert not (told := await told_by(client)).well, told.workers
            await asyncio.sleep(0.05)
        server = await postgres.launch(place)
        await until_told(client, lambda told: told.well == every and told.lags >= before.lags, RECOVERED_SECONDS)
    await server.stop()


async def put_back(process: Process, *, to: int) -> None:
    """What a restore does: the later events are gone, and every session ends."""
    async with process.pool.acquire() as connection, connection.transaction():
        await connection.execute("alter table event disable trigger append_only")
        await connection.execute("delete from event where position > $1", to)
        await connection.execute("alter table event enable trigger append_only")
        await connection.execute("update stream_head set sequence = $1", to)
        await connection.execute("select setval('event_position', $1)", to)
    try:
        await process.pool.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() order by pid = pg_backend_pid()"
        )
    except DATABASE_AWAY:
        return
