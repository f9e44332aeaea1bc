"""DEAL-6: reminders of the next step over HTTP and PostgreSQL: the timer that reminds, and the hours it goes by."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.deals.domain.deal import deal as deals
from services.deals.domain.deal.history import ImportDeal, ImportDealChange
from services.deals.domain.deal.state import NextStep
from shared.commands.request import CommandRequest
from shared.directory.hours import KNOWN_HOURS
from shared.domain.context import service_actor
from shared.domain.roles import Role
from shared.events.money import Money
from shared.http.dry_runs import dry_path
from shared.ops.ids import new_id
from tests.services.deals.conftest import Office
from tests.services.deals.test_policies import today
from tests.services.leads.conftest import Desk
from tests.shared.http.conftest import Errands
from tests.shared.http.waiting import until

DEAL: dict[str, Any] = {"name": "Line", "amount": {"amount": "12000.00", "currency": "EUR"}}
RECORDED = "select data from event where aggregate_id = $1 and type = $2 order by sequence"
HOURS = "/v1/lead-policies/working-hours"
TOKYO = {
    "shifts": [
        {"weekday": each, "start": "08:30", "end": "17:00"}
        for each in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    ],
    "timezone": "Asia/Tokyo",
    "place": "",
}


async def recorded(errands: Errands, deal: str, name: str) -> list[dict[str, Any]]:
    """What was recorded of a deal in facts of a type."""
    rows = await errands.running.pool.fetch(RECORDED, UUID(deal), f"deals.deal-next-step-{name}")
    return [json.loads(row["data"]) for row in rows]


async def levels(errands: Errands, deal: str) -> list[list[str]]:
    """At which levels somebody was reminded, one time after the other."""
    return [each["levels"] for each in await recorded(errands, deal, "reminded")]


async def timers(errands: Errands, *deals: str) -> int:
    count: int = await errands.running.pool.fetchval(
        "select count(*) from timer where name = 'next_step_reminder' and aggregate_id = any($1::uuid[])",
        [UUID(deal) for deal in deals],
    )
    return count


async def test_deal_6_a_step_is_reminded_of_by_a_timer_until_it_is_planned_anew_or_the_deal_is_closed(
    alone: Errands,
) -> None:
    """The timer runs in the store. A service that stood still reminds of all that has come meanwhile at once."""
    running, ops = alone.running, Desk(client=alone.client(Role.SALES_OPERATIONS))
    open_, moved, cleared, lost = [await ops.makes("/v1/deals", DEAL) for _ in range(4)]
    on = running.settings.company.day(running.clock.now()) + timedelta(days=1)
    for each in (open_, moved, cleared, lost):
        await ops.makes(f"/v1/deals/{each}/plan-next-step", {"on": f"{on}", "what": "Workshop"})
    (planned,) = await recorded(alone, open_, "planned")
    times = [datetime.fromisoformat(each["at"]) for each in planned["reminders"]]
    assert [each["level"] for each in planned["reminders"]] == ["owner", "again", "manager"]
    later = on + timedelta(days=60)
    await ops.makes(f"/v1/deals/{moved}/plan-next-step", {"on": f"{later}", "what": "Workshop"})
    await ops.makes(f"/v1/deals/{cleared}/plan-next-step", {"on": None})
    await ops.makes(f"/v1/deals/{lost}/lose", {"reason": "price"})
    assert await timers(alone, open_, moved) == 2
    assert await timers(alone, cleared, lost) == 0

    async def is_reminded() -> bool:
        return bool(await levels(alone, open_))

    await running.clock.advance(running.pool, times[0] - running.clock.now())
    await until(is_reminded, 60)
    assert await levels(alone, open_) == [["owner"]]
    await running.clock.advance(running.pool, times[2] - running.clock.now())

    async def are_all_told() -> bool:
        return await timers(alone, open_) == 0

    await until(are_all_told, 60)
    assert await levels(alone, open_) == [["owner"], ["again", "manager"]]
    assert [await levels(alone, each) for each in (moved, cleared, lost)] == [[], [], []]
    history = (await ops.sees(f"/v1/deals/{open_}"))["next_step"]
    assert history == {"on": f"{on}", "what": "Workshop"}, "it is as open as before"


async def test_deal_6_a_step_that_is_imported_is_reminded_of_where_its_day_has_not_passed(alone: Errands) -> None:
    """Of several that history tells, only of the last one."""
    running, ahead, past = alone.running, new_id(), new_id()
    today_ = running.settings.company.day(running.clock.now())

    async def told(deal: UUID, command: Any) -> None:
        request = CommandRequest(deals, deal, command, service_actor("import"), imported=True)
        await running.commands.execute(request)

    for deal, days in ((ahead, (-5, 9, 3)), (past, (9, -1))):
        began = today_ - timedelta(days=20)
        await told(deal, ImportDeal(on=began, name="Line", amount=Money(amount=Decimal(10), currency="EUR")))
        for later, day in enumerate(days, 1):
            step = NextStep(on=today_ + timedelta(days=day), what="Workshop")
            await told(deal, ImportDealChange(on=began + timedelta(days=later), next_step=step))
    assert (await timers(alone, f"{ahead}"), await timers(alone, f"{past}")) == (1, 0)
    *_, planned = await recorded(alone, f"{ahead}", "planned")

    async def is_reminded() -> bool:
        return bool(await levels(alone, f"{ahead}"))

    await running.clock.advance(
        running.pool, datetime.fromisoformat(planned["reminders"][0]["at"]) - running.clock.now()
    )
    await until(is_reminded, 60)
    (reminder,) = await recorded(alone, f"{ahead}", "reminded")
    assert (reminder["step_id"], reminder["levels"]) == (planned["step_id"], ["owner"])


async def test_deal_6_reminders_go_by_the_working_hours_that_leads_sets_for_the_team(office: Office) -> None:
    """ORG-1: so says the dry run, too."""
    team, operations = await office.team(), office.operations()
    rep = office.somebody(Role.REP, team.subjects[0])
    await operations.makes(HOURS, {"document": TOKYO, "team": team.id})
    number = (await operations.sees(HOURS))["versions"][-1]["number"]

    async def are_known() -> bool:
        find = "select 1 from {view}.version where number = $1"
        return bool(await office.running.projections.lookup(KNOWN_HOURS.name, find, number))

    await until(are_known, 60)
    deal, on = await rep.makes("/v1/deals", DEAL), today(office) + timedelta(days=3)
    body = {"on": f"{on}", "what": "Workshop"}
    would = (await rep.client.post(dry_path(f"/v1/deals/{deal}/plan-next-step"), json=body)).json()
    await rep.makes(f"/v1/deals/{deal}/plan-next-step", body)
    (planned,) = await recorded(office.deals, deal, "planned")
    (dry,) = [each["data"]["reminders"] for each in would["events"] if each["type"].endswith("next-step-planned")]
    assert dry == planned["reminders"]
    starts = [f"{on + timedelta(days=days - 1)}T23:30" for days in (0, 1, 3)]
    assert [each["at"][:16] for each in planned["reminders"]] == starts


async def test_deal_6_a_corrected_activity_reminds_nobody_again_of_the_step_that_came_with_it(alone: Errands) -> None:
    """What is told once more was told."""
    running, ops = alone.running, Desk(client=alone.client(Role.SALES_OPERATIONS))
    deal, on = await ops.makes("/v1/deals", DEAL), running.settings.company.day(running.clock.now())
    step = {"on": f"{on + timedelta(days=1)}", "what": "Workshop"}
    await ops.makes(f"/v1/deals/{deal}/log-activity", {"kind": "call", "next_step": step})
    (planned,) = await recorded(alone, deal, "planned")
    first = datetime.fromisoformat(planned["reminders"][0]["at"])
    await running.clock.advance(running.pool, first - running.clock.now())

    async def is_reminded() -> bool:
        return bool(await levels(alone, deal))

    await until(is_reminded, 60)
    (activity,) = (await ops.sees(f"/v1/deals/{deal}"))["activities"]
    await ops.makes(f"/v1/deals/{deal}/correct-activity", {"activity_id": activity["id"], "kind": "visit"})
    due = await running.pool.fetchval(
        "select due from timer where name = 'next_step_reminder' and aggregate_id = $1", UUID(deal)
    )
    assert due == datetime.fromisoformat(planned["reminders"][1]["at"])
