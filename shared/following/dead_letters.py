"""Dead letters: the sequence of one aggregate that cannot be handled is parked, and everything else goes on.

A runner is known by its checkpoint: a build of a projection, or a log follower. Once an event of an aggregate
fails, that event and all later ones of the aggregate are parked by their positions. They are handled again in their
order after a growing delay, and when somebody asks; the sequence is released when the last of them is done.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from asyncpg import Pool

from shared.eventstore.log import Log
from shared.eventstore.pool import DATABASE_AWAY, AnyConnection
from shared.following.stored_events import StoredEvent, envelope_of

logger = structlog.get_logger(__name__)

MAX_PARKED = 1000
"""Sequences of one runner. More of them say that the code is wrong and not the events: the runner stops instead."""

LAST_ATTEMPT = 8
"""After so many attempts (some five hours) a sequence is only handled again when somebody asks."""

MAX_ERROR = 500

PARK = f"""
    insert into parked_sequence (runner, aggregate_id, error, attempts, next_attempt_at)
    values ($1, $2, $3, 1, clock_timestamp() + interval '1 second')
    on conflict (runner, aggregate_id) do update
       set error = excluded.error,
           attempts = parked_sequence.attempts + 1,
           next_attempt_at = case when parked_sequence.attempts + 1 < {LAST_ATTEMPT}
               then clock_timestamp() + interval '1 second' * 5 ^ parked_sequence.attempts end
"""  # noqa: S608
QUEUE = "insert into parked_event (runner, aggregate_id, position) values ($1, $2, $3) on conflict do nothing"
LISTED = """
    select s.runner, s.aggregate_id, s.error, s.attempts, s.next_attempt_at,
           (select count(*) from parked_event e where e.runner = s.runner and e.aggregate_id = s.aggregate_id) as events
      from parked_sequence s order by s.runner, s.parked_at, s.aggregate_id
"""
DUE = """
    select runner, aggregate_id from parked_sequence
     where runner = any($1::text[]) and next_attempt_at <= clock_timestamp() order by next_attempt_at limit 20
"""
QUEUED = "select position from parked_event where runner = $1 and aggregate_id = $2 order by position limit 1000"
DONE = "delete from parked_event where runner = $1 and aggregate_id = $2 and position = any($3::bigint[])"
RELEASE = """
    delete from parked_sequence s where runner = $1 and aggregate_id = $2
       and not exists (select from parked_event e where e.runner = s.runner and e.aggregate_id = s.aggregate_id)
"""


class Unavailable(Exception):
    """Something that handling an event needs is not there for now, like a projection that is being built."""


class TooManyParked(Exception):
    """A runner has parked so many sequences that something else must be wrong. It stands still until that is mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedSequence:
    """What waits of one aggregate at one runner. Times are real time."""

    runner: str
    aggregate_id: UUID
    error: str
    attempts: int
    next_attempt_at: datetime | None
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Poison:
    """Events of one aggregate, from the first that failed on, and the failure."""

    aggregate_id: UUID
    positions: Sequence[int]
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedEvents:
    """What waits of one aggregate at one runner, up to a thousand events in their order."""

    aggregate_id: UUID
    positions: Sequence[int]
    entries: Sequence[StoredEvent]


async def parked(pool: Pool) -> list[ParkedSequence]:
    """Everything that waits."""
    return [ParkedSequence(**dict(row)) for row in await pool.fetch(LISTED)]


async def request_redrive(pool: Pool, runner: str | None = None, aggregate_id: UUID | None = None) -> int:
    """Ask, from any process, that parked sequences (of one runner, of one aggregate) are handled again now; gives
    their number. The runner that leads does it, in order."""
    status: str = await pool.execute(
        """
        update parked_sequence set next_attempt_at = clock_timestamp()
         where ($1::text is null or runner = $1) and ($2::uuid is null or aggregate_id = $2)
        """,
        runner,
        aggregate_id,
    )
    return int(status.removeprefix("UPDATE "))


async def parked_aggregates(
    connection: "AnyConnection | Pool", runners: Iterable[str]
) -> Mapping[str, frozenset[UUID]]:
    """The aggregates that wait at each of the runners."""
    rows = await connection.fetch(
        "select runner, array_agg(aggregate_id) as ids from parked_sequence where runner = any($1::text[]) group by 1",
        list(runners),
    )
    return {row["runner"]: frozenset(row["ids"]) for row in rows}


async def park(connection: AnyConnection, runner: str, poisons: Sequence[Poison]) -> None:
    """Park sequences, or count one more failed attempt of sequences that are parked already."""
    if not poisons:
        return
    await connection.executemany(PARK, [(runner, poison.aggregate_id, poison.error) for poison in poisons])
    await queue(connection, runner, [(poison.aggregate_id, at) for poison in poisons for at in poison.positions])
    count = await connection.fetchval("select count(*) from parked_sequence where runner = $1", runner)
    if count > MAX_PARKED:
        raise TooManyParked(f"{runner} would park {count} sequences; the last error: {poisons[-1].error}")


async def queue(connection: AnyConnection, runner: str, events: Collection[tuple[UUID, int]]) -> None:
    """Let events (aggregate, position) wait behind those of their aggregate that are parked."""
    if events:
        await connection.executemany(QUEUE, [(runner, aggregate_id, position) for aggregate_id, position in events])


async def due(pool: Pool, runners: Sequence[str]) -> list[tuple[str, UUID]]:
    """The sequences of these runners whose next attempt is due, by runner and aggregate, the longest waiting first."""
    return [(row["runner"], row["aggregate_id"]) for row in await pool.fetch(DUE, runners)]


async def queued(connection: AnyConnection, log: Log, runner: str, aggregate_id: UUID) -> QueuedEvents:
    """What waits of an aggregate at a runner of a log."""
    positions = [row["position"] for row in await connection.fetch(QUEUED, runner, aggregate_id)]
    history = await log.history(connection, [aggregate_id], max(positions, default=0))
    waiting = frozenset(positions)
    entries = [entry for entry in history if envelope_of(entry).position in waiting]
    return QueuedEvents(aggregate_id=aggregate_id, positions=positions, entries=entries)


async def first_failure(
    entries: Sequence[StoredEvent], attempt: Callable[[StoredEvent], Awaitable[Exception | None]]
) -> Poison | None:
    """Attempt events of one aggregate in their order, up to the first that fails: all from there on are the poison."""
    for number, entry in enumerate(entries):
        failure = await attempt(entry)
        if failure is not None:
            positions = [envelope_of(later).position for later in entries[number:]]
            aggregate_id = envelope_of(entry).aggregate_id
            return Poison(aggregate_id=aggregate_id, positions=positions, error=described(failure))
    return None


async def settle(connection: AnyConnection, runner: str, attempted: QueuedEvents, poison: Poison | None) -> bool:
    """Record an attempt: what did not fail leaves the queue, a new failure is noted. True when the sequence is
    released."""
    aggregate_id, failed = attempted.aggregate_id, set(poison.positions) if poison else set()
    done = [position for position in attempted.positions if position not in failed]
    await connection.execute(DONE, runner, aggregate_id, done)
    if poison is not None:
        await park(connection, runner, [poison])
        return False
    return bool(await connection.execute(RELEASE, runner, aggregate_id) == "DELETE 1")


def described(error: BaseException) -> str:
    """An error as it is kept: its kind and message, without the row that the database would add."""
    return f"{type(error).__name__}: {error}"[:MAX_ERROR]


def is_environment(error: BaseException) -> bool:
    """Whether an error says that the surroundings failed (the connection, a deadlock, a full disk, a
    projection that is being built) and not the event: then everything is tried again later, and nothing is parked."""
    # Narrower than DATABASE_ERRORS: what the database refuses of an event (a constraint, a value) is the event's fault.
    return isinstance(error, (*DATABASE_AWAY, Unavailable)) and not isinstance(error, ValueError)


def report(runner: str, poisons: Sequence[Poison]) -> None:
    """Say what was parked. The error itself may quote what people wrote, and stays in the database."""
    for poison in poisons:
        logger.warning(
            "sequence-parked",
            runner=runner,
            aggregate_id=str(poison.aggregate_id),
            events=len(poison.positions),
            error=poison.error.split(":", 1)[0],
        )
