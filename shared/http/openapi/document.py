"""The OpenAPI 3.1 document of a service: generated routes from their handlers, hand-written ones from FastAPI.

Every operation has an id, a summary, an example, its errors and its roles (`x-roles`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from shared.domain.aggregate import Aggregate, states_of, word_of
from shared.domain.roles import Role
from shared.http.command_routes import CommandRoute, operation_id
from shared.http.examples import example_of
from shared.http.handwritten import ANSWER, BODY, BODY_EXAMPLE, EVENT_STREAM, PRIVATE, PROBLEMS
from shared.http.json import decimals_are_strings, schema_of
from shared.http.problems import CATALOGUE, KINDS
from shared.http.problems import MEDIA_TYPE as PROBLEM_TYPE
from shared.projections.lists import MAX_VALUES, MAX_WORDS, OWN_TEAM_ONLY, Filter, Listing

Document = dict[str, Any]

VERSION = "1"
SOME_ID = "01913b6e-9c00-7a30-8f41-0c5d2e8b7a11"

EVERY = ("malformed-request", "invalid-parameter", "not-signed-in", "not-allowed", "too-many-requests", "unexpected",
         "read-model-behind", "unavailable")  # fmt: skip
OF_ONE = ("not-found",)
OF_COMMANDS = ("malformed-json", "request-timeout", "refused", "busy", "in-flight", "body-too-large",
               "unsupported-media-type", "invalid-body", "refused-content", "idempotency-key-reused",
               "stale-version")  # fmt: skip

PROBLEM_SCHEMA: Document = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "code", "correlation_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "The kind, and where it is explained."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for a person."},
        "instance": {"type": "string", "format": "uri-reference"},
        "code": {"type": "string", "description": "Stable; more exact than the kind where a rule refused."},
        "correlation_id": {"type": "string", "format": "uuid"},
        "version": {"type": "integer", "description": "The current version, on stale-version."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer of the field."},
                    "parameter": {"type": "string", "description": "The query parameter."},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "details": {"type": "object", "additionalProperties": True},
                },
            },
        },
    },
}

CHANGED_SCHEMA: Document = {
    "type": "object",
    "description": "Where a command led.",
    "required": ["id", "version"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "version": {"type": "integer", "description": "The version of the aggregate; the ETag says the same."},
    },
}

SECURITY: Document = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token of the issuer."},
    "session": {"type": "apiKey", "in": "cookie", "name": "session", "description": "The page's session."},
}


def _header(name: str, description: str, schema: Document, *, required: bool = False) -> Document:
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}


TOKEN = _header(
    "Consistency-Token", "From a command's answer: this answer waits until it holds what that command did.",
    {"type": "string"},
)  # fmt: skip
PREFER = _header("Prefer", "handling=lenient: rather an older answer than none.", {"type": "string"})
CORRELATION = _header(
    "X-Correlation-Id", "Ties logs, events and answers together.", {"type": "string", "format": "uuid"}
)
KEY = _header(
    "Idempotency-Key", "One for each intent, the same on every retry; kept for 7 days.",
    {"type": "string", "minLength": 1, "maxLength": 255}, required=True,
)  # fmt: skip
OWN_TEAM: Document = {
    "name": OWN_TEAM_ONLY, "in": "query", "required": False, "schema": {"type": "boolean", "default": False},
    "description": "Only the team itself, and none of those below it.",
}  # fmt: skip
PATH_ID: Document = {
    "name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}, "example": SOME_ID,
}  # fmt: skip

KNOWN = _header("If-None-Match", "An ETag: 304 when it still has that version.", {"type": "string"})

RESUME = _header(
    "Last-Event-ID", "The id of the last event that came: what followed it is sent first.", {"type": "integer"}
)  # fmt: skip
LINK: Document = {"Link": {"description": "The following page (rel=next).", "schema": {"type": "string"}}}

ANSWER_HEADERS: Document = {
    "ETag": {"description": "The version.", "schema": {"type": "string"}},
    "Consistency-Token": {"description": "Send it with a read that shall hold this.", "schema": {"type": "string"}},
    "Location": {"description": "Where it is.", "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "true when this is the answer of the first time.",
        "schema": {"type": "string"},
    },
}


class Schemas:
    """Collects the schemas of data classes, and gives references to them."""

    def __init__(self) -> None:
        self.found: Document = {"Problem": PROBLEM_SCHEMA, "Changed": CHANGED_SCHEMA}

    def adopt(self, schema: Document) -> Document:
        """Keep a schema and its parts under components; gives the reference to it."""
        schema = dict(schema)
        parts: Document = schema.pop("$defs", {})
        for name, part in parts.items():
            self._keep(name, part)
        if schema.get("type") == "object" and "title" in schema:
            self._keep(schema["title"], schema)
            return {"$ref": f"#/components/schemas/{schema['title']}"}
        return schema

    def _keep(self, name: str, schema: Document) -> None:
        if self.found.setdefault(name, schema) != schema:
            raise ValueError(f"two different schemas are called {name}")


def document(
    app: FastAPI,
    *,
    title: str,
    description: str,
    commands: Iterable[CommandRoute],
    aggregates: Iterable[Aggregate],
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
    for path, operations in base.get("paths", {}).items():
        for method, described in operations.items():
            described.setdefault("tags", [path.split("/")[2]])
            paths.setdefault(path, {})[method] = _hand_written(described, method, schemas)
    for route in commands:
        paths.setdefault(route.path, {})[route.method.lower()] = _command(route, schemas)
    for aggregate in aggregates:
        paths.setdefault(f"/v1/{aggregate.plural}/{{id}}", {})["get"] = _aggregate(aggregate, schemas)
    for listing in listings:
        paths.setdefault(f"/v1/{listing.name}", {})["get"] = _listing(listing, schemas)
    components = base.get("components", {}).get("schemas", {})
    unused = {"HTTPValidationError", "ValidationError"}
    base["paths"] = dict(sorted(paths.items()))
    base["components"] = {
        "schemas": dict(sorted({**{k: v for k, v in components.items() if k not in unused}, **schemas.found}.items())),
        "securitySchemes": SECURITY,
    }
    base["security"] = [{"bearer": []}, {"session": []}]
    decimals_are_strings(base)
    return base


def _problems(kinds: Iterable[str]) -> Document:
    """The answers that tell problems, by status."""
    by_status: dict[int, list[str]] = {}
    for kind in dict.fromkeys(kinds):
        by_status.setdefault(KINDS[kind].status, []).append(kind)
    return {str(status): _problem(status, by_status[status]) for status in sorted(by_status)}


def _problem(status: int, kinds: list[str]) -> Document:
    first = KINDS[kinds[0]]
    example = {
        "type": f"{CATALOGUE}#{kinds[0]}",
        "title": first.title,
        "status": status,
        "detail": first.advice,
        "instance": "/v1/…",
        "code": kinds[0],
        "correlation_id": SOME_ID,
    }
    return {
        "description": "; or: ".join(f"{KINDS[kind].title} (`{kind}`)" for kind in kinds),
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }


def _body(reference: Document, example: Any, *, required: bool = True) -> Document:
    return {"required": required, "content": {"application/json": {"schema": reference, "example": example}}}


def _command(route: CommandRoute, schemas: Schemas) -> Document:
    summary, description = _words(route.handler.decide.__doc__ or route.command.__doc__ or route.handler.name)
    changes = route.method in ("PATCH", "PUT")
    parameters = [CORRELATION, TOKEN, PREFER]
    if not route.creates:
        match = "The ETag of what you read." if changes else "Only if it still has this version."
        parameters = [PATH_ID, _header("If-Match", match, {"type": "string"}, required=changes), *parameters]
    parameters.append(KEY if route.method == "POST" else {**KEY, "required": False})
    kinds = [*EVERY, *OF_COMMANDS, *(() if route.creates else OF_ONE)]
    if route.method == "POST":
        kinds.append("idempotency-key-missing")
    if changes:
        kinds.append("precondition-required")
    example = getattr(route.command, "example", {})
    done = "201" if route.creates else "200"
    success = {
        "description": "Created." if route.creates else "Done, or already so.",
        "headers": ANSWER_HEADERS,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Changed"},
                "example": {"id": SOME_ID, "version": 1 if route.creates else 2},
            }
        },
    }
    described: Document = {
        "operationId": route.operation_id,
        "tags": [route.aggregate.plural],
        "summary": summary,
        "parameters": parameters,
        "requestBody": _body(schemas.adopt(schema_of(route.body)), example),
        "responses": {done: success, **_problems(kinds)},
        "x-roles": roles_of(route.roles),
    }
    if description:
        described["description"] = description
    return described


def _words(docstring: str) -> tuple[str, str]:
    """Summary and description of a docstring: its first sentence line, and the rest."""
    first, _, rest = docstring.strip().partition("\n")
    return first.strip(), "\n".join(line.strip() for line in rest.strip().splitlines())


def roles_of(roles: Iterable[Role]) -> list[str]:
    """Roles as the document names them."""
    return sorted(str(role) for role in roles)


def _aggregate(aggregate: Aggregate, schemas: Schemas) -> Document:
    states = [_state(aggregate, state, schemas) for state in states_of(aggregate)]
    content: Document = {"schema": {"oneOf": states} if len(states) > 1 else states[0]}
    content["example"] = example_of(content["schema"], schemas.found)
    headers = {"ETag": ANSWER_HEADERS["ETag"]}
    return {
        "operationId": operation_id("get", aggregate.name),
        "tags": [aggregate.plural],
        "summary": f"Show one {aggregate.name.replace('-', ' ')} as it is now.",
        "parameters": [PATH_ID, KNOWN, CORRELATION, TOKEN, PREFER],
        "responses": {
            "200": {"description": "What it is now.", "headers": headers, "content": {"application/json": content}},
            "304": {"description": "It still has the version that you know.", "headers": headers},
            **_problems([*EVERY, *OF_ONE]),
        },
        "x-roles": roles_of(aggregate.readers),
    }  # fmt: skip


def _state(aggregate: Aggregate, state: type, schemas: Schemas) -> Document:
    """A state as it is shown: its fields, and what every aggregate says of itself."""
    shown = schema_of(aggregate.shown_type(state))
    schemas.adopt({"$defs": shown.pop("$defs", {})})
    shown["title"] = state.__name__
    own: Document = {
        "id": {"type": "string", "format": "uuid"},
        "version": {"type": "integer"},
        "status": {"const": word_of(aggregate, state), "type": "string"},
    }
    shown["properties"] = {**own, **shown.get("properties", {}), **own}
    shown["required"] = sorted({*own, *shown.get("required", [])})
    schemas.found[state.__name__] = shown
    return {"$ref": f"#/components/schemas/{state.__name__}"}


def _listing(listing: Listing, schemas: Schemas) -> Document:
    item = schemas.adopt(schema_of(listing.item))
    sorts = sorted(f"{sign}{name}" for name in listing.sorts for sign in ("", "-"))
    parameters = [_filter(name, listing.filters[name]) for name in sorted(listing.filters)]
    if OWN_TEAM_ONLY in listing.parameters:
        parameters.append(OWN_TEAM)
    parameters += [
        {"name": "sort", "in": "query", "schema": {"type": "string", "enum": sorts, "default": listing.default_sort}},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}},
        {"name": "cursor", "in": "query", "schema": {"type": "string"}, "description": "`next` of the page before."},
    ]
    schema = {
        "type": "object",
        "required": ["items", "next", "has_more", "as_of"],
        "properties": {
            "items": {"type": "array", "items": item},
            "next": {"type": ["string", "null"], "description": "The cursor of the following page."},
            "has_more": {"type": "boolean"},
            "as_of": {"type": ["string", "null"], "format": "date-time"},
            "parked": {
                "type": "integer",
                "description": "Events that are missing here because they could not be applied.",
            },
        },
    }
    example = {
        "items": [example_of(item, schemas.found)],
        "next": None,
        "has_more": False,
        "as_of": "2026-03-16T10:00:00Z",
    }
    return {
        "operationId": operation_id("list", listing.name),
        "tags": [listing.name],
        "summary": f"List {listing.name.replace('-', ' ')}.",
        "parameters": [*parameters, CORRELATION, TOKEN, PREFER],
        "responses": {
            "200": {
                "description": "One page.",
                "headers": LINK,
                "content": {"application/json": {"schema": schema, "example": example}},
            },
            **_problems(EVERY),
        },
        "x-roles": roles_of(listing.readers),
    }


def _filter(name: str, condition: Filter) -> Document:
    """A filter of a list: `equals` takes several values, the parameter once for each."""
    told = f"Only those with this {name.replace('_', ' ')}"
    if condition.operator == "search":
        told = f"Only those in which each of these words stands, whatever its case; at most {MAX_WORDS}"
    elif condition.with_subteams:
        told = "Only those of this team and the teams below it"
    schema: Document = {"type": "string"}
    if condition.words:
        schema["enum"] = list(condition.words)
    if condition.takes_several:
        schema = {"type": "array", "items": schema, "maxItems": MAX_VALUES}
        told += ", or with one of several: give the parameter once for each; an empty list when there are none"
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": f"{told}."}


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
    kinds = [*EVERY, *described.get(PROBLEMS, ())]
    parameters = described.setdefault("parameters", [])
    for told in responses.values():
        if any(parameter["name"] == "cursor" for parameter in parameters):
            told["headers"] = LINK
        if EVENT_STREAM in told.get("content", {}):
            parameters.append(RESUME)
    parameters.extend([CORRELATION, TOKEN, PREFER])
    if any(parameter["in"] == "path" for parameter in described["parameters"]):
        kinds += OF_ONE
    if method != "get":
        kinds += OF_COMMANDS
    if method == "post":
        kinds.append("idempotency-key-missing")
        described["parameters"].append(KEY)
    if body is not None:
        described["requestBody"] = _body(schemas.adopt(body), described.get(BODY_EXAMPLE))
    described["responses"] = {**responses, **_problems(kinds)}
    return {name: told for name, told in described.items() if name not in PRIVATE}


def query_parameters(described: Document) -> Mapping[tuple[str, str], frozenset[str]]:
    """The names of the query parameters of every operation, by method and path."""
    return {
        (method, path): frozenset(given["name"] for given in told.get("parameters", []) if given["in"] == "query")
        for path, operations in described["paths"].items()
        for method, told in operations.items()
    }
