"""A repeated request gets its first answer (API-1)."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from shared.commands.request import CommandRequest, CommandResult, ContentDiffers, InFlight, StaleVersion
from shared.domain.rejection import Rejected
from shared.eventstore.append import Idempotency
from shared.eventstore.idempotency import FORGET, IMPORTS, forget_old_answers
from shared.ops.ids import new_id
from shared.testing.transactions import long_transaction
from tests.shared.eventstore.conftest import Process
from tests.shared.eventstore.tickets import SERVICE_ACTOR, AddNote, CloseTicket, OpenTicket, ticket

KEY = Idempotency(principal="ann", operation="addNoteTicket", key="k-1", request_hash=b"content")
LOCK = "select pg_advisory_xact_lock(hashtextextended(concat_ws(chr(31), 'key', $1::text, $2::text, $3::text), 0))"


@pytest.fixture
async def ticket_id(process: Process) -> UUID:
    ticket_id = new_id()
    await process.commands.execute(
        CommandRequest(ticket, ticket_id, OpenTicket(email="ann@example.com"), SERVICE_ACTOR)
    )
    return ticket_id


async def noted(process: Process, ticket_id: UUID, key: Idempotency = KEY) -> CommandResult:
    return await process.commands.execute(
        CommandRequest(ticket, ticket_id, AddNote(note="n"), SERVICE_ACTOR, idempotency=key)
    )


async def test_a_repeat_gets_the_first_answer_and_does_nothing(process: Process, ticket_id: UUID) -> None:
    """API-1"""
    first = await noted(process, ticket_id)
    again = await noted(process, ticket_id)
    assert again == replace(first, replayed=True, streams=())
    assert await process.log.head() == 2


async def test_two_processes_with_the_same_key_give_one_effect(
    process: Process, other: Process, ticket_id: UUID
) -> None:
    """API-1"""
    for number in range(20):
        key = replace(KEY, key=f"race-{number}")
        outcomes = await asyncio.gather(
            *(noted(one, ticket_id, key) for one in (process, other, process, other)), return_exceptions=True
        )
        first = [outcome for outcome in outcomes if isinstance(outcome, CommandResult) and not outcome.replayed]
        assert len(first) == 1
        for outcome in outcomes:
            assert isinstance(outcome, InFlight) or (
                isinstance(outcome, CommandResult) and outcome.position == first[0].position
            )
    assert await process.log.head() == 21


async def test_the_key_with_other_content_is_refused(process: Process, ticket_id: UUID) -> None:
    """API-1"""
    await noted(process, ticket_id)
    with pytest.raises(ContentDiffers):
        await noted(process, ticket_id, replace(KEY, request_hash=b"other"))


async def test_the_key_belongs_to_a_principal_and_an_operation(process: Process, ticket_id: UUID) -> None:
    await noted(process, ticket_id)
    assert not (await noted(process, ticket_id, replace(KEY, principal="bob"))).replayed
    assert not (await noted(process, ticket_id, replace(KEY, operation="closeTicket"))).replayed


async def test_a_request_in_flight_is_said_to_be(process: Process, other: Process, ticket_id: UUID) -> None:
    """API-1"""
    async with other.pool.acquire() as connection, long_transaction(connection):
        await connection.execute(LOCK, KEY.principal, KEY.operation, KEY.key)
        with pytest.raises(InFlight):
            await noted(process, ticket_id)
    assert not (await noted(process, ticket_id)).replayed


async def test_a_repeat_is_answered_although_the_command_would_be_refused_now(
    process: Process, other: Process, ticket_id: UUID
) -> None:
    first = await noted(process, ticket_id)
    await process.commands.execute(CommandRequest(ticket, first.aggregate_id, CloseTicket(), SERVICE_ACTOR))
    assert (await noted(process, ticket_id)).sequence == first.sequence
    assert (await noted(other, ticket_id)).replayed
    with pytest.raises(Rejected):
        await noted(process, ticket_id, replace(KEY, key="k-2"))


async def test_a_repeat_is_answered_although_its_version_is_old_now(process: Process, ticket_id: UUID) -> None:
    first_id = (await noted(process, ticket_id)).aggregate_id
    again = await process.commands.execute(
        CommandRequest(ticket, first_id, AddNote(note="n"), SERVICE_ACTOR, expected=1, idempotency=KEY)
    )
    assert again.replayed
    with pytest.raises(StaleVersion):
        await process.commands.execute(CommandRequest(ticket, first_id, AddNote(note="n"), SERVICE_ACTOR, expected=1))


async def test_a_success_without_events_is_kept_as_well(process: Process, ticket_id: UUID) -> None:
    closing = replace(KEY, operation="closeTicket")
    first = await process.commands.execute(CommandRequest(ticket, ticket_id, CloseTicket(), SERVICE_ACTOR))
    for replayed in (False, True):
        result = await process.commands.execute(
            CommandRequest(ticket, first.aggregate_id, CloseTicket(), SERVICE_ACTOR, idempotency=closing)
        )
        assert (result.replayed, result.sequence, result.position) == (replayed, first.sequence, first.position)


async def test_a_repeat_says_everywhere_that_the_first_time_wrote(
    process: Process, other: Process, ticket_id: UUID
) -> None:
    """API-2: a repeated request has the same token, so that readers wait for the same."""
    closing = CommandRequest(
        ticket, ticket_id, CloseTicket(numbered=True), SERVICE_ACTOR, idempotency=replace(KEY, operation="closeTicket")
    )
    first = await process.commands.execute(closing)
    assert [each.aggregate for each in first.written] == ["ticket", "counter"]
    for again in (await process.commands.execute(closing), await other.commands.execute(closing)):
        assert (again.replayed, again.written) == (True, first.written)


async def test_a_refusal_is_not_kept(process: Process, ticket_id: UUID) -> None:
    """API-1: only successes are stored."""
    stale = noted_at_version_nine(process, ticket_id)
    with pytest.raises(StaleVersion):
        await stale
    assert not (await noted(process, ticket_id)).replayed


async def noted_at_version_nine(process: Process, ticket_id: UUID) -> CommandResult:
    return await process.commands.execute(
        CommandRequest(
            ticket,
            ticket_id,
            AddNote(note="n"),
            SERVICE_ACTOR,
            expected=9,
            idempotency=KEY,
        )
    )


async def test_old_answers_are_forgotten(process: Process, ticket_id: UUID) -> None:
    await noted(process, ticket_id)
    assert await forget_old_answers(process.pool) == 0
    await process.pool.execute("update idempotency set created_at = created_at - interval '8 days'")
    assert await forget_old_answers(process.pool, timedelta(days=7)) == 1
    assert not (await noted(process, ticket_id)).replayed


async def test_answers_to_imports_stay_and_are_not_gone_through(process: Process, ticket_id: UUID) -> None:
    """API-1: millions of them may lie beside the few that are forgotten."""
    await noted(process, ticket_id)
    await process.pool.execute(
        "update idempotency set principal = $1, created_at = created_at - interval '8 days'", IMPORTS
    )
    assert await forget_old_answers(process.pool) == 0
    async with process.pool.acquire() as connection, connection.transaction():
        await connection.execute("set local enable_seqscan = off")
        plan = await connection.fetch(f"explain {FORGET}", timedelta(days=7), 5000)
    assert any("idempotency_forgotten" in row[0] for row in plan), plan


async def test_a_key_whose_answer_was_forgotten_stands_for_a_new_request(process: Process, ticket_id: UUID) -> None:
    """API-1: ids derive from the accepted request; from the key, two requests a week apart would share them."""
    await noted(process, ticket_id)
    first = await process.pool.fetchval("delete from idempotency returning command_id")
    await noted(process, ticket_id)
    second = await process.pool.fetchval("select command_id from idempotency")
    caused = await process.pool.fetch(
        "select causation_id from event where type = 'tickets.note-added' order by position"
    )
    assert [row["causation_id"] for row in caused] == [first, second]
    assert (first.version, second.version, first == second) == (7, 7, False)
