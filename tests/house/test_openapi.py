"""The law of the HTTP interface: every operation is described whole, no path has two owners, and the committed
documents are what the code says.

What clients see of a state is declared apart from it. Names are unique, closed sets are spelled out and unions are told
apart by a field: generators of clients read no more than that.
"""

import ast
import inspect
import itertools
import json
import sys
import textwrap
import typing
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from deploy.reference import FOLDER, committed, files
from deploy.services import SERVICES, definition_of
from shared.domain.aggregate import Aggregate
from shared.http.command_routes import command_routes
from shared.http.dry_runs import DRY_RUNS
from shared.http.openapi.pages import MERGED
from shared.http.resources import Resource
from shared.service.build import service_document

RENEW = "run: python -m deploy.reference"

CLOSED = {
    "status", "category", "category_of_stage", "category_by_rep", "category_by_manager", "role", "roles", "level",
    "outcome", "leg", "rule", "waits", "buying_role", "experience", "original_kind", "timeline", "unit", "trend",
}  # fmt: skip
"""Names of fields whose values are a closed set wherever they stand."""
TEXTS = {
    "ContractLine.unit", "CorrectActivity.outcome", "DealActivity.outcome", "DryRun.status", "LineOffered.unit",
    "LogActivity.outcome", "Problem.status", "QuoteLine.unit", "RowProblem.status",
}  # fmt: skip
"""Fields of those names that are others: a text that somebody wrote, what a line counts, the status of
whatever a command is about, and the number of HTTP."""


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
            # What is refused to a command that is tried out is told at the command.
            every = {"default"} if path.startswith(DRY_RUNS) else {"400", "401", "403", "429", "500", "503"}
            if told.get("security") == []:
                every = {"400", "404", "429", "500", "503"}
                assert "{secret}" in path, f"{where} is for everybody"
            assert every <= set(told["responses"]), where
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
    aggregates: tuple[Aggregate, ...] = definition_of(service).every_aggregate
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


# -- what clients are generated from ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(MERGED.read_text(encoding="utf-8"))
    return document


def resources() -> list[Resource]:
    return [resource for service in SERVICES for resource in definition_of(service).resources]


def test_what_is_published_of_every_state_is_declared() -> None:
    aggregates = [aggregate for service in SERVICES for aggregate in definition_of(service).every_aggregate]
    assert {resource.aggregate for resource in resources()} == set(aggregates)


@pytest.mark.parametrize("resource", resources(), ids=lambda resource: resource.aggregate.plural)
def test_no_class_of_the_domain_is_published(resource: Resource) -> None:
    """API-1: whoever changes what a state remembers changes nothing that clients depend on."""
    for shape in resource.shapes.values():
        for kind in _classes(shape, set()):
            declared = kind.__module__.endswith(".resources") or kind.__module__.startswith("shared.events.")
            assert declared, f"{shape.__name__} publishes {kind.__module__}.{kind.__name__}"


def _classes(hint: Any, seen: set[Any]) -> Iterator[type]:
    """The data classes that a type is made of."""
    if is_dataclass(hint) and hint not in seen and isinstance(hint, type):
        seen.add(hint)
        yield hint
        for inner in typing.get_type_hints(hint).values():
            yield from _classes(inner, seen)
    for inner in typing.get_args(hint):
        yield from _classes(inner, seen)


def test_the_title_of_a_schema_is_its_name(whole: dict[str, Any]) -> None:
    schemas = whole["components"]["schemas"]
    assert {name: schema.get("title") for name, schema in schemas.items()} == {name: name for name in schemas}


def test_what_is_one_of_several_says_by_which_field_it_is_told(whole: dict[str, Any]) -> None:
    unions = [part for part in _parts(whole) if "oneOf" in part]
    # Families that services have alike, like approvals, are published in one shape.
    assert len(unions) == len({each.aggregate.name for each in resources() if len(each.shapes) > 1})
    for union in unions:
        assert union["discriminator"]["propertyName"] == "status"
        for status, reference in union["discriminator"]["mapping"].items():
            schema = whole["components"]["schemas"][reference.removeprefix("#/components/schemas/")]
            assert schema["properties"]["status"]["const"] == status
            assert "status" in schema["required"]


def test_closed_sets_are_spelled_out(whole: dict[str, Any]) -> None:
    plain = [
        f"{name}.{field}"
        for name, schema in whole["components"]["schemas"].items()
        for field, told in schema.get("properties", {}).items()
        if field in CLOSED and not _spelled_out(told, whole["components"]["schemas"])
    ]
    assert set(plain) == TEXTS


def _spelled_out(told: dict[str, Any], schemas: dict[str, Any]) -> bool:
    options = [option for option in told.get("anyOf", [told]) if option.get("type") != "null"]
    options = [option.get("items", option) for option in options]
    options = [schemas[option["$ref"].rpartition("/")[2]] if "$ref" in option else option for option in options]
    return all("enum" in option or "const" in option for option in options)


def test_a_schema_leaves_defaults_to_its_texts(whole: dict[str, Any]) -> None:
    """Generators make a field with a default required, and then the documented body does not compile."""
    assert [part for part in _parts(whole["components"]["schemas"]) if "default" in part] == []


def test_an_answer_has_all_its_fields(whole: dict[str, Any]) -> None:
    for resource in resources():
        for shape in resource.shapes.values():
            schema = whole["components"]["schemas"][shape.__name__]
            assert set(schema["required"]) == set(schema["properties"]), shape.__name__


def test_what_is_said_of_a_field_is_published(whole: dict[str, Any]) -> None:
    """API-1: pydantic reads the docstrings of a `value`, an `event` or an `answer_shape`, and passes over others."""
    schemas = whole["components"]["schemas"]
    found = [(schemas[kind.__name__]["properties"], kind) for kind in _published(schemas)]
    assert {kind.__module__ for _, kind in found} >= {"services.deals.board_api", "shared.service.history_routes"}
    silent = [
        f"{kind.__module__}.{kind.__name__}.{field}"
        for properties, kind in found
        for field, text in _docstrings(kind).items()
        if not properties[field].get("description", "").startswith(text)
    ]
    assert silent == [], "declare the class with @answer_shape"


def test_what_is_said_of_a_field_fits_into_a_comment(whole: dict[str, Any]) -> None:
    """Generated clients have descriptions as comments, which this would end."""
    assert [part["description"] for part in _parts(whole) if "*/" in str(part.get("description"))] == []


def _published(schemas: Mapping[str, Any]) -> Iterator[type]:
    """The data classes that the document has schemas of; a class of the domain only where no other has its name."""
    for service in SERVICES:
        definition_of(service)
    for name, schema in schemas.items():
        known = [
            kind
            for place, module in sorted(sys.modules.items())
            if place.startswith(("services.", "shared."))
            and is_dataclass(kind := getattr(module, name, None))
            and isinstance(kind, type)
            and kind.__module__ == place
            and {field.name for field in fields(kind)} <= schema.get("properties", {}).keys()
        ]
        outside = [kind for kind in known if ".domain." not in kind.__module__]
        chosen = known if len(known) == 1 else outside
        assert len(chosen) <= 1, f"which of these is published as {name}: {chosen}?"
        yield from chosen


def _docstrings(kind: type) -> dict[str, str]:
    """What stands below the fields of a class."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(text)
        for field, below in itertools.pairwise(tree.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(text := below.value.value, str)
    }


def test_every_subject_is_described_and_written_in_one_way(whole: dict[str, Any]) -> None:
    described = {tag["name"]: tag["description"] for tag in whole["tags"]}
    assert len(described) == len(whole["tags"])
    used = {tag for operations in whole["paths"].values() for told in operations.values() for tag in told["tags"]}
    assert set(described) == used, (
        "each subject, the first word of its addresses, has a sentence in `tags` of its app.py"
    )
    for name, sentence in described.items():
        assert name == name.lower().replace(" ", "-"), name
        assert sentence.endswith("."), name


def test_every_parameter_is_described(whole: dict[str, Any]) -> None:
    for path, operations in whole["paths"].items():
        for told in operations.values():
            for given in told.get("parameters", []):
                where = f"{path} {given['name']}"
                assert given["in"] == "path" or given["description"].endswith("."), where
                days = given["in"] == "query" and given["name"].endswith(("_from", "_to"))
                assert not days or {"format", "pattern"} & set(given["schema"]), where


def _parts(part: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document."""
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _parts(inner)
