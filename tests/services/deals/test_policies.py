"""Policies over HTTP: shown with defaults and history, set by whoever owns them, and counted by what is decided."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from shared.domain.roles import Role
from tests.services.deals.conftest import Office, Team

ADDRESS = "/v1/deal-policies/next-steps"
REMINDERS = {"reminders": True, "remind_again_after": 1, "tell_manager_after": 3}
NEW_DEAL = {"name": "Servers", "amount": {"amount": "120000.00", "currency": "EUR"}, "source": "referral"}


def today(office: Office) -> date:
    return office.running.settings.company.day(office.running.clock.now())


async def planned(office: Office, deal: str) -> dict[str, Any]:
    """What was recorded of the next step that is planned last."""
    row = await office.running.pool.fetchval(
        "select data from event where aggregate_id = $1 and type = 'deals.deal-next-step-planned'"
        " order by sequence desc limit 1",
        deal,
    )
    told: dict[str, Any] = json.loads(row)
    return told


async def test_what_can_be_set_is_listed_with_who_sets_it(office: Office) -> None:
    listed = await office.somebody(Role.REP).sees("/v1/deal-policies")
    (kind,) = [item for item in listed["items"] if item["kind"] == "next-steps"]
    assert kind["scopes"] == ["company", "team", "process"]
    assert "sales-operations" in kind["set_by"]
    about = (
        "How long a planned next step keeps a deal from counting as silent, and who is reminded of it once it is due."
    )
    assert kind["about"] == about


async def test_a_policy_of_a_team_counts_for_its_deals_and_is_named_by_what_is_decided(office: Office) -> None:
    team = await office.team()
    ops, rep = office.somebody(), office.somebody(Role.REP, team.subjects[0])
    deal = await rep.makes("/v1/deals", NEW_DEAL)
    far = today(office) + timedelta(days=200)
    await rep.makes(f"/v1/deals/{deal}/plan-next-step", {"on": str(far), "what": "Fair"})
    first = await planned(office, deal)
    assert first["silence_until"] == str(today(office) + timedelta(days=14))
    assert first["silence_version"] == 0

    before = await ops.sees(ADDRESS)
    answer = await ops.does(ADDRESS, {"document": {"days_ahead": 30}, "team": team.id, "reason": "Fairs are far"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Location"] == ADDRESS
    shown = await ops.sees(ADDRESS)
    (version,) = [each for each in shown["in_force"] if each["team"] == team.id]
    assert version["number"] == len(before["versions"]) + 1 == shown["versions"][-1]["number"]
    assert (version["document"], version["reason"]) == ({"days_ahead": 30, **REMINDERS}, "Fairs are far")
    assert shown["default_document"] == {"days_ahead": 14, **REMINDERS}

    await rep.makes(f"/v1/deals/{deal}/plan-next-step", {"on": str(far), "what": "Another fair"})
    second = await planned(office, deal)
    assert second["silence_until"] == str(today(office) + timedelta(days=30))
    assert second["silence_version"] == version["number"]

    elsewhere = await office.team()
    other = office.somebody(Role.REP, elsewhere.subjects[0])
    theirs = await other.makes("/v1/deals", NEW_DEAL)
    await other.makes(f"/v1/deals/{theirs}/plan-next-step", {"on": str(far)})
    assert (await planned(office, theirs))["silence_version"] == 0


async def test_a_policy_of_a_process_counts_before_that_of_a_team(office: Office) -> None:
    team = await office.team()
    ops, rep = office.somebody(), office.somebody(Role.REP, team.subjects[0])
    deal = await rep.makes("/v1/deals", NEW_DEAL)
    process = (await rep.sees(f"/v1/deals/{deal}"))["process_id"]
    await ops.makes(ADDRESS, {"document": {"days_ahead": 30}, "team": team.id})
    await ops.makes(ADDRESS, {"document": {"days_ahead": 7}, "process": process})
    try:
        far = today(office) + timedelta(days=200)
        await rep.makes(f"/v1/deals/{deal}/plan-next-step", {"on": str(far)})
        assert (await planned(office, deal))["silence_until"] == str(today(office) + timedelta(days=7))
    finally:
        await ops.makes(ADDRESS, {"document": None, "process": process})
    await rep.makes(f"/v1/deals/{deal}/plan-next-step", {"on": str(far), "what": "Fair"})
    assert (await planned(office, deal))["silence_until"] == str(today(office) + timedelta(days=30))


@pytest.mark.parametrize("role", [Role.REP, Role.MANAGER, Role.FINANCE, Role.MARKETING])
async def test_only_its_owners_set_it(office: Office, team: Team, role: Role) -> None:
    answer = await office.somebody(role, team.subjects[0]).does(ADDRESS, {"document": {"days_ahead": 30}})
    assert answer.status_code == 403, answer.text
    assert "sales-operations" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/document"]),
        ({"document": {"days_ahead": 0}}, ["/document/days_ahead"]),
        (
            {"document": {"days_ahead": 9, "remind_again_after": 0, "tell_manager_after": 91}},
            ["/document/remind_again_after", "/document/tell_manager_after"],
        ),
        ({"document": {"days_ahead": 14, "more": 1}, "until": "2026-12-31"}, ["/document/more", "/until"]),
        ({"document": {"days_ahead": 14}, "valid_from": "2020-01-01"}, ["/valid_from"]),
        ({"document": {"days_ahead": 14}, "team": "01989f52-6d2c-7a51-9a44-0a4f5b1f7d11"}, ["/team"]),
        ({"document": {"days_ahead": 14}, "process": "01989f52-6d2c-7a51-9a44-0a4f5b1f7d11"}, ["/process"]),
    ],
)
async def test_what_is_wrong_is_told_with_its_field(office: Office, body: dict[str, Any], pointers: list[str]) -> None:
    answer = await office.somebody().does(ADDRESS, body)
    assert answer.status_code in (400, 422), answer.text
    assert sorted(each["pointer"] for each in answer.json()["errors"]) == pointers


async def test_it_is_tried_out_without_being_set(office: Office) -> None:
    ops = office.somebody()
    before = await ops.sees(ADDRESS)
    tried = await ops.client.post("/v1/dry-runs/deal-policies/next-steps", json={"document": {"days_ahead": 99}})
    assert tried.status_code == 200, tried.text
    (event,) = tried.json()["events"]
    assert event["data"]["next_steps"] == {"days_ahead": 99, **REMINDERS}
    assert await ops.sees(ADDRESS) == before
