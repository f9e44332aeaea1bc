"""Long streams that are written for the bench are what their owners would load."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal

import asyncpg
import pytest

from services.receivables.app import SERVICE
from services.receivables.domain.ledger import ledger
from services.receivables.domain.ledger.state import OpenLedger, content
from services.receivables.domain.numbers import RunningNumberSeries, number_series
from shared.events.codec import Codec
from shared.eventstore.pool import create_pool
from shared.eventstore.snapshots import LARGE
from shared.eventstore.streams import StreamCache
from shared.service.definition import registry_for
from shared.testing.servers import DatabaseServer
from tests.bench.fill.streams import SERIES, Books, events_of, settle, write_books, write_series

NOW = datetime(2026, 3, 16, 10, tzinfo=UTC)


def books(name: str, **numbers: int) -> Books:
    return Books(name=name, currency="EUR", today=date(2026, 3, 16), **numbers)


def test_as_many_invoices_are_open_as_were_asked_for() -> None:
    asked = books("all", credits=2, waiting=3, settled=4)
    state = ledger.fold(events_of(asked))
    assert isinstance(state, OpenLedger)
    assert len(list(events_of(asked))) == asked.length == 17
    assert (len(state.invoices), len(state.receipts)) == (7, 6)
    assert [each.open.amount > 0 for each in state.invoices] == [True] * 3 + [False] * 4
    assert state.unapplied.amount == Decimal(200)


@pytest.fixture
async def store(postgres: DatabaseServer) -> AsyncIterator[asyncpg.Pool]:
    url = await postgres.create_database("streams", await postgres.migrated())
    async with await create_pool(url, name="receivables") as pool:
        yield pool


async def test_their_owner_loads_what_was_written(store: asyncpg.Pool) -> None:
    one, other = books("one", credits=600, waiting=600, settled=3), books("other", waiting=20)
    async with store.acquire() as connection:
        await write_books(connection, [one, other], NOW)
        await write_series(connection, 30)
        await settle(connection)
    # The second time the longer one is read from its snapshot, which the first has kept.
    for _ in ("folded", "from a snapshot"):
        states = StreamCache(store, Codec(registry_for(SERVICE)))
        for each in (one, other):
            held = await states.load(ledger, each.id)
            assert held.sequence == each.length
            assert content(held.state) == content(ledger.fold(events_of(each)))
        await states.close()
    assert await store.fetchval("select length(state) from snapshot where aggregate_id = $1", one.id) > LARGE
    series = (await states.load(number_series, SERIES)).state
    assert series == RunningNumberSeries(id=SERIES, legal_entity="BENCH", last=30)
    assert await store.fetchval("select position from relay") == one.length + other.length + 30
