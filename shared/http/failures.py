"""Which failure is which problem: one table for all routes."""

from collections.abc import Callable
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Mount

from shared.commands.request import Busy, ContentDiffers, Forbidden, InFlight, NotFound, StaleVersion
from shared.domain.rejection import Rejected
from shared.eventstore.pool import DATABASE_AWAY
from shared.http.headers import etag
from shared.http.problems import Fault, Problem, from_rejection, from_validation, problem_response
from shared.ops.bulkhead import NoPlace
from shared.projections.errors import InvalidQuery
from shared.projections.read_snapshot import NotBuilt
from shared.projections.readers import ReadersStandStill

log = structlog.get_logger(__name__)

SOON = {"Retry-After": "1"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def _not_found(error: Any) -> Problem:
    if isinstance(error, NotFound):
        return Problem("not-found", f"There is no such {error.aggregate}.")
    return Problem("not-found", "There is no such address.")


def _refused(error: Rejected) -> Problem:
    """Where the refusal is on record, what the caller read is not the last version any more."""
    problem = from_rejection(error)
    if error.sequence is not None:
        problem.headers["ETag"] = etag(error.sequence)
        problem.extra["version"] = error.sequence
    return problem


def _stale(error: StaleVersion) -> Problem:
    return Problem(
        "stale-version",
        f"The version is {error.actual}.",
        headers={"ETag": etag(error.actual)},
        extra={"version": error.actual},
    )


def _query(error: InvalidQuery) -> Problem:
    faults = [Fault(code=reason.code, message=reason.message, parameter=reason.field) for reason in error.reasons]
    return Problem("invalid-parameter", "Query parameters are unknown or wrong.", faults=faults)


def _validation(error: RequestValidationError) -> Problem:
    """What FastAPI found wrong in the address, the query or the body of a hand-written route."""
    found = error.errors()
    if any(fault["loc"][0] == "path" for fault in found):
        return _not_found(error)
    if any(fault["loc"][0] == "body" for fault in found):
        return from_validation(found, skip=1)
    faults = [
        Fault(
            code="missing" if fault["type"] == "missing" else "invalid-value",
            message=f"{fault['msg']}.",
            parameter=str(fault["loc"][1]),
        )
        for fault in found
    ]
    return Problem("invalid-parameter", "Query parameters are unknown or wrong.", faults=faults)


def _http(error: HTTPException) -> Problem:
    kinds = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large", 415: "unsupported-media-type"}
    kind = kinds.get(error.status_code, "malformed-request")
    detail = "There is no such address." if kind == "not-found" else str(error.detail).removesuffix(".") + "."
    return Problem(kind, detail, headers=error.headers)


def _away(error: Exception) -> Problem:
    """What was written is open. A retry with the same key is safe; a PUT or PATCH without one has to be read again."""
    log.warning("database-away", error=type(error).__name__, exc_info=error)
    return Problem("unavailable", "The database is not available right now.", headers=SOON)


PROBLEM_OF: dict[type[Exception], Callable[[Any], Problem]] = {
    Problem: lambda problem: problem,
    Rejected: _refused,
    NotFound: _not_found,
    Forbidden: lambda error: Problem("not-allowed", error.reason),
    StaleVersion: _stale,
    Busy: lambda _: Problem("busy", "Others change this at the same moment.", headers=SOON),
    InFlight: lambda _: Problem("in-flight", "A request with this Idempotency-Key is being handled.", headers=SOON),
    ContentDiffers: lambda _: Problem(
        "idempotency-key-reused", "This Idempotency-Key came with another address or body before."
    ),
    InvalidQuery: _query,
    NoPlace: lambda _: Problem("unavailable", "Too many answers that take long are being worked out.", headers=SOON),
    ReadersStandStill: lambda _: Problem("unavailable", "What this is read from takes too long.", headers=SOON),
    NotBuilt: lambda _: Problem("unavailable", "The projections are being built.", headers=SOON),
    RequestValidationError: _validation,
    HTTPException: _http,
    **dict.fromkeys(DATABASE_AWAY, _away),
}

EXPECTED = tuple(PROBLEM_OF)
"""Every failure that is answered as a problem."""


def problem_of(failure: BaseException) -> Problem:
    """The problem that an expected failure is answered as."""
    return next(PROBLEM_OF[kind] for kind in type(failure).__mro__ if kind in PROBLEM_OF)(failure)


def answer_failures(app: FastAPI) -> None:
    """Make the application answer every expected failure as a problem."""
    for failure, problem_of in PROBLEM_OF.items():
        app.add_exception_handler(failure, _handler(problem_of))


def _handler(problem_of: Callable[[Any], Problem]) -> Callable[[Request, Exception], Response]:
    def handle(request: Request, failure: Exception) -> Response:
        problem = problem_of(failure)
        if problem.kind == "method-not-allowed" and (allowed := _methods_of(request)):
            problem.headers["Allow"] = ", ".join(allowed)
        return problem_response(request, problem)

    return handle


def _methods_of(request: Request) -> list[str]:
    """Every method that the address has. The framework names those of one route, and each method has its own here."""
    routes = [route for route in request.app.router.routes if not isinstance(route, Mount)]
    return [
        method
        for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]
