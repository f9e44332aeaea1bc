"""Sender: at-least-once delivery of what waits in the outbox, each receiver's in order, all receivers side by side.

An attempt is made first, and what became of it is written afterwards. Whoever dies in between is followed by somebody
who makes it again, under the same id: the receiver drops the repeat. A receiver that is slow or away holds up nobody
but itself: its attempts end in a bounded time, and come at longer and longer intervals.
"""

import asyncio
import random
from collections.abc import Coroutine, Mapping
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from asyncpg import Pool

from shared.deliveries import outbox
from shared.deliveries.delivery import Attempt, Channel, Delivered, Failed, Outcome, Refused, Withheld
from shared.deliveries.retry import Random, back_off
from shared.eventstore.leader_election import lead
from shared.eventstore.lease import Held, Leases
from shared.eventstore.wakeup import Wakeup
from shared.ops.health import Health

logger = structlog.get_logger(__name__)

NAME = "sender"
AT_ONCE = 16
"""Receivers of one channel that are sent to side by side."""
IN_A_ROW = 20
"""So many deliveries one receiver gets before others have its place."""
POLL_SECONDS = 1.0
WITHHELD_SECONDS = 60.0
"""How often a receiver that wants nothing for now is asked after."""
LOOK_SECONDS = 5.0
FORGET_SECONDS = 600.0
KEPT_DAYS = {"delivered": 30, "dead": 90}
"""So long it can be seen what was delivered, and what is dead can be sent anew."""


def begin(group: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> None:
    """Have a group work on something. Of one that is ending nothing begins, and who asked ends too: `wait_for` of
    Python 3.11 may have kept the cancellation to itself, where what it waited for was done in the same moment."""
    try:
        group.create_task(work)
    except RuntimeError as ending:
        work.close()
        raise asyncio.CancelledError from ending


class Sender:
    """Sends by some channels, in one process at a time. `run` is its worker."""

    def __init__(
        self,
        *,
        pool: Pool,
        channels: Mapping[str, Channel],
        health: Health,
        queued: Wakeup,
        give_up_after: float,
        dice: Random = random.random,
    ) -> None:
        self.name = NAME
        self._pool = pool
        self._channels = channels
        self._health = health
        self._queued = queued
        self._give_up_after = give_up_after
        self._dice = dice

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set. Raises what it cannot go on after; to be started again by who supervises."""
        await lead(
            Leases(self._pool, [self.name]),
            self._lead,
            stopping,
            name=self.name,
            health=self._health,
            steps=lambda held: [("delivery", channel) for channel in self._channels],
        )

    async def _lead(self, _held: Held) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for channel in self._channels:
                    group.create_task(self._serve(channel, group))
                group.create_task(self._look())
                group.create_task(self._forget())
        finally:
            self._health.metrics.dead_deliveries.clear()  # whoever takes over tells it

    async def _serve(self, channel: str, group: asyncio.TaskGroup) -> None:
        """Give places to the receivers of a channel whose time has come."""
        at_work = set[UUID]()

        async def work_off(first: Attempt) -> None:
            await self._work_off(first)
            at_work.discard(first.delivery.receiver)
            self._queued.notify()

        while True:
            seen = self._queued.count
            heads = await outbox.heads(self._pool, channel, but=at_work, limit=AT_ONCE - len(at_work))
            for head in heads:
                at_work.add(head.delivery.receiver)
                begin(group, work_off(head))
            if not heads:
                await self._queued.wait(seen, POLL_SECONDS)

    async def _work_off(self, first: Attempt) -> None:
        """Send what waits for a receiver, one after the other, as long as it takes them."""
        attempt: Attempt | None = first
        for _ in range(IN_A_ROW):
            if attempt is None or not await self._attempt(attempt):
                return
            attempt = await outbox.head_of(self._pool, first.delivery.channel, first.delivery.receiver)

    async def _attempt(self, attempt: Attempt) -> bool:
        """Send once and write down what became of it; whether the next of the same receiver may follow at once."""
        outcome = await self._sent(attempt)
        match outcome:
            case Delivered():
                ours = await outbox.delivered(self._pool, attempt)
                self._tell("delivered" if ours else "delivered-elsewhere", attempt)
                return ours
            case Refused(code=code):
                ours = await outbox.dead(self._pool, attempt, code)
                self._tell("delivery-dead", attempt, code=code)
                return ours
            case Withheld(code=code):
                await self._later(attempt, code, WITHHELD_SECONDS, counted=False)
            case Failed(code=code, retry_after=asked):
                await self._later(attempt, code, back_off(attempt.attempts + 1, self._dice, asked), counted=True)
        return False

    async def _later(self, attempt: Attempt, code: str, seconds: float, *, counted: bool) -> None:
        _, given_up = await outbox.later(
            self._pool, attempt, code, seconds=seconds, give_up_after=self._give_up_after, counted=counted
        )
        if given_up:
            self._tell("deliveries-given-up", attempt, code=code, number=given_up)
        elif counted:
            self._tell("delivery-failed", attempt, code=code, again_in=round(seconds))

    async def _sent(self, attempt: Attempt) -> Outcome:
        delivery = attempt.delivery
        try:
            return await self._channels[delivery.channel].send(delivery)
        except Exception as error:  # one that cannot be put into words must not keep the others from being sent
            if isinstance(error, (asyncpg.PostgresError, asyncpg.InterfaceError)):
                raise
            # Its kind alone: messages of libraries quote addresses.
            logger.error("delivery-broken", delivery=str(delivery.id), error=type(error).__name__)
            return Failed(code=type(error).__name__)

    def _tell(self, event: str, attempt: Attempt, **more: object) -> None:
        """Say what became of an attempt: ids and codes, nothing that either side said."""
        d = attempt.delivery
        said = {"delivery": str(d.id), "channel": d.channel, "kind": d.kind, "attempts": attempt.attempts + 1, **more}
        logger.info(event, **said) if event == "delivered" else logger.warning(event, **said)

    async def _look(self) -> None:
        """Say how many wait, since when, and how many are dead."""
        while True:
            dead = 0
            for channel in self._channels:
                figures = await outbox.figures(self._pool, channel)
                self._health.lag("delivery", channel, events=figures.waiting, seconds=figures.seconds)
                self._health.metrics.dead_deliveries.labels(channel).set(figures.dead)
                dead += figures.dead
            self._health.report(self.name, True, f"works; {dead} dead" if dead else "works")
            await asyncio.sleep(LOOK_SECONDS)

    async def _forget(self) -> None:
        while True:
            forgotten = [await outbox.forget(self._pool, state, days) for state, days in KEPT_DAYS.items()]
            await asyncio.sleep(LOOK_SECONDS if any(forgotten) else FORGET_SECONDS)
