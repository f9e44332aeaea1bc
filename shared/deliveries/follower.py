"""Follower of our own log: what is to be sent because of an event is queued along with the move of the checkpoint.

Both are one transaction, so nothing is queued twice and nothing is left out, whoever dies when. An event of which
nobody can tell what follows parks its aggregate, as at every follower; all others go on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any
from uuid import UUID

import structlog
from asyncpg import Pool

from shared.deliveries import outbox
from shared.deliveries.delivery import CHECKPOINT, Deliveries, Delivery, Receivers, delivery_of
from shared.eventstore.batching import RELAXED
from shared.eventstore.leader_election import lead
from shared.eventstore.lease import Leases
from shared.eventstore.log import Log, Page, Progress
from shared.eventstore.wakeup import Wakeup
from shared.following import checkpoints, dead_letters
from shared.following.dead_letters import Poison
from shared.following.stored_events import StoredEvent, concerns, envelope_of, newest, readable
from shared.ops.health import Health

logger = structlog.get_logger(__name__)

PAGE = 200
POLL_SECONDS = 1.0
LOOK_SECONDS = 1.0
"""How often parked sequences are looked at whose next attempt is due, and how far this is behind."""

BEGIN = "insert into mark (name, position) values ($1, $2) on conflict do nothing"


async def begin(pool: Pool, log: Log) -> None:
    """Deliver from here on: what happened before anything was delivered is told to nobody. Every process says so before
    it takes its first command; the first one counts."""
    if not await pool.fetchval("select true from mark where name = $1", CHECKPOINT):
        await pool.execute(BEGIN, CHECKPOINT, await log.ceiling())


class Queueing:
    """Queues what follows from pages of the log, on behalf of the leader of a fencing token."""

    def __init__(
        self,
        fencing_token: int,
        *,
        pool: Pool,
        log: Log,
        deliveries: Deliveries,
        channels: Collection[str],
        receivers: Receivers,
    ) -> None:
        self._pool = pool
        self._log = log
        self._deliveries = deliveries
        self._channels = frozenset(channels)
        self._receivers = receivers
        self._fencing_token = fencing_token
        self._fencing_tokens = {CHECKPOINT: fencing_token}

    async def take(self) -> int:
        """Take over the checkpoint; gives its position."""
        return await checkpoints.take(self._pool, CHECKPOINT, fencing_token=self._fencing_token)

    async def follow(self, after: int, page: Page) -> int:
        """Queue what follows from the page behind `after`, and move the checkpoint to its end; how many deliveries."""
        entries = [entry for entry in page.events if concerns(entry, self._deliveries.types)]
        newest_at = newest(page.events)
        if not entries:
            await checkpoints.pass_over(self._pool, self._fencing_tokens, at=after, to=page.upto, as_of=newest_at)
            return 0
        waiting = await self._waiting(self._pool)
        behind = [place for place in map(envelope_of, entries) if place.aggregate_id in waiting]
        queued, poisons = await self._all(
            [entry for entry in entries if envelope_of(entry).aggregate_id not in waiting]
        )
        async with self._pool.acquire() as connection, connection.transaction():
            await checkpoints.lock(connection, self._fencing_tokens, at=Progress(after))
            if await self._waiting(connection) != waiting:
                raise checkpoints.Superseded(f"{CHECKPOINT}: sequences were parked or released meanwhile")
            await outbox.queue(connection, queued)
            await dead_letters.queue(connection, CHECKPOINT, [(place.aggregate_id, place.position) for place in behind])
            await dead_letters.park(connection, CHECKPOINT, poisons)
            await checkpoints.advance(connection, self._fencing_tokens, to=page.end, as_of=newest_at)
        dead_letters.report(CHECKPOINT, poisons)
        return len(queued)

    async def redrive(self, aggregate_id: UUID) -> bool:
        """Queue what follows from the parked events of an aggregate; True when it is released."""
        async with self._pool.acquire() as connection:
            positions = await dead_letters.queued(connection, CHECKPOINT, aggregate_id)
            history = await self._log.history(connection, [aggregate_id], max(positions, default=0))
        parked = frozenset(positions)
        queued, poisons = await self._all([entry for entry in history if envelope_of(entry).position in parked])
        poison = poisons[0] if poisons else None
        failed = set(poison.positions) if poison else set()
        async with self._pool.acquire() as connection, connection.transaction():
            await checkpoints.hold(connection, CHECKPOINT, fencing_token=self._fencing_token)
            await outbox.queue(connection, queued)
            done = [position for position in positions if position not in failed]
            return await dead_letters.settle(connection, CHECKPOINT, aggregate_id, done, poison)

    async def _waiting(self, connection: Any) -> frozenset[UUID]:
        return (await dead_letters.parked_aggregates(connection, [CHECKPOINT])).get(CHECKPOINT, frozenset())

    async def _all(self, entries: Sequence[StoredEvent]) -> tuple[list[Delivery], list[Poison]]:
        """What follows from events, and the sequences of aggregates of which nobody can tell, from their first on."""
        queued: list[Delivery] = []
        failed: dict[UUID, tuple[list[int], str]] = {}
        for entry in entries:
            place = envelope_of(entry)
            if place.aggregate_id in failed:
                failed[place.aggregate_id][0].append(place.position)
                continue
            try:
                queued += await self._following(entry)
            except Exception as error:  # a poison is whatever fails here, and it is kept with what it parks
                if dead_letters.is_environment(error):
                    raise
                failed[place.aggregate_id] = ([place.position], dead_letters.described(error))
        poisons = [
            Poison(aggregate_id=each, positions=positions, error=error) for each, (positions, error) in failed.items()
        ]
        return queued, poisons

    async def _following(self, entry: StoredEvent) -> list[Delivery]:
        found: dict[UUID, Delivery] = {}
        for fact in readable([entry]):
            for asked in self._deliveries.of(fact):
                if asked.channel in self._channels:
                    for receiver in await self._receivers(asked):
                        delivery = delivery_of(asked, fact, receiver)
                        if found.setdefault(delivery.id, delivery) != delivery:
                            raise ValueError(f"{fact.type} says two things to one receiver by {asked.channel}")
        return list(found.values())


class DeliveryFollower:
    """Follows the log, in one process at a time. `run` is its worker.

    `level` gives the position that what `receivers` asks is up to date with: a page waits for it, so that whoever asked
    for something before it happened gets it.
    """

    def __init__(
        self,
        *,
        pool: Pool,
        log: Log,
        deliveries: Deliveries,
        channels: Collection[str],
        receivers: Receivers,
        level: Callable[[], Awaitable[int]],
        health: Health,
        wake: Wakeup,
        advanced: Wakeup,
        queued: Wakeup,
        page: int = PAGE,
    ) -> None:
        self.name = CHECKPOINT
        self._pool = pool
        self._log = log
        self._deliveries = deliveries
        self._channels = channels
        self._receivers = receivers
        self._level = level
        self._health = health
        self._wake = wake
        self._advanced = advanced
        self._queued = queued
        self._page = page

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set. Raises what it cannot go on after; to be started again by who supervises."""
        await lead(
            Leases(self._pool, [self.name]),
            lambda held: self._lead(held[self.name]),
            stopping,
            name=self.name,
            health=self._health,
            steps=lambda held: [("consumer", self.name)],
        )

    async def _lead(self, fencing_token: int) -> None:
        queueing = Queueing(
            fencing_token,
            pool=self._pool,
            log=self._log,
            deliveries=self._deliveries,
            channels=self._channels,
            receivers=self._receivers,
        )
        loop = asyncio.get_running_loop()
        look_at, level = 0.0, loop.time()
        position: int | None = None
        while True:
            seen, events = self._wake.count, None
            try:
                if position is None:
                    position = await queueing.take()
                position, events = await self._follow(queueing, position)
                level = loop.time() if events is None else level
                if loop.time() >= look_at:
                    look_at = loop.time() + LOOK_SECONDS
                    await self._redrive(queueing)
                    await self._measure(position, level)
            except checkpoints.Superseded as news:
                logger.info("deliveries-superseded", detail=str(news))
                position = None
            if events is None:
                await self._wake.wait(seen, POLL_SECONDS)
            else:
                await asyncio.sleep(RELAXED.rest_after(events, self._page))

    async def _follow(self, queueing: Queueing, position: int) -> tuple[int, int | None]:
        """Queue what follows from the next page; where it ended, and how many events it had, None when none."""
        page = await self._log.read(position, self._page, self._deliveries.types)
        if page.upto == position:
            return position, None
        while await self._level() < page.upto:
            await self._advanced.wait(self._advanced.count, POLL_SECONDS)
        if await queueing.follow(position, page):
            self._queued.notify()
        return page.upto, len(page.events)

    async def _redrive(self, queueing: Queueing) -> None:
        for _, aggregate_id in await dead_letters.due(self._pool, [CHECKPOINT]):
            if await queueing.redrive(aggregate_id):
                logger.info("sequence-released", runner=CHECKPOINT, aggregate_id=str(aggregate_id))
                self._queued.notify()

    async def _measure(self, position: int, level: float) -> None:
        behind = max(0, await self._log.head() - position)
        seconds = asyncio.get_running_loop().time() - level if behind else 0.0
        self._health.lag("consumer", self.name, events=behind, seconds=seconds)
        self._health.report(self.name, True, "works")
