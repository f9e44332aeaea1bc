"""Pages of the log and of the journal: what is final, and what this release cannot read."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from shared.commands.request import CommandRequest
from shared.events.codec import Codec
from shared.events.envelope import Envelope
from shared.events.registry import Registry, type_of
from shared.eventstore.log import Excerpt, Log, Undecodable
from shared.ops.ids import new_id
from tests.shared.eventstore.conftest import Process
from tests.shared.eventstore.tickets import CODEC, SERVICE_ACTOR, AddNote, NoteAdded, OpenTicket, TicketOpened, ticket

NOW = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)
INTO_JOURNAL = """
insert into journal (topic, partition, source_position, aggregate_id, aggregate, sequence, event_id, type, version,
                     occurred_at, recorded_at, actor, correlation_id, causation_id, imported, data)
values ('tickets.ticket.v1', 3, $1, $2, 'ticket', $3, $2, $4, 1, $5, $5, 'ann', $2, $2, false, $6)"""


async def filled(process: Process, notes: int = 4) -> UUID:
    ticket_id = new_id()
    await process.commands.execute(
        CommandRequest(ticket, ticket_id, OpenTicket(email=f"{ticket_id}@example.com"), SERVICE_ACTOR)
    )
    for number in range(notes):
        await process.commands.execute(CommandRequest(ticket, ticket_id, AddNote(note=str(number)), SERVICE_ACTOR))
    return ticket_id


async def test_pages_follow_each_other(process: Process) -> None:
    await filled(process)
    first = await process.log.read(0, 3)
    second = await process.log.read(first.upto, 3)
    third = await process.log.read(second.upto, 3)
    assert [[position_of(event) for event in page.events] for page in (first, second, third)] == [[1, 2, 3], [4, 5], []]
    assert (first.upto, second.upto, third.upto) == (3, 5, 5)


async def test_a_page_of_some_types_has_them_and_the_last_event(process: Process) -> None:
    await filled(process, notes=2)
    await filled(process, notes=2)
    page = await process.log.read(0, 100, {type_of(TicketOpened)})
    assert ([position_of(event) for event in page.events], page.upto) == ([1, 4, 6], 6)
    page = await process.log.read(0, 1, {type_of(TicketOpened)})
    assert ([position_of(event) for event in page.events], page.upto) == ([1], 1)
    page = await process.log.read(6, 100, {type_of(TicketOpened)})
    assert (page.events, page.upto) == ([], 6)


async def test_a_page_of_rare_types_looks_through_a_part_at_a_time(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.eventstore.log.MAX_SPAN", 2)
    await filled(process, notes=4)
    pages, after = [], 0
    while (page := await process.log.read(after, 100, {"tickets.unheard-of"})).upto > after:
        pages.append([position_of(event) for event in page.events])
        after = page.upto
    assert pages == [[2], [4], [5]]


async def test_numbers_that_were_rolled_back_are_passed_once_something_above_them_is_committed(
    process: Process,
) -> None:
    """A crash forgets numbers that nothing committed used, and they are handed out again."""
    await filled(process, notes=0)
    await process.pool.execute("select nextval('event_position') from generate_series(1, 10)")
    assert (await process.log.read(0, 100)).upto == 1
    await filled(process, notes=0)
    page = await process.log.read(1, 100)
    assert ([position_of(event) for event in page.events], page.upto) == ([12], 12)


async def test_the_ceiling_waits_for_the_writer_that_may_own_a_number_below_it(
    process: Process, other: Process
) -> None:
    await filled(process, notes=0)
    async with other.pool.acquire() as connection:
        slow = connection.transaction()
        await slow.start()
        await connection.execute(
            "insert into event select nextval('event_position'), aggregate_id, aggregate, 2, event_id, type, version,"
            " partition, occurred_at, recorded_at, actor, correlation_id, causation_id, imported, traceparent, data"
            " from event"
        )
        later = new_id()
        await process.commands.execute(
            CommandRequest(ticket, later, OpenTicket(email="bob@example.com"), SERVICE_ACTOR)
        )
        assert await process.log.head() == 3
        reading = asyncio.create_task(process.log.read(1, 100))
        done, _ = await asyncio.wait([reading], timeout=0.1)
        assert not done
        await slow.commit()
        assert [position_of(event) for event in (await reading).events] == [2, 3]


async def test_a_long_transaction_that_appends_nothing_holds_nobody_up(process: Process, other: Process) -> None:
    async with other.pool.acquire() as connection, connection.transaction():
        await connection.execute("update company_clock set ahead = ahead")
        await connection.fetch("select * from event")
        await filled(process, notes=0)
        async with asyncio.timeout(2):
            assert len((await process.log.read(0, 10)).events) == 1


async def test_a_type_of_a_newer_release_is_told_from_damage(process: Process) -> None:
    await filled(process, notes=1)
    older = Log(process.pool, Codec(Registry([TicketOpened])), service="tickets")
    opened, noted = (await older.read(0, 10)).events
    assert isinstance(opened, Envelope)
    assert isinstance(noted, Undecodable)
    assert (noted.unknown, noted.envelope.type, noted.envelope.position) == (True, "tickets.note-added", 2)


async def test_the_journal_is_read_like_a_log(process: Process) -> None:
    journal, ticket_id = Log(process.pool, CODEC), new_id()
    rows = [
        (70, ticket_id, 1, "tickets.ticket-opened", NOW, f'{{"ticket_id":"{ticket_id}","unheard_of":1}}'),
        (75, ticket_id, 2, "tickets.note-added", NOW, '{"ticket_id":"not an id"}'),
        (80, ticket_id, 3, "unreadable", NOW, '{"reason":"no headers"}'),
    ]
    await process.pool.executemany(INTO_JOURNAL, rows)
    opened, damaged, unreadable = (await journal.read(0, 10)).events
    assert isinstance(opened, Envelope)
    assert opened.data == TicketOpened(ticket_id=ticket_id)
    assert (opened.service, opened.position, opened.source_position, opened.partition) == ("tickets", 1, 70, 3)
    assert isinstance(damaged, Undecodable)
    assert isinstance(unreadable, Undecodable)
    assert (damaged.unknown, unreadable.unknown) == (False, False)


async def test_the_history_of_aggregates_ends_at_a_position(process: Process) -> None:
    first, second = await filled(process, notes=2), new_id()
    await process.commands.execute(CommandRequest(ticket, second, OpenTicket(email="bob@example.com"), SERVICE_ACTOR))
    async with process.pool.acquire() as connection:
        assert [position_of(event) for event in await process.log.history(connection, [first, second], 3)] == [1, 2, 3]
        assert [position_of(event) for event in await process.log.history(connection, [second], 9)] == [4]


async def test_a_scan_goes_stream_by_stream_as_known_at_a_time(process: Process) -> None:
    ids = sorted([await filled(process, notes=1) for _ in range(3)])
    known_at = process.clock.now()
    await process.commands.execute(CommandRequest(ticket, ids[0], AddNote(note="later"), SERVICE_ACTOR))
    async with process.pool.acquire() as connection, connection.transaction():
        scan = process.log.scan(connection, "ticket", await process.log.head(), Excerpt(recorded_until=known_at))
        found = [event for part in [part async for part in scan] for event in part]
    assert [(event.aggregate_id, event.sequence) for event in found if isinstance(event, Envelope)] == [
        (one, number) for one in ids for number in (1, 2)
    ]
    assert isinstance(found[1], Envelope)
    assert isinstance(found[1].data, NoteAdded)


def position_of(event: Envelope[object] | Undecodable) -> int:
    return event.position if isinstance(event, Envelope) else event.envelope.position
