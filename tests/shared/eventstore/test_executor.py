"""The write path on a real database (API-1, API-4)."""

import asyncio
from contextlib import AsyncExitStack
from datetime import date
from uuid import UUID

import pytest

from shared.commands.executor import CommandExecutor
from shared.commands.request import CommandRequest, CommandResult, Forbidden, NotFound, Refused, StaleVersion
from shared.domain.context import Actor, Company
from shared.domain.rejection import Rejected
from shared.domain.roles import Role
from shared.events.envelope import Envelope
from shared.eventstore.append import CALL
from shared.eventstore.streams import BatchCache, StreamCache
from shared.ops.ids import new_id
from tests.shared.eventstore.conftest import Process
from tests.shared.eventstore.tickets import (
    CODEC,
    COUNTER,
    PROVIDES,
    SERVICE_ACTOR,
    AddNote,
    CloseTicket,
    Numbers,
    OpenTicket,
    Postpone,
    TicketClosed,
    counter,
    ticket,
)

ANN = Actor(subject="ann", roles=frozenset({Role.REP}), member=UUID(int=11))
BOB = Actor(subject="bob", roles=frozenset({Role.REP}), member=UUID(int=12))
FINANCE = Actor(subject="fay", roles=frozenset({Role.FINANCE}), member=UUID(int=13))


async def opened(process: Process, email: str | None = None, owner: UUID | None = None) -> UUID:
    ticket_id = new_id()
    command = OpenTicket(email=email or f"{ticket_id}@example.com", owner=owner)
    await process.commands.execute(CommandRequest(ticket, ticket_id, command, SERVICE_ACTOR))
    return ticket_id


async def history(process: Process, aggregate_id: UUID) -> list[str]:
    page = await process.log.read(0, 10_000)
    return [
        event.type.removeprefix("tickets.")
        for event in page.events
        if isinstance(event, Envelope) and event.aggregate_id == aggregate_id
    ]


async def test_a_command_appends_its_events_with_what_surrounds_them(process: Process) -> None:
    ticket_id, cause = await opened(process), new_id()
    result = await process.commands.execute(
        CommandRequest(
            ticket, ticket_id, AddNote(note="hello"), SERVICE_ACTOR, causation_id=cause, traceparent="00-1-2-01"
        )
    )
    noted = (await process.log.read(result.position - 1, 10)).events[0]
    assert isinstance(noted, Envelope)
    assert (noted.type, noted.sequence, noted.position) == ("tickets.note-added", 2, result.position)
    assert (noted.actor, noted.causation_id, noted.traceparent) == ("tickets", cause, "00-1-2-01")
    assert [each.aggregate for each in result.written] == ["ticket"] == [noted.aggregate]


async def test_of_two_commands_at_the_same_moment_one_is_decided_again(process: Process, other: Process) -> None:
    ticket_id = await opened(process)
    await other.commands.state(ticket, ticket_id)
    results = await asyncio.gather(
        process.commands.execute(CommandRequest(ticket, ticket_id, AddNote(note="one"), SERVICE_ACTOR)),
        other.commands.execute(CommandRequest(ticket, ticket_id, AddNote(note="two"), SERVICE_ACTOR)),
    )
    assert {result.sequence for result in results} == {2, 3}
    assert len((await process.commands.state(ticket, ticket_id)).state.notes) == 2


async def test_of_two_commands_that_expect_a_version_one_wins(process: Process, other: Process) -> None:
    ticket_id = await opened(process)
    outcomes = await asyncio.gather(
        process.commands.execute(CommandRequest(ticket, ticket_id, AddNote(note="one"), SERVICE_ACTOR, expected=1)),
        other.commands.execute(CommandRequest(ticket, ticket_id, AddNote(note="two"), SERVICE_ACTOR, expected=1)),
        return_exceptions=True,
    )
    stale = [outcome for outcome in outcomes if isinstance(outcome, StaleVersion)]
    assert [(refusal.expected, refusal.actual) for refusal in stale] == [(1, 2)]
    assert await history(process, ticket_id) == ["ticket-opened", "note-added"]


async def test_fifty_rivals_on_one_aggregate_all_get_through(process: Process, other: Process) -> None:
    ticket_id = await opened(process)
    results = await asyncio.gather(
        *(
            (process, other)[number % 2].commands.execute(
                CommandRequest(ticket, ticket_id, AddNote(note=str(number)), SERVICE_ACTOR)
            )
            for number in range(50)
        )
    )
    assert sorted(result.sequence for result in results) == list(range(2, 52))


async def test_rivals_for_a_number_of_another_aggregate_get_one_each(process: Process) -> None:
    tickets = [await opened(process) for _ in range(20)]
    await asyncio.gather(
        *(
            process.commands.execute(CommandRequest(ticket, one, CloseTicket(numbered=True), SERVICE_ACTOR))
            for one in tickets
        )
    )
    states = [(await process.commands.state(ticket, one)).state for one in tickets]
    assert sorted(state.number for state in states) == list(range(1, 21))
    assert (await process.commands.state(counter, COUNTER)).sequence == 20


async def test_a_cached_aggregate_costs_one_round_trip(process: Process) -> None:
    ticket_id = await opened(process)
    asked: list[str] = []
    async with AsyncExitStack() as connections:
        for _ in range(process.pool.get_max_size()):
            connection = await connections.enter_async_context(process.pool.acquire())
            connection.add_query_logger(lambda query: asked.append(query.query))
    await process.commands.execute(CommandRequest(ticket, ticket_id, AddNote(note="quick"), SERVICE_ACTOR))
    assert [query for query in asked if "pg_notify" not in query] == [CALL]


async def test_what_another_process_appended_is_met(process: Process, other: Process) -> None:
    ticket_id = await opened(process)
    await other.commands.execute(CommandRequest(ticket, ticket_id, CloseTicket(), SERVICE_ACTOR))
    with pytest.raises(Rejected) as refusal:
        await process.commands.execute(CommandRequest(ticket, ticket_id, AddNote(note="late"), SERVICE_ACTOR))
    assert refusal.value.code == "not-in-this-state"


async def test_what_is_already_so_succeeds_without_events(process: Process, other: Process) -> None:
    ticket_id = await opened(process)
    first = await other.commands.execute(CommandRequest(ticket, ticket_id, CloseTicket(), SERVICE_ACTOR))
    again = await process.commands.execute(CommandRequest(ticket, ticket_id, CloseTicket(), SERVICE_ACTOR))
    assert (again.sequence, again.position, again.events) == (first.sequence, first.position, ())
    assert first.events == (TicketClosed(ticket_id=ticket_id),)


async def test_what_does_not_exist_is_not_found(process: Process) -> None:
    with pytest.raises(NotFound):
        await process.commands.execute(CommandRequest(ticket, new_id(), AddNote(note="?"), SERVICE_ACTOR))


async def test_an_aggregate_is_created_once(process: Process, other: Process) -> None:
    ticket_id = new_id()
    outcomes = await asyncio.gather(
        process.commands.execute(CommandRequest(ticket, ticket_id, OpenTicket(email="a@example.com"), SERVICE_ACTOR)),
        other.commands.execute(CommandRequest(ticket, ticket_id, OpenTicket(email="b@example.com"), SERVICE_ACTOR)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [Rejected]
    assert await history(process, ticket_id) == ["ticket-opened"]


async def test_outside_the_read_scope_nothing_is_there(process: Process) -> None:
    ticket_id = await opened(process, owner=ANN.member)
    with pytest.raises(NotFound):
        await process.commands.execute(CommandRequest(ticket, ticket_id, AddNote(note="mine?"), BOB))


async def test_who_sees_but_may_not_learns_why(process: Process) -> None:
    ticket_id = await opened(process, owner=ANN.member)
    with pytest.raises(Forbidden) as refusal:
        await process.commands.execute(CommandRequest(ticket, ticket_id, AddNote(note="count"), FINANCE))
    assert refusal.value.reason.startswith("This takes one of the roles ")
    assert "rep" in refusal.value.reason
    assert (await process.commands.execute(CommandRequest(ticket, ticket_id, AddNote(note="mine"), ANN))).sequence == 2


async def test_nobody_creates_what_they_could_not_change(process: Process) -> None:
    with pytest.raises(Forbidden):
        await process.commands.execute(
            CommandRequest(ticket, new_id(), OpenTicket(email="x@example.com", owner=ANN.member), BOB)
        )
    await process.commands.execute(
        CommandRequest(ticket, new_id(), OpenTicket(email="x@example.com", owner=BOB.member), BOB)
    )


async def test_many_commands_keep_the_order_of_each_aggregate(process: Process) -> None:
    ids = [new_id() for _ in range(300)]
    opening = [OpenTicket(email=f"{one}@example.com", due=date(2026, 1, 1)) for one in ids]
    following = [command for command in (AddNote(note="1"), CloseTicket(), AddNote(note="2")) for _ in ids]
    requests = [
        CommandRequest(aggregate=ticket, aggregate_id=one, command=command, actor=SERVICE_ACTOR, imported=True)
        for one, command in zip(ids * 4, [*opening, *following], strict=True)
    ]
    answers = await process.commands.execute_many(requests)
    assert [type(answer) for answer in answers] == [CommandResult] * 900 + [Rejected] * 300
    events = (await process.log.read(0, 2000)).events
    assert len(events) == 900
    assert all(isinstance(event, Envelope) and event.imported for event in events)
    assert await process.pool.fetchval("select count(*) from timer") == 0


async def test_what_a_batch_saw_in_the_beginning_never_overrules_what_others_did_since(
    process: Process, other: Process
) -> None:
    """Both read the same aggregates at once; the counter gives every number once, and nothing happens twice."""
    ids = [new_id() for _ in range(60)]
    commands = [*(OpenTicket(email=f"{one}@example.com") for one in ids), *(CloseTicket(numbered=True) for _ in ids)]
    requests = [
        CommandRequest(aggregate=ticket, aggregate_id=one, command=command, actor=SERVICE_ACTOR)
        for one, command in zip(ids * 2, commands, strict=True)
    ]
    await asyncio.gather(process.commands.execute_many(requests), other.commands.execute_many(requests))
    events = [event for event in (await process.log.read(0, 1000)).events if isinstance(event, Envelope)]
    for kind in ("tickets.ticket-opened", "tickets.ticket-closed"):
        assert sorted(str(event.aggregate_id) for event in events if event.type == kind) == sorted(map(str, ids))
    numbers = [event.data.number for event in events if event.type == "tickets.number-taken"]
    assert numbers == list(range(1, len(ids) + 1))


async def test_a_failing_batch_harms_nobody_else(process: Process) -> None:
    """An error in the database undoes a whole batch; each command is then tried alone."""
    ids = [await opened(process) for _ in range(8)]
    await process.pool.execute(
        """create function trip() returns trigger language plpgsql as $$
           begin if new.data::text like '%2031-01-01%' then raise exception 'tripped'; end if; return new; end $$;
           create trigger trip before insert on event for each row execute function trip()"""
    )
    outcomes = await asyncio.gather(
        *(
            process.commands.execute(
                CommandRequest(ticket, one, Postpone(due=date(2031 if place == 3 else 2030, 1, 1)), SERVICE_ACTOR)
            )
            for place, one in enumerate(ids)
        ),
        return_exceptions=True,
    )
    assert [isinstance(outcome, CommandResult) for outcome in outcomes] == [place != 3 for place in range(8)]
    assert not isinstance(outcomes[3], Refused)
    assert await history(process, ids[3]) == ["ticket-opened"]


async def test_what_a_batch_remembers_refuses_no_command_that_is_possible_by_now(
    process: Process, other: Process
) -> None:
    """What a batch read ahead may be old: a refusal on it is looked at again, on what is there now."""
    ticket_id, batch = new_id(), BatchCache()
    batch.keep(ticket, ticket_id, await process.commands.state(ticket, ticket_id))
    opening = OpenTicket(email=f"{ticket_id}@example.com")
    await other.commands.execute(CommandRequest(ticket, ticket_id, opening, SERVICE_ACTOR))
    note = CommandRequest(ticket, ticket_id, AddNote(note="later"), SERVICE_ACTOR)
    assert (await process.commands.execute(note, batch)).sequence == 2


async def test_a_failure_of_many_commands_is_told_as_that_of_one(process: Process) -> None:
    """Whoever asks answers it as an outage, also where commands are executed side by side."""

    async def away(*_: object) -> Numbers:
        raise ConnectionResetError

    executor = CommandExecutor(
        aggregates=(ticket, counter),
        provides={**PROVIDES, Numbers: away},
        pool=process.pool,
        appender=process.appender,
        streams=StreamCache(process.pool, CODEC),
        codec=CODEC,
        clock=process.clock,
        company=Company(),
        claim_secret=b"only for these tests",
    )
    close = [CommandRequest(ticket, await opened(process), CloseTicket(), SERVICE_ACTOR) for _ in range(3)]
    with pytest.raises(ConnectionResetError):
        await executor.execute_many(close)
