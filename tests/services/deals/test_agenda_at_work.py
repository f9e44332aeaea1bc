"""DEAL-6, DEAL-7, DEAL-11 over HTTP and PostgreSQL: what waits for a rep, and what to do first."""

from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest
import vobject

from services.deals.domain.deal import deal as deals
from services.deals.domain.deal.history import ImportDeal, ImportDealChange
from services.deals.domain.deal.state import NextStep
from services.deals.projections.agenda import AGENDA_PROJECTION
from shared.commands.request import CommandRequest
from shared.domain.context import service_actor
from shared.domain.roles import Role
from shared.ops.ids import new_id
from shared.projections.audit import differences
from tests.services.deals.conftest import Office, Team
from tests.services.deals.facts import eur
from tests.services.deals.test_qualification_at_work import EVIDENCE, today
from tests.services.deals.test_service import DEAL, EUR, codes, seen
from tests.services.leads.conftest import Desk, patiently


def rep_of(office: Office, team: Team) -> Desk:
    return office.somebody(Role.REP, team.subjects[0])


def told(part: dict[str, Any]) -> list[tuple[str, str | None, str]]:
    return [(item["kind"], item["key"], item["due"]) for item in part["items"]]


async def later(desk: Desk, answer: httpx.Response, on: date, **query: str) -> Any:
    """The agenda of a day to come, once it holds what the answer tells of."""
    return await seen(desk, answer, "/v1/agenda", on=f"{on}", **query)


async def test_deal_6_an_agenda_has_what_is_late_what_is_due_and_what_comes_next(office: Office) -> None:
    rep, on = rep_of(office, await office.team()), today(office)
    deal = await rep.makes("/v1/deals", DEAL)
    due = office.running.settings.company.calendar.after(on, 5)
    step = on + timedelta(days=2)
    planned = await rep.does(f"/v1/deals/{deal}/plan-next-step", {"on": f"{step}", "what": "Walk through it"})
    before = await later(rep, planned, on, days="2")
    assert (before["overdue"]["count"], before["today"]["count"], before["next"]["count"]) == (0, 0, 1)
    (item,) = before["next"]["items"]
    assert (item["kind"], item["deal_id"], item["deal_name"]) == ("next-step", deal, DEAL["name"])
    assert (item["what"], item["due"], item["days_late"]) == ("Walk through it", f"{step}", 0)
    assert before["until"] == f"{step}"
    assert told((await later(rep, planned, step))["today"]) == [("next-step", None, f"{step}")]
    calendar = office.running.settings.company.calendar
    after = await later(rep, planned, calendar.after(due, 1))
    late = {item["key"]: item for item in after["overdue"]["items"]}
    assert set(late) == {None, "first-conversation", "background-research"}
    assert (late[None]["kind"], late[None]["days_late"]) == ("next-step", (calendar.after(due, 1) - step).days)
    talk, research = late["first-conversation"], late["background-research"]
    assert (talk["name"], talk["days_late"], talk["required"]) == ("Hold a first conversation", 1, True)
    assert (research["kind"], research["required"]) == ("task", False)
    done = await rep.does(f"/v1/deals/{deal}/complete-node", {"key": "first-conversation", "evidence": EVIDENCE})
    left = await later(rep, done, due + timedelta(days=1))
    assert "first-conversation" not in {item["key"] for item in left["overdue"]["items"]}
    none = await rep.does(f"/v1/deals/{deal}/plan-next-step", {"on": None})
    assert "next-step" not in {item["kind"] for item in (await later(rep, none, due))["overdue"]["items"]}
    lost = await rep.does(f"/v1/deals/{deal}/lose", {"reason": "price"})
    gone = await later(rep, lost, due, days="60")
    assert (gone["overdue"]["count"], gone["next"]["count"], gone["actions"]) == (0, 0, [])
    again = await rep.does(f"/v1/deals/{deal}/reopen", {"reason": "They came back"})
    assert (await later(rep, again, due + timedelta(days=1)))["overdue"]["count"] == 1, "what was left is there again"


async def test_deal_6_over_a_weekend_work_and_help_are_late_by_working_days_and_steps_by_days(office: Office) -> None:
    """DEAL-12: as on the page of a deal, and in the list of support requests."""
    rep, on = rep_of(office, await office.team()), today(office)
    deal = await rep.makes("/v1/deals", DEAL)
    await rep.makes("/v1/support-requests", {"deal_id": deal, "department": "presales", "what": "Two references"})
    planned = await rep.does(f"/v1/deals/{deal}/plan-next-step", {"on": f"{on}", "what": "Call"})
    monday = on + timedelta(days=28 - on.weekday())
    found = (await later(rep, planned, monday))["overdue"]["items"]
    late = {item["key"] or item["kind"]: (date.fromisoformat(item["due"]), item["days_late"]) for item in found}
    assert late.pop("next-step") == (on, (monday - on).days)
    assert set(late) == {"first-conversation", "background-research", "contact-record", "support-awaited"}
    for due, days in late.values():
        after = [due + timedelta(days=passed) for passed in range(1, (monday - due).days + 1)]
        assert days == len([day for day in after if day.weekday() < 5]) < len(after)


async def test_deal_5_an_agenda_has_answers_to_renew_and_exits_to_decide(office: Office) -> None:
    """DEAL-6: a proposal goes with the event that it rests on."""
    rep, on = rep_of(office, await office.team()), today(office)
    deal = await rep.makes("/v1/deals", DEAL)
    budget = {"amount": {"amount": "150000.00", **EUR}, "evidence": EVIDENCE}
    stated = await rep.does(f"/v1/deals/{deal}/state-budget", budget)
    renewed = on + timedelta(days=61)
    assert ("renewal", "budget", f"{renewed}") in told((await later(rep, stated, renewed))["today"])
    blocked = {"kind": "insurmountable", "text": "The plant is closed", "evidence": EVIDENCE}
    answer_id = "0199d3a4-5b7c-7d2e-9f10-3a4b5c6d7e01"
    event = await rep.does(f"/v1/deals/{deal}/state-customer-event", {**blocked, "answer_id": answer_id})
    assert ("exit-proposal", answer_id, f"{on}") in told((await later(rep, event, on))["today"])
    overcome = {**blocked, "kind": "blocking", "answer_id": answer_id}
    event = await rep.does(f"/v1/deals/{deal}/state-customer-event", overcome)
    assert (await later(rep, event, on))["today"]["count"] == 0
    cost = {"remaining_cost": {"amount": "12000.01", **EUR}}
    proposed = await rep.does(f"/v1/deals/{deal}/assess-exit", cost)
    assert told((await later(rep, proposed, on))["today"]) == [("exit-proposal", None, f"{on}")]
    withdrawn = await rep.does(f"/v1/deals/{deal}/withdraw-answer", {"answer_id": answer_id, "reason": "Not so"})
    assert (await later(rep, withdrawn, on))["today"]["count"] == 1, "this one rests on its cost"
    declined = await rep.does(f"/v1/deals/{deal}/decline-exit", {"reason": "The board decides in January"})
    found = await later(rep, declined, renewed)
    assert {item["kind"] for part in ("overdue", "today") for item in found[part]["items"]} >= {"renewal"}
    assert "exit-proposal" not in {item["kind"] for item in found["overdue"]["items"]}


async def test_deal_12_an_agenda_has_the_help_that_is_awaited_and_what_was_promised(office: Office) -> None:
    team = await office.team()
    rep, on = rep_of(office, team), today(office)
    presales = office.somebody(Role.PRESALES, team.subjects[1])
    deal = await rep.makes("/v1/deals", DEAL)
    what = {"deal_id": deal, "department": "presales", "what": "Two references"}
    asked = await rep.does("/v1/support-requests", what)
    due = office.running.settings.company.calendar.after(on, 2)
    request = asked.json()["id"]
    found = await later(rep, asked, due)
    (item,) = [item for item in found["today"]["items"] if item["support_request_id"]]
    assert (item["kind"], item["name"], item["support_request_id"]) == ("support-awaited", "presales", request)
    taken = await presales.does(f"/v1/support-requests/{request}/accept")
    promised = await later(presales, taken, due)
    assert told(promised["today"]) == [("support-promised", None, f"{due}")]
    returned = await presales.does(f"/v1/support-requests/{request}/return-to-asker", {"reason": "Of which size?"})
    assert (await later(presales, returned, due))["today"]["count"] == 0
    kinds = [item["kind"] for item in (await later(rep, returned, due))["today"]["items"]]
    assert kinds == ["support-returned"]


async def test_api_4_an_agenda_is_seen_by_its_rep_and_by_who_leads_them(office: Office) -> None:
    """DEAL-6: of somebody of whom one sees nothing, nothing is told."""
    team = await office.team()
    rep, on = rep_of(office, team), today(office)
    other = office.somebody(Role.REP, team.subjects[1])
    manager = office.somebody(Role.MANAGER, team.subjects[2])
    deal = await rep.makes("/v1/deals", DEAL)
    planned = await rep.does(f"/v1/deals/{deal}/plan-next-step", {"on": f"{on}", "what": "Call"})
    for desk, query in ((rep, {}), (rep, {"owner": team.rep}), (manager, {"owner": team.rep})):
        found = await later(desk, planned, on, **query)
        assert (found["owner"], found["today"]["count"], len(found["actions"]) > 0) == (team.rep, 1, True)
    assert (await later(manager, planned, on))["today"]["count"] == 0, "a manager's own"
    refused = await other.client.get("/v1/agenda", params={"owner": team.rep})
    assert (refused.status_code, codes(refused)) == (400, ["unknown-member"])
    stranger = office.somebody(Role.MANAGER, (await office.team()).subjects[2])
    refused = await stranger.client.get("/v1/agenda", params={"owner": team.rep})
    assert (refused.status_code, codes(refused)) == (400, ["unknown-member"])
    finance = office.somebody(Role.FINANCE, "fred of the agenda")
    refused = await finance.client.get("/v1/agenda")
    assert (refused.status_code, codes(refused)) == (400, ["not-a-member"])
    assert (await later(finance, planned, on, owner=team.rep))["today"]["count"] == 1
    assert (await office.deals.client(None, "").get("/v1/agenda")).status_code == 401
    for wrong in ({"on": "yesterday"}, {"days": "0"}, {"actions": "51"}, {"whom": team.rep}):
        assert (await rep.client.get("/v1/agenda", params=wrong)).status_code == 400


async def test_deal_7_the_first_actions_are_of_the_deals_with_the_most_at_stake(office: Office) -> None:
    """Of what no rate says the worth, it is said, and it comes last."""
    team = await office.team()
    rep = rep_of(office, team)
    amounts = (("Small", "1000.00", "EUR"), ("Large", "9000.00", "EUR"), ("Unknown", "999999", "XPF"))
    deals = {}
    for name, amount, currency in amounts:
        body = {**DEAL, "name": name, "amount": {"amount": amount, "currency": currency}}
        made = await rep.does("/v1/deals", body)
        deals[made.json()["id"]] = name
    found = await later(rep, made, today(office), actions="50")
    order = list(dict.fromkeys(deals[each["deal_id"]] for each in found["actions"]))
    assert order == ["Large", "Small", "Unknown"]
    first, last = found["actions"][0], found["actions"][-1]
    assert (first["worth"], first["weighted"]) == ({"amount": "900.00", **EUR}, {"amount": "900.00", **EUR})
    assert (last["worth"], last["weighted"]) == (None, {"amount": "100000", "currency": "XPF"})
    few = await later(rep, made, today(office), actions="2")
    assert few["actions"] == found["actions"][:2]
    deal = next(deal for deal, name in deals.items() if name == "Large")
    alone = await rep.sees(f"/v1/deals/{deal}/next-actions")
    assert alone["items"] == [each for each in found["actions"] if each["deal_id"] == deal]
    assert [each["reason"] for each in alone["items"]] == [
        "criterion-unmet",
        "criterion-unmet",
        "no-decision-maker",
    ]
    won = await rep.does(f"/v1/deals/{deal}/win", {})
    assert won.status_code == 200, won.text
    assert (await seen(rep, won, f"/v1/deals/{deal}/next-actions"))["items"] == []


async def test_deal_7_a_step_of_history_far_ahead_lets_a_deal_count_as_silent(office: Office) -> None:
    """On its agenda, on its page and on boards alike."""
    team = await office.team()
    rep, on, deal = rep_of(office, team), today(office), new_id()
    began, ahead = on - timedelta(days=30), on + timedelta(days=30)
    line: dict[str, Any] = {"name": "Line", "amount": eur("1000.00"), "owner": UUID(team.rep), "team": UUID(team.id)}
    for command in (
        ImportDeal(on=began, **line),
        ImportDealChange(on=began, next_step=NextStep(on=ahead, what="Come again")),
    ):
        request = CommandRequest(deals, deal, command, service_actor("import"), imported=True)
        await office.running.commands.execute(request)
    renamed = await rep.does(f"/v1/deals/{deal}/rename", {"name": "Second line"})
    found = (await later(rep, renamed, on))["actions"]
    (silent,) = [each for each in found if each["reason"] == "silent"]
    assert silent["due"] == f"{began + timedelta(days=14)}"
    assert (await rep.sees(f"/v1/deals/{deal}/next-actions"))["items"] == found
    assert (await rep.sees(f"/v1/deals/{deal}/page"))["figures"]["aging"]["is_idle"] is True
    agreed = await rep.does(f"/v1/deals/{deal}/plan-next-step", {"on": f"{on + timedelta(days=9)}", "what": "Talk"})
    assert "silent" not in {each["reason"] for each in (await later(rep, agreed, on))["actions"]}


async def test_deal_11_completeness_and_entry_delay_of_a_deal(office: Office, team: Team) -> None:
    rep, on = rep_of(office, team), today(office)
    deal = await rep.makes("/v1/deals", DEAL)
    path = f"/v1/deals/{deal}/completeness"
    nothing = await rep.sees(path)
    assert (nothing["share"], nothing["entry_delay_days"]) == ("0.0000", None)
    assert nothing["missing"] == nothing["required"] == ["task.first-conversation", "next_step_planned"]
    paged = (await rep.sees(f"/v1/deals/{deal}/page"))["completeness"]
    assert paged == {name: nothing[name] for name in ("share", "required", "missing")}
    await rep.makes(f"/v1/deals/{deal}/log-activity", {"kind": "call", "on": f"{on - timedelta(days=3)}"})
    await rep.makes(f"/v1/deals/{deal}/complete-node", {"key": "first-conversation", "evidence": EVIDENCE})
    found = await rep.sees(path)
    assert (found["share"], found["missing"], found["entry_delay_days"]) == ("0.5000", ["next_step_planned"], 2)
    await rep.makes(f"/v1/deals/{deal}/abandon", {"reason": "no-decision"})
    closed = await rep.sees(path)
    assert (closed["share"], closed["required"], closed["entry_delay_days"]) == (None, [], 2)
    assert (await rep.sees(f"/v1/deals/{deal}/page"))["completeness"] is None
    other = office.somebody(Role.REP, team.subjects[1])
    for hidden in (path, f"/v1/deals/{deal}/next-actions"):
        assert await other.status(hidden) == 404


async def test_the_agenda_is_what_a_fresh_fold_makes_of_the_log(office: Office, team: Team) -> None:
    rep = rep_of(office, team)
    made = await rep.does("/v1/deals", DEAL)
    await later(rep, made, today(office))
    running = office.running
    assert await differences(running.pool, running.log, AGENDA_PROJECTION, running.settings.company) == []


async def test_deal_6_a_calendar_has_what_the_agenda_has(office: Office) -> None:
    """And a step that is put off moves in it."""
    team = await office.team()
    rep, on = rep_of(office, team), today(office)
    deal = await rep.makes("/v1/deals", DEAL)
    found: list[Any] = []
    for days in (2, 4):
        step = {"on": f"{on + timedelta(days=days)}", "what": "Walk through it"}
        planned = await rep.does(f"/v1/deals/{deal}/plan-next-step", step)
        headers = {"Consistency-Token": planned.headers["Consistency-Token"], "Accept-Language": "de"}
        answer = await patiently(partial(rep.client.get, "/v1/agenda.ics", headers=headers), headers)
        assert answer.headers["Content-Type"].startswith("text/calendar")
        assert answer.headers["Content-Language"] == "de"
        found.append(vobject.readOne(answer.text))
    before, after = (
        next(each for each in calendar.vevent_list if each.categories.value == ["next-step"]) for calendar in found
    )
    assert [each.dtstart.value for each in (before, after)] == [on + timedelta(days=2), on + timedelta(days=4)]
    assert before.uid.value == after.uid.value
    assert int(before.sequence.value) < int(after.sequence.value)
    assert {each.categories.value[0] for each in found[1].vevent_list} == {"next-step", "task", "deliverable"}
    assert (await office.deals.client(None, "").get("/v1/agenda.ics")).status_code == 401
    other = office.somebody(Role.REP, team.subjects[1])
    assert (await other.client.get("/v1/agenda.ics", params={"owner": team.rep})).status_code == 400


async def test_data_4_what_was_erased_is_gone_from_the_agenda_at_once(office: Office) -> None:
    """DEAL-6: the step stays, without its text."""
    rep, on = rep_of(office, await office.team()), today(office)
    deal = await rep.makes("/v1/deals", DEAL)
    planned = await rep.does(f"/v1/deals/{deal}/plan-next-step", {"on": f"{on}", "what": "Call Quentin Ashgrove"})
    assert [item["what"] for item in (await later(rep, planned, on))["today"]["items"]] == ["Call Quentin Ashgrove"]
    erased = await office.somebody().does(f"/v1/deals/{deal}/erase-texts")
    assert [item["what"] for item in (await later(rep, erased, on))["today"]["items"]] == [None]


@pytest.mark.parametrize("on", ["9999-12-31", "0001-01-01"])
async def test_api_1_a_day_from_which_nothing_can_be_reckoned_is_refused(office: Office, on: str) -> None:
    refused = await office.somebody(Role.MANAGER).client.get("/v1/agenda", params={"on": on, "owner": str(new_id())})
    assert (refused.status_code, [each["parameter"] for each in refused.json()["errors"]]) == (400, ["on"])
