"""DEAL-6: reminders of follow-ups of leads and accounts over HTTP and PostgreSQL: timer, hours, leave, and what a dry
run says."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.leads.domain.account import account as accounts
from services.leads.domain.account.history import ImportAccount, ImportAccountFollowUp
from services.leads.domain.lead import lead as leads
from services.leads.domain.lead.history import ImportLead, ImportLeadFollowUp
from shared.commands.request import CommandRequest
from shared.domain.context import service_actor
from shared.domain.roles import Role
from shared.events.chronology import Rank, Told
from shared.http.dry_runs import dry_path
from shared.ops.ids import new_id
from tests.services.leads.conftest import House, unique
from tests.shared.http.waiting import until

RECORDED = "select data from event where aggregate_id = $1 and type = $2 order by sequence"
TIMERS = """
select count(*) from timer where name = 'follow_up_reminder' and aggregate_id = any($1::uuid[])
"""
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
TOKYO = {
    "shifts": [{"weekday": each, "start": "08:30", "end": "17:00"} for each in WEEK],
    "timezone": "Asia/Tokyo",
    "place": "",
}


async def recorded(house: House, lead: str, name: str) -> list[dict[str, Any]]:
    """What was recorded of a lead in facts of a type."""
    rows = await house.service.running.pool.fetch(RECORDED, UUID(lead), f"leads.lead-{name}")
    return [json.loads(row["data"]) for row in rows]


async def levels(house: House, lead: str) -> list[list[str]]:
    """At which levels somebody was reminded, one time after the other."""
    return [each["levels"] for each in await recorded(house, lead, "follow-up-reminded")]


async def timers(house: House, *leads: str) -> int:
    count: int = await house.service.running.pool.fetchval(TIMERS, [UUID(lead) for lead in leads])
    return count


async def test_deal_6_a_follow_up_is_reminded_of_by_a_timer_until_another_is_planned_or_the_lead_has_ended(
    alone: House,
) -> None:
    """DEAL-6: what ends it, or hands it on, names it where somebody was reminded; of others nobody is told."""
    team, (rosa, sam) = await alone.team(unique("rosa"), unique("sam"))
    running, ops = alone.service.running, alone.somebody()
    about = {"source": "fair", "company_name": "Northwind", "team_id": team}
    kept, moved, cleared, ended, over = [await ops.makes("/v1/leads", about) for _ in range(5)]
    on = running.settings.company.day(running.clock.now()) + timedelta(days=1)
    for each in (kept, moved, cleared, ended, over):
        await ops.makes(f"/v1/leads/{each}/assign", {"member_id": rosa})
        await ops.makes(f"/v1/leads/{each}/plan-follow-up", {"on": f"{on}"})
    (planned,) = await recorded(alone, kept, "follow-up-planned")
    times = [datetime.fromisoformat(each["at"]) for each in planned["reminders"]]
    assert [each["level"] for each in planned["reminders"]] == ["owner", "again", "manager"]
    await ops.makes(f"/v1/leads/{moved}/plan-follow-up", {"on": f"{on + timedelta(days=60)}"})
    await ops.makes(f"/v1/leads/{cleared}/plan-follow-up", {"on": None})
    assert (await timers(alone, kept, moved), await timers(alone, cleared)) == (2, 0)

    async def are_reminded() -> bool:
        return all([await levels(alone, each) for each in (kept, ended, over)])

    await running.clock.advance(running.pool, times[0] - running.clock.now())
    await until(are_reminded, 60)
    assert await levels(alone, kept) == [["owner"]]
    (told,) = await recorded(alone, kept, "follow-up-reminded")
    assert (told["follow_up_id"], told["name"]) == (planned["follow_up_id"], "Northwind")
    assert (told["owner"], told["team"]) == (rosa, team)

    await ops.makes(f"/v1/leads/{ended}/disqualify", {"reason": "no-need"})
    await ops.makes(f"/v1/leads/{over}/assign", {"member_id": sam})
    for each, name in ((ended, "disqualified"), (over, "assigned")):
        (plan,) = await recorded(alone, each, "follow-up-planned")
        assert (await recorded(alone, each, name))[-1]["reminded_follow_up"] == plan["follow_up_id"]
    assert await timers(alone, ended) == 0

    async def is_sam_reminded() -> bool:
        return len(await levels(alone, over)) == 2

    await until(is_sam_reminded, 60)
    assert (await recorded(alone, over, "follow-up-reminded"))[-1]["owner"] == sam
    await running.clock.advance(running.pool, times[2] - running.clock.now())

    async def are_all_told() -> bool:
        return await timers(alone, kept) == 0

    await until(are_all_told, 60)
    assert await levels(alone, kept) == [["owner"], ["again", "manager"]]
    assert [await levels(alone, each) for each in (moved, cleared, ended)] == [[], [], [["owner"]]]
    assert (await ops.sees(f"/v1/leads/{kept}"))["follow_up"] == f"{on}", "it is as open as before"


async def test_deal_6_follow_ups_are_reminded_of_by_hours_and_policy_of_the_team_as_a_dry_run_says(
    house: House,
) -> None:
    """ORG-1, API-1."""
    rosa = unique("rosa")
    team, _ = await house.team(rosa)
    ops, rep = house.somebody(), house.somebody(Role.REP, rosa)
    await ops.makes("/v1/lead-policies/working-hours", {"document": TOKYO, "team": team})
    rule = {"document": {"reminders": True, "remind_again_after": 2, "tell_manager_after": 4}, "team": team}
    await ops.makes("/v1/lead-policies/follow-ups", rule)
    lead = await rep.makes("/v1/leads", {"source": "fair"})
    running = house.service.running
    on = running.settings.company.day(running.clock.now()) + timedelta(days=3)
    would = (await rep.client.post(dry_path(f"/v1/leads/{lead}/plan-follow-up"), json={"on": f"{on}"})).json()
    assert await recorded(house, lead, "follow-up-planned") == []
    await rep.makes(f"/v1/leads/{lead}/plan-follow-up", {"on": f"{on}"})
    (planned,) = await recorded(house, lead, "follow-up-planned")
    assert [each["data"]["reminders"] for each in would["events"]] == [planned["reminders"]]
    starts = [f"{on + timedelta(days=days - 1)}T23:30" for days in (0, 2, 4)]
    assert [each["at"][:16] for each in planned["reminders"]] == starts


async def test_deal_6_nobody_gives_the_command_of_a_reminder_by_hand(house: House) -> None:
    ops = house.somebody()
    lead = await ops.makes("/v1/leads", {"source": "fair"})
    assert (await ops.does(f"/v1/leads/{lead}/remind-of-follow-up")).status_code == 404


async def of_account(house: House, account: str, name: str) -> list[dict[str, Any]]:
    """What was recorded of an account in facts of a type."""
    rows = await house.service.running.pool.fetch(RECORDED, UUID(account), f"leads.account-{name}")
    return [json.loads(row["data"]) for row in rows]


async def test_deal_6_the_follow_up_of_an_account_is_listed_and_reminded_of_by_a_timer(alone: House) -> None:
    """ACCT-1, ORG-1: while its owner is away, whoever leads them is told at once."""
    team, (rosa, sam) = await alone.team(unique("rosa"), unique("sam"))
    running, ops = alone.service.running, alone.somebody()
    on = running.settings.company.day(running.clock.now()) + timedelta(days=1)
    owners = (rosa, sam, rosa, rosa)
    kept, over, cleared, later = [
        await ops.makes("/v1/accounts", {"name": unique("Northwind"), "owner": owner}) for owner in owners
    ]
    for each in (kept, over, cleared):
        await ops.makes(f"/v1/accounts/{each}/plan-follow-up", {"on": f"{on}", "kind": "visit"})
    await ops.makes(f"/v1/accounts/{cleared}/plan-follow-up", {"on": None})
    await ops.makes(f"/v1/accounts/{later}/plan-follow-up", {"on": f"{on + timedelta(days=40)}"})
    away = {"start": f"{on - timedelta(days=3)}", "end": f"{on + timedelta(days=9)}"}
    await ops.makes(f"/v1/members/{sam}/go-on-leave", away)
    await alone.settled()
    listed = (await ops.sees("/v1/accounts", team=team, follow_up_to=f"{on}"))["items"]
    assert {(each["id"], each["follow_up"], each["follow_up_kind"]) for each in listed} == {
        (each, f"{on}", "visit") for each in (kept, over)
    }
    ahead = (await ops.sees("/v1/accounts", team=team, sort="follow_up"))["items"]
    assert [each["id"] for each in ahead if each["follow_up"]][-1] == later
    shown = [await ops.sees(f"/v1/accounts/{each}") for each in (kept, cleared)]
    assert [(each["follow_up"], each["follow_up_kind"]) for each in shown] == [(f"{on}", "visit"), (None, None)]
    assert [each["follow_up_planned"] for each in shown] == [True, True]
    (planned,) = await of_account(alone, kept, "follow-up-planned")
    times = [datetime.fromisoformat(each["at"]) for each in planned["reminders"]]
    assert (await timers(alone, kept, over, later), await timers(alone, cleared)) == (3, 0)

    async def are_reminded() -> bool:
        return all([await of_account(alone, each, "follow-up-reminded") for each in (kept, over)])

    await running.clock.advance(running.pool, times[0] - running.clock.now())
    await until(are_reminded, 60)
    (told,) = await of_account(alone, kept, "follow-up-reminded")
    assert (told["levels"], told["follow_up_id"], told["owner"]) == (["owner"], planned["follow_up_id"], rosa)
    (of_sam,) = await of_account(alone, over, "follow-up-reminded")
    assert of_sam["levels"] == ["owner", "manager"], "nobody is there to see it"
    assert [await of_account(alone, each, "follow-up-reminded") for each in (cleared, later)] == [[], []]
    tag = (await ops.client.get(f"/v1/accounts/{kept}")).headers["etag"]
    renamed = await ops.client.patch(f"/v1/accounts/{kept}", json={"name": "Southwind"}, headers={"If-Match": tag})
    assert renamed.status_code == 200, renamed.text
    assert (await of_account(alone, kept, "changed"))[-1]["reminded_follow_ups"] == [planned["follow_up_id"]]
    await ops.makes(f"/v1/accounts/{kept}/plan-follow-up", {"on": None})
    assert (await of_account(alone, kept, "follow-up-planned"))[-1]["reminded_follow_up"] == planned["follow_up_id"]
    assert await timers(alone, kept) == 0


async def test_api_4_a_rep_plans_the_follow_up_of_no_account_of_others(house: House) -> None:
    rosa, sam = unique("rosa"), unique("sam")
    await house.team(rosa)
    await house.team(sam)
    account = await house.somebody(Role.REP, rosa).makes("/v1/accounts", {"name": unique("Northwind")})
    path = f"/v1/accounts/{account}/plan-follow-up"
    assert (await house.somebody(Role.REP, sam).does(path, {"on": None})).status_code == 404
    assert (await house.somebody(Role.REP, rosa).does(path, {"on": None})).status_code == 200
    refused = await house.somebody(Role.REP, rosa).does(path, {"on": "2020-01-01", "kind": "call"})
    assert [(each["code"], each["pointer"]) for each in refused.json()["errors"]] == [("in-the-past", "/on")]


async def test_data_5_an_imported_follow_up_is_reminded_of_where_its_day_has_not_passed(alone: House) -> None:
    """DEAL-6: of several that history tells, only of the last one; of leads and of accounts. What is told otherwise
    since names what somebody was reminded of."""
    running = alone.service.running
    today = running.settings.company.day(running.clock.now())
    began = today - timedelta(days=20)
    ahead, past, customer = new_id(), new_id(), new_id()

    async def told(family: Any, thing: UUID, command: Any, name: str | None = None) -> None:
        as_ = Told(name=name, rank=Rank.CHANGE, at=running.clock.now()) if name else None
        request = CommandRequest(family, thing, command, service_actor("import"), imported=True, told=as_)
        await running.commands.execute(request)

    for lead, days in ((ahead, (-5, 9, 3)), (past, (9, -1))):
        await told(leads, lead, ImportLead(on=began, source="fair", company_name="Northwind"))
        for later, day in enumerate(days, 1):
            on = began + timedelta(days=later)
            await told(leads, lead, ImportLeadFollowUp(on=on, planned_for=today + timedelta(days=day)))
    await told(accounts, customer, ImportAccount(on=began, name=unique("Northwind")))
    planned_for = today + timedelta(days=3)
    plan_of_customer = ImportAccountFollowUp(on=began, planned_for=planned_for, kind="call")
    await told(accounts, customer, plan_of_customer, "plan")
    assert (await timers(alone, f"{ahead}", f"{customer}"), await timers(alone, f"{past}")) == (2, 0)
    *_, plan = await recorded(alone, f"{ahead}", "follow-up-planned")

    async def are_reminded() -> bool:
        of_customer = await of_account(alone, f"{customer}", "follow-up-reminded")
        return bool(await levels(alone, f"{ahead}")) and bool(of_customer)

    await running.clock.advance(running.pool, datetime.fromisoformat(plan["reminders"][0]["at"]) - running.clock.now())
    await until(are_reminded, 60)
    (reminder,) = await recorded(alone, f"{ahead}", "follow-up-reminded")
    assert (reminder["follow_up_id"], reminder["levels"]) == (plan["follow_up_id"], ["owner"])
    await told(accounts, customer, replace(plan_of_customer, planned_for=planned_for + timedelta(days=30)), "plan")
    first, corrected = await of_account(alone, f"{customer}", "follow-up-planned")
    assert corrected["reminded_follow_up"] == first["follow_up_id"]
    assert await timers(alone, f"{customer}") == 1
