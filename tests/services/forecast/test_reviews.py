"""PROC-6: reports that are sealed, and talks that fall due: the rules."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.forecast.domain.occasion import RaiseNotices, SettleNotices, occasion_of
from services.forecast.domain.review import (
    HALF_YEAR,
    MONTHLY,
    QUARTERLY,
    RETRO,
    HoldReview,
    MarkReviewMissed,
    OpenReview,
    SealHealthReport,
    days_of,
    due_of,
    following,
    review,
    review_of,
)
from services.forecast.health.reporting import judged_stages, reported_figures
from services.forecast.health.rules import DEFINITIONS, HEALTH_LIMITS, Measured
from services.forecast.reactions import reactions
from shared.domain.context import Company
from shared.domain.periods import FiscalYear
from shared.domain.roles import Role
from shared.events.forecast.policy import HealthLimits
from shared.events.forecast.review import (
    FollowingReview,
    HealthReport,
    HealthReportSealed,
    ReportedStage,
    ReviewHeld,
    ReviewMissed,
    ReviewOpened,
)
from shared.reactions.registry import Do
from shared.testing.scenario import CONTEXT, scenario
from tests.services.forecast.facts import ANNA, BEN, SHORT, fact

BERLIN = Company(timezone="Europe/Berlin")
AWAITED = ReviewOpened(
    review_id=review_of(MONTHLY, "2026-02"),
    kind=MONTHLY,
    period="2026-02",
    first=date(2026, 2, 1),
    last=date(2026, 2, 28),
    due=date(2026, 3, 1),
    due_at=datetime(2026, 3, 1, 1, tzinfo=UTC),
)
REPORT = HealthReport(
    position=4711,
    as_of=datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC),
    known_at=CONTEXT.now,
    limits_version=0,
    smallest_sample=5,
    figures=(),
    stages=(),
)
SEALED = HealthReportSealed(
    review_id=AWAITED.review_id,
    kind=MONTHLY,
    period="2026-02",
    report=REPORT,
    opens=(FollowingReview(kind=RETRO, period="2026-02"), FollowingReview(kind=MONTHLY, period="2026-03")),
)
DUE = ReviewOpened(
    review_id=review_of(RETRO, "2026-02"),
    kind=RETRO,
    period="2026-02",
    first=date(2026, 2, 1),
    last=date(2026, 2, 28),
    due=date(2026, 3, 13),
    due_at=datetime(2026, 3, 14, tzinfo=UTC),
)
MISSED = ReviewMissed(review_id=DUE.review_id, kind=RETRO, period="2026-02", due=DUE.due)
HOLD = HoldReview(on=date(2026, 3, 16), participants=(ANNA, BEN, ANNA), findings="Prices come late.")
HELD = ReviewHeld(
    review_id=DUE.review_id,
    kind=RETRO,
    period="2026-02",
    on=date(2026, 3, 16),
    participants=(ANNA, BEN),
    was_missed=False,
    findings="Prices come late.",
)
A_REVIEW = scenario(review)


def what_follows(event: Any) -> list[Do]:
    told = fact(1, event, CONTEXT.now)
    return [each for reaction in reactions.every if type(event) in reaction.events for each in reaction.to(told)]


# -- opening ----------------------------------------------------------------------------------------------------------


def test_a_review_is_opened_once_with_its_days() -> None:
    A_REVIEW.when(OpenReview(kind=MONTHLY, period="2026-02")).then(AWAITED)
    A_REVIEW.when(OpenReview(kind=RETRO, period="2026-02")).then(DUE)
    A_REVIEW.given(AWAITED).when(OpenReview(kind=MONTHLY, period="2026-02")).then()
    A_REVIEW.given(DUE, HELD).when(OpenReview(kind=RETRO, period="2026-02")).then()


def test_a_report_is_sealed_an_hour_after_its_period_in_the_company_zone() -> None:
    assert due_of(MONTHLY, date(2026, 3, 31), BERLIN) == (date(2026, 4, 1), datetime(2026, 3, 31, 23, tzinfo=UTC))


def test_a_talk_is_due_ten_working_days_after_its_period() -> None:
    assert due_of(HALF_YEAR, date(2026, 6, 30), BERLIN) == (date(2026, 7, 14), datetime(2026, 7, 14, 22, tzinfo=UTC))


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026-H1", date(2026, 1, 1), date(2026, 6, 30)),
        ("2026-H2", date(2026, 7, 1), date(2026, 12, 31)),
    ],
)
def test_periods_have_days(period: str, first: date, last: date) -> None:
    assert days_of(period, Company()) == (first, last)


@pytest.mark.parametrize(
    ("kind", "period", "opens"),
    [
        (MONTHLY, "2026-02", [(RETRO, "2026-02"), (MONTHLY, "2026-03")]),
        (MONTHLY, "2026-12", [(RETRO, "2026-12"), (MONTHLY, "2027-01"), (QUARTERLY, "2026-Q4")]),
        (QUARTERLY, "2026-Q1", [(RETRO, "2026-Q1")]),
        (QUARTERLY, "2026-Q2", [(RETRO, "2026-Q2"), (HALF_YEAR, "2026-H1")]),
        (QUARTERLY, "2026-Q4", [(RETRO, "2026-Q4"), (HALF_YEAR, "2026-H2")]),
    ],
)
def test_a_report_opens_what_follows(kind: Any, period: str, opens: list[tuple[str, str]]) -> None:
    assert [(each.kind, each.period) for each in following(kind, period, Company())] == opens


def test_halves_are_those_of_the_fiscal_year() -> None:
    april = Company(fiscal_year=FiscalYear(start=4))
    assert [each.period for each in following(QUARTERLY, "2027-Q2", april)] == ["2027-Q2", "2027-H1"]
    assert days_of("2027-H1", april) == (date(2026, 4, 1), date(2026, 9, 30))


# -- sealing ----------------------------------------------------------------------------------------------------------


def test_a_report_is_sealed_once() -> None:
    asked = A_REVIEW.given(AWAITED).knowing(report=REPORT)
    asked.when(SealHealthReport()).then(SEALED)
    asked.given(SEALED).when(SealHealthReport()).then()


def test_a_report_waits_for_the_end_of_its_period_and_then_no_more() -> None:
    (timer,) = review.timers_of(review.fold([AWAITED])).values()
    assert (timer.due, timer.command) == (AWAITED.due_at, SealHealthReport())
    assert not review.timers_of(review.fold([AWAITED, SEALED]))


def test_a_sealed_report_opens_the_reviews_that_it_names() -> None:
    assert [(each.aggregate_id, each.command) for each in what_follows(SEALED)] == [
        (review_of(each.kind, each.period), OpenReview(kind=each.kind, period=each.period)) for each in SEALED.opens
    ]


# -- talks ------------------------------------------------------------------------------------------------------------


def test_a_talk_is_missed_after_its_day() -> None:
    (timer,) = review.timers_of(review.fold([DUE])).values()
    assert (timer.due, timer.command) == (DUE.due_at, MarkReviewMissed())
    A_REVIEW.given(DUE).when(MarkReviewMissed()).then(MISSED)
    A_REVIEW.given(DUE, MISSED).when(MarkReviewMissed()).then()
    A_REVIEW.given(DUE, HELD).when(MarkReviewMissed()).then()
    assert not review.timers_of(review.fold([DUE, MISSED]))
    assert not review.timers_of(review.fold([DUE, HELD]))


def test_a_talk_is_held_once_also_one_that_was_missed() -> None:
    A_REVIEW.given(DUE).when(HOLD).then(HELD)
    A_REVIEW.given(DUE, MISSED).when(HOLD).then(replace(HELD, was_missed=True))
    A_REVIEW.given(DUE, HELD).when(HOLD).then()
    A_REVIEW.given(DUE, HELD).when(replace(HOLD, findings="Other.")).then_rejected("not-in-this-state")


def test_a_report_is_not_held() -> None:
    A_REVIEW.given(AWAITED).when(HOLD).then_rejected("not-in-this-state")
    A_REVIEW.given(AWAITED, SEALED).when(HOLD).then_rejected("not-in-this-state")


def test_what_is_wrong_with_a_talk_is_told_at_once() -> None:
    asked = A_REVIEW.given(DUE)
    asked.when(replace(HOLD, on=date(2026, 3, 17), participants=())).then_rejected(
        "invalid-review", "in-the-future", "nobody-took-part"
    )
    asked.when(replace(HOLD, on=date(2026, 2, 28))).then_rejected("invalid-review", "period-not-over")


def test_a_missed_talk_is_told_to_operations_and_directors_until_it_is_held() -> None:
    (told,) = what_follows(MISSED)
    assert told.aggregate_id == occasion_of("review-missed", DUE.review_id)
    assert isinstance(told.command, RaiseNotices)
    assert told.command.roles == (Role.SALES_OPERATIONS, Role.SALES_DIRECTOR)
    assert (told.command.reference, told.command.due) == ("retro 2026-02", DUE.due)
    assert not what_follows(HELD)
    (settled,) = what_follows(replace(HELD, was_missed=True))
    assert isinstance(settled.command, SettleNotices)
    assert settled.aggregate_id == told.aggregate_id


# -- what a report says -----------------------------------------------------------------------------------------------

LIMITS = HEALTH_LIMITS.default_of(Company())
STAGE = ReportedStage(
    process_id=SHORT,
    process_version=1,
    stage="needs",
    name="Needs",
    due=0,
    completed=0,
    attempts=0,
    passes=0,
    abnormal=False,
    bottleneck=False,
)


def test_figures_are_judged_by_limits_and_sample() -> None:
    values = {
        each.metric: Measured(numerator=Decimal(1), denominator=Decimal(4), n=4 if each.unit == "days" else 8)
        for each in DEFINITIONS
    }
    told = {each.metric: (each.value, each.state, each.sample) for each in reported_figures(values, LIMITS)}
    assert told["win-rate"] == (Decimal("0.2500"), "alert", 8)
    assert told["lead-conversion"] == (Decimal("0.2500"), "healthy", 8)
    assert told["sales-cycle"] == (Decimal("0.25"), "no-data", 4)


@pytest.mark.parametrize(
    ("completed", "due", "abnormal"), [(8, 10, True), (9, 10, False), (0, 4, False), (0, 5, True), (0, 0, False)]
)
def test_a_stage_is_abnormal_where_less_is_done_than_is_an_alert(completed: int, due: int, abnormal: bool) -> None:
    (judged,) = judged_stages([replace(STAGE, due=due, completed=completed)], LIMITS)
    assert judged.abnormal is abnormal


def test_the_bottleneck_of_a_version_is_where_the_least_pass() -> None:
    stages = [
        replace(STAGE, stage="wide", attempts=10, passes=9),
        replace(STAGE, stage="narrow", attempts=10, passes=4),
        replace(STAGE, stage="hardly-tried", attempts=4, passes=0),
        replace(STAGE, stage="open", process_version=2, attempts=10, passes=10),
        replace(STAGE, stage="other", process_id=UUID(int=9), attempts=5, passes=4),
    ]
    assert [each.stage for each in judged_stages(stages, LIMITS) if each.bottleneck] == ["narrow", "other"]
    fewer = HealthLimits(limits=(), smallest_sample=4)
    assert [each.stage for each in judged_stages(stages, fewer) if each.bottleneck] == ["hardly-tried", "other"]
