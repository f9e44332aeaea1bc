"""What a running process consists of; composed when it starts, and handed to everything that answers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg
from starlette.requests import Request

from shared.commands.executor import CommandExecutor
from shared.directory.organisation import Organisation
from shared.eventstore.log import Log
from shared.eventstore.wakeup import Wakeup
from shared.http.authentication import Authenticator
from shared.http.sse import Feed
from shared.languages.shipped import Languages
from shared.ops.bulkhead import Bulkhead
from shared.ops.clock import Clock
from shared.ops.health import Health
from shared.ops.settings import Settings
from shared.projections.consistency import ConsistencyGate
from shared.projections.cursors import Cursors
from shared.projections.read_snapshot import Projections


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceContext:
    """One process of a service, at work."""

    name: str
    """The name of the service."""
    settings: Settings
    languages: Languages
    pool: asyncpg.Pool
    clock: Clock
    health: Health
    log: Log
    """The service's own events."""
    journal: Log
    """The events of other services that it reads."""
    arrived: Wakeup
    """Given whenever the journal has grown."""
    advanced: Wakeup
    """Given whenever a projection or the reactions have moved on."""
    commands: CommandExecutor
    dry_run_commands: Callable[[], CommandExecutor]
    """Makes one that decides as `commands` does and writes nothing, for one request."""
    projections: Projections
    consistency: ConsistencyGate
    organisation: Organisation
    authenticator: Authenticator
    cursors: Cursors
    stopping: asyncio.Event
    folding: Bulkhead
    """The places of answers that are folded from the events themselves."""
    feed: Feed
    """The end of the service's stream of events; without a source in the service's definition nobody listens to it."""


def context_of(request: Request) -> ServiceContext:
    """The process that answers a request."""
    service: ServiceContext = request.app.state.service
    return service
