"""A database, a topic and a publisher of each test's own, on real servers."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from shared.events.registry import topic_of
from shared.eventstore.pool import create_pool
from shared.kafka.partitioning import PARTITIONS
from shared.kafka.topics import provision
from shared.testing.servers import DatabaseServer
from tests.shared.kafka.stage import Publisher, new_aggregate


@pytest.fixture
async def database(postgres: DatabaseServer) -> AsyncIterator[str]:
    """The address of an empty database of a service."""
    url = await postgres.create_database("stream", await postgres.migrated())
    yield url
    await postgres.drop_database(url)


@pytest.fixture
async def pool(database: str) -> AsyncIterator["asyncpg.Pool[Any]"]:
    """Connections to it."""
    async with await create_pool(database, name="test") as pool:
        yield pool


@pytest.fixture
async def aggregate(kafka: str) -> str:
    """An aggregate type that has a topic and no records yet."""
    name = new_aggregate()
    await provision(kafka, [topic_of("deals", name)], partitions=PARTITIONS)
    return name


@pytest.fixture
async def publisher(kafka: str) -> AsyncIterator[Publisher]:
    """Publishes records of one's own making."""
    async with AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True) as producer:
        yield Publisher(producer)
