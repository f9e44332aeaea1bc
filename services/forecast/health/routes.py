"""The health metrics over HTTP: each measured now and one window earlier, judged, with a hint (FC-7)."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, get_args
from uuid import UUID

from fastapi import Response

from services.forecast.asking.answers import Unconverted
from services.forecast.asking.parameters import PastQuery, PresentQuery
from services.forecast.asking.question import Question
from services.forecast.counting.valuation import shown_left_out
from services.forecast.health.queries import MEASURED, REPORTED, Measurements, limits_of, measure, report
from services.forecast.health.rules import (
    ATTAINMENT,
    BOOKINGS,
    Band,
    Definition,
    Trend,
    band,
    judged_by,
    shown,
    trend,
)
from shared.domain.roles import READING
from shared.events.definition import words
from shared.events.forecast.policy import HealthLimits
from shared.events.forecast.review import HealthReport
from shared.http.handwritten import CurrentActor, answer, handwritten, operation
from shared.http.json import answer_shape
from shared.http.problems import Problem
from shared.languages.catalogue import Catalogue

router = handwritten("health-metrics")
sealed_router = handwritten("reviews")


@answer_shape
class Metric:
    """One metric: value = numerator ÷ denominator over `n` cases. Limits are in the value's unit.

    `trend` compares with one window earlier; `since` begins the window, null for a state at `as_of`.
    `description` says what is counted; `state_title` and `trend_title` are state and trend in words, of an unknown
    trend none.
    """

    metric: str
    name: str
    description: str
    value: Decimal | None
    unit: Annotated[str, words(("share", "days"))]
    numerator: Decimal
    denominator: Decimal
    n: int
    state: Band
    state_title: str
    healthy: Decimal
    alert: Decimal
    more_is_better: bool
    before: Decimal | None
    trend: Annotated[str, words(get_args(Trend))]
    trend_title: str
    since: datetime | None
    hint: str
    basis: str | None = None


@answer_shape
class HealthMetrics:
    """All metrics of the sales process."""

    as_of: datetime
    known_at: datetime | None
    currency: str
    unconverted: list[Unconverted]
    """What amounts lack for want of an exchange rate."""
    limits_version: int
    """The version of the policy health-limits that was in force on the day asked about; 0 is the default."""
    window_days: int
    """How long the rolling window is, and how much earlier the measurement is that a trend compares with."""
    smallest_sample: int
    """Of fewer cases a metric says `no-data`."""
    metrics: list[Metric]


@router.get(
    "/v1/health-metrics",
    **operation(roles=READING, reads=MEASURED, answers=HealthMetrics, worded=True),
)
async def health_metrics(query: PastQuery) -> Response:
    """How healthy the sales process is.

    Rolling windows up to as_of, of 90 days unless the policy health-limits says otherwise; attainment counts the
    running quarter against its target pro rata. Below the smallest sample a metric says no-data. Sales cycle, win rate,
    lead conversion, node completion: won, opened, captured, due in the window.
    """
    asked = query.question
    limits = await limits_of(query)
    window = timedelta(days=limits.document.window_days)
    earlier = replace(asked, as_of=asked.as_of - window, current=False)
    async with query.reading() as reading:
        now = await measure(reading, asked, query.company, window)
        before = await measure(reading, earlier, query.company, window)
        parked = reading.parked
    return answer(
        HealthMetrics(
            as_of=asked.as_of,
            known_at=asked.known_at,
            currency=query.currency,
            unconverted=shown_left_out(query.words, now.unconverted),
            limits_version=limits.version,
            window_days=limits.document.window_days,
            smallest_sample=limits.document.smallest_sample,
            metrics=[
                _metric(each, now, before, asked=asked, document=limits.document, catalogue=query.words)
                for each in judged_by(limits.document)
            ],
        ),
        parked=parked,
        words=query.words,
    )


@answer_shape
class RecountedReport:
    """A sealed report, beside what its figures come to when they are counted anew."""

    review_id: UUID
    is_same: bool
    """Whether figures and stages, counted anew as they were known at the instant of sealing, are those that were
    sealed. What was recorded by then and had not arrived makes a difference."""
    has_changed: bool
    """Whether they are others as they are known now: facts of the period were told, or corrected, since."""
    sealed: HealthReport
    recounted: HealthReport
    """As known when it was sealed; `position` is the one up to which it was counted now."""
    now: HealthReport
    """As known now."""


@sealed_router.get(
    "/v1/reviews/{review_id}/recount",
    **operation(roles=READING, reads=REPORTED, answers=RecountedReport, problems=("not-found",)),
)
async def recount_review(query: PresentQuery, actor: CurrentActor, review_id: UUID) -> Response:
    """The figures of a sealed report, counted anew as known then, and as known now.

    A report that is not sealed yet, and a talk, have none: 404.
    """
    commands, company = query.service.commands, query.company
    held = await commands.seen(commands.aggregates["review"], review_id, actor)
    sealed: HealthReport | None = getattr(held.state, "report", None)
    if sealed is None:
        raise Problem("not-found", "Nothing is sealed of this review.")
    then = replace(query, question=replace(query.question, as_of=sealed.as_of, known_at=sealed.known_at))
    now = replace(query, question=replace(query.question, as_of=sealed.as_of))
    about = {"first": held.state.first, "last": held.state.last, "asker": actor}
    async with query.service.folding.place(), query.reading() as reading:
        recounted = await report(
            reading,
            company,
            await limits_of(then),
            **about,
            sealed_at=sealed.known_at,
            known_at=sealed.known_at,
        )
        known = await report(reading, company, await limits_of(now), **about, sealed_at=query.question.as_of)
        parked = reading.parked
    return answer(
        RecountedReport(
            review_id=review_id,
            is_same=_says(recounted) == _says(sealed),
            has_changed=_says(known) != _says(sealed),
            sealed=sealed,
            recounted=recounted,
            now=known,
        ),
        parked=parked,
    )


def _says(each: HealthReport) -> tuple[object, ...]:
    return each.figures, each.stages


def _metric(
    definition: Definition,
    now: Measurements,
    before: Measurements,
    *,
    asked: Question,
    document: HealthLimits,
    catalogue: Catalogue,
) -> Metric:
    smallest = document.smallest_sample
    measured, earlier = now.values[definition.metric], before.values[definition.metric]
    state = band(definition, measured, smallest)
    known = None if state is Band.NO_DATA or measured.value is None else shown(definition, measured.value)
    known_before = None if earlier.value is None or earlier.n < smallest else shown(definition, earlier.value)
    direction = trend(definition, earlier, measured, smallest)
    basis = now.basis if definition.metric == ATTAINMENT.metric else None
    about = f"health.{definition.metric}"
    about_it = f"{about}.{'booked' if basis == BOOKINGS else 'description'}"
    return Metric(
        metric=definition.metric,
        name=catalogue.say(f"{about}.name"),
        description=catalogue.say(about_it, days=document.window_days),
        value=known,
        unit=definition.unit,
        numerator=measured.numerator,
        denominator=measured.denominator,
        n=measured.n,
        state=state,
        state_title=catalogue.say(f"health.state.{state}"),
        healthy=definition.healthy,
        alert=definition.alert,
        more_is_better=definition.more_is_better,
        before=known_before,
        trend=direction,
        trend_title="" if direction == "unknown" else catalogue.say(f"health.trend.{direction}"),
        since=asked.as_of - timedelta(days=document.window_days) if definition.rolling else None,
        hint=catalogue.say(f"{about}.hint"),
        basis=basis,
    )
