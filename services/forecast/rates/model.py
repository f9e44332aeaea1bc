"""The read model of exchange rates: every table of a day as published, with what corrects it (FC-1)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.domain.history import by_thing, place_of
from shared.events.chronology import in_order
from shared.events.deals.exchange_rate import ExchangeRateFactRetracted, ExchangeRatesPublished
from shared.events.envelope import Envelope
from shared.projections.projection import Projection, ProjectionDatabase

DDL = """
create table {view}.publication (
    table_id uuid not null, sequence bigint not null, base text not null, published_on date not null,
    place integer not null, known timestamptz not null, fact text, request uuid not null, retracted timestamptz,
    primary key (table_id, sequence)
);
create table {view}.rate (
    table_id uuid not null, sequence bigint not null, currency text not null, published_on date not null,
    rate numeric not null, primary key (table_id, currency, sequence)
);
create index on {view}.rate (currency, published_on desc);
"""

FACTS = (ExchangeRatesPublished,)


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Everything that was published is kept, also what was corrected or taken back, so that a past question meets what
    was known then; `place` is where it stands among what was published of its day. The base stands among the
    currencies of its table, at one."""
    told = [event for event in events if isinstance(event.data, ExchangeRatesPublished)]
    await db.executemany(
        "insert into {view}.publication values ($1, $2, $3, $4, 0, $5, $6, $7) on conflict do nothing",
        [
            (
                event.aggregate_id,
                event.sequence,
                event.data.base,
                event.data.on,
                event.recorded_at,
                event.fact,
                event.causation_id,
            )
            for event in told
        ],
    )
    await db.executemany(
        "insert into {view}.rate values ($1, $2, $3, $4, $5) on conflict do nothing",
        [
            (event.aggregate_id, event.sequence, currency, event.data.on, rate)
            for event in told
            for currency, rate in rates_of(event.data).items()
        ],
    )
    if further := sorted({event.aggregate_id for event in told if event.sequence > 1}):
        await _place(db, further)
    await db.executemany(
        "update {view}.publication set retracted = $3 where (table_id, request) = ($1, $2)",
        [
            (event.aggregate_id, event.data.request, event.recorded_at)
            for event in events
            if isinstance(event.data, ExchangeRateFactRetracted)
        ],
    )


def rates_of(published: ExchangeRatesPublished) -> Mapping[str, Decimal]:
    """How many units of each currency one unit of the base is worth."""
    return {published.base: Decimal(1), **{each.currency: each.rate for each in published.rates}}


async def _place(db: ProjectionDatabase, tables: Sequence[UUID]) -> None:
    """Put what was published of each day into the order in which it counts, whatever the order of its telling."""
    facts = [fact for fact in await db.history(tables) if isinstance(fact.data, ExchangeRatesPublished)]
    await db.executemany(
        "update {view}.publication set place = $3 where (table_id, sequence) = ($1, $2)",
        [
            (table, fact.sequence, place)
            for table, own in by_thing(facts).items()
            for place, fact in enumerate(in_order(own, place_of))
        ],
    )


PROJECTION = Projection(name="rates", version=1, ddl=DDL, apply=apply, source="journal", events=FACTS)
