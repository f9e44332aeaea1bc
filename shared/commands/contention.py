"""Contention lock: retries on one aggregate are serialised; correctness rests on the expected version all the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from uuid import UUID
from weakref import WeakValueDictionary

import asyncpg

from shared.eventstore.pool import DATABASE_ERRORS

CONNECTIONS = 2
"""How many connections may wait for processes at a time: the appends of those who have their turn need some as well."""
WAIT = "select pg_advisory_xact_lock(hashtextextended('turn' || $1, 0))"


class ContentionLock:
    """Those who lost a race for an aggregate line up, so that each further try meets fewer rivals."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._here: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self._connections = asyncio.Semaphore(CONNECTIONS)

    @asynccontextmanager
    async def of(self, aggregate_id: UUID, *, among_processes: bool) -> AsyncIterator[None]:
        """Wait for the turn among the losers of this process, or of all processes."""
        turn = self._here.get(aggregate_id)
        if turn is None:
            turn = self._here[aggregate_id] = asyncio.Lock()
        async with turn:
            if not among_processes:
                yield
                return
            async with self._connections, AsyncExitStack() as held:
                connection = await held.enter_async_context(self._pool.acquire())
                await held.enter_async_context(connection.transaction())
                await connection.execute(WAIT, str(aggregate_id))
                try:
                    yield
                finally:
                    # A session that was idle for too long has ended, and the turn with it. What was done in it stands.
                    with suppress(*DATABASE_ERRORS):
                        await held.aclose()
