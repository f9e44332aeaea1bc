"""DEAL-2, CON-2: the exit of a stage, or of work, is approved over HTTP and PostgreSQL, by whoever its chain asks."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from services.deals.domain.deal import deal as deals
from services.deals.domain.deal.history import ImportDealLoss, ImportDealMove
from shared.commands.request import CommandRequest
from shared.domain.context import service_actor
from shared.domain.roles import Role
from shared.events.chronology import Rank, Told
from shared.events.deals.deal import DealLost
from shared.following.stored_events import readable
from shared.kafka.partitioning import PARTITIONS
from shared.projections.tokens import decode
from tests.services.deals.conftest import Office
from tests.services.deals.test_processes_at_work import renewal
from tests.services.deals.test_service import codes
from tests.services.leads.conftest import Desk
from tests.shared.http.conftest import Errands
from tests.shared.http.waiting import until

DEAL: dict[str, Any] = {"name": "Line", "amount": {"amount": "12000.00", "currency": "EUR"}}
GATE = {"gate": "exit of review"}
MANAGER = {"key": "manager", "name": "The manager", "approvers": [{"superior": 1}]}
DIRECTION = {
    "key": "direction",
    "name": "Sales direction",
    "approvers": [{"role": "sales-director"}],
    "within_days": 2,
    "escalates_to": {"role": "executive"},
}


def process_with(*steps: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A process of two stages; whoever leaves the first needs these steps."""
    definition = renewal()
    first = {**definition["stages"][0], "exit_approval": {"steps": list(steps)}, **changes}
    last = {**definition["stages"][0], "key": "close", "tasks": [], "deliverables": [], "exit": []}
    return {**definition, "stages": [first, last]}


async def did(desk: Desk, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    answer = await desk.does(path, body)
    assert answer.status_code == 200, answer.text
    return answer


async def status(desk: Desk, path: str) -> str:
    return str((await desk.sees(path))["status"])


async def test_deal_2_a_deal_goes_on_by_itself_once_the_manager_has_approved_it(office: Office) -> None:
    ops, team = office.somebody(), await office.team()
    rep, manager = office.somebody(Role.REP, team.subjects[0]), office.somebody(Role.MANAGER, team.subjects[2])
    made = await ops.makes("/v1/processes", {"definition": process_with(MANAGER, moves="by-itself")})
    at = f"/v1/deals/{await rep.makes('/v1/deals', {**DEAL, 'process_id': made})}"
    await did(rep, f"{at}/note-facts", {"facts": {"satisfied": True}})
    refused = await rep.does(f"{at}/move", {"stage": "close"})
    assert (refused.status_code, codes(refused)) == (409, ["criterion-unmet"])
    (unmet,) = refused.json()["errors"]
    assert unmet["details"]["by"] == {"approved.review": "submit-for-approval"}

    submitted = await did(rep, f"{at}/submit-for-approval", GATE)
    shown = await rep.sees(at)
    (submission,) = shown["submissions"]
    written = decode(submitted.headers["Consistency-Token"], PARTITIONS).partitions
    assert [each.topic for each in written] == ["deals.approval.v1", "deals.deal.v1"]
    assert (submission["gate"], submission["status"], shown["ready_on"]) == ("exit of review", "waiting", None)
    approval = f"/v1/deal-approvals/{submission['approval_id']}"
    waits = await manager.sees(approval)
    assert (waits["name"], waits["part"], waits["step_key"]) == ("Line: Review", "exit of review", "manager")
    own = await rep.does(f"{approval}/approve")
    assert (own.status_code, own.json()["code"]) == (409, "own-submission")
    page = await rep.sees(f"{at}/page")
    (criterion,) = [each for each in page["gate"]["criteria"] if each["criterion"] == "approved"]
    assert (criterion["is_met"], criterion["by"]) == (False, {})

    await did(manager, f"{approval}/approve", {"reason": "Good"})
    assert (await rep.sees(at))["submissions"][0]["status"] == "approved"

    async def has_moved() -> bool:
        return bool((await rep.sees(at))["stage"] == "close")

    await until(has_moved, 60)


async def test_deal_2_what_waits_is_taken_back_when_the_deal_ends_and_by_who_submitted_it(office: Office) -> None:
    ops, team = office.somebody(), await office.team()
    rep, manager = office.somebody(Role.REP, team.subjects[0]), office.somebody(Role.MANAGER, team.subjects[2])
    made = await ops.makes("/v1/processes", {"definition": process_with(MANAGER)})
    at = f"/v1/deals/{await rep.makes('/v1/deals', {**DEAL, 'process_id': made})}"

    async def submitted() -> str:
        await did(rep, f"{at}/submit-for-approval", GATE)
        return f"/v1/deal-approvals/{(await rep.sees(at))['submissions'][0]['approval_id']}"

    first = await submitted()
    await did(rep, f"{at}/recall-submission", {**GATE, "reason": "Another scope"})
    assert await status(manager, first) == "recalled"
    second = await submitted()
    await did(manager, f"{second}/return-for-rework", {"reason": "Who decides there?"})
    assert (await rep.sees(at))["submissions"][0]["reason"] == "Who decides there?"
    third = await submitted()
    await did(rep, f"{at}/lose", {"reason": "price"})
    assert await status(manager, third) == "recalled"
    late = await manager.does(f"{third}/approve")
    assert (late.status_code, late.json()["code"]) == (409, "not-in-this-state")
    await did(rep, f"{at}/reopen", {"reason": "They came back."})
    assert (await rep.sees(at))["submissions"] == []
    refused = await rep.does(f"{at}/move", {"stage": "close"})
    assert "approved" in [each["details"]["criterion"] for each in refused.json()["errors"]]


async def test_deal_2_what_waits_is_taken_back_when_history_tells_that_the_deal_had_ended(office: Office) -> None:
    """DATA-5, DEAL-6, DEAL-12: what was submitted, and help that was asked for, after the end that is told now."""
    ops, team = office.somebody(), await office.team()
    rep, manager = office.somebody(Role.REP, team.subjects[0]), office.somebody(Role.MANAGER, team.subjects[2])
    made = await ops.makes("/v1/processes", {"definition": process_with(MANAGER)})
    deal = await rep.makes("/v1/deals", {**DEAL, "process_id": made})
    at, ended = f"/v1/deals/{deal}", office.running.clock.now()
    await did(rep, f"{at}/submit-for-approval", GATE)
    approval = f"/v1/deal-approvals/{(await rep.sees(at))['submissions'][0]['approval_id']}"
    await did(rep, f"{at}/ask-for-help", {"kind": "price", "urgency": "today", "question": "How low?"})
    asked = {"deal_id": deal, "department": "presales", "what": "A demo"}
    support = f"/v1/support-requests/{await rep.makes('/v1/support-requests', asked)}"

    command = ImportDealLoss(on=office.running.settings.company.day(ended), at=ended, reason="price")
    told = Told(name="loss 17", rank=Rank.END, at=office.running.clock.now())
    request = CommandRequest(deals, UUID(deal), command, service_actor("import"), imported=True, told=told)
    await office.running.commands.execute(request)

    async def are_taken_back() -> bool:
        return (await status(manager, approval), await status(rep, support)) == ("recalled", "withdrawn")

    await until(are_taken_back, 60)
    shown = await rep.sees(at)
    assert (shown["status"], [each["status"] for each in shown["submissions"]]) == ("lost", ["recalled"])
    facts = readable(await office.running.log.stream(deals.name, UUID(deal), 0, 100))
    (lost,) = [fact.data for fact in facts if isinstance(fact.data, DealLost)]
    assert (lost.ends_notices, lost.ends_what_waits) == (True, True)


async def test_deal_2_what_waits_is_taken_back_when_history_tells_that_the_deal_had_gone_on(office: Office) -> None:
    ops, team = office.somebody(), await office.team()
    rep, manager = office.somebody(Role.REP, team.subjects[0]), office.somebody(Role.MANAGER, team.subjects[2])
    made = await ops.makes("/v1/processes", {"definition": process_with(MANAGER)})
    deal = await rep.makes("/v1/deals", {**DEAL, "process_id": made})
    at, moved = f"/v1/deals/{deal}", office.running.clock.now()
    await did(rep, f"{at}/submit-for-approval", GATE)
    approval = f"/v1/deal-approvals/{(await rep.sees(at))['submissions'][0]['approval_id']}"
    command = ImportDealMove(on=office.running.settings.company.day(moved), at=moved, stage="close")
    told = Told(name="move 17", rank=Rank.MOVE, at=office.running.clock.now())
    request = CommandRequest(deals, UUID(deal), command, service_actor("import"), imported=True, told=told)
    await office.running.commands.execute(request)

    async def is_taken_back() -> bool:
        return await status(manager, approval) == "recalled"

    await until(is_taken_back, 60)


async def test_deal_2_a_task_is_completed_once_the_manager_has_approved_it_and_the_deal_is_ready_by_that(
    office: Office,
) -> None:
    ops, team = office.somebody(), await office.team()
    rep, manager = office.somebody(Role.REP, team.subjects[0]), office.somebody(Role.MANAGER, team.subjects[2])
    definition = process_with(MANAGER, moves="by-itself")
    first = {key: known for key, known in definition["stages"][0].items() if key != "exit_approval"}
    (call,) = first["tasks"]
    when = {"fact": "approved.task.call", "operator": "is", "value": True}
    asks = {"key": "call-approved", "name": "The call is approved", "when": when}
    first |= {"tasks": [{**call, "exit_approval": {"steps": [MANAGER]}}], "exit": [asks]}
    made = await ops.makes("/v1/processes", {"definition": {**definition, "stages": [first, definition["stages"][1]]}})
    at = f"/v1/deals/{await rep.makes('/v1/deals', {**DEAL, 'process_id': made})}"

    done = {"key": "call", "evidence": "Two questions, both answered"}
    refused = await rep.does(f"{at}/complete-node", done)
    assert (refused.status_code, codes(refused)) == (409, ["criterion-unmet"])
    (unmet,) = refused.json()["errors"]
    assert unmet["details"]["gate"] == "exit of task call"
    assert unmet["details"]["by"] == {"approved.task.call": "submit-for-approval"}
    nothing = await rep.does(f"{at}/submit-for-approval", {"gate": "exit of task nothing"})
    (named,) = nothing.json()["errors"]
    assert (nothing.status_code, named["code"], named["pointer"]) == (422, "unknown-gate", "/gate")

    await did(rep, f"{at}/submit-for-approval", {"gate": "exit of task call"})
    approval = f"/v1/deal-approvals/{(await rep.sees(at))['submissions'][0]['approval_id']}"
    waits = await manager.sees(approval)
    assert (waits["name"], waits["part"]) == (f"Line: {call['name']}", "exit of task call")
    page = await rep.sees(f"{at}/page")
    (node,) = [each for each in page["stage"]["nodes"] if each["key"] == "call"]
    assert [(each["criterion"], each["is_met"], each["by"]) for each in node["criteria"]] == [("approved", False, {})]

    await did(manager, f"{approval}/approve", {"reason": "Good"})

    async def has_moved() -> bool:
        return bool((await rep.sees(at))["stage"] == "close")

    await until(has_moved, 60)
    await did(rep, f"{at}/complete-node", done)
    shown = await rep.sees(at)
    assert [(each["gate"], each["status"]) for each in shown["submissions"]] == [("exit of task call", "approved")]
    late = await rep.does(f"{at}/submit-for-approval", {"gate": "exit of task call"})
    assert (late.status_code, codes(late)) == (422, ["already-completed"])


async def test_acct_4_what_waits_goes_to_the_new_owner_with_the_deal_one_by_one_and_in_bulk(office: Office) -> None:
    ops, north, south = office.somebody(), await office.team(), await office.team()
    rep, manager = office.somebody(Role.REP, north.subjects[0]), office.somebody(Role.MANAGER, north.subjects[2])
    other, leads = office.somebody(Role.REP, south.subjects[1]), office.somebody(Role.MANAGER, south.subjects[2])
    made = await ops.makes("/v1/processes", {"definition": process_with(DIRECTION)})

    async def submitted(by: Desk) -> tuple[str, str]:
        at = f"/v1/deals/{await rep.makes('/v1/deals', {**DEAL, 'process_id': made})}"
        await did(by, f"{at}/submit-for-approval", GATE)
        return at, f"/v1/deal-approvals/{(await rep.sees(at))['submissions'][0]['approval_id']}"

    async def who_sees(approval: str) -> list[bool]:
        return [await each.status(approval) == 200 for each in (rep, manager, other, leads)]

    (one, of_one), (many, of_many), (own, of_own) = [await submitted(by) for by in (ops, ops, rep)]
    assert [await who_sees(each) for each in (of_one, of_many, of_own)] == [[True, True, False, False]] * 3
    to = {"owner": south.other, "team": south.id}
    await did(ops, f"{one}/hand-over", to)
    rows = [{"id": each.rpartition("/")[2], "command": to} for each in (many, own)]
    answer = await did(ops, "/v1/deals/bulk/hand-over", {"rows": rows})
    assert [each["outcome"] for each in answer.json()["rows"]] == ["done", "done"]
    assert [await who_sees(each) for each in (of_one, of_many)] == [[False, False, True, True]] * 2
    assert await who_sees(of_own) == [True, False, True, True], "who submitted it"

    shown = await other.sees(of_one)
    assert (shown["status"], shown["owner"], shown["team"]) == ("waiting", south.other, south.id)
    told = (await ops.sees(f"{of_one}/history"))["items"][-1]
    assert told["type"] == "deals.approval-handed-over"
    assert (told["data"]["owner_before"], told["data"]["team_before"]) == (north.rep, north.id)
    assert (told["data"]["owner"], told["data"]["team"]) == (south.other, south.id)
    refused = await other.does(f"{of_one}/approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "not-an-approver")
    gone = await rep.does(f"{of_one}/approve")
    assert gone.status_code == 404

    await did(office.somebody(Role.SALES_DIRECTOR, "dora"), f"{of_one}/approve")
    assert (await other.sees(one))["submissions"][0]["status"] == "approved"
    await did(other, f"{many}/recall-submission", GATE)
    assert await status(other, of_many) == "recalled"


async def test_con_2_a_step_that_is_overdue_escalates_by_its_timer(alone: Errands) -> None:
    running = alone.running
    ops = Desk(client=alone.client(Role.SALES_OPERATIONS))
    made = await ops.makes("/v1/processes", {"definition": process_with(DIRECTION)})
    at = f"/v1/deals/{await ops.makes('/v1/deals', {**DEAL, 'process_id': made})}"
    await did(ops, f"{at}/submit-for-approval", GATE)
    approval = f"/v1/deal-approvals/{(await ops.sees(at))['submissions'][0]['approval_id']}"
    executive = Desk(client=alone.client(Role.EXECUTIVE, "eva"))
    early = await executive.does(f"{approval}/approve")
    assert early.json()["code"] == "not-an-approver"
    await running.clock.advance(running.pool, timedelta(days=8))

    async def has_escalated() -> bool:
        return bool((await executive.sees(approval))["escalated"])

    await until(has_escalated, 60)
    await did(executive, f"{approval}/approve")
    assert (await ops.sees(at))["submissions"][0]["status"] == "approved"


async def test_proc_3_whoever_a_chain_names_is_there_and_what_is_wrong_has_its_position(office: Office) -> None:
    ops = office.somebody()
    nobody = {"key": "mia", "name": "Mia", "approvers": [{"member": "01989f52-6d2c-7a51-9a44-0a4f5b1f7d11"}]}
    refused = await ops.does("/v1/processes", {"definition": process_with(nobody, {**nobody, "approvers": []})})
    told = [(each["code"], each["pointer"]) for each in refused.json()["errors"]]
    at = "/definition/stages/0/exit_approval/steps"
    assert sorted(told) == [
        ("no-approvers", f"{at}/1/approvers"),
        ("repeated-key", f"{at}/1/key"),
        ("unknown-member", f"{at}/0/approvers/0/member"),
    ]
    definition = renewal()
    first = definition["stages"][0]
    (call,) = first["tasks"]
    asked = {**first, "tasks": [{**call, "exit_approval": {"steps": [nobody]}}]}
    refused = await ops.does("/v1/processes", {"definition": {**definition, "stages": [asked]}})
    told = [(each["code"], each["pointer"]) for each in refused.json()["errors"]]
    where = "/definition/stages/0/tasks/0/exit_approval/steps/0/approvers/0/member"
    assert told == [("unknown-member", where)]
