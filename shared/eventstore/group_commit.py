"""Group commit: commands that wait at the same moment share one transaction."""

import asyncio
from collections import deque
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import structlog

from shared.eventstore.append import CALL, Append, Appended, Outcome, arguments, outcomes
from shared.eventstore.claims import claim_holders
from shared.eventstore.wakeup import NotifyPublisher, Wakeup

log = structlog.get_logger(__name__)

MAX_BATCH = 60
CALLS_AT_ONCE = 4
MAX_DELAY_SECONDS = 0.02
"""So long a call keeps the next one waiting. A call costs nearly the same whatever its size, so few large ones are
cheapest; but one that waits for a lock must not hold up what has nothing to do with it."""

Waiting = tuple[Append, asyncio.Future[Outcome]]


class GroupCommit:
    """The one way into the log. Give `append` what a command decided; get the answer once it is durable."""

    keeps = True

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._waiting: deque[Waiting] = deque()
        self._calls: set[asyncio.Task[None]] = set()
        self._awaited: asyncio.Task[None] | None = None
        """The call under way that the next one waits for."""
        self._announcer = NotifyPublisher(pool)
        self.appended = Wakeup()
        """Given after every commit that appended events."""

    async def append(self, append: Append) -> Outcome:
        """Append one command's effect, whole or not at all. A broken connection raises, and leaves open what was
        written: only a repeat under the same idempotency key is safe then."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((append, answer))
        self._start_call()
        return await answer

    async def holders(self, kind: str, key_hash: bytes) -> frozenset[UUID]:
        """The aggregates that hold a claim."""
        return await claim_holders(self._pool, kind, key_hash)

    async def close(self) -> None:
        """Wait for everything that was given to be answered."""
        while self._calls or self._waiting:
            await asyncio.wait(self._calls)
        await self._announcer.close()

    def _start_call(self) -> None:
        if not self._waiting or self._awaited or len(self._calls) == CALLS_AT_ONCE:
            return
        # The call takes what has come by the time that it runs, so what comes in the same moment shares it.
        call = self._awaited = asyncio.create_task(self._call())
        self._calls.add(call)
        asyncio.get_running_loop().call_later(MAX_DELAY_SECONDS, self._wait_no_longer, call)
        call.add_done_callback(self._ended)

    def _wait_no_longer(self, call: asyncio.Task[None]) -> None:
        if self._awaited is call:
            self._awaited = None
        self._start_call()

    def _ended(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._wait_no_longer(call)

    async def _call(self) -> None:
        await self._write(take_compatible(self._waiting))

    async def _write(self, batch: Sequence[Waiting]) -> None:
        appends = [append for append, _ in batch]
        try:
            found = outcomes(appends, await self._pool.fetch(CALL, *arguments(appends)))
        except Exception as problem:  # noqa: BLE001 - whatever it is, it is raised where the command waits
            await self._after_failure(batch, problem)
            return
        if any(isinstance(outcome, Appended) and outcome.positions for outcome in found):
            self.appended.notify()
            self._announcer.announce()
        for (_, answer), outcome in zip(batch, found, strict=True):
            if not answer.done():  # its caller may have given up
                answer.set_result(outcome)

    async def _after_failure(self, batch: Sequence[Waiting], problem: Exception) -> None:
        # An error that the server reported has undone everything, so each command may try on its own.
        undone = isinstance(problem, asyncpg.PostgresError) and not isinstance(problem, asyncpg.PostgresConnectionError)
        log.warning("append-failed", commands=len(batch), error=type(problem).__name__, undone=undone)
        if undone and len(batch) > 1:
            for one in batch:
                await self._write([one])
            return
        for _, answer in batch:
            if not answer.done():
                answer.set_exception(problem)


def take_compatible(waiting: deque[Waiting]) -> list[Waiting]:
    """Take the longest-waiting commands that touch nothing in common off the queue; the others keep their order."""
    taken: list[Waiting] = []
    left: list[Waiting] = []
    touched: set[object] = set()
    while waiting and len(taken) < MAX_BATCH:
        one = waiting.popleft()
        touches = set(one[0].touches())
        # What is left behind counts as well: a later command must not overtake an earlier one on the same stream.
        (left if touches & touched else taken).append(one)
        touched |= touches
    waiting.extendleft(reversed(left))
    return taken
