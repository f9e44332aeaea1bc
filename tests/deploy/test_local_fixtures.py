"""The servers that the tests run on are real, and each test can have a database of its own."""

import os
import subprocess
import sys

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from shared.testing.servers import DatabaseServer


async def test_two_databases_of_one_name_are_two_databases(postgres: DatabaseServer) -> None:
    first, second = await postgres.create_database("same"), await postgres.create_database("same")
    connection = await asyncpg.connect(first)
    await connection.execute("create table only_here (id int)")
    await connection.close()

    connection = await asyncpg.connect(second)
    assert await connection.fetchval("select to_regclass('only_here')") is None
    await connection.close()


async def test_a_template_is_filled_once_and_cloned(postgres: DatabaseServer) -> None:
    filled = []

    async def fill(url: str) -> None:
        filled.append(url)
        connection = await asyncpg.connect(url)
        await connection.execute("create table figure as select 42 as value")
        await connection.close()

    for _ in range(2):
        url = await postgres.create_database("clone", template=await postgres.template("figure", fill))
        connection = await asyncpg.connect(url)
        assert await connection.fetchval("select value from figure") == 42
        await connection.close()
        await postgres.drop_database(url)
    assert len(filled) == 1


async def test_the_broker_creates_no_topic_by_itself(kafka: str) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    try:
        assert "never-provisioned" not in await client.list_topics()
        described = await client.describe_topics(["never-provisioned"])
        assert described[0]["error_code"] == 3
        assert "never-provisioned" not in await client.list_topics()
    finally:
        await client.close()


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ("testcontainers", "TEST_SERVERS=testcontainers needs Docker, and none answers"),
        ("cloud", "TEST_SERVERS is 'cloud'; it may be 'local' or 'testcontainers'."),
    ],
)
def test_servers_that_cannot_be_had_are_said_once_and_plainly(chosen: str, sentence: str) -> None:
    environment = {**os.environ, "TEST_SERVERS": chosen, "DOCKER_HOST": "unix:///nowhere.sock"}
    told = subprocess.run(
        (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__),
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == pytest.ExitCode.USAGE_ERROR
    assert told.stderr.startswith(f"ERROR: {sentence}")
    assert "Traceback" not in told.stderr
