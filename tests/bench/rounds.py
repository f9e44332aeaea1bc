"""The sections that measure commands: rounds on each server, from command to visible, and at rest."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from tests.bench.clients import ClientEnded, Watched, cpu, measure, measure_until_visible
from tests.bench.figures import Measured, Pressure, Rest, Round, Visible
from tests.bench.load import Task
from tests.bench.plan import CLOSED, OPEN, PRODUCT, REST, REST_SECONDS, VISIBLE, WARM_UP_SECONDS, Plan, told
from tests.bench.servers import Server, Stage

T = TypeVar("T")

CLIENTS_ON_TIME = 96
"""Enough that a command hardly ever waits for a free one in the open loop."""


async def commands(on: Stage, plan: Plan, into: Measured) -> None:
    """The chosen sections on one stage. The servers take turns, so that a machine that slows down slows all of them."""
    servers = {server.name: server for server in on.servers}
    await on.settled()
    if REST in plan.sections:
        into.rest += await at_rest(on)
    for section in (CLOSED, OPEN):
        if section in plan.sections:
            for pressure, name in plan.rounds(section):
                into.rounds.append(await again_once(on, one_round, servers[name], pressure, plan.seconds))
                await on.settled()
    if VISIBLE in plan.sections:
        for pressure in plan.pressures(VISIBLE):
            into.visible.append(await again_once(on, until_visible, pressure, plan.seconds))
            await on.settled()


async def again_once(on: Stage, measured: Callable[..., Awaitable[T]], *how: Any) -> T:
    """A round; once more, where one of its clients ended too early: of an hour's work nothing else is lost."""
    try:
        return await measured(on, *how)
    except ClientEnded as problem:
        told(f"{problem} The round is measured again.")
        await on.settled()
        return await measured(on, *how)


async def one_round(on: Stage, server: Server, pressure: Pressure, seconds: float) -> Round:
    """One turn of a server. Raises RuntimeError when its database does not hold what it acknowledged."""
    there = await server.deals()
    with server.at_work():
        window = await measure(task(on, server, pressure, seconds), {**on.processes, **server.processes})
        lag = await on.lag(server, window.result.last, window.result.ends)
    kept = await server.deals() - there
    if server.count and kept != window.result.sent:
        raise RuntimeError(f"{server.name} acknowledged {window.result.sent} commands and kept {kept}.")
    one = Round(
        build=on.build.label,
        server=server.name,
        pressure=pressure,
        seconds=seconds,
        times=window.result.times,
        arrived=window.result.arrived,
        cpu=window.cpu,
        lag=lag,
        unsent=window.result.unsent,
    )
    behind = "" if one.counts else f" (does not count: {lag:.1f} s behind at its end)"
    told(f"{on.build.label}: {pressure}, {server.name}: {one.rate:,.0f} commands/s{behind}.")
    return one


def task(on: Stage, server: Server, pressure: Pressure, seconds: float) -> Task:
    """What the load has to do."""
    return Task(
        place=on.place(server.port),
        path=server.path,
        body=json.dumps(on.body()),
        clients=pressure.clients or CLIENTS_ON_TIME,
        warm_up=min(WARM_UP_SECONDS, seconds),
        seconds=seconds,
        rate=pressure.rate,
    )


async def until_visible(on: Stage, pressure: Pressure, seconds: float) -> Visible:
    """Commands at a fixed rate through the gateway, until each is visible in forecast."""
    entrance = Server(name=PRODUCT, port=on.whole.local.origin_port, path="/v1/deals", processes={})
    watched = Watched(place=on.place(entrance.port), stream="/v1/stream", question="/v1/funnel")
    window = await measure_until_visible(task(on, entrance, pressure, seconds), on.processes, watched)
    told(f"{on.build.label}: {pressure}, until visible.")
    return Visible(
        command=Round(
            build=on.build.label,
            server=PRODUCT,
            pressure=pressure,
            seconds=seconds,
            times=window.result.times,
            arrived=window.result.arrived,
            cpu=window.cpu,
            unsent=window.result.unsent,
        ),
        streamed=window.streamed,
        asked=window.asked,
        unseen=window.unseen,
    )


async def at_rest(on: Stage) -> list[Rest]:
    """The share of a core that each process takes while nobody asks anything."""
    before = {name: cpu(process) for name, process in on.processes.items()}
    await asyncio.sleep(REST_SECONDS)
    return [
        Rest(
            build=on.build.label,
            process=name,
            share=(cpu(process) - before[name]) / REST_SECONDS,
            resident=process.memory_info().rss,
        )
        for name, process in on.processes.items()
    ]
