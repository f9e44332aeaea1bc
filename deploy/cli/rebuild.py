"""`throughline rebuild <projection>`: fold a projection anew beside the one that serves."""

import asyncio
import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from deploy.cli.output import Json, say, show

LOOK_AGAIN_SECONDS = 0.2
TELL_SECONDS = 2.0
STILL_SECONDS = 60.0
HEADS = {
    "log": "select coalesce(max(position), 0) from event",
    "journal": "select coalesce(max(position), 0) from journal",
}


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

    now, seen = dict(before), dict.fromkeys(before, -1)
    told = moved = time.monotonic()
    while waiting := [service for service in before if now[service] == before[service]]:
        for service in waiting:
            for build in (await builds_of_projections(pools[service], "serving", [projection]))[-1:]:
                now[service] = build.build
            for build in await builds_of_projections(pools[service], "building", [projection]):
                if build.position > seen[service]:
                    seen[service], moved = build.position, time.monotonic()
                if time.monotonic() - told > TELL_SECONDS:
                    told = time.monotonic()
                    head = await pools[service].fetchval(HEADS[build.source])
                    say(f"{service}: {build.position} of {head} positions.")
        if time.monotonic() - moved > STILL_SECONDS:
            raise LocalError(
                f"The projection {projection} of {', '.join(waiting)} stands still.",
                "`throughline status` shows whether the service runs; it goes on by itself once it does.",
            )
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return now


def names(service: str) -> set[str]:
    """The projections of a service. What it had in another release, and may have builds of, is none of them."""
    from deploy.services import definition_of
    from shared.service.definition import projections_of

    return {projection.name for projection in projections_of(definition_of(service))}
