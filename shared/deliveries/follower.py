"""Log follower that fills the outbox: what is to be sent because of an event is queued as the checkpoint moves.

Both are one transaction, so nothing is queued twice and nothing is left out, whoever dies when. An event of which
nobody can tell what follows parks its aggregate, as at every follower; all others go on.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from asyncpg import Pool

from shared.deliveries import outbox
from shared.deliveries.delivery import CHECKPOINT, Deliveries, Delivery, Receivers, delivery_of
from shared.eventstore.log import Log, Page
from shared.eventstore.wakeup import Wakeup
from shared.following import checkpoints, dead_letters
from shared.following.dead_letters import Poison, first_failure
from shared.following.fenced_checkpoint import FencedCheckpoint
from shared.following.log_follower import PAGE, LogFollower
from shared.following.stored_events import StoredEvent, by_aggregate, readable
from shared.ops.health import Health

POLL_SECONDS = 1.0


async def begin(pool: Pool, log: Log) -> None:
    """Deliver from here on: what happened before anything was delivered is told to nobody. Every process says so before
    it takes its first command; the first one counts."""
    if not await pool.fetchval("select true from mark where name = $1", CHECKPOINT):
        await checkpoints.ensure(pool, CHECKPOINT, position=await log.ceiling())


class Queueing:
    """Queues what follows from pages of the log, on behalf of the leader of a fencing token.

    `level` gives the position that what `receivers` asks is up to date with: a page waits for it, so that whoever asked
    for something before it happened gets it. `advanced` says that it may have moved.
    """

    def __init__(
        self,
        fencing_token: int,
        *,
        pool: Pool,
        log: Log,
        deliveries: Deliveries,
        channels: Collection[str],
        receivers: Receivers,
        level: Callable[[], Awaitable[int]],
        advanced: Wakeup,
    ) -> None:
        self._checkpoint = FencedCheckpoint(CHECKPOINT, fencing_token, pool, log)
        self._deliveries = deliveries
        self._channels = frozenset(channels)
        self._receivers = receivers
        self._level = level
        self._advanced = advanced
        self.types = deliveries.types

    async def begin(self) -> int:
        """Take over the checkpoint; gives its position."""
        return await self._checkpoint.take()

    async def handle(self, after: int, page: Page) -> bool:
        """Queue what follows from the page behind `after`, and move the checkpoint to its end; whether anything was
        queued."""
        while await self._level() < page.upto:
            await self._advanced.wait(self._advanced.count, POLL_SECONDS)
        opened = await self._checkpoint.open_page(after, page, self.types)
        if opened is None:
            return False
        queued, poisons = await self._all(opened.free)
        await self._checkpoint.commit(opened, poisons, partial(outbox.queue, deliveries=queued))
        return bool(queued)

    async def redrive(self, aggregate_id: UUID) -> bool:
        """Queue what follows from the parked events of an aggregate; True when it is released."""
        parked = await self._checkpoint.queued(aggregate_id)
        queued, poisons = await self._all(parked.entries)
        poison = poisons[0] if poisons else None
        return await self._checkpoint.settle(parked, poison, partial(outbox.queue, deliveries=queued))

    async def _all(self, entries: Sequence[StoredEvent]) -> tuple[list[Delivery], list[Poison]]:
        """What follows from events, and the sequences of aggregates of which nobody can tell, from their first on."""
        queued: list[Delivery] = []

        async def attempt(entry: StoredEvent) -> Exception | None:
            try:
                queued.extend(await self._following(entry))
            except Exception as error:  # a poison is whatever fails here, and it is kept with what it parks
                if dead_letters.is_environment(error):
                    raise
                return error
            return None

        poisons = [await first_failure(sequence, attempt) for sequence in by_aggregate(entries)]
        return queued, [poison for poison in poisons if poison is not None]

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


def delivery_follower(
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
) -> LogFollower:
    """What queues deliveries, in one process at a time; `queued` is told when there are some."""
    asked: Any = {"deliveries": deliveries, "channels": channels, "receivers": receivers, "level": level}
    return LogFollower(
        CHECKPOINT,
        handling=lambda fencing_token: Queueing(fencing_token, pool=pool, log=log, advanced=advanced, **asked),
        pool=pool,
        log=log,
        health=health,
        wake=wake,
        downstream=queued,
        poll=POLL_SECONDS,
        page=page,
    )
