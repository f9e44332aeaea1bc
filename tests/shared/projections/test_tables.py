"""Tables: a row for each aggregate or part of one, the same however the events were cut into pages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.projections.projection import Projection, ProjectionDatabase
from shared.projections.search.keys import keys_of
from shared.projections.tables import Table
from tests.shared.projections.conftest import Depot, caught_up, working
from tests.shared.projections.depot import ParcelPosted, ParcelScanned


@value
class ParcelRow:
    id: UUID
    version: int
    weight: int
    scans: int | None
    updated_at: datetime


@value
class SightingRow:
    id: str
    version: int
    seen: int


PARCEL = Table(
    name="parcel",
    row=ParcelRow,
    events=(ParcelPosted, ParcelScanned),
    changes={
        ParcelPosted: lambda fact, row: {"weight": fact.data.weight, "scans": 0},
        ParcelScanned: lambda fact, row: {"scans": row["scans"] + 1},
    },
)
SIGHTING = Table(
    name="sighting",
    row=SightingRow,
    events=(ParcelScanned,),
    changes={ParcelScanned: lambda fact, row: {"seen": (row["seen"] or 0) + 1, "version": fact.data.number}},
    keys=lambda fact: (f"{fact.data.parcel_id}/{fact.data.number}", f"{fact.data.parcel_id}/all"),
)


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    await PARCEL.apply(db, events)
    await SIGHTING.apply(db, events)


PROJECTION = Projection(
    name="parcels", version=1, ddl=PARCEL.ddl + SIGHTING.ddl, apply=apply, events=tuple(PARCEL.events)
)


@pytest.mark.parametrize("page", [1, 2, 1000])
async def test_each_row_holds_what_its_events_say(depot: Depot, page: int) -> None:
    """Once for each event, however many of a page touch one row; columns that no event names keep what they held."""
    heavy, light = await depot.post(weight=70), await depot.post(weight=2)
    await depot.scan(heavy, times=2)
    async with working(depot.runner(PROJECTION, page=page, build_page=page)):
        await caught_up(depot, PROJECTION)
        await depot.scan(heavy)
        await caught_up(depot, PROJECTION)
    found = await depot.table("parcels", "parcel", "id, version, weight, scans")
    assert sorted(map(tuple, found)) == sorted([(heavy, 4, 70, 3), (light, 1, 2, 0)])


async def test_an_event_may_belong_to_several_rows_and_a_change_may_say_the_version(depot: Depot) -> None:
    parcel_id: UUID = await depot.post()
    await depot.scan(parcel_id, times=2)
    async with working(depot.runner(PROJECTION)):
        await caught_up(depot, PROJECTION)
    found = await depot.table("parcels", "sighting", "id, version, seen")
    assert [tuple(row) for row in found] == [
        (f"{parcel_id}/1", 1, 1),
        (f"{parcel_id}/2", 2, 1),
        (f"{parcel_id}/all", 2, 2),
    ]


LABEL = Table(
    name="label",
    row=ParcelRow,
    events=(ParcelPosted, ParcelScanned),
    changes={ParcelPosted: lambda fact, row: {"weight": fact.data.weight}},
)
LABELS = Projection(name="labels", version=1, ddl=LABEL.ddl, apply=LABEL.apply, events=tuple(LABEL.events))


async def test_an_event_that_changes_nothing_moves_version_and_time(depot: Depot) -> None:
    """Whoever asks what has changed since, or with which version to go on, is not left behind by it."""
    parcel_id = await depot.post(weight=3)
    await depot.scan(parcel_id, times=2)
    async with working(depot.runner(LABELS)):
        await caught_up(depot, LABELS)
    (row,) = await depot.table("labels", "label", "version, weight, updated_at")
    recorded = await depot.pool.fetchval("select max(recorded_at) from event where aggregate_id = $1", parcel_id)
    assert tuple(row) == (3, 3, recorded)


@value
class NamedRow:
    id: UUID
    version: int
    name: str


NAMED = Table(
    name="named",
    row=NamedRow,
    events=(ParcelPosted, ParcelScanned),
    changes={
        ParcelPosted: lambda fact, row: {"name": "Heavy" if fact.data.weight > 9 else "Light"},
        ParcelScanned: lambda fact, row: {"name": "Lost"} if fact.data.number == 2 else {},
    },
    found_by=("name",),
)
NAMES = Projection(
    name="names",
    version=1,
    ddl=NAMED.ddl,
    indices=NAMED.index_ddl,
    apply=NAMED.apply,
    events=tuple(NAMED.events),
)


async def test_the_keys_of_a_row_are_written_where_its_texts_change_and_only_there(depot: Depot) -> None:
    heavy, light = await depot.post(weight=70), await depot.post(weight=2)
    async with working(depot.runner(NAMES)):
        await caught_up(depot, NAMES)
        before = {row["id"]: row for row in await depot.table("names", "named_search", "id, keys, xmin::text")}
        await depot.scan(heavy)
        await depot.scan(light, times=2)
        await caught_up(depot, NAMES)
    after = {row["id"]: row for row in await depot.table("names", "named_search", "id, keys, xmin::text")}
    assert (before[heavy]["keys"], before[light]["keys"]) == (keys_of(["Heavy"]), keys_of(["Light"]))
    assert after[heavy] == before[heavy]
    assert after[light]["keys"] == keys_of(["Lost"])


def test_a_table_is_found_by_columns_that_it_has() -> None:
    with pytest.raises(ValueError, match="found by"):
        Table(name="named", row=NamedRow, events=(), changes={}, found_by=("nam",))
