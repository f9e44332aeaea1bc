"""A projection is compared with a fresh fold, and what was lost can be named (OPS-3)."""

from shared.domain.context import Company
from shared.projections.audit import Difference, differences
from tests.shared.projections.conftest import Depot, caught_up, working
from tests.shared.projections.depot import parcels


async def test_a_projection_equals_a_fresh_fold_of_its_log(depot: Depot) -> None:
    projection = parcels()
    await depot.scan(await depot.post(), 3)
    async with working(depot.runner(projection)):
        await caught_up(depot, projection)
    await depot.post()  # not folded yet, and no difference
    assert await differences(depot.pool, depot.log, projection, Company()) == []
    assert await depot.pool.fetchval("select to_regnamespace('parcels_compared') is null")


async def test_an_event_that_was_not_folded_is_found_and_named(depot: Depot) -> None:
    projection = parcels()
    parcel_id = await depot.post()
    await depot.scan(parcel_id, 2)
    lost = await depot.scan(parcel_id)
    async with working(depot.runner(projection)):
        await caught_up(depot, projection)
    await depot.pool.execute("delete from parcels_1.history where number = 3")
    await depot.pool.execute("update parcels_1.parcel set scans = 2")
    found = await differences(depot.pool, depot.log, projection, Company())
    missing = f'{{"number": 3, "parcel_id": "{parcel_id}"}}'
    assert Difference(table="history", row=missing, served=False) in found
    assert [(difference.table, difference.served) for difference in found] == [
        ("history", False),
        ("parcel", True),
        ("parcel", False),
    ]
    assert await differences(depot.pool, depot.log, projection, Company(), leave_out=[lost]) == []


async def test_parked_events_are_no_difference(depot: Depot) -> None:
    projection = parcels(fails=lambda event: getattr(event, "weight", 0) == 13)
    poisoned = await depot.post(weight=13)
    await depot.scan(poisoned)
    await depot.post()
    async with working(depot.runner(projection)):
        await caught_up(depot, projection)
    assert await differences(depot.pool, depot.log, projection, Company()) == []
