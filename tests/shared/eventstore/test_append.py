"""One call appends many commands, each whole or not at all (API-1)."""

import asyncio
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import pytest

from shared.eventstore.append import (
    CALL,
    Append,
    Appended,
    ClaimTaken,
    Conflict,
    HeldKey,
    Idempotency,
    NewEvent,
    Outcome,
    RequestInFlight,
    StreamAppend,
    TimerChange,
    arguments,
    outcomes,
)
from shared.eventstore.group_commit import Waiting, take_compatible
from shared.ops.ids import new_id
from shared.testing.transactions import long_transaction
from tests.shared.eventstore.conftest import Process
from tests.shared.http.waiting import until

WAITS_FOR_A_LOCK = (
    "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')"
)
NOW = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)


def stream(aggregate_id: UUID, expected: int = 0, events: int = 1) -> StreamAppend:
    made = tuple(
        NewEvent(
            id=new_id(),
            type="tickets.note-added",
            version=1,
            occurred_at=NOW,
            data=b'{"n": 1.50,  "text": "\\u00e4"}',
            personal=b'{"note":"about somebody"}',
            person=aggregate_id,
        )
        for _ in range(events)
    )
    return StreamAppend(aggregate="ticket", aggregate_id=aggregate_id, expected=expected, events=made)


def append(*streams: StreamAppend, key: str | None = None, email: str | None = None) -> Append:
    first = streams[0].aggregate_id
    due = TimerChange(aggregate="ticket", aggregate_id=first, name="t", generation=1, due=NOW, command=b"{}")
    return Append(
        command_id=new_id(),
        streams=streams,
        actor="somebody",
        correlation_id=first,
        causation_id=first,
        recorded_at=NOW,
        idempotency=Idempotency(principal="p", operation="o", key=key, request_hash=b"h") if key else None,
        take=(HeldKey(kind="email", key_hash=email.encode(), holder=first),) if email else (),
        timers=(due,),
    )


async def call(process: Process, *batch: Append) -> list[Outcome]:
    return outcomes(batch, await process.pool.fetch(CALL, *arguments(batch)))


async def rows_about(process: Process, aggregate_id: UUID) -> dict[str, int]:
    """In how many rows of each table an aggregate appears."""
    counts = {}
    for table, column in {
        "event": "aggregate_id",
        "stream_head": "aggregate_id",
        "timer": "aggregate_id",
        "personal": "person_id",
        "claim": "holder",
        "idempotency": "aggregate_id",
    }.items():
        counts[table] = await process.pool.fetchval(f"select count(*) from {table} where {column} = $1", aggregate_id)
    return {table: count for table, count in counts.items() if count}


async def test_losers_of_a_batch_leave_nothing(process: Process) -> None:
    taken, moved, winner = new_id(), new_id(), new_id()
    await call(process, append(stream(taken), email="a"), append(stream(moved)))
    losers = [new_id(), new_id(), new_id()]
    async with process.pool.acquire() as connection, long_transaction(connection):
        await connection.execute(
            "select pg_advisory_xact_lock(hashtextextended(concat_ws(chr(31), 'key', 'p', 'o', 'busy'), 0))"
        )
        found = await call(
            process,
            append(stream(losers[0]), stream(moved, expected=0), key="k1"),
            append(stream(losers[1]), email="a", key="k2"),
            append(stream(losers[2]), key="busy"),
            append(stream(winner, events=2), email="b", key="k4"),
        )
    assert found[0] == Conflict(aggregate_id=moved)
    assert found[1] == ClaimTaken(kind="email", key_hash=b"a", holder=taken)
    assert found[2] == RequestInFlight()
    assert found[3] == Appended(positions={winner: 4})
    assert [await rows_about(process, loser) for loser in losers] == [{}, {}, {}]
    assert await rows_about(process, moved) == {"event": 1, "stream_head": 1, "timer": 1, "personal": 1}
    once = {"stream_head": 1, "timer": 1, "claim": 1, "idempotency": 1}
    assert await rows_about(process, winner) == {"event": 2, "personal": 2, **once}


async def test_several_streams_are_appended_all_or_none(process: Process) -> None:
    first, second = new_id(), new_id()
    (done,) = await call(process, append(stream(first, events=2), stream(second, events=3)))
    assert done == Appended(positions={first: 2, second: 5})
    (lost,) = await call(process, append(stream(first, expected=2), stream(second, expected=2)))
    assert lost == Conflict(aggregate_id=second)
    assert await process.pool.fetchval("select sequence from stream_head where aggregate_id = $1", first) == 2


async def test_a_claim_moves_from_one_stream_to_another_in_one_command(process: Process) -> None:
    giver, taker = new_id(), new_id()
    await call(process, append(stream(giver), email="a"))
    moving = replace(
        append(stream(taker), stream(giver, expected=1)),
        take=(HeldKey(kind="email", key_hash=b"a", holder=taker),),
        release=(HeldKey(kind="email", key_hash=b"a", holder=giver),),
    )
    assert await call(process, moving) == [Appended(positions={taker: 2, giver: 3})]
    assert await process.pool.fetchval("select holder from claim") == taker


async def test_positions_follow_the_order_of_commands_and_events(process: Process) -> None:
    batch = [append(stream(new_id(), events=3), stream(new_id(), events=2)) for _ in range(60)]
    await call(process, *batch)
    stored = await process.pool.fetch("select aggregate_id, sequence from event order by position")
    assert [tuple(row) for row in stored] == [
        (one.aggregate_id, number)
        for command in batch
        for one in command.streams
        for number in range(1, len(one.events) + 1)
    ]


async def test_data_is_stored_byte_for_byte(process: Process) -> None:
    await call(process, append(stream(new_id())))
    assert await process.pool.fetchval("select data from event") == '{"n": 1.50,  "text": "\\u00e4"}'


async def test_the_log_is_append_only(process: Process) -> None:
    await call(process, append(stream(new_id())))
    for change in ("update event set type = 'x'", "delete from event", "truncate event"):
        with pytest.raises(Exception, match="append-only"):
            await process.pool.execute(change)


async def test_batches_that_meet_on_streams_and_claims_never_deadlock(process: Process) -> None:
    """Rival calls take heads and claims in any order of theirs; exactly one of each claim's takers wins."""
    for round_number in range(10):
        ids = [new_id() for _ in range(10)]
        calls = [
            call(process, *(append(stream(one), email=f"{round_number}/{place}") for place, one in order))
            for order in (list(enumerate(ids)), list(enumerate(ids))[::-1], list(enumerate([new_id() for _ in ids])))
        ]
        found = [outcome for batch in await asyncio.gather(*calls) for outcome in batch]
        assert sum(isinstance(outcome, Appended) for outcome in found) == 10
        assert all(isinstance(outcome, Appended | Conflict | ClaimTaken) for outcome in found)
    assert await process.pool.fetchval("select count(*) from claim") == 100


async def test_waiting_commands_share_a_call_unless_they_touch_the_same() -> None:
    one, two = new_id(), new_id()
    commands = [
        append(stream(one), key="a"),
        append(stream(two), key="b"),
        append(stream(one, expected=1), key="c"),
        append(stream(new_id()), key="c"),
        append(stream(new_id()), key="d"),
    ]
    loop = asyncio.get_running_loop()
    waiting: deque[Waiting] = deque((command, loop.create_future()) for command in commands)
    assert [command for command, _ in take_compatible(waiting)] == [commands[0], commands[1], commands[4]]
    assert [command for command, _ in take_compatible(waiting)] == [commands[2]]
    assert [command for command, _ in take_compatible(waiting)] == [commands[3]]


async def test_commands_that_wait_together_share_transactions(process: Process) -> None:
    commands = [append(stream(new_id())) for _ in range(100)]
    await asyncio.gather(*(process.appender.append(command) for command in commands))
    transactions = await process.pool.fetchval("select count(distinct xmin::text) from event")
    assert 2 <= transactions <= 4


async def test_a_call_that_waits_for_a_lock_holds_up_nothing_else(process: Process, other: Process) -> None:
    hot = new_id()
    await process.appender.append(append(stream(hot)))
    async with other.pool.acquire() as connection, long_transaction(connection):
        await connection.execute("select from stream_head where aggregate_id = $1 for update", hot)
        held_up = asyncio.create_task(process.appender.append(append(stream(hot, expected=1))))
        await until(lambda: connection.fetchval(WAITS_FOR_A_LOCK))
        for _ in range(5):
            async with asyncio.timeout(2):
                assert isinstance(await process.appender.append(append(stream(new_id()))), Appended)
        assert not held_up.done()
    assert isinstance(await held_up, Appended)


async def test_an_append_wakes_those_who_wait(process: Process) -> None:
    seen = process.appender.appended.count
    await process.appender.append(append(stream(new_id())))
    assert await process.appender.appended.wait(seen, 0)


async def test_what_cannot_be_written_is_raised_where_it_waits(process: Process) -> None:
    wrong = replace(append(stream(new_id())), traceparent=cast(str, object()))
    async with asyncio.timeout(5):
        with pytest.raises(TypeError):
            await process.appender.append(wrong)
    assert isinstance(await process.appender.append(append(stream(new_id()))), Appended)
