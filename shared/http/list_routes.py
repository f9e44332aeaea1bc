"""List routes: `GET /v1/<listing>` with the listing's filters, sorts and a cursor."""

from functools import partial
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.directory.narrowing import OWNER, TEAM, refuse_strangers
from shared.domain.permissions import role_missing
from shared.http.command_routes import operation_id
from shared.http.context import context_of
from shared.http.handwritten import answer
from shared.http.headers import refuse_parameters
from shared.http.problems import Problem
from shared.http.read_your_writes import await_token
from shared.projections.lists import PARAMETERS, Listing, QueryParams, holds, page, understand


def link_to(cursor: str | None, path: str, query: QueryParams) -> dict[str, str]:
    """The header that names the page after this one, if there is one (RFC 8288)."""
    if cursor is None:
        return {}
    return {"Link": f'<{path}?{urlencode({**query, "cursor": cursor}, doseq=True)}>; rel="next"'}


def query_of(request: Request) -> QueryParams:
    """What the parameters of a request are given, each time they are."""
    return {name: request.query_params.getlist(name) for name in request.query_params}


def list_route(listing: Listing) -> Route:
    """The route of a listing."""
    known = PARAMETERS | frozenset(listing.filters)
    several = frozenset(name for name, condition in listing.filters.items() if condition.takes_several)

    async def show(request: Request) -> Response:
        service = context_of(request)
        actor = await service.authenticator.sign_in(request)
        if actor.roles.isdisjoint(listing.readers):
            raise Problem("not-allowed", role_missing(listing.readers), code="role-missing")
        refuse_parameters(request, known, several)
        actor = await await_token(request, actor)
        query = query_of(request)
        today = service.settings.company.day(service.clock.now())
        asked = understand(listing, query, service.cursors, today)
        await refuse_strangers(
            service.organisation,
            actor,
            listing.readers,
            teams=asked.values.get(TEAM, ()),
            owners=asked.values.get(OWNER, ()),
            holds=partial(holds, service.projections, listing, actor, today),
        )
        found = await page(service.projections, listing, actor, asked, service.cursors)
        content = {
            "items": found.items,
            "next": found.next,
            "has_more": found.next is not None,
            "as_of": found.as_of,
        }
        return answer(content, parked=found.parked, headers=link_to(found.next, request.url.path, query))

    return Route(f"/v1/{listing.name}", show, methods=["GET"], name=operation_id("list", listing.name))
