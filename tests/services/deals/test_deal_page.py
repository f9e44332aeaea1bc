"""The page of a deal over HTTP and PostgreSQL: all that a front end shows of one, and its timeline."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx

from services.deals.deal_page import Held, gate_of, stage_of
from services.deals.deal_page_api import COMMANDS
from services.deals.domain.deal import deal
from services.deals.domain.deal.gates import CHANGED_BY, judged
from services.deals.domain.deal.state import AnyDeal, Waiver
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.facts import DERIVED
from services.deals.domain.process.full import CUSTOM_SOLUTION, FULL, FULL_ID
from services.deals.domain.process.writing import criterion
from shared.domain.context import Company
from shared.domain.roles import Role
from shared.events.deals.deal import DealMoved
from shared.http.command_routes import operation_id
from shared.ops.ids import new_id
from shared.testing.scenario import NOW
from tests.services.deals.conftest import Office, Team
from tests.services.deals.facts import ID, OPENED, PROCESS, TALKED, TODAY
from tests.services.deals.test_flexible_nodes import ADDED, APPROVED, EXIT, IN_SOLUTION, KEY
from tests.services.deals.test_flexible_nodes import READY as SOLVED
from tests.services.deals.test_key_actions import LOADED_FULL
from tests.services.deals.test_service import DEAL, seen
from tests.services.leads.conftest import Desk

EUR = {"currency": "EUR"}
RATES = Conversion(currency="EUR", factors={})
GERMAN = {"Accept-Language": "de"}


async def page_of(desk: Desk, deal: str, last: httpx.Response | None = None) -> Any:
    if last is None:
        return await desk.sees(f"/v1/deals/{deal}/page")
    return await seen(desk, last, f"/v1/deals/{deal}/page")


def named(items: list[Any], key: str) -> dict[str, Any]:
    return {item[key]: item for item in items}


# -- pure -------------------------------------------------------------------------------------------------------------


def test_deal_3_a_criterion_is_judged_with_the_value_that_it_met() -> None:
    stage = PROCESS.definition.stages[0]
    gate = ("exit of initial-contact", stage.exit)
    held, planned = judged(deal.fold([OPENED, TALKED]), PROCESS, RATES, TODAY, gate)
    assert (held.is_met, held.met, held.by) == (
        True,
        {"task.first-conversation": True},
        {"task.first-conversation": "complete-node"},
    )
    assert (planned.is_met, planned.met, planned.waived_until) == (False, {"next_step_planned": False}, None)


def test_deal_3_every_derived_fact_that_changes_names_a_command_that_is_listed() -> None:
    listed = {route.operation_id for route in COMMANDS}
    assert {operation_id(command, "deal") for command in CHANGED_BY.values()} - listed == set()
    assert DERIVED.keys() ^ CHANGED_BY.keys() == {"lead", "quote_accepted"}


def test_deal_4_a_waiver_that_has_run_out_is_none() -> None:
    gate = ("exit of initial-contact", PROCESS.definition.stages[0].exit)
    for until, shown in ((TODAY, TODAY), (TODAY - timedelta(days=1), None)):
        waiver = Waiver(gate=gate[0], criterion="next-step-planned", until=until)
        state = replace(deal.fold([OPENED]), waivers=(waiver,))
        assert judged(state, PROCESS, RATES, TODAY, gate)[1].waived_until == shown


def held(*events: Any) -> Held:
    """A deal of the full process, as its page has it."""
    state: AnyDeal = deal.fold(events)
    return Held(
        state=state,
        version=len(events),
        process=LOADED_FULL["process"],
        conversion=RATES,
        signs=None,
        now=NOW,
        company=Company(),
    )


def test_deal_4_the_gate_ahead_is_closed_by_a_flexible_node_that_binds_the_deal() -> None:
    """DEAL-3: what the page says of the gate is what the move says."""
    bound = (IN_SOLUTION, *SOLVED, ADDED)
    for events, unmet in ((bound[:-1], []), (bound, [(EXIT, "custom-solution-approved")]), ((*bound, *APPROVED), [])):
        gate = gate_of(held(*events))
        assert gate is not None
        assert [(each.gate, each.criterion) for each in gate.criteria if not each.is_met] == unmet
        assert (gate.stage, gate.is_open) == ("negotiation", not unmet)
        assert (EXIT in {each.gate for each in gate.criteria}) == (ADDED in events)


def test_deal_4_the_work_of_a_flexible_node_stands_on_the_page_by_its_standards_and_gates() -> None:
    stage = stage_of(held(IN_SOLUTION, ADDED, APPROVED[0]))
    nodes = {node.key: node for node in stage.nodes}
    assert list(nodes)[-3:] == ["assess-custom-solution", "approve-custom-solution", "custom-solution-assessment"]
    assess, approve, assessment = list(nodes.values())[-3:]
    assert {(node.flexible_node, node.stage, node.by_rule) for node in (assess, approve, assessment)} == {
        (KEY, "solution", None)
    }
    assert (assess.kind, assess.deliverable, assess.due) == ("task", assessment.key, date(2026, 3, 23))
    assert assess.standard == CUSTOM_SOLUTION.tasks[0].standard
    assert (assessment.kind, assessment.done, assess.done) == ("deliverable", True, False)
    assert [(each.gate, each.is_met) for each in approve.criteria] == [("entry of task approve-custom-solution", False)]
    assert nodes["demonstrate"].flexible_node is None
    assert KEY not in {node.flexible_node for node in stage_of(held(IN_SOLUTION)).nodes}


def test_deal_4_what_a_flexible_node_asks_before_it_is_begun_is_asked_at_each_of_its_work() -> None:
    entry = (criterion("pains-named", "Pains are named", "pains", "at-least", 1),)
    gated = replace(FULL, flexible_nodes=(replace(CUSTOM_SOLUTION, entry=entry),))
    page = held(IN_SOLUTION, ADDED)
    nodes = stage_of(replace(page, process=replace(page.process, definition=gated))).nodes
    asks = [node.key for node in nodes if f"entry of flexible node {KEY}" in {each.gate for each in node.criteria}]
    assert asks == [node.key for node in nodes if node.flexible_node == KEY]


def test_deal_4_undone_work_of_a_flexible_node_is_still_shown_in_the_next_stage() -> None:
    """Where its exit was waived; what is done is not shown there, and neither is what a later stage binds."""
    moved = DealMoved(
        deal_id=ID,
        before="solution",
        stage="negotiation",
        direction="forward",
        skipped=(),
        probability=Decimal("0.70"),
        probability_before=Decimal("0.40"),
        category="best-case",
        amount=OPENED.amount,
        on=TODAY,
    )
    left = [node.key for node in stage_of(held(IN_SOLUTION, ADDED, APPROVED[0], moved)).nodes if node.flexible_node]
    assert left == ["assess-custom-solution", "approve-custom-solution"]
    back = replace(moved, before="solution", stage="needs-diagnosis", direction="back")
    assert not [node for node in stage_of(held(IN_SOLUTION, ADDED, back)).nodes if node.flexible_node]


def test_proc_1_the_page_says_what_a_rule_made_due_and_whether_the_deal_moves_by_itself() -> None:
    by_rule = stage_of(held(IN_SOLUTION, replace(ADDED, rule="custom-solution")))
    assert {node.by_rule for node in by_rule.nodes if node.flexible_node} == {"custom-solution"}
    assert by_rule.moves == "by-hand"
    page = held(IN_SOLUTION)
    stages = tuple(replace(stage, moves="by-itself") for stage in FULL.stages)
    moving = replace(page, process=replace(page.process, definition=replace(FULL, stages=stages)))
    assert stage_of(moving).moves == "by-itself"


# -- at work ----------------------------------------------------------------------------------------------------------


async def test_deal_3_the_gate_ahead_says_of_each_criterion_whether_it_is_met_by_what_and_how_to(
    office: Office, team: Team
) -> None:
    rep, manager = office.somebody(Role.REP, team.subjects[0]), office.somebody(Role.MANAGER, team.subjects[2])
    made = await rep.makes("/v1/deals", DEAL)
    gate = (await page_of(rep, made))["gate"]
    assert (gate["stage"], gate["is_open"], gate["missing_rate"]) == ("needs-confirmed", False, None)
    criteria = named(gate["criteria"], "criterion")
    assert criteria.keys() == {"conversation-held", "next-step-planned"}
    assert criteria["next-step-planned"] == {
        "gate": "exit of initial-contact",
        "criterion": "next-step-planned",
        "name": "A next step is planned",
        "is_met": False,
        "expected": "next_step_planned is True",
        "met": {"next_step_planned": False},
        "by": {"next_step_planned": "plan-next-step"},
        "approvals": {},
        "waived_until": None,
    }
    assert criteria["conversation-held"]["by"] == {"task.first-conversation": "complete-node"}
    await rep.makes(f"/v1/deals/{made}/plan-next-step", {"on": "2099-01-05", "what": "Workshop"})
    until = str(office.running.settings.company.day(office.running.clock.now()) + timedelta(days=3))
    waiver = {"gate": "exit of initial-contact", "criterion": "conversation-held", "until": until, "reason": "Known"}
    await manager.makes(f"/v1/deals/{made}/waive-criterion", waiver)
    gate = (await page_of(rep, made))["gate"]
    criteria = named(gate["criteria"], "criterion")
    assert gate["is_open"] is True
    assert (criteria["next-step-planned"]["is_met"], criteria["next-step-planned"]["met"]) == (
        True,
        {"next_step_planned": True},
    )
    assert (criteria["conversation-held"]["is_met"], criteria["conversation-held"]["waived_until"]) == (False, until)
    # What the page says of the gate is what the move says.
    assert (await rep.does(f"/v1/deals/{made}/move", {"stage": "needs-confirmed"})).status_code == 200


async def test_a_page_has_all_that_is_shown_of_an_open_deal(office: Office, team: Team) -> None:
    """DEAL-2, DEAL-5, DEAL-12."""
    rep = office.somebody(Role.REP, team.subjects[0])
    made = await rep.makes("/v1/deals", {**DEAL, "process_id": str(FULL_ID)})
    fresh = await page_of(rep, made)
    shown = await rep.sees(f"/v1/deals/{made}")
    beside = {"owner_name", "team_name", "on", "reason", "competitor"}
    own = {name: told for name, told in fresh["deal"].items() if name not in beside}
    assert own == {name: told for name, told in shown.items() if name != "commands"}
    assert fresh["commands"] == shown["commands"]
    assert fresh["qualification"] == await rep.sees(f"/v1/deals/{made}/qualification")
    assert (fresh["deal"]["owner_name"], fresh["deal"]["on"]) == (team.subjects[0], None)
    stage = fresh["stage"]
    assert (stage["key"], stage["number"], stage["stages"][0]) == (shown["stage"], 1, shown["stage"])
    assert {node["key"] for node in stage["nodes"]} == {node["key"] for node in shown["nodes"]}
    assert all(node["due"] and not node["done"] and node["days_late"] == 0 for node in stage["nodes"])
    assert any(node["criteria"] for node in stage["nodes"])
    assert fresh["figures"]["aging"] == {"days_in_stage": 0, "days_late": 0, "idle_days": 0, "is_idle": False}
    assert fresh["figures"]["cost_of_idle_day"] == {"amount": "600.00", **EUR}
    assert (fresh["support"], fresh["quotes"], fresh["events"]["has_more"]) == ([], [], False)
    assert fresh["moves"]["forward"] == stage["stages"][1]

    asked = await rep.does("/v1/support-requests", {"deal_id": made, "type": "expert-talk", "what": "Packaging"})
    (support,) = (await page_of(rep, made, asked))["support"]
    assert (support["id"], support["status"], support["overdue"]) == (asked.json()["id"], "asked", False)


async def test_deal_2_work_of_an_earlier_stage_that_was_not_done_is_still_shown(office: Office) -> None:
    desk = office.somebody()
    made = await desk.makes("/v1/deals", DEAL)
    await desk.makes(f"/v1/deals/{made}/complete-node", {"key": "first-conversation", "evidence": "Minutes 118"})
    await desk.makes(f"/v1/deals/{made}/plan-next-step", {"on": "2099-01-05"})
    done = named((await page_of(desk, made))["stage"]["nodes"], "key")["first-conversation"]
    assert (done["done"], done["evidence"], done["standard"]) == (
        True,
        "Minutes 118",
        "5–8 open questions about the current situation",
    )
    await desk.makes(f"/v1/deals/{made}/move", {"stage": "needs-confirmed"})
    nodes = named((await page_of(desk, made))["stage"]["nodes"], "key")
    assert "first-conversation" not in nodes
    assert (nodes["background-research"]["stage"], nodes["explore-pains"]["stage"]) == (
        "initial-contact",
        "needs-confirmed",
    )


async def test_deal_9_the_page_of_a_closed_deal_has_its_outcome_and_no_gate(office: Office) -> None:
    desk = office.somebody()
    made = await desk.makes("/v1/deals", DEAL)
    await desk.makes(f"/v1/deals/{made}/lose", {"reason": "competitor", "competitor": "Globex"})
    shown = await page_of(desk, made)
    assert (shown["deal"]["status"], shown["deal"]["reason"], shown["deal"]["competitor"]) == (
        "lost",
        "competitor",
        "Globex",
    )
    assert (shown["gate"], shown["figures"]) == (None, None)
    assert shown["moves"] == {"forward": None, "skip": [], "back": []}
    assert [node["days_late"] for node in shown["stage"]["nodes"]] == [0 for _ in shown["stage"]["nodes"]]
    assert named(shown["commands"], "operation")["reopenDeal"]["possible"] is True
    assert shown["events"]["items"][0]["type"] == "deals.deal-lost"


async def test_api_4_a_page_is_seen_by_those_who_see_the_deal(office: Office, team: Team) -> None:
    rep, other = (office.somebody(Role.REP, team.subjects[place]) for place in (0, 1))
    finance = office.somebody(Role.FINANCE, "fred")
    made = await rep.makes("/v1/deals", DEAL)
    for part in ("page", "timeline"):
        path = f"/v1/deals/{made}/{part}"
        for stranger, address in ((other, path), (rep, f"/v1/deals/{new_id()}/{part}")):
            refused = await stranger.client.get(address)
            assert (refused.status_code, refused.json()["code"]) == (404, "not-found")
        assert (await office.deals.client(None, "").get(path)).status_code == 401
        unknown = await rep.client.get(path, params={"colour": "red"})
        assert (unknown.status_code, unknown.json()["errors"][0]["parameter"]) == (400, "colour")
    commands = (await page_of(finance, made))["commands"]
    assert not any(command["possible"] for command in commands)
    assert {command["code"] for command in commands} == {"not-allowed"}


async def test_api_1_a_timeline_is_paged_the_newest_first_and_the_page_begins_it(office: Office) -> None:
    desk = office.somebody()
    made = await desk.makes("/v1/deals", DEAL)
    for number in range(24):
        await desk.makes(f"/v1/deals/{made}/add-note", {"text": f"Note {number}"})
    first = (await page_of(desk, made))["events"]
    assert (len(first["items"]), first["has_more"]) == (20, True)
    rest = await desk.sees(f"/v1/deals/{made}/timeline", cursor=first["next"])
    assert [each["sequence"] for each in (*first["items"], *rest["items"])] == [*range(25, 0, -1)]
    assert (rest["next"], rest["items"][-1]["type"]) == (None, "deals.deal-opened")
    assert first["items"][0]["data"]["text"] == "Note 23"
    for cursor in ("nonsense", first["next"][:-1]):
        refused = await desk.client.get(f"/v1/deals/{made}/timeline", params={"cursor": cursor})
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "malformed-cursor")


async def test_data_5_a_timeline_goes_by_when_things_happened_and_marks_what_was_corrected(
    office: Office, team: Team
) -> None:
    rep = office.somebody(Role.REP, team.subjects[0])
    made = await rep.makes("/v1/deals", DEAL)
    call, gone = str(new_id()), str(new_id())
    logged = await rep.does(f"/v1/deals/{made}/log-activity", {"activity_id": call, "kind": "call"})
    assert logged.status_code == 200, logged.text
    await rep.makes(f"/v1/deals/{made}/correct-activity", {"activity_id": call, "kind": "meeting"})
    await rep.makes(f"/v1/deals/{made}/log-activity", {"activity_id": gone, "kind": "call"})
    await rep.makes(f"/v1/deals/{made}/withdraw-activity", {"activity_id": gone, "reason": "Of another customer"})
    answer = await rep.client.get(f"/v1/deals/{made}/timeline", headers=GERMAN)
    items = answer.json()["items"]
    marks = {(each["type"].partition(".")[2], each["became"]) for each in items}
    assert ("deal-activity-logged", "corrected") in marks
    assert ("deal-activity-logged", "withdrawn") in marks
    assert {mark for kind, mark in marks if kind in ("deal-activity-corrected", "deal-opened")} == {"stands"}
    happened = [each["occurred_at"] for each in items]
    assert happened == sorted(happened, reverse=True)
    assert {each["actor_name"] for each in items} == {team.subjects[0]}
    assert answer.headers["Content-Language"] == "de"
    english = named((await rep.sees(f"/v1/deals/{made}/timeline"))["items"], "sequence")
    assert all(each["text"] and each["text"] != english[each["sequence"]]["text"] for each in items)
