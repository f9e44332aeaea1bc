"""Events of a review: a report on the health of a period that is sealed, or a talk about it that falls due (PROC-6)."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from shared.events.definition import Exact, FreeText, event, value
from shared.events.forecast.policy import MetricName

ReviewKind = Literal["monthly-health", "quarterly-health", "retro", "half-year"]
Judged = Literal["healthy", "watch", "alert", "no-data"]


@value
class ReportedFigure:
    """A metric as it was: value = numerator ÷ denominator over `sample` cases."""

    metric: MetricName
    numerator: Exact
    denominator: Exact
    sample: int
    value: Exact | None
    """Null where there is nothing to divide by."""
    state: Judged
    """How it stood by the limits that were in force on the last day; no-data below the smallest sample."""


@value
class ReportedStage:
    """A stage of a version of a process as it was worked in the period."""

    process_id: UUID
    process_version: int
    stage: str
    name: str
    """As people call it; the key as long as no publication of the version is known."""
    due: int
    """Required tasks and deliverables that fell due in the period."""
    completed: int
    """Those of them that are done, in time or later."""
    attempts: int
    """First attempts at its gates."""
    passes: int
    """Those of them that passed."""
    abnormal: bool
    """Whether less of its work is done than is an alert, of a sample that says something."""
    bottleneck: bool
    """Whether of all stages of the version the least pass here at the first attempt, and not everybody."""


@value
class HealthReport:
    """The health of the sales process in a period, as it was known when the report was sealed."""

    position: int
    """Every event up to here, in the journal of forecast, is in the figures."""
    as_of: datetime
    """The last instant of the period."""
    known_at: datetime
    """When it was sealed: what is recorded later is not in it."""
    limits_version: int
    """The version of the policy health-limits by which it is judged; 0 is the default."""
    smallest_sample: int
    figures: tuple[ReportedFigure, ...]
    stages: tuple[ReportedStage, ...]
    """Those that any work or gate of the period belongs to."""


@value
class FollowingReview:
    """A review that a sealed report opens."""

    kind: ReviewKind
    period: str


@event("forecast.review-opened", aggregate="review")
class ReviewOpened:
    """A review of a period is to be: a report that is going to be sealed, or a talk that falls due."""

    review_id: UUID
    kind: ReviewKind
    period: str
    """A month, quarter or half of a fiscal year: 2026-03, 2026-Q1, 2026-H1."""
    first: date
    last: date
    """The first and the last day of the period."""
    due: date
    """The day up to which it is to be: of a report the day after the period."""
    due_at: datetime
    """When a report is sealed, and when it is known that a talk was missed."""


@event("forecast.health-report-sealed", aggregate="review")
class HealthReportSealed:
    """The figures of a period are sealed: what becomes known later does not change them."""

    review_id: UUID
    kind: ReviewKind
    period: str
    report: HealthReport
    opens: tuple[FollowingReview, ...]
    """The reviews that follow from it."""


@event("forecast.review-missed", aggregate="review")
class ReviewMissed:
    """A talk about a period was not held up to its day. It may still be."""

    review_id: UUID
    kind: ReviewKind
    period: str
    due: date


@event("forecast.review-held", aggregate="review")
class ReviewHeld:
    """People talked about a period, and say what they found."""

    review_id: UUID
    kind: ReviewKind
    period: str
    on: date
    """The company's day on which they did."""
    participants: tuple[UUID, ...]
    """The members who took part."""
    was_missed: bool
    """Whether it had been missed before."""
    findings: FreeText[str | None] = None
