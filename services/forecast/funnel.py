"""The funnel: the open pipeline by stage, and what was closed (FC-1)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from services.forecast.answers import CountedMoney, money
from services.forecast.deal_figures import ClosedRow, OpenRow, Wanted, closed_rows, open_rows
from services.forecast.drilling import DealRows, drilled
from services.forecast.figures import Sum, mean_and_median
from services.forecast.paging import Paged
from services.forecast.parameters import Put
from services.forecast.processes import StageName, stage_names
from services.forecast.timeline import ABANDONED, LOST, OPEN, WON
from shared.domain.money import Money
from shared.domain.roles import READING
from shared.views.errors import InvalidQuery, invalid
from shared.web.routes import answer, operation

router = APIRouter(tags=["Funnel"])

From = Annotated[date | None, Query(alias="from", description="First close date that counts as closed.")]
To = Annotated[date | None, Query(description="Last close date that counts as closed.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFigures:
    """The open deals of one stage. `weighted` is amount × the stage's probability."""

    stage: str
    name: str
    count: int
    amount: Money
    weighted: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleDays:
    """Whole days from the lead's capture (or a direct deal's opening) to the win; `n` deals of which both are known."""

    mean: Decimal | None
    median: Decimal | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WonFigures:
    """Deals won between the close dates asked about."""

    count: int
    amount: Money
    cycle_days: CycleDays


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedFigures:
    """What was closed between the close dates asked about, by outcome."""

    won: WonFigures
    lost: CountedMoney
    abandoned: CountedMoney


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """The funnel at an instant. `parked` counts events that could not be applied yet; it is left out when zero."""

    as_of: datetime
    known_at: datetime | None
    currency: str
    stages: list[StageFigures]
    closed: ClosedFigures


@router.get("/v1/funnel", **operation(roles=READING, answers=Funnel))
async def funnel(put: Put, first: From = None, to: To = None) -> Response:
    """The open pipeline by stage, and what was closed.

    `from` and `to` are close dates, both included, and only filter `closed`. Every stage of every process is listed.
    """
    opening, ending = check_days(first, to)
    async with put.reading() as reading:
        names = await stage_names(reading("processes"))
        open_deals = await open_rows(reading("deals"), put.question, put.company)
        closed = await closed_rows(reading("deals"), put.question, put.company, opening, ending)
        parked = reading.parked
    return answer(
        Funnel(
            as_of=put.question.as_of,
            known_at=put.question.known_at,
            currency=put.currency,
            stages=_stages(open_deals, names, put.currency),
            closed=_closed(closed, put.currency),
        ),
        parked=parked,
    )


@router.get("/v1/funnel/deals", **operation(roles=READING, answers=DealRows))
async def funnel_deals(
    put: Put,
    paged: Paged,
    *,
    stage: Annotated[
        str | None, Query(description="Only deals of this stage; stages are data, so none stand in an unknown one.")
    ] = None,
    outcome: Annotated[
        Literal["open", "won", "lost", "abandoned"], Query(description="Open deals, or those that ended like this.")
    ] = "open",
    first: From = None,
    to: To = None,
) -> Response:
    """The deals behind a figure of the funnel, the largest first."""
    opening, ending = check_days(first, to)
    closed = None if outcome == OPEN else (opening, ending)
    return await drilled(put, paged, [Wanted(outcome=outcome, stage=stage, closed=closed)])


def check_days(first: date | None, last: date | None) -> tuple[date, date]:
    """A range of days, both included; open ends reach everything."""
    if first is not None and last is not None and first > last:
        raise InvalidQuery([invalid("from", "from-after-to", "from lies after to.")])
    return first or date.min, last or date.max


def _stages(rows: Sequence[OpenRow], names: Sequence[StageName], currency: str) -> list[StageFigures]:
    sums = {name.stage: Sum() for name in names}
    for row in rows:
        sums[row.stage] = sums.get(row.stage, Sum()) + Sum(row.count, row.amount, row.weighted)
    known = {name.stage: name.name for name in names}
    return [
        StageFigures(
            stage=stage,
            name=known.get(stage, stage),
            count=total.count,
            amount=money(total.amount, currency),
            weighted=money(total.weighted, currency),
        )
        for stage, total in sums.items()
    ]


def _closed(rows: Sequence[ClosedRow], currency: str) -> ClosedFigures:
    sums = {outcome: Sum() for outcome in (WON, LOST, ABANDONED)}
    cycle: Counter[int] = Counter()
    for row in rows:
        sums[row.outcome] += Sum(row.count, row.amount)
        if row.outcome == WON and row.cycle_days >= 0:
            cycle[row.cycle_days] += row.count
    mean, median, number = mean_and_median(cycle)
    return ClosedFigures(
        won=WonFigures(
            count=sums[WON].count,
            amount=money(sums[WON].amount, currency),
            cycle_days=CycleDays(mean=mean, median=median, n=number),
        ),
        lost=CountedMoney(count=sums[LOST].count, amount=money(sums[LOST].amount, currency)),
        abandoned=CountedMoney(count=sums[ABANDONED].count, amount=money(sums[ABANDONED].amount, currency)),
    )
