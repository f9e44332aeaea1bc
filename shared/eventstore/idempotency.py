"""Idempotency keys: the first answers to requests, and how long they are kept (API-1). Those to imports are the account
of what came in, and stay."""

from datetime import timedelta

import asyncpg

from shared.domain.context import service_actor
from shared.eventstore.append import Idempotency, OtherContent, Replayed, StreamPosition

RETENTION = timedelta(days=7)
AT_ONCE = 5000
IMPORTS = service_actor("import").subject
# The literal is the condition of the index; a parameter would not be known to be it.
FORGET = f"""
    delete from idempotency where ctid = any (array(
        select ctid from idempotency
         where created_at < clock_timestamp() - $1::interval and principal <> '{IMPORTS}' limit $2))
"""  # noqa: S608


FIRST_ANSWER = (
    "select request_hash, aggregate_id, sequence, position, command_id from idempotency"
    " where principal = $1 and operation = $2 and key = $3"
)
APART = 1000
"""The events of one command are numbered in a row, but for what others append at that moment."""
WRITTEN_BESIDE = """
    select aggregate, aggregate_id, max(position) as position from event
     where position between $1::bigint - $4 and $1::bigint + $4 and causation_id = $2 and aggregate_id <> $3
     group by aggregate, aggregate_id order by position
"""


async def first_answer(
    pool: asyncpg.Pool, asked: Idempotency, *, everywhere: bool = False
) -> Replayed | OtherContent | None:
    """What the same request was answered before; None when it was not asked yet. Where it wrote besides is looked up
    for those who wait for that: an import that is run again has thousands of answers, and waits for none."""
    row = await pool.fetchrow(FIRST_ANSWER, asked.principal, asked.operation, asked.key)
    if row is None:
        return None
    if row["request_hash"] != asked.request_hash:
        return None if asked.latest else OtherContent()
    about = (row["position"], row["command_id"], row["aggregate_id"], APART)
    beside = await pool.fetch(WRITTEN_BESIDE, *about) if everywhere else ()
    return Replayed(
        aggregate_id=row["aggregate_id"],
        sequence=row["sequence"],
        position=row["position"],
        others=tuple(StreamPosition(**each) for each in beside),
    )


async def forget_old_answers(pool: asyncpg.Pool, kept: timedelta = RETENTION) -> int:
    """Delete the answers older than `kept` (real time), a part at a time; how many there were."""
    deleted = 0
    while True:
        status = await pool.execute(FORGET, kept, AT_ONCE)
        count = int(status.rsplit(" ", 1)[1])
        deleted += count
        if count < AT_ONCE:
            return deleted
