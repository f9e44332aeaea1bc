"""A build that is made beside the serving one reads the history stream by stream, and ends with the same rows."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.context import Company
from shared.events.envelope import Envelope
from shared.eventstore.log import Page, StreamScan
from shared.following import dead_letters
from shared.following.checkpoints import Superseded
from shared.following.stored_events import envelope_of
from shared.projections import builds
from shared.projections.builds import request_rebuild
from shared.projections.folding import Folding, Target
from shared.projections.projection import Projection, ProjectionDatabase, indices, revision_of
from tests.shared.projections.conftest import Depot, caught_up, until, working
from tests.shared.projections.depot import ParcelPosted, parcels, totals

INDEXED = indices(parcel=("(weight)",), history=("(number)", "(parcel_id) where number > 3"))
INDICES = "select count(*) from pg_indexes where schemaname = 'parcels_2' and indexname ~ '_[0-9]+$'"


async def some_parcels(depot: Depot, scans: Sequence[int]) -> list[tuple[Any, int]]:
    """Parcels that were scanned so often, in turns; what the projection has to show."""
    ids = [await depot.post() for _ in scans]
    for turn in range(max(scans)):
        for parcel_id, times in zip(ids, scans, strict=True):
            if turn < times:
                await depot.scan(parcel_id)
    return sorted(zip(ids, scans, strict=True))


async def second_serves(depot: Depot) -> bool:
    return [each.build for each in await builds.builds_of_projections(depot.pool, "serving", ["parcels"])] == [2]


async def shown(depot: Depot, build: int) -> list[tuple[Any, int]]:
    rows = await depot.pool.fetch(f"select parcel_id, scans from parcels_{build}.parcel order by 1")
    return [tuple(row) for row in rows]


async def building(depot: Depot, projection: Projection) -> Target:
    (build,) = await builds.builds_of_projections(depot.pool, "building", [projection.name])
    return Target(projection=projection, build=build, types=projection.types, fencing_token=1)


async def pages_of(depot: Depot, limit: int, types: frozenset[str] | None = None) -> list[Page]:
    scan: StreamScan | None = await depot.log.begin_streams()
    pages = []
    while scan:
        page = await depot.log.read_streams(scan, limit, types)
        pages.append(page)
        scan = page.scan
    return pages


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 8, 100])
async def test_a_scan_gives_each_stream_whole_unless_it_is_longer_than_a_page(depot: Depot, limit: int) -> None:
    wanted = await some_parcels(depot, [0, 7, 2, 4])
    pages = await pages_of(depot, limit)

    told = [[(fact.aggregate_id, fact.sequence) for fact in map(envelope_of, page.events)] for page in pages]
    assert sorted(each for page in told for each in page) == [
        (parcel_id, sequence) for parcel_id, scans in wanted for sequence in range(1, scans + 2)
    ]
    for parcel_id, scans in wanted:
        parts = [[sequence for one, sequence in page if one == parcel_id] for page in told]
        assert [sequence for part in parts for sequence in part] == list(range(1, scans + 2))
        assert len([part for part in parts if part]) == 1 or scans + 1 > limit
    for page in pages:
        positions = [fact.position for fact in map(envelope_of, page.events)]
        assert positions == sorted(positions), "not in the order of the log"
    head = await depot.log.head()
    assert [page.upto for page in pages] == [*[0] * (len(pages) - 1), head]


async def test_a_scan_ends_where_the_log_ended_when_it_began(depot: Depot) -> None:
    parcel_id = await depot.post()
    scan = await depot.log.begin_streams()
    await depot.scan(parcel_id)
    await depot.post()
    page = await depot.log.read_streams(scan, 100)
    assert ([fact.sequence for fact in map(envelope_of, page.events)], page.upto, page.scan) == ([1], scan.upto, None)


async def test_a_scan_of_types_gives_no_others_and_comes_to_the_same_end(depot: Depot) -> None:
    await some_parcels(depot, [3, 3, 3])
    pages = await pages_of(depot, 2, frozenset({"depot.parcel-posted"}))
    assert [fact.sequence for page in pages for fact in map(envelope_of, page.events)] == [1, 1, 1]
    assert pages[-1].upto == await depot.log.head()


async def test_a_build_killed_in_a_scan_goes_on_there_and_ends_with_the_rows_of_the_serving_one(depot: Depot) -> None:
    wanted = await some_parcels(depot, [5, 0, 9, 3, 3, 1, 4, 2])
    first = parcels()
    async with working(depot.runner(first)):
        await caught_up(depot, first)
    assert await request_rebuild(depot.pool, "parcels")
    seen: list[int] = []

    async def slowly(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
        seen.extend(event.position for event in events)
        await asyncio.sleep(0.02)
        await first.apply(db, events)

    slow, done = replace(first, apply=slowly), "select scan_aggregate_id from mark where name = 'parcels_2'"
    reached = None
    for _ in range(3):
        task = asyncio.create_task(depot.runner(slow, build_page=4).run(asyncio.Event()))

        async def went_on(before: Any = reached) -> bool:
            return await depot.pool.fetchval(done) not in (before, None)

        await until(went_on)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        reached = await depot.pool.fetchval(done)
        assert not await second_serves(depot), "it was not interrupted"
    more = await depot.post()
    async with working(depot.runner(slow, build_page=4)):
        await until(lambda: second_serves(depot))
        await caught_up(depot, first)
    assert await shown(depot, 2) == sorted([*wanted, (more, 0)])
    assert len(seen) < 2 * await depot.log.head(), "it began anew each time"
    assert await depot.pool.fetchval(done) is None


async def test_what_comes_while_streams_are_read_is_folded_afterwards(depot: Depot) -> None:
    wanted = await some_parcels(depot, [2, 2, 2])
    first, come = parcels(), dict(wanted)
    async with working(depot.runner(first)):
        await caught_up(depot, first)
    assert await request_rebuild(depot.pool, "parcels")

    async def meanwhile(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
        await first.apply(db, events)
        if len(come) == len(wanted):
            for parcel_id in list(come):
                await depot.scan(parcel_id)
                come[parcel_id] += 1
            come[await depot.post()] = 0

    async with working(depot.runner(replace(first, apply=meanwhile), build_page=3)):
        await until(lambda: second_serves(depot))
        await caught_up(depot, first)
    assert await shown(depot, 2) == sorted(come.items())


async def test_a_build_is_as_current_as_the_one_that_it_replaces(depot: Depot) -> None:
    """By the last event of whatever type: nothing of its own may have happened for long."""
    await some_parcels(depot, [1])
    later = "update event set recorded_at = recorded_at + interval '1 day' where type = 'depot.parcel-scanned'"
    await depot.pool.execute("alter table event disable trigger user")  # the log is append-only
    assert await depot.pool.execute(later) == "UPDATE 1"
    opened = Projection(name="opened", version=1, ddl=totals().ddl, apply=totals().apply, events=(ParcelPosted,))
    async with working(depot.runner(opened)):
        await caught_up(depot, opened)
        async with depot.reading(opened) as reading:
            before = reading.as_of
        assert await request_rebuild(depot.pool, "opened")

        async def replaced() -> bool:
            return bool(await depot.pool.fetchval("select build from view_build where state = 'serving'") == 2)

        await until(replaced)
        async with depot.reading(opened) as reading:
            assert reading.as_of == before


async def test_indices_are_made_after_the_history_and_before_it_serves(depot: Depot) -> None:
    await some_parcels(depot, [2, 4])
    first = replace(parcels(), indices=INDEXED)
    made: list[int] = []

    async def counting(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
        made.append(await depot.pool.fetchval(INDICES))
        await parcels().apply(db, events)

    async with working(depot.runner(first)):
        await caught_up(depot, first)
        assert await depot.pool.fetchval(INDICES.replace("parcels_2", "parcels_1")) == 3, "a first build has them"
    assert await request_rebuild(depot.pool, "parcels")
    async with working(depot.runner(replace(first, apply=counting), build_page=3)):
        await until(lambda: second_serves(depot))
        assert await depot.pool.fetchval(INDICES) == 3
    assert set(made) == {0}


async def test_a_build_gives_a_fold_as_many_pages_at_once_as_it_takes(depot: Depot) -> None:
    await some_parcels(depot, [1] * 12)
    first = parcels()
    async with working(depot.runner(first)):
        await caught_up(depot, first)
    assert await request_rebuild(depot.pool, "parcels")
    sizes: list[int] = []

    async def counting(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
        sizes.append(len(events))
        await first.apply(db, events)

    async with working(depot.runner(replace(first, apply=counting, pages_at_once=3), build_page=4)):
        await until(lambda: second_serves(depot))
    assert sizes == [10, 10, 4], "whole streams of two events, and the last of each page is left for the next"


async def test_a_build_of_an_empty_log_serves_with_its_indices(depot: Depot) -> None:
    projection = replace(parcels(), indices=INDEXED)
    await depot.prepare(projection)
    assert await request_rebuild(depot.pool, "parcels")
    async with working(depot.runner(projection)):
        await until(lambda: second_serves(depot))
    assert await depot.pool.fetchval(INDICES) == 3


async def test_a_poison_in_a_scan_is_parked_alone(depot: Depot) -> None:
    bad = await depot.post(weight=13)
    wanted = await some_parcels(depot, [1, 2, 0, 3])
    await depot.scan(bad)
    first = parcels()
    async with working(depot.runner(first)):
        await caught_up(depot, first)
    broken = parcels(fails=lambda event: getattr(event, "weight", 0) == 13)
    assert await request_rebuild(depot.pool, "parcels")
    async with working(depot.runner(broken, build_page=5)):

        async def folded() -> bool:
            found = await builds.builds_of_projections(depot.pool, "building", ["parcels"])
            return [build.position for build in found] == [await depot.log.head()]

        await until(folded)
    (parked,) = await dead_letters.parked(depot.pool)
    assert (parked.runner, parked.aggregate_id, parked.events) == ("parcels_2", bad, 2)
    assert await shown(depot, 2) == wanted
    await dead_letters.request_redrive(depot.pool)
    async with working(depot.runner(first)):
        await until(lambda: second_serves(depot))
    assert await shown(depot, 2) == sorted([*wanted, (bad, 1)])


async def test_who_was_frozen_in_a_scan_changes_nothing(depot: Depot, other: Depot) -> None:
    await some_parcels(depot, [1, 2, 3])
    projection = parcels()
    await depot.prepare(projection)
    assert await request_rebuild(depot.pool, "parcels")
    await depot.prepare(projection)
    target = await building(depot, projection)
    scan = await depot.log.begin_streams()
    page = await depot.log.read_streams(scan, 3)
    awake, frozen = (Folding(each.pool, each.log, Company()) for each in (other, depot))
    await awake.fold_alone(target, target.build.progress, page)
    assert (await building(depot, projection)).build.progress == page.end
    with pytest.raises(Superseded):  # at streams that are done
        await frozen.fold_alone(target, target.build.progress, page)
    following = await depot.log.read_streams(page.scan or scan, 100)
    await awake.fold_alone(replace(target, fencing_token=2), page.end, following)
    assert (await building(depot, projection)).build.progress == following.end


async def test_only_a_build_that_does_not_serve_leaves_the_disk_for_later(depot: Depot) -> None:
    await some_parcels(depot, [1, 1])
    first, modes = parcels(), set[tuple[str, str]]()

    async def watched(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
        modes.add((db.schemas["view"], await db.fetchval("show synchronous_commit")))
        await first.apply(db, events)

    watching = replace(first, apply=watched)
    assert revision_of(watching, Company()) == revision_of(first, Company())
    async with working(depot.runner(watching)):
        await caught_up(depot, watching)
        assert await request_rebuild(depot.pool, "parcels")
        await until(lambda: second_serves(depot))
        await depot.post()
        await caught_up(depot, watching)
    assert modes == {("parcels_1", "on"), ("parcels_2", "off"), ("parcels_2", "on")}


async def test_streams_that_cannot_be_read_ahead_are_read_once_more_and_none_is_lost(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page before is folded; the next leader goes on behind it."""
    wanted = await some_parcels(depot, [3, 1, 2, 2, 4])
    first, reads = parcels(), list[StreamScan]()
    async with working(depot.runner(first)):
        await caught_up(depot, first)
    assert await request_rebuild(depot.pool, "parcels")
    read_streams = type(depot.log).read_streams

    async def fails_once(log: Any, scan: StreamScan, *more: Any) -> Page:
        reads.append(scan)
        if len(reads) == 2:
            await log._pool.execute("select pg_terminate_backend(pg_backend_pid())")
        return await read_streams(log, scan, *more)

    monkeypatch.setattr(type(depot.log), "read_streams", fails_once)
    with pytest.raises(ExceptionGroup):
        await depot.runner(first, build_page=4).run(asyncio.Event())
    monkeypatch.undo()
    reached = await depot.pool.fetchrow("select scan_aggregate_id, scan_sequence from mark where name = 'parcels_2'")
    assert reached is not None
    assert tuple(reached) == (reads[1].aggregate_id, reads[1].sequence), "what was at hand was not folded"
    async with working(depot.runner(first, build_page=4)):
        await until(lambda: second_serves(depot))
    assert await shown(depot, 2) == wanted
