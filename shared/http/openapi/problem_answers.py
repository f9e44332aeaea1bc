"""The answers that tell problems, as documents describe them: which kinds, under which status, with an example."""

from collections.abc import Iterable

from shared.http.openapi.parts import SOME_ID, Document
from shared.http.problems import CATALOGUE, KINDS
from shared.http.problems import MEDIA_TYPE as PROBLEM_TYPE

EVERY = ("malformed-request", "invalid-parameter", "not-signed-in", "not-allowed", "too-many-requests", "unexpected",
         "read-model-behind", "unavailable")  # fmt: skip
OF_ONE = ("not-found",)
OF_SECRETS = ("malformed-request", "invalid-parameter", "too-many-requests", "unexpected", "unavailable")
"""Of what is asked by an address that holds a secret: by whoever has it, who waits for nothing."""
OF_COMMANDS = ("malformed-json", "request-timeout", "refused", "busy", "in-flight", "body-too-large",
               "unsupported-media-type", "invalid-body", "refused-content", "idempotency-key-reused",
               "stale-version")  # fmt: skip
OF_QUESTIONS = ("malformed-json", "request-timeout", "refused", "body-too-large", "unsupported-media-type",
                "invalid-body", "refused-content")  # fmt: skip
"""Of a question that has a body."""


def problems_of(kinds: Iterable[str]) -> Document:
    """The answers that tell problems, by status."""
    by_status: dict[int, list[str]] = {}
    for kind in dict.fromkeys(kinds):
        by_status.setdefault(KINDS[kind].status, []).append(kind)
    return {str(status): _problem(by_status[status]) for status in sorted(by_status)}


def any_problem(description: str) -> Document:
    """The answer that tells a problem of whatever kind."""
    return _told(description, "refused")


def _problem(kinds: list[str]) -> Document:
    return _told("; or: ".join(f"{KINDS[kind].title} (`{kind}`)" for kind in kinds), kinds[0])


def _told(description: str, kind: str) -> Document:
    example = {
        "type": f"{CATALOGUE}#{kind}",
        "title": KINDS[kind].title,
        "status": KINDS[kind].status,
        "detail": KINDS[kind].advice,
        "instance": f"/v1/deals/{SOME_ID}",
        "code": kind,
        "correlation_id": SOME_ID,
    }
    return {
        "description": description,
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }
