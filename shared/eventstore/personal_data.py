"""Erasure of personal data, which stands beside the log and not in it (DATA-4)."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

FORGET_RETRACTED = """
delete from personal using event told, event taken_back
 where personal.event_id = told.event_id and told.correlation_id = $1
   and taken_back.aggregate_id = told.aggregate_id and taken_back.type = any($2::text[])
   and (taken_back.data ->> 'request')::uuid = told.causation_id
"""


async def forget_retracted(pool: asyncpg.Pool, run: UUID, retractions: Sequence[str]) -> None:
    """Delete what events of a run say of people, where a later event of one of the types `retractions` takes them
    back."""
    await pool.execute(FORGET_RETRACTED, run, retractions)
