"""A belfry for the tests of deliveries: bells that ring for somebody, and a post office that can be told to fail."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from shared.commands.executor import CommandExecutor
from shared.commands.request import CommandRequest
from shared.deliveries.delivery import Channel, Deliver, Delivered, Deliveries, Delivery, Outcome
from shared.deliveries.follower import begin, delivery_follower
from shared.deliveries.sender import Sender
from shared.domain.aggregate import Aggregate
from shared.domain.context import Actor, Company, Context
from shared.domain.roles import EVERYBODY, Role
from shared.events.codec import Codec
from shared.events.definition import event, value
from shared.events.envelope import Envelope
from shared.events.registry import Registry
from shared.eventstore.group_commit import GroupCommit
from shared.eventstore.log import Log
from shared.eventstore.pool import create_pool
from shared.eventstore.streams import StreamCache
from shared.eventstore.wakeup import Wakeup
from shared.following.log_follower import LogFollower
from shared.ops.clock import Clock
from shared.ops.health import Health
from shared.ops.ids import new_id
from shared.ops.metrics import Metrics

NOW = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)
RINGER = Actor(subject="service:belfry", roles=frozenset({Role.SERVICE}))
PATIENCE_SECONDS = 60.0
DAY = 86_400.0


@event("belfry.bell-rung", aggregate="bell")
class BellRung:
    """A bell rang, for somebody or for all who listen."""

    bell_id: UUID
    number: int
    receiver: UUID | None = None


CODEC = Codec(Registry([BellRung]))


@value
class RingBell:
    """Ring a bell."""

    number: int
    receiver: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bell:
    """It hangs there."""


bell = Aggregate("bell", plural="bells", start=Bell, readers=EVERYBODY)


@bell.decides(allow=EVERYBODY)
def ring(state: Bell, command: RingBell, context: Context) -> list[BellRung]:
    """Ring a bell."""
    return [BellRung(bell_id=context.aggregate_id, number=command.number, receiver=command.receiver)]


@bell.evolves
def rung(state: Bell, event: BellRung) -> Bell:
    return state


def belfry_deliveries(*channels: str) -> Deliveries:
    """Who is named is told of a bell, or all who listen; a bell of the number 666 cannot be put into words."""
    deliveries = Deliveries("belfry")

    @deliveries.on
    def tell(event: BellRung, fact: Envelope[BellRung]) -> Iterable[Deliver]:
        if event.number == 666:
            raise RuntimeError("this function has a mistake")
        for channel in channels:
            yield Deliver(channel=channel, kind="bell.rung", data={"number": event.number}, to=event.receiver)

    return deliveries


@dataclass(slots=True)
class PostOffice:
    """A channel of the tests' own: `decide` says what becomes of each attempt."""

    decide: Callable[[Delivery], Outcome] = lambda delivery: Delivered()
    sent: list[Delivery] = field(default_factory=list)

    async def send(self, delivery: Delivery) -> Outcome:
        self.sent.append(delivery)
        await asyncio.sleep(0)
        return self.decide(delivery)

    def ids(self, receiver: UUID) -> list[UUID]:
        """What one receiver got, repeats included."""
        return [delivery.id for delivery in self.sent if delivery.receiver == receiver]


class RunsUntilStopped(Protocol):
    async def run(self, stopping: asyncio.Event) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Belfry:
    """One process of the belfry."""

    pool: asyncpg.Pool
    appender: GroupCommit
    commands: CommandExecutor
    log: Log
    health: Health
    listeners: set[UUID] = field(default_factory=set)
    queued: Wakeup = field(default_factory=Wakeup)
    advanced: Wakeup = field(default_factory=Wakeup)

    async def ring(self, *numbers: int, receiver: UUID | None = None, bell_id: UUID | None = None) -> UUID:
        """Ring a bell some times; which."""
        bell_id = bell_id or new_id()
        for number in numbers:
            command = RingBell(number=number, receiver=receiver)
            await self.commands.execute(CommandRequest(bell, bell_id, command, RINGER))
        return bell_id

    async def receivers(self, asked: Deliver) -> Collection[UUID]:
        """Whoever is named, or all who listen."""
        return self.listeners if asked.to is None else [asked.to]

    async def level(self) -> int:
        """Who listens is known at once."""
        return 2**63 - 1

    def follower(self, *, channels: Collection[str] = ("post",), page: int = 200, **other: Any) -> LogFollower:
        """What queues deliveries."""
        about = {"receivers": self.receivers, "level": self.level, "deliveries": belfry_deliveries(*channels), **other}
        return delivery_follower(
            pool=self.pool,
            log=self.log,
            channels=channels,
            health=self.health,
            wake=self.appender.appended,
            advanced=self.advanced,
            queued=self.queued,
            page=page,
            **about,
        )

    def sender(
        self,
        channels: Mapping[str, Channel],
        *,
        give_up_after: float = 3 * DAY,
        dice: Callable[[], float] = lambda: 0.0,
    ) -> Sender:
        """What sends them; without pauses."""
        return Sender(
            pool=self.pool,
            channels=channels,
            health=self.health,
            queued=self.queued,
            give_up_after=give_up_after,
            dice=dice,
        )

    async def states(self) -> dict[str, int]:
        """How many deliveries wait, are delivered and are dead."""
        rows = await self.pool.fetch("select state, count(*) from delivery group by 1")
        return {row["state"]: row["count"] for row in rows}

    async def settled(self) -> bool:
        """Whether all that was recorded is followed, and nothing waits."""
        position = await self.pool.fetchval("select position from mark where name = 'deliveries'")
        return position >= await self.log.head() and "waiting" not in await self.states()

    async def close(self) -> None:
        await self.appender.close()
        await self.pool.close()


async def start_belfry(url: str) -> Belfry:
    """A process on a migrated database."""
    pool = await create_pool(url, name="belfry")
    appender, log = GroupCommit(pool), Log(pool, CODEC, service="belfry")
    commands = CommandExecutor(
        aggregates=(bell,),
        pool=pool,
        appender=appender,
        streams=StreamCache(pool, CODEC),
        codec=CODEC,
        clock=Clock(lambda: NOW),
        company=Company(),
        claim_secret=b"only for these tests",
    )
    await begin(pool, log)
    return Belfry(pool=pool, appender=appender, commands=commands, log=log, health=Health(Metrics.of("belfry")))


@asynccontextmanager
async def working(*workers: RunsUntilStopped) -> AsyncIterator[None]:
    """Workers at work; they are stopped in the end, and a failure of theirs is one of the test."""
    stopping = asyncio.Event()
    tasks = [asyncio.create_task(worker.run(stopping)) for worker in workers]
    try:
        yield
    finally:
        stopping.set()
        await asyncio.gather(*tasks)
