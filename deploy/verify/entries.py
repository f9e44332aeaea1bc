"""What is compared: one entry for each event, wherever it was read, and control totals over many. Pure.

An entry's checksum covers the stored bytes and every header but `ce_prev`, which only topics have: the chain that it
makes is checked by itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from shared.events.envelope import Envelope
from shared.events.registry import topic_of
from shared.kafka.partitioning import key_of, partition_of
from shared.kafka.record import Consumed, headers_of, read

CHECKSUM_BYTES = 16
CHAIN_HEADER = "ce_prev"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event, as a store, a topic or a journal has it."""

    topic: str
    partition: int
    position: int
    """In the owner's log; below zero for a record of a topic that does not say."""
    aggregate_id: UUID
    event_id: UUID
    type: str
    day: date
    """On which it was recorded (company clock, UTC): the entries of a day that is over change no more."""
    checksum: int
    previous: int | None = None
    """The position before it in its partition; only entries of topics say."""


class Day(NamedTuple):
    """The events of one aggregate type on one day."""

    topic: str
    day: date


class Total(NamedTuple):
    """How many entries there are, and the sum of their checksums, in whatever order they came."""

    events: int = 0
    checksum: int = 0


Totals = dict[Day, Total]


def added(totals: Totals, entries: Iterable[Entry]) -> Totals:
    """Control totals that grow, as entries are read."""
    for entry in entries:
        key = Day(entry.topic, entry.day)
        events, checksum = totals.get(key, Total())
        totals[key] = Total(events + 1, (checksum + entry.checksum) % (1 << (8 * CHECKSUM_BYTES)))
    return totals


def entry_of(event: Envelope[str], partitions: int) -> Entry:
    """An event of a store or a journal; of a store it is where it has to be in topics of so many partitions."""
    partition = partition_of(event.aggregate_id, partitions) if event.partition is None else event.partition
    headers = [(name, value) for name, value in headers_of(event, 0) if name != CHAIN_HEADER]
    return Entry(
        topic=topic_of(event.service, event.aggregate),
        partition=partition,
        position=event.source_position,
        aggregate_id=event.aggregate_id,
        event_id=event.id,
        type=event.type,
        day=recorded_on(event.recorded_at),
        checksum=checksum_of(partition, key_of(event.aggregate_id), headers, event.data.encode()),
    )


def entry_of_record(record: Consumed) -> Entry:
    """A record of a topic, with the headers as they came."""
    received = read(record)
    event = received.event
    headers = [(name, value or b"") for name, value in record.headers if name != CHAIN_HEADER]
    return Entry(
        topic=record.topic,
        partition=record.partition,
        position=event.source_position,
        aggregate_id=event.aggregate_id,
        event_id=event.id,
        type=event.type,
        day=recorded_on(event.recorded_at),
        checksum=checksum_of(record.partition, record.key or b"", headers, record.value or b""),
        previous=received.previous,
    )


def checksum_of(partition: int, key: bytes, headers: Sequence[tuple[str, bytes]], value: bytes) -> int:
    """The checksum of one event; headers count whatever their order."""
    texts = [part for name, content in sorted(headers) for part in (name.encode(), content)]
    # Each part is preceded by its length, so that no byte can move from one part into the next unseen.
    parts = (b"%d:%b" % (len(part), part) for part in (str(partition).encode(), key, *texts, value))
    return int.from_bytes(blake2b(b"".join(parts), digest_size=CHECKSUM_BYTES).digest())


def recorded_on(moment: datetime) -> date:
    """The day of a moment, UTC."""
    return moment.astimezone(UTC).date()
