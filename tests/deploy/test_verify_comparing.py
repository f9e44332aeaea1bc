"""What counts as a difference between a store and its copies, and how it is named."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from deploy.verify.comparing import Chain, beyond, differing, named
from deploy.verify.entries import Day, Entry, Totals, added, checksum_of, entry_of, entry_of_record
from deploy.verify.rows import differing_rows, told
from shared.events.envelope import Envelope
from shared.kafka.record import headers_of
from shared.projections.audit import Difference as RowDifference

DAY = date(2026, 3, 16)
NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)


def entry(position: int, *, previous: int | None = None, checksum: int = 1, day: date = DAY) -> Entry:
    return Entry(
        topic="deals.deal.v1",
        partition=3,
        position=position,
        aggregate_id=UUID(int=3),
        event_id=UUID(int=position + 1000),
        type="deals.deal-opened",
        day=day,
        checksum=checksum,
        previous=previous,
    )


EVENT = Envelope(
    id=UUID(int=9),
    type="deals.deal-opened",
    version=1,
    service="deals",
    aggregate="deal",
    aggregate_id=UUID(int=3),
    sequence=1,
    partition=3,
    position=17,
    source_position=17,
    occurred_at=NOON,
    recorded_at=NOON,
    actor="rosa",
    correlation_id=UUID(int=5),
    causation_id=UUID(int=6),
    imported=False,
    traceparent=None,
    data='{"name": "Server"}',
)


class Record:
    """The event as a consumer got it."""

    topic, partition, offset = "deals.deal.v1", 3, 0
    key: bytes | None = str(UUID(int=3)).encode()
    value: bytes | None = EVENT.data.encode()

    def __init__(self, previous: int = 0, changed: Mapping[str, bytes] | None = None) -> None:
        self.headers = [*({**dict(headers_of(EVENT, previous)), **(changed or {})}).items()]


def test_a_record_has_the_checksum_of_its_event_whatever_came_before_it() -> None:
    stored = entry_of(EVENT, 12)
    assert entry_of_record(Record()) == replace(stored, previous=0)
    assert entry_of_record(Record(previous=11)).checksum == stored.checksum
    assert stored.day == DAY


@pytest.mark.parametrize("header", [name for name, _ in headers_of(EVENT, 0) if name != "ce_prev"])
def test_every_header_counts(header: str) -> None:
    changed = bytearray(dict(headers_of(EVENT, 0))[header])
    changed[-1] ^= 1
    assert entry_of_record(Record(changed={header: bytes(changed)})).checksum != entry_of(EVENT, 12).checksum


def test_key_value_and_partition_count_and_no_byte_moves_between_them() -> None:
    whole = checksum_of(1, b"key", [("a", b"bc")], b"value")
    assert whole != checksum_of(2, b"key", [("a", b"bc")], b"value")
    assert whole != checksum_of(1, b"kez", [("a", b"bc")], b"value")
    assert whole != checksum_of(1, b"key", [("a", b"bc")], b"valuf")
    assert whole != checksum_of(1, b"key", [("ab", b"c")], b"value")
    assert whole == checksum_of(1, b"key", [("a", b"bc")], b"value")


def test_totals_are_the_same_in_any_order_and_differ_by_day() -> None:
    one, two, late = entry(1, checksum=5), entry(2, checksum=7), entry(3, day=date(2026, 3, 17))
    there, here = added(Totals(), [one, two, late]), added(added(Totals(), [late, two]), [one])
    assert there == here
    assert differing(there, here) == set()
    assert differing(there, added(Totals(), [one, two])) == {Day("deals.deal.v1", date(2026, 3, 17))}
    assert differing(there, added(Totals(), [one, replace(two, checksum=8), late])) == {Day("deals.deal.v1", DAY)}


def test_missing_unexpected_and_altered_events_are_named() -> None:
    stored = [entry(1), entry(2), entry(4)]
    found = named("journal of forecast", stored, [entry(1), entry(3), entry(4, checksum=9)])
    assert [(one.what, one.position, one.event_id) for one in found] == [
        ("missing", 2, UUID(int=1002)),
        ("unexpected", 3, UUID(int=1003)),
        ("altered", 4, UUID(int=1004)),
    ]
    assert {(one.where, one.service, one.aggregate) for one in found} == {("journal of forecast", "deals", "deal")}


def test_repeated_records_are_no_difference_and_a_gap_breaks_the_chain() -> None:
    chain = Chain("topics of deals", links=True)
    new = chain.follow([entry(1, previous=0), entry(2, previous=1), entry(1, previous=0), entry(2, previous=1)])
    assert [one.position for one in new] == [1, 2]
    assert chain.broken == []
    assert [one.position for one in chain.follow([entry(7, previous=5)])] == [7]
    assert [(one.what, one.position) for one in chain.broken] == [("broken-chain", 7)]
    assert "follows 5; before it stands 2" in chain.broken[0].sentence


def test_a_journal_out_of_order_is_told() -> None:
    chain = Chain("journal of forecast", links=False)
    assert [one.position for one in chain.follow([entry(4), entry(2)])] == [4, 2]
    assert [one.position for one in chain.broken] == [2]


def test_what_lies_behind_the_end_of_a_store_cannot_come_from_it() -> None:
    assert [one.position for one in beyond("topics of deals", [entry(11), entry(12)], {"deals": 11})] == [12]


def test_rows_are_told_by_key_and_columns_and_not_by_what_they_hold() -> None:
    key = str(UUID(int=8))
    found = [
        RowDifference(table="lead", row=f'{{"id": "{key}", "name": "Ada", "stage": "new"}}', served=True),
        RowDifference(table="lead", row=f'{{"id": "{key}", "name": "Eve", "stage": "new"}}', served=False),
        RowDifference(table="lead", row='{"id": "other", "name": "Bob", "stage": "new"}', served=False),
        RowDifference(table="note", row='{"text": "secret"}', served=True),
    ]
    rows = differing_rows(found, {"lead": ["id"]})
    assert [told(row) for row in rows] == [
        f"Row of lead (id {key}): name differs.",
        "Row of lead (id other): it is missing.",
        "Row of note (without a key): a fresh fold does not have it.",
    ]
    assert [row.what for row in rows] == ["altered", "missing", "unexpected"]
    assert rows[0].ids == (UUID(int=8),)
