"""A refusal that is put on record: the command is refused as any other, and it is a fact that it was (DEAL-3)."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from shared.commands.request import CommandRequest, StaleVersion
from shared.domain.rejection import Reason, Rejected, all_at_once
from shared.eventstore.append import Idempotency
from tests.shared.eventstore.conftest import Process
from tests.shared.eventstore.test_executor import opened
from tests.shared.eventstore.tickets import SERVICE_ACTOR, AddNote, Refund, ticket

KEY = Idempotency(principal="ann", operation="refundTicket", key="k-1", request_hash=b"content")


def refund(ticket_id: UUID) -> CommandRequest:
    return CommandRequest(ticket, ticket_id, Refund(), SERVICE_ACTOR)


async def history(process: Process, ticket_id: UUID) -> list[str]:
    """What is stored of a ticket; the log would wait until everything before it is final."""
    rows = await process.pool.fetch("select type from event where aggregate_id = $1 order by sequence", ticket_id)
    return [row["type"].removeprefix("tickets.") for row in rows]


async def refused(process: Process, request: CommandRequest) -> Rejected:
    with pytest.raises(Rejected, match="Nobody noted why") as raised:
        await process.commands.execute(request)
    return raised.value


async def test_a_refusal_is_recorded_once_and_says_where_the_stream_stands(process: Process) -> None:
    ticket_id = await opened(process)
    assert (await refused(process, refund(ticket_id))).sequence == 2
    assert (await refused(process, refund(ticket_id))).sequence is None
    assert await history(process, ticket_id) == ["ticket-opened", "refund-refused"]
    assert (await process.commands.state(ticket, ticket_id)).state.refund_refused


async def test_who_read_the_version_before_the_refusal_is_told_the_new_one(process: Process) -> None:
    ticket_id = await opened(process)
    asked = replace(refund(ticket_id), expected=1)
    told = (await refused(process, asked)).sequence
    with pytest.raises(StaleVersion):
        await process.commands.execute(asked)
    assert (await refused(process, replace(asked, expected=told))).sequence is None


async def test_the_key_of_what_was_refused_carries_it_out_later(process: Process) -> None:
    """API-1: an answer is remembered for what was done, and a refusal is no such answer."""
    ticket_id = await opened(process)
    asked = replace(refund(ticket_id), idempotency=KEY)
    await refused(process, asked)
    await process.commands.execute(CommandRequest(ticket, ticket_id, AddNote(note="why"), SERVICE_ACTOR))
    first = await process.commands.execute(asked)
    assert (await process.commands.execute(asked)).replayed
    assert (first.sequence, (await history(process, ticket_id))[-1]) == (4, "money-refunded")


async def test_of_refusals_at_the_same_moment_one_is_recorded(process: Process, other: Process) -> None:
    for _ in range(10):
        ticket_id = await opened(process)
        outcomes = await asyncio.gather(
            *(one.commands.execute(refund(ticket_id)) for one in (process, other, process, other)),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [Rejected] * 4
        assert await history(process, ticket_id) == ["ticket-opened", "refund-refused"]


async def test_a_refusal_is_decided_on_what_is_so_and_not_on_what_is_remembered(
    process: Process, other: Process
) -> None:
    ticket_id = await opened(process)
    await process.commands.state(ticket, ticket_id)
    await other.commands.execute(CommandRequest(ticket, ticket_id, AddNote(note="why"), SERVICE_ACTOR))
    await process.commands.execute(refund(ticket_id))
    assert await history(process, ticket_id) == ["ticket-opened", "note-added", "money-refunded"]


async def test_in_a_batch_a_refusal_is_recorded_and_what_follows_is_decided_on_it(process: Process) -> None:
    ticket_id = await opened(process)
    note = CommandRequest(ticket, ticket_id, AddNote(note="why"), SERVICE_ACTOR)
    answers = await process.commands.execute_many([refund(ticket_id), refund(ticket_id), note, refund(ticket_id)])
    assert [isinstance(answer, Rejected) for answer in answers] == [True, True, False, False]
    assert await history(process, ticket_id) == ["ticket-opened", "refund-refused", "note-added", "money-refunded"]


def test_with_further_reasons_it_stays_on_record() -> None:
    fact = object()
    reason = Reason(code="other", message="And that.")
    assert Rejected("no", "No.", on_record=[fact]).along_with([reason]).on_record == (fact,)

    def first() -> None:
        raise Rejected("no", "No.", on_record=[fact])

    def second() -> None:
        raise Rejected("nor", "Nor that.")

    with pytest.raises(Rejected) as raised:
        all_at_once(first, second)
    assert (raised.value.on_record, len(raised.value.reasons)) == ((fact,), 2)
