"""DEAL-6 over HTTP and PostgreSQL: an agenda has the work that a deal's process asks for, however it came about."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.deals.projections.agenda import AGENDA_ITEM
from shared.domain.roles import Role
from shared.events.deals.deal import DueNode
from shared.events.deals.deal_gates import DealFlexibleNodeRemoved
from shared.events.deals.deal_migration import CarriedNode, DealMigrated, DroppedNode
from shared.ops.ids import new_id
from shared.testing.scenario import NOW
from tests.services.deals.conftest import Office
from tests.services.deals.facts import ID, OPENED, TODAY
from tests.services.deals.test_migrations_at_work import definition, stage
from tests.services.deals.test_service import DEAL, seen
from tests.services.forecast.facts import fact
from tests.services.leads.conftest import Desk

NOTED = {"fact": "satisfied", "operator": "is", "value": True}


def task(key: str, name: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "name": name, **more}


async def rep_of(office: Office) -> Desk:
    return office.somebody(Role.REP, (await office.team()).subjects[0])


async def did(desk: Desk, path: str, body: dict[str, Any]) -> httpx.Response:
    answer = await desk.does(path, body)
    assert answer.status_code == 200, answer.text
    return answer


async def asked(rep: Desk, deal: str, answer: httpx.Response) -> list[tuple[str, str, bool]]:
    """The work on the agenda of somebody with one deal: keys, names, and whether it is required. It is what is left to
    do on the deal."""
    found = await seen(rep, answer, "/v1/agenda", days="60")
    items = [item for part in ("overdue", "today", "next") for item in found[part]["items"]]
    left = [node for node in (await rep.sees(f"/v1/deals/{deal}"))["nodes"] if node["evidence"] is None]
    assert {(each["key"], each["due"], each["required"]) for each in items} == {
        (each["key"], each["due"], each["required"]) for each in left
    }
    return sorted((item["key"], item["name"], item["required"]) for item in items)


async def test_proc_2_a_migrated_deal_asks_for_what_its_new_version_asks(office: Office) -> None:
    """DEAL-6: what a version dropped falls due anew in one that has it, done before or not."""
    ops, rep = office.somebody(), await rep_of(office)
    key, call, summary = f"renewal-{new_id()}", task("call", "Call"), task("summary", "Sum up")
    first = [call, summary, task("visit", "Visit")]
    second = [task("call", "Call twice", required=False), task("plan", "Plan")]
    process = await ops.makes("/v1/processes", {"definition": definition(key, stage("review", "0.30", tasks=first))})
    deal = await rep.makes("/v1/deals", {**DEAL, "process_id": process})
    done = await did(rep, f"/v1/deals/{deal}/complete-node", {"key": "visit", "evidence": "DOC-1"})
    assert await asked(rep, deal, done) == [("call", "Call", True), ("summary", "Sum up", True)]
    for number, tasks in ((2, second), (3, first)):
        document = definition(key, stage("review", "0.30", tasks=tasks))
        await did(ops, f"/v1/processes/{process}/publish-version", {"definition": document})
        wanted = {"process_version": number, "stage": "review", "reason": "A better way."}
        migrated = await did(ops, f"/v1/deals/{deal}/migrate", wanted)
        if number == 2:
            assert await asked(rep, deal, migrated) == [("call", "Call twice", False), ("plan", "Plan", True)]
    assert await asked(rep, deal, migrated) == [
        ("call", "Call", True),
        ("summary", "Sum up", True),
        ("visit", "Visit", True),
    ]


async def test_proc_1_what_a_rule_calls_for_is_due_once_it_fires(office: Office) -> None:
    """DEAL-6."""
    ops, rep = office.somebody(), await rep_of(office)
    rule = {"key": "case", "name": "Ask for a case", "on": "fact", "when": NOTED, "task": "write-case"}
    tasks = [task("call", "Call"), task("write-case", "Write the case")]
    document = definition(f"renewal-{new_id()}", stage("review", "0.30", tasks=tasks, rules=[rule]))
    process = await ops.makes("/v1/processes", {"definition": document})
    opened = await rep.does("/v1/deals", {**DEAL, "process_id": process})
    deal = opened.json()["id"]
    assert await asked(rep, deal, opened) == [("call", "Call", True)]
    fired = await did(rep, f"/v1/deals/{deal}/note-facts", {"facts": {"satisfied": True}})
    assert await asked(rep, deal, fired) == [("call", "Call", True), ("write-case", "Write the case", True)]


async def test_deal_4_the_work_of_a_flexible_node_goes_with_it(office: Office) -> None:
    """DEAL-6: and is due again where the node is added again."""
    ops, rep = office.somebody(), await rep_of(office)
    legal = {
        "key": "legal",
        "name": "Legal looks at it",
        "stages": ["review"],
        "added_by": "rep",
        "tasks": [task("legal-look", "Have legal look at it")],
        "deliverables": [task("legal-note", "What legal says")],
    }
    document = definition(f"renewal-{new_id()}", stage("review", "0.30", tasks=[task("call", "Call")]))
    process = await ops.makes("/v1/processes", {"definition": {**document, "flexible_nodes": [legal]}})
    deal = await rep.makes("/v1/deals", {**DEAL, "process_id": process})
    own = [("call", "Call", True)]
    bound = [*own, ("legal-look", "Have legal look at it", True), ("legal-note", "What legal says", True)]
    for does, expected in (("add", bound), ("remove", own), ("add", bound)):
        body = {"key": "legal", "reason": "Their own terms."}
        answer = await did(rep, f"/v1/deals/{deal}/{does}-flexible-node", body)
        assert await asked(rep, deal, answer) == expected


MIGRATED = DealMigrated(
    deal_id=ID,
    process_id=OPENED.process_id,
    process_name=OPENED.process_name,
    process_version=2,
    process_id_before=OPENED.process_id,
    process_version_before=1,
    stage=OPENED.stage,
    stage_before=OPENED.stage,
    probability=OPENED.probability,
    probability_before=OPENED.probability,
    category=OPENED.category,
    category_of_stage=OPENED.category,
    amount=OPENED.amount,
)
BLANK = {**dict.fromkeys(AGENDA_ITEM.columns), "id": f"{ID}/visit"}


@pytest.mark.parametrize(
    "event",
    [
        replace(MIGRATED, carried=(CarriedNode(key="visit", kind="task", stage=OPENED.stage, required=True),)),
        replace(MIGRATED, dropped=(DroppedNode(key="visit", kind="task"),)),
        DealFlexibleNodeRemoved(deal_id=ID, key="travel", nodes=("visit",)),
    ],
    ids=["carried", "dropped", "removed"],
)
def test_data_5_work_that_nobody_has_told_of_yet_is_none_of_its_deal_until_it_falls_due(event: Any) -> None:
    """DEAL-6: it has a row all the same, which lacks nothing."""
    row = {**BLANK, **AGENDA_ITEM.changes[type(event)](fact(1, event, NOW, deal=ID), dict(BLANK))}
    lacking = {name for name, kind in AGENDA_ITEM.columns.items() if "not null" in kind and row[name] is None}
    assert (lacking, row["is_open"]) == ({"version", "updated_at"}, False)
    due = replace(MIGRATED, nodes=(DueNode(key="visit", kind="deliverable", required=False, due=TODAY),))
    row |= AGENDA_ITEM.changes[DealMigrated](fact(2, due, NOW, deal=ID), row)
    assert (row["kind"], row["required"], row["due"], row["is_open"]) == ("deliverable", False, TODAY, True)
