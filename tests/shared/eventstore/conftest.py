"""A migrated database of its own for each test, and the write path over it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest

from shared.commands.executor import CommandExecutor
from shared.domain.context import Company
from shared.eventstore.group_commit import GroupCommit
from shared.eventstore.log import Log
from shared.eventstore.pool import create_pool
from shared.eventstore.streams import StreamCache
from shared.ops.clock import Clock
from shared.testing.servers import DatabaseServer
from tests.shared.eventstore.tickets import CODEC, PROVIDES, counter, ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What one process of a service has."""

    pool: asyncpg.Pool
    appender: GroupCommit
    commands: CommandExecutor
    log: Log
    clock: Clock

    async def close(self) -> None:
        await self.appender.close()
        await self.commands.close()
        await self.pool.close()


async def start_process(url: str) -> Process:
    """A process on a migrated database."""
    pool = await create_pool(url, name="tickets")
    appender, clock = GroupCommit(pool), Clock()
    commands = CommandExecutor(
        aggregates=(ticket, counter),
        provides=PROVIDES,
        pool=pool,
        appender=appender,
        streams=StreamCache(pool, CODEC),
        codec=CODEC,
        clock=clock,
        company=Company(),
        claim_secret=b"only for these tests",
    )
    return Process(
        pool=pool, appender=appender, commands=commands, log=Log(pool, CODEC, service="tickets"), clock=clock
    )


@pytest.fixture
async def database(postgres: DatabaseServer) -> AsyncIterator[str]:
    """The URL of a migrated database of the test's own."""
    url = await postgres.create_database("store", await postgres.migrated())
    yield url
    await postgres.drop_database(url)


@pytest.fixture
async def process(database: str) -> AsyncIterator[Process]:
    """One process on the database."""
    started = await start_process(database)
    yield started
    await started.close()


@pytest.fixture
async def other(database: str) -> AsyncIterator[Process]:
    """Another process on the same database."""
    started = await start_process(database)
    yield started
    await started.close()
