"""Server-sent events: a log's end, live, to everybody who listens; who was away resumes where they stopped (API-3).

One reader a process follows the log for all listeners. Each has a bounded queue; whoever falls behind loses the queue,
not events: it reads the log itself from where it stands until it has caught up.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import Gauge
from starlette.requests import Request
from starlette.responses import StreamingResponse

from shared.store.signal import Signal
from shared.web.preconditions import single_header
from shared.web.problems import Problem

HEARTBEAT_SECONDS = 15.0
RETRY_MILLISECONDS = 2000
QUEUE_SIZE = 256
PAGE_SIZE = 200
POLL_SECONDS = 0.5

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
        grown: Signal,
        *,
        gauge: Gauge,
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._read = read
        self._head = head
        self._grown = grown
        self._gauge = gauge
        self._heartbeat = heartbeat
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

    async def respond(self, request: Request, select: Select, stopping: asyncio.Event) -> StreamingResponse:
        """The stream for one caller, from after Last-Event-ID, or from now. Ends when their token does."""
        given = single_header(request, "Last-Event-ID")
        if given is not None and not (given.isascii() and given.isdigit() and len(given) <= 18):
            raise Problem("malformed-request", "Last-Event-ID is the id of an event of this stream.")
        head = await self._head()
        # An id from before a restore lies ahead of the log: the listener must begin anew.
        reset = given is not None and int(given) > head
        after = head if given is None or reset else int(given)
        until = float(request.scope["state"].get("expires_at", "inf"))
        lines = self._lines(after, select, stopping, until, head=head, reset=reset)
        return StreamingResponse(lines, media_type="text/event-stream", headers=HEADERS)

    async def _lines(
        self, after: int, select: Select, stopping: asyncio.Event, until: float, *, head: int, reset: bool
    ) -> AsyncIterator[bytes]:
        listener = _Listener()
        self._listeners.add(listener)
        self._gauge.set(len(self._listeners))
        try:
            yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
            if reset:
                yield b"event: reset\ndata: {}\n\n"
            self._follow_from(head)
            while not stopping.is_set() and time.time() < until:
                if listener.behind:
                    listener.start_over()
                    async for position, item in self._missed(after):
                        after = position
                        if item is not None and (event := select(item)) is not None:
                            yield _written(position, event)
                    continue
                try:
                    wait = min(self._heartbeat, until - time.time())
                    queued = await asyncio.wait_for(listener.queue.get(), max(wait, 0))
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if queued is None:
                    return
                if queued[0] > after:
                    after = queued[0]
                    if (event := select(queued[1])) is not None:
                        yield _written(after, event)
        finally:
            self._listeners.discard(listener)
            self._gauge.set(len(self._listeners))

    async def _missed(self, after: int) -> AsyncIterator[tuple[int, Any]]:
        while True:
            items, upto = await self._read(after, PAGE_SIZE)
            for item in items:
                yield item
            if upto <= after:
                return
            after = upto


def _written(position: int, event: ServerEvent) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (position, event.event.encode(), event.data)
