"""The law of the HTTP interface: every operation is described whole, no path has two owners, and the committed
documents are what the code says."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from deploy.reference import FOLDER, committed, files
from deploy.services import SERVICES, definition_of
from shared.domain.aggregate import Aggregate
from shared.http.command_routes import command_routes
from shared.service.build import service_document

RENEW = "run: python -m deploy.reference"


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return dict(files())


def test_the_committed_documents_are_what_the_code_says(written: dict[str, str]) -> None:
    """API-1, API-5."""
    assert committed() == set(written), RENEW
    for name, content in written.items():
        assert (FOLDER / name).read_text() == content, f"{name} differs; {RENEW}"


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_is_described_whole(service: str) -> None:
    """API-1, API-4: an operation id, a summary, an example, errors and roles."""
    document = service_document(definition_of(service))
    for path, operations in document["paths"].items():
        for method, told in operations.items():
            where = f"{method.upper()} {path}"
            assert told["operationId"].isidentifier(), where
            assert told["summary"].endswith("."), where
            assert told["x-roles"], where
            assert {"400", "401", "403", "429", "500", "503"} <= set(told["responses"]), where
            assert _has_example(told, method), f"{where} has no example"


@pytest.mark.parametrize("service", SERVICES)
def test_every_example_holds_to_its_schema(service: str) -> None:
    """API-1."""
    document = service_document(definition_of(service))
    for path, operations in document["paths"].items():
        for method, told in operations.items():
            for said in (*told["responses"].values(), told.get("requestBody", {})):
                for media in said.get("content", {}).values():
                    if "schema" in media and "example" in media:
                        schema = {**media["schema"], "components": document["components"]}
                        faults = list(Draft202012Validator(schema).iter_errors(media["example"]))
                        assert not faults, f"{method.upper()} {path}: {faults[0].message}"


@pytest.mark.parametrize("service", SERVICES)
def test_every_name_in_a_body_is_more_than_white_space(service: str) -> None:
    """API-1."""
    document = service_document(definition_of(service))
    bodies = [told["requestBody"] for operations in document["paths"].values() for told in operations.values()
              if "requestBody" in told]  # fmt: skip
    for body in bodies:
        schema = body["content"]["application/json"]["schema"]
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        for field, told in schema["properties"].items():
            if "name" in field.split("_"):
                option = told.get("anyOf", [told])[0]
                assert option["pattern"] == r"\S", f"{schema['title']}.{field}"


def _has_example(told: dict[str, Any], method: str) -> bool:
    if method != "get":
        return "example" in told["requestBody"]["content"]["application/json"]
    answers = [answer for status, answer in told["responses"].items() if status.startswith("2")]
    media = [content for answer in answers for content in answer.get("content", {}).items()]
    return all("example" in content or name == "text/event-stream" for name, content in media)


@pytest.mark.parametrize("service", SERVICES)
def test_examples_of_bodies_have_every_required_field(service: str) -> None:
    aggregates: tuple[Aggregate, ...] = definition_of(service).aggregates
    for route in command_routes(aggregates):
        example = getattr(route.command, "example", {})
        route.body.validate_json(json.dumps(example), strict=True)


@pytest.mark.parametrize("service", SERVICES)
def test_every_page_names_the_header_that_leads_on(service: str) -> None:
    document = service_document(definition_of(service))
    for operation in [told for operations in document["paths"].values() for told in operations.values()]:
        if any(parameter["name"] == "cursor" for parameter in operation.get("parameters", [])):
            assert "Link" in operation["responses"]["200"]["headers"], operation["operationId"]


def test_the_stream_says_how_it_is_resumed_and_what_an_event_holds() -> None:
    document = service_document(definition_of("forecast"))
    stream = document["paths"]["/v1/stream"]["get"]
    assert [given["in"] for given in stream["parameters"] if given["name"] == "Last-Event-ID"] == ["header"]
    content = stream["responses"]["200"]["content"]["text/event-stream"]
    assert content["schema"] == {"$ref": "#/components/schemas/StreamedEvent"}
    assert set(content["example"]) >= {"type", "position", "aggregate", "id", "name", "occurred_at"}
