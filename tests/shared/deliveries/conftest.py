"""A migrated database of its own for each test, and a belfry at work on it."""

from collections.abc import AsyncIterator

import pytest

from shared.testing.servers import DatabaseServer
from tests.shared.deliveries.belfry import Belfry, start_belfry


@pytest.fixture
async def database(postgres: DatabaseServer) -> AsyncIterator[str]:
    """The URL of a migrated database of the test's own."""
    url = await postgres.create_database("belfry", await postgres.migrated())
    yield url
    await postgres.drop_database(url)


@pytest.fixture
async def belfry(database: str) -> AsyncIterator[Belfry]:
    """One process on the database."""
    started = await start_belfry(database)
    yield started
    await started.close()


@pytest.fixture
async def other(database: str) -> AsyncIterator[Belfry]:
    """Another process on the same database."""
    started = await start_belfry(database)
    yield started
    await started.close()
