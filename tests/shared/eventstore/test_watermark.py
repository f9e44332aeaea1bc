"""Reading the log while many write: nothing missed, nothing out of order (OPS-2).

Writers hold their transactions open for moments of varying length, roll some back, and have their connections killed.
The same run catches a reader that follows the highest position that it sees.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.eventstore.append import CALL, Append, Appended, NewEvent, StreamAppend, arguments, outcomes
from shared.eventstore.log import Log
from shared.eventstore.pool import create_pool
from tests.shared.eventstore.tickets import CODEC

WRITERS = 8
STREAMS = 40
STREAMS_A_TRANSACTION = 4
EVENTS_A_STREAM = 5
NOW = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)
BROKEN = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""How a connection whose server process was killed may answer."""
Seen = list[tuple[int, UUID, int]]
"""Position, aggregate id and sequence of events."""
Read = Callable[[int], Awaitable[tuple[Seen, int]]]
"""From a position: what follows, and where to go on from."""


@dataclass
class Workload:
    """Writers that append `wanted` events on shared streams, in transactions of their own."""

    url: str
    wanted: int
    random: random.Random
    streams: list[UUID] = field(default_factory=lambda: [uuid4() for _ in range(STREAMS)])
    sequences: dict[UUID, int] = field(default_factory=dict)
    connections: dict[int, asyncpg.Connection] = field(default_factory=dict)
    appended: int = 0
    killed: int = 0
    rolled_back: int = 0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            killer = group.create_task(self.kill())
            async with asyncio.TaskGroup() as writers:
                for number in range(WRITERS):
                    writers.create_task(self.write(number))
            killer.cancel()

    async def write(self, number: int) -> None:
        while self.appended < self.wanted:
            connection = self.connections[number] = await asyncpg.connect(self.url)
            try:
                while self.appended < self.wanted:
                    await self.one_transaction(connection)
            except (asyncpg.AdminShutdownError, asyncpg.PostgresConnectionError, *BROKEN):
                self.killed += 1
            finally:
                with suppress(asyncpg.PostgresError, *BROKEN):
                    await connection.close(timeout=1)

    async def one_transaction(self, connection: asyncpg.Connection) -> None:
        chosen = self.random.sample(self.streams, STREAMS_A_TRANSACTION)
        # Each stream is a command of its own, so that one that another writer has moved loses alone.
        batch = [append(stream, self.sequences.get(stream, 0)) for stream in chosen]
        transaction = connection.transaction()
        await transaction.start()
        found = outcomes(batch, await connection.fetch(CALL, *arguments(batch)))
        await connection.execute("select pg_sleep($1)", self.pause())
        if self.random.random() < 0.08:
            await transaction.rollback()
            self.rolled_back += 1
            return
        await transaction.commit()
        for stream, outcome in zip(chosen, found, strict=True):
            if isinstance(outcome, Appended):
                self.appended += EVENTS_A_STREAM
                self.sequences[stream] = max(self.sequences.get(stream, 0), batch_end(batch, stream))
            else:
                self.sequences[stream] = await sequence_of(connection, stream)

    def pause(self) -> float:
        """Seconds that a transaction stays open: mostly 0–3 ms, rarely 50."""
        return 0.05 if self.random.random() < 0.01 else self.random.random() * 0.003

    async def kill(self) -> None:
        """Break the connection of a writer now and then, whatever it is doing."""
        admin = await asyncpg.connect(self.url)
        try:
            while True:
                await admin.execute("select pg_sleep(0.2)")
                victim = self.connections.get(self.random.randrange(WRITERS))
                if victim is not None and not victim.is_closed():
                    await admin.execute("select pg_terminate_backend($1)", victim.get_server_pid())
        finally:
            await admin.close()


def batch_end(batch: list[Append], stream: UUID) -> int:
    found = next(append.streams[0] for append in batch if append.streams[0].aggregate_id == stream)
    return found.expected + len(found.events)


async def sequence_of(connection: asyncpg.Connection, stream: UUID) -> int:
    return await connection.fetchval("select sequence from stream_head where aggregate_id = $1", stream) or 0


def append(stream: UUID, expected: int) -> Append:
    event = NewEvent(id=stream, type="tickets.ticket-reminded", version=1, occurred_at=NOW, data=b"{}")
    return Append(
        command_id=stream,
        streams=(
            StreamAppend(aggregate="ticket", aggregate_id=stream, expected=expected, events=(event,) * EVENTS_A_STREAM),
        ),
        actor="writer",
        correlation_id=stream,
        causation_id=stream,
        recorded_at=NOW,
    )


def below_the_watermark(pool: asyncpg.Pool) -> Read:
    log = Log(pool, CODEC, service="tickets")

    async def read(after: int) -> tuple[Seen, int]:
        page = await log.read_raw(after, 1000)
        return [(event.position, event.aggregate_id, event.sequence) for event in page.events], page.upto

    return read


def following_the_highest_position(pool: asyncpg.Pool) -> Read:
    async def read(after: int) -> tuple[Seen, int]:
        rows = await pool.fetch(
            "select position, aggregate_id, sequence from event where position > $1 order by position limit 1000", after
        )
        return [tuple(row) for row in rows], rows[-1]["position"] if rows else after

    return read


async def follow(read: Read, written: asyncio.Task[None], head: Callable[[], Awaitable[int]]) -> Seen:
    """What a reader sees that runs beside the writers, until it has come to the end of what they wrote."""
    seen: Seen = []
    mark = 0
    while True:
        ended = written.done()
        events, upto = await read(mark)
        seen += events
        if ended and not events and upto >= await head():
            return seen
        mark = upto
        if not events:
            await asyncio.wait([written], timeout=0.001)


async def observed(url: str, reader: Callable[[asyncpg.Pool], Read], wanted: int) -> tuple[Workload, Seen, Seen]:
    workload = Workload(url=url, wanted=wanted, random=random.Random(20260316))
    pool = await create_pool(url, name="reader", size=2)
    try:
        written = asyncio.ensure_future(workload.run())
        async with asyncio.timeout(240):
            seen = await follow(reader(pool), written, Log(pool, CODEC, service="tickets").head)
            await written
        rows = await pool.fetch("select position, aggregate_id, sequence from event order by position")
        return workload, seen, [tuple(row) for row in rows]
    finally:
        await pool.close()


@pytest.mark.slow
async def test_below_the_watermark_nothing_is_missed_or_reordered(database: str) -> None:
    """OPS-2, DATA-3"""
    workload, seen, stored = await observed(database, below_the_watermark, wanted=50_000)
    assert len(stored) >= 50_000
    assert min(workload.killed, workload.rolled_back) > 3
    assert seen == stored
    sequences: dict[UUID, int] = {}
    for _, stream, sequence in seen:
        assert sequence == sequences.get(stream, 0) + 1
        sequences[stream] = sequence


@pytest.mark.slow
async def test_the_same_writers_catch_a_reader_that_follows_the_highest_position(database: str) -> None:
    _, seen, stored = await observed(database, following_the_highest_position, wanted=10_000)
    assert set(seen) < set(stored)
