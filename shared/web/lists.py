"""List routes: `GET /v1/<listing>` with the listing's filters, sorts and a cursor."""

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.domain.permission import role_missing
from shared.views.lists import PARAMETERS, Listing, page
from shared.web.commands import operation_id
from shared.web.consistency import await_token
from shared.web.preconditions import refuse_parameters
from shared.web.problems import Problem
from shared.web.routes import answer
from shared.web.running import running_of


def link_to(cursor: str | None, path: str, query: Mapping[str, str]) -> dict[str, str]:
    """The header that names the page after this one, if there is one (RFC 8288)."""
    return {} if cursor is None else {"Link": f'<{path}?{urlencode({**query, "cursor": cursor})}>; rel="next"'}


def list_route(listing: Listing) -> Route:
    """The route of a listing."""
    known = PARAMETERS | frozenset(listing.filters)

    async def show(request: Request) -> Response:
        running = running_of(request)
        actor = await running.authorization.sign_in(request)
        if actor.roles.isdisjoint(listing.readers):
            raise Problem("not-allowed", role_missing(listing.readers), code="role-missing")
        refuse_parameters(request, known)
        actor = await await_token(request, actor)
        query = dict(request.query_params)
        found = await page(running.views, listing, actor, query, running.cursors)
        content = {
            "items": found.items,
            "next": found.next,
            "has_more": found.next is not None,
            "as_of": found.as_of,
        }
        return answer(content, parked=found.parked, headers=link_to(found.next, request.url.path, query))

    return Route(f"/v1/{listing.name}", show, methods=["GET"], name=operation_id("list", listing.name))
