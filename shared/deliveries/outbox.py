"""Outbox: the deliveries that wait, in the order of each receiver, and what became of the others.

A sender takes the first that waits of each receiver, so nothing overtakes anything. What becomes of an attempt is
written only over the very attempt that was read (compare-and-set): a sender that was frozen, and wakes when another one
goes on, changes nothing, and what it has sent is a repeat under the same id.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Pool, Record

from shared.deliveries.delivery import Attempt, Delivery
from shared.eventstore.pool import AnyConnection

COLUMNS = "id, channel, receiver, position, event_id, kind, content, attempts, queued_at"

QUEUE = """
    insert into delivery (id, channel, receiver, position, event_id, kind, content)
    values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing
"""
# A loose index scan: from one receiver that has something waiting to the next, however much waits for each.
HEADS = f"""
    with recursive head as (
        (select {COLUMNS}, next_attempt_at from delivery where state = 'waiting' and channel = $1
          order by receiver, position limit 1)
        union all
        select later.* from head cross join lateral (
            select {COLUMNS}, next_attempt_at from delivery
             where state = 'waiting' and channel = $1 and receiver > head.receiver
             order by receiver, position limit 1) as later
    )
    select {COLUMNS} from head where next_attempt_at <= clock_timestamp() and receiver <> all($2::uuid[])
     order by next_attempt_at, position limit $3
"""  # noqa: S608
HEAD_OF = f"""
    select * from (
        select {COLUMNS}, next_attempt_at from delivery where state = 'waiting' and channel = $1 and receiver = $2
         order by position limit 1) as head
     where next_attempt_at <= clock_timestamp()
"""  # noqa: S608
THIS_ATTEMPT = "id = $1 and attempts = $2 and queued_at = $3 and state = 'waiting'"
DELIVERED = f"""
    update delivery set state = 'delivered', attempts = attempts + 1, error = null, settled_at = clock_timestamp()
     where {THIS_ATTEMPT}
"""  # noqa: S608
DEAD = f"""
    update delivery set state = 'dead', attempts = attempts + 1, error = $4, settled_at = clock_timestamp()
     where {THIS_ATTEMPT}
"""  # noqa: S608
LATER = f"""
    update delivery set attempts = attempts + $4, error = $5,
           next_attempt_at = clock_timestamp() + make_interval(secs => $6)
     where {THIS_ATTEMPT}
"""  # noqa: S608
# All that is as old goes with the head: each would wait for an attempt of its own, behind a receiver that is away.
GIVE_UP = """
    update delivery set state = 'dead', error = coalesce(error, $4), settled_at = clock_timestamp()
     where state = 'waiting' and channel = $1 and receiver = $2
       and queued_at < clock_timestamp() - make_interval(secs => $3)
"""
LISTED = """
    select id, channel, receiver, kind, state, attempts, error, queued_at,
           case when next_attempt_at > '-infinity' then next_attempt_at end as next_attempt_at
      from delivery where state = $1 and ($2::uuid is null or receiver = $2)
     order by channel, receiver, position limit $3
"""
REDRIVE = """
    update delivery set state = 'waiting', attempts = 0, next_attempt_at = '-infinity', settled_at = null,
           queued_at = clock_timestamp()
     where state = 'dead' and ($1::text is null or channel = $1) and ($2::uuid is null or receiver = $2)
       and ($3::uuid is null or id = $3)
"""
FIGURES = """
    select count(*) filter (where state = 'waiting') as waiting, count(*) filter (where state = 'dead') as dead,
           coalesce(extract(epoch from clock_timestamp()
               - min(queued_at) filter (where state = 'waiting')), 0)::float8 as seconds
      from delivery where channel = $1 and state in ('waiting', 'dead')
"""
FORGET = """
    delete from delivery where id in (
        select id from delivery where state = $1
           and settled_at < clock_timestamp() - make_interval(days => $2) limit 5000)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What an operator sees of a delivery. Times are real time."""

    id: UUID
    channel: str
    receiver: UUID
    kind: str
    state: str
    attempts: int
    error: str | None
    queued_at: datetime
    next_attempt_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How a channel fares: how many wait, since how many seconds the oldest of them does, and how many are dead."""

    waiting: int
    seconds: float
    dead: int


async def queue(connection: AnyConnection, deliveries: Sequence[Delivery]) -> None:
    """Have deliveries sent; those that are known already stay as they are."""
    if deliveries:
        await connection.executemany(
            QUEUE, [(d.id, d.channel, d.receiver, d.position, d.event_id, d.kind, d.content) for d in deliveries]
        )


async def heads(pool: Pool, channel: str, *, but: Collection[UUID], limit: int) -> list[Attempt]:
    """The first delivery of each receiver, where its time has come, `but` of some; those first that are due longest."""
    return [_attempt(row) for row in await pool.fetch(HEADS, channel, list(but), limit)]


async def head_of(pool: Pool, channel: str, receiver: UUID) -> Attempt | None:
    """The first delivery of one receiver, where its time has come."""
    row = await pool.fetchrow(HEAD_OF, channel, receiver)
    return None if row is None else _attempt(row)


async def delivered(pool: Pool, attempt: Attempt) -> bool:
    """The receiver has taken it. False when this attempt is somebody else's by now, here and below."""
    return _changed(await pool.execute(DELIVERED, *_place(attempt)))


async def dead(pool: Pool, attempt: Attempt, code: str) -> bool:
    """It is not sent any more, until somebody asks for it."""
    return _changed(await pool.execute(DEAD, *_place(attempt), code))


async def later(
    pool: Pool, attempt: Attempt, code: str, *, seconds: float, give_up_after: float, counted: bool = True
) -> tuple[bool, int]:
    """It is tried again in some seconds, or it is dead where it was queued too long ago, with all of its receiver that
    were. Gives whether this attempt was still ours, and how many are dead now. `counted`: whether it was tried."""
    d = attempt.delivery
    async with pool.acquire() as connection, connection.transaction():
        ours = _changed(await connection.execute(LATER, *_place(attempt), int(counted), code, seconds))
        given_up = await connection.execute(GIVE_UP, d.channel, d.receiver, give_up_after, code) if ours else "UPDATE 0"
    return ours, _number(given_up)


async def listed(pool: Pool, state: str, receiver: UUID | None = None, *, limit: int = 1000) -> list[Listed]:
    """Deliveries that are `waiting`, `delivered` or `dead`, of all receivers or one, in their order."""
    return [Listed(**dict(row)) for row in await pool.fetch(LISTED, state, receiver, limit)]


async def redrive(
    pool: Pool, channel: str | None = None, receiver: UUID | None = None, delivery: UUID | None = None
) -> int:
    """Have dead deliveries (of a channel, of a receiver, a single one) sent anew, under the ids that they have, each in
    its old place before what still waits; gives their number."""
    return _number(await pool.execute(REDRIVE, channel, receiver, delivery))


async def figures(pool: Pool, channel: str) -> Figures:
    """How a channel fares."""
    (row,) = await pool.fetch(FIGURES, channel)
    return Figures(**dict(row))


async def forget(pool: Pool, state: str, days: int) -> int:
    """Delete some of what was delivered, or given up, so long ago; how many."""
    return _number(await pool.execute(FORGET, state, days))


def _attempt(row: Record) -> Attempt:
    of_delivery = ("id", "channel", "receiver", "position", "event_id", "kind", "content")
    delivery = Delivery(**{name: row[name] for name in of_delivery})
    return Attempt(delivery=delivery, attempts=row["attempts"], queued_at=row["queued_at"])


def _place(attempt: Attempt) -> tuple[UUID, int, datetime]:
    return attempt.delivery.id, attempt.attempts, attempt.queued_at


def _changed(status: str) -> bool:
    return _number(status) > 0


def _number(status: str) -> int:
    return int(status.rpartition(" ")[2])
