"""A database holds every process to the secret that its claims are hashed under (DATA-4)."""

import asyncio

import asyncpg
import pytest

from shared.eventstore.claim_secret import OtherClaimSecret, fingerprint, hold_to
from shared.eventstore.pool import create_pool

FIRST, SECOND = b"a" * 32, b"b" * 32


async def test_the_first_secret_is_kept_and_no_other_is_taken(database: str) -> None:
    """DATA-4"""
    async with await create_pool(database, name="secret", size=2) as pool:
        await hold_to(pool, FIRST)
        kept = await pool.fetch("select * from claim_secret")
        await hold_to(pool, FIRST)
        with pytest.raises(OtherClaimSecret, match="CLAIM_SECRET"):
            await hold_to(pool, SECOND)
        assert await pool.fetch("select * from claim_secret") == kept


async def test_the_secret_itself_is_not_kept(database: str) -> None:
    """DATA-4"""
    async with await create_pool(database, name="secret", size=2) as pool:
        await hold_to(pool, FIRST)
        [row] = await pool.fetch("select fingerprint from claim_secret")
    assert row["fingerprint"] == fingerprint(FIRST) != fingerprint(SECOND)
    assert FIRST not in row["fingerprint"]


async def test_of_processes_that_start_at_once_one_secret_wins(database: str) -> None:
    """The insert of the second waits for the first: held open here until the second stands at it."""
    connection = await asyncpg.connect(database)
    watcher = await asyncpg.connect(database)
    async with await create_pool(database, name="secret", size=2) as pool:
        first = connection.transaction()
        await first.start()
        await hold_to(connection, FIRST)
        others = [asyncio.create_task(hold_to(pool, secret)) for secret in (FIRST, SECOND)]
        waiting = (
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        )
        async with asyncio.timeout(10):
            while await watcher.fetchval(waiting) < len(others):  # noqa: ASYNC110 - others end it
                await asyncio.sleep(0.01)
        await first.commit()
        same, other = await asyncio.gather(*others, return_exceptions=True)
        assert same is None
        assert isinstance(other, OtherClaimSecret)
    await connection.close()
    await watcher.close()
