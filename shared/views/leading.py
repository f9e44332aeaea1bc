"""Leading: one process of a service runs a worker, the others wait to take over."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from shared.store.lease import Lease
from shared.views.view import Source

POLL_SECONDS: Mapping[Source, float] = {"log": 2.0, "journal": 0.5}
"""How often a log is looked at when nobody says that it has grown. Appends are announced to other processes as well,
what another process has journaled is not."""


async def lead(lease: Lease, stopping: asyncio.Event, work: Callable[[int], Awaitable[None]]) -> None:
    """Run `work(epoch)` while the lease is held, until `stopping` is set; raises what it raises.

    The work is cancelled in the end. It may be at any point: what it writes is written whole or not at all.
    """
    held = asyncio.create_task(lease.hold(work))
    stopped = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait([held, stopped], return_when=asyncio.FIRST_COMPLETED)
        if held.done():
            await held
    finally:
        stopped.cancel()
        held.cancel()
        await asyncio.wait([held])
