"""Log follower: page by page along one log, in one process at a time, from the checkpoint on.

What is done with a page is the `Handling` of whoever leads. A page is gone through again after a crash, so what follows
is written along with the checkpoint, or under keys by which a repeat is known. What fails is parked along with it, and
handled again when that is due.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

import structlog
from asyncpg import Pool

from shared.eventstore.batching import RELAXED
from shared.eventstore.leader_election import lead
from shared.eventstore.lease import Leases
from shared.eventstore.log import Log, Page
from shared.eventstore.wakeup import Wakeup
from shared.following import dead_letters
from shared.following.checkpoints import Superseded
from shared.ops.health import Health

logger = structlog.get_logger(__name__)

PAGE = 200
LOOK_SECONDS = 1.0
"""How often parked sequences are looked at whose next attempt is due, and how far this is behind."""


class Handling(Protocol):
    """What is done with the events of a log, on behalf of the leader of one fencing token. Raises `Superseded` when
    somebody else has moved the checkpoint; it is begun again then."""

    @property
    def types(self) -> frozenset[str]:
        """The names of the types of events that it handles."""
        ...

    async def begin(self) -> int:
        """Take over the checkpoint; gives its position."""
        ...

    async def handle(self, after: int, page: Page) -> bool:
        """Handle the page behind a position, and move the checkpoint to its end. Whether there is something new for
        those downstream."""
        ...

    async def redrive(self, aggregate_id: UUID) -> bool:
        """Handle the parked events of an aggregate again, in their order; True when it is released."""
        ...


class LogFollower:
    """Follows one log. `run` is its worker.

    `handling` makes what the leader of a fencing token does; `wake` says that the log has grown, which is looked for
    every `poll` seconds as well; `downstream` is told of what is new.
    """

    def __init__(
        self,
        name: str,
        *,
        handling: Callable[[int], Handling],
        pool: Pool,
        log: Log,
        health: Health,
        wake: Wakeup,
        downstream: Wakeup,
        poll: float,
        page: int = PAGE,
    ) -> None:
        self.name = name
        self._handling = handling
        self._pool = pool
        self._log = log
        self._health = health
        self._wake = wake
        self._downstream = downstream
        self._poll = min(poll, LOOK_SECONDS)
        self._page = page

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set. Raises what it cannot go on after; to be started again by who supervises."""
        await lead(
            Leases(self._pool, [self.name]),
            lambda held: self._lead(self._handling(held[self.name])),
            stopping,
            name=self.name,
            health=self._health,
            steps=lambda held: [("consumer", self.name)],
        )

    async def _lead(self, handling: Handling) -> None:
        loop = asyncio.get_running_loop()
        look_at, level = 0.0, loop.time()
        position: int | None = None
        while True:
            seen, events = self._wake.count, None
            try:
                if position is None:
                    position = await handling.begin()
                position, events = await self._follow(handling, position)
                level = loop.time() if events is None else level
                if loop.time() >= look_at:
                    look_at = loop.time() + LOOK_SECONDS
                    await self._redrive(handling)
                    await self._measure(position, level)
            except Superseded as news:
                logger.info("follower-superseded", runner=self.name, detail=str(news))
                position = None
            if events is None:
                await self._wake.wait(seen, self._poll)
            else:
                await asyncio.sleep(RELAXED.rest_after(events, self._page))

    async def _follow(self, handling: Handling, position: int) -> tuple[int, int | None]:
        """Handle the page behind a position; where it ended, and how many events it had, None when there is none."""
        page = await self._log.read(position, self._page, handling.types)
        if page.upto == position:
            return position, None
        if await handling.handle(position, page):
            self._downstream.notify()
        return page.upto, len(page.events)

    async def _redrive(self, handling: Handling) -> None:
        for _, aggregate_id in await dead_letters.due(self._pool, [self.name]):
            if await handling.redrive(aggregate_id):
                logger.info("sequence-released", runner=self.name, aggregate_id=str(aggregate_id))
                self._downstream.notify()

    async def _measure(self, position: int, level: float) -> None:
        """Say how far it is behind: positions (some may be dead), and the time since it was not."""
        behind = max(0, await self._log.head() - position)
        seconds = asyncio.get_running_loop().time() - level if behind else 0.0
        self._health.lag("consumer", self.name, events=behind, seconds=seconds)
        self._health.report(self.name, True, "works")
