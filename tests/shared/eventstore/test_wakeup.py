"""Waking those who wait for something new."""

import asyncio

import asyncpg

from shared.commands.request import CommandRequest
from shared.eventstore.wakeup import Wakeup, listen
from shared.ops.ids import new_id
from tests.shared.eventstore.conftest import Process
from tests.shared.eventstore.tickets import SERVICE_ACTOR, OpenTicket, ticket

SOMEBODY_ELSE = "select pg_notify('event_appended', 'another process')"


async def test_everybody_who_waits_wakes() -> None:
    signal = Wakeup()
    waiting = [asyncio.create_task(signal.wait(0, 5)) for _ in range(3)]
    await asyncio.wait(waiting, timeout=0.01)
    signal.notify()
    assert await asyncio.gather(*waiting) == [True, True, True]


async def test_what_came_between_the_look_and_the_wait_is_not_lost() -> None:
    signal = Wakeup()
    seen = signal.count
    signal.notify()
    assert await signal.wait(seen, 0)
    assert not await signal.wait(signal.count, 0.01)


async def test_other_processes_are_heard_and_ours_is_not_repeated(database: str, process: Process) -> None:
    heard = Wakeup()
    listening = asyncio.create_task(listen(database, heard))
    assert await heard.wait(0, 5)
    seen = heard.count
    await process.commands.execute(CommandRequest(ticket, new_id(), OpenTicket(email="ann@example.com"), SERVICE_ACTOR))
    await process.appender.close()
    await process.pool.execute(SOMEBODY_ELSE)
    assert await heard.wait(seen, 5)
    assert heard.count == seen + 1
    listening.cancel()


async def test_a_broken_connection_is_made_anew(database: str, process: Process) -> None:
    heard = Wakeup()
    listening = asyncio.create_task(listen(database, heard))
    assert await heard.wait(0, 5)
    seen = heard.count
    await process.pool.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and application_name = 'throughline-signals'"
    )
    assert await heard.wait(seen, 5)
    listening.cancel()


async def test_an_append_is_announced_to_other_processes(database: str, process: Process) -> None:
    announced: asyncio.Queue[object] = asyncio.Queue()
    connection = await asyncpg.connect(database)
    await connection.add_listener("event_appended", lambda *received: announced.put_nowait(received[-1]))
    await process.commands.execute(CommandRequest(ticket, new_id(), OpenTicket(email="ann@example.com"), SERVICE_ACTOR))
    async with asyncio.timeout(5):
        assert await announced.get()
    await connection.close()
