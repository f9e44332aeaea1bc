"""The parts of OpenAPI documents that are the same everywhere: schemas, security, headers, parameters."""

from collections.abc import Iterable
from typing import Any

from shared.domain.roles import Role
from shared.projections.lists import OWN_TEAM_ONLY, TOTALS

Document = dict[str, Any]

VERSION = "1"
SOME_ID = "01913b6e-9c00-7a30-8f41-0c5d2e8b7a11"

PROBLEM_SCHEMA: Document = {
    "title": "Problem",
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
        "version": {
            "type": "integer",
            "description": "The current version: on stale-version, and where the refusal is on record.",
        },
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
    "title": "Changed",
    "type": "object",
    "description": "Where a command led.",
    "required": ["id", "version"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "version": {"type": "integer", "description": "The version of the aggregate; the ETag says the same."},
    },
}

SERVERS = [{"url": "/", "description": "The origin that shows this document."}]

OWN_SCHEMAS: Document = {"Problem": PROBLEM_SCHEMA, "Changed": CHANGED_SCHEMA}

SECURITY: Document = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token of the issuer."},
    "session": {"type": "apiKey", "in": "cookie", "name": "session", "description": "The page's session."},
}


def header(name: str, description: str, schema: Document, *, required: bool = False) -> Document:
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}


TOKEN = header(
    "Consistency-Token", "From a command's answer: this answer waits until it holds what that command did.",
    {"type": "string"},
)  # fmt: skip
PREFER = header("Prefer", "handling=lenient: rather an older answer than none.", {"type": "string"})
CORRELATION = header(
    "X-Correlation-Id", "Ties logs, events and answers together.", {"type": "string", "format": "uuid"}
)
KEY = header(
    "Idempotency-Key", "One for each intent, the same on every retry; kept for 7 days.",
    {"type": "string", "minLength": 1, "maxLength": 255}, required=True,
)  # fmt: skip
OWN_TEAM: Document = {
    "name": OWN_TEAM_ONLY, "in": "query", "required": False, "schema": {"type": "boolean", "default": False},
    "description": "Only the team itself, and none of those below it.",
}  # fmt: skip
SWITCHED_TOTALS: Document = {
    "name": TOTALS, "in": "query", "required": False, "schema": {"type": "boolean", "default": False},
    "description": "true has everything that the filters leave counted, and its amounts summed, on all pages.",
}  # fmt: skip
PATH_ID: Document = {
    "name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}, "example": SOME_ID,
}  # fmt: skip

KNOWN = header("If-None-Match", "An ETag: 304 when it still has that version.", {"type": "string"})

LANGUAGE = header(
    "Accept-Language", "The language of texts for people: of those that ship, the most preferred, or the company's.",
    {"type": "string"},
)  # fmt: skip
RESUME = header(
    "Last-Event-ID", "The id of the last event that came: what followed it is sent first.", {"type": "integer"}
)  # fmt: skip
SAID_IN: Document = {
    "Content-Language": {"description": "The language of its texts.", "schema": {"type": "string"}},
    "Vary": {"description": "Accept-Language: in another language its texts are others.", "schema": {"type": "string"}},
}
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


def roles_of(roles: Iterable[Role]) -> list[str]:
    """Roles as the document names them."""
    return sorted(str(role) for role in roles)
