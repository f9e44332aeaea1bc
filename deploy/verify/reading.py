"""Reading every event of a store, a topic or a journal, from the beginning."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import aclosing

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from deploy.verify.entries import Day, Entry, entry_of, entry_of_record
from shared.events.registry import topic_of
from shared.eventstore.log import Log

PAGE = 2_000
SILENCE_SECONDS = 30.0
"""A broker that gives nothing for so long although there is more does not answer."""


async def logged(log: Log, upto: int, topics: Collection[str], partitions: int) -> AsyncIterator[list[Entry]]:
    """The events of some topics that a store or a journal holds up to a position, in its order."""
    position = 0
    while position < upto:
        page = await log.read_raw(position, PAGE)
        yield [
            entry_of(event, partitions)
            for event in page.events
            if event.position <= upto and topic_of(event.service, event.aggregate) in topics
        ]
        if page.upto == position:  # the end is gone meanwhile, which the comparison will say
            return
        position = page.upto


async def published(bootstrap: str, topics: Sequence[str], partitions: int) -> AsyncIterator[list[Entry]]:
    """What topics hold now, partition by partition in order. Raises aiokafka's errors, and TimeoutError."""
    # Without a group: nothing is committed, and nobody who reads the topics notices.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 << 20,
    )
    async with asyncio.timeout(SILENCE_SECONDS):
        await consumer.start()
    try:
        there = await consumer.topics()
        places = [TopicPartition(topic, n) for topic in topics if topic in there for n in range(partitions)]
        if not places:
            return
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < ends[place] for place in places]):
            async with asyncio.timeout(SILENCE_SECONDS):
                batches: dict[TopicPartition, list[ConsumerRecord]] = {}
                while not batches:
                    batches = await consumer.getmany(timeout_ms=1_000, max_records=PAGE)
            for place, records in batches.items():
                yield [entry_of_record(record) for record in records if record.offset < ends[place]]
    finally:
        await consumer.stop()


async def of_days(pages: AsyncIterator[list[Entry]], days: Collection[Day]) -> list[Entry]:
    """The entries of some days only."""
    async with aclosing(pages) as reading:  # type: ignore[type-var]
        return [entry async for page in reading for entry in page if Day(entry.topic, entry.day) in days]
