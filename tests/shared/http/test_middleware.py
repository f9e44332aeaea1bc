"""What is logged of a request that breaks: its address, without what must not be known (DEAL-6)."""

from collections.abc import Callable

import httpx
import pytest
from starlette.requests import Request
from starlette.routing import Route, Router
from structlog.testing import capture_logs

from shared.http.middleware import RequestMiddleware
from shared.ops.metrics import Metrics


async def breaks(request: Request) -> None:
    raise LookupError(request.url.path)


@pytest.fixture(scope="module")
def app() -> Callable[..., object]:
    routes = [Route(path, breaks) for path in ("/v1/deals/{id}", "/v1/calendar-link/{id}/{secret}.ics")]
    return RequestMiddleware(
        Router(routes=routes),
        metrics=Metrics.of("middleware"),
        patterns={breaks: "/v1/calendar-link/{id}/{secret}.ics"},
        body_limit=1000,
    )


@pytest.mark.parametrize(
    ("path", "told"),
    [("/v1/deals/17", "/v1/deals/17"), ("/v1/calendar-link/17/s3cr3t.ics", "/v1/calendar-link/{id}/{secret}.ics")],
)
async def test_an_address_that_holds_a_secret_is_logged_by_its_pattern(
    app: Callable[..., object], path: str, told: str
) -> None:
    with capture_logs() as lines:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:  # type: ignore[arg-type]
            answer = await client.get(path)
    assert answer.status_code == 500
    assert [line["path"] for line in lines if line["event"] == "request failed"] == [told]
