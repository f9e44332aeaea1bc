"""A projection is built anew beside the build that serves, and takes over without a gap."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from shared.domain.context import Company
from shared.events.envelope import Envelope
from shared.kafka import republishing
from shared.kafka.republishing import generation
from shared.ops.health import Kind
from shared.ops.ids import new_id
from shared.projections import builds
from shared.projections.builds import request_rebuild
from shared.projections.projection import Projection, ProjectionDatabase, revision_of
from shared.projections.read_snapshot import NotBuilt
from shared.testing.transactions import long_transaction
from tests.shared.projections.conftest import Depot, caught_up, until, working
from tests.shared.projections.depot import OrderPaid, parcels, totals


class Watcher:
    """Somebody who reads all the time. A read that fails, or steps back, fails the test."""

    def __init__(self, depot: Depot, projection: Projection, parcel_id: UUID) -> None:
        self._projections = depot.projections(projection)
        self._projection = projection
        self._parcel = parcel_id
        self.reads = 0
        self.schemas: set[str] = set()

    async def watch(self, stop: asyncio.Event) -> None:
        position, scans, as_of = -1, -1, None
        while not stop.is_set():
            async with self._projections.reading([self._projection.name]) as reading:
                db = reading(self._projection)
                now = await db.fetchval("select scans from {view}.parcel where parcel_id = $1", self._parcel) or 0
            assert db.position >= position, "the mark went back"
            assert now >= scans, "the rows went back"
            assert as_of is None or (db.as_of is not None and db.as_of >= as_of), "as_of went back"
            position, scans, as_of = db.position, now, db.as_of
            self.reads += 1
            self.schemas.add(db.schemas["view"])


async def scan_until(depot: Depot, parcel_id: UUID, stop: asyncio.Event) -> int:
    """A stream of commands; how many there were."""
    count = 0
    while not stop.is_set():
        await depot.scan(parcel_id)
        count += 1
        await asyncio.sleep(0.002)
    return count


async def version_serves(depot: Depot, version: int, build: int) -> bool:
    serving = await builds.builds_of_projections(depot.pool, "serving", ["parcels"])
    return (version, build) in [(one.version, one.build) for one in serving]


async def test_a_rebuild_takes_over_under_traffic_and_reads_never_fail(depot: Depot) -> None:
    parcel_id = await depot.post()
    await depot.scan(parcel_id, 100)
    projection = parcels()
    stop = asyncio.Event()
    watcher = Watcher(depot, projection, parcel_id)
    async with working(depot.runner(projection, build_page=25)):
        await caught_up(depot, projection)
        watching = asyncio.create_task(watcher.watch(stop))
        scanning = asyncio.create_task(scan_until(depot, parcel_id, stop))
        assert await request_rebuild(depot.pool, "parcels")
        await until(lambda: version_serves(depot, 1, 2))
        reads = watcher.reads

        async def read_after_the_switch() -> bool:
            return watcher.reads > reads + 20

        await until(read_after_the_switch)
        stop.set()
        await watching
        scans = 100 + await scanning
        await caught_up(depot, projection)
    assert [row["scans"] for row in await depot.table("parcels")] == [scans]
    assert watcher.schemas == {"parcels_1", "parcels_2"}


async def test_a_rebuild_is_asked_for_from_any_process(depot: Depot, other: Depot) -> None:
    projection = parcels()
    parcel_id = await depot.post()
    async with working(depot.runner(projection)):
        await caught_up(depot, projection)
        await depot.pool.execute("update parcels_1.parcel set weight = 17")
        assert await request_rebuild(other.pool, "parcels")
        await until(lambda: version_serves(depot, 1, 2))
    assert [tuple(row) for row in await depot.table("parcels")] == [(parcel_id, 1, 0)]


async def test_one_build_at_a_time(depot: Depot) -> None:
    projection = parcels()
    await depot.prepare(projection)
    assert await request_rebuild(depot.pool, "parcels")
    assert not await request_rebuild(depot.pool, "parcels")


BUILT = "select coalesce(max(scan_sequence), max(position), 0) from mark where name = 'parcels_2'"


async def test_an_interrupted_build_goes_on_where_it_was(depot: Depot) -> None:
    parcel_id = await depot.post()
    await depot.scan(parcel_id, 30)
    first, second = parcels(), parcels(version=2)
    async with working(depot.runner(first)):
        await caught_up(depot, first)
    await depot.prepare(second)
    await depot.pool.execute("update parcels_2.parcel set scans = 0")

    async def slowly(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
        await asyncio.sleep(0.05)
        await second.apply(db, events)

    slow = replace(second, apply=slowly)
    position = 0
    for _ in range(3):
        task = asyncio.create_task(depot.runner(slow, build_page=2).run(asyncio.Event()))

        async def went_on(before: int = position) -> bool:
            return bool(await depot.pool.fetchval(BUILT) > before)

        await until(went_on)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        position = await depot.pool.fetchval(BUILT)
        assert not await version_serves(depot, 2, 2), "it was not interrupted"
    async with working(depot.runner(second)):
        await until(lambda: version_serves(depot, 2, 2))
    assert [row["scans"] for row in await depot.table("parcels")] == [30]


async def test_an_old_build_is_dropped_once_nobody_can_be_reading_it(depot: Depot) -> None:
    projection = parcels()
    await depot.prepare(projection)
    async with working(depot.runner(projection)):
        assert await request_rebuild(depot.pool, "parcels")
        await until(lambda: version_serves(depot, 1, 2))
        assert await depot.pool.fetchval("select to_regclass('parcels_1.parcel') is not null")
        await depot.pool.execute("update view_build set retired_at = retired_at - interval '61 seconds'")

        async def dropped() -> bool:
            return await depot.pool.fetchval("select to_regnamespace('parcels_1') is null") is True

        await until(dropped)
    assert await depot.pool.fetchval("select array_agg(name) from mark") == ["parcels_2"]


async def test_a_reader_of_an_old_build_keeps_it_and_ends_no_worker(depot: Depot) -> None:
    projection = parcels()
    await depot.prepare(projection)
    async with working(depot.runner(projection)):
        assert await request_rebuild(depot.pool, "parcels")
        await until(lambda: version_serves(depot, 1, 2))
    await depot.pool.execute("update view_build set retired_at = retired_at - interval '61 seconds'")
    async with depot.pool.acquire() as reader, long_transaction(reader):
        await reader.fetch("select * from parcels_1.parcel")
        await builds.drop_old(depot.pool, ["parcels"], "log", ["parcels"])
        assert await depot.pool.fetchval("select state from view_build where build = 1") == "retired"
    await builds.drop_old(depot.pool, ["parcels"], "log", ["parcels"])
    assert await depot.pool.fetchval("select state from view_build where build = 1") == "dropped"


async def test_what_need_not_wait_for_a_build_does_not(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a build catches up for long, the others are measured, redriven and dropped."""
    parcel_id = await depot.post()
    await depot.scan(parcel_id, 100)
    first, looks = parcels(), []
    async with working(depot.runner(first)):
        await caught_up(depot, first)
    monkeypatch.setattr("shared.projections.runner.LOOK_SECONDS", 0.05)
    measured = depot.health.lag

    async def slowly(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
        await asyncio.sleep(0.01)
        await first.apply(db, events)

    def lag(kind: Kind, name: str, *, events: int, seconds: float) -> None:
        looks.append(events)
        measured(kind, name, events=events, seconds=seconds)

    monkeypatch.setattr(type(depot.health), "lag", lambda _self, kind, name, **more: lag(kind, name, **more))
    assert await request_rebuild(depot.pool, "parcels")
    async with working(depot.runner(replace(first, apply=slowly), build_page=1)):
        await until(lambda: version_serves(depot, 1, 2))
    assert len(looks) > 3, "nothing was measured while the build caught up"


async def test_a_build_that_lacks_more_than_the_serving_one_does_not_take_over(depot: Depot) -> None:
    poisoned = await depot.post(weight=13)
    first = parcels()
    worse = parcels(version=2, fails=lambda event: getattr(event, "weight", 0) == 13)
    async with working(depot.runner(first)):
        await caught_up(depot, first)
    async with working(depot.runner(first), depot.runner(worse)):

        async def parked() -> bool:
            return bool(await depot.pool.fetchval("select aggregate_id from parked_event") == poisoned)

        await until(parked)
        await depot.post()
        await caught_up(depot, first)

        async def built() -> bool:
            (building,) = await builds.builds_of_projections(depot.pool, "building", ["parcels"])
            return building.position == await depot.log.head()

        await until(built)
        assert not await version_serves(depot, 2, 2)
    async with working(depot.runner(parcels(version=3))):
        await until(lambda: version_serves(depot, 3, 3))


async def test_a_build_that_was_retired_meanwhile_takes_over_from_no_other(depot: Depot) -> None:
    projection = parcels(version=2)
    await depot.prepare(parcels())
    await depot.prepare(projection)
    (second,) = await builds.builds_of_projections(depot.pool, "building", ["parcels"])
    async with depot.pool.acquire() as connection, connection.transaction():
        await builds.start_over(connection, [projection], Company())
    assert not await builds.switch(depot.pool, second, level=True)
    assert await builds.builds_of_projections(depot.pool, "serving", ["parcels"]) == []
    (third,) = await builds.builds_of_projections(depot.pool, "building", ["parcels"])
    assert (third.version, third.build) == (2, 3)


async def test_nothing_serves_of_a_journal_that_is_read_again_before_it_is_complete(depot: Depot) -> None:
    """Neither the build that starts over, nor what a process makes that starts meanwhile, of any release; however level
    a build is with a journal of which half is missing."""
    projection = totals("journal")
    await depot.prepare(projection)
    await depot.receive(1, *(OrderPaid(order_id=new_id(), weight=1) for _ in range(3)))
    async with working(depot.runner(projection, source="journal")):
        await caught_up(depot, projection)
    await emptied(depot, projection)
    number = await generation(depot.pool)
    assert await republishing.completed(depot.pool) is None
    await depot.prepare(projection, replace(projection, version=2))
    await depot.receive(1, OrderPaid(order_id=new_id(), weight=1))
    with pytest.raises(NotBuilt, match="throughline republish"):
        async with depot.reading(projection):
            pass
    async with working(depot.runner(projection, source="journal")):

        async def level() -> bool:
            (building,) = await of_version(depot, 1)
            return building.position == await depot.journal.head()

        await until(level)
        (building,) = await of_version(depot, 1)
        assert not await builds.switch(depot.pool, building, level=True), "half a journal is no end to be level with"
        await republishing.complete(depot.pool, number - 1)
        assert not await builds.switch(depot.pool, building, level=True), "that was of the time before"
        await depot.receive(2, *(OrderPaid(order_id=new_id(), weight=1) for _ in range(2)))
        await republishing.complete(depot.pool, number)
        await caught_up(depot, projection)
    async with depot.reading(projection) as reading:
        assert await reading(projection).fetchval("select events from {view}.total") == 3
    assert await builds.builds_of_projections(depot.pool, "building", ["totals"]) != [], (
        "of version 2, which nobody folds"
    )


async def test_a_build_that_lags_behind_what_was_read_again_does_not_serve(depot: Depot) -> None:
    """That it was level was found before the last of it arrived; and a process that starts now makes no empty one."""
    projection = totals("journal")
    await depot.prepare(projection)
    await emptied(depot, projection)
    number = await generation(depot.pool)
    (building,) = await of_version(depot, 1)
    await depot.receive(1, OrderPaid(order_id=new_id(), weight=1))
    await republishing.complete(depot.pool, number)
    assert not await builds.switch(depot.pool, building, level=True)
    await depot.prepare(replace(projection, version=2))
    assert await builds.builds_of_projections(depot.pool, "serving", ["totals"]) == []
    async with working(depot.runner(projection, source="journal")):
        await caught_up(depot, projection)


async def test_a_process_of_an_older_release_lets_nothing_serve_either(depot: Depot) -> None:
    """It writes what it always wrote, without a look at the journal."""
    projection = totals("journal")
    await depot.prepare(projection)
    await emptied(depot, projection)
    revision = revision_of(replace(projection, version=0), depot.company)
    old = "insert into view_build (view, build, version, revision, source, state, served_at) values"
    await depot.pool.execute(f"{old} ('totals', 9, 0, '{revision}', 'journal', 'serving', clock_timestamp())")
    updated = await depot.pool.execute("update view_build set state = 'serving' where state = 'building'")
    assert updated == "UPDATE 0"
    rows = await depot.pool.fetch("select state, served_at from view_build where build = 9")
    assert [tuple(row) for row in rows] == [("building", None)]


async def emptied(depot: Depot, projection: Projection) -> None:
    """As `throughline republish --recreate` does it."""
    async with depot.pool.acquire() as connection, connection.transaction():
        await republishing.forget_journal(connection)
        await builds.start_over(connection, [projection], depot.company)


async def of_version(depot: Depot, version: int) -> list[builds.Build]:
    building = await builds.builds_of_projections(depot.pool, "building", ["totals"])
    return [one for one in building if one.version == version]


async def test_builds_that_start_over_fold_everything_again_while_the_runner_works(depot: Depot) -> None:
    parcel_id = await depot.post()
    await depot.scan(parcel_id, 5)
    projection = parcels()
    async with working(depot.runner(projection)):
        await caught_up(depot, projection)
        async with depot.pool.acquire() as connection, connection.transaction():
            await builds.start_over(connection, [projection], Company())
        await depot.scan(parcel_id)
        await caught_up(depot, projection)
        assert [row["scans"] for row in await depot.table("parcels")] == [6]


async def test_what_does_not_serve_holds_up_only_who_reads_it(depot: Depot) -> None:
    serving, missing = parcels(), totals()
    await depot.prepare(serving)
    projections = depot.projections(serving, missing)
    async with projections.reading([serving.name]) as reading:
        assert await reading(serving).fetchval("select count(*) from {view}.parcel") == 0
        with pytest.raises(LookupError, match="totals is not among what is said to be read: parcels"):
            reading(missing)
    with pytest.raises(NotBuilt, match="totals"):
        async with projections.reading(projections.every):
            pass
    with pytest.raises(NotBuilt, match="totals"):
        await projections.lookup(serving, "select 1 from {view}.parcel, {totals}.total")


async def test_a_look_up_finds_a_projection_as_soon_as_it_serves(depot: Depot) -> None:
    """That none serves is not remembered: whoever was told that everything serves again asks at once."""
    projection = parcels()
    await depot.prepare(projection)
    projections, asked = depot.projections(projection), "select count(*) as parcels from {view}.parcel"
    await depot.pool.execute("update view_build set state = 'building'")
    with pytest.raises(NotBuilt):
        await projections.lookup(projection, asked)
    await depot.pool.execute("update view_build set state = 'serving'")
    assert [row["parcels"] for row in await projections.lookup(projection, asked)] == [0]
