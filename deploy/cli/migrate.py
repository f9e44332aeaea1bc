"""`throughline migrate`: bring the databases up to this release."""

import asyncio

import asyncpg

from deploy.cli.output import Json, show


def run(json: Json = False) -> None:
    """Bring the database of every service up to this release. Repeatable; any number may run at once."""
    applied = asyncio.run(migrate_all())
    lines = [f"{service}: {', '.join(names) or 'nothing to do'}" for service, names in applied.items()]
    show(applied, "\n".join(lines), json)


async def migrate_all() -> dict[str, list[str]]:
    """Names of the applied migrations by service. Raises LocalError."""
    from deploy.local import postgres
    from deploy.local.fault import LocalError
    from deploy.local.stack import Stack, home_path
    from deploy.services import SERVICES
    from shared.eventstore.migrate import MigrationError, migrate

    stack = Stack.at(home_path(), choose_ports=False)
    local = tuple(name for name in SERVICES if stack.database_url(name) == postgres.service_url(stack.postgres, name))
    applied = {}
    try:
        if local:
            await postgres.provision(stack.postgres, local)
        for service in SERVICES:
            applied[service] = await migrate(stack.database_url(service))
    except MigrationError as error:
        raise LocalError(
            f"{service}: {error}", "docs/how-to/operate.md, Rolling update, says which releases fit."
        ) from error
    except (OSError, asyncpg.CannotConnectNowError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise LocalError(
            f"PostgreSQL cannot be reached ({type(error).__name__}).",
            "Start it with `throughline up`, or check the settings DATABASE_URL_….",
        ) from error
    return applied
