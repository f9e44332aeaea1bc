"""PROC-1, ACCT-6: stages of leads and contracts over HTTP, PostgreSQL and Kafka: from what happens to a lead or a
contract to what is due, told and done."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.deals.domain.process.full import FULL_ID
from services.deals.domain.stage_visit import stage_visit
from services.deals.domain.stage_visit.state import OpenStageVisit, visit_of
from services.deals.domain.stage_visit.visiting import BeginContractStage, BeginLeadStage
from services.deals.projections.stage_visits import STAGE_VISIT_PROJECTION, STAGE_WORK_PROJECTION
from shared.commands.request import CommandRequest
from shared.domain.context import service_actor
from shared.domain.roles import Role
from shared.eventstore.append import Append, Outcome
from shared.ops.ids import new_id
from shared.projections.audit import differences
from shared.testing.servers import personal_rows
from tests.services.conftest import Everybody
from tests.services.deals.conftest import Office
from tests.services.deals.opening import ruled
from tests.services.deals.test_processes_at_work import renewal
from tests.services.deals.test_service import codes, seen
from tests.services.deals.test_winning_at_work import NOBODY_ASKED, done
from tests.services.leads.conftest import Desk, House, unique
from tests.shared.http.conftest import Errands
from tests.shared.http.waiting import until

DEAL: dict[str, Any] = {"amount": {"amount": "12000.00", "currency": "EUR"}, "process_id": str(FULL_ID)}
AT = "/v1/stage-visits"
FIRED = "select data ->> 'rule' as rule from event where aggregate_id = $1 and type = $2 order by sequence"


@pytest.fixture
async def full(office: Office) -> AsyncIterator[None]:
    """Whatever no rule says otherwise of follows the full process."""
    async with ruled(office, {"otherwise": str(FULL_ID)}):
        yield


async def signed(everybody: Everybody, office: Office, team: str, deal: httpx.Response) -> str:
    """A contract of a deal that both sides have signed."""
    contracts = Desk(client=everybody.contracts.client(Role.SALES_OPERATIONS, "ops"))
    legal = Desk(client=everybody.contracts.client(Role.LEGAL, "lara"))

    async def team_is_known() -> bool:
        chain = {"document": {"chain": NOBODY_ASKED}, "team": team}
        return (await legal.does("/v1/contract-policies/contract-approval", chain)).status_code == 200

    await until(team_is_known, 60)
    known = {"Consistency-Token": deal.headers["Consistency-Token"]}
    body = {"name": "Line", "total": DEAL["amount"], "deal_id": deal.json()["id"]}
    drafted = await done(contracts, "/v1/contracts", body, **known)
    contract: str = drafted.json()["id"]
    await done(contracts, f"/v1/contracts/{contract}/submit")
    today = str(office.running.clock.now().date())
    signature = {"signed_by_us": today, "signed_by_customer": today, "evidence_hash": "a" * 64}
    await done(contracts, f"/v1/contracts/{contract}/sign", signature)
    return contract


async def stands(office: Office, visit: UUID) -> None:
    """Wait until something stands in a stage."""

    async def is_so() -> bool:
        return isinstance((await office.running.commands.state(stage_visit, visit)).state, OpenStageVisit)

    await until(is_so, 60)


async def test_acct_6_a_signed_contract_is_delivered_and_its_rep_sees_what_is_due(
    everybody: Everybody, office: Office
) -> None:
    team, name = await office.team(), unique("Line")
    rep, other = office.somebody(Role.REP, team.subjects[0]), office.somebody(Role.REP, team.subjects[1])
    manager, delivery = office.somebody(Role.MANAGER, team.subjects[2]), office.somebody(Role.DELIVERY, "dan")
    opened = await done(rep, "/v1/deals", {**DEAL, "name": name})
    deal = opened.json()["id"]
    contract = await signed(everybody, office, team.id, opened)
    visit = visit_of(UUID(deal), "signed")
    await stands(office, visit)

    shown = await rep.sees(f"{AT}/{visit}")
    assert (shown["status"], shown["subject"], shown["stage"], shown["name"]) == ("open", "contract", "delivery", name)
    assert (shown["contract_id"], shown["deal_id"], shown["owner"]) == (contract, deal, team.rep)
    assert [(each["key"], each["trigger"], each["notified"]) for each in shown["fired_rules"]] == [
        ("hand-over", "entry", True)
    ]
    today = office.running.clock.now().date()
    due = office.running.settings.company.calendar.after(today, 5)
    assert [(each["key"], each["due"], each["done_on"]) for each in shown["nodes"]] == [
        ("start-meeting", f"{due}", None)
    ]
    assert await manager.status(f"{AT}/{visit}") == await delivery.status(f"{AT}/{visit}") == 200
    assert await other.status(f"{AT}/{visit}") == 404

    async def agenda() -> list[dict[str, Any]]:
        items = (await rep.sees("/v1/agenda", on=f"{due}"))["today"]["items"]
        return [each for each in items if each["kind"] == "stage-work"]

    async def is_due() -> bool:
        return bool(await agenda())

    await until(is_due, 60)
    (item,) = await agenda()
    assert (item["key"], item["name"], item["deal_id"]) == ("start-meeting", "Hold the start meeting", deal)
    assert (item["stage_visit_id"], item["lead_id"], item["deal_name"]) == (f"{visit}", None, name)

    refused = await delivery.does(f"{AT}/{visit}/complete-work", {"key": "tea", "evidence": "DOC-1"})
    assert (codes(refused), refused.json()["errors"][0]["pointer"]) == (["unknown-work"], "/key")
    legal = office.somebody(Role.LEGAL, "lara")
    told = {"key": "start-meeting", "evidence": "DOC-1"}
    assert codes(await legal.does(f"{AT}/{visit}/complete-work", told)) == ["other-role"]
    assert (await other.does(f"{AT}/{visit}/complete-work", told)).status_code == 404
    held = await done(delivery, f"{AT}/{visit}/complete-work", told)
    (row,) = (await seen(rep, held, AT, deal=deal))["items"]
    assert (row["id"], row["status"], row["stage"], row["subject"]) == (f"{visit}", "open", "delivery", "contract")
    assert (await seen(other, held, AT, deal=deal))["items"] == []
    after = await seen(rep, held, "/v1/agenda", on=f"{due}")
    assert [each for each in after["today"]["items"] if each["kind"] == "stage-work"] == []
    running = office.running
    for projection in (STAGE_VISIT_PROJECTION, STAGE_WORK_PROJECTION):
        assert await differences(running.pool, running.log, projection, running.settings.company) == []


async def test_proc_1_a_captured_lead_is_in_the_agenda_of_whoever_has_it_until_it_is_worked_on(
    everybody: Everybody, office: Office, full: None
) -> None:
    """By the process that new deals follow; with the first activity it goes on to the next stage."""
    team, company = await office.team(), unique("Acme")
    rep, leads = office.somebody(Role.REP, team.subjects[0]), office.operations()
    lead = await leads.makes(
        "/v1/leads", {"source": "web", "company_name": company, "person_name": "Ada", "email": f"{new_id()}@acme.test"}
    )
    visit, later = visit_of(UUID(lead), "captured"), visit_of(UUID(lead), "worked-on")
    await stands(office, visit)
    await done(leads, f"/v1/leads/{lead}/assign", {"team_id": team.id, "member_id": team.rep})

    async def items() -> list[dict[str, Any]]:
        found = await rep.sees("/v1/agenda")
        every = [*found["overdue"]["items"], *found["today"]["items"], *found["next"]["items"]]
        return [each for each in every if each["lead_id"] == lead]

    async def are_due() -> bool:
        return bool(await items())

    await until(are_due, 60)
    due = await items()
    assert {each["key"] for each in due} == {"first-answer", "check-fit", "lead-record"}
    assert {(each["deal_id"], each["deal_name"], each["stage_visit_id"]) for each in due} == {
        (None, company, f"{visit}")
    }
    calendar = await rep.client.get("/v1/agenda.ics")
    assert (calendar.headers["Content-Type"].partition(";")[0], company in calendar.text) == ("text/calendar", True)
    await done(rep, f"{AT}/{visit}/complete-work", {"key": "first-answer", "evidence": "Called."})
    await done(leads, f"/v1/leads/{lead}/log-activity", {"kind": "call"})
    await stands(office, later)
    left = await rep.sees(f"{AT}/{visit}")
    assert (left["status"], left["cause"]) == ("ended", "next-stage")
    shown = await rep.sees(f"{AT}/{later}")
    assert (shown["stage"], shown["name"], shown["owner"]) == ("nurture", company, team.rep)


async def test_lead_4_whoever_leads_the_team_sees_what_is_due_for_its_lead_in_the_pool(
    office: Office, full: None
) -> None:
    leader, other = unique("manager"), await office.team()
    team, _ = await House(service=office.leads).team(manager=leader)
    manager, stranger = office.somebody(Role.MANAGER, leader), office.somebody(Role.MANAGER, other.subjects[2])
    leads = Desk(client=office.leads.client(Role.MANAGER, leader))
    lead = await leads.makes(
        "/v1/leads", {"source": "web", "company_name": "Acme", "person_name": "Ada", "email": f"{new_id()}@acme.test"}
    )
    visit = visit_of(UUID(lead), "captured")

    async def is_seen() -> bool:
        return await manager.status(f"{AT}/{visit}") == 200

    await until(is_seen, 60)
    shown = await manager.sees(f"{AT}/{visit}")
    assert (shown["status"], shown["stage"], shown["owner"], shown["team"]) == ("open", "lead-in", None, team)
    assert await stranger.status(f"{AT}/{visit}") == 404


async def test_proc_1_a_timer_of_a_stage_fires_in_the_store_unless_the_work_is_done(alone: Errands) -> None:
    running, ops = alone.running, Desk(client=alone.client(Role.SALES_OPERATIONS))
    visits: list[UUID] = []
    for _ in range(2):
        deal = UUID(await ops.makes("/v1/deals", {**DEAL, "name": "Line"}))
        visits.append(visit_of(deal, "signed"))
        begin = BeginContractStage(contract_id=new_id(), deal_id=deal, begins="signed")
        for _ in range(2):  # told again, nothing happens
            await running.commands.execute(CommandRequest(stage_visit, visits[-1], begin, service_actor("deals")))
    late, held = visits
    for key in ("start-meeting", "acceptance", "acceptance-record"):
        await done(ops, f"{AT}/{held}/complete-work", {"key": key, "evidence": "DOC-1"})
    await running.clock.advance(running.pool, timedelta(days=10))

    async def are_over() -> bool:
        return all([not (await ops.sees(f"{AT}/{each}"))["rules"] for each in visits])

    await until(are_over, 60)

    async def told(visit: UUID, name: str) -> list[str]:
        return [row["rule"] for row in await running.pool.fetch(FIRED, visit, f"deals.stage-visit-{name}")]

    assert await told(late, "rule-fired") == ["hand-over", "no-start"]
    assert (await told(held, "rule-fired"), await told(held, "rule-lapsed")) == (["hand-over"], ["no-start"])
    assert (await ops.sees(f"{AT}/{held}"))["status"] == "ended", "with the last of what its stage requires"


async def test_data_4_what_was_written_in_a_stage_is_erased_each_time_that_texts_of_its_deal_are(
    alone: Errands,
) -> None:
    """Also when nothing was written about the deal itself since the time before."""
    running, ops = alone.running, Desk(client=alone.client(Role.SALES_OPERATIONS))
    deal = UUID(await ops.makes("/v1/deals", {**DEAL, "name": "Line"}))
    await done(ops, f"/v1/deals/{deal}/erase-texts")
    visit = visit_of(deal, "signed")
    begin = BeginContractStage(contract_id=new_id(), deal_id=deal, begins="signed")
    await running.commands.execute(CommandRequest(stage_visit, visit, begin, service_actor("deals")))
    for key in ("start-meeting", "acceptance"):
        await done(ops, f"{AT}/{visit}/complete-work", {"key": key, "evidence": "Met Ada Lovelace"})
        assert await personal_rows(running.pool, visit) == 1
        await done(ops, f"/v1/deals/{deal}/erase-texts")
        assert await personal_rows(running.pool, visit) == 0
    nodes = (await ops.sees(f"{AT}/{visit}"))["nodes"]
    assert [(node["key"], node["evidence"]) for node in nodes] == [("start-meeting", ""), ("acceptance", "")]


async def test_data_4_a_stage_is_called_as_its_deal_and_ends_when_that_is_lost(office: Office) -> None:
    running, ops = office.running, office.somebody()
    before, after = unique("Quentin Ashgrove"), unique("Line")
    deal = UUID(await ops.makes("/v1/deals", {**DEAL, "name": before}))
    visit = visit_of(deal, "signed")
    begin = BeginContractStage(contract_id=new_id(), deal_id=deal, begins="signed")
    await running.commands.execute(CommandRequest(stage_visit, visit, begin, service_actor("deals")))
    await done(ops, f"/v1/deals/{deal}/rename", {"name": after})
    await done(ops, f"/v1/deals/{deal}/lose", {"reason": "price"})

    async def has_ended() -> bool:
        shown = await ops.sees(f"{AT}/{visit}")
        return (shown["name"], shown["status"], shown.get("cause")) == (after, "ended", "deal-lost")

    await until(has_ended, 60)

    async def is_found() -> bool:
        return [each["id"] for each in (await ops.sees(AT, q=after))["items"]] == [f"{visit}"]

    await until(is_found, 60)
    assert (await ops.sees(AT, q=before))["items"] == []
    assert await differences(running.pool, running.log, STAGE_VISIT_PROJECTION, running.settings.company) == []


async def test_acct_4_the_stage_of_a_contract_goes_to_another_rep_once_its_deal_is_won(office: Office) -> None:
    team, running = await office.team(), office.running
    rep, other = office.somebody(Role.REP, team.subjects[0]), office.somebody(Role.REP, team.subjects[1])
    manager = office.somebody(Role.MANAGER, team.subjects[2])
    stranger = office.somebody(Role.MANAGER, (await office.team()).subjects[2])
    deal = UUID(await rep.makes("/v1/deals", {**DEAL, "name": "Line"}))
    await done(rep, f"/v1/deals/{deal}/win")
    visit = visit_of(deal, "signed")
    begin = BeginContractStage(contract_id=new_id(), deal_id=deal, begins="signed")
    await running.commands.execute(CommandRequest(stage_visit, visit, begin, service_actor("deals")))
    at, to = f"{AT}/{visit}/hand-over", {"owner": team.other}
    assert (await rep.does(at, to)).status_code == 403
    assert (await stranger.does(at, to)).status_code == 404
    unknown = await manager.does(at, {"owner": str(new_id())})
    assert (codes(unknown), unknown.json()["errors"][0]["pointer"]) == (["unknown-member"], "/owner")
    handed = await done(manager, at, to)
    shown = await other.sees(f"{AT}/{visit}")
    assert (shown["owner"], shown["team"]) == (team.other, team.id)
    assert await rep.status(f"{AT}/{visit}") == 404
    assert [each["id"] for each in (await seen(other, handed, AT, deal=f"{deal}"))["items"]] == [f"{visit}"]
    # What the deal is called later leaves it with whom it was handed to.
    await done(manager, f"/v1/deals/{deal}/rename", {"name": "Plant"})

    async def is_renamed() -> bool:
        return bool((await other.sees(f"{AT}/{visit}"))["name"] == "Plant")

    await until(is_renamed, 60)


async def test_proc_1_a_stage_that_begins_while_its_deal_is_renamed_is_called_as_the_deal_is_then(
    alone: Errands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decided under the old name, and appended once there is a new one: nobody would tell the visit any more."""
    running, ops = alone.running, Desk(client=alone.client(Role.SALES_OPERATIONS))
    deal, appender = UUID(await ops.makes("/v1/deals", {**DEAL, "name": "Line"})), running.commands._appender
    visit, append = visit_of(deal, "signed"), appender.append

    async def once_it_is_renamed(what: Append) -> Outcome:
        if what.streams[0].aggregate_id != visit:
            return await append(what)
        monkeypatch.setattr(appender, "append", append)
        await done(ops, f"/v1/deals/{deal}/rename", {"name": "Plant"})
        return await append(what)

    monkeypatch.setattr(appender, "append", once_it_is_renamed)
    begin = BeginContractStage(contract_id=new_id(), deal_id=deal, begins="signed")
    await running.commands.execute(CommandRequest(stage_visit, visit, begin, service_actor("deals")))
    assert (await ops.sees(f"{AT}/{visit}"))["name"] == "Plant"


async def test_proc_1_nothing_is_recorded_where_the_process_says_nothing(alone: Errands) -> None:
    running, ops = alone.running, Desk(client=alone.client(Role.SALES_OPERATIONS))
    lead = new_id()
    begin = BeginLeadStage(lead_id=lead, begins="captured")
    visit = visit_of(lead, "captured")
    await running.commands.execute(CommandRequest(stage_visit, visit, begin, service_actor("deals")))
    assert (await running.commands.state(stage_visit, visit)).sequence == 0
    assert await ops.status(f"{AT}/{visit}") == 404


async def test_proc_3_what_is_wrong_with_a_stage_of_contracts_is_told_with_its_position(alone: Errands) -> None:
    ops, definition = Desk(client=alone.client(Role.SALES_OPERATIONS)), renewal()
    stage = {"key": "delivery", "name": "Delivery", "purpose": "Deliver it.", "begins": "captured"}
    rule = {"key": "late", "name": "Late", "on": "timer", "notify": ["owner"]}
    body = {"definition": {**definition, "contract_stages": [{**stage, "rules": [rule]}]}}
    refused = await ops.does("/v1/processes", body)
    assert [(each["code"], each["pointer"]) for each in refused.json()["errors"]] == [
        ("unknown-begin", "/definition/contract_stages/0/begins"),
        ("invalid-trigger", "/definition/contract_stages/0/rules/0/after"),
    ]
    # Help of other departments is asked on a deal: a rule of such a stage has no word for it.
    body["definition"]["contract_stages"][0]["rules"][0]["support"] = "custom-case"
    refused = await ops.does("/v1/processes", body)
    assert refused.status_code == 422
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/definition/contract_stages/0/rules/0/support"]
