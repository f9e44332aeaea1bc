"""Every metric measured at an instant, by the queries of the subjects that know (FC-7).

No read model stands behind it: what health counts, others count already, in the scope of the same question.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from services.forecast.asking.parameters import QueryContext
from services.forecast.asking.policies import counting
from services.forecast.asking.question import Question
from services.forecast.cash.queries import ever_invoiced, invoiced, open_items
from services.forecast.conformance.queries import stages_worked
from services.forecast.counting.sums import Sum
from services.forecast.counting.valuation import LeftOut, merged
from services.forecast.execution.queries import completion
from services.forecast.health.reporting import judged_stages, reported_figures
from services.forecast.health.rules import (
    ATTAINMENT,
    BOOKINGS,
    CYCLE,
    HEALTH_LIMITS,
    LEAD_CONVERSION,
    NODE_COMPLETION,
    OVERDUE,
    STALLED,
    WIN_RATE,
    Measured,
)
from services.forecast.leads.queries import conversion
from services.forecast.pipeline.queries.totals import WON_DEALS, closed_rows, counts
from services.forecast.pipeline.queries.worth import closed_worth
from services.forecast.targets.queries import target_of
from shared.commands.loaders import LoaderContext, Provider, reads
from shared.directory.organisation import NAME as ORGANISATION
from shared.directory.policies import provided_by
from shared.domain.context import Actor, Company, Context
from shared.domain.money import rounded
from shared.domain.periods import Period
from shared.domain.policy import Counts, InForce, Policies
from shared.events.forecast.policy import HealthLimits
from shared.events.forecast.review import HealthReport, ReportedStage
from shared.projections.read_snapshot import ReadSnapshot

MEASURED = ("deals", "leads", "nodes", "targets", "cash", "rates")
"""The read models that are measured."""
REPORTED = (*MEASURED, "conformance", "processes")
"""The read models that a report is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """All metrics at one instant, by name; `basis` says what attainment counts, `unconverted` what amounts lack."""

    values: dict[str, Measured]
    basis: str
    unconverted: Mapping[LeftOut, Sum]


async def limits_of(query: QueryContext) -> Counts[HealthLimits]:
    """The limits by which an answer is judged: those in force on the day that is asked about, as known then."""
    return await counting(query, HEALTH_LIMITS)


async def measure(reading: ReadSnapshot, asked: Question, company: Company, window: timedelta) -> Measurements:
    """Measure every metric at an instant, those of a rolling window over this one."""
    since = asked.as_of - window
    today = company.day(asked.as_of)
    deals = await counts(reading("deals"), asked, company, since)
    cycle = await _cycle(reading, asked, company, company.day(since) + timedelta(days=1), today)
    converted = await conversion(reading("leads"), asked, company, since)
    nodes = await completion(reading("nodes"), asked, company, since)
    owed = await open_items(reading, asked, company)
    attained, basis, left = await _attainment(reading, asked, company, today)
    return Measurements(
        basis=basis,
        unconverted=merged(left, owed.unconverted),
        values={
            CYCLE.metric: cycle,
            LEAD_CONVERSION.metric: counted(converted.reached, converted.entered),
            WIN_RATE.metric: counted(deals.won, deals.opened),
            ATTAINMENT.metric: attained,
            NODE_COMPLETION.metric: counted(nodes.reached, nodes.entered),
            STALLED.metric: counted(deals.stalled, deals.open),
            OVERDUE.metric: _amounts(owed.overdue, owed.open, owed.number, company),
        },
    )


def _amounts(part: Decimal, whole: Decimal, number: int, company: Company) -> Measured:
    """A share of an amount."""
    numerator, denominator = (rounded(amount, company.currency) for amount in (part, whole))
    return Measured(numerator=numerator, denominator=denominator, n=number)


def counted(part: int, whole: int) -> Measured:
    """A share of cases."""
    return Measured(numerator=Decimal(part), denominator=Decimal(whole), n=whole)


async def _cycle(reading: ReadSnapshot, asked: Question, company: Company, first: date, last: date) -> Measured:
    rows = await closed_rows(reading("deals"), asked, company, first, last)
    won = [row for row in rows if row.won and row.cycle_days >= 0]
    number = sum(row.count for row in won)
    return Measured(
        numerator=Decimal(sum(row.cycle_days * row.count for row in won)), denominator=Decimal(number), n=number
    )


async def _attainment(
    reading: ReadSnapshot, asked: Question, company: Company, today: date
) -> tuple[Measured, str, Mapping[LeftOut, Sum]]:
    """Invoiced revenue of the running quarter against its target pro rata; bookings until the first invoice exists."""
    quarter = company.fiscal_year.quarter_of(today)
    goal = await target_of(reading("targets"), asked, quarter)
    billed = await invoiced(reading, asked, company, quarter.first, quarter.last)
    ever = await ever_invoiced(reading, asked, company, quarter.last)
    booked = await closed_worth(reading, asked, company, quarter.first, quarter.last, WON_DEALS)
    begun, whole = quarter.elapsed(today)
    due = rounded((goal.amount or Decimal(0)) * begun / whole, company.currency)
    if ever:
        amount = rounded(billed.amount, company.currency)
        return Measured(numerator=amount, denominator=due, n=billed.number), "invoiced", billed.unconverted
    amount = rounded(sum((row.amount for row in booked.rows), Decimal(0)), company.currency)
    number = sum(row.count for row in booked.rows)
    return Measured(numerator=amount, denominator=due, n=number), BOOKINGS, booked.unconverted


async def report(
    reading: ReadSnapshot,
    company: Company,
    limits: Counts[HealthLimits],
    *,
    first: date,
    last: date,
    sealed_at: datetime,
    asker: Actor,
    known_at: datetime | None = None,
) -> HealthReport:
    """The health of a period of the whole company, as of its last instant: as known now, or then. What health measures
    over a rolling window is measured over the period."""
    as_of = company.end_of(last)
    before = company.end_of(first - timedelta(days=1))
    asked = Question(
        as_of=as_of,
        current=False,
        known_at=known_at,
        asker=asker,
        sees_all=True,
        sees_teams=(),
        member=None,
        teams=None,
        owners=None,
    )
    period = Period(name="", first=first, last=last, fiscal_year=company.fiscal_year)
    measured = await measure(reading, asked, company, as_of - before)
    worked = [
        ReportedStage(
            process_id=process_id,
            process_version=version,
            stage=stage,
            name=known.name if known else stage,
            due=sums.figures["nodes-due"],
            completed=sums.figures["nodes-completed"],
            attempts=sums.figures["stage-first-attempts"],
            passes=sums.figures["stage-first-passes"],
            abnormal=False,
            bottleneck=False,
        )
        for (process_id, version, stage), known, sums in await stages_worked(reading, asked, company, period)
    ]
    return HealthReport(
        position=reading.position,
        as_of=as_of,
        known_at=sealed_at,
        limits_version=limits.version,
        smallest_sample=limits.document.smallest_sample,
        figures=reported_figures(measured.values, limits.document),
        stages=judged_stages(worked, limits.document),
    )


def report_by(policies: Policies) -> Provider:
    """Has the report of the period of a review made, judged by the limits that were in force on its last day."""
    in_force = provided_by(policies)[InForce[HealthLimits]]

    @reads(*REPORTED, ORGANISATION)
    async def reported(reader: LoaderContext, state: Any, command: Any, context: Context) -> HealthReport:
        limits: InForce[HealthLimits] = await in_force(reader, state, command, context)
        async with reader.reading(*REPORTED) as reading:
            return await report(
                reading,
                context.company,
                replace(limits, on=state.last).of(),
                first=state.first,
                last=state.last,
                sealed_at=context.now,
                asker=context.actor,
            )

    return reported
