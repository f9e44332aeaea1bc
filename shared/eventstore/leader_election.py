"""Leader election: one process of a service does a kind of work, the others wait to take over. Health is told by
whoever leads, and by nobody else unless the database is away: then nobody knows who leads, and each process says so."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from shared.eventstore.lease import Held, Leases
from shared.eventstore.pool import unreachable
from shared.ops.health import Health, Kind

Work = Callable[[Held], Awaitable[None]]
Steps = Callable[[Held], Iterable[tuple[Kind, str]]]
"""Under which kinds and names the work tells lags."""


async def hold(
    leases: Leases,
    work: Work,
    stopping: asyncio.Event | None = None,
    *,
    name: str,
    health: Health,
    steps: Steps = lambda held: (),
) -> None:
    """Run `work(held)` whenever leases are held, until it returns. `stopping` ends the wait for them, not the work.

    What the work has said of itself as `name` is withdrawn with the leases.
    """

    def waiting(problem: Exception | None) -> None:
        if problem is None:
            health.withdraw(name)
        else:
            health.report(name, False, unreachable(problem))

    def ended(held: Held) -> None:
        health.withdraw(name, *steps(held))

    await leases.hold(work, stopping, waiting, ended)


async def lead(
    leases: Leases,
    work: Work,
    stopping: asyncio.Event,
    *,
    name: str,
    health: Health,
    steps: Steps = lambda held: (),
) -> None:
    """Run `work(held)` while leases are held, until `stopping` is set; raises what it raises.

    The work is cancelled in the end. It may be at any point: what it writes is written whole or not at all.
    """
    held = asyncio.create_task(hold(leases, work, name=name, health=health, steps=steps))
    stopped = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait([held, stopped], return_when=asyncio.FIRST_COMPLETED)
        if held.done():
            await held
    finally:
        stopped.cancel()
        held.cancel()
        await asyncio.wait([held])
