"""Server-sent events: a log's end, live, to everybody who listens; who was away resumes where they stopped (API-3).

One reader a process follows the log for all listeners. Each has a bounded queue; whoever falls behind loses the queue,
not events: it reads the log itself from where it stands until it has caught up. An id is sent at once and with every
heartbeat, so a listener that was cut off resumes where it stood, whether or not anything came for it meanwhile.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from prometheus_client import Gauge
from starlette.requests import Request
from starlette.responses import StreamingResponse

from shared.eventstore.wakeup import Wakeup
from shared.http.headers import single_header
from shared.http.problems import Problem
from shared.ops.stopping import pause
from shared.projections.read_snapshot import NotBuilt

HEARTBEAT_SECONDS = 15.0
RETRY_MILLISECONDS = 2000
QUEUE_SIZE = 256
PAGE_SIZE = 200
POLL_SECONDS = 0.5
BUILT_SECONDS = 1.0
"""Between two looks whether projections that have ceased to serve are there again."""
STILL_HERE = b": still here\nid: %d\n\n"

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

Read = Callable[[int, int], Awaitable[tuple[Sequence[tuple[int, Any]], int]]]
"""`(after, limit) -> ((position, item), …), upto`: what follows a position, and up to where the answer is complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEvent:
    """One event as a listener receives it; `data` is one line of JSON."""

    event: str
    data: bytes


Select = Callable[[Any], ServerEvent | None]
"""What a listener gets of an item; None for what is not theirs to see."""

Selection = Callable[[], Awaitable[Select | None]]
"""What a listener may see now, asked for before anything is sent; None once they may not listen any more."""

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Listener:
    queue: asyncio.Queue[tuple[int, Any] | None] = field(default_factory=lambda: asyncio.Queue(QUEUE_SIZE))
    behind: bool = True
    """Whether the queue does not hold all that follows what the listener has."""

    def offer(self, item: tuple[int, Any] | None) -> None:
        try:
            self.queue.put_nowait(item)
        except asyncio.QueueFull:
            self.behind = True

    async def next(self, seconds: float, nothing: tuple[int, None]) -> tuple[int, Any] | None:
        """The next item, None when there will be no more; `nothing` when none comes in time."""
        try:
            return await asyncio.wait_for(self.queue.get(), max(seconds, 0))
        except TimeoutError:
            return nothing

    def start_over(self) -> None:
        while not self.queue.empty():
            self.queue.get_nowait()
        self.behind = False


class Feed:
    """The live end of a log in this process. `run` is a worker; `respond` answers a request."""

    def __init__(
        self,
        read: Read,
        head: Callable[[], Awaitable[int]],
        grown: Wakeup,
        *,
        gauge: Gauge,
        heartbeat: float = HEARTBEAT_SECONDS,
        limit: int = 20,
    ) -> None:
        """`limit` is how many streams one caller may have open at this process."""
        self._read = read
        self._head = head
        self._grown = grown
        self._gauge = gauge
        self._heartbeat = heartbeat
        self._limit = limit
        self._open: Counter[str] = Counter()
        self._listeners: set[_Listener] = set()
        self._position: int | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Follow the log while anybody listens."""
        try:
            while not stopping.is_set():
                seen = self._grown.count
                if not await self._deliver():
                    await self._grown.wait(seen, POLL_SECONDS)
        finally:
            if stopping.is_set():
                for listener in self._listeners:
                    listener.start_over()
                    listener.offer(None)

    async def _deliver(self) -> bool:
        if not self._listeners:
            self._position = None
        if self._position is None:
            return False
        items, upto = await self._read(self._position, PAGE_SIZE)
        for item in items:
            for listener in self._listeners:
                listener.offer(item)
        moved = upto > self._position
        self._position = upto
        return moved

    def _follow_from(self, head: int) -> None:
        # Before a listener first catches up, so that whatever follows that is queued for them.
        if self._position is None:
            self._position = head

    async def respond(
        self,
        request: Request,
        selection: Selection,
        stopping: asyncio.Event,
        *,
        caller: str,
        headers: Mapping[str, str] | None = None,
    ) -> StreamingResponse:
        """The stream for one caller, from after Last-Event-ID, or from now. Ends when their token or their right does.

        Raises Problem for an id that is none, and for one stream more than a caller may have.
        """
        given = single_header(request, "Last-Event-ID")
        if given is not None and not (given.isascii() and given.isdigit() and len(given) <= 18):
            raise Problem("malformed-request", "Last-Event-ID is the id of an event of this stream.")
        head = await _uncancelled(self._head())
        # From here to where it is counted nothing is awaited: others ask at the same time.
        if self._open[caller] >= self._limit:
            raise Problem(
                "too-many-requests",
                f"At most {self._limit} streams of one caller are open at a time.",
                headers={"Retry-After": str(int(self._heartbeat) or 1)},
            )
        # An id from before a restore lies ahead of the log: the listener must begin anew.
        reset = given is not None and int(given) > head
        after = head if given is None or reset else int(given)
        until = float(request.scope["state"].get("expires_at", "inf"))
        lines = self._counted(caller, self._lines(after, selection, stopping, until, head=head, reset=reset))
        await anext(lines)
        return StreamingResponse(lines, media_type="text/event-stream", headers={**HEADERS, **(headers or {})})

    async def _counted(self, caller: str, lines: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Lines that count as an open stream from the first step on, in which nothing is said: what has begun is ended
        even if nobody listens to it."""
        self._open[caller] += 1
        try:
            yield b""
            async for line in lines:
                yield line
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]

    async def _lines(
        self, after: int, selection: Selection, stopping: asyncio.Event, until: float, *, head: int, reset: bool
    ) -> AsyncIterator[bytes]:
        listener = _Listener()
        self._listeners.add(listener)
        self._gauge.set(len(self._listeners))
        try:
            yield b"retry: %d\nid: %d\n\n" % (RETRY_MILLISECONDS, after)
            if reset:
                yield b"event: reset\ndata: {}\n\n"
            self._follow_from(head)
            while not stopping.is_set() and time.time() < until:
                try:
                    if listener.behind:
                        listener.start_over()
                        async for position, item in self._missed(after):
                            select = await _uncancelled(selection())
                            if select is None or stopping.is_set() or time.time() >= until:
                                return
                            after = position
                            if (event := select(item)) is not None:
                                yield _written(after, event)
                        continue
                    nothing = (after, None)
                    queued = await listener.next(min(self._heartbeat, until - time.time()), nothing)
                    select = await _uncancelled(selection())
                    if queued is None or select is None:
                        return
                    if queued is nothing:
                        yield STILL_HERE % after
                    elif queued[0] > after:
                        after = queued[0]
                        if (event := select(queued[1])) is not None:
                            yield _written(after, event)
                except NotBuilt:
                    # Nothing can be said until the projections serve again; then the listener reads on from where it
                    # stands.
                    listener.behind = True
                    yield STILL_HERE % after
                    await pause(stopping, BUILT_SECONDS)
        finally:
            self._listeners.discard(listener)
            self._gauge.set(len(self._listeners))

    async def _missed(self, after: int) -> AsyncIterator[tuple[int, Any]]:
        while True:
            items, upto = await _uncancelled(self._read(after, PAGE_SIZE))
            for item in items:
                yield item
            if upto <= after:
                return
            after = upto


async def _uncancelled(reading: Awaitable[T]) -> T:
    """A read that ends by itself when its listener hangs up: a request is cancelled again at every await, which would
    cut off the rollback of its transaction as well, and hand the connection back in the middle of one."""
    return await asyncio.shield(asyncio.ensure_future(reading))


def _written(position: int, event: ServerEvent) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (position, event.event.encode(), event.data)
