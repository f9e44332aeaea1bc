"""Bulkhead: so many pieces of work are under way at once in a process, and of each kind so many, that the others stay
quick."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Hashable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

NOTHING_MORE: Mapping[Hashable, int] = MappingProxyType({})
GRACE_SECONDS = 0.25
"""What was done while the event loop itself stood still is noticed only after whatever was due: nobody is refused
before the loop had time for both."""


class NoPlace(Exception):
    """No place became free in time (503 `unavailable`)."""


@dataclass(slots=True, eq=False)
class _Compartment:
    places: int
    taken: int = 0
    moved: float = 0.0
    """When work began or was done in it last, but for what begins right after other work stood still."""
    stuck: float = float("-inf")
    """When work ended last that had stood still."""

    @property
    def is_full(self) -> bool:
        return self.taken >= self.places


@dataclass(slots=True, eq=False)
class _Waiting:
    compartments: tuple[_Compartment, ...]
    began: float
    granted: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Bulkhead:
    """A number of places, and of each compartment one of its own. Whoever finds none waits in turn, and holds nothing
    meanwhile: a place of everything that is needed is taken at once, or none.

    It is refused after `wait_seconds`, and after `still_seconds` in which no work ended well where it lacks a place;
    so whoever comes while work stands still is refused at once, but for the grace that the event loop gets, and a long
    queue that moves is worked off.
    """

    def __init__(
        self,
        places: int,
        wait_seconds: float,
        still_seconds: float | None = None,
        failures: tuple[type[BaseException], ...] = (),
    ) -> None:
        """`failures` are what work ends with that did not get done, when it took longer than `still_seconds`."""
        self._whole = _Compartment(places)
        self._wait_seconds = wait_seconds
        self._still_seconds = wait_seconds if still_seconds is None else still_seconds
        self._failures = failures
        self._compartments: dict[Hashable, _Compartment] = {}
        self._queues: dict[tuple[_Compartment, ...], deque[_Waiting]] = {}

    @asynccontextmanager
    async def place(self, within: Mapping[Hashable, int] = NOTHING_MORE) -> AsyncIterator[None]:
        """A place for one piece of work, and one `within` each of these compartments, which have so many. Raises
        NoPlace when none became free in time."""
        compartments = (self._whole, *(self._compartment(name, places) for name, places in within.items()))
        loop = asyncio.get_running_loop()
        if any(each.is_full for each in compartments):
            await self._wait(compartments)
        else:
            self._take(compartments)
        began, done = loop.time(), True
        try:
            yield
        except self._failures:
            done = loop.time() - began < self._still_seconds
            raise
        finally:
            self._leave(compartments, done=done)

    def _compartment(self, name: Hashable, places: int) -> _Compartment:
        return self._compartments.setdefault(name, _Compartment(places))

    async def _wait(self, compartments: tuple[_Compartment, ...]) -> None:
        loop = asyncio.get_running_loop()
        waiting = _Waiting(compartments=compartments, began=loop.time())
        queue = self._queues.setdefault(compartments, deque())
        queue.append(waiting)
        timer = self._look_at(max(self._until(waiting), loop.time()), waiting)
        try:
            await waiting.granted
        except asyncio.CancelledError:
            if waiting.granted.done() and not waiting.granted.cancelled() and not waiting.granted.exception():
                self._leave(compartments, done=True)  # given in the moment in which the caller went away
            raise
        finally:
            timer.cancel()
            if waiting in queue:
                queue.remove(waiting)

    def _until(self, waiting: _Waiting) -> float:
        """Until when it is worth waiting, as far as is known now."""
        still = min((each.moved for each in waiting.compartments if each.is_full), default=float("inf"))
        return min(waiting.began + self._wait_seconds, still + self._still_seconds)

    def _look_at(self, until: float, waiting: _Waiting) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_at(until + GRACE_SECONDS, self._look, waiting, until)

    def _look(self, waiting: _Waiting, asked: float) -> None:
        """Refuse whoever waits since before the loop had its time, or look again when that is over."""
        now = asyncio.get_running_loop().time()
        if waiting.granted.done():
            return
        was_late = asked + 2 * GRACE_SECONDS < now < waiting.began + self._wait_seconds
        if (until := self._until(waiting)) > now or was_late:
            self._look_at(max(until, now), waiting)
        else:
            waiting.granted.set_exception(NoPlace())

    def _take(self, compartments: tuple[_Compartment, ...]) -> None:
        now = asyncio.get_running_loop().time()
        for each in compartments:
            each.taken += 1
            if now - each.stuck > self._still_seconds:
                each.moved = now

    def _leave(self, compartments: tuple[_Compartment, ...], *, done: bool) -> None:
        now = asyncio.get_running_loop().time()
        for each in compartments:
            each.taken -= 1
            if done:
                each.moved = now
            else:
                each.stuck = now
        for key, queue in list(self._queues.items()):
            while queue and not any(each.is_full for each in key):
                waiting = queue.popleft()
                if not waiting.granted.done():
                    self._take(key)
                    waiting.granted.set_result(None)
            if not queue:
                del self._queues[key]
