"""A migrated database of its own for each test, and a belfry whose log is followed."""

from collections.abc import AsyncIterator

import pytest

from shared.testing.servers import DatabaseServer
from tests.shared.deliveries.belfry import Belfry, start_belfry


@pytest.fixture
async def belfry(postgres: DatabaseServer) -> AsyncIterator[Belfry]:
    """One process on a database of its own."""
    url = await postgres.create_database("followed", await postgres.migrated())
    started = await start_belfry(url)
    yield started
    await started.close()
    await postgres.drop_database(url)
