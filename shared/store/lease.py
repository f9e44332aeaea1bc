"""One worker of a kind at a time, over all processes of a service. On real time of the database."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg
import structlog

from shared.ops.ids import new_id
from shared.ops.pausing import pause
from shared.store.pool import DATABASE_ERRORS

log = structlog.get_logger(__name__)

RENEW_SECONDS = 1.0

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
        """Try once; gives the epoch, or None while somebody else holds it."""
        epoch: int | None = await self._pool.fetchval(TAKE, self._name, self._owner, self._seconds)
        return epoch

    async def renew(self, epoch: int) -> bool:
        """Whether it is still held; if so, for another `seconds`."""
        return await self._pool.fetchval(RENEW, self._name, self._owner, epoch, self._seconds) is not None

    async def release(self, epoch: int) -> None:
        """Let the next one in at once."""
        await self._pool.execute(RELEASE, self._name, self._owner, epoch)

    async def hold(self, work: Callable[[int], Awaitable[None]], stopping: asyncio.Event | None = None) -> None:
        """Run `work(epoch)` whenever and as long as the lease is held, until it returns. What it raises is raised.

        `stopping` ends the wait for the lease; the work has to look at it by itself.
        """
        stopping = stopping or asyncio.Event()
        while not stopping.is_set():
            epoch = await self._taken(stopping)
            if epoch is None:
                return
            task = asyncio.ensure_future(work(epoch))
            try:
                if await self._kept(epoch, task):
                    await task
                    return
                log.warning("lease-lost", name=self._name, epoch=epoch)
            finally:
                await _ended(task)
                with suppress(*DATABASE_ERRORS):  # it runs out by itself
                    await self.release(epoch)

    async def _taken(self, stopping: asyncio.Event) -> int | None:
        while not stopping.is_set():
            try:
                if epoch := await self.take():
                    return epoch
            except DATABASE_ERRORS as problem:
                log.warning("lease-unreachable", name=self._name, error=type(problem).__name__)
            await pause(stopping, RENEW_SECONDS)
        return None

    async def _kept(self, epoch: int, task: asyncio.Future[None]) -> bool:
        """Renew until the work has ended (True) or the lease is lost (False)."""
        loop = asyncio.get_running_loop()
        safe_until = loop.time() + self._seconds
        while not task.done():
            await asyncio.wait([task], timeout=RENEW_SECONDS)
            asked = loop.time()
            try:
                async with asyncio.timeout_at(safe_until):
                    if not await self.renew(epoch):
                        return False
                safe_until = asked + self._seconds
            except DATABASE_ERRORS as problem:
                log.warning("lease-unreachable", name=self._name, error=type(problem).__name__)
            if loop.time() >= safe_until:
                return False
        return True


async def _ended(task: asyncio.Future[None]) -> None:
    """Cancel what still runs and wait for its end; an end that was asked for is no news."""
    if not task.done():
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
