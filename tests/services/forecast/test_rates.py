"""A currency is worth what was published last on or before the day, as far as it was known (FC-1)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from services.forecast.counting.sums import Sum
from services.forecast.counting.valuation import Rate, Rates, shown_left_out, shown_rates
from services.forecast.rates.queries import rates_of
from shared.events.deals.exchange_rate import ExchangeRateFactRetracted
from shared.languages.shipped import SHIPPED
from tests.services.forecast.conftest import Forecast
from tests.services.forecast.facts import day, fact
from tests.services.forecast.rates import table
from tests.services.forecast.test_changes import ALL

FRIDAY, SATURDAY, MONDAY = date(2026, 3, 13), date(2026, 3, 14), date(2026, 3, 16)
NOW = replace(ALL, as_of=day("2026-03-20"), current=True)


@asynccontextmanager
async def asking(forecast: Forecast) -> AsyncIterator[Any]:
    """`rate(currency, day)` in a company's currency, as known when."""
    async with forecast.reading() as reading:

        async def rate(currency: str, on: date, *, company: str = "EUR", known: str | None = None) -> Rate | None:
            asked = NOW if known is None else replace(NOW, known_at=day(known))
            return (await rates_of(reading, asked, company, [(currency, on)])).rate(currency, on)

        yield rate


async def test_fc_1_the_last_rate_on_or_before_the_day_counts_and_its_day_is_kept(forecast: Forecast) -> None:
    await forecast.journal_facts(
        [table(FRIDAY, {"USD": "1.25"}, day("2026-03-13")), table(MONDAY, {"USD": "1.6"}, day("2026-03-16"))]
    )
    async with asking(forecast) as rate:
        assert await rate("USD", FRIDAY) == Rate(Decimal("0.8"), FRIDAY)
        assert await rate("USD", SATURDAY) == Rate(Decimal("0.8"), FRIDAY), "nothing is invented between two rates"
        assert await rate("USD", MONDAY + timedelta(days=3)) == Rate(Decimal("0.625"), MONDAY)
        assert await rate("USD", FRIDAY - timedelta(days=1)) is None
        assert await rate("AED", MONDAY) is None
        assert await rate("EUR", MONDAY) == Rate(Decimal(1)), "the company's own needs none"


async def test_fc_1_a_correction_counts_from_when_it_was_known_and_may_be_taken_back(forecast: Forecast) -> None:
    first = table(FRIDAY, {"USD": "1.25", "CHF": "0.5"}, day("2026-03-13"))
    correction = table(FRIDAY, {"USD": "1.6"}, day("2026-03-16"), sequence=2)
    gone = ExchangeRateFactRetracted(table_id=first.aggregate_id, request=correction.causation_id)
    back = replace(fact(3, gone, day("2026-03-18"), deal=first.aggregate_id), aggregate="exchange-rate")
    await forecast.journal_facts([first, correction])
    async with asking(forecast) as rate:
        assert await rate("USD", MONDAY) == Rate(Decimal("0.625"), FRIDAY)
        assert await rate("CHF", MONDAY) == Rate(Decimal(2), FRIDAY), "what the correction does not name stays"
        assert await rate("USD", MONDAY, known="2026-03-14") == Rate(Decimal("0.8"), FRIDAY)
    await forecast.journal_facts([back])
    async with asking(forecast) as rate:
        assert await rate("USD", MONDAY) == Rate(Decimal("0.8"), FRIDAY)
        assert await rate("USD", MONDAY, known="2026-03-17") == Rate(Decimal("0.625"), FRIDAY)


async def test_data_5_what_is_told_again_replaces_what_was_told_whole(forecast: Forecast) -> None:
    """A line of history that was corrected names no franc any more; what the desk published after the day stands over
    both, whenever the lines are told."""
    late = day("2026-03-17")
    told = replace(table(FRIDAY, {"USD": "1.25", "CHF": "0.5"}, day("2026-03-14")), fact="told/1", by_day=True)
    again = replace(table(FRIDAY, {"USD": "1.6"}, late, sequence=3), fact="told/1", by_day=True)
    told, again = (replace(each, occurred_at=day("2026-03-13")) for each in (told, again))
    desk = table(FRIDAY, {"JPY": "160"}, day("2026-03-16"), sequence=2)
    await forecast.journal_facts([told, desk])
    async with asking(forecast) as rate:
        assert await rate("CHF", MONDAY) == Rate(Decimal(2), FRIDAY)
    await forecast.journal_facts([again])
    async with asking(forecast) as rate:
        assert await rate("CHF", MONDAY) is None
        assert await rate("USD", MONDAY) == Rate(Decimal("0.625"), FRIDAY)
        assert await rate("JPY", MONDAY) == Rate(Decimal("0.00625"), FRIDAY)
        assert await rate("CHF", MONDAY, known="2026-03-16") == Rate(Decimal(2), FRIDAY)
    other = replace(table(FRIDAY, {"JPY": "150"}, day("2026-03-18"), sequence=4), fact="told/2", by_day=True)
    await forecast.journal_facts([replace(other, occurred_at=day("2026-03-13"))])
    async with asking(forecast) as rate:
        assert await rate("JPY", MONDAY) == Rate(Decimal("0.00625"), FRIDAY), "told of before the desk's"


async def test_fc_1_a_cross_rate_is_of_one_day(forecast: Forecast) -> None:
    """A company in francs, by the tables of a bank that publishes for one euro."""
    await forecast.journal_facts(
        [
            table(FRIDAY, {"USD": "1.25", "CHF": "0.5"}, day("2026-03-13")),
            table(MONDAY, {"USD": "1.6"}, day("2026-03-16")),
        ]
    )
    async with asking(forecast) as rate:
        assert await rate("USD", MONDAY, company="CHF") == Rate(Decimal("0.4"), FRIDAY), "never of two days"
        assert await rate("EUR", MONDAY, company="CHF") == Rate(Decimal("0.5"), FRIDAY)
        assert await rate("EUR", MONDAY, company="USD") == Rate(Decimal("1.6"), MONDAY)


async def test_fc_1_of_two_tables_of_a_day_that_of_the_company_s_currency_counts(forecast: Forecast) -> None:
    await forecast.journal_facts(
        [
            table(FRIDAY, {"EUR": "0.5"}, day("2026-03-13"), base="USD"),
            table(FRIDAY, {"USD": "1.25"}, day("2026-03-13")),
        ]
    )
    async with asking(forecast) as rate:
        assert await rate("USD", FRIDAY) == Rate(Decimal("0.8"), FRIDAY)


@pytest.mark.parametrize("amount", ["0.01", "1000.00", "999999999999999.99"])
def test_an_amount_is_translated_exactly(amount: str) -> None:
    """Also with more digits than Python's decimals have by default: pages are ordered by the products."""
    factor = Decimal("0.8333333333333333333333333333")
    rates = Rates(company="EUR", known={("USD", FRIDAY): Rate(factor, FRIDAY)})
    found = rates.worth(Decimal(amount), "USD", FRIDAY)
    assert found is not None
    assert Fraction(found) == Fraction(amount) * Fraction(factor)
    assert rates.worth(Decimal(amount), "EUR", FRIDAY) == Decimal(amount)
    assert rates.worth(Decimal(amount), "AED", FRIDAY) is None


def test_what_was_left_out_is_said_in_words() -> None:
    left = {("open-deals", "AED"): Sum(1, Decimal("1200000")), ("invoices", "JPY"): Sum(2, Decimal(900))}
    assert [each.sentence for each in shown_left_out(SHIPPED["en"], left)] == [
        "Left out, for want of an exchange rate: 2 invoices of 900 JPY.",
        "Left out, for want of an exchange rate: 1 open deal of 1,200,000.00 AED.",
    ]
    assert [each.sentence for each in shown_left_out(SHIPPED["de"], left)] == [
        "Mangels Wechselkurs nicht enthalten: 2 Rechnungen über 900\u00a0JPY.",
        "Mangels Wechselkurs nicht enthalten: 1 offener Deal über 1.200.000,00\u00a0AED.",
    ]
    assert shown_rates([("EUR", Rate(Decimal(1)))]) == []
