"""Long transactions: a test holds a lock for as long as what it waits for takes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def long_transaction(connection: Any) -> AsyncIterator[None]:
    """A transaction that the server does not end while it is idle, rolled back if the test fails.

    Elsewhere one that is idle for five seconds is ended, and its locks are gone: on a busy machine a test may take
    longer until it sees what it waits for.
    """
    async with connection.transaction():
        await connection.execute("set local idle_in_transaction_session_timeout = 0")
        yield
