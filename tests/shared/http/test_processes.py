"""Processes of a service: several on one port, and those that do a part of what a service does."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from shared.http.probes import PROBES
from shared.ops.settings import environment_name
from shared.testing.servers import DatabaseServer
from tests.shared.http.conftest import Errands
from tests.shared.http.waiting import until

CHECKOUT = Path(__file__).parents[3]
PROGRAM = (
    "import sys; from shared.ops.settings import Settings; from shared.service.server import run;"
    "from tests.shared.http.sample import SERVICE;"
    "sys.exit(run(SERVICE, Settings.from_environment('errands'), {only!r}, {count}))"
)
PATIENCE_SECONDS = 60
BREAD = {"name": "bread", "price": {"amount": "3.20", "currency": "EUR"}}


@dataclass(frozen=True, slots=True)
class Served:
    """Processes at work, and where they answer."""

    process: asyncio.subprocess.Process
    port: int
    health: list[int]

    async def get(self, path: str, port: int | None = None) -> httpx.Response | None:
        """An answer on a connection of its own; None when nobody listens."""
        async with httpx.AsyncClient(timeout=10) as client:
            try:
                return await client.get(f"http://127.0.0.1:{port or self.port}{path}")
            except httpx.TransportError:
                return None

    async def ready(self, port: int) -> bool:
        answer = await self.get("/health/ready", port)
        return answer is not None and answer.status_code == 200


def free_ports(count: int) -> int:
    """The first of some neighbouring ports that are free."""
    while True:
        with contextlib.ExitStack() as held:
            first = held.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                for further in range(1, count):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port + further))
            except (OSError, OverflowError):
                continue
            return port


@asynccontextmanager
async def served(
    errands: Errands, url: str, *, only: str | None = None, count: int = 1, taken: int | None = None
) -> AsyncIterator[Served]:
    """Processes of a service; `taken` is the number of one whose health port somebody else has."""
    settings = errands.settings
    given = {
        environment_name(name, "errands"): str(int(value) if isinstance(value, bool) else value)
        for name in ("claim_secret", "oidc_issuer", "oidc_jwks_url", "kafka_bootstrap", "development")
        if (value := getattr(settings, name)) is not None
    }
    port = free_ports(1 + count)
    ports = {"SERVICE_PORT": str(port), "HEALTH_PORT": str(port + 1), environment_name("database_url", "errands"): url}
    other = socket.socket()
    if taken is not None:
        other.bind(("127.0.0.1", port + 1 + taken))
        other.listen()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", PROGRAM.format(only=only, count=count)),
        cwd=CHECKOUT,
        env={**os.environ, **given, **ports},
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield Served(process, port, [port + 1 + number for number in range(count)])
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        other.close()
        await process.wait()


@pytest.fixture
async def database(postgres: DatabaseServer) -> AsyncIterator[str]:
    url = await postgres.create_database("errands_processes", await postgres.migrated())
    yield url
    await postgres.drop_database(url)


async def counted(at: Served, headers: Mapping[str, str]) -> int:
    """How many errands there are, on a connection of its own; on a busy machine two seconds may not be enough for a
    token to arrive."""
    async with asyncio.timeout(PATIENCE_SECONDS), httpx.AsyncClient(headers=headers, timeout=30) as client:
        while True:
            answer = await client.get(f"http://127.0.0.1:{at.port}/v1/errand-count")
            if answer.status_code != 503:
                return int(answer.raise_for_status().json()["count"])


async def children_of(at: Served) -> list[int]:
    """The processes below the parent, by age."""
    listed = await asyncio.create_subprocess_exec("pgrep", "-P", str(at.process.pid), stdout=asyncio.subprocess.PIPE)
    return sorted(int(pid) for pid in (await listed.communicate())[0].split())


async def every(of: list[int], holds: Callable[[int], Awaitable[bool]]) -> bool:
    return all(await asyncio.gather(*map(holds, of)))


async def test_several_processes_answer_on_one_port_and_one_that_dies_is_replaced(
    errands: Errands, database: str
) -> None:
    async with served(errands, database, count=3) as at:
        await until(lambda: every(at.health, at.ready), PATIENCE_SECONDS)
        workers = {port: (await at.get("/health/workers", port)) for port in at.health}
        names = [{report["name"] for report in json.loads(told.text)} for told in workers.values() if told]
        assert "relay" in names[0]
        assert "relay" not in names[1] | names[2], "the others only answer requests"

        children = await children_of(at)
        assert len(children) == 3
        os.kill(children[-1], signal.SIGKILL)

        async def replaced() -> bool:
            now = await children_of(at)
            return len(now) == 3 and children[-1] not in now and await every(at.health, at.ready)

        headers = errands.client().headers
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{at.port}", headers=headers, timeout=30) as client:
            for number in range(20):
                made = await client.post("/v1/errands", json=BREAD, headers={"Idempotency-Key": f"k{number}"})
                assert made.status_code == 201, made.text
                assert (
                    await counted(at, {**headers, "Consistency-Token": made.headers["consistency-token"]}) == number + 1
                )
            await until(replaced, PATIENCE_SECONDS)
        at.process.terminate()
        assert await asyncio.wait_for(at.process.wait(), PATIENCE_SECONDS) == 0
        assert await at.get("/health/live") is None


async def test_children_end_when_their_parent_is_killed(errands: Errands, database: str) -> None:
    async with served(errands, database, count=2) as at:
        await until(lambda: every(at.health, at.ready), PATIENCE_SECONDS)
        at.process.kill()
        await at.process.wait()

        async def gone() -> bool:
            return [await at.get("/health/live", port) for port in at.health] == [None, None]

        await until(gone, PATIENCE_SECONDS)


async def test_processes_that_cannot_start_end_with_an_error(errands: Errands, postgres: DatabaseServer) -> None:
    empty = await postgres.create_database("errands_empty")
    async with served(errands, empty, count=2) as at:
        assert await asyncio.wait_for(at.process.wait(), PATIENCE_SECONDS) == 3
    await postgres.drop_database(empty)


async def test_a_process_that_cannot_start_again_takes_no_other_with_it(errands: Errands, database: str) -> None:
    """The database is of another release for a while: whoever is at work goes on."""
    connection = await asyncpg.connect(database)
    async with served(errands, database, count=2) as at:
        await until(lambda: every(at.health, at.ready), PATIENCE_SECONDS)
        await connection.execute("alter table claim_secret rename to elsewhere")
        first, second = await children_of(at)
        seen = {first, second}
        os.kill(second, signal.SIGKILL)

        async def failed_and_tried_again() -> bool:
            seen.update(await children_of(at))
            return len(seen) >= 4

        await until(failed_and_tried_again, PATIENCE_SECONDS)
        await connection.execute("alter table elsewhere rename to claim_secret")
        await until(lambda: every(at.health, at.ready), PATIENCE_SECONDS)
        assert first in await children_of(at)
    await connection.close()


async def test_a_health_port_that_is_taken_is_an_error_at_once(errands: Errands, database: str) -> None:
    async with served(errands, database, count=2, taken=1) as at:
        assert await asyncio.wait_for(at.process.wait(), PATIENCE_SECONDS) == 1


async def test_a_health_port_answers_probes_and_nothing_else(errands: Errands, database: str) -> None:
    async with served(errands, database) as at:
        await until(lambda: every(at.health, at.ready), PATIENCE_SECONDS)
        (health,) = at.health
        asked = [await at.get(path, health) for path in (*PROBES, "/v1/errands", "/openapi.json")]
        assert [answer and answer.status_code for answer in asked[len(PROBES) :]] == [404, 404]
        assert 404 not in [answer and answer.status_code for answer in asked[: len(PROBES)]]


async def test_a_process_of_one_part_does_that_part(errands: Errands, database: str) -> None:
    async with served(errands, database, only="web") as web, served(errands, database, only="workers") as workers:
        await until(lambda: every([*web.health, *workers.health], web.ready), PATIENCE_SECONDS)
        headers = errands.client().headers
        async with httpx.AsyncClient(headers=headers, timeout=30) as client:
            refused = await client.post(f"http://127.0.0.1:{workers.port}/v1/errands", json=BREAD)
            assert refused.status_code == 404
            made = await client.post(
                f"http://127.0.0.1:{web.port}/v1/errands", json=BREAD, headers={"Idempotency-Key": "k"}
            )
            assert made.status_code == 201, made.text
            seen = {**headers, "Consistency-Token": made.headers["consistency-token"]}
            assert await counted(web, seen) == 1, "the other process has folded it"
        told = [json.loads((await at.get("/health/workers")).text) for at in (web, workers)]  # type: ignore[union-attr]
        doing, following = ({report["name"] for report in reports} for reports in told)
        assert doing == {"clock", "signals", "feed"}
        assert {"relay", "projections-log", "timers"} <= following
        assert "feed" not in following
