"""Lease: leader election with a fencing token. One worker of a kind at a time, over all processes of a service.

Ends at its deadline whatever the network does. Real time of the database decides who holds it; the holder reckons by
its own monotonic clock from before it asked, so it always ends earlier than another one can begin.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

import asyncpg
import structlog

from shared.eventstore.pool import DATABASE_ERRORS, reserved
from shared.ops.deadline import within
from shared.ops.ids import new_id
from shared.ops.stopping import pause

log = structlog.get_logger(__name__)

RENEW_SECONDS = 1.0
END_SECONDS = 1.0
"""So long the end of the work is waited for: what hangs in a query ends when that does. What it writes then is
fenced off: none of its leases is renewed under its token any more."""

# In order of the names, so that two processes never wait for each other. Whoever takes anew gets a higher fencing
# token.
TAKE = """
insert into lease as l (name, owner, epoch, until)
select name, $2, 1, clock_timestamp() + make_interval(secs => $3) from unnest($1::text[]) as wanted (name) order by name
    on conflict (name) do update
       set owner = excluded.owner, until = excluded.until,
           epoch = l.epoch + (l.owner <> excluded.owner or l.name <> all ($4::text[]))::integer
 where l.until < clock_timestamp() or l.owner = excluded.owner
returning name, epoch"""
RELEASE = """
update lease l set until = clock_timestamp() from unnest($2::text[], $3::bigint[]) as held (name, epoch)
 where (l.name, l.owner, l.epoch) = (held.name, $1, held.epoch)"""

Held: TypeAlias = Mapping[str, int]
"""Leases that a process holds, with their fencing tokens."""
NONE: Held = {}

Waiting: TypeAlias = Callable[[Exception | None], None]
"""Told why a lease could not be taken: the database's error, or None when another process holds it."""
Ended: TypeAlias = Callable[[Held], None]
"""Told under which leases work was done that is done no more."""


class Leases:
    """The rights to do some kinds of work, each held for `seconds`; all are renewed every second, in one statement on
    one connection, which also takes what has become free.

    A holder that was frozen may go on for a moment after another one has taken over, so whatever it writes carries the
    fencing token: once a higher one has written, it writes nothing, and before that nothing is lost.
    """

    def __init__(self, pool: asyncpg.Pool, names: Collection[str], *, seconds: float = 3) -> None:
        self._pool = pool
        self._names = sorted(names)
        self._seconds = seconds
        self._owner = new_id()

    async def take(self, held: Held = NONE, connection: Any = None) -> Held:
        """Renew those that are `held` and take those that are free, once; gives what is held now."""
        through = connection or self._pool
        rows = await through.fetch(TAKE, self._names, self._owner, self._seconds, list(held))
        return {row["name"]: row["epoch"] for row in rows}

    async def release(self, held: Held) -> None:
        """Let the next one in at once."""
        await self._pool.execute(RELEASE, self._owner, list(held), list(held.values()))

    async def hold(
        self,
        work: Callable[[Held], Awaitable[None]],
        stopping: asyncio.Event | None = None,
        waiting: Waiting = lambda problem: None,
        ended: Ended = lambda held: None,
    ) -> None:
        """Run `work(held)` whenever and as long as some leases are held, until it returns; when they become more or
        fewer, it is cancelled and begins again with those. What it raises is raised.

        `stopping` ends the wait for the first lease; the work has to look at it by itself. `waiting` is told of every
        try to take one that failed, `ended` of every end of the work.
        """
        stopping = stopping or asyncio.Event()
        held, deadline = await self._taken(stopping, waiting)
        while held:
            left: Held = NONE
            task = asyncio.ensure_future(work(held))
            renewing = asyncio.ensure_future(self._kept(held, deadline, task))
            try:
                left, deadline = await asyncio.shield(renewing)
                if task.done():
                    left = NONE
                    await task
                    return
                log.warning("leases-changed", before=dict(held), now=dict(left))
            finally:
                await _ended(task)
                ended(held)
                await _ended(renewing)
                if not task.done():
                    left = NONE  # what goes on writes under the old fencing token; all is taken anew, with a higher one
                gone = {name: fencing_token for name, fencing_token in held.items() if left.get(name) != fencing_token}
                if gone:
                    with suppress(*DATABASE_ERRORS):  # they run out by themselves
                        await within(END_SECONDS, self.release(gone))
            held = left if asyncio.get_running_loop().time() < deadline else NONE
            if not held:
                held, deadline = await self._taken(stopping, waiting)

    async def _taken(self, stopping: asyncio.Event, waiting: Waiting) -> tuple[Held, float]:
        """What is held at last, and until when it safely is by the monotonic clock; nothing when it is time to stop."""
        while not stopping.is_set():
            asked = asyncio.get_running_loop().time()
            try:
                async with reserved(self._pool, self._seconds) as connection:
                    held = await within(self._seconds, self.take(connection=connection))
                # An answer that came after their end is worth nothing: others may have taken them since.
                if held and asyncio.get_running_loop().time() < asked + self._seconds:
                    return held, asked + self._seconds
                if not held:
                    waiting(None)
            except DATABASE_ERRORS as problem:
                log.warning("lease-unreachable", names=self._names, error=type(problem).__name__)
                waiting(problem)
            await pause(stopping, RENEW_SECONDS)
        return NONE, 0.0

    async def _kept(self, held: Held, deadline: float, task: asyncio.Future[None]) -> tuple[Held, float]:
        """Renew until the work has ended, something else is held, or the leases have run out; what is held then."""
        loop = asyncio.get_running_loop()
        while not task.done() and loop.time() < deadline:
            try:
                # A connection of its own: one that many queries share would be free too late.
                async with reserved(self._pool, deadline - loop.time()) as connection:
                    while not task.done():
                        asked = loop.time()
                        now = await within(deadline - asked, self.take(held, connection))
                        deadline = asked + self._seconds
                        if now != held:
                            return now, deadline
                        await asyncio.wait([task], timeout=RENEW_SECONDS)
            except DATABASE_ERRORS as problem:
                log.warning("lease-unreachable", names=self._names, error=type(problem).__name__)
                await asyncio.wait([task], timeout=min(RENEW_SECONDS, max(0.0, deadline - loop.time())))
        return NONE, deadline


class Lease:
    """The right to do one kind of work."""

    def __init__(self, pool: asyncpg.Pool, name: str, *, seconds: float = 3) -> None:
        self._leases = Leases(pool, [name], seconds=seconds)
        self._name = name

    async def take(self) -> int | None:
        """Try once; gives the fencing token, or None while another process holds it."""
        return (await self._leases.take()).get(self._name)

    async def renew(self, fencing_token: int) -> bool:
        """Whether it is still held; if so, for another while."""
        return (await self._leases.take({self._name: fencing_token})).get(self._name) == fencing_token

    async def release(self, fencing_token: int) -> None:
        """Let the next one in at once."""
        await self._leases.release({self._name: fencing_token})

    async def hold(
        self,
        work: Callable[[int], Awaitable[None]],
        stopping: asyncio.Event | None = None,
        waiting: Waiting = lambda problem: None,
    ) -> None:
        """Run `work(fencing token)` whenever and as long as the lease is held, until it returns. What it raises is
        raised.

        `stopping` ends the wait for the lease; the work has to look at it by itself. `waiting` is told of every try to
        take it that failed.
        """
        await self._leases.hold(lambda held: work(held[self._name]), stopping, waiting)


async def _ended(task: "asyncio.Future[Any]") -> None:
    """Cancel what still runs and wait for its end, for a while: an end that was asked for is no news."""
    if not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=END_SECONDS)
    if task.done() and not task.cancelled():
        task.exception()  # looked at, so that nobody tells of it when it is collected
