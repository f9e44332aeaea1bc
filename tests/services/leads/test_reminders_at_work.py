"""DEAL-6: reminders of the follow-up of a lead over HTTP and PostgreSQL: timer, hours, and what a dry run says."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.domain.roles import Role
from shared.http.dry_runs import dry_path
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
