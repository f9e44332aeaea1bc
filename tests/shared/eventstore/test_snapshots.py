"""Snapshots of long streams: never the truth, rebuilt when they are missing, stale or cannot be read."""

import asyncio
import threading
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from shared.commands.request import CommandRequest
from shared.domain.aggregate import Aggregate
from shared.domain.roles import EVERYBODY
from shared.eventstore.snapshots import (
    AT_ONCE,
    BYTES_AN_EVENT,
    LARGE,
    LONG_TAIL,
    LoadedAggregate,
    Pieces,
    Snapshots,
    Taken,
    check_kept,
    encoded,
    shape_of,
)
from shared.eventstore.streams import PAGE, TAIL_BYTES, StreamCache
from shared.ops.ids import new_id
from shared.testing.transactions import long_transaction
from tests.shared.eventstore.conftest import Process
from tests.shared.eventstore.tickets import (
    CODEC,
    COUNTER,
    SERVICE_ACTOR,
    CloseTicket,
    Counter,
    OpenTicket,
    counted,
    counter,
    ticket,
)

TAKEN = (
    "insert into event (aggregate_id, aggregate, sequence, event_id, type, version, occurred_at,"
    " recorded_at, actor, correlation_id, causation_id, imported, data)"
    " select $1, 'counter', number, gen_random_uuid(), 'tickets.number-taken', 1, now(), now(), 'test',"
    " gen_random_uuid(), gen_random_uuid(), false, json_build_object('number', number, 'ticket_id', $1::uuid)"
    " from generate_series($2::bigint, $3::bigint) as number"
)
HEAD = (
    "insert into stream_head (aggregate_id, aggregate, sequence) values ($1, 'counter', $2)"
    " on conflict (aggregate_id) do update set sequence = excluded.sequence"
)


async def counts(process: Process, upto: int, since: int = 1) -> None:
    """The counter has given away these numbers."""
    await process.pool.execute(TAKEN, COUNTER, since, upto)
    await process.pool.execute(HEAD, COUNTER, upto)


async def loaded(process: Process) -> tuple[int, int]:
    """What a process that knows nothing yet finds, and up to which event; with what it does afterwards done."""
    states = StreamCache(process.pool, CODEC)
    held = await states.load(counter, COUNTER)
    await states.close()
    assert isinstance(held.state, Counter)
    assert held.position == await process.pool.fetchval(
        "select position from event where aggregate_id = $1 and sequence = $2", COUNTER, held.sequence
    )
    return held.state.count, held.sequence


async def snapshot(process: Process) -> tuple[int, str] | None:
    """Up to where the one snapshot of the counter goes, and what it says."""
    rows = await process.pool.fetch("select sequence, state from snapshot where aggregate_id = $1", COUNTER)
    assert len(rows) <= 1
    return (rows[0]["sequence"], rows[0]["state"]) if rows else None


def saying(number: int) -> str:
    return f'{{"count":{number}}}'


async def test_whoever_folds_a_long_tail_keeps_it_and_the_next_one_begins_there(process: Process) -> None:
    await counts(process, LONG_TAIL - 1)
    assert await loaded(process) == (LONG_TAIL - 1, LONG_TAIL - 1)
    assert await snapshot(process) is None, "a short stream is folded as quickly"
    await counts(process, LONG_TAIL + 10, since=LONG_TAIL)
    assert await loaded(process) == (LONG_TAIL + 10, LONG_TAIL + 10)
    assert await snapshot(process) == (LONG_TAIL + 10, saying(LONG_TAIL + 10))
    # To be seen that it is read and what came before is not: it says something else.
    await process.pool.execute("update snapshot set state = $1", saying(7))
    assert await loaded(process) == (7, LONG_TAIL + 10)
    await counts(process, LONG_TAIL + 12, since=LONG_TAIL + 11)
    assert await loaded(process) == (LONG_TAIL + 12, LONG_TAIL + 12), "what came since is folded onto it"


@pytest.mark.parametrize(
    "harm",
    [
        "delete from snapshot",
        "update snapshot set shape = 'of another release'",
        "update snapshot set state = '{\"count\":'",
        'update snapshot set state = \'{"count": "many"}\'',
        "update snapshot set sequence = sequence + 1000000",
        "update snapshot set event_id = gen_random_uuid()",
        "update snapshot set aggregate = 'ticket'",
    ],
)
async def test_what_is_no_snapshot_of_this_stream_is_ignored_and_replaced(process: Process, harm: str) -> None:
    await counts(process, LONG_TAIL)
    await loaded(process)
    await process.pool.execute("update snapshot set state = $1", saying(7))
    await process.pool.execute(harm)
    assert await loaded(process) == (LONG_TAIL, LONG_TAIL)
    assert await snapshot(process) == (LONG_TAIL, saying(LONG_TAIL))
    assert await loaded(process) == (LONG_TAIL, LONG_TAIL)


@pytest.mark.parametrize("length", [PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 1])
async def test_a_stream_without_one_is_folded_page_by_page(process: Process, length: int) -> None:
    await counts(process, length)
    assert await loaded(process) == (length, length)
    many = await process.commands.states(counter, [COUNTER, new_id()])
    assert [held.sequence for held in many.values()] == [length, 0]


async def test_a_process_that_appends_keeps_what_has_become_long(process: Process) -> None:
    await counts(process, LONG_TAIL - 1)
    for number in (LONG_TAIL, LONG_TAIL + 1):
        ticket_id = new_id()
        await process.commands.execute(
            CommandRequest(ticket, ticket_id, OpenTicket(email=f"{ticket_id}@example.com"), SERVICE_ACTOR)
        )
        await process.commands.execute(CommandRequest(ticket, ticket_id, CloseTicket(numbered=True), SERVICE_ACTOR))
        await process.commands.close()
        assert await loaded(process) == (number, number)
    assert await snapshot(process) == (LONG_TAIL, saying(LONG_TAIL))


async def test_an_older_one_takes_the_place_of_none(process: Process) -> None:
    await counts(process, LONG_TAIL)
    slow = StreamCache(process.pool, CODEC)
    held = await slow.load(counter, COUNTER)
    await slow.close()
    await process.pool.execute("delete from snapshot")
    await counts(process, 2 * LONG_TAIL, since=LONG_TAIL + 1)
    await loaded(process)
    late = StreamCache(process.pool, CODEC)
    late.keep(counter, COUNTER, held)
    await late.close()
    assert await snapshot(process) == (2 * LONG_TAIL, saying(2 * LONG_TAIL))


async def test_nothing_is_kept_of_events_that_a_restore_has_lost(process: Process) -> None:
    await counts(process, LONG_TAIL)
    states = StreamCache(process.pool, CODEC)
    held = await states.load(counter, COUNTER)
    await states.close()
    await process.pool.execute("delete from snapshot")
    before = StreamCache(process.pool, CODEC)
    await lose_history(process.pool)
    await counts(process, LONG_TAIL)
    before.keep(counter, COUNTER, held)
    await before.close()
    assert await snapshot(process) is None


async def lose_history(pool: asyncpg.Pool) -> None:
    """An older state of the database is put back."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        await connection.execute("delete from event")


async def test_a_snapshot_that_cannot_be_written_fails_nothing(process: Process) -> None:
    await counts(process, LONG_TAIL)
    await process.pool.execute("alter table snapshot add constraint full_disk check (false) not valid")
    assert await loaded(process) == (LONG_TAIL, LONG_TAIL)
    assert await snapshot(process) is None


async def test_nobody_waits_for_a_snapshot_to_be_written(process: Process, other: Process) -> None:
    await counts(process, LONG_TAIL)
    async with other.pool.acquire() as connection, long_transaction(connection):
        await connection.execute("lock table snapshot in exclusive mode")
        held = await asyncio.wait_for(process.commands.state(counter, COUNTER), 10)
        assert held.sequence == LONG_TAIL
        assert await snapshot(process) is None
    await process.commands.close()
    assert await snapshot(process) == (LONG_TAIL, saying(LONG_TAIL))


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """A state without content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Much:
    """A state with a lot of the same."""

    name: str
    amounts: tuple[Decimal, ...]
    inner: tuple[Counter, ...] = ()
    last: UUID | None = None


@pytest.mark.parametrize("number", [0, 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
def test_piece_by_piece_says_the_same_as_in_one(number: int) -> None:
    inner = tuple(Counter(count=count) for count in range(number))
    state = Much(name='a "b"\n', amounts=tuple(Decimal(count) / 4 for count in range(number)), inner=inner)
    for each in (state, Nothing(), Counter(count=number)):
        assert encoded(each) == msgspec.json.Encoder(decimal_format="string").encode(each).decode()


@pytest.mark.parametrize("number", [0, 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
def test_what_is_read_piece_by_piece_is_what_was_written(number: int) -> None:
    name = 'a "b"\n' * LARGE  # so that however little else there is, it is not read in one call
    inner = tuple(Counter(count=count) for count in range(number))
    state = Much(name=name, amounts=tuple(Decimal(count) / 4 for count in range(number)), inner=inner, last=new_id())
    text = encoded(state)
    assert len(text) > LARGE
    assert Pieces(Much).decoded(text) == state
    assert Pieces(Much).decoded(text.replace('"inner"', '"else"')) == replace(state, inner=()), "what is left out"


@pytest.mark.parametrize(
    ("before", "after"),
    [('"amounts":["', '"amounts":[["'), ('"amounts":[', '"amounts":{'), ('"amounts"', '"none"'), ("]}", "]")],
)
def test_what_is_not_of_the_shape_cannot_be_read_in_pieces_either(before: str, after: str) -> None:
    text = encoded(Much(name="much", amounts=(Decimal(1),) * LARGE))[: -len('],"inner":[],"last":null}')] + "]}"
    assert before in text
    with pytest.raises(msgspec.DecodeError):
        Pieces(Much).decoded(text.replace(before, after))


async def test_the_event_loop_does_not_encode_what_may_be_large(process: Process) -> None:
    """Leases are renewed in it, and heartbeats sent."""
    threads: list[int] = []
    large = Aggregate("counter", plural="counters", start=Counter, readers=EVERYBODY)
    large.snapshots(version=1)

    @large.shows
    def shown(state: Counter) -> Much:
        threads.append(threading.get_ident())
        return Much(name="all", amounts=(Decimal(1),) * state.count)

    @large.restores
    def restored(shown: Much) -> Any:
        return Counter(count=len(shown.amounts))

    held = LoadedAggregate(state=Counter(count=3), sequence=1, position=1, event_id=new_id())
    await Snapshots(process.pool).write(large, COUNTER, held)
    assert threads
    assert threading.get_ident() not in threads


async def test_the_event_loop_does_not_decode_what_is_large(process: Process) -> None:
    threads: list[int] = []
    large = Aggregate("counter", plural="counters", start=Counter, readers=EVERYBODY)
    large.snapshots(version=1)
    large.evolves(counted)

    @large.shows
    def shown(state: Counter) -> Much:
        return Much(name="all", amounts=(Decimal(1),) * state.count)

    @large.restores
    def restored(shown: Much) -> Any:
        threads.append(threading.get_ident())
        return Counter(count=len(shown.amounts))

    for upto, since, elsewhere in ((LONG_TAIL, 1, False), (LARGE, LONG_TAIL + 1, True)):
        threads.clear()
        await counts(process, upto, since)
        for _ in ("folds it", "reads what the other has kept"):
            states = StreamCache(process.pool, CODEC)
            assert (await states.load(large, COUNTER)).state == Counter(count=upto)
            await states.close()
        assert threads[-1:]
        assert (threads[-1] != threading.get_ident()) is elsewhere


async def test_large_states_are_forgotten_sooner(process: Process) -> None:
    """What is remembered is bounded by its size too, whatever the number; what was used last stays."""
    wide = Aggregate("counter", plural="counters", start=Counter, readers=EVERYBODY)
    wide.snapshots(version=1)
    wide.evolves(counted)

    @wide.shows
    def shown(state: Counter) -> Much:
        return Much(name="x" * 1_000 * state.count, amounts=())

    @wide.restores
    def restored(shown: Much) -> Any:
        return Counter(count=len(shown.name) // 1_000)

    streams = [UUID(int=number) for number in range(1, 6)]
    for stream in streams:
        await process.pool.execute(TAKEN, stream, 1, LONG_TAIL)
        await process.pool.execute(HEAD, stream, LONG_TAIL)
    first = StreamCache(process.pool, CODEC)
    await first.load(wide, streams[0])
    await first.close()
    length = await process.pool.fetchval("select length(state) from snapshot")
    states = StreamCache(process.pool, CODEC, largest_bytes=2 * length + LONG_TAIL * TAIL_BYTES)
    for stream in streams:
        await states.load(wide, stream)
        await states.close()
    assert [states.cached(wide, stream) is not None for stream in streams] == [False] * 3 + [True] * 2
    await states.load(wide, streams[3])
    await states.load(wide, streams[0])
    assert [states.cached(wide, stream) is not None for stream in streams] == [True, False, False, True, False]
    none = StreamCache(process.pool, CODEC, largest_bytes=0)
    for stream in streams:
        await none.load(wide, stream)
        await none.close()
    assert [none.cached(wide, stream) is not None for stream in streams] == [False] * 4 + [True]
    states.forget_all()
    await states.load(wide, streams[1])
    await states.load(wide, streams[2])
    assert [states.cached(wide, stream) is not None for stream in streams] == [False, True, True, False, False]


async def test_a_large_one_is_not_written_as_often() -> None:
    assert Taken().is_old(LONG_TAIL)
    assert not Taken().is_old(LONG_TAIL - 1)
    large = Taken(10_000, 5_000 * BYTES_AN_EVENT)
    assert not large.is_old(14_999)
    assert large.is_old(15_000)


def counter_of(version: int, state: type) -> Aggregate:
    other = Aggregate("counter", plural="counters", start=state, readers=EVERYBODY)
    other.snapshots(version=version)
    return other


def test_a_changed_state_or_fold_has_another_shape() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class More:
        count: int = 0
        last: UUID | None = None

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Other:
        count: str = ""

    More.__name__ = Other.__name__ = "Counter"
    shapes = {
        shape_of(counter_of(1, Counter), Counter),
        shape_of(counter_of(2, Counter), Counter),
        shape_of(counter_of(1, More), More),
        shape_of(counter_of(1, Other), Other),
    }
    assert len(shapes) == 4
    assert shape_of(counter, Counter) in shapes


def test_nothing_is_kept_of_people() -> None:
    """DATA-4: what is erased must not stand in a snapshot."""
    check_kept([counter, ticket])
    people = Aggregate("ticket", plural="tickets", start=Counter, readers=EVERYBODY)
    people.events |= ticket.events
    people.snapshots(version=1)
    with pytest.raises(ValueError, match="personal data"):
        check_kept([people])
