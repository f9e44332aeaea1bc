"""ORG-1, CON-2: working hours are set in leads, and what waits in contracts is due by them."""

from datetime import datetime, timedelta

from shared.directory.hours import KNOWN_HOURS
from shared.domain.roles import Role
from tests.services.conftest import Everybody
from tests.services.leads.conftest import Desk
from tests.shared.http.waiting import until

ADDRESS = "/v1/lead-policies/working-hours"
NIGHTS = {
    "shifts": [
        {"weekday": day, "start": "22:00", "end": "06:00"}
        for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    ],
    "timezone": "Asia/Tokyo",
    "place": "",
}


async def test_what_is_due_follows_the_working_hours_of_the_company(everybody: Everybody) -> None:
    operations = Desk(client=everybody.leads.client(Role.SALES_OPERATIONS, "ops"))
    seller = Desk(client=everybody.contracts.client(Role.SALES_OPERATIONS, "ops"))
    await operations.makes(ADDRESS, {"document": NIGHTS, "reason": "We work while Europe is awake"})
    try:
        number = (await operations.sees(ADDRESS))["versions"][-1]["number"]
        await until(lambda: _knows(everybody, number), 30)
        made = await seller.makes(
            "/v1/contracts", {"name": "Line", "total": {"amount": "5.00", "currency": "EUR"}, "owner": None}
        )
        await seller.makes(f"/v1/contracts/{made}/submit")
        approval = (await seller.sees(f"/v1/contracts/{made}"))["approval_id"]
        due = datetime.fromisoformat((await seller.sees(f"/v1/contract-approvals/{approval}"))["due"])
        assert (due + timedelta(hours=9)).strftime("%H:%M") == "06:00", "the end of a night in Tokyo"
    finally:
        await operations.makes(ADDRESS, {"document": None})
        number = (await operations.sees(ADDRESS))["versions"][-1]["number"]
        await until(lambda: _knows(everybody, number), 30)


async def _knows(everybody: Everybody, number: int) -> bool:
    rows = await everybody.contracts.running.projections.lookup(
        KNOWN_HOURS.name, "select 1 from {view}.version where number = $1", number
    )
    return bool(rows)


async def test_hours_that_are_none_are_refused_with_their_fields_org_1(everybody: Everybody) -> None:
    operations = Desk(client=everybody.leads.client(Role.SALES_OPERATIONS, "ops"))
    shift = {"weekday": "monday", "start": "09:00", "end": "12:00"}
    wrong = {"shifts": [shift, {**shift, "start": "11:00"}], "timezone": "Europe/Nowhere", "place": "XX"}
    refused = await operations.does(ADDRESS, {"document": wrong})
    assert refused.status_code == 422
    pointers = {each["pointer"] for each in refused.json()["errors"]}
    assert {"/document/timezone", "/document/place"} <= pointers
    assert any(pointer.startswith("/document/shifts") for pointer in pointers)
