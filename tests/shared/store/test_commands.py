"""The write path on a real database (API-2, API-3)."""

import asyncio
from uuid import UUID

import pytest

from shared.domain.rejection import Rejected
from shared.ops.ids import new_id
from shared.store.append import Idempotency
from shared.store.commands import Commands
from shared.store.errors import Refused, StaleVersion
from shared.store.request import Request, Result
from tests.shared.store.conftest import Process
from tests.shared.store.tickets import (
    COUNTER,
    SERVICE_ACTOR,
    AddNote,
    CloseTicket,
    OpenTicket,
    counter,
    ticket,
)


async def opened(process: Process, email: str = "ann@example.com") -> UUID:
    ticket_id = new_id()
    await process.commands.execute(ticket, ticket_id, OpenTicket(email=email), SERVICE_ACTOR)
    return ticket_id


async def test_a_command_appends_its_events(process: Process) -> None:
    ticket_id = await opened(process)
    result = await process.commands.execute(ticket, ticket_id, AddNote(note="hello"), SERVICE_ACTOR)
    page = await process.log.read(0, 10)
    assert (result.sequence, result.position) == (2, 2)
    assert [(event.sequence, event.type) for event in page.events] == [
        (1, "tickets.ticket-opened"),
        (2, "tickets.note-added"),
    ]
