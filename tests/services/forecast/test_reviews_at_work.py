"""PROC-6: reports and talks over HTTP and PostgreSQL: sealed by timers, compared with a recount, missed, told, held."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from deploy.local.identity import Issuer
from services.forecast.app import SERVICE
from services.forecast.domain.review import MONTHLY, QUARTERLY, RETRO, review_of
from shared.domain.context import Company as Settings
from shared.domain.roles import Role
from shared.events.leads.member import MemberJoined
from shared.ops.ids import new_id
from shared.testing.servers import DatabaseServer
from tests.described import as_described
from tests.services.forecast.conftest import journaled, serving
from tests.services.forecast.facts import fact, lost, opened, won
from tests.services.leads.conftest import patiently
from tests.shared.http.conftest import Errands
from tests.shared.http.test_command_routes import problem
from tests.shared.http.waiting import until

FIGURE = "win-rate"


@pytest.fixture
async def alone(postgres: DatabaseServer, issuer: Issuer) -> AsyncIterator[Errands]:
    """A forecast of its own, whose clock may be moved."""
    async with serving(SERVICE, postgres, issuer) as there:
        yield there


def month_of(day: date) -> str:
    return f"{day.year:04}-{day.month:02}"


def end_of_month(company: Settings, month: str) -> datetime:
    return company.end_of(company.fiscal_year.period(month).last)


async def shown(desk: httpx.AsyncClient, kind: str, period: str) -> dict[str, Any]:
    """A review as it is shown; nothing as long as there is none."""
    found = await desk.get(f"/v1/reviews/{review_of(kind, period)}")
    if found.status_code == 404:
        return {"status": None}
    told: dict[str, Any] = as_described("/v1/reviews/{id}", found.json())
    return told


async def reached(desk: httpx.AsyncClient, kind: str, period: str, status: str) -> dict[str, Any]:
    """A review, as soon as it has a status."""

    async def has() -> bool:
        return bool((await shown(desk, kind, period))["status"] == status)

    await until(has, 60)
    return await shown(desk, kind, period)


async def advanced_to(there: Errands, moment: datetime) -> None:
    running = there.running
    await running.clock.advance(running.pool, moment - running.clock.now())


def figure(report: dict[str, Any], metric: str) -> dict[str, Any]:
    (found,) = (each for each in report["figures"] if each["metric"] == metric)
    return dict(found)


async def test_proc_6_reports_seal_themselves_and_talks_fall_due_are_missed_and_held(alone: Errands) -> None:
    """PROC-6: whatever is told later of the month stays beside what was sealed of it."""
    running, desk = alone.running, alone.client(Role.SALES_DIRECTOR, "dora")
    company = running.settings.company
    dora = uuid4()
    joined = MemberJoined(member_id=dora, subject="dora", name="Dora", role=Role.SALES_DIRECTOR, team_id=None)
    now = running.clock.now()
    today = company.day(now)
    month = month_of(today)
    facts = [replace(fact(1, joined, now, deal=dora), service="leads", aggregate="member")]
    deals = [UUID(int=7000 + number) for number in range(6)]
    for number, deal in enumerate(deals):
        facts.append(fact(1, opened(deal=deal), now, deal=deal))
        facts.append(fact(2, won(today, deal=deal) if number < 3 else lost(today, deal=deal), now, deal=deal))
    await journaled(running, facts)
    assert (await shown(desk, MONTHLY, month))["status"] == "awaited"

    end = end_of_month(company, month)
    await advanced_to(alone, end + timedelta(hours=2))
    told = await reached(desk, MONTHLY, month, "sealed")
    report = told["report"]
    assert {key: figure(report, FIGURE)[key] for key in ("numerator", "denominator", "sample", "value", "state")} == {
        "numerator": "3",
        "denominator": "6",
        "sample": 6,
        "value": "0.5000",
        "state": "healthy",
    }
    assert report["position"] >= len(facts)
    following = month_of(company.day(end + timedelta(days=1)))
    assert (await reached(desk, MONTHLY, following, "awaited"))["first"] == f"{following}-01"
    due = (await reached(desk, RETRO, month, "due"))["due"]

    address = f"/v1/reviews/{review_of(MONTHLY, month)}/recount"
    proof = as_described("/v1/reviews/{review_id}/recount", (await desk.get(address)).json())
    assert (proof["is_same"], proof["has_changed"]) == (True, False)
    late = UUID(int=7100)
    await journaled(running, [fact(1, opened(deal=late), now, running.clock.now(), deal=late)])
    later = (await desk.get(address)).json()
    assert (later["is_same"], later["has_changed"]) == (True, True)
    assert (figure(later["recounted"], FIGURE)["sample"], figure(later["now"], FIGURE)["sample"]) == (6, 7)
    assert (await shown(desk, MONTHLY, month))["report"] == report

    await advanced_to(alone, company.start_after(date.fromisoformat(due)))
    await reached(desk, RETRO, month, "missed")

    async def is_told() -> bool:
        return bool((await desk.get("/v1/notices", params={"kind": "review-missed"})).json()["items"])

    await until(is_told)
    (notice,) = (await desk.get("/v1/notices", params={"kind": "review-missed"})).json()["items"]
    assert (notice["about_id"], notice["reference"]) == (str(review_of(RETRO, month)), f"retro {month}")

    talk = f"/v1/reviews/{review_of(RETRO, month)}/hold"
    said = {"on": f"{company.day(running.clock.now())}", "participants": [str(dora)], "findings": "Prices come late."}

    async def holds(body: dict[str, Any], version: str = "*") -> httpx.Response:
        headers = {"Idempotency-Key": str(new_id()), "If-Match": version}
        return await desk.post(talk, json=body, headers=headers)

    stranger = await holds({**said, "participants": [str(uuid4())]})
    assert stranger.status_code == 422, stranger.text
    nobody = problem(await holds({**said, "participants": []}), 422, "invalid-review")
    assert [each["code"] for each in nobody["errors"]] == ["nobody-took-part"]
    held = await holds(said)
    assert held.status_code == 200, held.text
    headers = {"Consistency-Token": held.headers["Consistency-Token"]}
    listed = await patiently(lambda: desk.get("/v1/reviews", params={"status": "held"}, headers=headers), headers)
    (row,) = as_described("/v1/reviews", listed.json())["items"]
    assert (row["kind"], row["period"], row["held_on"]) == (RETRO, month, said["on"])

    async def is_settled() -> bool:
        (each,) = (await desk.get("/v1/notices", params={"kind": "review-missed"})).json()["items"]
        return bool(each["status"] == "settled")

    await until(is_settled)
    assert (await shown(desk, RETRO, month))["was_missed"] is True


async def test_proc_6_a_service_that_was_away_seals_month_after_month_and_the_quarters(alone: Errands) -> None:
    """PROC-6: each as of its own end."""
    running, desk = alone.running, alone.client(Role.SALES_OPERATIONS, "ops")
    company = running.settings.company
    first = company.day(running.clock.now())
    quarter = company.fiscal_year.quarter_of(first)
    await advanced_to(alone, company.end_of(quarter.last) + timedelta(days=40))
    sealed = await reached(desk, QUARTERLY, quarter.name, "sealed")
    assert datetime.fromisoformat(sealed["report"]["as_of"]) == company.end_of(quarter.last)
    await reached(desk, RETRO, quarter.name, "missed")
    for month in quarter.months:
        if month >= month_of(first):
            await reached(desk, MONTHLY, month, "sealed")


async def test_proc_6_who_sees_reviews_and_who_holds_talks(alone: Errands) -> None:
    """PROC-6, API-4: the figures are those of the whole company."""
    month = month_of(alone.running.settings.company.day(alone.running.clock.now()))
    address = f"/v1/reviews/{review_of(MONTHLY, month)}"
    assert (await alone.client(Role.EXECUTIVE, "erik").get(address)).status_code == 200
    for role in (Role.MANAGER, Role.REP):
        assert (await alone.client(role, "anna").get(address)).status_code == 404
        assert (await alone.client(role, "anna").get(f"{address}/recount")).status_code == 404
    problem(await alone.client(Role.EXECUTIVE, "erik").get(f"{address}/recount"), 404, "not-found")
    headers = {"Idempotency-Key": str(new_id()), "If-Match": "*"}
    said = {"on": f"{alone.running.settings.company.day(alone.running.clock.now())}", "participants": [str(uuid4())]}
    refused = await alone.client(Role.EXECUTIVE, "erik").post(f"{address}/hold", json=said, headers=headers)
    assert refused.status_code == 403, refused.text
