"""Reading one's own writes: a token is waited for, in this service and across the topics of others."""

import asyncio
import base64
from typing import Any

import asyncpg
import pytest

from shared.kafka.partitioning import PARTITIONS, partition_of
from shared.ops.ids import new_id
from shared.projections.consistency import ConsistencyGate, ReadModelBehind
from shared.projections.errors import InvalidQuery
from shared.projections.tokens import ConsistencyToken, PartitionPosition, decode, token_for
from tests.shared.projections.conftest import Depot, working
from tests.shared.projections.depot import OrderPaid, depot_reactions, parcel_of, parcels, totals

REACTIONS = ("reactions-journal",)
EVERY = ("parcels", "totals", "orders")


def own(position: int) -> ConsistencyToken:
    return token_for("depot", [PartitionPosition("depot.parcel.v1", 0, position)])


async def is_waiting(consistency: ConsistencyGate, token: ConsistencyToken) -> bool:
    """Whether a short wait is in vain."""
    try:
        await consistency.wait_for(token, EVERY, timeout=0.05)
    except ReadModelBehind:
        return True
    return False


async def test_a_token_of_our_own_waits_for_the_projections(depot: Depot) -> None:
    projection = parcels()
    await depot.prepare(projection)
    arrival = depot.arrival(projection)
    position = await depot.scan(await depot.post())
    assert await is_waiting(arrival, own(position))
    waiting = asyncio.create_task(arrival.wait_for(own(position), EVERY, timeout=10))
    async with working(depot.runner(projection)):
        await waiting
        assert [row["scans"] for row in await depot.table("parcels")] == [1]
        assert await is_waiting(arrival, own(position + 1))


async def test_another_process_waits_too(depot: Depot, other: Depot) -> None:
    projection = parcels()
    await depot.prepare(projection)
    position = await depot.scan(await depot.post())
    waiting = asyncio.create_task(other.arrival(projection).wait_for(own(position), EVERY, timeout=10))
    async with working(depot.runner(projection)):
        await waiting


async def test_a_token_of_others_waits_until_what_follows_from_it_is_visible(depot: Depot) -> None:
    """Journaled, reacted to, and the reaction's own events folded: only then the parcel can be asked for."""
    ours, theirs = parcels(), totals("journal", "orders")
    await depot.prepare(ours, theirs)
    arrival = depot.arrival(ours, theirs, reactions=REACTIONS)
    order_id = new_id()
    token = token_for("shops", [PartitionPosition("shops.order.v1", partition_of(order_id, PARTITIONS), 7)])
    waiting = asyncio.create_task(arrival.wait_for(token, EVERY, timeout=10))
    runners = depot.runner(ours), depot.runner(theirs, source="journal")
    async with working(*runners, depot.reactor(depot_reactions())):
        assert await is_waiting(arrival, token)
        await depot.receive(7, OrderPaid(order_id=order_id, weight=1))
        await waiting
        assert [row["parcel_id"] for row in await depot.table("parcels")] == [parcel_of(order_id)]


async def test_only_the_projections_that_are_read_are_waited_for(depot: Depot) -> None:
    read, other = parcels(), totals()
    await depot.prepare(read, other)
    arrival = depot.arrival(read, other)
    position = await depot.scan(await depot.post())
    async with working(depot.runner(read)):
        await arrival.wait_for(own(position), [read.name], timeout=10)
        await arrival.wait_for(own(position), [], timeout=0.05)
        assert await is_waiting(arrival, own(position))


async def test_reactions_that_do_not_run_are_waited_for(depot: Depot) -> None:
    projection = totals("journal", "orders")
    await depot.prepare(projection)
    order_id = new_id()
    await depot.receive(1, OrderPaid(order_id=order_id, weight=1))
    token = token_for("shops", [PartitionPosition("shops.order.v1", partition_of(order_id, PARTITIONS), 1)])
    async with working(depot.runner(projection, source="journal")):
        await depot.arrival(projection).wait_for(token, EVERY, timeout=10)
        assert await is_waiting(depot.arrival(projection, reactions=REACTIONS), token)


async def test_a_topic_that_is_not_read_here_is_not_waited_for(depot: Depot) -> None:
    token = token_for("weather", [PartitionPosition("weather.storm.v1", 0, 99)])
    await depot.arrival().wait_for(token, EVERY, timeout=0.05)


def test_a_token_comes_back_as_it_went() -> None:
    token = token_for("deals", [PartitionPosition("deals.deal.v1", 11, 2**53)])
    assert decode(token.encode(), PARTITIONS) == token


def test_a_token_names_the_last_place_of_every_partition() -> None:
    written = [
        PartitionPosition("deals.deal.v1", 3, 8),
        PartitionPosition("deals.approval.v1", 11, 7),
        PartitionPosition("deals.deal.v1", 3, 5),
        PartitionPosition("deals.deal.v1", 0, 6),
    ]
    token = token_for("deals", written)
    assert token.position == 8
    assert token.partitions == (written[1], written[3], written[0])
    assert decode(token.encode(), PARTITIONS) == token
    plain = base64.urlsafe_b64decode(token.encode() + "=" * (-len(token.encode()) % 4))
    assert plain == b"deals deals.approval.v1 11 7 deals.deal.v1 0 6 3 8"


@pytest.mark.parametrize(
    "plain",
    [
        "deals deals.deal.v1 3 8 0 6",
        "deals deals.deal.v1 0 6 deals.approval.v1 0 7",
        "deals deals.deal.v1 0 6 0 7",
        "deals deals.deal.v1 0 6 deals.deal.v1 1 7",
        "deals deals.deal.v1 0 6 1",
        "deals deals.deal.v1 0 6 deals.approval.v1",
        "deals deals.deal.v1 0 06",
        "deals 0 6",
        "deals",
    ],
)
def test_a_token_has_one_spelling(plain: str) -> None:
    with pytest.raises(InvalidQuery):
        decode(base64.urlsafe_b64encode(plain.encode()).decode().rstrip("="), PARTITIONS)


def test_what_a_bulk_command_writes_fits_in_a_header() -> None:
    topics = [f"receivables.long-aggregate-name-{number:02}.v1" for number in range(12)]
    token = token_for(
        "receivables", [PartitionPosition(topic, each, 10**9 + each) for topic in topics for each in range(PARTITIONS)]
    )
    assert decode(token.encode(), PARTITIONS) == token


async def test_every_partition_that_was_written_to_is_waited_for(depot: Depot) -> None:
    """API-2: what was written to two aggregates is not there when the first of them is; other topics hold up nobody."""
    projection = totals("journal", "orders")
    await depot.prepare(projection)
    first, second = [new_id() for _ in range(2)]
    while partition_of(first, PARTITIONS) >= partition_of(second, PARTITIONS):
        first, second = second, new_id()
    token = token_for(
        "shops",
        [
            PartitionPosition("shops.order.v1", partition_of(first, PARTITIONS), 1),
            PartitionPosition("shops.order.v1", partition_of(second, PARTITIONS), 2),
            PartitionPosition("shops.window.v1", 0, 3),
        ],
    )
    arrival = depot.arrival(projection)
    async with working(depot.runner(projection, source="journal")):
        for number, order_id in enumerate((first, second), 1):
            assert await is_waiting(arrival, token)
            await depot.receive(number, OrderPaid(order_id=order_id, weight=1))
        await arrival.wait_for(token, EVERY, timeout=10)


@pytest.mark.parametrize("text", ["", "no token", "ZGVhbHM", "é", "=" * 8, "A" * 4000, own(1).encode() + "x"])
def test_what_is_no_token_is_a_clear_error(text: str) -> None:
    with pytest.raises(InvalidQuery) as caught:
        decode(text, PARTITIONS)
    assert [(reason.field, reason.code) for reason in caught.value.reasons] == [
        ("Consistency-Token", "malformed-token")
    ]


@pytest.mark.parametrize(
    ("topic", "partition", "position"),
    [
        ("shops.order.v1", 12, 1),
        ("shops.order.v1", 99999, 1),
        ("shops.order.v1", -1, 1),
        ("shops.order.v1", 0, -1),
        ("shops.order.v1", 0, 2**63),
        ("t" * 201, 0, 1),
    ],
)
def test_a_token_of_what_no_log_can_hold_is_a_clear_error(topic: str, partition: int, position: int) -> None:
    token = ConsistencyToken("shops", (PartitionPosition(topic, partition, position),))
    with pytest.raises(InvalidQuery) as caught:
        decode(token.encode(), PARTITIONS)
    assert [(reason.field, reason.code) for reason in caught.value.reasons] == [
        ("Consistency-Token", "malformed-token")
    ]


async def test_the_last_position_that_a_log_can_hold_can_be_asked_for(depot: Depot) -> None:
    token = decode(own(2**63 - 1).encode(), PARTITIONS)
    await depot.prepare(parcels())
    assert await is_waiting(depot.arrival(parcels()), token)


async def test_tokens_that_nothing_reaches_share_their_queries(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    """API-2: a forged position costs its sender the wait, and the others nothing much, however many are sent."""
    projection = parcels()
    await depot.prepare(projection)
    asked: list[int] = []
    acquire = asyncpg.Pool.acquire

    def counted(pool: asyncpg.Pool, **named: Any) -> Any:
        if pool is depot.pool:  # services of other tests are at work beside
            asked.append(1)
        return acquire(pool, **named)

    monkeypatch.setattr(asyncpg.Pool, "acquire", counted)
    arrival = depot.arrival(projection)
    counts = []
    for number in (1, 50):
        asked.clear()
        forged = [own(2**62 + position) for position in range(number)]
        refused = await asyncio.gather(
            *(arrival.wait_for(token, EVERY, 0.5) for token in forged), return_exceptions=True
        )
        assert [type(problem) for problem in refused] == [ReadModelBehind] * number
        counts.append(len(asked))
    alone, together = counts
    assert 0 < together <= 3 * alone, counts
