"""Resetting the outbox: a relay that begins at position 0 again, and journals that are read again.

A relay is stopped from any process by fencing: its lease changes hands, and its checkpoint is sealed, which means that
it is set above every position, so that whoever takes the lease finds nothing to publish. A reset that was killed half
way leaves the seal behind, hence a relay that publishes nothing, and never one that goes on in the wrong place.
"""

from typing import Any

import asyncpg

from shared.ops.ids import new_id

FENCED_SECONDS = 4.0
"""After so long a relay whose lease was taken has ended: it renews every second, and gives up after three."""

TAKE_AWAY = """
insert into lease as l (name, owner, epoch, until) values ('relay', $1, 1, clock_timestamp())
    on conflict (name) do update set owner = excluded.owner, epoch = l.epoch + 1, until = excluded.until
returning epoch"""
RESET = "update relay set position = $1, previous = '{}', epoch = $2"
PASSED = """
insert into reacted (event_id)
select event_id from journal
 where position <= (select position from mark where name = 'reactions-journal')
   and not exists (
       select from parked_event p where p.runner = 'reactions-journal'
          and (p.aggregate_id, p.position) = (journal.aggregate_id, journal.position)
   )
on conflict do nothing"""
WAITING = "delete from parked_sequence where runner = 'reactions-journal'"
DOUBTED = "update journal_generation set complete_upto = null"
REFILLED = "update journal_generation set number = number + 1"
EMPTIED = "update journal_generation set number = number + 1, complete_upto = null"
COMPLETE = """
update journal_generation set complete_upto = (select coalesce(max(position), 0) from journal)
 where number = $1 and complete_upto is null"""


async def seal(pool: "asyncpg.Pool[Any]", checkpoint: int) -> None:
    """Fence the relay and let none publish: `checkpoint` is `RECREATING` or `FILLING`. It has ended `FENCED_SECONDS`
    later."""
    await _reset(pool, checkpoint)


async def begin_anew(pool: "asyncpg.Pool[Any]") -> None:
    """Let the relay publish everything, from position 0 and with the chain from its beginning."""
    await _reset(pool, 0)


async def doubt_journal(connection: Any) -> None:
    """Say that the journal is not complete, in a transaction of the caller's: no build takes over from then on."""
    await connection.execute(DOUBTED)


async def forget_journal(connection: Any) -> None:
    """Empty the journal and its checkpoints, in a transaction of the caller's; its topics are then read from the start.

    Positions of the journal are never handed out twice: what is read again stands above what was there. So the
    reactions go through all of it again; what they had passed is kept, and they leave it alone. No projection of the
    journal serves until it is said to be complete.
    """
    # In the order in which a batch is written, checkpoints first, so that the two never wait for each other.
    await connection.execute("lock table journal_mark, journal in access exclusive mode")
    await connection.execute("alter table journal disable trigger append_only")
    await connection.execute(PASSED)
    await connection.execute("truncate journal, journal_mark")
    await connection.execute("alter table journal enable trigger append_only")
    await connection.execute(EMPTIED)
    await connection.execute(WAITING)


async def read_anew(pool: "asyncpg.Pool[Any]") -> None:
    """Have the topics of a journal that stays read from their beginning, because they were lost and filled again: an
    offset that a consumer remembers of before may lie behind what was published since."""
    await pool.execute(REFILLED)


async def generation(pool: "asyncpg.Pool[Any]") -> int:
    """How often the journal was emptied, or its topics were filled again."""
    return int(await pool.fetchval("select number from journal_generation"))


async def completed(pool: "asyncpg.Pool[Any]") -> int | None:
    """Where the journal ended when all of it was there again; None while it is being read again."""
    end: int | None = await pool.fetchval("select complete_upto from journal_generation")
    return end


async def complete(pool: "asyncpg.Pool[Any]", number: int) -> None:
    """Everything was read again since the journal was emptied for the `number`th time: projections may serve once they
    have folded it. Nothing happens when it was emptied once more meanwhile."""
    await pool.execute(COMPLETE, number)


async def _reset(pool: "asyncpg.Pool[Any]", position: int) -> None:
    async with pool.acquire() as connection, connection.transaction():
        fencing_token = await connection.fetchval(TAKE_AWAY, new_id())
        await connection.execute(RESET, position, fencing_token)
