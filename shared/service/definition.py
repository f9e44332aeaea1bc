"""A service: the list of what it consists of, and the application that this makes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute, Route

from shared.commands.loaders import Provider
from shared.domain.aggregate import Aggregate
from shared.domain.follow_up import follow_up
from shared.eventstore.batching import RELAXED, Pace
from shared.http.command_routes import aggregate_route, command_routes, operation_id, starlette_route
from shared.http.context import Running
from shared.http.failures import answer_failures
from shared.http.handwritten import every_route
from shared.http.list_routes import list_route
from shared.http.middleware import Surroundings
from shared.http.openapi.document import document, query_parameters
from shared.http.openapi.pages import reference_routes
from shared.http.probes import clock_routes, health_routes
from shared.http.static import page_routes
from shared.ops.health import Health
from shared.ops.metrics import Metrics
from shared.ops.settings import Settings
from shared.projections.lists import Listing
from shared.projections.projection import View
from shared.reactions.registry import Reactions
from shared.service.runtime import running_process

Seed = Callable[[Running], Awaitable[None]]
"""Something that has to be there, like a built-in process; runs at every start and must be repeatable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSource:
    """Where a service's event stream comes from: what follows a position (and up to where that is all), and the newest
    position."""

    read: Callable[[Running, int, int], Awaitable[tuple[Sequence[tuple[int, Any]], int]]]
    head: Callable[[Running], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Service:
    """What a service consists of; `build` makes it run."""

    name: str
    aggregates: tuple[Aggregate, ...] = field(default=(), kw_only=True)
    reactions: Reactions | None = field(default=None, kw_only=True)
    views: tuple[View, ...] = field(default=(), kw_only=True)
    """The view of the organisation is added to every service."""
    listings: tuple[Listing, ...] = field(default=(), kw_only=True)
    routes: tuple[APIRouter | BaseRoute, ...] = field(default=(), kw_only=True)
    """Hand-written routes. A router's routes sign in and check roles as `operation` says; a bare Starlette route or
    mount (static files) does neither."""
    provides: Mapping[type, Provider] = field(default_factory=dict, kw_only=True)
    """How parameters of handlers are loaded, by their type."""
    reads: tuple[type, ...] | None = field(default=(), kw_only=True)
    """Event classes of other services that it journals; None for all that there are."""
    seeds: tuple[Seed, ...] = field(default=(), kw_only=True)
    feed: FeedSource | None = field(default=None, kw_only=True)
    """Where `Running.feed` reads."""
    pace: Pace = field(default=RELAXED, kw_only=True)
    """How its journal and its views keep pace with what happens."""
    pages: Path | None = field(default=None, kw_only=True)
    """A folder of static files that everybody may load; its index.html is the page at `/`."""
    description: str = field(kw_only=True)
    """What it does, for the reference."""

    @property
    def families(self) -> tuple[Aggregate, ...]:
        """Its aggregates, and what it tells of the things that it does by itself."""
        by_itself = self.reactions is not None or any(aggregate.has_timers for aggregate in self.aggregates)
        return (*self.aggregates, follow_up(self.name)) if by_itself else self.aggregates


Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def build(service: Service, settings: Settings) -> FastAPI:
    """The application of a service. Nothing is opened before it starts. Raises ValueError when two routes clash."""
    health = Health(Metrics.of(service.name))
    app = FastAPI(
        title=f"Throughline {service.name}",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(service, settings, health),
        generate_unique_id_function=lambda route: operation_id(route.name),
    )
    commands = command_routes(service.aggregates)
    app.router.routes += [starlette_route(route) for route in commands]
    app.router.routes += [list_route(listing) for listing in service.listings]
    for routes in service.routes:
        if isinstance(routes, APIRouter):
            app.include_router(routes, dependencies=[every_route])
    app.router.routes += [aggregate_route(aggregate) for aggregate in service.aggregates]
    app.router.routes += health_routes(health)
    if settings.development:
        app.router.routes += clock_routes()
    described = document(app, service, commands)
    app.openapi = lambda: described  # type: ignore[method-assign]
    app.state.parameters = query_parameters(described)
    app.router.routes += reference_routes(app.openapi)
    if service.pages:
        app.router.routes += page_routes(service.pages)
    # Mounts last: one at "/" takes whatever is left.
    app.router.routes += [route for route in service.routes if isinstance(route, BaseRoute)]
    answer_failures(app)
    patterns = {route.endpoint: route.path for route in app.router.routes if isinstance(route, Route)}
    app.add_middleware(Surroundings, metrics=health.metrics, patterns=patterns, body_limit=settings.body_limit)
    return app


def _lifespan(service: Service, settings: Settings, health: Health) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running_process(service, settings, health) as running:
            app.state.running = running
            app.state.stopping = running.stopping
            yield

    return lifespan


def service_document(service: Service) -> dict[str, Any]:
    """The OpenAPI document of a service, without anything to connect to."""
    nowhere = Settings(service=service.name, database_url="postgresql://nowhere", claim_secret="-" * 32)
    described: dict[str, Any] = build(service, nowhere).openapi()
    return described
