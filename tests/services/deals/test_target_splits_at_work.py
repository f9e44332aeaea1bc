"""PROC-4: splits of targets over HTTP and PostgreSQL, also of parts that are set at once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from shared.domain.roles import Role
from tests.services.deals.conftest import Office, Team
from tests.services.deals.test_service import codes, seen

POLICY = "/v1/deal-policies/targets"


def amount(value: str) -> dict[str, str]:
    return {"amount": value, "currency": "EUR"}


def of_team(team: Team, period: str, value: str) -> dict[str, Any]:
    return {"period": period, "level": "team", "team": team.id, "amount": amount(value)}


def of_rep(team: Team, member: str, period: str, value: str) -> dict[str, Any]:
    return {"period": period, "level": "rep", "team": team.id, "member": member, "amount": amount(value)}


@pytest.fixture
async def refusing(office: Office) -> AsyncIterator[None]:
    """Parts may not exceed their whole."""
    await office.somebody().makes(POLICY, {"document": {"split": "refuse"}})
    yield
    await office.somebody().makes(POLICY, {"document": None})


async def split(office: Office, answer: httpx.Response, **query: str) -> Any:
    return await seen(office.somebody(), answer, "/v1/target-split", **query)


async def test_proc_4_a_split_shows_the_whole_its_parts_and_the_difference(office: Office, team: Team) -> None:
    """Nothing is refused by default."""
    desk = office.somebody()
    await desk.makes("/v1/targets", of_team(team, "2081", "400000.00"))
    await desk.makes("/v1/targets", of_team(team, "2081-Q1", "90000.00"))
    await desk.makes("/v1/targets", of_rep(team, team.rep, "2081", "250000.00"))
    last = await desk.does("/v1/targets", of_rep(team, team.other, "2081", "160000.50"))
    assert last.status_code == 201, last.text
    found = await split(office, last, period="2081", team=team.id)
    assert (found["rule"], found["whole"]["amount"]) == ("warn", amount("400000.00"))
    assert {part["member"]: part["value"]["amount"]["amount"] for part in found["parts"]} == {
        team.rep: "250000.00",
        team.other: "160000.50",
    }
    assert (found["sum"]["amount"]["amount"], found["difference"]["amount"]["amount"]) == ("410000.50", "-10000.50")
    assert found["is_exceeded"]
    quarters = {part["period"]: part["value"] and part["value"]["amount"]["amount"] for part in found["periods"]}
    assert quarters == {"2081-Q1": "90000.00", "2081-Q2": None, "2081-Q3": None, "2081-Q4": None}
    assert found["difference_of_periods"]["amount"]["amount"] == "310000.00"


async def test_proc_4_the_company_consists_of_its_teams(office: Office, team: Team) -> None:
    desk, other = office.somebody(), await office.team()
    goal = {"period": "2082-Q1", "kind": "won-deals"}
    await desk.makes("/v1/targets", {**goal, "level": "company", "number": "30"})
    await desk.makes("/v1/targets", {**goal, "level": "team", "team": team.id, "number": "12"})
    await desk.makes("/v1/targets", {**goal, "level": "rep", "team": team.id, "member": team.rep, "number": "5"})
    last = await desk.does("/v1/targets", {**goal, "level": "team", "team": other.id, "number": "10"})
    found = await split(office, last, period="2082-Q1", kind="won-deals")
    assert {part["team"]: part["value"]["number"] for part in found["parts"]} == {team.id: "12", other.id: "10"}
    assert (found["sum"]["number"], found["difference"]["number"], found["is_exceeded"]) == ("22", "8", False)
    (row,) = (await seen(desk, last, "/v1/targets", period="2082-Q1", kind="won-deals", level="company"))["items"]
    assert (row["number"], row["amount"], row["kind"]) == ("30", None, "won-deals")


async def test_proc_4_who_sets_the_targets_of_a_team_sees_its_split(office: Office, team: Team) -> None:
    manager, rep = (office.somebody(role, team.subjects[at]) for role, at in ((Role.MANAGER, 2), (Role.REP, 0)))
    address = f"/v1/target-split?period=2083&team={team.id}"
    assert await manager.status(address) == 200
    assert await manager.status("/v1/target-split?period=2083") == 403
    assert await manager.status(f"/v1/target-split?period=2083&team={(await office.team()).id}") == 403
    assert await rep.status(address) == 403
    desk = office.somebody()
    wrong = await desk.client.get("/v1/target-split?period=soon")
    assert (wrong.status_code, codes(wrong)) == (400, ["not-a-period"])
    unknown = await desk.client.get(f"/v1/target-split?period=2083&team={team.rep}")
    assert (unknown.status_code, codes(unknown)) == (400, ["unknown-team"])
    assert await desk.status("/v1/target-split?period=2083&kind=win-rate") == 400


async def test_proc_4_a_part_that_exceeds_its_whole_is_refused_with_the_numbers(
    office: Office, team: Team, refusing: None
) -> None:
    desk = office.somebody()
    whole = await desk.makes("/v1/targets", of_team(team, "2084", "300000.00"))
    first = await desk.makes("/v1/targets", of_rep(team, team.rep, "2084", "200000.00"))
    refused = await desk.does("/v1/targets", of_rep(team, team.other, "2084", "100000.01"))
    assert (refused.status_code, refused.json()["code"]) == (422, "split-exceeded"), refused.text
    (error,) = refused.json()["errors"]
    assert error["pointer"] == "/amount/amount"
    assert error["details"] == {"whole": "300000.00", "parts": "300000.01", "excess": "0.01"}
    await desk.makes("/v1/targets", of_rep(team, team.other, "2084", "100000.00"))
    more = await desk.does(f"/v1/targets/{first}/change", {"amount": amount("200000.01")})
    assert codes(more) == ["split-exceeded"]
    less = await desk.does(f"/v1/targets/{whole}/change", {"amount": amount("299999.99")})
    assert codes(less) == ["split-exceeded"]
    await desk.makes(f"/v1/targets/{first}/change", {"amount": amount("150000.00")})
    await desk.makes(f"/v1/targets/{whole}/change", {"amount": amount("250000.00")})
    events = (await desk.sees(f"/v1/targets/{whole}/history"))["items"]
    assert [each["type"] for each in events].count("deals.target-part-set") == 3


async def test_proc_4_two_parts_that_are_set_at_once_do_not_exceed_their_whole_together(
    office: Office, refusing: None
) -> None:
    desk = office.somebody()
    for number in range(8):
        team, period = await office.team(), f"208{number}-Q2"
        await desk.makes("/v1/targets", of_team(team, period, "100.00"))
        answers = await asyncio.gather(
            *(desk.does("/v1/targets", of_rep(team, member, period, "60.00")) for member in (team.rep, team.other))
        )
        assert sorted(answer.status_code for answer in answers) == [201, 422], [answer.text for answer in answers]
        made = next(answer for answer in answers if answer.status_code == 201)
        found = await split(office, made, period=period, team=team.id)
        assert (found["sum"]["amount"]["amount"], found["rule"]) == ("60.00", "refuse")
        part = made.json()["id"]
        whole = (await seen(desk, made, "/v1/targets", period=period, level="team", team=team.id))["items"][0]["id"]
        changes = await asyncio.gather(
            desk.does(f"/v1/targets/{part}/change", {"amount": amount("90.00")}),
            desk.does(f"/v1/targets/{whole}/change", {"amount": amount("70.00")}),
        )
        assert sorted(answer.status_code for answer in changes) == [200, 422], [answer.text for answer in changes]


async def test_proc_4_a_number_is_changed_by_a_number(office: Office, team: Team) -> None:
    desk = office.somebody()
    goal = {"period": "2085-11", "level": "company", "kind": "win-rate", "number": "0.40", "review": "monthly"}
    made = await desk.makes("/v1/targets", {**goal, "responsible": team.rep, "source": "deals"})
    wrong = await desk.does(f"/v1/targets/{made}/change", {"amount": amount("1.00")})
    assert sorted(codes(wrong)) == ["unit-and-kind", "unit-and-kind"]
    await desk.makes(f"/v1/targets/{made}/change", {"number": "0.45"})
    found = await desk.sees(f"/v1/targets/{made}")
    assert (found["number"], found["amount"], found["review"], found["responsible"]) == (
        "0.45",
        None,
        "monthly",
        team.rep,
    )
