"""Whether topics still agree with the store that is published into them: a relay makes sure before it goes on.

Neither a restored database nor a broker without its data says so by itself: the stored checkpoint is restored with the
events, and missing topics are made again.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from shared.kafka.chain import Place
from shared.kafka.record import Received, read

Trouble = Literal["ahead", "lost", "truncated"]

SECONDS = 10.0
LOOK_BACK = 10_000
"""So many records of a partition may stand behind its newest one: what a fenced holder repeats before it notices."""
STORED = "select position, event_id from event where position = any($1::bigint[])"


async def trouble(
    bootstrap: str, places: Collection[Place], pool: "asyncpg.Pool[Any]", previous: Mapping[Place, int]
) -> Trouble | None:
    """`ahead`: the last record of a partition is no event of this store. `lost`: a partition is empty into which
    something was published (`previous`, the last published positions). `truncated`: one ends before that. Raises the
    broker's and database's errors."""
    last = await last_records(bootstrap, places)
    positions = [received.event.source_position for received in last.values()]
    stored = {row["position"]: row["event_id"] for row in await pool.fetch(STORED, positions)}
    events = [received.event for received in last.values() if received.event.source_position > 0]
    if any(stored.get(event.source_position) != event.id for event in events):
        return "ahead"
    if any(position and place not in last for place, position in previous.items()):
        return "lost"
    behind = [place for place, received in last.items() if received.event.source_position < previous.get(place, 0)]
    newest = await newest_positions(bootstrap, behind) if behind else {}
    return "truncated" if any(newest[place] < previous[place] for place in behind) else None


async def newest_positions(bootstrap: str, places: Collection[Place]) -> dict[Place, int]:
    """The highest position in each of some partitions that hold something. The last record may be an older one: a
    holder that was frozen repeats what it had in hand when it wakes."""
    newest = dict.fromkeys(places, 0)

    def see(place: Place, received: Received) -> None:
        newest[place] = max(newest[place], received.event.source_position)

    await _read_back(bootstrap, places, LOOK_BACK, see)
    return newest


async def last_records(bootstrap: str, places: Collection[Place]) -> dict[Place, Received]:
    """The newest record of each of these partitions that holds any."""
    found: dict[Place, Received] = {}
    await _read_back(bootstrap, places, 1, found.__setitem__)
    return found


async def _read_back(
    bootstrap: str, places: Collection[Place], records: int, see: Callable[[Place, Received], None]
) -> None:
    """Let `see` have so many records at the end of each partition, in order, as far as there are any."""
    partitions = [TopicPartition(*place) for place in places]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        async with asyncio.timeout(SECONDS):
            await consumer.start()
            consumer.assign(partitions)
            beginnings = await consumer.beginning_offsets(partitions)
            ends = await consumer.end_offsets(partitions)
            left = [partition for partition in partitions if ends[partition] > beginnings[partition]]
            if not left:
                return
            consumer.assign(left)
            for partition in left:
                consumer.seek(partition, max(beginnings[partition], ends[partition] - records))
            while left:
                for partition, batch in (await consumer.getmany(timeout_ms=500)).items():
                    for record in batch:
                        see(Place(partition.topic, partition.partition), read(record))
                left = [partition for partition in left if await consumer.position(partition) < ends[partition]]
    except TimeoutError as error:
        raise KafkaTimeoutError("the last records were not read in time") from error
    finally:
        await consumer.stop()
