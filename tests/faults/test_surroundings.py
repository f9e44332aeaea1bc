"""The surroundings of a stack fail under traffic: the network to PostgreSQL stalls, a database is put back."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.local.stack import url_setting
from deploy.services import SERVICES
from shared.testing.servers import DatabaseServer
from tests.conftest import whole_stack
from tests.faults.stalling import Network, network
from tests.faults.traffic import command_line, nothing_lost_nothing_doubled, selling
from tests.whole_stack import WholeStack

pytestmark = [pytest.mark.slow, pytest.mark.campaign]

STALLS = int(os.environ.get("FAULT_STALLS", "20"))
MAX_STALL_SECONDS = 12.0
"""Four times what a lease lasts."""
SEED = 20261128
SALES = 30
"""Commands that are acknowledged between two faults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stack, and what lies between it and its databases."""

    stack: WholeStack
    server: DatabaseServer
    ways: Mapping[str, Network]
    """The network to each service's database."""

    def database(self, service: str) -> str:
        return urlsplit(self.ways[service].url).path.removeprefix("/")


@pytest.fixture
async def place(postgres: DatabaseServer) -> AsyncIterator[Place]:
    async with AsyncExitStack() as opened:
        ways: dict[str, Network] = {}
        for service in SERVICES:
            url = await postgres.create_database(service)
            opened.push_async_callback(postgres.drop_database, url)
            ways[service] = await opened.enter_async_context(network(url))
        settings = {url_setting(service): way.url for service, way in ways.items()}
        # In a thread: the networks live in this loop, and a stack blocks until it runs.
        started = ExitStack()
        opened.push_async_callback(asyncio.to_thread, started.close)
        stack = await asyncio.to_thread(started.enter_context, whole_stack("surrounded", settings))
        yield Place(stack=stack, server=postgres, ways=ways)


async def test_a_network_that_stalls_loses_nothing_and_doubles_nothing(place: Place) -> None:
    """Long enough for leases to end while their holders believe in them."""
    chance = random.Random(SEED)
    async with selling(place.stack) as traffic:
        for _ in range(STALLS):
            way = place.ways[chance.choice(SERVICES)]
            way.stall()
            await asyncio.sleep(chance.uniform(1, MAX_STALL_SECONDS))
            way.flow()
            await traffic.moves()
    assert traffic.tries > len(traffic.done), "no command met a network that stalled"
    await nothing_lost_nothing_doubled(place.stack, traffic.done)


async def test_a_database_put_back_under_running_services_goes_on_from_there(place: Place) -> None:
    """What was acknowledged before the back-up and after the restore is there once; the topics are made anew."""
    async with selling(place.stack) as before:
        await before.reaches(SALES)
    backup = await copied(place, place.database("deals"), "backup")
    async with selling(place.stack) as lost:
        await lost.reaches(SALES)
    await replaced(place, "deals", backup)
    told = await asyncio.to_thread(command_line, place.stack, "republish", "--recreate")
    assert told.returncode == 0, told.stdout + told.stderr
    async with selling(place.stack) as after:
        await after.reaches(SALES)
    kept = [one for one in lost.done if one.service != "deals"]
    await nothing_lost_nothing_doubled(place.stack, [*before.done, *kept, *after.done])


async def copied(place: Place, database: str, name: str) -> str:
    """A copy of a database that services use; they are kept out of it meanwhile. Gives the copy's name."""
    connection = await asyncpg.connect(place.server.url)
    try:
        await connection.execute(f'alter database "{database}" allow_connections false')
        await connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1", database
        )
        url = await place.server.create_database(name, database)
        await connection.execute(f'alter database "{database}" allow_connections true')
    finally:
        await connection.close()
    return urlsplit(url).path.removeprefix("/")


async def replaced(place: Place, service: str, backup: str) -> None:
    """Put an older state in the place of a service's database, while the service runs."""
    database = place.database(service)
    await place.server.drop_database(place.server.url_of(database))
    connection = await asyncpg.connect(place.server.url)
    try:
        await connection.execute(f'alter database "{backup}" rename to "{database}"')
    finally:
        await connection.close()
