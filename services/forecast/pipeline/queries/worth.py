"""What deals and figures are worth in the company's currency: open ones at the rate of the day asked about, closed ones
at that of their own day; and what has no rate (FC-1)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from services.forecast.asking.question import Question
from services.forecast.counting.sums import Sum
from services.forecast.counting.valuation import LeftOut, Rate, Rates, Valued, added
from services.forecast.pipeline.queries.totals import ANY, ClosedRow, OpenRow, Wanted, closed_rows, open_rows
from services.forecast.pipeline.timeline import DealState
from services.forecast.rates.queries import rates_of
from shared.domain.context import Company
from shared.domain.exchange import times
from shared.projections.read_snapshot import ReadSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class DealWorth:
    """A deal, and what it is worth in the company's currency, exactly, at which rate."""

    state: DealState
    rate: Rate

    @property
    def amount(self) -> Decimal:
        """All of it."""
        return times(self.state.amount, self.rate.factor)

    @property
    def weighted(self) -> Decimal:
        """What is expected of it while it is open."""
        return times(self.state.weighted, self.rate.factor)


def worth_of_deals(states: Iterable[DealState], rates: Rates, today: date) -> Iterator[DealWorth]:
    """Deals with their worth; those without a rate are left out."""
    for state in states:
        rate = rates.rate(state.currency, state.closed_on or today)
        if rate is not None:
            yield DealWorth(state=state, rate=rate)


async def open_worth(reading: ReadSnapshot, asked: Question, company: Company, wanted: Wanted = ANY) -> Valued[OpenRow]:
    """The open pipeline in the company's currency, at the rates of the day asked about."""
    rows = await open_rows(reading("deals"), asked, company, wanted)
    today = company.day(asked.as_of)
    rates = await rates_of(reading, asked, company.currency, ((row.currency, today) for row in rows))
    return worth_of_open(rows, rates, today)


async def closed_worth(  # noqa: PLR0917
    reading: ReadSnapshot, asked: Question, company: Company, first: date, last: date, wanted: Wanted = ANY
) -> Valued[ClosedRow]:
    """What was closed in the company's currency, each outcome at the rate of its own day."""
    rows = await closed_rows(reading("deals"), asked, company, first, last, wanted=wanted)
    rates = await rates_of(reading, asked, company.currency, ((row.currency, row.valued_on) for row in rows))
    return worth_of_closed(rows, rates)


def worth_of_open(rows: Iterable[OpenRow], rates: Rates, today: date) -> Valued[OpenRow]:
    """Rows of open deals in the company's currency, and those for which there is no rate."""
    valued, left = list[OpenRow](), list[tuple[LeftOut, Sum]]()
    for row in rows:
        what = Sum(row.count, row.amount, row.weighted)
        worth = rates.worth_of(what, row.currency, today)
        if worth is None:
            left.append((("open-deals", row.currency), what))
        else:
            valued.append(replace(row, amount=worth.amount, weighted=worth.weighted))
    used = {row.currency for row in valued}
    return Valued(
        rows=valued,
        unconverted=added(left),
        rates=[(currency, rate) for currency, rate in rates.of_day(today) if currency in used],
    )


def worth_of_closed(rows: Iterable[ClosedRow], rates: Rates) -> Valued[ClosedRow]:
    """Rows of closed deals in the company's currency, and those for which there is no rate."""
    valued, left = list[ClosedRow](), list[tuple[LeftOut, Sum]]()
    for row in rows:
        worth = rates.worth(row.amount, row.currency, row.valued_on)
        if worth is None:
            left.append((("closed-deals", row.currency), Sum(row.count, row.amount)))
        else:
            valued.append(replace(row, amount=worth))
    return Valued(rows=valued, unconverted=added(left))
