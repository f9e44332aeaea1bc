"""The command line while PostgreSQL or Kafka is away: one sentence and what to do, never a traceback."""

import asyncio
import json
import os
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError

from deploy.cli.outages import outage
from deploy.local.fault import LocalError
from deploy.local.stack import throughline
from deploy.services import SERVICES
from shared.directory.organisation import organisation
from shared.domain.context import Company
from shared.eventstore.pool import create_pool
from shared.projections.builds import prepare
from shared.testing.servers import DatabaseServer
from tests.shared.http.waiting import until

END_ALL = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1"
VERBS = (
    ("parked", "list"),
    ("parked", "redrive"),
    ("deliveries", "list"),
    ("deliveries", "redrive"),
    ("rebuild", "deals"),
    ("verify",),
    ("republish",),
    ("migrate",),
    ("token", "--role", "rep", "--team", "North"),
)


def closed_port() -> int:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return int(holder.getsockname()[1])


def settings(url: str, home: Path) -> dict[str, str]:
    given = {f"DATABASE_URL_{name.upper()}": url for name in SERVICES}
    away = {"KAFKA_BOOTSTRAP": f"127.0.0.1:{closed_port()}", "CLAIM_SECRET": "c" * 32}
    return {**os.environ, **given, **away, "THROUGHLINE_HOME": str(home)}


def run(*words: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(throughline(*words), env=environment, capture_output=True, text=True, timeout=90, check=False)


def two_lines(spoken: "subprocess.CompletedProcess[str]", sentence: str) -> None:
    assert spoken.returncode == 1, spoken
    assert "Traceback" not in spoken.stderr, spoken.stderr
    assert sentence in spoken.stderr.splitlines()[-2], spoken.stderr


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
@pytest.mark.usefixtures("processes")
def test_a_verb_without_postgresql(words: tuple[str, ...], tmp_path: Path) -> None:
    environment = settings(f"postgresql://u:p@127.0.0.1:{closed_port()}/x", tmp_path / "home")
    two_lines(run(*words, environment=environment), "PostgreSQL cannot be reached")


@pytest.mark.usefixtures("processes")
def test_an_import_without_postgresql_says_how_far_it_came(tmp_path: Path) -> None:
    file = tmp_path / "facts.jsonl"
    file.write_text(json.dumps({"kind": "nothing"}) + "\n")
    environment = settings(f"postgresql://u:p@127.0.0.1:{closed_port()}/x", tmp_path / "home")
    spoken = run("import", str(file), environment=environment)
    two_lines(spoken, "PostgreSQL cannot be reached")
    assert "0 facts were read until then, 0 recorded." in spoken.stderr
    assert "Run the import again" in spoken.stderr
    run_id = spoken.stderr.partition("This is the run ")[2].partition(";")[0]
    assert UUID(run_id).version == 7, "whoever is cut off knows what to take back"
    assert "This is the run" not in run("import", str(file), "--check", environment=environment).stderr


@pytest.fixture
async def database(postgres: DatabaseServer) -> AsyncIterator[str]:
    url = await postgres.create_database("outages", await postgres.migrated())
    yield url
    await postgres.drop_database(url)


async def wanted(pool: asyncpg.Pool) -> bool:
    """Whether a rebuild is asked for."""
    return bool(await pool.fetchval("select count(*) from view_build where state = 'requested'"))


async def test_a_rebuild_under_which_postgresql_goes_away(database: str, tmp_path: Path) -> None:
    async with await create_pool(database, name="test", size=1) as pool:
        await prepare(pool, organisation("log"), Company())
        process = await asyncio.create_subprocess_exec(
            *throughline("rebuild", "organisation"), env=settings(database, tmp_path / "home"), stderr=subprocess.PIPE
        )
        await until(lambda: wanted(pool), 60)
    name = urlsplit(database).path.removeprefix("/")
    async with await create_pool(urlsplit(database)._replace(path="/postgres").geturl(), name="test", size=1) as pool:
        await pool.execute(f'alter database "{name}" allow_connections false')
        await pool.execute(END_ALL, name)
        _, said = await asyncio.wait_for(process.communicate(), 60)
        await pool.execute(f'alter database "{name}" allow_connections true')
    assert process.returncode == 1
    assert b"Traceback" not in said, said.decode()
    assert said.decode().splitlines()[-2].startswith("PostgreSQL cannot be reached")


def test_of_several_errors_one_that_is_no_outage_is_not_hidden() -> None:
    away, broker, ours = asyncpg.AdminShutdownError("x"), KafkaConnectionError(), KeyError("x")
    told = outage(ExceptionGroup("tasks", [away, ExceptionGroup("more", [ConnectionResetError()])]))
    assert told is not None
    assert told.sentence == "PostgreSQL cannot be reached (AdminShutdownError)."
    told = outage(ExceptionGroup("tasks", [broker]))
    assert told is not None
    assert told.sentence.startswith("Kafka does not answer")
    assert outage(ExceptionGroup("tasks", [away, ours])) is None
    assert outage(FileNotFoundError(2, "no such file", "facts.jsonl")) is None
    told = outage(PermissionError(13, "Permission denied", "/home/logs/deals.log"))
    assert told is not None
    assert told.sentence == "/home/logs/deals.log cannot be used: Permission denied."
    said = LocalError("It is so.", "Do that.")
    assert outage(ExceptionGroup("tasks", [away, said])) is said
