"""The health metrics, measured now and one window earlier (FC-7)."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from fastapi import APIRouter, Response

from services.forecast.cash import ever_invoiced, invoiced, open_items
from services.forecast.cohorts import count
from services.forecast.deal_figures import closed_rows, counts
from services.forecast.health_rules import (
    ATTAINMENT,
    CYCLE,
    DEFINITIONS,
    LEAD_CONVERSION,
    NODE_COMPLETION,
    OVERDUE,
    STALLED,
    WIN_RATE,
    Band,
    Definition,
    Measured,
    band,
    shown,
    trend,
)
from services.forecast.leads import CONVERSION
from services.forecast.nodes import COMPLETION
from services.forecast.parameters import Put
from services.forecast.periods import quarter_of
from services.forecast.question import Question
from services.forecast.targets import revenue_target
from services.forecast.timeline import WON
from shared.domain.context import Company
from shared.domain.money import rounded
from shared.domain.roles import READING
from shared.http.handwritten import answer, operation
from shared.projections.read_snapshot import ReadSnapshot

router = APIRouter(tags=["Health"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric: value = numerator ÷ denominator over `n` cases. Limits are in the value's unit.

    `trend` compares with one window (90 days) earlier; `since` begins the window, null for a state at `as_of`.
    """

    metric: str
    name: str
    value: Decimal | None
    unit: str
    numerator: Decimal
    denominator: Decimal
    n: int
    state: Band
    healthy: Decimal
    alert: Decimal
    more_is_better: bool
    before: Decimal | None
    trend: str
    since: datetime | None
    hint: str
    basis: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthMetrics:
    """All metrics of the sales process."""

    as_of: datetime
    known_at: datetime | None
    currency: str
    metrics: list[Metric]


WINDOW = timedelta(days=90)


@router.get("/v1/health-metrics", **operation(roles=READING, answers=HealthMetrics))
async def health_metrics(put: Put) -> Response:
    """How healthy the sales process is.

    Rolling windows of 90 days up to as_of; attainment counts the running quarter against its target pro rata. Below the
    smallest sample a metric says no-data. Sales cycle, win rate, lead conversion, node completion: won, opened,
    captured, due in the window.
    """
    asked = put.question
    earlier = replace(asked, as_of=asked.as_of - WINDOW, current=False)
    async with put.reading() as reading:
        now = await measure(reading, asked, put.company)
        before = await measure(reading, earlier, put.company)
        parked = reading.parked
    smallest = put.here.settings.min_sample
    return answer(
        HealthMetrics(
            as_of=asked.as_of,
            known_at=asked.known_at,
            currency=put.currency,
            metrics=[_metric(each, now, before, asked, smallest) for each in DEFINITIONS],
        ),
        parked=parked,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """All metrics at one instant, by name; `basis` says what attainment counts."""

    values: dict[str, Measured]
    basis: str


async def measure(reading: ReadSnapshot, asked: Question, company: Company) -> Measurements:
    """Measure every metric at an instant."""
    since = asked.as_of - WINDOW
    today = company.day(asked.as_of)
    deals = await counts(reading("deals"), asked, company, since)
    cycle = await _cycle(reading, asked, company, company.day(since) + timedelta(days=1), today)
    converted = await count(CONVERSION, reading("leads"), asked, company, since)
    nodes = await count(COMPLETION, reading("nodes"), asked, company, since)
    owed = await open_items(reading("cash"), asked, company)
    attained, basis = await _attainment(reading, asked, company, today)
    return Measurements(
        basis=basis,
        values={
            CYCLE.metric: cycle,
            LEAD_CONVERSION.metric: counted(converted.reached, converted.entered),
            WIN_RATE.metric: counted(deals.won, deals.opened),
            ATTAINMENT.metric: attained,
            NODE_COMPLETION.metric: counted(nodes.reached, nodes.entered),
            STALLED.metric: counted(deals.stalled, deals.open),
            OVERDUE.metric: Measured(numerator=owed.overdue, denominator=owed.open, n=owed.number),
        },
    )


def counted(part: int, whole: int) -> Measured:
    """A share of cases."""
    return Measured(numerator=Decimal(part), denominator=Decimal(whole), n=whole)


async def _cycle(reading: ReadSnapshot, asked: Question, company: Company, first: date, last: date) -> Measured:
    rows = await closed_rows(reading("deals"), asked, company, first, last)
    won = [row for row in rows if row.outcome == WON and row.cycle_days >= 0]
    number = sum(row.count for row in won)
    return Measured(
        numerator=Decimal(sum(row.cycle_days * row.count for row in won)), denominator=Decimal(number), n=number
    )


async def _attainment(reading: ReadSnapshot, asked: Question, company: Company, today: date) -> tuple[Measured, str]:
    """Invoiced revenue of the running quarter against its target pro rata; bookings until the first invoice exists."""
    quarter = quarter_of(today)
    goal = await revenue_target(reading("targets"), asked, quarter)
    billed = await invoiced(reading("cash"), asked, company, quarter.first, quarter.last)
    ever = await ever_invoiced(reading("cash"), asked, company, quarter.last)
    rows = await closed_rows(reading("deals"), asked, company, quarter.first, quarter.last)
    won = [row for row in rows if row.outcome == WON]
    begun, whole = quarter.elapsed(today)
    due = rounded((goal.amount or Decimal(0)) * begun / whole, company.currency)
    if ever:
        return Measured(numerator=billed.amount, denominator=due, n=billed.number), "invoiced"
    booked = sum((row.amount for row in won), Decimal(0))
    return Measured(numerator=booked, denominator=due, n=sum(row.count for row in won)), "bookings"


def _metric(definition: Definition, now: Measurements, before: Measurements, asked: Question, smallest: int) -> Metric:
    measured, earlier = now.values[definition.metric], before.values[definition.metric]
    state = band(definition, measured, smallest)
    known = None if state is Band.NO_DATA or measured.value is None else shown(definition, measured.value)
    known_before = None if earlier.value is None or earlier.n < smallest else shown(definition, earlier.value)
    return Metric(
        metric=definition.metric,
        name=definition.name,
        value=known,
        unit=definition.unit,
        numerator=measured.numerator,
        denominator=measured.denominator,
        n=measured.n,
        state=state,
        healthy=definition.healthy,
        alert=definition.alert,
        more_is_better=definition.more_is_better,
        before=known_before,
        trend=trend(definition, earlier, measured, smallest),
        since=asked.as_of - WINDOW if definition.window_days else None,
        hint=definition.hint,
        basis=now.basis if definition is ATTAINMENT else None,
    )
