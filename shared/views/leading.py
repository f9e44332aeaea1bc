"""Leading: one process of a service does a kind of work, the others wait to take over."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from shared.store.lease import Held, Leases
from shared.views.view import Source

POLL_SECONDS: Mapping[Source, float] = {"log": 2.0, "journal": 0.5}
"""How often a log is looked at when nobody says that it has grown. Appends are announced to other processes as well,
what another process has journaled is not."""


async def lead(leases: Leases, stopping: asyncio.Event, work: Callable[[Held], Awaitable[None]]) -> None:
    """Run `work(held)` while leases are held, until `stopping` is set; raises what it raises.

    The work is cancelled in the end. It may be at any point: what it writes is written whole or not at all.
    """
    held = asyncio.create_task(leases.hold(work))
    stopped = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait([held, stopped], return_when=asyncio.FIRST_COMPLETED)
        if held.done():
            await held
    finally:
        stopped.cancel()
        held.cancel()
        await asyncio.wait([held])
