"""Problems: every answer that is not a success has one form (RFC 9457), a stable code, and names each wrong field.

The value that was sent is never repeated in an answer, and neither is the text of an unexpected failure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from shared.domain.rejection import Rejected

MEDIA_TYPE = "application/problem+json"
CATALOGUE = "/docs/problems"
"""Where `type` leads: the page that explains every kind."""
PATH_CHARACTERS = "/:@!$&'()*+,;="
"""What stands in the path of a URI as it is, beside letters, digits and -._~ (RFC 3986)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of problem: its HTTP status, its title, and what the caller can do."""

    status: int
    title: str
    advice: str


KINDS: Mapping[str, Kind] = {
    "malformed-request": Kind(
        status=400, title="The request is malformed", advice="Correct the header or address that the detail names."
    ),
    "malformed-json": Kind(status=400, title="The body is not JSON", advice="Send one JSON value in UTF-8."),
    "malformed-yaml": Kind(
        status=400, title="The body is not YAML", advice="Send one document without anchors, aliases and tags."
    ),
    "malformed-csv": Kind(
        status=400, title="The body is not CSV", advice="Send a line of column names and then rows, in UTF-8."
    ),
    "invalid-parameter": Kind(
        status=400, title="A query parameter is unknown or wrong", advice="Correct the parameters named in errors."
    ),
    "idempotency-key-missing": Kind(
        status=400,
        title="An Idempotency-Key is required",
        advice="Send a header Idempotency-Key with a new UUID for each intent, and the same one when you retry.",
    ),
    "not-signed-in": Kind(status=401, title="Nobody is signed in", advice="Send a valid bearer token, or sign in."),
    "not-allowed": Kind(status=403, title="You may not do this", advice="The detail says who may."),
    "not-found": Kind(status=404, title="There is no such thing", advice="It does not exist, or is not yours to see."),
    "method-not-allowed": Kind(status=405, title="The method is not known here", advice="See the header Allow."),
    "request-timeout": Kind(
        status=408,
        title="The request came too slowly",
        advice="Send it again; with the same Idempotency-Key that is safe.",
    ),
    "refused": Kind(
        status=409, title="A rule refuses this now", advice="Every unmet rule is in errors; meet them, then try again."
    ),
    "busy": Kind(
        status=409, title="Too many change this at once", advice="Nothing was recorded; try again with the same key."
    ),
    "in-flight": Kind(
        status=409, title="The same request is being handled", advice="Wait a moment, then ask with the same key."
    ),
    "stale-version": Kind(
        status=412, title="It has changed since you read it", advice="Read it again and decide on what it is now."
    ),
    "body-too-large": Kind(status=413, title="The body is too large", advice="Send less at once."),
    "unsupported-media-type": Kind(status=415, title="The body is not JSON", advice="Send application/json."),
    "invalid-body": Kind(
        status=422, title="The body is not what this takes", advice="Correct the fields named in errors."
    ),
    "refused-content": Kind(
        status=422, title="A rule refuses these values", advice="Correct the fields named in errors."
    ),
    "idempotency-key-reused": Kind(
        status=422, title="The key belongs to another request", advice="Use a new Idempotency-Key for a new intent."
    ),
    "precondition-required": Kind(
        status=428,
        title="If-Match is required",
        advice="Read first, then send the ETag of what you read as If-Match.",
    ),
    "too-many-requests": Kind(status=429, title="Too many requests", advice="Wait for as long as Retry-After says."),
    "unexpected": Kind(
        status=500,
        title="Something broke here",
        advice="Tell us the correlation_id; a retry with the same Idempotency-Key is safe.",
    ),
    "read-model-behind": Kind(
        status=503,
        title="The answer does not hold your change yet",
        advice="Try again shortly, or accept an older answer with Prefer: handling=lenient.",
    ),
    "unavailable": Kind(
        status=503,
        title="Not available right now",
        advice="Try again shortly; with the same Idempotency-Key that is safe.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong: where (a JSON pointer into the body, or a parameter), a stable code, a sentence."""

    code: str
    message: str
    pointer: str | None = None
    parameter: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class Problem(Exception):
    """Ends a request with an answer of one of the KINDS; `code` is more exact than the kind where a rule has one."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        code: str | None = None,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.code = code or kind
        self.faults = tuple(faults)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    @property
    def status(self) -> int:
        """The HTTP status of its kind."""
        return KINDS[self.kind].status


def problem_response(request: Request, problem: Problem) -> Response:
    """The answer that tells a problem."""
    kind = KINDS[problem.kind]
    body: dict[str, Any] = {
        "type": f"{CATALOGUE}#{problem.kind}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "instance": quote(request.url.path, safe=PATH_CHARACTERS),
        "code": problem.code,
        "correlation_id": str(request.scope.get("state", {}).get("correlation_id", "")),
        **problem.extra,
    }
    if problem.faults:
        body["errors"] = [_as_json(fault) for fault in problem.faults]
    return Response(msgspec.json.encode(body), kind.status, headers={**problem.headers, "Content-Type": MEDIA_TYPE})


def _as_json(fault: Fault) -> dict[str, Any]:
    written: dict[str, Any] = {"code": fault.code, "message": fault.message}
    if fault.pointer is not None:
        written["pointer"] = fault.pointer
    if fault.parameter is not None:
        written["parameter"] = fault.parameter
    if fault.details:
        written["details"] = dict(fault.details)
    return written


def pointer(path: Sequence[str | int]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def from_rejection(rejected: Rejected) -> Problem:
    """A rule's refusal: about the values sent when every reason names a field, else about the state of things."""
    if rejected.code == "does-not-exist":
        return Problem("not-found", rejected.message, code=rejected.code)
    faults = [
        Fault(
            code=reason.code,
            message=reason.message,
            pointer=pointer(reason.field.split(".")) if reason.field else None,
            details=reason.details,
        )
        for reason in rejected.reasons
    ]
    kind = "refused-content" if all(reason.field for reason in rejected.reasons) else "refused"
    return Problem(kind, rejected.message, code=rejected.code, faults=faults)


WORDS: Mapping[str, tuple[str, str]] = {
    "missing": ("missing", "This field is required."),
    "missing_argument": ("missing", "This field is required."),
    "missing_keyword_only_argument": ("missing", "This field is required."),
    "unexpected_keyword_argument": ("unknown-field", "This field is not known here."),
    "extra_forbidden": ("unknown-field", "This field is not known here."),
    "bool_type": ("bool-type", "This is true or false."),
    "string_pattern_mismatch": ("blank", "This needs a character that shows."),
}
"""Our words for pydantic's kinds of errors: those about arguments of functions, and the one pattern that texts have."""


def words_of(error: Any) -> tuple[str, str]:
    """Code and sentence of an error that pydantic found."""
    sentence = error["msg"].removeprefix("Value error, ")
    return WORDS.get(error["type"]) or (error["type"].replace("_", "-"), f"{sentence[:1].upper()}{sentence[1:]}.")


def _told_once(errors: Sequence[Any]) -> Iterator[Any]:
    """The errors without those that follow from others: a list in which something is wrong counts what is right in it
    alone, and is too short by that."""
    deeper = {error["loc"][:length] for error in errors for length in range(len(error["loc"]))}
    yield from (error for error in errors if error["type"] != "too_short" or error["loc"] not in deeper)


def from_validation(errors: Sequence[Any], *, skip: int = 0) -> Problem:
    """What pydantic found wrong with a body. The first `skip` steps of each path do not lead into the body."""
    if any(error["type"] == "json_invalid" for error in errors):
        return Problem("malformed-json", f"{errors[0]['msg']}.")
    faults = []
    for error in _told_once(errors):
        code, message = words_of(error)
        faults.append(Fault(code=code, message=message, pointer=pointer(error["loc"][skip:])))
    named = ", ".join(fault.pointer or "the body" for fault in faults[:5])
    return Problem("invalid-body", f"Wrong: {named}.", faults=faults)
