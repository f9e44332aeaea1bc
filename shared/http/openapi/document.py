"""The OpenAPI 3.1 document of a service: generated routes from their handlers, hand-written ones from FastAPI.

Every operation has an id, a summary, an example, its errors and its roles (`x-roles`).
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from shared.domain.aggregate import word_of
from shared.http.command_routes import CommandRoute, PossibleCommand, operation_id
from shared.http.dry_runs import DryRun, dry_path, dry_run_id
from shared.http.handwritten import ANSWER, ASKS, BODY, BODY_EXAMPLE, BY_SECRET, EVENT_STREAM, PRIVATE, PROBLEMS, WORDED
from shared.http.json import decimals_are_strings, schema_of
from shared.http.openapi.examples import PREFIX, example_of
from shared.http.openapi.listings import listing_operation, row_operation
from shared.http.openapi.parts import (
    ANSWER_HEADERS,
    CORRELATION,
    KEY,
    KNOWN,
    LANGUAGE,
    LINK,
    PATH_ID,
    PREFER,
    RESUME,
    SAID_IN,
    SECURITY,
    SERVERS,
    SOME_ID,
    TOKEN,
    VERSION,
    Document,
    header,
    roles_of,
)
from shared.http.openapi.problem_answers import (
    EVERY,
    OF_COMMANDS,
    OF_ONE,
    OF_QUESTIONS,
    OF_SECRETS,
    any_problem,
    problems_of,
)
from shared.http.openapi.schemas import Schemas
from shared.http.resources import Resource
from shared.http.yaml_bodies import MEDIA_TYPE as YAML
from shared.projections.lists import Listing

MATCH = "If-Match"
CHANGED: Document = {"$ref": f"{PREFIX}Changed"}
OF_DRY_RUNS = (
    "The command is decided as ever, with the same refusals, and nothing is written: no number is taken, no timer set. "
    "Somebody else may act between this and the command, and ids that are made on the way will be others."
)
OF_FILES = f"The body may be written as YAML, too, and sent as {YAML}."


def document(
    app: FastAPI,
    *,
    title: str,
    description: str,
    tags: Mapping[str, str],
    commands: Iterable[CommandRoute],
    resources: Iterable[Resource],
    listings: Iterable[Listing],
) -> Document:
    """The whole document of a service."""
    schemas = Schemas()
    base = get_openapi(
        title=title,
        version=VERSION,
        openapi_version="3.1.0",
        description=description,
        routes=app.routes,
        separate_input_output_schemas=False,
    )
    paths: Document = {}
    questions = set[str]()
    for path, operations in base.get("paths", {}).items():
        for method, described in operations.items():
            described.setdefault("tags", [path.split("/")[2]])
            if described.get(ASKS):
                questions.add(path)
            paths.setdefault(path, {})[method] = _hand_written(described, method, schemas)
    for route in commands:
        paths.setdefault(route.path, {})[route.method.lower()] = _command(route, schemas)
    changing = [
        (path, told)
        for path, own in paths.items()
        for method, told in own.items()
        if method != "get" and path not in questions
    ]
    paths |= {dry_path(path): {"post": _dry_run(told, schemas)} for path, told in changing}
    for resource in resources:
        paths.setdefault(f"/v1/{resource.aggregate.plural}/{{id}}", {})["get"] = _resource(resource, schemas)
    for listing in listings:
        paths.setdefault(f"/v1/{listing.name}", {})["get"] = listing_operation(listing, schemas)
        paths.setdefault(f"/v1/{listing.name}/{{id}}", {}).setdefault("get", row_operation(listing, schemas))
    components = base.get("components", {}).get("schemas", {})
    unused = {"HTTPValidationError", "ValidationError"}
    base["servers"] = SERVERS
    base["tags"] = [{"name": name, "description": tags[name]} for name in sorted(tags)]
    base["paths"] = dict(sorted(paths.items()))
    base["components"] = {
        "schemas": dict(sorted({**{k: v for k, v in components.items() if k not in unused}, **schemas.found}.items())),
        "securitySchemes": SECURITY,
    }
    base["security"] = [{"bearer": []}, {"session": []}]
    decimals_are_strings(base)
    _answer_whole(base, schemas.spelled_out)
    return base


def _answer_whole(described: Document, spelled_out: Collection[str]) -> None:
    """Say of what only answers hold that every field is there: an answer leaves none out, a body may."""
    schemas = described["components"]["schemas"]
    operations = [told for under in described["paths"].values() for told in under.values()]
    sent: set[str] = set()
    waiting = [name for told in operations for name in _referred(told.get("requestBody", {}))]
    while waiting:
        name = waiting.pop()
        if name not in sent:
            sent.add(name)
            waiting += _referred(schemas[name])
    for name in schemas.keys() - sent - set(spelled_out):
        if "properties" in schemas[name]:
            schemas[name] = {**schemas[name], "required": list(schemas[name]["properties"])}


def _referred(part: Any) -> list[str]:
    """The names of the schemas that a part of the document refers to."""
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    own = [part["$ref"].removeprefix(PREFIX)] if isinstance(part, dict) and "$ref" in part else []
    return own + [name for each in inner for name in _referred(each)]


def _body(reference: Document, example: Any) -> Document:
    return {"required": True, "content": {"application/json": {"schema": reference, "example": example}}}


def _command(route: CommandRoute, schemas: Schemas) -> Document:
    summary, description = _words(route.handler.decide.__doc__ or route.command.__doc__ or route.handler.name)
    changes = route.method in ("PATCH", "PUT")
    parameters = [CORRELATION, TOKEN, PREFER]
    if not route.creates:
        match = "The ETag of what you read." if changes else "Only if it still has this version."
        parameters = [PATH_ID, header(MATCH, match, {"type": "string"}, required=changes), *parameters]
    parameters.append(KEY if route.method == "POST" else {**KEY, "required": False})
    kinds = [*EVERY, *OF_COMMANDS, *(() if route.creates else OF_ONE)]
    if route.method == "POST":
        kinds.append("idempotency-key-missing")
    if changes:
        kinds.append("precondition-required")
    if route.aggregate.takes_yaml:
        kinds.append("malformed-yaml")
    example = getattr(route.command, "example", {})
    done = "201" if route.creates else "200"
    success = _changed(creates=route.creates)
    described: Document = {
        "operationId": route.operation_id,
        "tags": [route.aggregate.plural],
        "summary": summary,
        "parameters": parameters,
        "requestBody": _body(schemas.adopt(schema_of(route.body)), example),
        "responses": {done: success, **problems_of(kinds)},
        "x-roles": roles_of(route.roles),
    }
    if route.aggregate.takes_yaml:
        # In words: some generators of clients warn of every media type of a body that they do not know.
        description = f"{description}\n\n{OF_FILES}".strip()
    if description:
        described["description"] = description
    return described


def _dry_run(told: Document, schemas: Schemas) -> Document:
    """The address at which a command is tried out, from what the document says of the command. Its refusals stand there
    one by one."""
    summary = told["summary"]
    answer: Document = {"schema": _own_answer(told) or schemas.adopt(schema_of(DryRun))}
    answer["example"] = example_of(answer["schema"], schemas.found)
    kept = [each for each in told["parameters"] if each["name"] not in (KEY["name"], MATCH)]
    match = header(MATCH, "Only if it still has this version.", {"type": "string"})
    return {
        **{name: told[name] for name in ("tags", "requestBody", "x-roles")},
        "operationId": dry_run_id(told["operationId"]),
        "summary": f"Say what would happen: {summary[0].lower()}{summary[1:]}",
        "description": OF_DRY_RUNS,
        "parameters": [*kept, match] if PATH_ID in kept else kept,
        "responses": {
            "200": {"description": "What would happen.", "content": {"application/json": answer}},
            "default": any_problem("Refused, as the command would be."),
        },
    }


def _own_answer(told: Document) -> Document | None:
    """The schema of an answer that says more than where one command led: that of many is the same in a dry run."""
    done = next(answer for status, answer in told["responses"].items() if status.startswith("2"))
    schema: Document | None = done["content"].get("application/json", {}).get("schema")
    return None if schema == CHANGED else schema


def _changed(*, creates: bool) -> Document:
    """The answer of a command."""
    return {
        "description": "Created." if creates else "Done, or already so.",
        "headers": ANSWER_HEADERS,
        "content": {
            "application/json": {
                "schema": CHANGED,
                "example": {"id": SOME_ID, "version": 1 if creates else 2},
            }
        },
    }


def _words(docstring: str) -> tuple[str, str]:
    """Summary and description of a docstring: its first sentence line, and the rest."""
    first, _, rest = docstring.strip().partition("\n")
    return first.strip(), "\n".join(line.strip() for line in rest.strip().splitlines())


def _resource(resource: Resource, schemas: Schemas) -> Document:
    aggregate = resource.aggregate
    content: Document = {"schema": _states(resource, schemas)}
    content["example"] = example_of(content["schema"], schemas.found)
    headers = {"ETag": ANSWER_HEADERS["ETag"]}
    return {
        "operationId": operation_id("get", aggregate.singular),
        "tags": [aggregate.plural],
        "summary": f"Show one {aggregate.name.replace('-', ' ')} as it is now.",
        "parameters": [PATH_ID, KNOWN, CORRELATION, TOKEN, PREFER],
        "responses": {
            "200": {"description": "What it is now.", "headers": headers, "content": {"application/json": content}},
            "304": {"description": "It still has the version that you know.", "headers": headers},
            **problems_of([*EVERY, *OF_ONE]),
        },
        "x-roles": roles_of(aggregate.readers),
    }  # fmt: skip


def _states(resource: Resource, schemas: Schemas) -> Document:
    """What the states are shown as: one of several is told by its `status` (a discriminated union)."""
    by_status = {
        word_of(resource.aggregate, state): _state(shape, word_of(resource.aggregate, state), schemas)
        for state, shape in resource.shapes.items()
    }
    if len(by_status) == 1:
        return next(iter(by_status.values()))
    mapping = {status: reference["$ref"] for status, reference in by_status.items()}
    union = {"oneOf": list(by_status.values()), "discriminator": {"propertyName": "status", "mapping": mapping}}
    return schemas.name("".join(word.capitalize() for word in resource.aggregate.name.split("-")), union)


def _state(shape: type, status: str, schemas: Schemas) -> Document:
    """A state as it is shown: its fields, and what every aggregate says of itself."""
    shown = schema_of(shape)
    own: Document = {
        "id": {"type": "string", "format": "uuid"},
        "version": {"type": "integer"},
        "status": {"const": status, "type": "string"},
        "commands": {"type": "array", "items": schemas.adopt(schema_of(PossibleCommand))},
    }
    shown["properties"] = {**own, **shown.get("properties", {})}
    shown["required"] = [*own, *shown.get("required", [])]
    return schemas.adopt(shown)


def _hand_written(described: Document, method: str, schemas: Schemas) -> Document:
    """A route that FastAPI has described, with what our routes have in common."""
    summary, description = _words(str(described.get("description", described.get("summary", ""))))
    described["summary"] = summary
    described.pop("description", None)
    if description:
        described["description"] = description
    responses = {status: told for status, told in described["responses"].items() if status != "422"}
    answers, body = described.get(ANSWER), described.get(BODY)
    if answers is not None:
        for told in responses.values():
            for content in told.get("content", {}).values():
                content["schema"] = schemas.adopt(answers)
                content.setdefault("example", example_of(content["schema"], schemas.found))
    elif "201" in responses:
        # It gives a command, as those do that follow from a handler.
        responses["201"] = _changed(creates=True)
    secret = described.get(BY_SECRET)
    if secret:
        described["security"] = []
    parameters = described.setdefault("parameters", [])
    for told in responses.values():
        is_page = any(parameter["name"] == "cursor" for parameter in parameters)
        if headers := {**(LINK if is_page else {}), **(SAID_IN if described.get(WORDED) else {})}:
            told["headers"] = headers
        if EVENT_STREAM in told.get("content", {}):
            parameters.append(RESUME)
    parameters.extend(
        [*([LANGUAGE] if described.get(WORDED) else []), CORRELATION, *(() if secret else (TOKEN, PREFER))]
    )
    if method == "post" and not described.get(ASKS):
        parameters.append(KEY)
    if body is not None:
        described["requestBody"] = _body(schemas.adopt(body), described.get(BODY_EXAMPLE))
    described["responses"] = {**responses, **problems_of(_kinds(described, method))}
    return {name: told for name, told in described.items() if name not in PRIVATE}


def _kinds(described: Document, method: str) -> list[str]:
    """The kinds of problems that a hand-written route may answer."""
    kinds = [*(OF_SECRETS if described.get(BY_SECRET) else EVERY), *described.get(PROBLEMS, ())]
    if any(parameter["in"] == "path" for parameter in described["parameters"]):
        kinds += OF_ONE
    if described.get(ASKS):
        kinds += OF_QUESTIONS
    elif method != "get":
        kinds += OF_COMMANDS
    if method == "post" and not described.get(ASKS):
        kinds.append("idempotency-key-missing")
    return kinds


def query_parameters(described: Document) -> Mapping[tuple[str, str], Mapping[str, bool]]:
    """The query parameters of every operation, by method and path: whether each may be given several times."""
    return {
        (method, path): {
            given["name"]: _is_array(given["schema"]) for given in told.get("parameters", []) if given["in"] == "query"
        }
        for path, operations in described["paths"].items()
        for method, told in operations.items()
    }


def _is_array(schema: Document) -> bool:
    """Whether a parameter holds several values; one that may be left out says so as an alternative."""
    return any(option.get("type") == "array" for option in (schema, *schema.get("anyOf", ())))
