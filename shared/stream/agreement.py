"""Whether topics still agree with the store that is published into them: a relay makes sure before it goes on.

Neither a restored database nor a broker without its data says so by itself: the stored mark is restored with the
events, and missing topics are made again.
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Literal

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from shared.events.registry import PARTITIONS
from shared.stream.chain import Place
from shared.stream.record import Received, read

Trouble = Literal["ahead", "lost"]

SECONDS = 10.0
STORED = "select position, event_id from event where position = any($1::bigint[])"


async def trouble(
    bootstrap: str, topics: Collection[str], pool: "asyncpg.Pool[Any]", previous: Mapping[Place, int]
) -> Trouble | None:
    """`ahead`: the last record of a partition is no event of this store. `lost`: a partition is empty into which
    something was published (`previous`, the last published positions). Raises the broker's and database's errors."""
    last = await last_records(bootstrap, topics)
    positions = [received.event.source_position for received in last.values()]
    stored = {row["position"]: row["event_id"] for row in await pool.fetch(STORED, positions)}
    events = [received.event for received in last.values() if received.event.source_position > 0]
    if any(stored.get(event.source_position) != event.id for event in events):
        return "ahead"
    return "lost" if any(position and place not in last for place, position in previous.items()) else None


async def last_records(bootstrap: str, topics: Collection[str]) -> dict[Place, Received]:
    """The newest record of each partition that holds any."""
    partitions = [TopicPartition(topic, number) for topic in sorted(topics) for number in range(PARTITIONS)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    found: dict[Place, Received] = {}
    try:
        async with asyncio.timeout(SECONDS):
            await consumer.start()
            consumer.assign(partitions)
            beginnings = await consumer.beginning_offsets(partitions)
            ends = await consumer.end_offsets(partitions)
            holding = {partition for partition in partitions if ends[partition] > beginnings[partition]}
            if not holding:
                return found
            consumer.assign(sorted(holding))
            for partition in holding:
                consumer.seek(partition, ends[partition] - 1)
            while len(found) < len(holding):
                for partition, records in (await consumer.getmany(timeout_ms=500)).items():
                    found[Place(partition.topic, partition.partition)] = read(records[-1])
    except TimeoutError as error:
        raise KafkaTimeoutError("the last records were not read in time") from error
    finally:
        await consumer.stop()
    return found
