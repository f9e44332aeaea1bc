#!/usr/bin/env bash
# FastAPI 0.165.0 (since 0.137): `include_router` copies no routes any more. The application holds one entry for the whole
# router, and looks into the router with each request.
#
# One would write from memory: including a router puts a copy of each of its routes into `app.routes`, as they are at that
# moment. What is added to the router afterwards is not served, and whoever lists `app.routes` sees every path.
# Seen: `app.routes` has one object without a `path` for the router, however many routes that has, so a list of paths, a
# metric's label or an audit of who may call what misses them or fails with AttributeError. A route that is added to the
# router after it was included is served all the same, stands in the OpenAPI document, and has the dependencies of the
# inclusion. A docstring that is set on the function after the decorator is in the document of an included route, but not
# in that of a route of the application itself.
#
# So whoever walks routes uses `fastapi.routing.iter_route_contexts`, and what has to be complete at start (an audit, an
# index of paths) is not made from `app.routes` alone.
#
# Source: fastapi/routing.py (`_IncludedRouter`, `iter_route_contexts`), https://github.com/fastapi/fastapi/pull/15745.
# Fails when that changes.
set -euo pipefail

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check fastapi==0.165.0 starlette==1.10.0 httpx==0.28.1

"$place/venv/bin/python" - <<'PY'
import asyncio
from importlib.metadata import version

import httpx
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.routing import iter_route_contexts

print("fastapi", version("fastapi"), "starlette", version("starlette"))


def locked() -> None:
    raise HTTPException(423)


app, router = FastAPI(openapi_url=None, docs_url=None, redoc_url=None), APIRouter()


@router.get("/orders")
def orders() -> str:
    return "orders"


@router.get("/offers")
def offers() -> str:
    return "offers"


@app.get("/health")
def health() -> str:
    return "well"


app.include_router(router, dependencies=[Depends(locked)])


@router.get("/invoices")
def invoices() -> str:
    return "invoices"


orders.__doc__ = health.__doc__ = "Said afterwards."


async def ask(path: str) -> int:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
        return (await client.get(path)).status_code


paths = app.openapi()["paths"]
seen = {
    "entries": [getattr(route, "path", None) for route in app.routes],
    "walked": sorted(context.path for context in iter_route_contexts(app.routes)),
    "late route": (asyncio.run(ask("/invoices")), "/invoices" in paths),
    "docstrings": {path: paths[path]["get"].get("description") for path in ("/orders", "/health")},
}
for name, found in seen.items():
    print(name, found)
assert seen == {
    "entries": ["/health", None],
    "walked": ["/health", "/invoices", "/offers", "/orders"],
    "late route": (423, True),
    "docstrings": {"/orders": "Said afterwards.", "/health": None},
}, "it changed: look whether the finding still holds"
print("As described.")
PY
