"""Two writers of one partition never write an event twice, and neither of them fails for it."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from shared.events.envelope import Envelope
from shared.stream.chain import Place
from shared.stream.keeping import Keeper
from shared.stream.record import Received
from tests.shared.stream.stage import deals, journaled


def received(events: Sequence[Envelope[bytes]]) -> list[tuple[Place, Received]]:
    """The events of one deal as they come from its partition."""
    before = [0, *(event.source_position for event in events)]
    return [
        (Place("deals.deal.v1", event.partition), Received(event=event, previous=previous))
        for event, previous in zip(events, before, strict=False)
    ]


async def positions(pool: "asyncpg.Pool[Any]") -> list[int]:
    return [row["source_position"] for row in await journaled(pool)]


async def test_who_was_overtaken_writes_only_what_is_left(pool: "asyncpg.Pool[Any]") -> None:
    records = received(deals("deal", [5]))
    (place, _) = records[0]
    overtaken, other = Keeper(pool), Keeper(pool)
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
    overtaken, other = Keeper(pool), Keeper(pool)
    await overtaken.assigned({place for place, _ in [*one, *another]})
    await other.keep(one)
    await overtaken.keep([*one, *another])
    assert await positions(pool) == [1, 2, 10, 11]
