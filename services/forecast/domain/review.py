"""A review: the health of a period is sealed in a report, and a talk about it falls due (PROC-6).

There is one of each kind for each period. The report of a month opens what follows from it: that of the next month, the
talk about its own, and with the last month of a quarter the report of the quarter, which opens the talks about the
quarter and about a half-year that has ended. So one chain brings about all of them, and a service that was away for
months catches up.
"""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar
from uuid import NAMESPACE_URL, UUID, uuid5

from annotated_types import MaxLen

from shared.domain.aggregate import Aggregate, Decision, Timer, carried
from shared.domain.context import Company, Context
from shared.domain.fields import Day, LongText
from shared.domain.periods import Period
from shared.domain.references import AnyMemberId
from shared.domain.rejection import Reason, refuse_all
from shared.domain.roles import ONLY_SERVICES, Reach, Role, permission
from shared.events.definition import value
from shared.events.forecast.review import (
    FollowingReview,
    HealthReport,
    HealthReportSealed,
    ReviewHeld,
    ReviewKind,
    ReviewMissed,
    ReviewOpened,
)

MONTHLY: ReviewKind = "monthly-health"
QUARTERLY: ReviewKind = "quarterly-health"
RETRO: ReviewKind = "retro"
HALF_YEAR: ReviewKind = "half-year"
REPORTS = (MONTHLY, QUARTERLY)
SEALED_AFTER = timedelta(hours=1)
"""So long after the end of a period its report is sealed: what happened in the last minutes has arrived by then."""
WORKING_DAYS_TO_HOLD = 10
"""Up to so many working days after a period people talk about it."""
REVIEWERS = permission(
    {
        Role.SALES_DIRECTOR: Reach.ALL,
        Role.SALES_OPERATIONS: Reach.ALL,
        Role.EXECUTIVE: Reach.ALL,
    }
)
"""Whoever answers for how all of the company sells. The figures are its own, and a manager sees those of their team."""
HOLDING = permission({role: reach for role, reach in REVIEWERS.items() if role != Role.EXECUTIVE})


@value
class NoReview:
    """There is none of this kind and period."""


@value
class Review:
    """What every review carries, whatever its state."""

    id: UUID
    kind: ReviewKind
    period: str
    first: date
    last: date
    due: date
    due_at: datetime


@value
class AwaitedReview(Review):
    """A report that is not sealed yet."""


@value
class SealedReview(Review):
    """A report that is sealed."""

    report: HealthReport


@value
class DueReview(Review):
    """A talk that was not held yet."""


@value
class MissedReview(Review):
    """A talk that was not held up to its day."""


@value
class HeldReview(Review):
    """A talk that was held."""

    on: date
    participants: tuple[UUID, ...]
    was_missed: bool
    findings: str | None = None


review = Aggregate("review", plural="reviews", start=NoReview, readers=REVIEWERS)


@value
class OpenReview:
    """Have a review of a period."""

    kind: ReviewKind
    period: str


@value
class SealHealthReport:
    """Seal the figures of a period that has ended."""


@value
class MarkReviewMissed:
    """Note that nobody talked about a period up to the day on which that was due."""


@value
class HoldReview:
    """Say that people talked about a period, and what they found."""

    on: Day
    participants: Annotated[tuple[AnyMemberId, ...], MaxLen(100)]
    """Who took part: one member at least."""
    findings: LongText | None = None

    example: ClassVar[dict[str, Any]] = {
        "on": "2026-04-09",
        "participants": ["01890a5d-ac96-774b-bcce-b302099a8057"],
        "findings": "Quotations wait too long for prices; two measures were taken.",
    }


@review.decides(allow=ONLY_SERVICES)
def open_(state: NoReview, command: OpenReview, context: Context) -> Decision:
    """Have a review of a period, and say when it is due."""
    first, last = days_of(command.period, context.company)
    due, due_at = due_of(command.kind, last, context.company)
    return [
        ReviewOpened(
            review_id=review_of(command.kind, command.period),
            kind=command.kind,
            period=command.period,
            first=first,
            last=last,
            due=due,
            due_at=due_at,
        )
    ]


@review.decides(allow=ONLY_SERVICES)
def seal(state: AwaitedReview, command: SealHealthReport, context: Context, report: HealthReport) -> Decision:
    """Seal the figures of a period that has ended, and say which reviews follow."""
    opens = tuple(following(state.kind, state.period, context.company))
    return [
        HealthReportSealed(review_id=state.id, kind=state.kind, period=state.period, report=report, opens=opens),
    ]


@review.decides(allow=ONLY_SERVICES)
def miss(state: DueReview | HeldReview, command: MarkReviewMissed) -> Decision:
    """Note that nobody talked about a period up to its day; where they did, nothing happens."""
    if isinstance(state, HeldReview):
        return []
    return [ReviewMissed(review_id=state.id, kind=state.kind, period=state.period, due=state.due)]


@review.decides(allow=HOLDING)
def hold(state: DueReview | MissedReview, command: HoldReview, context: Context) -> Decision:
    """Say that people talked about a period, and what they found; also of one that was missed."""
    reasons = []
    if command.on > context.today:
        reasons.append(Reason(code="in-the-future", message="That day has not come yet.", field="on"))
    if command.on <= state.last:
        message = f"The period is over after {state.last}."
        reasons.append(Reason(code="period-not-over", message=message, field="on"))
    if not command.participants:
        reasons.append(Reason(code="nobody-took-part", message="Name who took part.", field="participants"))
    refuse_all("invalid-review", "The review was not held like this.", reasons)
    return [
        ReviewHeld(
            review_id=state.id,
            kind=state.kind,
            period=state.period,
            on=command.on,
            participants=tuple(dict.fromkeys(command.participants)),
            was_missed=isinstance(state, MissedReview),
            findings=command.findings,
        )
    ]


@review.already
def is_opened(state: AwaitedReview | SealedReview | DueReview | MissedReview | HeldReview, command: OpenReview) -> bool:
    return True


@review.already
def is_sealed(state: SealedReview, command: SealHealthReport) -> bool:
    return True


@review.already
def is_missed(state: MissedReview, command: MarkReviewMissed) -> bool:
    return True


@review.already
def is_held_so(state: HeldReview, command: HoldReview) -> bool:
    said = (command.on, tuple(dict.fromkeys(command.participants)), command.findings)
    return said == (state.on, state.participants, state.findings)


@review.evolves
def opened(state: NoReview, event: ReviewOpened) -> AwaitedReview | DueReview:
    kind = AwaitedReview if event.kind in REPORTS else DueReview
    return kind(
        id=event.review_id,
        kind=event.kind,
        period=event.period,
        first=event.first,
        last=event.last,
        due=event.due,
        due_at=event.due_at,
    )


@review.evolves
def sealed(state: AwaitedReview, event: HealthReportSealed) -> SealedReview:
    return SealedReview(**carried(state, Review), report=event.report)


@review.evolves
def missed(state: DueReview, event: ReviewMissed) -> MissedReview:
    return MissedReview(**carried(state, Review))


@review.evolves
def held(state: DueReview | MissedReview, event: ReviewHeld) -> HeldReview:
    return HeldReview(
        **carried(state, Review),
        on=event.on,
        participants=event.participants,
        was_missed=event.was_missed,
        findings=event.findings,
    )


@review.timer
def sealing(state: AwaitedReview) -> Timer:
    """A report is sealed as soon as its period is over."""
    return Timer(due=state.due_at, command=SealHealthReport())


@review.timer
def missing(state: DueReview) -> Timer:
    """A talk that was not held is missed after its day."""
    return Timer(due=state.due_at, command=MarkReviewMissed())


def review_of(kind: str, period: str) -> UUID:
    """The id of the one review of a kind and a period."""
    return uuid5(NAMESPACE_URL, f"urn:throughline:review:{kind}:{period}")


def following(kind: ReviewKind, period: str, company: Company) -> list[FollowingReview]:
    """The reviews that the sealed report of a period opens."""
    follows = [FollowingReview(kind=RETRO, period=period)]
    last = company.fiscal_year.period(period).last
    quarter = company.fiscal_year.quarter_of(last)
    if kind == MONTHLY:
        day = last + timedelta(days=1)
        follows.append(FollowingReview(kind=MONTHLY, period=f"{day.year:04}-{day.month:02}"))
        if quarter.last == last:
            follows.append(FollowingReview(kind=QUARTERLY, period=quarter.name))
    elif (half := _half_that_ends_with(quarter)) is not None:
        follows.append(FollowingReview(kind=HALF_YEAR, period=half))
    return follows


def days_of(period: str, company: Company) -> tuple[date, date]:
    """The first and the last day of a month, a quarter, or a half of a fiscal year."""
    year, _, half = period.partition("-H")
    if not half:
        found = company.fiscal_year.period(period)
        return found.first, found.last
    begins, ends = (1, 2) if half == "1" else (3, 4)
    return (
        company.fiscal_year.period(f"{year}-Q{begins}").first,
        company.fiscal_year.period(f"{year}-Q{ends}").last,
    )


def due_of(kind: ReviewKind, last: date, company: Company) -> tuple[date, datetime]:
    """The day on which a review of a period is due, and the instant at which it is sealed or was missed."""
    if kind in REPORTS:
        return last + timedelta(days=1), company.start_after(last) + SEALED_AFTER
    due = company.calendar.after(last, WORKING_DAYS_TO_HOLD)
    return due, company.start_after(due)


def _half_that_ends_with(quarter: Period) -> str | None:
    year, _, number = quarter.name.partition("-Q")
    return {"2": f"{year}-H1", "4": f"{year}-H2"}.get(number)
