"""Personal data stands beside the log and can be erased; figures stay (DATA-4)."""

from uuid import UUID

import pytest

from shared.commands.request import CommandRequest
from shared.events.envelope import Envelope
from shared.eventstore.claims import ClaimHasher
from shared.ops.ids import new_id
from shared.testing.servers import personal_rows
from tests.shared.eventstore.conftest import Process
from tests.shared.eventstore.tickets import SERVICE_ACTOR, AddNote, CloseTicket, Erase, OpenTicket, ticket


async def opened(process: Process, email: str = "ann@example.com") -> UUID:
    ticket_id = new_id()
    await process.commands.execute(CommandRequest(ticket, ticket_id, OpenTicket(email=email), SERVICE_ACTOR))
    return ticket_id


async def emails(process: Process) -> list[str | None]:
    events = (await process.log.read(0, 10)).events
    return [
        event.data.email for event in events if isinstance(event, Envelope) and event.type == "tickets.ticket-opened"
    ]


async def test_what_is_personal_is_not_in_the_log_and_not_on_topics(process: Process) -> None:
    """DATA-4"""
    await opened(process)
    published = (await process.log.read_raw(0, 10)).events
    assert "ann" not in published[0].data
    assert "ann" not in await process.pool.fetchval("select string_agg(event::text, '') from event")
    assert await emails(process) == ["ann@example.com"]


async def test_erasing_a_person_deletes_the_data_and_keeps_the_facts(process: Process, other: Process) -> None:
    """DATA-4"""
    ann, bob = await opened(process), await opened(process, "bob@example.com")
    await process.commands.execute(CommandRequest(ticket, ann, AddNote(note="likes tea"), SERVICE_ACTOR))
    assert await personal_rows(process.pool, ann) == 2
    await process.commands.execute(CommandRequest(ticket, ann, Erase(), SERVICE_ACTOR))
    assert [await personal_rows(process.pool, person) for person in (ann, bob)] == [0, 1]
    assert await emails(process) == [None, "bob@example.com"]
    assert (await process.commands.state(ticket, ann)).state.email is None
    assert (await other.commands.state(ticket, ann)).state.email is None
    assert (await process.commands.state(ticket, ann)).sequence == 3


async def test_erasing_a_person_frees_their_claims(process: Process) -> None:
    """DATA-4"""
    ann = await opened(process)
    await process.commands.execute(CommandRequest(ticket, ann, Erase(), SERVICE_ACTOR))
    assert await process.pool.fetchval("select count(*) from claim") == 0


async def test_an_erasure_that_is_refused_erases_nothing(process: Process, other: Process) -> None:
    ann = await opened(process)
    await other.commands.execute(CommandRequest(ticket, ann, CloseTicket(), SERVICE_ACTOR))
    with pytest.raises(Exception, match="version is 2"):
        await process.commands.execute(CommandRequest(ticket, ann, Erase(), SERVICE_ACTOR, expected=1))
    assert await personal_rows(process.pool, ann) == 1


def test_a_keyed_hash_depends_on_secret_kind_and_key() -> None:
    hashed = ClaimHasher(b"0123456789abcdef")
    assert hashed("email", "a") == hashed("email", "a")
    assert len({hashed("email", "a"), hashed("phone", "a"), hashed("email", "b")}) == 3
    assert ClaimHasher(b"another secret of it")("email", "a") != hashed("email", "a")
    with pytest.raises(ValueError, match="16 bytes"):
        ClaimHasher(b"short")
