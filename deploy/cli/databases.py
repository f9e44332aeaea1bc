"""The databases of the services, for commands that look into them."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg

from deploy.local.fault import LocalError
from deploy.local.stack import Stack, home_path
from deploy.services import SERVICES
from shared.eventstore.pool import create_pool
from shared.ops.settings import Settings


def this_stack() -> Stack:
    """The stack of this checkout, on the ports that it was last given. Raises LocalError."""
    return Stack.at(home_path(), choose_ports=False)


def settings_of(stack: Stack, service: str) -> Settings:
    """The settings that a service of the stack has."""
    return Settings.from_environment(service, {**os.environ, **stack.settings(), **stack.database_settings()})


@asynccontextmanager
async def databases(
    stack: Stack, services: Sequence[str] = SERVICES, *, statement_seconds: float = 10
) -> AsyncIterator[dict[str, asyncpg.Pool]]:
    """A small pool for each service. Raises LocalError when PostgreSQL does not answer."""
    async with AsyncExitStack() as opened:
        pools: dict[str, asyncpg.Pool] = {}
        try:
            for service in services:
                url = stack.database_url(service)
                pool = await create_pool(url, name="operator", size=4, statement_seconds=statement_seconds)
                pools[service] = await opened.enter_async_context(pool)
            yield pools
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.InvalidAuthorizationSpecificationError) as error:
            raise LocalError(
                f"PostgreSQL cannot be reached ({type(error).__name__}).",
                "Start it with `throughline up`, or check the settings DATABASE_URL_….",
            ) from error
        except (asyncpg.UndefinedTableError, asyncpg.InvalidCatalogNameError) as error:
            raise LocalError("The databases are not made for this release.", "Run `throughline migrate`.") from error
