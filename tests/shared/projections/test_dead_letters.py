"""A poison parks the sequence of its aggregate and only that; redriven, it comes back in order."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from shared.events.envelope import Envelope
from shared.following import dead_letters
from shared.following.dead_letters import parked, request_redrive
from shared.ops.ids import new_id
from shared.projections.projection import Projection, ProjectionDatabase
from shared.testing.transactions import long_transaction
from tests.shared.projections.conftest import Depot, caught_up, until, working
from tests.shared.projections.depot import OrderPaid, OrderPraised, ParcelScanned, fold_parcels, parcels, totals


class Mistake:
    """A mistake in a fold, which can be mended: it cannot take the third scan of one parcel."""

    def __init__(self, parcel_id: UUID) -> None:
        self.parcel_id = parcel_id
        self.mended = False

    def __call__(self, event: Any) -> bool:
        third = isinstance(event, ParcelScanned) and event.parcel_id == self.parcel_id and event.number == 3
        return third and not self.mended


async def released(depot: Depot) -> bool:
    return not await parked(depot.pool)


async def scans_of(depot: Depot) -> dict[UUID, int]:
    return {row["parcel_id"]: row["scans"] for row in await depot.table("parcels")}


async def never_again(depot: Depot) -> None:
    """No attempt happens by itself any more."""
    await depot.pool.execute("update parked_sequence set next_attempt_at = null")


async def test_only_the_sequence_of_the_poison_is_parked(depot: Depot) -> None:
    ids = [await depot.post() for _ in range(8)]
    for _ in range(5):
        for parcel_id in ids:
            await depot.scan(parcel_id)
    mistake = Mistake(ids[3])
    projection, total = parcels(fails=mistake), totals()
    async with working(depot.runner(projection, total)):
        await caught_up(depot, projection, total)
        await never_again(depot)
        await depot.scan(ids[3])
        await depot.scan(ids[4])
        await caught_up(depot, projection, total)
    (waiting,) = await parked(depot.pool)
    assert (waiting.runner, waiting.aggregate_id, waiting.events) == ("parcels_1", ids[3], 4)
    assert waiting.error == "RuntimeError: this fold has a mistake"
    assert await scans_of(depot) == dict.fromkeys(ids, 5) | {ids[3]: 2, ids[4]: 6}
    assert (await depot.table("totals", "total", "events, 1"))[0]["events"] == 8 * 6 + 2
    async with depot.reading(projection, total) as reading:
        assert (reading(projection).parked, reading(total).parked, reading.parked) == (4, 0, 4)


async def test_a_redriven_sequence_comes_back_in_order(depot: Depot, other: Depot) -> None:
    parcel_id = await depot.post()
    await depot.scan(parcel_id, 6)
    mistake = Mistake(parcel_id)
    projection = parcels(fails=mistake)
    async with working(depot.runner(projection)):
        await caught_up(depot, projection)
        await never_again(depot)
        mistake.mended = True
        assert await request_redrive(other.pool, "parcels_1", parcel_id) == 1
        await until(lambda: released(depot))
        await depot.scan(parcel_id)
        await caught_up(depot, projection)
    assert await scans_of(depot) == {parcel_id: 7}
    assert [row["number"] for row in await depot.table("parcels", "history")] == [1, 2, 3, 4, 5, 6, 7]


async def test_a_sequence_that_fails_again_stays_and_is_tried_later_each_time(depot: Depot) -> None:
    parcel_id = await depot.post()
    await depot.scan(parcel_id, 4)
    projection = parcels(fails=Mistake(parcel_id))
    async with working(depot.runner(projection)):
        await caught_up(depot, projection)
        await request_redrive(depot.pool)

        async def tried_twice() -> bool:
            return (await parked(depot.pool))[0].attempts >= 2

        await until(tried_twice)
    (waiting,) = await parked(depot.pool)
    assert waiting.events == 2
    delay = "select next_attempt_at > clock_timestamp() + interval '3 seconds' from parked_sequence"
    assert await depot.pool.fetchval(delay)
    assert await scans_of(depot) == {parcel_id: 2}


async def test_parked_events_are_tried_again_by_themselves(depot: Depot) -> None:
    parcel_id = await depot.post()
    await depot.scan(parcel_id, 4)
    mistake = Mistake(parcel_id)
    projection = parcels(fails=mistake)
    async with working(depot.runner(projection)):
        await caught_up(depot, projection)
        mistake.mended = True
        await until(lambda: released(depot))
    assert await scans_of(depot) == {parcel_id: 4}


async def test_what_was_repaired_before_the_next_poison_stays_repaired(depot: Depot) -> None:
    """Of a sequence with two poisons the first is mended: what lies between them leaves the queue."""
    parcel_id = await depot.post()
    await depot.scan(parcel_id, 6)
    mistakes = {2, 5}
    projection = parcels(fails=lambda event: isinstance(event, ParcelScanned) and event.number in mistakes)
    async with working(depot.runner(projection)):
        await caught_up(depot, projection)
        await never_again(depot)
        assert (await parked(depot.pool))[0].events == 5
        mistakes.discard(2)
        await request_redrive(depot.pool)

        async def less() -> bool:
            return (await parked(depot.pool))[0].events == 2

        await until(less)
        mistakes.clear()
        await request_redrive(depot.pool)
        await until(lambda: released(depot))
    assert await scans_of(depot) == {parcel_id: 6}


async def test_a_fold_that_fails_at_everything_stops_instead_of_parking_everything(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "MAX_PARKED", 3)
    for _ in range(5):
        await depot.post()
    broken, total = parcels(fails=lambda _: True), totals()
    async with working(depot.runner(broken, total)):
        await caught_up(depot, total)

        async def reported() -> bool:
            return any(not report.ok and "parcels_1" in report.detail for report in depot.health.workers)

        await until(reported)
        await depot.post()
        await caught_up(depot, total)
    assert await parked(depot.pool) == []
    assert (await depot.table("totals", "total", "events, 1"))[0]["events"] == 6


async def test_a_page_whose_statements_take_too_long_is_folded_in_parts(depot: Depot) -> None:
    """OPS-2: and what alone takes too long is parked, instead of everything waiting for it."""
    slow = await depot.post(weight=13)
    others = [await depot.post() for _ in range(4)]

    async def fold(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
        await db.execute("set local statement_timeout = 200")
        long = len(events) > 2 or any(event.aggregate_id == slow for event in events)
        await db.execute("select pg_sleep($1)", 5.0 if long else 0.0)
        await fold_parcels(db, events)

    projection = replace(parcels(), apply=fold)
    async with working(depot.runner(projection)):
        await caught_up(depot, projection)
    assert set(await scans_of(depot)) == set(others)
    assert [(one.aggregate_id, one.events) for one in await parked(depot.pool)] == [(slow, 1)]


async def test_a_build_that_stood_still_goes_on_once_what_was_in_its_way_is_mended(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was parked, so nothing can be redriven; the build is tried again by itself, and says that it works."""
    monkeypatch.setattr(dead_letters, "MAX_PARKED", 3)
    for _ in range(5):
        await depot.post()
    broken = [True]
    projection = parcels(fails=lambda _: bool(broken))
    async with working(depot.runner(projection)):
        await until(lambda: reports(depot, False))
        broken.clear()
        await until(lambda: reports(depot, True))
        await caught_up(depot, projection)
    assert len(await depot.table("parcels")) == 5


async def test_a_projection_whose_fold_hangs_holds_up_no_other(depot: Depot) -> None:
    """While it tries in vain, for as long as statements may take, all others follow the log and are read."""
    hung, total = asyncio.Event(), totals()

    async def hang(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
        if any(isinstance(fact.data, ParcelScanned) for fact in events):
            if hung.is_set():
                await db.execute("select pg_sleep(60)")
            hung.set()
            raise RuntimeError("this fold has a mistake")

    hanging = replace(parcels(), apply=hang)
    parcel_id = await depot.post()
    async with working(depot.runner(hanging, total)):
        await caught_up(depot, hanging, total)
        await depot.scan(parcel_id)
        await asyncio.wait_for(hung.wait(), 10)
        for _ in range(3):
            await depot.scan(parcel_id)
            await asyncio.wait_for(caught_up(depot, total), 5)
        async with depot.projections(hanging, total).reading([total.name]) as reading:
            assert (reading.position, reading.parked) == (await depot.log.head(), 0)


async def test_a_projection_whose_table_is_locked_holds_up_no_other(depot: Depot) -> None:
    """An operator who mends a table of one read model, or a back-up of it: it waits, and goes on once that is over."""
    locked, total = parcels(), totals()
    async with working(depot.runner(locked, total)):
        await depot.post()
        await caught_up(depot, locked, total)
        async with depot.pool.acquire() as connection, long_transaction(connection):
            await connection.execute("lock table parcels_1.parcel in exclusive mode")
            await depot.post()
            await until(lambda: reports(depot, False))
            await depot.post()
            await asyncio.wait_for(caught_up(depot, total), 5)
            (report,) = (report for report in depot.health.workers if not report.ok)
            assert report.detail == "parcels_1 stands still: it is held up (LockNotAvailableError)"
        await until(lambda: reports(depot, True))
        await caught_up(depot, locked, total)
    assert await parked(depot.pool) == []


async def test_what_is_parked_of_a_locked_table_is_tried_again_once_it_is_free(depot: Depot) -> None:
    """And nobody is held up meanwhile: the runner goes on with all others, and is not ended by it."""
    poison, total = await depot.post(), totals()
    mistake = Mistake(poison)
    broken, tried = parcels(fails=mistake), list[UUID]()

    async def fold(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
        tried.extend(fact.aggregate_id for fact in events)
        await db.execute("set local lock_timeout = 200")
        await broken.apply(db, events)

    locked = replace(broken, apply=fold)
    async with working(depot.runner(locked, total)):
        await depot.scan(poison, 3)
        await caught_up(depot, locked, total)
        assert len(await parked(depot.pool)) == 1
        async with depot.pool.acquire() as connection, long_transaction(connection):
            await connection.execute("lock table parcels_1.history in exclusive mode")
            mistake.mended = True
            tried.clear()
            await request_redrive(depot.pool)

            async def tried_twice() -> bool:
                return tried.count(poison) >= 4

            await until(tried_twice)
            await depot.post()
            await caught_up(depot, total)
        await until(lambda: released(depot))
        await caught_up(depot, locked)
    assert (await scans_of(depot))[poison] == 3


async def test_a_build_that_stood_still_and_was_replaced_stands_still_no_more(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "MAX_PARKED", 3)
    for _ in range(5):
        await depot.post()
    broken = [True]
    projection = parcels(fails=lambda _: bool(broken))
    async with working(depot.runner(projection)):
        await until(lambda: reports(depot, False))
        # A back-off that it does not live to see the end of.
        await depot.pool.execute("update view_build set state = 'retired', retired_at = clock_timestamp()")
        broken.clear()
        await depot.prepare(projection)
        await until(lambda: reports(depot, True))
        await caught_up(depot, projection)


async def test_who_waits_for_all_that_is_shown_does_not_wait_for_what_stands_still(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters, "MAX_PARKED", 3)
    broken = [True]
    standing, total = parcels(fails=lambda _: bool(broken)), totals()
    projections = depot.projections(standing, total)

    async def level() -> bool:
        return await projections.level("log") == await depot.log.head()

    async with working(depot.runner(standing, total)):
        await caught_up(depot, standing, total)
        for _ in range(5):
            await depot.post()
        await until(level)
        async with projections.reading(projections.every) as reading:
            assert reading(standing).position < reading(total).position
        stood = "select count(*) from view_build where stalled_since is not null"
        assert await depot.pool.fetchval(stood) == 1
    async with working(depot.runner(standing, total)):  # whoever leads next knows
        broken.clear()
        await caught_up(depot, standing, total)
        await until(lambda: none_left(depot, stood))


async def none_left(depot: Depot, count: str) -> bool:
    return bool(await depot.pool.fetchval(count) == 0)


async def reports(depot: Depot, ok: bool) -> bool:
    return [report.ok for report in depot.health.workers if report.name == "projections-log"] == [ok]


async def test_a_damaged_record_parks_its_aggregate_where_its_type_is_folded(depot: Depot) -> None:
    damaged, sound = new_id(), new_id()
    await depot.receive_raw(1, damaged, '{"order_id": "nonsense"}')
    await depot.receive(2, OrderPaid(order_id=damaged, weight=1), OrderPaid(order_id=sound, weight=1))
    paid = totals("journal", "paid")
    folding_paid = Projection(
        name="paid", version=1, ddl=paid.ddl, apply=paid.apply, source="journal", events=(OrderPaid,)
    )
    praised = Projection(
        name="praised", version=1, ddl=paid.ddl, apply=paid.apply, source="journal", events=(OrderPraised,)
    )
    async with working(depot.runner(folding_paid, praised, source="journal")):
        await caught_up(depot, folding_paid, praised)
    (waiting,) = await parked(depot.pool)
    assert (waiting.runner, waiting.aggregate_id, waiting.events) == ("paid_1", damaged, 2)
    assert (await depot.table("paid", "total", "events, 1"))[0]["events"] == 1


async def test_a_type_of_a_later_release_is_passed_over(depot: Depot) -> None:
    order_id = new_id()
    await depot.receive(1, OrderPaid(order_id=order_id, weight=1))
    await depot.pool.execute(
        "insert into journal select nextval('journal_position'), topic, partition, 2, aggregate_id, aggregate, 2,"
        " gen_random_uuid(), 'shops.order-dreamt-of', version, occurred_at, recorded_at, actor, correlation_id,"
        " causation_id, imported, traceparent, data from journal"
    )
    projection = totals("journal", "orders")
    async with working(depot.runner(projection, source="journal")):
        await caught_up(depot, projection)
    assert await parked(depot.pool) == []
    assert (await depot.table("orders", "total", "events, 1"))[0]["events"] == 1
