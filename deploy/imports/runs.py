"""Runs of imports: their turn beside undoing ones (an advisory lock), what they work with, and what came with which."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from deploy.services import definition_of
from shared.commands.executor import CommandExecutor
from shared.events.registry import SERVICES
from shared.eventstore.connecting import connect
from shared.ops.settings import Settings
from shared.service.runtime import commands_alone

TURN = 0x696D706F7274
"""The advisory lock of imports; the number is any that nobody else takes."""
RUNS = """
select distinct e.correlation_id from unnest($1::bigint[], $2::text[]) as asked (position, fact)
  join event e using (position, fact)
 where e.imported
"""

RecordedFact = tuple[int, str]
"""Where the last event stands that a fact led to, and the name of the fact."""


@asynccontextmanager
async def turn(settings: Mapping[str, Settings], *, alone: bool) -> AsyncIterator[None]:
    """Imports run beside each other, an undo runs `alone`."""
    async with connected(settings[SERVICES[0]]) as connection:
        await connection.execute("select pg_advisory_lock($1)" if alone else "select pg_advisory_lock_shared($1)", TURN)
        yield


@asynccontextmanager
async def desk(name: str, settings: Settings, dry_run: bool) -> AsyncIterator[CommandExecutor]:
    """The commands of a service, without its web side and its workers."""
    service = definition_of(name)
    async with commands_alone(service, settings, dry_run=dry_run) as commands:
        yield commands


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the database of a service."""
    connection = await connect(settings.database_url)
    try:
        yield connection
    finally:
        await connection.close()


async def runs_of(facts: Sequence[RecordedFact], log: asyncpg.Connection) -> set[UUID]:
    """With which runs facts came in, as a service's log tells it. What led to nothing came with none."""
    if not facts:
        return set()
    positions, names = zip(*facts, strict=True)
    return {row["correlation_id"] for row in await log.fetch(RUNS, positions, names)}
