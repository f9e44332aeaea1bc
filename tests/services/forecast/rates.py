"""Exchange rates for tests: tables of a bank with gaps and a correction, and what counting them by hand says."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from services.forecast.asking.question import Question
from services.forecast.counting.valuation import OfDay, Rate, Rates
from shared.domain.context import Company
from shared.events.deals.exchange_rate import ExchangeRate, ExchangeRatesPublished
from shared.events.envelope import Envelope
from tests.services.forecast.facts import fact

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
CURRENCIES = ("EUR", "EUR", "EUR", "USD", "USD", "JPY", "AED")
"""What deals are worth something in: AED has no rate, USD none at first."""

TABLES: Sequence[tuple[int, int, int, dict[str, str]]] = (
    (1, -20, -20, {"JPY": "161.23"}),
    (1, 5, 5, {"JPY": "158.9"}),
    (1, 8, 9, {"USD": "1.0811", "JPY": "163"}),
    (1, 20, 21, {"USD": "1.1607"}),
    (2, 20, 40, {"USD": "1.1507", "JPY": "160.5"}),
    (1, 33, 33, {"USD": "1.2", "JPY": "150"}),
    (1, 60, 61, {"JPY": "170.77"}),
)
"""Number of the table among those of its day, day of publication and of recording after `START`, rates for one EUR."""


def table(
    day: date, rates: dict[str, str], recorded: datetime, *, sequence: int = 1, base: str = "EUR"
) -> Envelope[Any]:
    """A table of a day becomes known."""
    of = uuid5(NAMESPACE_OID, f"{base}/{day}")
    told = tuple(ExchangeRate(currency=currency, rate=Decimal(rate)) for currency, rate in sorted(rates.items()))
    data = ExchangeRatesPublished(table_id=of, base=base, on=day, rates=told)
    made = fact(sequence, data, recorded, recorded, deal=of)
    return replace(made, aggregate="exchange-rate", causation_id=UUID(int=sequence))


def tables() -> list[Envelope[Any]]:
    """All tables, in the order in which they became known."""
    found = [
        table((START + timedelta(days=on)).date(), rates, START + timedelta(days=known), sequence=sequence)
        for sequence, on, known, rates in TABLES
    ]
    return sorted(found, key=lambda one: one.recorded_at)


def by_hand(asked: Question, company: Company, wanted: Iterable[OfDay]) -> Rates:
    """What counting the tables says of currencies and days."""
    known: dict[OfDay, Rate] = {}
    for currency, day in wanted:
        told: dict[date, Decimal] = {}
        for each in tables():
            if each.recorded_at <= asked.known_until and each.data.on <= day:
                rates = {one.currency: one.rate for one in each.data.rates}
                told |= {each.data.on: rates[currency]} if currency in rates else {}
        if told and currency != company.currency:
            known[currency, day] = Rate(Context(prec=28).divide(Decimal(1), told[max(told)]), max(told))
    return Rates(company=company.currency, known=known)


def nearly(amount: Decimal) -> Decimal:
    """A sum of translated amounts, as exactly as sums are kept in Python."""
    return amount.quantize(Decimal("0.000000001"))
