"""`throughline rebuild <projection>`: fold a projection anew beside the one that serves."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

import typer

from deploy.cli.output import Json, say, show

LOOK_AGAIN_SECONDS = 0.2
TELL_SECONDS = 2.0
STILL_SECONDS = 60.0
LOGS = {"log": "event", "journal": "journal"}
HEADS = {source: f"select coalesce(max(position), 0) from {log}" for source, log in LOGS.items()}  # noqa: S608 - ours
WHOLE = "select count(*) from {log} where position <= $1"
BETWEEN = """
    select count(*) from {log}
     where position <= $1 and (aggregate_id, sequence) > ($2, $3) and (aggregate_id, sequence) <= ($4, $5)
"""
# How many indices a schema has, and the table of which one is made at the moment.
INDICES = """
    select (select count(*) from pg_indexes where schemaname = $1) as made,
           (select min(c.relname::text) from pg_stat_progress_create_index p join pg_class c on c.oid = p.relid
             where p.datname = current_database() and c.relnamespace::regnamespace::text = $1) as making
"""


def run(
    projection: Annotated[str, typer.Argument(help="The name of a projection, like deals.")], json: Json = False
) -> None:
    """Fold a projection anew in every service that has it, and wait until the fresh one serves. Reads go on
    meanwhile."""
    builds = asyncio.run(rebuild(projection))
    lines = [f"{service}: build {build} of {projection} serves." for service, build in builds.items()]
    show({"projection": projection, "builds": builds}, "\n".join(lines), json)


async def rebuild(projection: str) -> dict[str, int]:
    """The number of the build that serves now, by service. Raises LocalError."""
    from deploy.cli.databases import databases, this_stack
    from deploy.local.fault import LocalError
    from shared.projections.builds import builds_of_projections, request_rebuild

    async with databases(this_stack()) as pools:
        serving = {
            service: await builds_of_projections(pool, "serving", [projection]) for service, pool in pools.items()
        }
        known = {service: names(service) for service in pools}
        before = {name: found[-1].build for name, found in serving.items() if found and projection in known[name]}
        if not before:
            every = sorted(set().union(*known.values()))
            raise LocalError(f"No service has a projection {projection!r}.", f"Projections are: {', '.join(every)}.")
        for service in before:
            if not await request_rebuild(pools[service], projection):
                say(f"{service} is building it already.")
        return await switched(projection, {service: pools[service] for service in before}, before)


async def switched(projection: str, pools: Mapping[str, Any], before: Mapping[str, int]) -> dict[str, int]:
    """Wait until another build serves everywhere, telling how far it is. Raises LocalError when nothing moves."""
    from deploy.local.fault import LocalError
    from shared.projections.builds import builds_of_projections

    now, watched = dict(before), {service: Watched(pools[service]) for service in before}
    told = moved = time.monotonic()
    while waiting := [service for service in before if now[service] == before[service]]:
        telling = time.monotonic() - told > TELL_SECONDS
        for service in waiting:
            for build in (await builds_of_projections(pools[service], "serving", [projection]))[-1:]:
                now[service] = build.build
            for build in await builds_of_projections(pools[service], "building", [projection]):
                if await watched[service].has_moved(build):
                    moved = time.monotonic()
                if telling:
                    told = time.monotonic()
                    say(f"{service}: {await watched[service].told(build)}.")
        if time.monotonic() - moved > STILL_SECONDS:
            raise LocalError(
                f"The projection {projection} of {', '.join(waiting)} stands still.",
                "`throughline status` shows whether the service runs; it goes on by itself once it does.",
            )
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return now


@dataclass(slots=True)
class Watched:
    """The builds of a projection in one service, as they were seen last."""

    pool: Any
    progress: dict[int, Any] = field(default_factory=dict)
    """How far each is, and how many indices it has."""
    read: dict[int, tuple[UUID, int, int]] = field(default_factory=dict)
    """Of each that reads stream by stream, up to where its events were counted, and how many those are."""
    whole: dict[int, int] = field(default_factory=dict)
    """How many events each of these reads in all."""

    async def has_moved(self, build: Any) -> bool:
        """Whether a build does something: it reads, or its indices are made."""
        indices = await self.pool.fetchrow(INDICES, build.schema)
        before, self.progress[build.build] = self.progress.get(build.build), (build.progress, indices["made"])
        return indices["making"] is not None or before != self.progress[build.build]

    async def told(self, build: Any) -> str:
        """How far a build is, in words."""
        if build.progress.scan is not None:
            read, whole = await self._events(build)
            return f"{read:,} of {whole:,} events are read, stream by stream"
        if making := (await self.pool.fetchrow(INDICES, build.schema))["making"]:
            return f"the history is read; an index of {making} is made"
        return f"{build.position} of {await self.pool.fetchval(HEADS[build.source])} positions"

    async def _events(self, build: Any) -> tuple[int, int]:
        """How many events a build has read that reads stream by stream, and of how many. Each is counted once: what was
        counted before is not again."""
        scan, log = build.progress.scan, LOGS[build.source]
        if build.build not in self.whole:
            self.whole[build.build] = await self.pool.fetchval(WHOLE.format(log=log), scan.upto)
        begin = self.read.get(build.build, (UUID(int=0), -1, 0))
        end = scan.aggregate_id, scan.sequence
        count = await self.pool.fetchval(BETWEEN.format(log=log), scan.upto, *begin[:2], *end)
        self.read[build.build] = (*end, begin[2] + count)
        return begin[2] + count, self.whole[build.build]


def names(service: str) -> set[str]:
    """The projections of a service. What it had in another release, and may have builds of, is none of them."""
    from deploy.services import definition_of
    from shared.service.definition import projections_of

    return {projection.name for projection in projections_of(definition_of(service))}
