"""PROC-1, DEAL-4: rules of stages, timers and flexible nodes over HTTP and PostgreSQL."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.deals.domain.deal import deal
from services.deals.domain.deal.changes import NoteFacts
from services.deals.domain.process.full import FULL_ID
from shared.commands.request import CommandRequest
from shared.domain.context import service_actor
from shared.domain.roles import Role
from shared.http.dry_runs import dry_path
from shared.ops.clock import real_now
from tests.services.deals.conftest import Office, Team
from tests.services.deals.test_processes_at_work import renewal
from tests.services.deals.test_service import codes, seen
from tests.services.leads.conftest import Desk
from tests.shared.http.conftest import Errands
from tests.shared.http.waiting import until

DEAL: dict[str, Any] = {"name": "Line", "amount": {"amount": "12000.00", "currency": "EUR"}}
RULE = {"key": "help", "name": "The customer is satisfied: ask for a case", "support": "custom-case"}
CASE = {"key": "custom-case", "name": "Case", "department": "product"}
BY = "select actor from event where aggregate_id = $1 and type = $2 order by sequence"


async def told(errands: Errands, deal_id: str, name: str) -> list[str]:
    """Who recorded the facts of a type about a deal."""
    rows = await errands.running.pool.fetch(BY, UUID(deal_id), f"deals.deal-{name}")
    return [row["actor"] for row in rows]


async def did(desk: Desk, path: str, body: dict[str, Any]) -> httpx.Response:
    answer = await desk.does(path, body)
    assert answer.status_code == 200, answer.text
    return answer


async def test_proc_1_a_needs_analysis_that_nobody_touches_alerts_once_its_days_are_over(alone: Errands) -> None:
    """The timer runs in the store; what was touched lapses."""
    running, ops = alone.running, Desk(client=alone.client(Role.SALES_OPERATIONS))
    left, touched = [await ops.makes("/v1/deals", {**DEAL, "process_id": str(FULL_ID)}) for _ in range(2)]
    await did(ops, f"/v1/deals/{touched}/log-activity", {"kind": "call"})
    shown = await ops.sees(f"/v1/deals/{left}")
    assert [(rule["key"], rule["trigger"]) for rule in shown["fired_rules"]] == [("question-guide", "entry")]
    assert [rule["key"] for rule in shown["rules"]] == ["untouched"]
    await running.clock.advance(running.pool, timedelta(days=8))

    async def are_over() -> bool:
        return all([not (await ops.sees(f"/v1/deals/{each}"))["rules"] for each in (left, touched)])

    await until(are_over, 60)
    assert await told(alone, left, "rule-fired") == [*await told(alone, left, "opened"), "service:deals"]
    assert await told(alone, touched, "rule-lapsed") == ["service:deals"]
    assert (await ops.sees(f"/v1/deals/{touched}"))["fired_rules"] == shown["fired_rules"]


async def test_proc_1_a_deal_moves_by_itself_once_it_is_ready_and_asks_for_help_on_the_way(alone: Errands) -> None:
    ops = Desk(client=alone.client(Role.SALES_OPERATIONS))
    definition = renewal()
    first = {**definition["stages"][0], "moves": "by-itself", "support": [CASE]}
    noted = {"fact": "satisfied", "operator": "is", "value": True}
    first["rules"] = [{**RULE, "on": "fact", "when": noted}]
    last = {**definition["stages"][0], "key": "close", "tasks": [], "deliverables": [], "exit": []}
    made = await ops.makes("/v1/processes", {"definition": {**definition, "stages": [first, last]}})
    opened = await ops.makes("/v1/deals", {**DEAL, "process_id": made})

    body = {"facts": {"satisfied": True}}
    dry = await ops.client.post(dry_path(f"/v1/deals/{opened}/note-facts"), json=body)
    kinds = [event["type"] for event in dry.json()["events"]]
    assert kinds == ["deals.deal-facts-noted", "deals.deal-rule-fired", "deals.deal-ready-to-move-on"]
    done = await did(ops, f"/v1/deals/{opened}/note-facts", body)

    async def has_moved() -> bool:
        return bool((await ops.sees(f"/v1/deals/{opened}"))["stage"] == "close")

    await until(has_moved, 60)
    shown = await ops.sees(f"/v1/deals/{opened}")
    assert [visit["automatic"] for visit in shown["trail"]] == [False, True]
    assert shown["ready_on"] is None
    assert await told(alone, opened, "moved") == ["service:deals"]

    async def is_listed() -> bool:
        return [row["stage"] for row in (await ops.sees("/v1/deals"))["items"]] == ["close"]

    await until(is_listed, 60)
    happened = {each["type"]: each["occurred_at"] for each in (await ops.sees(f"/v1/deals/{opened}/timeline"))["items"]}
    worked_at = happened["deals.deal-facts-noted"]
    assert worked_at < happened["deals.deal-moved"]
    # Nobody has worked on it by that: it says so in the list, on its page and on boards.
    assert (await ops.sees("/v1/deals"))["items"][0]["last_worked_at"] == worked_at
    assert (await ops.sees(f"/v1/deals/{opened}/page"))["figures"]["last_worked_at"] == worked_at

    async def is_asked() -> bool:
        found = await seen(ops, done, "/v1/support-requests", deal=opened)
        return [(row["department"], row["status"]) for row in found["items"]] == [("product", "asked")]

    await until(is_asked, 60)
    held = await alone.running.commands.state(deal, UUID(opened))
    assert [rule.key for rule in held.state.fired_rules] == ["help"]


async def test_proc_1_nothing_follows_from_history_and_from_the_next_command_what_is_so_by_then(alone: Errands) -> None:
    running, ops = alone.running, Desk(client=alone.client(Role.SALES_OPERATIONS))
    made = await ops.makes("/v1/processes", {"definition": renewal()})
    opened = await ops.makes("/v1/deals", {**DEAL, "process_id": made})
    told_late = NoteFacts(facts={"satisfied": True})
    request = CommandRequest(deal, UUID(opened), told_late, service_actor("import"), imported=True)
    await running.commands.execute(request)
    shown = await ops.sees(f"/v1/deals/{opened}")
    assert (shown["facts"], shown["ready_on"]) == ({"satisfied": True}, None)
    await did(ops, f"/v1/deals/{opened}/log-activity", {"kind": "call"})
    assert (await ops.sees(f"/v1/deals/{opened}"))["ready_on"] == running.clock.now().date().isoformat()


async def test_deal_3_a_refused_attempt_is_on_record_where_the_clock_of_a_host_is_behind(
    alone: Errands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happened before something that is known is folded from the whole history."""
    running, ops = alone.running, Desk(client=alone.client(Role.SALES_OPERATIONS))
    opened = await ops.makes("/v1/deals", {**DEAL, "process_id": str(FULL_ID)})
    await did(ops, f"/v1/deals/{opened}/log-activity", {"kind": "call"})
    monkeypatch.setattr(running.clock, "_real", lambda: real_now() - timedelta(minutes=1))
    refused = await ops.does(f"/v1/deals/{opened}/move", {"stage": "solution"})
    assert (refused.status_code, refused.json()["code"]) == (409, "gate-closed")
    assert len(await told(alone, opened, "gate-refused")) == 1
    held = await running.commands.state(deal, UUID(opened))
    assert [attempt.key for attempt in held.state.attempts] == ["solution"]


async def test_proc_3_what_is_wrong_with_rules_is_told_with_its_position(alone: Errands) -> None:
    ops, definition = Desk(client=alone.client(Role.SALES_OPERATIONS)), renewal()
    stage = {**definition["stages"][0], "rules": [{**RULE, "on": "timer"}]}
    refused = await ops.does("/v1/processes", {"definition": {**definition, "stages": [stage]}})
    told_of = [(each["code"], each["pointer"]) for each in refused.json()["errors"]]
    assert told_of == [
        ("invalid-trigger", "/definition/stages/0/rules/0/after"),
        ("unknown-support-type", "/definition/stages/0/rules/0/support"),
    ]


@pytest.mark.parametrize("seat", [0, 2])
async def test_deal_4_a_flexible_node_binds_the_deal_and_its_manager_adds_it(
    office: Office, team: Team, seat: int
) -> None:
    ops, rep = office.somebody(), office.somebody(Role.REP, team.subjects[0])
    definition = renewal()
    stage = definition["stages"][0]
    node = {
        "key": "legal",
        "name": "Legal looks at it",
        "stages": [stage["key"]],
        "tasks": [{"key": "legal-look", "name": "Have legal look at it", "due_days": 2}],
        "exit": [
            {"key": "legal-done", "name": "Done", "when": {"fact": "task.legal-look", "operator": "is", "value": True}}
        ],
    }
    last = {**stage, "key": "close", "tasks": [], "deliverables": [], "exit": []}
    document = {**definition, "stages": [stage, last], "flexible_nodes": [node]}
    made = await ops.makes("/v1/processes", {"definition": document})
    opened = await rep.makes("/v1/deals", {**DEAL, "process_id": made})
    at, asks = f"/v1/deals/{opened}", office.somebody((Role.REP, Role.MANAGER)[seat // 2], team.subjects[seat])
    added = await asks.does(f"{at}/add-flexible-node", {"key": "legal", "reason": "New terms."})
    if seat == 0:
        assert codes(added) == ["other-role"]
        return
    assert added.status_code == 200, added.text
    await did(rep, f"{at}/note-facts", {"facts": {"satisfied": True}})
    refused = await rep.does(f"{at}/move", {"stage": "close"})
    assert [each["details"]["criterion"] for each in refused.json()["errors"]] == ["legal-done"]
    shown = await rep.sees(at)
    assert [(each["key"], each["role"]) for each in shown["flexible_nodes"]] == [("legal", "manager")]
    possible = {each["operation"]: each["possible"] for each in shown["commands"]}
    assert possible["removeFlexibleNodeDeal"] is True
    await did(rep, f"{at}/complete-node", {"key": "legal-look", "evidence": "DOC-1"})
    refused = await asks.does(f"{at}/remove-flexible-node", {"key": "legal", "reason": "No."})
    assert codes(refused) == ["no-flexible-node"]
    await did(rep, f"{at}/move", {"stage": "close"})
