"""What the tests of the stream have in common: databases, topics of their own, records, and waiting for a condition."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Protocol
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from shared.events.envelope import Envelope
from shared.events.registry import topic_of
from shared.kafka.partitioning import PARTITIONS, partition_of
from shared.kafka.record import headers_of
from shared.ops.health import Health, Report
from shared.ops.metrics import Metrics
from tests.shared.kafka.test_record import EVENT

WAIT_SECONDS = 60.0
"""How long a condition is waited for on a machine that is busy with other things."""


class Worker(Protocol):
    """What is started with a service and runs until it is told to stop."""

    async def run(self, stopping: asyncio.Event) -> None: ...


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = WAIT_SECONDS) -> float:
    """Wait for a condition; gives how long it took."""
    began = time.monotonic()
    while not await condition():
        assert time.monotonic() - began < seconds, f"{condition} has not come true in {seconds} s"
        await asyncio.sleep(0.02)
    return time.monotonic() - began


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[asyncio.Event]:
    """A worker at work; leaving stops it and raises what it raised."""
    stopping = asyncio.Event()
    task = asyncio.create_task(worker.run(stopping))
    try:
        yield stopping
    finally:
        stopping.set()
        await asyncio.wait_for(task, WAIT_SECONDS)


def new_health() -> Health:
    """The health of a process that has said nothing yet."""
    return Health(metrics=Metrics.of("test"))


def said(health: Health, name: str) -> Report:
    """What a worker reported last."""
    return next((report for report in health.workers if report.name == name), Report(name=name, ok=False))


def new_aggregate() -> str:
    """An aggregate type of its own, so that its topic is."""
    return f"deal-{uuid.uuid4().hex[:10]}"


def deals(aggregate: str, counts: Iterable[int], *, first: int = 1) -> list[Envelope[bytes]]:
    """Histories of some deals as they stand in a log, one after the other; `first` is the first position."""
    events: list[Envelope[bytes]] = []
    for count in counts:
        deal = UUID(int=uuid.uuid4().int)
        events += [event_of(aggregate, deal, sequence) for sequence in range(1, count + 1)]
    return [
        replace(event, position=position, source_position=position)
        for position, event in enumerate(events, start=first)
    ]


def event_of(aggregate: str, deal: UUID, sequence: int) -> Envelope[bytes]:
    """One event of a deal; its place in the log is still open."""
    return replace(
        EVENT,
        id=uuid.uuid4(),
        aggregate=aggregate,
        aggregate_id=deal,
        sequence=sequence,
        partition=partition_of(deal, PARTITIONS),
        data=b'{"n":%d}' % sequence,
    )


def where(event: Envelope[bytes]) -> int:
    """The partition in which an event is published."""
    return partition_of(event.aggregate_id, PARTITIONS)


class Publisher:
    """Publishes as the relay does, with the chain of each partition."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._previous: Counter[tuple[str, int]] = Counter()
        self._before: dict[tuple[str, int], int] = {}

    async def publish(self, events: Sequence[Envelope[bytes]], *, lost: Iterable[int] = ()) -> None:
        """Send events in their order; those at the positions `lost` are counted, but never sent."""
        for event in events:
            place = (event.aggregate, where(event))
            self._before[event.aggregate, event.source_position] = self._previous[place]
            self._previous[place] = event.source_position
        await self.repeat([event for event in events if event.source_position not in set(lost)])

    async def repeat(self, events: Sequence[Envelope[bytes]]) -> None:
        """Send once more, to the last byte, what was published."""
        sent = [
            await self._producer.send(
                topic_of(event.service, event.aggregate),
                event.data,
                str(event.aggregate_id).encode(),
                where(event),
                headers=headers_of(event, self._before[event.aggregate, event.source_position]),
            )
            for event in events
        ]
        await asyncio.gather(*sent)

    async def stranger(self, topic: str, partition: int, **record: Any) -> None:
        """Send anything at all."""
        await self._producer.send_and_wait(topic, partition=partition, **record)


async def records_of(bootstrap: str, topic: str) -> list[ConsumerRecord]:
    """Everything that a topic holds now, by partition and offset."""
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    found = []
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign(partitions)
        for partition, end in (await consumer.end_offsets(partitions)).items():
            while await consumer.position(partition) < end:
                found += (await consumer.getmany(partition, timeout_ms=200)).get(partition, [])
    return found


async def journaled(pool: "asyncpg.Pool[Any]") -> list[asyncpg.Record]:
    """The journal in its order."""
    rows: list[asyncpg.Record] = await pool.fetch("select * from journal order by position")
    return rows
