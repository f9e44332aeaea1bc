"""The servers that the tests run on are real, and each test can have a database of its own."""

import asyncio
import os
import subprocess
import sys
import uuid

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from shared.eventstore.migrate import migrate, migrations
from shared.testing.servers import DatabaseServer


async def test_two_databases_of_one_name_are_two_databases(postgres: DatabaseServer) -> None:
    first, second = await postgres.create_database("same"), await postgres.create_database("same")
    connection = await asyncpg.connect(first)
    await connection.execute("create table only_here (id int)")
    await connection.close()

    connection = await asyncpg.connect(second)
    assert await connection.fetchval("select to_regclass('only_here')") is None
    await connection.close()


async def test_a_template_is_filled_once_and_cloned_by_all_who_start_at_once(postgres: DatabaseServer) -> None:
    """Each process of the tests has a `DatabaseServer` of its own, and all of them one server."""
    filled, name = [], unique("figure")

    async def fill(url: str) -> None:
        filled.append(url)
        await run(url, "create table figure as select 42 as value")

    async def clone(server: DatabaseServer) -> object:
        url = await server.create_database("clone", await server.template(name, fill))
        value = await run(url, "select value from figure")
        await server.drop_database(url)
        return value

    assert await asyncio.gather(*(clone(DatabaseServer(postgres.url)) for _ in range(8))) == [42] * 8
    assert len(filled) == 1


async def test_a_template_that_could_not_be_filled_is_none(postgres: DatabaseServer) -> None:
    name = unique("broken")

    async def fail(url: str) -> None:
        await run(url, "create table half (id int)")
        await run(url, "this is no statement")

    with pytest.raises(asyncpg.PostgresSyntaxError):
        await postgres.template(name, fail)
    url = await postgres.create_database("clone", await postgres.template(name, nothing))
    assert await run(url, "select to_regclass('half')") is None
    await postgres.drop_database(url)


async def test_the_template_of_this_release_has_its_schema(postgres: DatabaseServer) -> None:
    url = await postgres.create_database("clone", await postgres.migrated())
    assert await run(url, "select count(*) from schema_migration") == len(migrations())
    assert await migrate(url) == []
    await postgres.drop_database(url)


def unique(name: str) -> str:
    return f"{name}_{uuid.uuid4().hex[:12]}"


async def nothing(url: str) -> None:
    """Fill a template with nothing."""


async def run(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


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
@pytest.mark.usefixtures("processes")
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
