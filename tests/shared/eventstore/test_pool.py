"""Which failures say that the database is away, and who reads them how; what a pooled connection leaves behind."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from decimal import Decimal

import asyncpg
import pytest
from asyncpg.exceptions import _base as client

from shared.eventstore.pool import DATABASE_AWAY, DATABASE_ERRORS, create_pool
from shared.following.dead_letters import is_environment
from shared.http.failures import PROBLEM_OF
from shared.kafka.outage import TRANSIENT_ERRORS
from shared.testing.servers import DatabaseServer

AWAY = [
    ConnectionRefusedError(),
    OSError("Multiple exceptions"),
    TimeoutError(),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.InternalClientError("got result for unknown protocol state 3"),
    asyncpg.ConnectionDoesNotExistError(),
    asyncpg.AdminShutdownError(),
    asyncpg.DiskFullError(),
    asyncpg.DeadlockDetectedError(),
    asyncpg.LockNotAvailableError(),
]
REFUSED = [asyncpg.UniqueViolationError(), asyncpg.UndefinedColumnError(), asyncpg.InvalidTextRepresentationError()]


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_a_database_that_is_away_is_waited_for_by_everybody(error: Exception) -> None:
    assert isinstance(error, DATABASE_AWAY)
    assert isinstance(error, DATABASE_ERRORS)
    assert isinstance(error, TRANSIENT_ERRORS)
    assert is_environment(error)
    assert any(kind in PROBLEM_OF for kind in type(error).__mro__)


@pytest.mark.parametrize("error", REFUSED, ids=lambda error: type(error).__name__)
def test_a_statement_that_the_database_refuses_is_a_fault_and_parks_its_event(error: Exception) -> None:
    assert isinstance(error, DATABASE_ERRORS)
    assert not is_environment(error)
    assert not any(kind in PROBLEM_OF for kind in type(error).__mro__)


def test_a_value_that_the_driver_refuses_parks_its_event() -> None:
    assert not is_environment(client.DataError("invalid input for query argument $1"))


SWEEPS = 30
"""The turn at which a statement is prepared and not executed yet differs, and is met in about one sweep of four."""


@pytest.fixture
async def url(postgres: DatabaseServer) -> AsyncIterator[str]:
    """The URL of a database with one table."""
    url = await postgres.create_database("pool")
    connection = await asyncpg.connect(url)
    await connection.execute("create table jar (number integer)")
    await connection.close()
    yield url
    await postgres.drop_database(url)


@pytest.fixture
async def pool(url: str) -> AsyncIterator[asyncpg.Pool]:
    async with await create_pool(url, name="jars", size=1) as pool:
        yield pool


@pytest.fixture
async def onlooker(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def locks(onlooker: asyncpg.Connection) -> int:
    """How many locks others hold on the table."""
    return int(await onlooker.fetchval("select count(*) from pg_locks where relation = 'jar'::regclass"))


async def test_a_value_that_the_driver_refuses_leaves_no_lock(pool: asyncpg.Pool, onlooker: asyncpg.Connection) -> None:
    """asyncpg 0.32 has prepared the statement by then, and would send its Sync with the execution."""
    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.DataError):
            await connection.execute("update jar set number = $1", "a text")
        assert await locks(onlooker) == 1, "the driver mends this by itself now"
    assert await locks(onlooker) == 0


async def test_a_caller_that_is_cancelled_leaves_no_lock(pool: asyncpg.Pool, onlooker: asyncpg.Connection) -> None:
    """At whichever turn of the event loop that is, with a statement that the connection has not met before."""
    for sweep in range(SWEEPS):
        for turns in itertools.count():
            asked = asyncio.create_task(
                pool.fetch(f"update jar set number = {sweep} where number = $1 + {turns}", turns)
            )
            for _ in range(turns):
                await asyncio.sleep(0)
            ended = asked.done()
            asked.cancel()
            await asyncio.wait([asked])
            async with pool.acquire():  # it has been given back
                pass
            assert await locks(onlooker) == 0, turns
            if ended:
                break


@pytest.mark.parametrize("digits", ["10000", "120000", "10000.00", "0.0001", "0", "999999999999999.99"])
async def test_a_number_is_read_with_the_digits_of_its_column(postgres: DatabaseServer, digits: str) -> None:
    """asyncpg 0.32.0 by itself reads 10000 as Decimal("1E+4"), which is how an amount in yen would be answered."""
    url = await postgres.create_database("numbers")
    async with await create_pool(url, name="numbers") as pool:
        assert str(await pool.fetchval(f"select {digits}::numeric")) == digits
        given = [Decimal(digits), None, Decimal("1E+4")]
        several = await pool.fetchval(
            "select array_agg(n order by place) from unnest($1::numeric[]) with ordinality u (n, place)", given
        )
        assert [None if each is None else str(each) for each in several] == [digits, None, "10000"]
    await postgres.drop_database(url)
