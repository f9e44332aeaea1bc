"""The read model of exchange rates: every rate as published, with its corrections (FC-1)."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from shared.events.deals.exchange_rate import ExchangeRateFactRetracted, ExchangeRatesPublished
from shared.events.envelope import Envelope
from shared.projections.projection import Projection, ProjectionDatabase

DDL = """
create table {view}.rate (
    table_id uuid not null, base text not null, published_on date not null, currency text not null,
    rate numeric not null, sequence bigint not null, known timestamptz not null, request uuid not null,
    retracted timestamptz, primary key (table_id, currency, sequence)
);
create index on {view}.rate (currency, published_on desc);
"""

FACTS = (ExchangeRatesPublished,)


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Every rate is kept, also what was corrected or taken back, so that a past question meets those of its time. The
    base stands among the currencies of its table, at one."""
    await db.executemany(
        "insert into {view}.rate values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
        [row for event in events for row in _rows(event)],
    )
    await db.executemany(
        "update {view}.rate set retracted = $3 where (table_id, request) = ($1, $2)",
        [
            (event.aggregate_id, event.data.request, event.recorded_at)
            for event in events
            if isinstance(event.data, ExchangeRateFactRetracted)
        ],
    )


def _rows(event: Envelope[Any]) -> Iterator[tuple[Any, ...]]:
    if isinstance(told := event.data, ExchangeRatesPublished):
        for currency, rate in [(told.base, Decimal(1)), *((each.currency, each.rate) for each in told.rates)]:
            place = (told.table_id, told.base, told.on, currency, rate)
            yield (*place, event.sequence, event.recorded_at, event.causation_id)


PROJECTION = Projection(name="rates", version=1, ddl=DDL, apply=apply, source="journal", events=FACTS)
