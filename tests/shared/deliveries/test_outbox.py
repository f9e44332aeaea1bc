"""What follows from events is queued once, and sent at least once, in the order of each receiver, whoever dies when."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
import structlog

from shared.deliveries import outbox
from shared.deliveries.delivery import Delivered, Delivery, Failed, Outcome, Refused, Withheld, delivery_id
from shared.deliveries.follower import begin
from shared.following.dead_letters import parked, request_redrive
from shared.ops.ids import new_id
from tests.shared.deliveries.belfry import Belfry, PostOffice, RunsUntilStopped, belfry_deliveries, working
from tests.shared.projections.conftest import until


def numbers(office: PostOffice, receiver: UUID) -> list[str]:
    """What one receiver was told, in its order, without repeats."""
    return list({delivery.id: delivery.content for delivery in office.sent if delivery.receiver == receiver}.values())


def told(*expected: int) -> list[str]:
    at = "2026-03-16T10:00:00Z"
    return [f'{{"type":"bell.rung","timestamp":"{at}","data":{{"number":{number}}}}}' for number in expected]


async def test_who_is_named_is_told_and_who_listens(belfry: Belfry) -> None:
    office, named, listening = PostOffice(), new_id(), new_id()
    belfry.listeners.add(listening)
    async with working(belfry.follower(), belfry.sender({"post": office})):
        await belfry.ring(1, receiver=named)
        await belfry.ring(2)
        await until(belfry.settled)
    assert (numbers(office, named), numbers(office, listening)) == (told(1), told(2))
    assert await belfry.states() == {"delivered": 2}
    facts = (await belfry.log.read(0, 10)).events
    assert office.ids(named) == [delivery_id(facts[0].id, "post", named)]  # type: ignore[union-attr]


async def test_what_happened_before_anything_was_delivered_is_told_to_nobody(belfry: Belfry) -> None:
    office, named = PostOffice(), new_id()
    await belfry.pool.execute("delete from mark")
    await belfry.ring(1, receiver=named)
    await begin(belfry.pool, belfry.log)
    await belfry.ring(2, receiver=named)
    await begin(belfry.pool, belfry.log)  # another process, that starts later
    async with working(belfry.follower(), belfry.sender({"post": office})):
        await until(belfry.settled)
    assert numbers(office, named) == told(2)


async def test_by_a_way_that_there_is_not_nothing_is_queued(belfry: Belfry) -> None:
    await belfry.ring(1, receiver=new_id())
    async with working(belfry.follower(channels=(), deliveries=belfry_deliveries("post"))):
        await until(belfry.settled)
    assert await belfry.states() == {}


async def test_nothing_overtakes_what_its_receiver_has_not_taken(belfry: Belfry) -> None:
    """The first is refused twice for now; the others of this receiver wait, those of another one do not."""
    named, another = new_id(), new_id()
    failures = iter([Failed(code="http-503")] * 3)

    def decide(delivery: Delivery) -> Outcome:
        return next(failures, Delivered()) if delivery.receiver == named else Delivered()

    office = PostOffice(decide)
    await belfry.ring(*range(5), receiver=named)
    await belfry.ring(*range(5), receiver=another)
    async with working(belfry.follower(), belfry.sender({"post": office})):
        await until(belfry.settled)
    got = office.ids(named)
    assert len(got) == 8
    assert got[:4] == [got[0]] * 4, "the first is repeated under its id, and nothing comes between"
    assert (numbers(office, named), numbers(office, another)) == (told(*range(5)), told(*range(5)))
    assert await belfry.states() == {"delivered": 10}


async def test_what_is_refused_for_good_is_dead_and_can_be_sent_anew(belfry: Belfry) -> None:
    named, refusing = new_id(), [True]
    office = PostOffice(lambda delivery: Refused(code="http-410") if refusing[0] else Delivered())
    await belfry.ring(1, 2, receiver=named)
    async with working(belfry.follower(), belfry.sender({"post": office})):
        await until(belfry.settled)
        assert await belfry.states() == {"dead": 2}
        dead = await outbox.listed(belfry.pool, "dead")
        assert [(each.receiver, each.error, each.attempts) for each in dead] == [(named, "http-410", 1)] * 2
        await until(says(belfry, "works; 2 dead"))
        assert b'throughline_dead_deliveries{channel="post"} 2.0' in belfry.health.metrics.page()
        refusing[0] = False
        assert await outbox.redrive(belfry.pool, receiver=new_id()) == 0
        assert await outbox.redrive(belfry.pool, "post", named) == 2
        await until(belfry.settled)
    first, second = office.ids(named)[:2]
    assert office.ids(named) == [first, second, first, second]
    assert b"throughline_dead_deliveries{" not in belfry.health.metrics.page(), "who leads no more tells nothing"


def says(belfry: Belfry, detail: str) -> Callable[[], Awaitable[bool]]:
    async def said() -> bool:
        report = belfry.health.reported("sender")
        return report is not None and report.detail == detail

    return said


async def test_what_waited_too_long_is_dead_with_all_that_is_as_old(belfry: Belfry) -> None:
    """A receiver that is gone does not gather a queue of which each has to fail by itself."""
    named = new_id()
    office = PostOffice(lambda delivery: Failed(code="connect"))
    await belfry.ring(1, 2, 3, receiver=named)
    async with working(belfry.follower()):
        await until(queued(belfry, 3))
    await belfry.pool.execute(
        "update delivery set queued_at = queued_at - interval '4 days'"
        " where position < (select max(position) from delivery)"
    )
    async with working(belfry.sender({"post": office}, dice=lambda: 1.0)):

        async def given_up() -> bool:
            return await belfry.states() == {"dead": 2, "waiting": 1}

        await until(given_up)
        last = office.sent[-1].id
    assert [each.attempts for each in await outbox.listed(belfry.pool, "dead")] == [1, 0]
    (left,) = await outbox.listed(belfry.pool, "waiting")
    assert left.id == last or left.attempts == 0


def queued(belfry: Belfry, number: int) -> Callable[[], Awaitable[bool]]:
    async def there() -> bool:
        return (await belfry.states()).get("waiting", 0) == number

    return there


async def test_who_wants_nothing_for_now_is_not_tried(belfry: Belfry) -> None:
    named = new_id()
    office = PostOffice(lambda delivery: Withheld(code="paused"))
    await belfry.ring(1, receiver=named)
    async with working(belfry.follower(), belfry.sender({"post": office})):

        async def held() -> bool:
            return any(each.error == "paused" for each in await outbox.listed(belfry.pool, "waiting"))

        await until(held)
    (waits,) = await outbox.listed(belfry.pool, "waiting")
    assert waits.attempts == 0
    assert waits.next_attempt_at is not None


async def test_a_message_that_cannot_be_made_stops_no_other_and_says_nothing_of_people(belfry: Belfry) -> None:
    broken, fine = new_id(), new_id()

    def decide(delivery: Delivery) -> Outcome:
        if delivery.receiver == broken:
            raise ValueError("address 'anna@example.com' is none")
        return Delivered()

    office = PostOffice(decide)
    await belfry.ring(1, 2, receiver=broken)
    await belfry.ring(*range(30), receiver=fine)
    with structlog.testing.capture_logs() as lines:
        async with working(belfry.follower(), belfry.sender({"post": office}, dice=lambda: 1.0)):

            async def done() -> bool:
                return await belfry.states() == {"delivered": 30, "waiting": 2}

            await until(done)
    assert {line["event"] for line in lines} >= {"delivered", "delivery-broken", "delivery-failed"}
    assert "anna" not in str(lines)
    assert {each.error for each in await outbox.listed(belfry.pool, "waiting", broken)} == {"ValueError", None}


async def test_an_event_that_nobody_can_put_into_words_parks_its_aggregate_alone(belfry: Belfry) -> None:
    office, named = PostOffice(), new_id()
    await belfry.ring(12, 666, 14, receiver=named)
    await belfry.ring(15, receiver=named)
    async with working(belfry.follower(), belfry.sender({"post": office})):
        await until(belfry.settled)
        assert numbers(office, named) == told(12, 15)
        (sequence,) = await parked(belfry.pool)
        assert (sequence.runner, sequence.events) == ("deliveries", 2)
        await belfry.pool.execute("alter table event disable trigger append_only")
        await belfry.pool.execute(
            "update event set data = jsonb_set(data::jsonb, '{number}', '31')::json where data ->> 'number' = '666'"
        )
        await request_redrive(belfry.pool, "deliveries")

        async def released() -> bool:
            return not await parked(belfry.pool) and await belfry.settled()

        await until(released)
    assert numbers(office, named) == told(12, 15, 31, 14)


async def test_a_page_waits_for_what_its_receivers_are_known_from(belfry: Belfry) -> None:
    """Who asked for something before it happened gets it."""
    office, level = PostOffice(), [0]

    async def known() -> int:
        return level[0]

    async with working(belfry.follower(level=known), belfry.sender({"post": office})):
        await belfry.ring(1)
        await asyncio.sleep(0.1)
        assert await belfry.states() == {}
        belfry.listeners.add(listening := new_id())
        level[0] = await belfry.log.head()
        belfry.advanced.notify()
        await until(belfry.settled)
    assert numbers(office, listening) == told(1)


@pytest.mark.parametrize("page", [1, 7])
async def test_killed_at_any_moment_nothing_is_lost_and_repeats_carry_the_same_id(belfry: Belfry, page: int) -> None:
    """Both workers are ended again and again in the middle of their work, whatever they are at."""
    office, receivers = PostOffice(), [new_id() for _ in range(5)]
    for receiver in receivers:
        await belfry.ring(*range(20), receiver=receiver)
    for step in range(10):
        workers: list[RunsUntilStopped] = [belfry.follower(page=page), belfry.sender({"post": office})]
        tasks = [asyncio.create_task(worker.run(asyncio.Event())) for worker in workers]

        async def went_on(number: int = min(len(office.sent) + 7, 100), step: int = step) -> bool:
            return len(office.sent) >= number or step > 7  # a fast machine has sent all of the hundred before

        await until(went_on)
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    async with working(belfry.follower(page=page), belfry.sender({"post": office})):
        await until(belfry.settled)
    for receiver in receivers:
        assert numbers(office, receiver) == told(*range(20))
    assert await belfry.states() == {"delivered": 100}


async def test_what_a_sender_does_that_was_frozen_changes_nothing(belfry: Belfry, other: Belfry) -> None:
    """It has sent, and another one has sent again and written that down, before it wakes."""
    named = new_id()
    await belfry.ring(1, receiver=named)
    async with working(belfry.follower()):
        await until(queued(belfry, 1))
    (frozen,) = await outbox.heads(belfry.pool, "post", but=(), limit=5)
    (attempt,) = await outbox.heads(other.pool, "post", but=(), limit=5)
    assert await outbox.dead(other.pool, attempt, "http-410")
    assert not await outbox.delivered(belfry.pool, frozen)
    assert await outbox.redrive(other.pool) == 1
    assert not await outbox.dead(belfry.pool, frozen, "late"), "not even when it is sent anew"
    assert await outbox.later(belfry.pool, frozen, "late", seconds=1, give_up_after=0) == (False, 0)
    assert await belfry.states() == {"waiting": 1}


async def test_two_processes_queue_once_and_one_at_a_time_sends(belfry: Belfry, other: Belfry) -> None:
    office, named = PostOffice(), new_id()
    await belfry.ring(*range(50), receiver=named)
    both = [each for one in (belfry, other) for each in (one.follower(page=5), one.sender({"post": office}))]
    async with working(*both):
        await until(belfry.settled)
    assert office.ids(named) == list(dict.fromkeys(office.ids(named)))
    assert numbers(office, named) == told(*range(50))


async def test_many_receivers_are_served_though_sixteen_stand_still(belfry: Belfry) -> None:
    """Each of those that stand still has a place until its attempt ends; then the others have their turn."""
    stuck, fine = {new_id() for _ in range(20)}, [new_id() for _ in range(40)]

    class Office(PostOffice):
        async def send(self, delivery: Delivery) -> Outcome:
            if delivery.receiver in stuck:
                await asyncio.sleep(0.2)
                return Failed(code="timeout")
            return await PostOffice.send(self, delivery)

    office = Office()
    for receiver in (*stuck, *fine):
        await belfry.ring(1, receiver=receiver)
    async with working(belfry.follower(), belfry.sender({"post": office}, dice=lambda: 1.0)):

        async def served() -> bool:
            return (await belfry.states()).get("delivered") == len(fine)

        await until(served)
    assert {delivery.receiver for delivery in office.sent} == set(fine)


async def test_what_was_delivered_long_ago_is_forgotten(belfry: Belfry) -> None:
    office = PostOffice()
    await belfry.ring(1, 2, receiver=new_id())
    async with working(belfry.follower(), belfry.sender({"post": office})):
        await until(belfry.settled)
    await belfry.pool.execute("update delivery set settled_at = settled_at - interval '31 days' where position = 1")
    await belfry.pool.execute("update delivery set state = 'dead' where position = 2")
    assert await outbox.forget(belfry.pool, "dead", 30) == 0, "it is not as old"
    assert await outbox.forget(belfry.pool, "delivered", 30) == 1
    assert await belfry.states() == {"dead": 1}
    assert await outbox.forget(belfry.pool, "dead", 0) == 1
