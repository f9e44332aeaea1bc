"""`throughline rebuild` waits as long as anything moves, and says how far it is in words."""

import asyncio
from dataclasses import dataclass

import pytest

from deploy.cli import rebuild
from deploy.local.fault import LocalError
from shared.projections.builds import request_rebuild
from shared.projections.projection import Projection
from tests.shared.projections.conftest import Depot, database, depot, until
from tests.shared.projections.depot import ParcelPosted, ParcelScanned, fold_parcels

__all__ = ["database", "depot"]

EVENTS = 5
SCANNED = """
    update mark set scan_upto = (select max(position) from event), (scan_aggregate_id, scan_sequence) =
           (select aggregate_id, sequence from event order by aggregate_id, sequence offset $1 limit 1)
     where name = 'parcels_2'
"""
SLOW = """
    insert into parcels_2.parcel values (gen_random_uuid(), 1);
    create function parcels_2.slow(integer) returns integer language plpgsql immutable as
        $$ begin perform pg_sleep(60); return $1; end $$
"""
END_SLOW = """
    select pg_cancel_backend(pid) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'
"""
SERVES = """
    update view_build set state = 'retired', retired_at = clock_timestamp() where build = 1;
    update view_build set state = 'serving', served_at = clock_timestamp() where build = 2;
"""
PARCELS = Projection(
    name="parcels",
    version=1,
    ddl="create table {view}.parcel (parcel_id uuid primary key, weight integer not null, scans integer default 0);"
    "create table {view}.history (parcel_id uuid, number integer);",
    apply=fold_parcels,
    events=(ParcelPosted, ParcelScanned),
)


@dataclass(slots=True)
class Hands:
    """A clock that goes as it is told."""

    now: float = 0.0
    step: float = 0.0
    """So far it goes on at each look."""

    def monotonic(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    """The clock of the command."""
    clock = Hands()
    monkeypatch.setattr(rebuild, "time", clock)
    monkeypatch.setattr(rebuild, "TELL_SECONDS", -1.0)
    monkeypatch.setattr(rebuild, "LOOK_AGAIN_SECONDS", 0.01)
    return clock


@pytest.fixture
async def building(depot: Depot) -> Depot:
    """A build is made beside the one that serves, by nobody yet."""
    for _ in range(EVENTS):
        await depot.post()
    await depot.prepare(PARCELS)
    assert await request_rebuild(depot.pool, "parcels")
    await depot.prepare(PARCELS)
    return depot


def waiting(depot: Depot) -> "asyncio.Task[dict[str, int]]":
    return asyncio.create_task(rebuild.switched("parcels", {"depot": depot.pool}, {"depot": 1}))


async def says(words: str, switched: "asyncio.Task[dict[str, int]]", heard: pytest.CaptureFixture[str]) -> None:
    async def said() -> bool:
        return switched.done() or words in heard.readouterr().err

    await until(said)
    assert not switched.done()


async def test_a_build_that_reads_streams_moves(
    building: Depot, hands: Hands, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its position stays at 0 all the while, for longer than nothing may move."""
    switched = waiting(building)
    for number in range(1, EVENTS + 1):
        await building.pool.execute(SCANNED, number - 1)
        await says(f"depot: {number} of {EVENTS} events are read, stream by stream.", switched, capsys)
        hands.now += rebuild.STILL_SECONDS - 1
    await building.pool.execute(SERVES)
    assert await switched == {"depot": 2}


async def test_a_build_whose_indices_are_made_moves(
    building: Depot, hands: Hands, capsys: pytest.CaptureFixture[str]
) -> None:
    await building.pool.execute(SLOW)
    switched = waiting(building)
    async with building.pool.acquire() as connection:
        making = asyncio.create_task(connection.execute("create index on parcels_2.parcel (parcels_2.slow(weight))"))
        for _ in range(3):
            await says("depot: the history is read; an index of parcel is made.", switched, capsys)
            hands.now += rebuild.STILL_SECONDS - 1
        await building.pool.execute(END_SLOW)
        await asyncio.wait([making])
    await building.pool.execute(SERVES)
    assert await switched == {"depot": 2}


async def test_a_build_in_which_nothing_moves_stands_still(building: Depot, hands: Hands) -> None:
    hands.step = rebuild.STILL_SECONDS / 4
    with pytest.raises(LocalError, match="parcels of depot stands still"):
        await waiting(building)
