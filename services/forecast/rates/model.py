"""The read model of exchange rates: what was known of every rate from when to when (FC-1)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.domain.history import by_thing, history
from shared.events.deals.exchange_rate import ExchangeRatesPublished
from shared.events.envelope import Envelope
from shared.projections.projection import Projection, ProjectionDatabase

DDL = """
create table {view}.rate (
    table_id uuid not null, base text not null, published_on date not null, currency text not null,
    rate numeric not null, known timestamptz not null, known_until timestamptz,
    primary key (table_id, currency, known)
);
create index on {view}.rate (currency, published_on desc);
"""

FACTS = (ExchangeRatesPublished,)


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Fold the tables again that the events belong to: each is of one day, and has hardly ever more than one event."""
    touched = sorted({event.aggregate_id for event in events})
    if not touched:
        return
    await db.execute("delete from {view}.rate where table_id = any($1)", touched)
    rows = []
    for table, facts in by_thing(await db.history(touched)).items():
        told = next(fact.data for fact in facts if isinstance(fact.data, ExchangeRatesPublished))
        place = (table, told.base, told.on)
        rows += [(*place, each.currency, each.rate, each.known, each.known_until) for each in known_rates(facts)]
    await db.executemany("insert into {view}.rate values ($1, $2, $3, $4, $5, $6, $7)", rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRate:
    """How many units of a currency one unit of the base was worth, and from when until when (None: still) that was
    known."""

    currency: str
    rate: Decimal
    known: datetime
    known_until: datetime | None


def known_rates(facts: Sequence[Envelope[Any]]) -> Iterator[KnownRate]:
    """The rates of one table, by when they were known: bitemporal, like everything that history may tell of."""
    moments = sorted({fact.recorded_at for fact in facts})
    then: dict[str, KnownRate] = {}
    for moment in moments:
        now = counting([fact for fact in facts if fact.recorded_at <= moment])
        for currency, held in list(then.items()):
            if now.get(currency) != held.rate:
                yield KnownRate(currency=currency, rate=held.rate, known=held.known, known_until=moment)
                del then[currency]
        for currency, rate in now.items():
            then.setdefault(currency, KnownRate(currency=currency, rate=rate, known=moment, known_until=None))
    yield from then.values()


def counting(facts: Sequence[Envelope[Any]]) -> Mapping[str, Decimal]:
    """The rates that count by these facts, the base among them at one; none when all was taken back."""
    rates: dict[str, Decimal] = {}
    for fact in history(facts):
        rates |= {fact.data.base: Decimal(1), **{each.currency: each.rate for each in fact.data.rates}}
    return rates


PROJECTION = Projection(name="rates", version=1, ddl=DDL, apply=apply, source="journal", events=FACTS)
