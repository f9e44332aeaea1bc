"""Readers of a read model that is locked or slow take no more than their part: everybody else is answered (OPS-2)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
import httpx
import pytest

from deploy.local.identity import Issuer
from services.deals.app import SERVICE
from shared.domain.roles import Role
from shared.ops.ids import new_id
from shared.testing.servers import DatabaseServer
from shared.testing.transactions import long_transaction
from tests.services.conftest import at_work
from tests.shared.http.conftest import Errands, issuer
from tests.shared.http.waiting import until

__all__ = ["issuer"]

ASKERS = 24
CROWD = 300
PAUSE_SECONDS = 0.1
ROUNDS = 10
PART = 3
"""So many connections one question takes."""
PATIENCE_SECONDS = 30
STANDING = """
    select count(*) from pg_stat_activity
     where datname = current_database() and application_name ~ 'deals'
       and (wait_event_type = 'Lock' or wait_event = 'PgSleep')
"""
WAKE = """
    select pg_cancel_backend(pid) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'
"""
OF_KAFKA = {"relay", "journal"}
"""What is not well here, for there is no broker."""


@pytest.fixture(scope="module")
async def served(postgres: DatabaseServer, issuer: Issuer) -> AsyncIterator[Errands]:
    """Deals at work on an empty database. The broker is away."""
    async with at_work(SERVICE, postgres, issuer, "127.0.0.1:9") as served:
        yield served


@asynccontextmanager
async def in_place_of(served: Errands, table: str) -> AsyncIterator[tuple[asyncpg.Connection, str]]:
    """A connection, and where a table of a read model stands (`targets.target`)."""
    projection, _, name = table.partition(".")
    build = "select max(build) from view_build where view = $1 and state = 'serving'"
    connection = await asyncpg.connect(served.settings.database_url)
    try:
        yield connection, f"{projection}_{await connection.fetchval(build, projection)}.{name}"
    finally:
        await connection.close()


@asynccontextmanager
async def locked(served: Errands, table: str) -> AsyncIterator[None]:
    async with in_place_of(served, table) as (connection, place), long_transaction(connection):
        await connection.execute(f"lock table {place} in access exclusive mode")
        yield


@asynccontextmanager
async def slow(served: Errands, table: str) -> AsyncIterator[None]:
    """Whoever reads it sleeps until the server ends the statement."""
    async with in_place_of(served, table) as (connection, place):
        schema, _, name = place.partition(".")
        asleep = f"select kept.* from {schema}.kept right join pg_sleep(60) on true"
        await connection.execute(f"alter table {place} rename to kept; create view {place} as {asleep}")
        try:
            yield
        finally:
            await connection.execute(WAKE)
            await connection.execute(f"drop view {place}; alter table {schema}.kept rename to {name}")


@asynccontextmanager
async def besieged(ask: Callable[[], Awaitable[httpx.Response]]) -> AsyncIterator[list[httpx.Response]]:
    """So many ask again and again, soon after they are answered; gives the answers."""
    answers: list[httpx.Response] = []

    async def go_on() -> None:
        while True:
            answers.append(await ask())
            await asyncio.sleep(PAUSE_SECONDS)

    tasks = [asyncio.create_task(go_on()) for _ in range(ASKERS)]
    try:
        yield answers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def standing(served: Errands) -> int:
    """How many connections of the service wait in a table."""
    return int(await served.running.pool.fetchval(STANDING))


async def everybody_else_is_answered(served: Errands, ask: Callable[[], Awaitable[httpx.Response]]) -> None:
    """While many ask for what is not answered: another list, a command and the probes are, and they are told so."""
    desk = served.client()
    refused: list[httpx.Response] = []
    stood: list[int] = []
    async with besieged(ask) as answers, asyncio.timeout(PATIENCE_SECONDS):
        await until(lambda: len(answers) >= ASKERS, PATIENCE_SECONDS)
        for _ in range(ROUNDS):
            assert (await desk.get("/v1/products?limit=1")).status_code == 200
            made = await desk.post("/v1/deals", json={"name": "Presses"}, headers={"Idempotency-Key": str(new_id())})
            assert made.status_code == 201, made.text
            told = {report["name"]: report for report in (await desk.get("/health/workers")).json()}
            assert [name for name, report in told.items() if not report["ok"] and name not in OF_KAFKA] == []
            assert (await desk.get("/health/ready")).status_code == 200
            stood.append(await standing(served))
        refused += answers
    assert max(stood) <= PART
    assert any(stood), "for a moment all have given up, and ask anew; not in each round"
    assert {answer.status_code for answer in refused} == {503}
    assert {answer.json()["code"] for answer in refused} == {"unavailable"}
    assert all(answer.headers["Retry-After"] == "1" for answer in refused)


@pytest.mark.parametrize("held_up", [locked, slow])
async def test_who_reads_something_else_does_not_notice(
    served: Errands, held_up: Callable[[Errands, str], AbstractAsyncContextManager[None]]
) -> None:
    """OPS-2: a list that many ask for, and nobody gets."""
    director = served.client(Role.SALES_DIRECTOR, "dora")
    async with held_up(served, "targets.target"):
        await everybody_else_is_answered(served, lambda: director.get("/v1/targets?limit=1"))
    await until(lambda: answered(director, "/v1/targets"), PATIENCE_SECONDS)
    metrics = (await director.get("/metrics")).text
    assert 'throughline_reads_refused_total{reads="organisation,targets"}' in metrics
    assert 'throughline_reads_waiting{reads="organisation,targets"} 0.0' in metrics


async def test_commands_that_look_something_else_up_do_not_notice(served: Errands) -> None:
    """OPS-2: so many commands name an account, and nobody can say whether it is there."""
    desk = served.client()
    named = {"name": "Servers", "account_id": str(new_id())}
    async with locked(served, "known_accounts.account"):

        async def ask() -> httpx.Response:
            return await desk.post("/v1/deals", json=named, headers={"Idempotency-Key": str(new_id())})

        await everybody_else_is_answered(served, ask)
    assert (await ask()).json()["errors"][0]["code"] == "unknown-account"


async def test_a_crowd_that_asks_for_what_works_is_answered(served: Errands) -> None:
    """However many wait, and however few places there are: as long as one after the other is answered."""
    desk = served.client()
    answers = await asyncio.gather(*(desk.get("/v1/products?limit=1") for _ in range(CROWD)))
    assert {answer.status_code for answer in answers} == {200}


async def answered(client: httpx.AsyncClient, path: str) -> bool:
    return (await client.get(path)).status_code == 200
