"""The reference that works offline: a page over the OpenAPI document, and the catalogue of problems (API-5)."""

import json
from collections.abc import Callable
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from shared.http.problems import CATALOGUE, KINDS, Problem

FOLDER = Path(__file__).with_name("static")
DOCUMENTS = Path(__file__).parents[3] / "docs" / "reference" / "openapi"
"""The documents of all services, in a checkout or an image of it."""
MERGED = DOCUMENTS / "throughline.json"
"""All services in one; a service alone shows its own."""
TOPICS = DOCUMENTS.parent / "asyncapi.json"
"""The document of all topics."""

ASSETS = {
    "reference.css": "text/css",
    "reference.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
}

PAGE_HEADERS = {
    # The vendored page sets styles on its elements and carries small pictures in its style sheet.
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
}

FRESH = {"Cache-Control": "no-cache"}


def reference_routes(service: str, own: Callable[[], dict[str, Any]]) -> list[BaseRoute]:
    """The pages, their files and the documents; `own` gives the service's document.

    Whatever service is asked, `/openapi.json` is the document of all, and `/openapi/<service>.json` that of one.
    """

    @cache
    def own_document() -> bytes:
        return json.dumps(own()).encode()

    def its_own() -> Response:
        return Response(own_document(), media_type="application/json", headers=FRESH)

    async def whole(_: Request) -> Response:
        return FileResponse(MERGED, media_type="application/json", headers=FRESH) if MERGED.exists() else its_own()

    async def document(request: Request) -> Response:
        name = request.path_params["name"]
        if name == service:
            return its_own()
        path = next((path for path in DOCUMENTS.glob("*.json") if path.stem == name), None)
        if path is None:
            raise Problem("not-found", "There is no such service.")
        return FileResponse(path, media_type="application/json", headers=FRESH)

    async def topics(_: Request) -> Response:
        if not TOPICS.exists():
            raise Problem("not-found", "There is no document of the topics beside this process.")
        return FileResponse(TOPICS, media_type="application/json", headers=FRESH)

    async def page(_: Request) -> Response:
        return HTMLResponse((FOLDER / "index.html").read_text(encoding="utf-8"), headers=PAGE_HEADERS)

    async def problems(_: Request) -> Response:
        return HTMLResponse(problems_page(), headers=PAGE_HEADERS)

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ASSETS:
            raise Problem("not-found", "There is no such file.")
        return FileResponse(FOLDER / name, media_type=ASSETS[name], headers={"Cache-Control": "max-age=3600"})

    return [
        Route("/openapi.json", whole),
        Route("/openapi/{name}.json", document),
        Route("/docs", page),
        Route("/docs/openapi.json", whole),
        Route("/docs/asyncapi.json", topics),
        Route(CATALOGUE, problems),
        Route("/docs/assets/{name}", asset),
    ]


def problems_page() -> str:
    """Every kind of problem, with what to do; `type` of a problem leads to its heading."""
    entries = "".join(
        f'<section id="{escape(name)}"><h2><code>{escape(name)}</code> <small>{kind.status}</small></h2>'
        f"<p><strong>{escape(kind.title)}.</strong> {escape(kind.advice)}</p></section>"
        for name, kind in sorted(KINDS.items(), key=lambda item: (item[1].status, item[0]))
    )
    return PROBLEMS_PAGE.format(entries=entries)


PROBLEMS_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Problems · Throughline</title>
<link rel="stylesheet" href="/docs/assets/reference.css">
</head>
<body>
<main class="problems">
<p><a href="/docs">Reference</a></p>
<h1>Problems</h1>
<p>Every answer that is not a success is <code>application/problem+json</code> (RFC 9457). Its
<code>type</code> is one of these kinds; <code>code</code> is more exact where a rule refused, and
<code>errors</code> names every field or rule.</p>
{entries}
</main>
</body>
</html>
"""
