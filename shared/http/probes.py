"""Health, metrics and the movable clock: for those who run the process, never routed by the gateway (OPS-2, API-6)."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.domain.roles import Role
from shared.events.definition import value
from shared.http.bodies import parse, read_body
from shared.http.context import context_of
from shared.http.json import encode
from shared.http.problems import Problem
from shared.ops.health import Health
from shared.ops.metrics import CONTENT_TYPE

PROBES = ("/health/live", "/health/ready", "/health/lags", "/health/workers", "/metrics")
"""What every process tells about itself."""
FARTHEST_SECONDS = 10 * 366 * 86_400


def health_routes(health: Health) -> list[Route]:
    """What every process tells about itself."""

    async def live(_: Request) -> Response:
        return _told({"status": "alive"})

    async def ready(_: Request) -> Response:
        found = await health.readiness()
        good = bool(found) and all(report.ok for report in found)
        return _told({"status": "ready" if good else "not ready", "checks": found}, 200 if good else 503)

    async def lags(_: Request) -> Response:
        return _told(health.lags)

    async def workers(_: Request) -> Response:
        return _told(health.workers, 200 if all(report.ok for report in health.workers) else 503)

    async def metrics(_: Request) -> Response:
        return Response(health.metrics.page(), headers={"Content-Type": CONTENT_TYPE})

    return [Route(path, answer) for path, answer in zip(PROBES, (live, ready, lags, workers, metrics), strict=True)]


def _told(content: object, status: int = 200) -> Response:
    return Response(encode(content), status, headers={"Content-Type": "application/json"})


@value
class MoveClock:
    """Move the company clock forward."""

    seconds: Annotated[int, Field(ge=0, le=FARTHEST_SECONDS)]
    """By how much."""


_MOVE = TypeAdapter(MoveClock)


def clock_routes() -> list[Route]:
    """The company clock of a development deployment: shown to everybody inside, moved by administrators."""

    async def show(request: Request) -> Response:
        clock = context_of(request).clock
        return _told({"now": clock.now(), "ahead_seconds": clock.ahead.total_seconds()})

    async def move(request: Request) -> Response:
        service = context_of(request)
        actor = await service.authenticator.sign_in(request)
        if actor.roles.isdisjoint({Role.ADMIN, Role.SERVICE}):
            raise Problem("not-allowed", "Administrators move the clock.", code="role-missing")
        asked = parse(_MOVE, await read_body(request, service.settings.body_limit))
        now = await service.clock.advance(service.pool, timedelta(seconds=asked.seconds))
        return _told({"now": now, "ahead_seconds": service.clock.ahead.total_seconds()})

    return [Route("/clock", show, methods=["GET"]), Route("/clock", move, methods=["POST"])]
