"""PROC-1, PROC-2: processes over HTTP, from a draft to the deals that follow its versions."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from services.deals.domain.process import process
from services.deals.domain.process.full import FULL, FULL_ID
from services.deals.domain.process.publishing import EXAMPLE
from services.deals.seeds import publish_processes
from shared.domain.roles import Role
from shared.ops.ids import new_id
from tests.services.deals.conftest import Office
from tests.services.deals.test_service import codes
from tests.services.leads.conftest import Desk
from tests.shared.http.waiting import until

DEAL = {"name": "Renewal for the north", "amount": {"amount": "12000.00", "currency": "EUR"}}


def renewal(**changes: Any) -> dict[str, Any]:
    """A process of a key of its own."""
    definition = {**deepcopy(EXAMPLE["definition"]), "key": f"renewal-{new_id()}"}
    return {**definition, **changes}


async def did(desk: Desk, path: str, body: dict[str, Any]) -> None:
    """The command was carried out."""
    answer = await desk.does(path, body)
    assert answer.status_code == 200, answer.text


async def followed(desk: Desk, process_id: str) -> Any:
    """The version of a process that a new deal of this person follows, or why there is none."""
    answer = await desk.does("/v1/deals", {**DEAL, "process_id": process_id})
    if answer.status_code != 201:
        return codes(answer)
    return (await desk.sees(f"/v1/deals/{answer.json()['id']}"))["process_version"]


async def test_proc_2_a_process_goes_from_draft_by_pilot_to_its_end(office: Office) -> None:
    ops, team, other = office.somebody(), await office.team(), await office.team()
    north, south = office.somebody(Role.REP, team.subjects[0]), office.somebody(Role.REP, other.subjects[0])
    definition = renewal()
    made = await ops.makes("/v1/processes", {"definition": definition, "draft": True})
    at = f"/v1/processes/{made}"
    assert (await ops.sees(at))["status"] == "draft"
    assert await followed(north, made) == ["unknown-process"]

    await did(ops, f"{at}/start-pilot", {"goal": {"figure": "sales-cycle", "change": "-0.20"}, "teams": [team.id]})
    shown = await ops.sees(at)
    assert (shown["status"], shown["versions"][0]["published"]) == ("piloted", False)
    assert shown["versions"][0]["pilot"]["goal"] == {"figure": "sales-cycle", "change": "-0.20"}
    assert (await followed(north, made), await followed(south, made)) == (1, ["no-version"])

    async def is_listed() -> bool:
        (row,) = (await ops.sees("/v1/processes", key=definition["key"]))["items"]
        return (row["status"], row["in_force"], row["pilot"], row["draft"]) == ("piloted", None, 1, False)

    await until(is_listed)
    refused = {each["operation"]: each["code"] for each in shown["commands"] if not each["possible"]}
    assert refused == dict.fromkeys(("discardDraftProcess", "publishDraftProcess", "startPilotProcess"), "no-draft")

    await did(ops, f"{at}/end-pilot", {"outcome": "adopted", "reason": "A quarter faster."})
    assert (await followed(north, made), await followed(south, made)) == (1, 1)
    assert (await ops.sees(at))["status"] == "published"

    today = office.running.clock.now().date().isoformat()
    second = renewal(key=definition["key"], name="Renewal, revised")
    await did(ops, f"{at}/save-draft", {"definition": second})
    await did(ops, f"{at}/publish-draft", {"waves": [{"on": today, "teams": [other.id]}, {"on": "2099-01-05"}]})
    assert (await followed(north, made), await followed(south, made)) == (1, 2)

    drafted = renewal(key=definition["key"], name="Renewal, for later")
    await did(ops, f"{at}/save-draft", {"definition": drafted})
    past_it = renewal(key=definition["key"], name="Renewal, at once")
    await did(ops, f"{at}/publish-version", {"definition": past_it})

    async def is_still_drafted() -> bool:
        (row,) = (await ops.sees("/v1/processes", key=definition["key"]))["items"]
        return (row["name"], row["in_force"], row["draft"]) == ("Renewal, at once", 3, True)

    await until(is_still_drafted)
    await did(ops, f"{at}/retire", {"reason": "Replaced"})
    assert (await ops.sees(at))["status"] == "retired"
    assert await followed(north, made) == ["unknown-process"]


async def test_proc_2_a_pilot_whose_people_are_all_of_one_level_says_so(office: Office) -> None:
    """Those of the teams below count as well; people who do not sell, of other teams, or who have left do not."""
    ops, people, team = office.somebody(), office.operations(), await office.team()
    below = await people.makes("/v1/teams", {"name": "Coast", "parent_id": team.id})
    new = {"subject": f"new-{new_id()}", "name": "New", "role": "rep", "team_id": below, "experience": "new"}
    start = {"goal": {"figure": "sales-cycle", "change": "-0.20"}, "teams": [team.id]}

    async def tried() -> Any:
        draft = await ops.makes("/v1/processes", {"definition": renewal(), "draft": True})
        told = await ops.does(f"/v1/dry-runs/processes/{draft}/start-pilot", start)
        assert told.status_code == 200, told.text
        await did(ops, f"/v1/processes/{draft}/start-pilot", start)
        pilot = (await ops.sees(f"/v1/processes/{draft}"))["versions"][0]["pilot"]
        assert told.json()["events"][0]["data"]["people"] == pilot["people"]
        return pilot

    pilot = await tried()
    assert (pilot["people"], pilot["warnings"]) == ([{"experience": "experienced", "reps": 2}], ["one-level"])
    newcomer = await people.makes("/v1/members", new)

    async def is_known() -> bool:
        return bool((await office.running.organisation.actor(new["subject"], (), fresh=True)).member)

    await until(is_known)
    pilot = await tried()
    both = [{"experience": "experienced", "reps": 2}, {"experience": "new", "reps": 1}]
    assert (pilot["people"], pilot["warnings"]) == (both, [])
    await did(people, f"/v1/members/{newcomer}/leave", {"on": office.running.clock.now().date().isoformat()})

    async def is_gone() -> bool:
        return not await is_known()

    await until(is_gone)
    assert (await tried())["warnings"] == ["one-level"]


async def test_proc_2_a_deal_keeps_the_version_that_it_began_on(office: Office) -> None:
    ops = office.somebody()
    definition = renewal()
    made = await ops.makes("/v1/processes", {"definition": definition})
    deal = await ops.makes("/v1/deals", {**DEAL, "process_id": made})
    stricter = deepcopy(definition)
    stricter["stages"][0]["tasks"][0]["key"] = "visit"
    await did(ops, f"/v1/processes/{made}/publish-version", {"definition": stricter})
    refused = await ops.does(f"/v1/deals/{deal}/complete-node", {"key": "visit", "evidence": "Minutes"})
    assert refused.json()["code"] == "unknown-node"
    assert (
        await ops.does(f"/v1/deals/{deal}/complete-node", {"key": "call", "evidence": "Minutes"})
    ).status_code == 200
    await did(ops, f"/v1/processes/{made}/retire", {})
    await did(ops, f"/v1/deals/{deal}/note-facts", {"facts": {"satisfied": True}})


async def test_proc_1_a_deal_can_follow_the_full_process_and_stands_in_its_stages_of_deals(office: Office) -> None:
    ops = office.somebody()
    deal = await ops.makes("/v1/deals", {**DEAL, "process_id": str(FULL_ID)})
    shown = await ops.sees(f"/v1/deals/{deal}")
    assert (shown["stage"], shown["probability"], shown["process_rule"]) == ("needs-diagnosis", "0.20", "named")
    refused = await ops.does(f"/v1/deals/{deal}/move", {"stage": "delivery"})
    assert refused.json()["code"] == "unknown-stage"
    unmet = await ops.does(f"/v1/deals/{deal}/complete-node", {"key": "situation", "evidence": "Minutes"})
    assert (unmet.status_code, unmet.json()["code"]) == (409, "gate-closed")
    assert {error["code"] for error in unmet.json()["errors"]} == {"criterion-unmet", "deliverable-missing"}


async def test_proc_1_a_company_s_own_process_with_the_key_of_a_built_in_one_stays(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release that ships a further process starts beside one that has its key, or one that it shipped otherwise."""
    monkeypatch.setattr("services.deals.seeds.SHORT_ID", new_id())
    await publish_processes(office.running.commands)
    monkeypatch.undo()
    monkeypatch.setattr("services.deals.seeds.FULL", replace(FULL, name="Full, as another release has it"))
    await publish_processes(office.running.commands)
    assert (await office.running.commands.state(process, FULL_ID)).sequence == 1
