"""The chain of positions finds what is new and what is missing, whatever batches the records come in."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as some

from shared.events.envelope import Envelope
from shared.kafka.chain import Gap, Place, sift
from shared.kafka.record import Received

HERE = Place("deals.deal.v1", 3)
THERE = Place("deals.deal.v1", 4)
EPOCH = datetime(2026, 11, 23, tzinfo=UTC)


def received(position: int, previous: int | None) -> Received:
    event = Envelope(
        id=UUID(int=abs(position)),
        type="deals.deal-won",
        version=1,
        service="deals",
        aggregate="deal",
        aggregate_id=UUID(int=3),
        sequence=1,
        partition=3,
        position=position,
        source_position=position,
        occurred_at=EPOCH,
        recorded_at=EPOCH,
        actor="",
        correlation_id=UUID(int=1),
        causation_id=UUID(int=1),
        imported=False,
        traceparent=None,
        data=b"{}",
    )
    return Received(event=event, previous=previous)


def chain(positions: Iterable[int]) -> list[tuple[Place, Received]]:
    records, previous = [], 0
    for position in positions:
        records.append((HERE, received(position, previous)))
        previous = position
    return records


def positions(new: Iterable[tuple[Place, Envelope[bytes]]]) -> list[int]:
    return [event.source_position for _, event in new]


def test_what_was_seen_is_dropped_and_the_rest_moves_the_mark() -> None:
    sifted = sift(chain([2, 5, 9]), {HERE: 5})
    assert positions(sifted.new) == [9]
    assert sifted.seen == {HERE: 9}
    assert sifted.gaps == {}


def test_a_gap_stops_its_partition_and_no_other() -> None:
    records = [*chain([2, 5])[:1], (HERE, received(9, 5)), (HERE, received(11, 9)), (THERE, received(10, 0))]
    sifted = sift(records, {HERE: 0, THERE: 0})
    assert [(place, event.source_position) for place, event in sifted.new] == [(HERE, 2), (THERE, 10)]
    assert sifted.seen == {HERE: 2, THERE: 10}
    assert sifted.gaps == {HERE: Gap(after=2, previous=5, position=9)}


def test_a_partition_that_begins_in_the_middle_has_a_gap() -> None:
    assert sift([(HERE, received(9, 5))], {HERE: 0}).gaps[HERE].previous == 5


def test_a_record_without_a_place_in_the_chain_is_new_and_leaves_the_chain_alone() -> None:
    sifted = sift([*chain([2]), (HERE, received(-8, None)), *chain([2, 5])[1:]], {HERE: 0})
    assert positions(sifted.new) == [2, -8, 5]
    assert sifted.seen == {HERE: 5}


@given(
    length=some.integers(1, 12),
    runs=some.lists(some.tuples(some.integers(0, 11), some.integers(1, 12)), max_size=8),
)
def test_publishers_that_repeat_whole_runs_change_nothing(length: int, runs: list[tuple[int, int]]) -> None:
    """A restarted or woken publisher goes back to a checkpoint that was reached before, and goes on from there in
    order."""
    log = chain(range(1, 3 * length, 3))
    published: list[tuple[Place, Received]] = []
    reached = 0
    for start, count in runs:
        begin = min(start, reached)
        published += log[begin : begin + count]
        reached = max(reached, min(begin + count, length))
    published += log[min(reached, length) :]
    sifted = sift(published, {HERE: 0})
    assert positions(sifted.new) == [record.event.source_position for _, record in log]
    assert not sifted.gaps


@given(length=some.integers(2, 12), missing=some.integers(0, 10))
def test_any_record_that_is_missing_is_noticed_by_its_successor(length: int, missing: int) -> None:
    log = chain(range(1, length + 1))
    gone = missing % (length - 1)
    sifted = sift(log[:gone] + log[gone + 1 :], {HERE: 0})
    assert positions(sifted.new) == list(range(1, gone + 1))
    assert sifted.gaps[HERE].previous == gone + 1
