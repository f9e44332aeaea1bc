"""What a process remembers of its database does not outlive an outage: a crash, a restore, a fail-over (OPS-3)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local import postgres
from deploy.local.home import Home
from deploy.local.ports import free_port
from deploy.local.postgres import PostgresPlace
from deploy.local.program import stop_left_overs
from shared.events.envelope import Envelope
from shared.ops.ids import new_id
from shared.store.log import Page
from shared.store.migrate import migrate
from shared.store.pool import DATABASE_AWAY
from shared.testing.servers import DatabaseServer
from tests.shared.store.conftest import Process, start_process
from tests.shared.store.tickets import SERVICE_ACTOR, AddNote, OpenTicket, ticket

PATIENCE_SECONDS = 20
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
    await process.commands.execute(ticket, ticket_id, OpenTicket(email=f"{ticket_id}@example.com"), SERVICE_ACTOR)


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
    await process.commands.execute(ticket, ticket_id, OpenTicket(email="ann@example.com"), SERVICE_ACTOR)
    for note in ("lost", "lost as well"):
        await process.commands.execute(ticket, ticket_id, AddNote(note=note), SERVICE_ACTOR)
    assert (await process.log.read(0, 100)).upto == 3
    await put_back(process, to=1)

    await reached(process)
    added = await process.commands.execute(ticket, ticket_id, AddNote(note="newest"), SERVICE_ACTOR)
    assert (added.sequence, (await process.commands.state(ticket, ticket_id)).sequence) == (2, 2)
    page = await process.log.read(1, 100)
    assert [event.data.note for event in page.events if isinstance(event, Envelope)] == ["newest"]


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
