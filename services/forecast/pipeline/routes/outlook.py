"""The forecast of a period: what is won, what is expected, and how far that is from the target (FC-4)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import Query, Response

from services.forecast.asking.answers import Unconverted, UsedRate, money, ratio
from services.forecast.asking.parameters import AskedPeriod, PastQuery
from services.forecast.asking.periods import period
from services.forecast.cash.queries import invoiced
from services.forecast.counting.sums import Sum
from services.forecast.counting.valuation import merged, shown_left_out, shown_rates
from services.forecast.pipeline.queries.totals import (
    WITHOUT_CLOSE_DATE,
    WON_DEALS,
    ClosedRow,
    OpenRow,
    Wanted,
    due_in,
)
from services.forecast.pipeline.queries.worth import closed_worth, open_worth
from services.forecast.pipeline.routes.drilling import DRILLED, DrilledDeals, drilled
from services.forecast.pipeline.timeline import CATEGORIES, OPEN, WON, Category
from services.forecast.targets.queries import target_of
from shared.domain.periods import Period
from shared.domain.roles import READING
from shared.events.definition import words
from shared.events.money import Money
from shared.http.handwritten import answer, handwritten, operation
from shared.http.json import answer_shape
from shared.http.lists.paging import Paged

router = handwritten("forecast")

RollUp = Annotated[
    Literal["cumulative", "single"],
    Query(
        description="cumulative: commit holds closed too, best-case holds commit too, pipeline all; single: each alone."
    ),
]


@answer_shape
class CategoryFigures:
    """The deals of one forecast category and of all that are surer, up to those that are won: they do not add up."""

    category: Annotated[str, words(CATEGORIES)]
    count: int
    amount: Money


@answer_shape
class UndatedFigures:
    """The open deals without an expected close: they count in no period."""

    count: int
    amount: Money
    weighted: Money


@answer_shape
class Outlook:
    """The forecast of a period.

    `weighted` is the sum of amount × configured probability of open deals due in the period; `expected` is won plus
    weighted; `attainment` won ÷ target; `gap` target − won; `coverage` open ÷ gap. Without a target these are null.
    `undated` is what no period has, for want of an expected close; `invoiced` stands beside the bookings. All amounts
    are in the company's currency: open ones at the exchange `rates` of the day asked about, won and invoiced ones at
    the rate of their own day. `unconverted` counts what was left out for want of a rate.
    """

    as_of: datetime
    known_at: datetime | None
    period: str
    first: date
    last: date
    """The first and the last day of the period."""
    currency: str
    rates: list[UsedRate]
    unconverted: list[Unconverted]
    target: Money | None
    """The period's own, else the sum of its quarters, or months."""
    target_missing: list[str]
    """Its quarters and months without a target, where others have one: then the period has none."""
    won: Money
    open: Money
    weighted: Money
    expected: Money
    undated: UndatedFigures
    attainment: Decimal | None
    gap: Money | None
    coverage: Decimal | None
    invoiced: Money
    elapsed: Decimal
    """The share of the period's days that have begun."""
    categories: list[CategoryFigures]


@router.get(
    "/v1/forecast",
    **operation(
        roles=READING,
        reads=("deals", "targets", "cash", "rates"),
        answers=Outlook,
        worded=True,
    ),
)
async def forecast(query: PastQuery, name: AskedPeriod = None, rollup: RollUp = "cumulative") -> Response:
    """What a period will bring: won, weighted and expected against the target.

    Open deals count in the period of their expected close. The probability is the one configured for their stage.
    """
    asked = query.question
    today = query.company.day(asked.as_of)
    wanted = period(name, query.company) if name is not None else query.company.fiscal_year.quarter_of(today)
    async with query.reading() as reading:
        still = await open_worth(reading, asked, query.company, due_in(wanted))
        undated = await open_worth(reading, asked, query.company, WITHOUT_CLOSE_DATE)
        ended = await closed_worth(reading, asked, query.company, wanted.first, wanted.last, WON_DEALS)
        goal = await target_of(reading("targets"), asked, wanted)
        billed = await invoiced(reading, asked, query.company, wanted.first, wanted.last)
        parked = reading.parked
    open_deals, closed = still.rows, ended.rows
    begun, whole = wanted.elapsed(today)
    won = sum((row.amount for row in closed if row.won), Decimal(0))
    weighted = sum((row.weighted for row in open_deals), Decimal(0))
    still_open = sum((row.amount for row in open_deals), Decimal(0))
    target = goal.amount
    gap = None if target is None else target - won
    currency = query.currency
    return answer(
        Outlook(
            as_of=asked.as_of,
            known_at=asked.known_at,
            period=wanted.name,
            first=wanted.first,
            last=wanted.last,
            currency=currency,
            rates=shown_rates(sorted(dict([*still.rates, *undated.rates]).items())),
            unconverted=shown_left_out(
                query.words,
                merged(still.unconverted, undated.unconverted, ended.unconverted, billed.unconverted),
            ),
            target=None if target is None else money(target, currency),
            target_missing=list(goal.missing),
            won=money(won, currency),
            open=money(still_open, currency),
            weighted=money(weighted, currency),
            expected=money(won + weighted, currency),
            undated=_undated(undated.rows, currency),
            attainment=ratio(won, target),
            gap=None if gap is None else money(gap, currency),
            coverage=ratio(still_open, gap) if gap is not None and gap > 0 else None,
            invoiced=money(billed.amount, currency),
            elapsed=ratio(begun, whole) or Decimal(0),
            categories=_categories(open_deals, closed, currency, cumulative=rollup == "cumulative"),
        ),
        parked=parked,
        words=query.words,
    )


@router.get("/v1/forecast/deals", **operation(roles=READING, reads=DRILLED, answers=DrilledDeals, worded=True))
async def forecast_deals(
    query: PastQuery,
    paged: Paged,
    name: AskedPeriod = None,
    figure: Annotated[
        Literal["won", "open", "weighted", "expected", "undated"],
        Query(description="The figure whose deals are wanted."),
    ] = "expected",
    category: Annotated[Category | None, Query(description="Only this category (single, not cumulative).")] = None,
) -> Response:
    """The deals behind a figure of the forecast, the largest first.

    Their amounts (won, open) or weighted amounts add up to it.
    """
    today = query.company.day(query.question.as_of)
    wanted = period(name, query.company) if name is not None else query.company.fiscal_year.quarter_of(today)
    return await drilled(query, paged, behind(figure, wanted, category))


def behind(figure: str, wanted: Period, category: str | None = None) -> list[Wanted]:
    """The deals that are part of a figure of the period's forecast, or that no period has; a won deal's category is
    closed."""
    won = Wanted(outcome=WON, closed=(wanted.first, wanted.last))
    still = replace(due_in(wanted), outcome=OPEN, category=category)
    undated = replace(WITHOUT_CLOSE_DATE, outcome=OPEN, category=category)
    figures = {"won": [won], "open": [still], "weighted": [still], "expected": [won, still], "undated": [undated]}
    parts = figures[figure]
    return [part for part in parts if category is None or (part is won) == (category == "closed")]


def _undated(rows: Sequence[OpenRow], currency: str) -> UndatedFigures:
    total = sum((Sum(row.count, row.amount, row.weighted) for row in rows), Sum())
    return UndatedFigures(
        count=total.count, amount=money(total.amount, currency), weighted=money(total.weighted, currency)
    )


def _categories(
    open_deals: Sequence[OpenRow], closed: Sequence[ClosedRow], currency: str, *, cumulative: bool
) -> list[CategoryFigures]:
    sums = {category: Sum() for category in CATEGORIES}
    for row in closed:
        if row.won:
            sums["closed"] += Sum(row.count, row.amount)
    for open_row in open_deals:
        sums[open_row.category] = sums.get(open_row.category, Sum()) + Sum(open_row.count, open_row.amount)
    figures, running = [], Sum()
    for category, total in sums.items():
        running = running + total if category != "omitted" else total
        shown = running if cumulative else total
        figures.append(CategoryFigures(category=category, count=shown.count, amount=money(shown.amount, currency)))
    return figures
