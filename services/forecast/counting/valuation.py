"""Currency translation: what amounts in other currencies come to in the company's, at dated exchange rates. Pure.

An open amount is worth what it is on the day asked about, an outcome what it was on its own day. The rate of a day is
the last one that was published on or before it; none is invented between. What has no rate is left out of every sum,
and counted. Sums are translated by currency and rounded once, so that what they consist of may differ by fractions of
a minor unit from what is shown for each of its parts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Generic, TypeVar

from services.forecast.asking.answers import Unconverted, UsedRate, money, unconverted
from services.forecast.counting.sums import Sum
from shared.domain.exchange import times
from shared.languages.catalogue import Catalogue

ANY_DAY = date(1970, 1, 1)
"""Stands for the day of a rate where none is needed: what is in the company's currency is worth the same on all."""

OfDay = tuple[str, date]
"""A currency, and the day on which its worth is asked for."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What one unit of a currency is worth in the company's, and the day on which that was published; None for the
    company's own."""

    factor: Decimal
    published_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The rates that an answer needs."""

    company: str
    """The currency in which is answered."""
    known: Mapping[OfDay, Rate] = field(default_factory=lambda: MappingProxyType({}))

    def rate(self, currency: str, day: date) -> Rate | None:
        """The rate of a currency on a day; None when there is none."""
        return Rate(Decimal(1)) if currency == self.company else self.known.get((currency, day))

    def worth(self, amount: Decimal, currency: str, day: date) -> Decimal | None:
        """An amount in the company's currency, exactly; None without a rate."""
        rate = self.rate(currency, day)
        return None if rate is None else times(amount, rate.factor)

    def worth_of(self, what: Sum, currency: str, day: date) -> Sum | None:
        """A sum in the company's currency, exactly; None without a rate."""
        rate = self.rate(currency, day)
        if rate is None:
            return None
        return Sum(what.count, times(what.amount, rate.factor), times(what.weighted, rate.factor))

    def factor(self, currency: str, day: date) -> Decimal:
        """What one unit of a currency adds to a sum on a day: nothing without a rate."""
        rate = self.rate(currency, day)
        return Decimal(0) if rate is None else rate.factor

    def table(self, *days: date) -> tuple[list[str], list[list[Decimal | None]]]:
        """The company's currency and all that have a rate, and for each day what one unit of each is worth; None
        without a rate on that day."""
        currencies = sorted({self.company, *(currency for currency, _ in self.known)})
        rates = ([self.rate(currency, day) for currency in currencies] for day in days)
        return currencies, [[None if rate is None else rate.factor for rate in of_day] for of_day in rates]

    def of_day(self, day: date) -> list[tuple[str, Rate]]:
        """The rates of one day, by currency."""
        return sorted((currency, rate) for (currency, of), rate in self.known.items() if of == day)


LeftOut = tuple[str, str]
"""What was left out (`LEFT_OUT`), in which currency."""

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued(Generic[RowT]):
    """Rows whose amounts are in the company's currency, the sums in others that had to be left out, and the rates that
    all rows were translated at, where these are of one day."""

    rows: list[RowT]
    unconverted: Mapping[LeftOut, Sum]
    rates: list[tuple[str, Rate]] = field(default_factory=list)


def merged(*parts: Mapping[LeftOut, Sum]) -> dict[LeftOut, Sum]:
    """What several parts of an answer left out."""
    return added(item for part in parts for item in part.items())


def added(left: Iterable[tuple[LeftOut, Sum]]) -> dict[LeftOut, Sum]:
    """Sums by what was left out."""
    sums: dict[LeftOut, Sum] = {}
    for key, what in left:
        sums[key] = sums.get(key, Sum()) + what
    return sums


def shown_rates(rates: Iterable[tuple[str, Rate]]) -> list[UsedRate]:
    """Rates as an answer tells them."""
    return [
        UsedRate(currency=currency, rate=f"{rate.factor:f}", published_on=rate.published_on)
        for currency, rate in rates
        if rate.published_on is not None
    ]


def shown_left_out(catalogue: Catalogue, left: Mapping[LeftOut, Sum]) -> list[Unconverted]:
    """What was left out, as an answer tells it."""
    return [
        unconverted(catalogue, figure, what.count, money(what.amount, currency))
        for (figure, currency), what in sorted(left.items(), key=lambda item: item[0])
    ]
