"""How long first answers to requests are kept (API-1). Those to imports are the account of what came in, and stay."""

from datetime import timedelta

import asyncpg

from shared.domain.context import service_actor

KEPT = timedelta(days=7)
AT_ONCE = 5000
IMPORTS = service_actor("import").subject
# The literal is the condition of the index; a parameter would not be known to be it.
FORGET = f"""
    delete from idempotency where ctid = any (array(
        select ctid from idempotency
         where created_at < clock_timestamp() - $1::interval and principal <> '{IMPORTS}' limit $2))
"""  # noqa: S608


async def forget_old_answers(pool: asyncpg.Pool, kept: timedelta = KEPT) -> int:
    """Delete the answers older than `kept` (real time), a part at a time; how many there were."""
    deleted = 0
    while True:
        status = await pool.execute(FORGET, kept, AT_ONCE)
        count = int(status.rsplit(" ", 1)[1])
        deleted += count
        if count < AT_ONCE:
            return deleted
