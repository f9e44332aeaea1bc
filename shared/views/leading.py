"""Leading: one process of a service runs a worker, the others wait to take over."""

import asyncio
from collections.abc import Awaitable, Callable

from shared.store.lease import Lease


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
