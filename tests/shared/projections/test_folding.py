"""Projections follow their log exactly: rows and checkpoint together, whatever dies in between, whoever else tries."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from shared.domain.context import Company
from shared.events.envelope import Envelope
from shared.eventstore.log import Page, Progress
from shared.following.checkpoints import Superseded
from shared.following.stored_events import envelope_of
from shared.projections import builds
from shared.projections.folding import Folding, Target
from shared.projections.projection import Projection, ProjectionDatabase
from tests.shared.projections.conftest import Depot, caught_up, working
from tests.shared.projections.depot import DDL, ParcelPosted, fold_parcels, parcels, totals


async def parcels_with_scans(depot: Depot, scans: Sequence[int]) -> list[tuple[Any, int]]:
    """Parcels that were scanned so often, in turns; what the projection has to show."""
    ids = [await depot.post() for _ in scans]
    for turn in range(max(scans)):
        for parcel_id, times in zip(ids, scans, strict=True):
            if turn < times:
                await depot.scan(parcel_id)
    return sorted(zip(ids, scans, strict=True))


async def shown(depot: Depot) -> list[tuple[Any, int]]:
    return [(row["parcel_id"], row["scans"]) for row in await depot.table("parcels")]


async def target_of(depot: Depot, projection: Projection, fencing_token: int = 1) -> Target:
    (build,) = await builds.builds_of_projections(depot.pool, "serving", [projection.name])
    return Target(projection=projection, build=build, types=projection.types, fencing_token=fencing_token)


async def test_every_projection_holds_every_event_of_its_log(depot: Depot) -> None:
    wanted = await parcels_with_scans(depot, [0, 3, 1])
    projections = parcels(), totals()
    async with working(depot.runner(*projections)):
        await caught_up(depot, *projections)
        more = await depot.post()
        await caught_up(depot, *projections)
    assert await shown(depot) == sorted([*wanted, (more, 0)])
    assert (await depot.table("totals", "total", "events, 1"))[0]["events"] == 8


async def test_a_reader_sees_position_time_and_rows_of_one_moment(depot: Depot) -> None:
    parcel_id = await depot.post()
    position = await depot.scan(parcel_id)
    projection = parcels()
    async with working(depot.runner(projection)):
        await caught_up(depot, projection)
    async with depot.reading(projection) as reading:
        db = reading(projection)
        before = await db.fetchval("select scans from {view}.parcel")
        later = await depot.scan(parcel_id)
        async with working(depot.runner(projection)):
            await caught_up(depot, projection)
        assert (db.position, await db.fetchval("select scans from {parcels}.parcel"), before) == (position, 1, 1)
        assert db.as_of is not None
        assert db.parked == reading.parked == 0
        assert [fact.sequence for fact in await db.history([parcel_id])] == [1, 2]
    async with depot.reading(projection) as reading:
        assert reading.position == later
        assert [len(part) async for part in reading(projection).scan("parcel")] == [3]


async def test_rows_and_mark_are_committed_together(depot: Depot) -> None:
    """The connection dies when the rows are written and the checkpoint is not yet: neither is there."""
    await depot.post()

    async def dies(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
        await fold_parcels(db, events)
        await db.execute("select pg_terminate_backend(pg_backend_pid())")

    projection = Projection(name="parcels", version=1, ddl=DDL, apply=dies, events=(ParcelPosted,))
    await depot.prepare(projection)
    folding = Folding(depot.pool, depot.log, Company())
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await folding.fold([await target_of(depot, projection)], Progress(0), await depot.log.read(0, 10))
    assert await shown(depot) == []
    assert (await target_of(depot, projection)).build.position == 0
    assert await depot.pool.fetchval("select count(*) from parked_sequence") == 0

    sound = parcels()
    async with working(depot.runner(sound)):
        await caught_up(depot, sound)
    assert len(await shown(depot)) == 1


async def test_a_runner_killed_at_any_moment_resumes_exactly(depot: Depot) -> None:
    chance = random.Random(7)
    wanted = await parcels_with_scans(depot, [chance.randrange(12) for _ in range(25)])
    projection = parcels()
    await depot.prepare(projection)
    for _ in range(25):
        task = asyncio.create_task(depot.runner(projection, page=5).run(asyncio.Event()))
        await asyncio.sleep(chance.uniform(0.002, 0.06))
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    async with working(depot.runner(projection, page=5)):
        await caught_up(depot, projection)
    assert await shown(depot) == wanted


async def test_two_processes_never_apply_an_event_twice(depot: Depot, other: Depot) -> None:
    wanted = await parcels_with_scans(depot, [4] * 20)
    projection = parcels()
    async with working(depot.runner(projection, page=3), other.runner(projection, page=3)):
        late = await other.post()
        await caught_up(depot, projection)
    assert await shown(depot) == sorted([*wanted, (late, 0)])


async def test_a_leader_that_was_frozen_changes_nothing(depot: Depot, other: Depot) -> None:
    await depot.post()
    projection = parcels()
    await depot.prepare(projection)
    target, page = await target_of(depot, projection), await depot.log.read(0, 10)
    await Folding(other.pool, other.log, Company()).fold([replace(target, fencing_token=2)], Progress(0), page)
    frozen = Folding(depot.pool, depot.log, Company())
    with pytest.raises(Superseded):  # at the page that the other one has done
        await frozen.fold([target], Progress(0), page)
    with pytest.raises(Superseded):  # at a place that would fit, but in a fencing token that is over
        await frozen.fold([target], page.end, Page(events=[], upto=page.upto + 1))
    assert len(await shown(depot)) == 1


async def test_events_that_change_nothing_are_passed_over_by_who_leads(depot: Depot, other: Depot) -> None:
    parcel_id = await depot.post()
    position = await depot.scan(parcel_id)
    projection = Projection(name="posts", version=1, ddl=DDL, apply=fold_parcels, events=(ParcelPosted,))
    await depot.prepare(projection)
    target, posted, scanned = (
        await target_of(depot, projection),
        await depot.log.read(0, 1),
        await depot.log.read(1, 10),
    )
    first, second = (Folding(each.pool, each.log, Company()) for each in (depot, other))
    await first.fold([target], Progress(0), posted)
    await second.fold([replace(target, fencing_token=2)], Progress(1), scanned)
    assert (await target_of(depot, projection)).build.position == position
    async with depot.reading(projection) as reading:
        assert reading.as_of == envelope_of(scanned.events[-1]).recorded_at
    for frozen, fencing_token in ((first, 1), (second, 2)):
        with pytest.raises(Superseded):
            await frozen.fold([replace(target, fencing_token=fencing_token)], Progress(1), scanned)


async def test_a_new_projection_reads_the_whole_log_while_others_go_on(depot: Depot) -> None:
    await parcels_with_scans(depot, [2, 2])
    first, second = parcels(), totals()
    async with working(depot.runner(first)):
        await caught_up(depot, first)
    async with working(depot.runner(first, second)):
        await caught_up(depot, first, second)
    assert (await depot.table("totals", "total", "events, 1"))[0]["events"] == 6


def test_a_projection_needs_a_name_that_is_one_of_a_schema() -> None:
    with pytest.raises(ValueError, match="no name of a projection"):
        Projection(name="Deals; drop", version=1, ddl="", apply=fold_parcels)
