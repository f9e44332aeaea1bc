"""Fenced checkpoint: what follows from a page, what of it is parked, and how far its follower is, in one transaction.

Only the leader under the newest fencing token gets that transaction through, and only once for a page. Events of an
aggregate of which some are parked wait behind those; all others are free.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from asyncpg import Pool

from shared.events.envelope import Envelope
from shared.eventstore.log import Log, Page, Progress
from shared.eventstore.pool import AnyConnection
from shared.following import checkpoints, dead_letters
from shared.following.dead_letters import Poison, QueuedEvents
from shared.following.stored_events import StoredEvent, concerns, envelope_of, newest

Write: TypeAlias = Callable[[AnyConnection], Awaitable[None]]
"""Writes what follows from events, in the transaction in which the follower moves on."""


async def write_nothing(_connection: AnyConnection) -> None:
    """What follows from the events is written already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPage:
    """A page that is to be handled: what follows the position `after`."""

    after: int
    end: Progress
    as_of: datetime | None
    """When the newest of its events was recorded, those of other types included."""
    entries: Sequence[StoredEvent]
    """The events that concern the follower, in the order of the log; at least one."""
    parked: frozenset[UUID]
    """The aggregates that were parked when it was opened."""

    @property
    def free(self) -> list[StoredEvent]:
        """The events before which nothing of their aggregate waits."""
        return [entry for entry in self.entries if envelope_of(entry).aggregate_id not in self.parked]

    @property
    def behind(self) -> list[Envelope[Any]]:
        """The places of the events that have to wait behind others of their aggregate."""
        return [place for place in map(envelope_of, self.entries) if place.aggregate_id in self.parked]


@dataclass(frozen=True, slots=True)
class FencedCheckpoint:
    """The checkpoint of one follower, in the hands of the leader of a fencing token. Whatever would write raises
    `Superseded` once somebody else has moved it, and has written nothing then."""

    name: str
    fencing_token: int
    pool: Pool
    log: Log

    async def take(self) -> int:
        """Make sure that no earlier leader moves it any more; gives its position."""
        return await checkpoints.take(self.pool, self.name, fencing_token=self.fencing_token)

    async def open_page(self, after: int, page: Page, types: frozenset[str]) -> OpenPage | None:
        """What is to be done of the page behind `after`. None when none of its events is of these types: then the
        checkpoint has moved to the end of the page."""
        entries, as_of = [entry for entry in page.events if concerns(entry, types)], newest(page.events)
        if not entries:
            await checkpoints.pass_over(self.pool, self._tokens, at=after, to=page.upto, as_of=as_of)
            return None
        parked = await self._parked(self.pool)
        return OpenPage(after=after, end=page.end, as_of=as_of, entries=entries, parked=parked)

    async def commit(self, page: OpenPage, poisons: Sequence[Poison], write: Write = write_nothing) -> None:
        """Write what follows from a page, park what failed or waits behind that, and move to the end of the page."""
        async with self.pool.acquire() as connection, connection.transaction():
            await checkpoints.lock(connection, self._tokens, at=Progress(page.after))
            if await self._parked(connection) != page.parked:
                raise checkpoints.Superseded(f"{self.name}: sequences were parked or released meanwhile")
            await write(connection)
            behind = [(place.aggregate_id, place.position) for place in page.behind]
            await dead_letters.queue(connection, self.name, behind)
            await dead_letters.park(connection, self.name, poisons)
            await checkpoints.advance(connection, self._tokens, to=page.end, as_of=page.as_of)
        dead_letters.report(self.name, poisons)

    async def queued(self, aggregate_id: UUID) -> QueuedEvents:
        """The events of an aggregate that are parked."""
        async with self.pool.acquire() as connection:
            return await dead_letters.queued(connection, self.log, self.name, aggregate_id)

    async def settle(self, attempted: QueuedEvents, poison: Poison | None, write: Write = write_nothing) -> bool:
        """Write what follows from parked events that were attempted again, and take those out of the queue that did not
        fail. True when their aggregate is released."""
        async with self.pool.acquire() as connection, connection.transaction():
            await checkpoints.hold(connection, self.name, fencing_token=self.fencing_token)
            await write(connection)
            return await dead_letters.settle(connection, self.name, attempted, poison)

    @property
    def _tokens(self) -> checkpoints.FencingTokens:
        return {self.name: self.fencing_token}

    async def _parked(self, connection: "AnyConnection | Pool") -> frozenset[UUID]:
        return (await dead_letters.parked_aggregates(connection, [self.name])).get(self.name, frozenset())
