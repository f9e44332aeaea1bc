"""Keys that one aggregate holds at a time (LEAD-2)."""

import asyncio
from uuid import UUID

import pytest

from shared.commands.request import CommandRequest
from shared.domain.rejection import Rejected
from shared.ops.ids import new_id
from tests.shared.eventstore.conftest import Process
from tests.shared.eventstore.tickets import SERVICE_ACTOR, CloseTicket, OpenTicket, ticket


async def opened(process: Process, ticket_id: UUID, *, insist: bool = False) -> None:
    command = OpenTicket(email="ann@example.com", insist=insist)
    await process.commands.execute(CommandRequest(ticket, ticket_id, command, SERVICE_ACTOR))


async def test_captures_at_the_same_moment_give_one_original(process: Process, other: Process) -> None:
    """LEAD-2"""
    ids = [new_id() for _ in range(12)]
    await asyncio.gather(*(opened((process, other)[place % 2], one) for place, one in enumerate(ids)))
    states = {one: (await process.commands.state(ticket, one)).state for one in ids}
    originals = [one for one, state in states.items() if state.duplicate_of is None]
    assert len(originals) == 1
    assert {state.duplicate_of for one, state in states.items() if one not in originals} == set(originals)


async def test_a_claim_that_stays_taken_is_a_refusal(process: Process) -> None:
    await opened(process, new_id())
    loser = new_id()
    with pytest.raises(Rejected) as refusal:
        await opened(process, loser, insist=True)
    assert refusal.value.code == "already-taken"
    assert await process.pool.fetchval("select count(*) from stream_head where aggregate_id = $1", loser) == 0


async def test_a_claim_is_free_again_once_its_holder_lets_go(process: Process) -> None:
    first, second = new_id(), new_id()
    await opened(process, first)
    await process.commands.execute(CommandRequest(ticket, first, CloseTicket(), SERVICE_ACTOR))
    await opened(process, second)
    assert (await process.commands.state(ticket, second)).state.duplicate_of is None


async def test_a_claim_is_stored_as_a_keyed_hash_only(process: Process) -> None:
    """DATA-4"""
    await opened(process, new_id())
    row = await process.pool.fetchrow("select kind, key_hash from claim")
    assert row is not None
    assert row["kind"] == "email"
    assert len(row["key_hash"]) == 32
    assert b"ann" not in row["key_hash"]
