"""The reference: every operation is described whole, the documents merge, and the pages work without the internet."""

import copy
import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.http.dry_runs import DRY_RUNS, dry_path
from shared.http.openapi.merge import merged
from shared.http.openapi.pages import MERGED
from shared.http.problems import KINDS
from shared.service.build import service_document
from tests.shared.http.conftest import Errands
from tests.shared.http.sample import SERVICE

QUESTION = "/v1/errand-search"


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return service_document(SERVICE)


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(method, path, told) for path, under in document["paths"].items() for method, told in under.items()]


def test_the_addresses_follow_from_the_handlers(described: dict[str, Any]) -> None:
    assert described["openapi"] == "3.1.0"
    assert {(method, path): told["operationId"] for method, path, told in operations(described)} == {
        ("get", "/v1/errands"): "listErrands",
        ("post", "/v1/errands"): "openNewErrand",
        ("get", "/v1/errands/{id}"): "getErrand",
        ("get", "/v1/errands/{id}/history"): "getErrandHistory",
        ("patch", "/v1/errands/{id}"): "changeErrand",
        ("post", "/v1/errands/{id}/finish-it"): "finishItErrand",
        ("post", "/v1/errands/{id}/bless"): "blessErrand",
        ("get", "/v1/errand-count"): "countErrands",
        ("get", "/v1/errand-secrets"): "errandSecrets",
        ("get", "/v1/errand-failures"): "errandFailures",
        ("get", "/v1/errand-stream"): "streamErrands",
        ("post", "/v1/errand-receipts"): "receiveErrand",
        ("post", QUESTION): "lookForErrands",
        ("post", "/v1/dry-runs/errands"): "dryRunOpenNewErrand",
        ("post", "/v1/dry-runs/errands/{id}"): "dryRunChangeErrand",
        ("post", "/v1/dry-runs/errands/{id}/finish-it"): "dryRunFinishItErrand",
        ("post", "/v1/dry-runs/errands/{id}/bless"): "dryRunBlessErrand",
        ("post", "/v1/dry-runs/errand-receipts"): "dryRunReceiveErrand",
    }


def test_every_operation_is_described_whole(described: dict[str, Any]) -> None:
    for method, path, told in operations(described):
        where = f"{method} {path}"
        assert told["summary"].endswith("."), where
        assert told["x-roles"], where
        assert told["tags"], where
        success = {status for status in told["responses"] if status.startswith("2")}
        assert len(success) == 1, where
        if path.startswith(DRY_RUNS):
            assert set(told["responses"]) == {"200", "default"}, where
            continue
        assert {"400", "401", "403", "429", "500", "503"} <= set(told["responses"]), where
        if method == "post":
            assert {"409", "413", "415", "422"} <= set(told["responses"]), where
            keys = [given for given in told["parameters"] if given["name"] == "Idempotency-Key"]
            assert [key["required"] for key in keys] == ([] if path == QUESTION else [True]), where
            assert "example" in told["requestBody"]["content"]["application/json"], where
        if method == "patch":
            assert {"412", "428"} <= set(told["responses"]), where
        if "{id}" in path:
            assert "404" in told["responses"], where


def test_a_dry_run_takes_what_its_command_takes_without_a_key(described: dict[str, Any]) -> None:
    for path in ("/v1/errands", "/v1/errands/{id}", "/v1/errand-receipts"):
        command = next(told for method, told in described["paths"][path].items() if method != "get")
        tried_out = described["paths"][dry_path(path)]["post"]
        assert tried_out["requestBody"] == command["requestBody"]
        assert (tried_out["x-roles"], tried_out["tags"]) == (command["x-roles"], command["tags"])
        required = {given["name"] for given in tried_out["parameters"] if given["required"]}
        assert required == ({"id"} if "{id}" in path else set())
        assert "Idempotency-Key" not in {given["name"] for given in tried_out["parameters"]}


def test_a_question_with_a_body_has_neither_key_nor_dry_run(described: dict[str, Any]) -> None:
    told = described["paths"][QUESTION]["post"]
    assert told["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/LookForErrands")
    assert told["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Count")
    assert dry_path(QUESTION) not in described["paths"]
    assert not [name for name in told if name.startswith("x-") and name != "x-roles"]


def test_summary_and_description_are_the_docstring(described: dict[str, Any]) -> None:
    told = described["paths"]["/v1/errands"]["post"]
    assert told["summary"] == "Open an errand."
    assert told["description"] == "It stays open until it is finished."
    assert told["x-roles"] == ["admin", "manager", "rep", "sales-director", "sales-operations", "service"]
    hand_written = described["paths"]["/v1/errand-count"]["get"]
    assert (hand_written["summary"], hand_written["description"]) == ("Count the errands.", "All of them.")


def test_bodies_and_answers_have_schemas(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    body = schemas["OpenNewErrand"]
    assert set(body["properties"]) == {"id", "name", "price", "owner", "team"}
    assert body["required"] == ["name", "price"]
    assert body["additionalProperties"] is False
    assert body["properties"]["name"]["description"] == "What it is about."
    assert schemas["Money"]["properties"]["amount"]["type"] == "string"
    assert schemas["OpenErrand"]["properties"]["status"]["const"] == "open"
    answer = described["paths"]["/v1/errands/{id}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/Errand"}
    options = {option["$ref"].rpartition("/")[2] for option in schemas["Errand"]["oneOf"]}
    assert options == {"OpenErrand", "FinishedErrand"}
    receipts = described["paths"]["/v1/errand-receipts"]["post"]
    assert receipts["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/ReceiveErrand")
    assert "x-body" not in receipts


def test_every_reference_leads_somewhere_and_every_example_is_valid(described: dict[str, Any]) -> None:
    for reference in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(described))):
        assert reference.removeprefix("#/components/schemas/") in described["components"]["schemas"], reference
    for method, path, told in operations(described):
        contents = list(told["responses"].values()) + ([told["requestBody"]] if "requestBody" in told else [])
        for content in contents:
            for media in content.get("content", {}).values():
                if "schema" in media and "example" in media and "oneOf" not in media["schema"]:
                    schema = {**media["schema"], "components": described["components"]}
                    Draft202012Validator(schema).validate(media["example"])
        assert method
        assert path


def test_it_describes_what_is_served(described: dict[str, Any], errands: Errands) -> None:
    assert errands.app.openapi() == described


def other_document(described: dict[str, Any]) -> dict[str, Any]:
    other = copy.deepcopy(described)
    other["paths"] = {"/v1/parcels": {"get": {**copy.deepcopy(described["paths"]["/v1/errands"]["get"])}}}
    other["paths"]["/v1/parcels"]["get"]["operationId"] = "listParcels"
    return other


def test_documents_merge(described: dict[str, Any]) -> None:
    whole = merged({"errands": described, "parcels": other_document(described)})
    assert set(whole["paths"]) == {*described["paths"], "/v1/parcels"}
    assert whole["components"]["schemas"] == described["components"]["schemas"]
    with pytest.raises(ValueError, match="both own /v1/"):
        merged({"errands": described, "again": described})


def test_two_services_do_not_call_different_things_the_same(described: dict[str, Any]) -> None:
    other = other_document(described)
    other["components"]["schemas"]["ErrandRow"]["description"] = "Another one."
    with pytest.raises(ValueError, match="parcels and errands both call something ErrandRow"):
        merged({"errands": described, "parcels": other})


def test_states_are_told_apart_by_their_status(described: dict[str, Any]) -> None:
    assert described["components"]["schemas"]["Errand"]["discriminator"] == {
        "propertyName": "status",
        "mapping": {
            "open": "#/components/schemas/OpenErrand",
            "finished": "#/components/schemas/FinishedErrand",
        },
    }


def test_a_default_is_told_in_words_and_only_what_is_sent_may_be_left_out(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    body = schemas["ReceiveErrand"]
    assert "default" not in json.dumps(schemas)
    assert "count" not in body["required"]
    assert body["properties"]["count"]["description"] == "How many. Default: 1."
    for name in ("ErrandRow", "OpenErrand"):
        assert schemas[name]["required"] == list(schemas[name]["properties"]), name


# -- pages ------------------------------------------------------------------------------------------------------------


async def test_the_reference_loads_nothing_from_outside(errands: Errands) -> None:
    client = errands.client(None)
    page = await client.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    assert "<script>" not in page.text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) >= 5
    for address in loaded:
        assert address.startswith("/")
        assert (await client.get(address)).status_code == 200, address
    for asset in (address for address in loaded if "/assets/" in address):
        text = (await client.get(asset)).text
        assert not re.search(r"@import|url\(['\"]?https?:", text)
    assert (await client.get("/openapi/errands.json")).json() == errands.app.openapi()
    assert (await client.get("/docs/assets/../../../pyproject.toml")).status_code == 404


async def test_every_service_shows_the_document_of_all(errands: Errands) -> None:
    client = errands.client(None)
    whole = (await client.get("/openapi.json")).json()
    assert whole == json.loads(MERGED.read_text(encoding="utf-8"))
    assert (await client.get("/docs/openapi.json")).json() == whole
    assert (await client.get("/docs/asyncapi.json")).json()["asyncapi"] == "3.0.0"
    own = (await client.get("/openapi/deals.json")).json()
    assert set(own["paths"]) < set(whole["paths"])
    assert (await client.get("/openapi/nothing.json")).status_code == 404
    assert (await client.get("/openapi/..%2Fasyncapi.json")).status_code == 404


async def test_every_kind_of_problem_is_explained(errands: Errands) -> None:
    page = (await errands.client(None).get("/docs/problems")).text
    assert set(re.findall(r'<section id="([^"]+)">', page)) == set(KINDS)


async def test_a_problem_leads_to_its_explanation(errands: Errands) -> None:
    client = errands.client(None)
    told = (await client.get("/v1/errands")).json()
    path, _, kind = told["type"].partition("#")
    assert f'id="{kind}"' in (await client.get(path)).text
