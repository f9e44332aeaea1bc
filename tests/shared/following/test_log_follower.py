"""A page is handled by the leader of the newest fencing token, and once; what fails parks its aggregate alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

import pytest
import structlog

from shared.deliveries import outbox
from shared.deliveries.delivery import Delivery
from shared.events.registry import type_of
from shared.eventstore.log import Page
from shared.eventstore.wakeup import Wakeup
from shared.following import checkpoints, dead_letters
from shared.following.checkpoints import Superseded
from shared.following.dead_letters import Poison, first_failure
from shared.following.fenced_checkpoint import FencedCheckpoint, OpenPage, Write
from shared.following.log_follower import LogFollower
from shared.following.stored_events import StoredEvent, by_aggregate, envelope_of
from shared.ops.ids import new_id
from tests.shared.deliveries.belfry import Belfry, BellRung, working
from tests.shared.projections.conftest import until

NAME = "ringing"
TYPES = frozenset({type_of(BellRung)})


async def checkpoint(belfry: Belfry, fencing_token: int = 1) -> FencedCheckpoint:
    """Taken over by the leader of a fencing token."""
    await checkpoints.ensure(belfry.pool, NAME)
    taken = FencedCheckpoint(NAME, fencing_token, belfry.pool, belfry.log)
    await taken.take()
    return taken


async def opened(belfry: Belfry, taken: FencedCheckpoint, after: int = 0) -> OpenPage:
    """The page behind a position."""
    page = await taken.open_page(after, await belfry.log.read(after, 100), TYPES)
    assert page is not None
    return page


async def position(belfry: Belfry) -> int:
    """Where the checkpoint stands."""
    stands: int = await belfry.pool.fetchval("select position from mark where name = $1", NAME)
    return stands


def writing(receiver: UUID) -> Write:
    """Writes something that can be found again."""
    told = Delivery(
        id=new_id(), channel="post", receiver=receiver, position=1, event_id=new_id(), kind="bell.rung", content="{}"
    )
    return partial(outbox.queue, deliveries=[told])


def poison_of(entries: Sequence[StoredEvent]) -> Poison:
    """What parks all of these."""
    places = [envelope_of(entry) for entry in entries]
    return Poison(
        aggregate_id=places[0].aggregate_id, positions=[place.position for place in places], error="ValueError: no"
    )


async def test_a_frozen_leader_that_wakes_writes_nothing(belfry: Belfry) -> None:
    """It had opened the page before another one took over, at the same position."""
    await belfry.ring(1)
    frozen = await checkpoint(belfry)
    page = await opened(belfry, frozen)
    leader = await checkpoint(belfry, fencing_token=2)
    with pytest.raises(Superseded):
        await frozen.commit(page, [], writing(new_id()))
    with pytest.raises(Superseded):
        await frozen.open_page(0, Page(events=[], upto=7), TYPES)
    with pytest.raises(Superseded):
        await frozen.settle(await frozen.queued(new_id()), None, writing(new_id()))
    with pytest.raises(Superseded):
        await frozen.take()
    assert (await position(belfry), await belfry.states()) == (0, {})
    await leader.commit(await opened(belfry, leader), [], writing(new_id()))
    assert (await position(belfry), await belfry.states()) == (await belfry.log.head(), {"waiting": 1})


async def test_a_page_is_committed_once(belfry: Belfry) -> None:
    await belfry.ring(1)
    leader = await checkpoint(belfry)
    page = await opened(belfry, leader)
    await leader.commit(page, [], writing(new_id()))
    with pytest.raises(Superseded):
        await leader.commit(page, [], writing(new_id()))
    assert await belfry.states() == {"waiting": 1}


async def test_a_page_that_concerns_nobody_is_passed_over(belfry: Belfry) -> None:
    await belfry.ring(1)
    leader = await checkpoint(belfry)
    page = await belfry.log.read(0, 100)
    assert await leader.open_page(0, page, frozenset({"belfry.other"})) is None
    assert await position(belfry) == page.upto


async def test_what_was_parked_or_released_meanwhile_sends_the_page_back(belfry: Belfry) -> None:
    bell = await belfry.ring(1)
    leader = await checkpoint(belfry)
    page = await opened(belfry, leader)
    async with belfry.pool.acquire() as connection:
        await dead_letters.park(connection, NAME, [Poison(aggregate_id=bell, positions=[1], error="ValueError")])
    with pytest.raises(Superseded, match="parked or released"):
        await leader.commit(page, [], writing(new_id()))
    assert (await position(belfry), await belfry.states()) == (0, {})


async def test_behind_what_is_parked_its_aggregate_waits_and_comes_back_in_order(belfry: Belfry) -> None:
    stuck = await belfry.ring(1, 2)
    leader = await checkpoint(belfry)
    first = await opened(belfry, leader)
    assert (len(first.free), first.behind) == (2, [])
    await leader.commit(first, [poison_of(first.free[1:])])
    other = await belfry.ring(3)
    await belfry.ring(4, bell_id=stuck)
    second = await opened(belfry, leader, await position(belfry))
    assert [envelope_of(entry).aggregate_id for entry in second.free] == [other]
    assert [place.aggregate_id for place in second.behind] == [stuck]
    await leader.commit(second, [])
    queued = await leader.queued(stuck)
    assert [entry.data.number for entry in queued.entries] == [2, 4]  # type: ignore[union-attr]
    assert not await leader.settle(queued, poison_of(queued.entries[1:]), writing(new_id()))
    left = await leader.queued(stuck)
    assert left.positions == queued.positions[1:]
    assert await leader.settle(left, None, writing(new_id()))
    assert (await dead_letters.parked(belfry.pool), await belfry.states()) == ([], {"waiting": 2})


@dataclass
class Ringing:
    """Keeps the numbers of bells. Those of `broken` fail."""

    checkpoint: FencedCheckpoint
    broken: set[int]
    types: frozenset[str] = TYPES
    begun: int = 0
    handled: list[int] = field(default_factory=list)

    async def begin(self) -> int:
        self.begun += 1
        await checkpoints.ensure(self.checkpoint.pool, NAME)
        return await self.checkpoint.take()

    async def handle(self, after: int, page: Page) -> bool:
        found = await self.checkpoint.open_page(after, page, self.types)
        if found is None:
            return False
        poisons = [await first_failure(each, self.ring) for each in by_aggregate(found.free)]
        await self.checkpoint.commit(found, [poison for poison in poisons if poison])
        return True

    async def redrive(self, aggregate_id: UUID) -> bool:
        queued = await self.checkpoint.queued(aggregate_id)
        return await self.checkpoint.settle(queued, await first_failure(queued.entries, self.ring))

    async def ring(self, entry: StoredEvent) -> Exception | None:
        number = entry.data.number  # type: ignore[union-attr]
        if number in self.broken:
            return ValueError(f"bell {number}")
        self.handled.append(number)
        return None


@dataclass
class Followed:
    """A follower, with what its leaders did."""

    belfry: Belfry
    broken: set[int] = field(default_factory=set)
    leaders: list[Ringing] = field(default_factory=list)
    downstream: Wakeup = field(default_factory=Wakeup)

    def leading(self, fencing_token: int) -> Ringing:
        taken = FencedCheckpoint(NAME, fencing_token, self.belfry.pool, self.belfry.log)
        self.leaders.append(Ringing(taken, self.broken))
        return self.leaders[-1]

    def follower(self) -> LogFollower:
        return LogFollower(
            NAME,
            handling=self.leading,
            pool=self.belfry.pool,
            log=self.belfry.log,
            health=self.belfry.health,
            wake=self.belfry.appender.appended,
            downstream=self.downstream,
            poll=0.05,
        )

    async def is_level(self) -> bool:
        stands = await self.belfry.pool.fetchval("select position from mark where name = $1", NAME)
        return stands is not None and stands >= await self.belfry.log.head()


async def test_what_fails_parks_its_aggregate_and_is_handled_again_when_it_is_due(belfry: Belfry) -> None:
    followed = Followed(belfry, broken={2})
    async with working(followed.follower()):
        await belfry.ring(1, 2, 3)
        await belfry.ring(4)
        await until(followed.is_level)
        assert sorted(followed.leaders[0].handled) == [1, 4]
        followed.broken.clear()
        told = followed.downstream.count
        assert told > 0
        await dead_letters.request_redrive(belfry.pool, NAME)

        async def released() -> bool:
            return not await dead_letters.parked(belfry.pool)

        await until(released)
        assert followed.leaders[0].handled[2:] == [2, 3]
    assert followed.downstream.count == told + 1


async def test_a_leader_that_is_superseded_begins_anew_where_the_checkpoint_stands(belfry: Belfry) -> None:
    """Somebody moves the checkpoint back; the next page is handled, and not committed."""
    followed = Followed(belfry)
    with structlog.testing.capture_logs() as lines:
        async with working(followed.follower()):
            await belfry.ring(1)
            await until(followed.is_level)
            await belfry.pool.execute("update mark set position = 0 where name = $1", NAME)
            await belfry.ring(2)
            await until(followed.is_level)
    (leader,) = followed.leaders
    assert (leader.begun, leader.handled) == (2, [1, 2, 1, 2])
    (line,) = [line for line in lines if line["event"] == "follower-superseded"]
    assert line["runner"] == NAME


async def test_how_far_it_is_behind_is_told_by_whoever_leads_and_by_nobody_after(belfry: Belfry) -> None:
    await belfry.ring(1)
    followed = Followed(belfry)
    async with working(followed.follower()):

        async def told() -> bool:
            return [(lag.kind, lag.events) for lag in belfry.health.lags if lag.name == NAME] == [("consumer", 0)]

        await until(told)
        report = belfry.health.reported(NAME)
        assert report is not None
        assert (report.ok, report.detail) == (True, "works")
    assert belfry.health.reported(NAME) is None
    assert [lag for lag in belfry.health.lags if lag.name == NAME] == []
