"""Tables: a row for each aggregate or part of one, the same however the events were cut into pages."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from shared.events.envelope import Envelope
from shared.projections.projection import Projection, ProjectionDatabase
from shared.projections.tables import Table
from tests.shared.projections.conftest import Depot, caught_up, working
from tests.shared.projections.depot import ParcelPosted, ParcelScanned

PARCEL = Table(
    name="parcel",
    columns={"id": "uuid primary key", "version": "bigint not null", "weight": "integer not null", "scans": "integer"},
    changes={
        ParcelPosted: lambda fact, row: {"weight": fact.data.weight, "scans": 0},
        ParcelScanned: lambda fact, row: {"scans": row["scans"] + 1},
    },
)
SIGHTING = Table(
    name="sighting",
    columns={"id": "text primary key", "version": "bigint not null", "seen": "integer not null"},
    changes={ParcelScanned: lambda fact, row: {"seen": (row["seen"] or 0) + 1, "version": fact.data.number}},
    keys=lambda fact: (f"{fact.data.parcel_id}/{fact.data.number}", f"{fact.data.parcel_id}/all"),
)


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    await PARCEL.apply(db, events)
    await SIGHTING.apply(db, events)


PROJECTION = Projection(
    name="parcels", version=1, ddl=PARCEL.ddl + SIGHTING.ddl, apply=apply, events=tuple(PARCEL.changes)
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
