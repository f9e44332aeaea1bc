"""PROC-5: remarks and suggestions over HTTP, from what a rep says to the version that adopts it."""

from copy import deepcopy
from uuid import UUID

from services.deals.domain.process.publishing import EXAMPLE
from services.deals.projections.process_remarks import PROCESS_REMARK_PROJECTION
from services.deals.projections.process_suggestions import PROCESS_SUGGESTION_PROJECTION
from shared.domain.roles import Role
from shared.ops.ids import new_id
from shared.projections.audit import differences
from shared.testing.servers import personal_rows
from tests.services.deals.conftest import Office, Team
from tests.services.deals.test_service import codes, seen

DEAL = {"name": "Renewal for the north", "amount": {"amount": "12000.00", "currency": "EUR"}}


async def test_proc_5_what_a_rep_says_becomes_a_version_to_their_credit(office: Office, team: Team) -> None:
    ops, rep = office.somebody(), office.somebody(Role.REP, team.subjects[0])
    other = office.somebody(Role.REP, team.subjects[1])
    definition = {**deepcopy(EXAMPLE["definition"]), "key": f"renewal-{new_id()}"}
    process = await ops.makes("/v1/processes", {"definition": definition})
    deal = await rep.makes("/v1/deals", {**DEAL, "process_id": process})
    step = {"process_id": process, "process_version": 1, "stage": definition["stages"][0]["key"]}
    remark = {**step, "deal_id": deal, "said_by": "customer", "kind": "too-slow", "severity": 3, "text": "Ask Quentin."}

    noted = await rep.does("/v1/process-remarks", remark)
    assert noted.status_code == 201, noted.text
    made = noted.json()["id"]
    shown = await rep.sees(f"/v1/process-remarks/{made}")
    assert shown == {**shown, **remark, "status": "noted", "owner": team.rep}
    query = {"process": process, "stage": step["stage"], "severity": "3", "said_by": "customer"}
    (row,) = (await seen(rep, noted, "/v1/process-remarks", **query))["items"]
    assert (row["id"], row["kind"], row["deal_id"], row["owner_name"]) == (made, "too-slow", deal, team.subjects[0])
    assert await other.status(f"/v1/process-remarks/{made}") == 404
    assert (await seen(other, noted, "/v1/process-remarks", **query))["items"] == []
    refused = await other.does("/v1/process-remarks", remark)
    assert codes(refused) == ["unknown-deal"]

    suggestion = {**step, "name": "Call at once", "text": "As Quentin said.", "remark_id": made}
    suggested = await rep.makes("/v1/process-suggestions", suggestion)
    at = f"/v1/process-suggestions/{suggested}"
    assert (await rep.does(f"{at}/accept", {"reason": "Yes"})).status_code == 403
    assert (await ops.does(f"{at}/accept", {"reason": "Four teams say so."})).status_code == 200
    assert codes(await ops.does(f"{at}/adopt", {"adopted_by": 2})) == ["unknown-version"]
    second = {**definition, "name": "Renewal, revised"}
    await ops.makes(f"/v1/processes/{process}/publish-version", {"definition": second})
    adopted = await ops.does(f"{at}/adopt", {"adopted_by": 2})
    assert adopted.status_code == 200, adopted.text
    (row,) = (await seen(other, adopted, "/v1/process-suggestions", process=process, adopted_by="2"))["items"]
    assert (row["status"], row["owner_name"], row["remark_by"]) == ("adopted", team.subjects[0], team.rep)

    pool = office.running.pool
    for path, thing, erase in (
        (f"/v1/process-remarks/{made}", made, "erase-text"),
        (at, suggested, "erase-texts"),
    ):
        stored = await pool.fetch("select data::text from event where aggregate_id = $1", UUID(thing))
        assert "Quentin" not in "".join(each["data"] for each in stored)
        assert (await ops.does(f"{path}/{erase}")).status_code == 200
        assert await personal_rows(pool, UUID(thing)) == 0
        assert "Quentin" not in str(await ops.sees(f"{path}/history"))
    running = office.running
    for projection in (PROCESS_REMARK_PROJECTION, PROCESS_SUGGESTION_PROJECTION):
        assert await differences(running.pool, running.log, projection, running.settings.company) == []


async def test_proc_5_what_is_not_there_is_refused_with_its_field(office: Office) -> None:
    ops = office.somebody()
    process = str(new_id())
    body = {"process_id": process, "process_version": 1, "stage": "first", "kind": "tool", "severity": 1, "text": "?"}
    refused = await ops.does("/v1/process-remarks", body)
    assert [(error["code"], error["pointer"]) for error in refused.json()["errors"]] == [
        ("unknown-process", "/process_id")
    ]
    wrong = await ops.does("/v1/process-remarks", {**body, "severity": 4, "kind": "rude"})
    assert {error["pointer"] for error in wrong.json()["errors"]} == {"/severity", "/kind"}
    suggestion = {"process_id": process, "process_version": 1, "name": "?", "text": "?", "remark_id": str(new_id())}
    refused = await ops.does("/v1/process-suggestions", suggestion)
    assert set(codes(refused)) == {"unknown-process", "unknown-process-remark"}
