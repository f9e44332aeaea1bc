"""Lease: leader election with a fencing token. One worker of a kind at a time, over all processes of a service.

Ends at its deadline whatever the network does. Real time of the database decides who holds it; the holder reckons by
its own monotonic clock from before it asked, so it always ends earlier than another one can begin.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg
import structlog

from shared.ops.deadline import within
from shared.ops.ids import new_id
from shared.ops.pausing import pause
from shared.store.pool import DATABASE_ERRORS, reserved

log = structlog.get_logger(__name__)

RENEW_SECONDS = 1.0
END_SECONDS = 1.0
"""So long the end of the work is waited for: what hangs in a query ends when that does, and its epoch is fenced."""

TAKE = """
insert into lease as l (name, owner, epoch, until) values ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
    on conflict (name) do update set owner = excluded.owner, epoch = l.epoch + 1, until = excluded.until
 where l.until < clock_timestamp() or l.owner = excluded.owner
returning epoch"""
RENEW = """
update lease set until = clock_timestamp() + make_interval(secs => $4) where name = $1 and owner = $2 and epoch = $3
returning epoch"""
RELEASE = "update lease set until = clock_timestamp() where name = $1 and owner = $2 and epoch = $3"


class Lease:
    """The right to do some work, held for `seconds` and renewed every second.

    A holder that was frozen may go on for a moment after another one has taken over, so whatever it writes carries the
    epoch: a higher one has written since, or nothing is lost.
    """

    def __init__(self, pool: asyncpg.Pool, name: str, *, seconds: float = 3) -> None:
        self._pool = pool
        self._name = name
        self._seconds = seconds
        self._owner = new_id()

    async def take(self) -> int | None:
        """Try once; gives the epoch, or None while another process holds it."""
        epoch: int | None = await self._pool.fetchval(TAKE, self._name, self._owner, self._seconds)
        return epoch

    async def renew(self, epoch: int, connection: Any = None) -> bool:
        """Whether it is still held; if so, for another `seconds`."""
        through = connection or self._pool
        return await through.fetchval(RENEW, self._name, self._owner, epoch, self._seconds) is not None

    async def release(self, epoch: int) -> None:
        """Let the next one in at once."""
        await self._pool.execute(RELEASE, self._name, self._owner, epoch)

    async def hold(self, work: Callable[[int], Awaitable[None]], stopping: asyncio.Event | None = None) -> None:
        """Run `work(epoch)` whenever and as long as the lease is held, until it returns. What it raises is raised.

        `stopping` ends the wait for the lease; the work has to look at it by itself.
        """
        stopping = stopping or asyncio.Event()
        while not stopping.is_set():
            taken = await self._taken(stopping)
            if taken is None:
                return
            epoch, deadline = taken
            task = asyncio.ensure_future(work(epoch))
            renewing = asyncio.ensure_future(self._kept(epoch, deadline, task))
            try:
                if await asyncio.shield(renewing):
                    await task
                    return
                log.warning("lease-lost", name=self._name, epoch=epoch)
            finally:
                await _ended(task)
                await _ended(renewing)
                with suppress(*DATABASE_ERRORS):  # it runs out by itself
                    await within(END_SECONDS, self.release(epoch))

    async def _taken(self, stopping: asyncio.Event) -> tuple[int, float] | None:
        """The epoch, and until when the lease is safely held by the monotonic clock."""
        while not stopping.is_set():
            asked = asyncio.get_running_loop().time()
            try:
                if epoch := await self.take():
                    return epoch, asked + self._seconds
            except DATABASE_ERRORS as problem:
                log.warning("lease-unreachable", name=self._name, error=type(problem).__name__)
            await pause(stopping, RENEW_SECONDS)
        return None

    async def _kept(self, epoch: int, deadline: float, task: asyncio.Future[None]) -> bool:
        """Renew until the work has ended (True) or the lease is lost or has run out (False)."""
        loop = asyncio.get_running_loop()
        while not task.done() and loop.time() < deadline:
            try:
                # A connection of its own: one that many queries share would be free too late.
                async with reserved(self._pool, deadline - loop.time()) as connection:
                    while not task.done():
                        asked = loop.time()
                        if not await within(deadline - asked, self.renew(epoch, connection)):
                            return False
                        deadline = asked + self._seconds
                        await asyncio.wait([task], timeout=RENEW_SECONDS)
            except DATABASE_ERRORS as problem:
                log.warning("lease-unreachable", name=self._name, error=type(problem).__name__)
                await asyncio.wait([task], timeout=min(RENEW_SECONDS, max(0.0, deadline - loop.time())))
        return task.done()


async def _ended(task: "asyncio.Future[Any]") -> None:
    """Cancel what still runs and wait for its end, for a while: an end that was asked for is no news."""
    if not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=END_SECONDS)
