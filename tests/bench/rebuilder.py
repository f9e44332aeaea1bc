"""One projection that is built anew by the product's own runner, in a process of its own that serves nobody.

It reads its task from standard input, says when it is ready, begins at the next line and says when the build serves.
"""

import asyncio
import sys
from dataclasses import dataclass

import msgspec
import uvloop

from deploy.services import definition_of
from shared.domain.context import Company
from shared.events.codec import Codec
from shared.eventstore.log import Log
from shared.eventstore.pool import create_pool
from shared.eventstore.wakeup import Wakeup
from shared.ops.collector import calm_the_collector
from shared.ops.health import Health
from shared.ops.metrics import Metrics
from shared.projections import builds
from shared.projections.runner import ProjectionRunner
from shared.service.definition import registry_for

LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilding:
    """What to build where."""

    database: str
    service: str
    projection: str


async def rebuild(task: Rebuilding) -> None:
    """Build one projection from the first event on, until it serves."""
    service, company = definition_of(task.service), Company()
    (projection,) = (each for each in service.projections if each.name == task.projection)
    async with await create_pool(task.database, name="bench") as pool:
        async with pool.acquire() as connection, connection.transaction():
            await builds.start_over(connection, [projection], company)
        own = task.service if projection.source == "log" else None
        runner = ProjectionRunner(
            projection.source,
            pool=pool,
            log=Log(pool, Codec(registry_for(service)), service=own),
            projections=[projection],
            company=company,
            health=Health(Metrics.of(task.service)),
            wake=Wakeup(),
            advanced=Wakeup(),
            pace=service.pace,
        )
        calm_the_collector()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(runner.run(stopping))
            while not await builds.builds_of_projections(pool, "serving", [projection.name]):  # noqa: ASYNC110 - in SQL
                await asyncio.sleep(LOOK_SECONDS)
            sys.stdout.write("serves\n")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.readline)
            stopping.set()


if __name__ == "__main__":
    uvloop.run(rebuild(msgspec.json.decode(sys.stdin.buffer.readline(), type=Rebuilding)))
