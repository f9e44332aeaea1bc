"""Static pages of a service: files that load nothing from outside, served without sign-in."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.staticfiles import StaticFiles

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    "Cache-Control": "no-cache",
}
"""The middleware adds the others. Files are asked for again each time, and answered 304 while they are the same."""


def page_routes(folder: Path) -> list[BaseRoute]:
    """`GET /` is the folder's index.html, `GET /<folder's name>/<file>` its files."""
    files = StaticFiles(directory=folder)

    async def show(request: Request) -> Response:
        response = await files.get_response(request.path_params.get("file", "index.html"), request.scope)
        response.headers.update(HEADERS)
        return response

    return [Route("/", show), Route(f"/{folder.name}/{{file:path}}", show)]
