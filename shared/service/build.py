"""The application of a service: routes, documents and middleware around its definition (FastAPI)."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute, Route

from shared.commands.references import Listed, check_known, knows_of
from shared.http.command_routes import command_routes, resource_route, starlette_routes
from shared.http.failures import answer_failures
from shared.http.handwritten import READS, served
from shared.http.lists.routes import list_route, row_route
from shared.http.middleware import RequestMiddleware
from shared.http.openapi.document import document, query_parameters
from shared.http.openapi.pages import reference_routes
from shared.http.probes import clock_routes, health_routes
from shared.http.routing_table import RoutingTable
from shared.http.static import page_routes
from shared.languages.shipped import Languages
from shared.ops.collector import no_collection
from shared.ops.health import Health
from shared.ops.metrics import Metrics
from shared.ops.settings import Settings
from shared.service.bulk_routes import bulk_routes
from shared.service.definition import Part, Service, projections_of
from shared.service.history_routes import history_routes
from shared.service.policy_routes import policy_routes
from shared.service.runtime import running_process

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def build(service: Service, settings: Settings, only: Part | None = None) -> FastAPI:
    """The application of a service; of its workers alone it answers probes and Prometheus, and nothing else.

    Nothing is opened before it starts. Raises ValueError when two routes clash, one reads a projection that there is
    not, or a command names what the service does not know.
    """
    check_known(service.families, knows_of(service.knows))
    _check_projected(service)
    health = Health(Metrics.of(service.name))
    app = FastAPI(
        title=f"Throughline {service.name}",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(service, settings, health, only),
    )
    app.router.routes += health_routes(health)
    if settings.development:
        app.router.routes += clock_routes()
    if only != "workers":
        # Nor does every `ast.parse` survive a collection, before CPython 3.11.8: pydantic reads docstrings by it
        # (gh-106905).
        with no_collection():
            _add_routes(app, service, settings)
    answer_failures(app)
    routes = [route for route in app.router.routes if isinstance(route, Route)]
    others = [route for route in app.router.routes if not isinstance(route, Route)]
    app.router.routes[:] = [RoutingTable(routes), *others]
    patterns = {route.endpoint: route.path for route in routes}
    app.add_middleware(RequestMiddleware, metrics=health.metrics, patterns=patterns, body_limit=settings.body_limit)
    return app


def _add_routes(app: FastAPI, service: Service, settings: Settings) -> None:
    """What clients see: routes, their documents, and the page."""
    commands = command_routes(service.every_aggregate)
    app.router.routes += served(bulk_routes(commands, service.bulk))
    app.router.routes += [each for route in commands for each in starlette_routes(route)]
    app.router.routes += [list_route(listing) for listing in service.listings]
    shown = {resource.aggregate.plural for resource in service.resources}
    app.router.routes += [row_route(listing) for listing in service.listings if listing.name not in shown]
    following = [history_routes(service.resources), *([policy_routes(service.policies)] if service.policies else ())]
    for routes in (*service.routes, *following):
        if isinstance(routes, APIRouter):
            app.router.routes += served(routes)
    _check_reads(service, app.router.routes)
    app.router.routes += [resource_route(resource, commands) for resource in service.resources]
    described = document(
        app,
        title=f"Throughline {service.name}",
        description=service.description,
        tags=service.tags,
        commands=commands,
        resources=service.resources,
        listings=service.listings,
    )
    app.openapi = lambda: described  # type: ignore[method-assign]
    app.state.parameters = query_parameters(described)
    app.router.routes += reference_routes(service.name, app.openapi)
    if service.pages:
        app.router.routes += page_routes(service.pages, Languages(service.catalogues, settings.company_language))
    # Mounts last: one at "/" takes whatever is left.
    app.router.routes += [route for route in service.routes if isinstance(route, BaseRoute)]


def _check_projected(service: Service) -> None:
    known = {projection.name for projection in projections_of(service)}
    for source in service.knows:
        if isinstance(source, Listed) and source.projection not in known:
            raise ValueError(f"{service.name} knows each {source.thing} from a projection that it does not have")


def _check_reads(service: Service, routes: Sequence[BaseRoute]) -> None:
    known = {projection.name for projection in projections_of(service)}
    for route in routes:
        extra = getattr(route, "openapi_extra", None) or {}
        if unknown := set(extra.get(READS, ())) - known:
            raise ValueError(
                f"{getattr(route, 'path', route)} reads {sorted(unknown)}, which {service.name} does not have"
            )


def _lifespan(service: Service, settings: Settings, health: Health, only: Part | None) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running_process(service, settings, health, only) as running:
            app.state.service = running
            app.state.stopping = running.stopping
            yield

    return lifespan


def service_document(service: Service) -> dict[str, Any]:
    """The OpenAPI document of a service, without anything to connect to."""
    nowhere = Settings(service=service.name, database_url="postgresql://nowhere", claim_secret="-" * 32)
    described: dict[str, Any] = build(service, nowhere).openapi()
    return described
