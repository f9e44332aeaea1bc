"""Two writers of one partition never write an event twice, and neither of them fails for it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg

from shared.events.envelope import Envelope
from shared.kafka.chain import Place
from shared.kafka.inbox import Inbox
from shared.kafka.record import Received
from tests.shared.kafka.stage import deals, eventually, journaled, where


def received(events: Sequence[Envelope[bytes]]) -> list[tuple[Place, Received]]:
    """The events of one deal as they come from its partition."""
    before = [0, *(event.source_position for event in events)]
    return [
        (Place("deals.deal.v1", where(event)), Received(event=event, previous=previous))
        for event, previous in zip(events, before, strict=False)
    ]


async def positions(pool: "asyncpg.Pool[Any]") -> list[int]:
    return [row["source_position"] for row in await journaled(pool)]


async def test_who_was_overtaken_writes_only_what_is_left(pool: "asyncpg.Pool[Any]") -> None:
    records = received(deals("deal", [5]))
    (place, _) = records[0]
    overtaken, other = Inbox(pool), Inbox(pool)
    assert await overtaken.assigned([place]) == {place}
    await other.keep(records[:3])
    sifted = await overtaken.keep(records)
    assert [event.source_position for _, event in sifted.new] == [4, 5]
    assert await positions(pool) == [1, 2, 3, 4, 5]
    assert not (await other.keep(records)).new
    assert await other.assigned([place]) == set()


async def test_partitions_that_were_overtaken_do_not_hold_up_the_others(pool: "asyncpg.Pool[Any]") -> None:
    one = received(deals("deal", [2]))
    another = [
        (Place("deals.product.v1", place.partition), record) for place, record in received(deals("deal", [2], first=10))
    ]
    overtaken, other = Inbox(pool), Inbox(pool)
    await overtaken.assigned({place for place, _ in [*one, *another]})
    await other.keep(one)
    await overtaken.keep([*one, *another])
    assert await positions(pool) == [1, 2, 10, 11]


async def test_partitions_may_be_handed_out_while_a_batch_waits_for_another_writer(pool: "asyncpg.Pool[Any]") -> None:
    """A rebalance drops what is remembered; the batch is sifted against what is there then, and nothing fails."""
    records = received(deals("deal", [4]))
    (place, _) = records[0]
    overtaken = Inbox(pool)
    await overtaken.assigned([place])
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("update journal_mark set position = 1")  # another member writes the first
        writing = asyncio.create_task(overtaken.keep(records))
        await eventually(lambda: waiting(pool))
        await overtaken.assigned([])
    assert [event.source_position for _, event in (await writing).new] == [2, 3, 4]
    assert await positions(pool) == [2, 3, 4]


async def waiting(pool: "asyncpg.Pool[Any]") -> bool:
    """Whether a statement waits for a row that another transaction has locked."""
    here = "datname = current_database() and wait_event_type = 'Lock'"
    return bool(await pool.fetchval(f"select exists (select from pg_stat_activity where {here})"))
