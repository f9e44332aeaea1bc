"""How long first answers to requests are kept (API-1)."""

from datetime import timedelta

import asyncpg

KEPT = timedelta(days=7)
AT_ONCE = 5000


async def forget_old_answers(pool: asyncpg.Pool, kept: timedelta = KEPT) -> int:
    """Delete the answers older than `kept` (real time), a part at a time; how many there were."""
    deleted = 0
    while True:
        status = await pool.execute(
            "delete from idempotency where ctid = any (array("
            " select ctid from idempotency where created_at < clock_timestamp() - $1::interval limit $2))",
            *(kept, AT_ONCE),
        )
        count = int(status.rsplit(" ", 1)[1])
        deleted += count
        if count < AT_ONCE:
            return deleted
