"""Two releases of one service side by side: each reads and folds its own revisions, and no read fails (OPS-2)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest

from shared.domain.context import Company
from shared.events.envelope import Envelope
from shared.ops.ids import new_id
from shared.projections import builds
from shared.projections.consistency import ReadModelBehind
from shared.projections.projection import Projection, ProjectionDatabase, revision_of
from shared.projections.read_snapshot import NotBuilt
from shared.projections.runner import ProjectionRunner
from shared.projections.tokens import PartitionPosition, token_for
from tests.shared.projections.conftest import Depot, caught_up, until, working
from tests.shared.projections.depot import OrderPaid, ParcelPosted, ParcelScanned, depot_reactions, parcels, totals

UNCHANGED = totals()
OLD = parcels()

DDL = """
create table {view}.parcel (id uuid primary key, kilograms integer not null, times integer not null default 0);
"""


async def fold_renamed(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """The columns have other names, and every scan counts twice: what the old fold wrote would show."""
    for fact in events:
        match fact.data:
            case ParcelPosted(parcel_id=parcel_id, weight=weight):
                await db.execute("insert into {view}.parcel (id, kilograms) values ($1, $2)", parcel_id, weight)
            case ParcelScanned(parcel_id=parcel_id):
                await db.execute("update {view}.parcel set times = times + 2 where id = $1", parcel_id)


NEW = Projection(name="parcels", version=2, ddl=DDL, apply=fold_renamed, events=(ParcelPosted, ParcelScanned))
SCANS = {
    1: "select scans from {view}.parcel where parcel_id = $1",
    2: "select times / 2 from {view}.parcel where id = $1",
}


@dataclass
class Reader:
    """Somebody who reads one release all the time. A read that fails, or steps back, fails the test."""

    depot: Depot
    projection: Projection
    parcel: UUID
    reads: int = 0
    scans: int = -1
    seen: tuple[int, int] = (-1, -1)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        projections = self.depot.projections(self.projection, UNCHANGED)
        while not self.stop.is_set():
            async with projections.reading(projections.every) as reading:
                mine, shared = reading(self.projection), reading(UNCHANGED)
                scans = await mine.fetchval(SCANS[self.projection.version], self.parcel) or 0
            (row,) = await projections.lookup(UNCHANGED, "select events from {view}.total")
            positions = mine.position, shared.position
            assert scans >= self.scans, "the rows went back"
            assert positions >= self.seen, "the marks went back"
            assert row["events"] >= 0
            self.seen, self.scans, self.reads = positions, scans, self.reads + 1

    async def has_seen(self, position: int, scans: int) -> bool:
        return min(self.seen) >= position and self.scans == scans


@asynccontextmanager
async def reading(*readers: Reader) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(reader.read()) for reader in readers]
    yield
    for reader in readers:
        reader.stop.set()
    await asyncio.gather(*tasks)


async def serves(depot: Depot, *projections: Projection) -> bool:
    """Whether a process of a release with these projections is ready."""
    try:
        async with depot.reading(*projections):
            return True
    except NotBuilt:
        return False


async def states(depot: Depot) -> list[tuple[int, int, str]]:
    rows = await depot.pool.fetch("select version, build, state from view_build where view = 'parcels' order by build")
    return [tuple(row) for row in rows]


async def leader(depot: Depot, projection: Projection) -> UUID | None:
    """Who holds the lease of a projection's revision."""
    found: UUID | None = await depot.pool.fetchval(
        "select owner from lease where name = $1 and until > clock_timestamp()", revision_of(projection, Company())
    )
    return found


async def kill(work: "asyncio.Task[None]", depot: Depot) -> None:
    """As far as another process can see: no lease is given back, and nothing is written any more."""
    depot.pool.terminate()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def an_hour_passes(depot: Depot) -> None:
    """For builds, and for leases that have ended."""
    await depot.pool.execute("update view_build set created_at = created_at - interval '61 minutes'")
    await depot.pool.execute("update view_build set served_at = served_at - interval '61 minutes'")
    await depot.pool.execute("update lease set until = until - interval '61 minutes' where until < clock_timestamp()")


async def test_two_releases_side_by_side_fold_and_read_their_own(depot: Depot, other: Depot) -> None:
    """Reads of both never fail and never go back; what is new appears in both; each rows are of its own fold."""
    parcel_id = await depot.post()
    await depot.scan(parcel_id, 50)
    old, new = Reader(depot, OLD, parcel_id), Reader(other, NEW, parcel_id)
    async with working(depot.runner(OLD, UNCHANGED)):
        await caught_up(depot, OLD, UNCHANGED)
        before = await leader(depot, UNCHANGED)
        async with reading(old):
            await other.prepare(NEW, UNCHANGED)
            assert not await serves(other, NEW, UNCHANGED)
            scanning = asyncio.create_task(depot.scan(parcel_id, 200))
            async with working(other.runner(NEW, UNCHANGED, build_page=20)):
                await until(lambda: serves(other, NEW, UNCHANGED))
                async with reading(new):
                    position = await scanning
                    await until(lambda: old.has_seen(position, 250))
                    await until(lambda: new.has_seen(position, 250))
                    position = await other.scan(parcel_id)
                    await until(lambda: old.has_seen(position, 251))
                    await until(lambda: new.has_seen(position, 251))
                assert await leader(depot, UNCHANGED) == before, "what both have is led by one of them, all the time"
                assert {await leader(depot, OLD), await leader(depot, NEW)} > {before}
    assert await states(depot) == [(1, 1, "serving"), (2, 2, "serving")]
    total = await depot.pool.fetch("select events from totals_1.total")
    assert [row["events"] for row in total] == [252], "folded by both, or by none"
    assert min(old.reads, new.reads) > 2
    assert await depot.pool.fetchval("select count(*) from parked_event") == 0


async def test_a_projection_of_both_releases_goes_on_when_its_leader_is_killed(depot: Depot, other: Depot) -> None:
    parcel_id = await depot.post()
    doomed = asyncio.create_task(depot.runner(OLD, UNCHANGED).run(asyncio.Event()))
    await caught_up(other, OLD, UNCHANGED)
    first = await leader(other, UNCHANGED)
    reader = Reader(other, NEW, parcel_id)
    async with working(other.runner(NEW, UNCHANGED)):
        await until(lambda: serves(other, NEW, UNCHANGED))
        assert await leader(other, UNCHANGED) == first
        async with reading(reader):
            await kill(doomed, depot)
            position = await other.scan(parcel_id)
            await until(lambda: reader.has_seen(position, 1))
        assert await leader(other, UNCHANGED) == await leader(other, NEW) != first
        assert await leader(other, OLD) is None


async def work_until(condition: Callable[[], Awaitable[bool]], *workers: ProjectionRunner) -> None:
    """A release that runs for a while."""
    async with working(*workers):
        await until(condition)


async def test_what_a_release_has_no_more_is_retired_and_dropped_once_nobody_has_folded_it_for_long(
    depot: Depot, other: Depot
) -> None:
    await depot.post()
    async with working(depot.runner(OLD, UNCHANGED)):
        await until(lambda: serves(depot, OLD, UNCHANGED))
        async with working(other.runner(UNCHANGED)):
            await an_hour_passes(depot)
            await builds.retire_unused(other.pool, [], "log", [UNCHANGED.name])
            assert await state_of(depot, OLD) == "serving", "the release that has it is at work"
    await builds.retire_unused(other.pool, [], "log", [UNCHANGED.name])
    assert await state_of(depot, OLD) == "serving", "it may come back"
    await an_hour_passes(depot)
    await builds.retire_unused(other.pool, [], "journal", [])
    assert await state_of(depot, OLD) == "serving", "another source has other projections"
    async with working(other.runner(UNCHANGED)):
        await until(lambda: is_(depot, "retired"))
        await depot.pool.execute("update view_build set retired_at = retired_at - interval '61 seconds'")
        await until(lambda: is_(depot, "dropped"))
        assert await serves(other, UNCHANGED)
    assert not await depot.pool.fetchval("select to_regnamespace('parcels_1') is not null")


async def is_(depot: Depot, state: str) -> bool:
    return await state_of(depot, OLD) == state


async def state_of(depot: Depot, projection: Projection) -> str:
    """The state of a projection's only build."""
    (row,) = await depot.pool.fetch("select state from view_build where view = $1", projection.name)
    return str(row["state"])


async def test_an_old_version_is_retired_once_its_release_has_ended_for_long(depot: Depot, other: Depot) -> None:
    await depot.post()
    revision = revision_of(NEW, Company())
    await work_until(lambda: serves(depot, OLD), depot.runner(OLD))
    async with working(other.runner(NEW)):
        async with working(depot.runner(OLD)):
            await until(lambda: serves(other, NEW))
            await an_hour_passes(depot)
            await builds.retire_unused(other.pool, [revision], "log", [NEW.name])
            assert await states(depot) == [(1, 1, "serving"), (2, 2, "serving")], "it is read still"
        await builds.retire_unused(other.pool, [revision], "log", [NEW.name])
        assert await states(depot) == [(1, 1, "serving"), (2, 2, "serving")], "it may come back"
        await an_hour_passes(depot)

        async def retired() -> bool:
            return await states(depot) == [(1, 1, "retired"), (2, 2, "serving")]

        await until(retired)
        await depot.pool.execute("update view_build set retired_at = retired_at - interval '61 seconds'")

        async def dropped() -> bool:
            return await states(depot) == [(1, 1, "dropped"), (2, 2, "serving")]

        await until(dropped)
        assert await serves(other, NEW)
    leases = await depot.pool.fetch("select name from lease where name like 'parcels-%'")
    checkpoints = await depot.pool.fetch("select name from mark")
    assert [row["name"] for row in (*leases, *checkpoints)] == [revision, "parcels_2"]


async def test_a_version_that_never_serves_is_given_up_when_its_release_has_ended_for_long(depot: Depot) -> None:
    for version in (1, 2, 3):
        await depot.prepare(parcels(version=version))
    async with working(depot.runner(parcels(version=3))):
        await until(lambda: serves(depot, parcels(version=3)))
        await an_hour_passes(depot)

        async def given_up() -> bool:
            return await states(depot) == [(1, 1, "retired"), (2, 2, "retired"), (3, 3, "serving")]

        await until(given_up)


async def test_an_old_release_that_is_gone_back_to_soon_catches_up_before_it_serves(depot: Depot, other: Depot) -> None:
    """Its build was kept, and what it says goes on from what the new release said."""
    parcel_id = await depot.post()
    await work_until(lambda: serves(depot, OLD), depot.runner(OLD, UNCHANGED))
    reader = Reader(other, NEW, parcel_id)
    async with working(other.runner(NEW, UNCHANGED)):
        await until(lambda: serves(other, NEW, UNCHANGED))
        async with reading(reader):
            position = await other.scan(parcel_id, 30)
            await until(lambda: reader.has_seen(position, 30))
            await depot.pool.execute(
                "update lease set until = until - interval '61 seconds' where name like 'parcels-1-%'"
            )
            await depot.prepare(OLD, UNCHANGED)
            assert not await serves(depot, OLD, UNCHANGED), "what it holds is older than what was said"
            async with working(depot.runner(OLD, UNCHANGED)):
                await until(lambda: serves(depot, OLD, UNCHANGED))
                back = Reader(depot, OLD, parcel_id, scans=30, seen=reader.seen)
                async with reading(back):
                    position = await depot.scan(parcel_id)
                    await until(lambda: back.has_seen(position, 31))
                    await until(lambda: reader.has_seen(position, 31))
    assert await states(depot) == [(1, 1, "serving"), (2, 2, "serving")]


async def test_an_old_release_that_is_gone_back_to_late_builds_anew(depot: Depot, other: Depot) -> None:
    parcel_id = await depot.post()
    position = await depot.scan(parcel_id, 3)
    await work_until(lambda: serves(depot, OLD), depot.runner(OLD, UNCHANGED))
    async with working(other.runner(NEW, UNCHANGED)):
        await until(lambda: serves(other, NEW, UNCHANGED))
        await depot.pool.execute("update view_build set state = 'dropped' where view = 'parcels' and version = 1")
        await depot.pool.execute("drop schema parcels_1 cascade")
        async with working(depot.runner(OLD, UNCHANGED)):
            await until(lambda: serves(depot, OLD, UNCHANGED))
            back = Reader(depot, OLD, parcel_id)
            async with reading(back):
                await until(lambda: back.has_seen(position, 3))
    assert await states(depot) == [(1, 1, "dropped"), (2, 2, "serving"), (1, 3, "serving")]


async def test_a_release_is_gone_back_to_in_spite_of_what_its_version_lacks(depot: Depot, other: Depot) -> None:
    await depot.post(weight=13)
    lacking = parcels(fails=lambda event: getattr(event, "weight", 0) == 13)
    await work_until(lambda: serves(other, NEW), other.runner(NEW))
    async with working(other.runner(NEW), depot.runner(lacking)):
        await until(lambda: serves(depot, lacking))
    assert await depot.pool.fetchval("select count(*) from parked_event") == 1


async def test_a_process_whose_build_was_retired_while_it_was_away_builds_anew(depot: Depot) -> None:
    parcel_id = await depot.post()
    position = await depot.scan(parcel_id, 2)
    async with working(depot.runner(OLD, UNCHANGED)):
        await until(lambda: serves(depot, OLD, UNCHANGED))
        await depot.pool.execute("update view_build set state = 'retired' where view = 'parcels'")
        await until(lambda: serves(depot, OLD, UNCHANGED))
        reader = Reader(depot, OLD, parcel_id)
        async with reading(reader):
            await until(lambda: reader.has_seen(position, 2))
    assert (await states(depot))[-1] == (1, 2, "serving")


async def test_a_new_projection_does_not_serve_before_it_has_caught_up(depot: Depot, other: Depot) -> None:
    """Else everything that one answer says of several projections would go back to the beginning of the log."""
    parcel_id = await depot.post()
    position = await depot.scan(parcel_id, 5)
    async with working(depot.runner(OLD)):
        await caught_up(depot, OLD)
    await other.prepare(OLD, UNCHANGED)
    assert not await serves(other, OLD, UNCHANGED)
    async with working(other.runner(OLD, UNCHANGED)):
        await until(lambda: serves(other, OLD, UNCHANGED))
        async with other.reading(OLD, UNCHANGED) as reading:
            assert reading.position == position


async def test_a_token_waits_for_the_version_that_the_process_serves(depot: Depot, other: Depot) -> None:
    parcel_id = await depot.post()
    await work_until(lambda: serves(other, NEW), other.runner(NEW))
    async with working(depot.runner(OLD)):
        await until(lambda: serves(depot, OLD))
        position = await depot.scan(parcel_id)
        token = token_for("depot", [PartitionPosition("depot.parcel.v1", 0, position)])
        await depot.arrival(OLD).wait_for(token, [OLD.name], timeout=10)
        with pytest.raises(ReadModelBehind):
            await other.arrival(NEW).wait_for(token, [NEW.name], timeout=0.05)
        async with working(other.runner(NEW)):
            await other.arrival(NEW).wait_for(token, [NEW.name], timeout=10)


@pytest.mark.parametrize(
    ("changed", "company"),
    [
        (replace(OLD, ddl=OLD.ddl + "create index on {view}.parcel (weight);"), Company()),
        (replace(OLD, events=(*OLD.events, OrderPaid)), Company()),
        (OLD, Company(timezone="Europe/Berlin")),
        (OLD, Company(currency="SEK")),
    ],
    ids=["tables", "types", "timezone", "currency"],
)
async def test_what_rows_depend_on_makes_a_build_of_its_own(
    depot: Depot, other: Depot, changed: Projection, company: Company
) -> None:
    """Of the same version: two processes whose settings differ are told apart, and neither folds for the other."""
    position = await depot.scan(await depot.post())
    differing = replace(other, company=company)
    await work_until(lambda: serves(depot, OLD), depot.runner(OLD))
    await differing.prepare(changed)
    assert not await serves(differing, changed)
    async with working(depot.runner(OLD), differing.runner(changed)):
        await until(lambda: serves(differing, changed))
        await caught_up(depot, OLD)
        await caught_up(differing, changed)
    assert await states(depot) == [(1, 1, "serving"), (1, 2, "serving")]
    async with differing.reading(changed) as found:
        assert (found.position, found(changed).schemas["view"]) == (position, "parcels_2")


def test_a_revision_does_not_depend_on_how_its_tables_are_written_down() -> None:
    indented = replace(OLD, ddl="\n   ".join(OLD.ddl.splitlines()))
    assert revision_of(indented, Company()) == revision_of(OLD, Company())
    assert revision_of(replace(OLD, version=2), Company()) != revision_of(OLD, Company())


TAKEN = "update lease set owner = $1, epoch = epoch + 1, until = clock_timestamp() + interval '1 hour'"


async def test_what_followers_say_does_not_outlive_their_leases(depot: Depot) -> None:
    """A lag that nobody measures any more stays where it was for ever; whoever took over tells it."""
    projection = parcels()
    names = {"projections-log", "parcels", "reactions-journal"}

    def told() -> set[str]:
        lags, reports = {lag.name for lag in depot.health.lags}, {report.name for report in depot.health.workers}
        return (lags | reports) & names

    async def all_tell() -> bool:
        return told() == names

    async def none_tells() -> bool:
        return not told()

    async with working(depot.runner(projection), depot.reactor(depot_reactions())):
        await until(all_tell)
        await depot.pool.execute(TAKEN, new_id())
        await until(none_tells)
        assert b'"parcels"' not in depot.health.metrics.page()
