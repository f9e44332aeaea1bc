"""One relay in a process of its own, to be killed and frozen: `python relay_process.py DATABASE KAFKA AGGREGATE`."""

import asyncio
import sys

from shared.events.codec import Codec
from shared.events.registry import Registry, topic_of
from shared.eventstore.lease import Lease
from shared.eventstore.log import Log
from shared.eventstore.pool import create_pool
from shared.eventstore.wakeup import Wakeup, listen
from shared.kafka.partitioning import PARTITIONS
from shared.kafka.relay import Relay
from tests.shared.kafka.stage import new_health


async def main(database: str, bootstrap: str, aggregate: str) -> None:
    async with await create_pool(database, name="relay", size=3) as pool:
        appended = Wakeup()
        relay = Relay(
            "deals",
            pool,
            Log(pool, Codec(Registry([])), service="deals"),
            Lease(pool, "relay"),
            [topic_of("deals", aggregate)],
            bootstrap=bootstrap,
            health=new_health(),
            appended=appended,
            partitions=PARTITIONS,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(listen(database, appended))
            tasks.create_task(relay.run(asyncio.Event()))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
