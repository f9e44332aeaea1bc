"""List routes: `GET /v1/<listing>` with its filters, sorts and a cursor, and `GET /v1/<listing>/{id}` for one row."""

from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.directory.narrowing import OWNER, TEAM, refuse_strangers
from shared.domain.context import Actor
from shared.http.command_routes import operation_id
from shared.http.context import ServiceContext, context_of
from shared.http.handwritten import answer
from shared.http.problems import Problem
from shared.http.read_your_writes import reader
from shared.projections.columns import types_of
from shared.projections.list_pages import holds, one, page, reads_of
from shared.projections.list_queries import ListQuery, QueryParams, understand
from shared.projections.lists import Listing
from shared.projections.query_values import PARSERS


def link_to(cursor: str | None, path: str, query: QueryParams) -> dict[str, str]:
    """The header that names the page after this one, if there is one (RFC 8288)."""
    following = next_address(cursor, path, query)
    return {} if following is None else {"Link": f'<{following}>; rel="next"'}


def query_of(request: Request) -> QueryParams:
    """What the parameters of a request are given, each time they are."""
    return {name: request.query_params.getlist(name) for name in request.query_params}


def next_address(cursor: str | None, path: str, query: QueryParams) -> str | None:
    """Where a list goes on after a page; None at its end."""
    return None if cursor is None else f"{path}?{urlencode({**query, 'cursor': cursor}, doseq=True)}"


async def checked(service: ServiceContext, listing: Listing, actor: Actor, query: QueryParams) -> ListQuery:
    """What a query of a list asks for, once all that is wrong with it was said. Raises InvalidQuery.

    A team stands for those below it; a team or member of whom the asker sees nothing is a wrong value.
    """
    company = service.settings.company
    today = company.day(service.clock.now())
    asked = understand(listing, query, actor, service.cursors, today, calendar=company.calendar)
    await refuse_strangers(
        service.organisation,
        actor,
        listing.readers,
        teams=asked.values.get(TEAM, ()),
        owners=asked.values.get(OWNER, ()),
        holds=partial(_holds, service, listing, actor, asked),
    )
    return replace(asked, values={name: await _widened(service, listing, asked, name) for name in asked.values})


def list_route(listing: Listing) -> Route:
    """The route of a listing."""
    several = frozenset(name for name, condition in listing.conditions.items() if condition.takes_several)

    async def show(request: Request) -> Response:
        service = context_of(request)
        actor = await reader(
            request,
            reads=reads_of(listing, service.projections.every),
            roles=listing.readers,
            known=listing.parameters,
            several=several,
        )
        query = query_of(request)
        asked = await checked(service, listing, actor, query)
        found = await page(service.projections, listing, actor, asked, service.cursors)
        content = {
            "items": found.items,
            "next": found.next,
            "has_more": found.next is not None,
            "as_of": found.as_of,
            **({} if found.totals is None else {"totals": found.totals}),
        }
        return answer(content, parked=found.parked, headers=link_to(found.next, request.url.path, query))

    return Route(f"/v1/{listing.name}", show, methods=["GET"], name=operation_id("list", listing.name))


def row_route(listing: Listing) -> Route:
    """The route of one row of a listing, by its id: for what is no aggregate with a resource of its own."""
    kind = types_of(listing.item)[listing.key]
    parse, _ = PARSERS[kind]

    async def show(request: Request) -> Response:
        service = context_of(request)
        actor = await reader(request, reads=reads_of(listing, service.projections.every), roles=listing.readers)
        given = request.path_params["id"]
        try:
            key = parse(given)
        except ValueError:
            raise _missing(listing) from None
        company = service.settings.company
        today = company.day(service.clock.now())
        row = await one(service.projections, listing, actor, key, today, calendar=company.calendar)
        if row is None:
            raise _missing(listing)
        return answer(row)

    # The ids of parts have slashes in them.
    pattern = "{id:path}" if kind is str else "{id}"
    name = listing.item.__name__.removesuffix("Row")
    return Route(f"/v1/{listing.name}/{pattern}", show, methods=["GET"], name=operation_id("get", name))


def _missing(listing: Listing) -> Problem:
    return Problem("not-found", f"There is no such one among the {listing.name.replace('-', ' ')}.")


async def _holds(  # noqa: PLR0917
    service: ServiceContext, listing: Listing, actor: Actor, asked: ListQuery, name: str, given: UUID
) -> bool:
    """Whether the actor sees any row of a team, with those that it stands for, or of an owner."""
    ids = await _widened(service, listing, replace(asked, values={name: [given]}), name)
    return await holds(service.projections, listing, actor, name, ids)


async def _widened(service: ServiceContext, listing: Listing, asked: ListQuery, name: str) -> Any:
    """What a filter is given; a team stands for the teams below it as well, as in figures."""
    given = asked.values[name]
    if asked.own_team_only or not listing.conditions[name].with_subteams:
        return given
    return list(dict.fromkeys([each for team in given for each in await service.organisation.below(team, fresh=True)]))
