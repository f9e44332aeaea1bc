"""What surrounds every request: its correlation id, its log line, its figures, and an answer when something breaks.

Pure ASGI: wrapping the request and response objects would cost more than the request.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

from shared.http.bodies import declares_more_than, too_large
from shared.http.handwritten import SECRET
from shared.http.problems import Problem, problem_response
from shared.ops.ids import new_id
from shared.ops.metrics import Metrics

log = structlog.get_logger(__name__)

CORRELATION = b"x-correlation-id"
CLIENT_LEFT = 499

ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)


class RequestMiddleware:
    """The one middleware. `patterns` are the paths of Starlette's routes by their endpoints; a body that says of itself
    that it is larger than `body_limit` is refused before anybody waits for it."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, patterns: Mapping[Any, str], body_limit: int) -> None:
        self.app = app
        self.metrics = metrics
        self.patterns = patterns
        self.body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        state = scope.setdefault("state", {})
        state["correlation_id"], malformed = _correlation_id(scope["headers"])
        clear_contextvars()
        bind_contextvars(correlation_id=str(state["correlation_id"]))
        status = 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _with_headers(message.get("headers", ()), state)
            await send(message)

        try:
            if malformed:
                refused = Problem("malformed-request", "X-Correlation-Id is a UUID.")
                await problem_response(Request(scope), refused)(scope, receive, send_on)
            elif declares_more_than(self.body_limit, scope["headers"]):
                # Also where nobody reads a body: a connection that is kept would wait for the rest of it for ever.
                await problem_response(Request(scope), too_large(self.body_limit))(scope, receive, send_on)
            else:
                await self.app(scope, receive, send_on)
        except ClientDisconnect:
            # Nobody is there any more to be answered; 499 is what the figures of others call it.
            status = CLIENT_LEFT
            log.info("client-left", method=scope["method"])
        except Exception:  # The last resort of a request: logged whole, answered without its text.
            log.exception("request failed", method=scope["method"], path=self._told(scope))
            if status:
                raise  # The answer has begun; the server must cut it, so that nobody takes it for whole.
            broken = Problem("unexpected", "Something broke here; it has been logged.")
            await problem_response(Request(scope), broken)(scope, receive, send_on)
        finally:
            self._record(scope, status, time.perf_counter() - began)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = self._pattern(scope)
        self.metrics.requests.labels(scope["method"], route, status).observe(seconds)
        line = log.debug if route.startswith(("/health", "/metrics")) else log.info
        line("request", method=scope["method"], route=route, status=status, milliseconds=round(seconds * 1000, 2))

    def _pattern(self, scope: Scope) -> str:
        # Addresses hold ids: figures and lines name the pattern. FastAPI tells its route, Starlette the endpoint.
        return getattr(scope.get("route"), "path", None) or self.patterns.get(scope.get("endpoint"), "unknown")

    def _told(self, scope: Scope) -> str:
        """The address as it may be logged: one that holds a secret by its pattern."""
        path: str = scope["path"]
        return self._pattern(scope) if SECRET in scope.get("path_params", {}) else path


def _correlation_id(headers: Iterable[tuple[bytes, bytes]]) -> tuple[UUID, bool]:
    for name, value in headers:
        if name == CORRELATION:
            try:
                return UUID(value.decode("ascii")), False
            except ValueError:
                return new_id(), True
    return new_id(), False


def _with_headers(headers: Iterable[tuple[bytes, bytes]], state: dict[str, object]) -> list[tuple[bytes, bytes]]:
    given = list(headers)
    names = {name.lower() for name, _ in given}
    given += [header for header in ALWAYS if header[0] not in names]
    if b"cache-control" not in names:
        given.append((b"cache-control", b"no-store"))
    given.append((CORRELATION, str(state["correlation_id"]).encode()))
    if "applied" in state:
        given.append((b"preference-applied", str(state["applied"]).encode()))
    allowance = state.get("allowance")
    if allowance is not None:
        given += allowance.headers  # type: ignore[attr-defined]
    return given
