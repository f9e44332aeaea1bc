"""Turns: what was done in one stands, whatever becomes of the session that held it."""

from uuid import UUID

import pytest

from shared.commands.contention import ContentionLock
from shared.ops.ids import new_id
from tests.shared.eventstore.conftest import Process

END = """
    select count(*) filter (where pg_terminate_backend(pid, 1000)) from pg_stat_activity
     where datname = current_database() and state = 'idle in transaction' and query like '%pg_advisory_xact_lock%'
"""


async def test_a_turn_whose_session_has_ended_takes_no_outcome_along(process: Process) -> None:
    turns, aggregate_id = ContentionLock(process.pool), new_id()
    async with turns.of(aggregate_id, among_processes=True):
        assert await process.pool.fetchval(END) == 1
    async with turns.of(aggregate_id, among_processes=True):
        pass  # the next one has it


async def test_a_refusal_in_a_turn_whose_session_has_ended_stays_that_refusal(process: Process) -> None:
    async def refused(aggregate_id: UUID) -> None:
        async with ContentionLock(process.pool).of(aggregate_id, among_processes=True):
            await process.pool.fetchval(END)
            raise LookupError("refused")

    with pytest.raises(LookupError, match="refused"):
        await refused(new_id())
