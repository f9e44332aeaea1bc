"""PROC-1: a version of a process is one YAML file, and two versions are compared."""

from dataclasses import replace
from typing import Any

import pytest

from services.deals.domain.process.comparison import Difference, differences
from services.deals.domain.process.full import FULL, FULL_ID
from services.deals.domain.process.short import SHORT, SHORT_ID
from shared.domain.roles import Role
from shared.events.process import ProcessDefinition
from shared.ops.ids import new_id
from tests.services.deals.conftest import Office
from tests.services.deals.test_processes_at_work import did, renewal
from tests.services.deals.test_service import codes
from tests.services.leads.conftest import Desk

YAML = {"Content-Type": "application/yaml"}


def with_stage(index: int, **changes: Any) -> ProcessDefinition:
    stages = list(SHORT.stages)
    stages[index] = replace(stages[index], **changes)
    return replace(SHORT, stages=tuple(stages))


TASKS = SHORT.stages[0].tasks


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (SHORT, []),
        (replace(SHORT, name="Shorter"), [("name", "changed", "Short", "Shorter")]),
        (with_stage(0, max_days=7), [("stages/initial-contact/max_days", "changed", 14, 7)]),
        (
            with_stage(0, supporting=()),
            [("stages/initial-contact/supporting", "changed", ["marketing"], [])],
        ),
        (
            with_stage(0, tasks=(replace(TASKS[0], name="Talk"), TASKS[1])),
            [("stages/initial-contact/tasks/first-conversation/name", "changed", TASKS[0].name, "Talk")],
        ),
        (
            with_stage(0, tasks=TASKS[::-1]),
            [
                (
                    "stages/initial-contact/tasks",
                    "moved",
                    ["first-conversation", "background-research"],
                    ["background-research", "first-conversation"],
                )
            ],
        ),
    ],
)
def test_proc_1_what_is_different_is_named_by_keys(after: ProcessDefinition, told: list[tuple[Any, ...]]) -> None:
    found = [(each.path, each.kind, each.before, each.after) for each in differences(SHORT, after)]
    assert found == told


def test_proc_1_what_comes_and_goes_is_told_whole_and_does_not_count_as_moved() -> None:
    last = SHORT.stages[-1]
    (gone,) = differences(SHORT, replace(SHORT, stages=SHORT.stages[:-1]))
    assert (gone.path, gone.kind, gone.before["name"]) == (f"stages/{last.key}", "removed", last.name)
    (come,) = differences(replace(SHORT, stages=SHORT.stages[1:]), SHORT)
    assert (come.path, come.kind) == ("stages/initial-contact", "added")


def test_proc_1_a_condition_is_one_thing() -> None:
    stage = SHORT.stages[1]
    known = stage.exit[1]
    other = replace(known, when=replace(known.when, operator="at-least", value=1000))
    told = differences(SHORT, with_stage(1, exit=(stage.exit[0], other, *stage.exit[2:])))
    assert [each.path for each in told] == ["stages/needs-confirmed/exit/budget-known/when"]
    assert isinstance(told[0], Difference)


async def file_of(desk: Desk, process_id: object, **query: str) -> str:
    answer = await desk.client.get(f"/v1/processes/{process_id}/file", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/yaml")
    return answer.text


async def sent(desk: Desk, path: str, written: str) -> Any:
    return await desk.client.post(path, content=written, headers={**YAML, "Idempotency-Key": str(new_id())})


@pytest.mark.parametrize(("process_id", "definition"), [(SHORT_ID, SHORT), (FULL_ID, FULL)])
async def test_proc_1_a_process_comes_out_as_a_file_and_goes_in_again_as_it_was(
    office: Office, process_id: object, definition: ProcessDefinition
) -> None:
    ops = office.somebody()
    written = (await file_of(ops, process_id)).replace(f"key: {definition.key}\n", f"key: copy-{new_id()}\n", 1)
    made = await sent(ops, "/v1/processes", written)
    assert made.status_code == 201, made.text
    assert (await file_of(ops, made.json()["id"])) == written
    shown = (await ops.sees(f"/v1/processes/{made.json()['id']}"))["versions"][0]["definition"]
    original = (await ops.sees(f"/v1/processes/{process_id}"))["versions"][0]["definition"]
    assert {**shown, "key": definition.key} == original


async def test_deal_2_who_approves_a_task_is_told_in_the_file_and_goes_in_again_as_it_was(office: Office) -> None:
    ops, definition = office.somebody(), renewal()
    chain = {"steps": [{"key": "manager", "name": "The manager", "approvers": [{"superior": 1}]}]}
    definition["stages"][0]["tasks"][0]["exit_approval"] = chain
    written = await file_of(ops, await ops.makes("/v1/processes", {"definition": definition}))
    assert "exit_approval:" in written
    copy = written.replace(definition["key"], f"copy-{new_id()}")
    made = await sent(ops, "/v1/processes", copy)
    assert made.status_code == 201, made.text
    assert await file_of(ops, made.json()["id"]) == copy


async def test_proc_1_a_file_is_saved_as_the_draft_and_compared_with_what_is_in_force(office: Office) -> None:
    ops = office.somebody()
    made = await ops.makes("/v1/processes", {"definition": renewal()})
    at = f"/v1/processes/{made}"
    changed = (await file_of(ops, made)).replace("name: Call the customer", "name: Visit the customer")
    tried = await sent(ops, f"/v1/dry-runs/processes/{made}/save-draft", changed)
    assert tried.status_code == 200, tried.text
    assert (await sent(ops, f"{at}/save-draft", changed)).status_code == 200
    assert await file_of(ops, made) == changed != await file_of(ops, made, version="1")
    path = "stages/review/tasks/call/name"
    (told,) = (await ops.sees(f"{at}/comparison"))["differences"]
    assert told == {"path": path, "kind": "changed", "before": "Call the customer", "after": "Visit the customer"}
    assert (await ops.sees(f"{at}/comparison", before="1", after="1"))["differences"] == []
    await did(ops, f"{at}/publish-draft", {})
    assert (await ops.sees(f"{at}/comparison"))["differences"] == [told]
    rep = office.somebody(Role.REP, "anybody")
    assert await file_of(rep, made, version="2") == changed


async def test_proc_1_a_first_draft_differs_from_nothing(office: Office) -> None:
    ops = office.somebody()
    made = await ops.makes("/v1/processes", {"definition": renewal(), "draft": True})
    assert (await ops.sees(f"/v1/processes/{made}/comparison"))["differences"] == []


async def test_proc_3_a_file_that_cannot_be_a_process_is_told_where(office: Office) -> None:
    ops = office.somebody()
    written = await file_of(ops, SHORT_ID)
    misspelt = await sent(ops, "/v1/processes", written.replace("probability: '0.10'", "probabilty: '0.10'"))
    assert misspelt.status_code == 422
    assert {error["pointer"] for error in misspelt.json()["errors"]} == {
        "/definition/stages/0/probability",
        "/definition/stages/0/probabilty",
    }
    faulty = await sent(ops, "/v1/processes", written.replace("operator: known", "operator: guessed", 1))
    assert codes(faulty) == ["unknown-operator"]
    torn = await sent(ops, "/v1/processes", written + "\n  : [")
    assert (torn.status_code, torn.json()["code"]) == (400, "malformed-yaml")
    elsewhere = await sent(ops, "/v1/deals", "name: Servers")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (415, "unsupported-media-type")
    assert elsewhere.headers["accept"] == "application/json"


@pytest.mark.parametrize("version", ["0", "draft", "2", "01", "-1", "last"])
async def test_proc_1_a_version_that_is_not_there_is_named(office: Office, version: str) -> None:
    answer = await office.somebody().client.get(f"/v1/processes/{FULL_ID}/file", params={"version": version})
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "version")


async def test_proc_1_a_process_that_is_not_there_has_no_file(office: Office) -> None:
    for path in ("file", "comparison"):
        assert await office.somebody().status(f"/v1/processes/{new_id()}/{path}") == 404
