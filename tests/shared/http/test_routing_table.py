"""A routing table finds the route that the framework finds by asking all of them, one after another."""

import re
from collections.abc import Iterable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import Scope

from deploy.services import SERVICES, definition_of
from shared.http.routing_table import CHOSEN, RoutingTable
from shared.ops.settings import Settings
from shared.service.build import build

METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS")
FILLED = ("01931b2e-0000-7000-8000-000000000001", "bulk", "a.b", "")


def asked(method: str, path: str, **more: str) -> Scope:
    return {"type": "http", "method": method, "path": path, "headers": [], **more}


def one_by_one(routes: Iterable[BaseRoute], scope: Scope) -> tuple[Match, BaseRoute | None]:
    """As the framework finds a route."""
    partial: tuple[Match, BaseRoute | None] = Match.NONE, None
    for route in routes:
        match, _ = route.matches(scope)
        if match is Match.FULL:
            return match, route
        if match is Match.PARTIAL and partial[1] is None:
            partial = match, route
    return partial


def by_table(table: RoutingTable, scope: Scope) -> tuple[Match, BaseRoute | None]:
    match, child = table.matches(scope)
    return match, child.get(CHOSEN)


@pytest.mark.parametrize("name", SERVICES)
def test_the_routes_of_a_service_are_found_as_without_it(name: str) -> None:
    nowhere = Settings(service=name, database_url="postgresql://nowhere", claim_secret="-" * 32, development=True)
    table = next(each for each in build(definition_of(name), nowhere).router.routes if isinstance(each, RoutingTable))

    patterns = {route.path for route in table.routes}
    paths = {re.sub(r"{[^}]*}", filled, pattern) for pattern in patterns for filled in FILLED}
    paths |= {f"{path}/" for path in paths} | {path.rpartition("/")[0] for path in paths} | {"", "/", "//", "/v2/deals"}
    found = list[BaseRoute | None]()
    for scope in (asked(method, path) for path in sorted(paths) for method in METHODS):
        expected = one_by_one(table.routes, scope)
        match, chosen = by_table(table, scope)
        assert chosen is expected[1], scope
        assert match is expected[0], scope
        found.append(chosen)
    assert {id(each) for each in table.routes} <= {id(each) for each in found}, "none was left out"


async def show(request: Request) -> Response:
    return PlainTextResponse(request.path_params["id"])


def route(path: str) -> Route:
    return Route(path, show, methods=["GET"])


def test_the_first_of_those_that_fit_answers() -> None:
    literal, any_, rest = route("/v1/deals/bulk"), route("/v1/deals/{id}"), route("/v1/{rest:path}")
    scope = asked("GET", "/v1/deals/bulk")

    assert by_table(RoutingTable([literal, any_, rest]), scope)[1] is literal
    assert by_table(RoutingTable([any_, literal, rest]), scope)[1] is any_
    assert by_table(RoutingTable([rest, any_, literal]), scope)[1] is rest


def test_a_parameter_within_a_segment_and_one_over_several_are_found() -> None:
    table = RoutingTable([route("/v1/{name}.ics"), route("/files/{rest:path}")])

    assert by_table(table, asked("GET", "/v1/mine.ics"))[1] is table.routes[0]
    assert by_table(table, asked("GET", "/v1/mine.csv")) == (Match.NONE, None)
    assert by_table(table, asked("GET", "/files/a/b/c"))[1] is table.routes[1]


def test_below_another_application_the_path_begins_where_this_one_stands() -> None:
    table = RoutingTable([route("/v1/deals")])

    for path, root_path in (("/sales/v1/deals", "/sales"), ("/v1/deals", "/v"), ("/v1/deals", "/sales")):
        scope = asked("GET", path, root_path=root_path)
        assert by_table(table, scope)[1] is one_by_one(table.routes, scope)[1] is table.routes[0]


async def test_what_is_found_answers_with_its_parameters_and_another_method_is_refused() -> None:
    table = RoutingTable([route("/deals/{id}")])
    app = Starlette(routes=[table, Mount("/page", app=PlainTextResponse("page"))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://deals") as client:
        assert (await client.get("/deals/7")).text == "7"
        assert (await client.post("/deals/7")).status_code == 405
        assert (await client.get("/page/index.html")).text == "page"
        assert (await client.get("/deals")).status_code == 404
