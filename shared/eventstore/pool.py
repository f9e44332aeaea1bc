"""Connection pool of one service's database, and what its failures mean."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import wraps
from typing import Any, TypeAlias, TypeVar, cast

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy

from shared.eventstore.connecting import connect

AnyConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
"""A connection, or one that a pool lends."""

Method = TypeVar("Method", bound=Callable[..., Awaitable[Any]])

LOCK_SECONDS = 5
IDLE_SECONDS = 5
"""A writer frozen inside a transaction would hold up everybody who reads the log in order."""


DATABASE_AWAY = (
    *(OSError, TimeoutError),
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what a connection raises that the server ended while it was idle
    *(asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.InsufficientResourcesError),
    *(asyncpg.PostgresSystemError, asyncpg.TransactionRollbackError, asyncpg.LockNotAvailableError),
)
"""What a database looks like that restarts, is full, locked or unreachable: the same statement may succeed later."""

BLOCKED = (asyncpg.LockNotAvailableError, asyncpg.TransactionRollbackError)
"""What one statement fails with because of others at the same rows or tables, while the database works."""

DATABASE_ERRORS = (*DATABASE_AWAY, asyncpg.PostgresError)
"""Everything that a statement may fail with."""


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database is away or busy, and nothing about what it was asked."""
    return isinstance(error, DATABASE_AWAY) and not isinstance(error, ValueError)


def unreachable(error: BaseException) -> str:
    """What health says of a database that fails. The kind of failure only: messages of drivers carry addresses."""
    away = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)
    answered = isinstance(error, asyncpg.PostgresError) and not isinstance(error, away)
    return f"{'the database fails' if answered else 'cannot reach the database'}: {type(error).__name__}"


def _remembered(method: Method) -> Method:
    """A method of a connection, which from now on remembers that it did not end well."""

    @wraps(method)
    async def call(session: "Session", *args: Any, **named: Any) -> Any:
        try:
            return await method(session, *args, **named)
        except BaseException:
            session.unfinished = True
            raise

    return cast("Method", call)


class Session(asyncpg.Connection):
    """A connection that knows its place in the order in which those of its process were opened.

    Every outage of a database (a crash, a fail-over, a restore) ends its sessions. So what was learnt through one
    session still holds in another only if that one was open already; the number tells, and no clock is trusted.

    It also knows whether a statement was given up that may be prepared and not executed. asyncpg (0.32) prepares with a
    Flush and sends the Sync with the execution. Where that never comes, because the caller was cancelled in between or
    an argument could not be encoded, the transaction of the statement stays open and keeps the locks of its tables; the
    server calls the session active, so the limit on idle transactions does not end it.
    """

    __slots__ = ("number", "unfinished")

    _numbers = itertools.count(1)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.number = next(self._numbers)
        self.unfinished = False

    execute = _remembered(asyncpg.Connection.execute)
    executemany = _remembered(asyncpg.Connection.executemany)
    fetch = _remembered(asyncpg.Connection.fetch)
    fetchrow = _remembered(asyncpg.Connection.fetchrow)
    fetchval = _remembered(asyncpg.Connection.fetchval)


def session_number(connection: Any) -> int:
    """The number of a pooled connection's session."""
    return int(connection.number)


async def create_pool(
    url: str, *, name: str, size: int = 12, statement_seconds: float = 10, lock_seconds: float = LOCK_SECONDS
) -> asyncpg.Pool:
    """A pool whose connections carry `name`. `json` columns are read as text, `jsonb` columns as Python objects,
    `numeric` ones as decimals that have the digits of the column and no exponent.

    Session state does not survive in it: only transaction-scoped settings and locks may be used.
    """
    pool: asyncpg.Pool = await asyncpg.create_pool(
        url,
        connect=cast("Any", connect),  # its declared type knows a connection whose records have a class
        min_size=min(2, size),
        max_size=size,
        max_inactive_connection_lifetime=0,
        command_timeout=statement_seconds + 5,
        init=_prepare,
        reset=_keep,
        connection_class=Session,
        server_settings={
            "application_name": f"throughline-{name}",
            "timezone": "UTC",
            "statement_timeout": str(int(statement_seconds * 1000)),
            "lock_timeout": str(int(lock_seconds * 1000)),
            "idle_in_transaction_session_timeout": str(IDLE_SECONDS * 1000),
        },
    )
    return pool


@asynccontextmanager
async def reserved(pool: asyncpg.Pool, seconds: float) -> AsyncIterator[Any]:
    """A connection that is taken within `seconds` and held; broken off, not waited for, when it ends with an error."""
    connection = await pool.acquire(timeout=max(0.001, seconds))
    try:
        yield connection
    except BaseException:
        connection.terminate()
        raise
    finally:
        await pool.release(connection)


async def _prepare(connection: Any) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=_to_json, decoder=orjson.loads, format="text")
    # As PostgreSQL writes them. asyncpg (0.32.0, pgproto/codecs/numeric.pyx) gives whole thousands of a numeric without
    # decimals, like an amount in yen, an exponent: 10000 is Decimal("1E+4"), and "1E+4" in every answer.
    await connection.set_type_codec("numeric", schema="pg_catalog", encoder=str, decoder=Decimal, format="text")


async def _keep(connection: Any) -> None:
    """Instead of a reset of the whole session, which costs a round trip each time: only what was given up is ended."""
    if connection.unfinished:
        connection.unfinished = False
        await connection.execute("select")  # any whole statement brings the Sync


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode()
