"""PROC-1: how long a deal has stood and idled, and where its process lets it go."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.deals.domain.deal.standing import (
    Aging,
    LifeSigns,
    PossibleMoves,
    aging,
    is_work,
    possible_moves,
    silence_until,
    silent_from,
)
from services.deals.domain.process.short import SHORT
from shared.domain.context import Company
from shared.events.deals.deal import DealActivityLogged, DealCloseDateChanged, DealNextStepPlanned
from tests.services.deals.facts import ID, OPENED
from tests.services.deals.test_next_actions import IN_THE_LAST_STAGE

STAGE = replace(SHORT.stages[0], max_days=14, idle_days=3)
ENTERED, WORKED = date(2026, 3, 2), datetime(2026, 3, 10, 15, 0, tzinfo=UTC)


def on(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def signs(worked_at: datetime, until: date | None = None) -> LifeSigns:
    return LifeSigns(last_worked_at=worked_at, silence_until=until)


@pytest.mark.parametrize(
    ("now", "silence", "expected"),
    [
        (on(16), None, Aging(days_in_stage=14, days_late=0, idle_days=6, is_idle=True)),
        (on(17), None, Aging(days_in_stage=15, days_late=1, idle_days=7, is_idle=True)),
        (on(13, 14), None, Aging(days_in_stage=11, days_late=0, idle_days=3, is_idle=False)),
        (on(13, 16), None, Aging(days_in_stage=11, days_late=0, idle_days=3, is_idle=True)),
        (on(16), date(2026, 3, 16), Aging(days_in_stage=14, days_late=0, idle_days=6, is_idle=False)),
        (on(17), date(2026, 3, 16), Aging(days_in_stage=15, days_late=1, idle_days=7, is_idle=True)),
        # Worked on after a step that was to keep it from counting as silent until before.
        (on(12), date(2026, 3, 1), Aging(days_in_stage=10, days_late=0, idle_days=2, is_idle=False)),
    ],
)
def test_proc_1_a_deal_is_late_after_its_max_days_and_idle_after_its_idle_days(
    now: datetime, silence: date | None, expected: Aging
) -> None:
    assert aging(STAGE, ENTERED, signs(WORKED, silence), now, Company()) == expected


def test_days_are_those_of_the_company() -> None:
    """Half past eleven in the evening by UTC is the next day in Berlin."""
    berlin, late = Company(timezone="Europe/Berlin"), datetime(2026, 3, 9, 23, 30, tzinfo=UTC)
    assert aging(STAGE, ENTERED, signs(late), on(10), berlin).idle_days == 0
    assert aging(STAGE, ENTERED, signs(late), on(10), Company()).idle_days == 1


def test_without_a_stage_nothing_is_too_long() -> None:
    assert aging(None, ENTERED, signs(WORKED), on(30), Company()) == Aging(
        days_in_stage=28, days_late=0, idle_days=20, is_idle=False
    )


def test_a_next_step_keeps_a_deal_from_counting_as_silent_for_as_long_as_it_says() -> None:
    planned = DealNextStepPlanned(deal_id=ID, on=date(2026, 6, 1))
    assert silence_until(replace(planned, silence_until=date(2026, 4, 1)), ENTERED) == date(2026, 4, 1)
    assert silence_until(planned, ENTERED) == date(2026, 3, 16)
    assert silence_until(replace(planned, on=date(2026, 3, 5)), ENTERED) == date(2026, 3, 5)
    assert silence_until(replace(planned, on=None), ENTERED) is None


@pytest.mark.parametrize(
    ("worked_at", "idle_limit", "until", "silent"),
    [
        (datetime(2026, 3, 16, 10, tzinfo=UTC), 3, None, datetime(2026, 3, 19, 10, tzinfo=UTC)),
        (datetime(2026, 3, 16, 10, tzinfo=UTC), 3, date(2026, 3, 17), datetime(2026, 3, 19, 10, tzinfo=UTC)),
        (
            datetime(2026, 3, 16, 10, tzinfo=UTC),
            3,
            date(2026, 3, 24),
            datetime(2026, 3, 24, 23, 59, 59, 999999, tzinfo=UTC),
        ),
    ],
    ids=["no step", "a step within the idle days", "a step beyond them"],
)
def test_deal_7_a_planned_step_keeps_a_deal_from_counting_as_silent(
    worked_at: datetime, idle_limit: int, until: date | None, silent: datetime
) -> None:
    assert silent_from(signs(worked_at, until), idle_limit, Company()) == silent


def test_deal_6_changing_a_date_is_no_work_and_neither_is_moving_by_itself() -> None:
    """PROC-1."""
    assert is_work(OPENED)
    assert is_work(DealActivityLogged(deal_id=ID, activity_id=ID, kind="call"))
    assert not is_work(DealCloseDateChanged(deal_id=ID, before=None, expected_close=date(2026, 7, 1)))
    assert is_work(IN_THE_LAST_STAGE)
    assert not is_work(replace(IN_THE_LAST_STAGE, automatic=True))


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("initial-contact", PossibleMoves(forward="needs-confirmed", skip=(), back=())),
        (
            "needs-confirmed",
            PossibleMoves(forward="quotation", skip=("contract-drafting",), back=("initial-contact",)),
        ),
        (
            "contract-drafting",
            PossibleMoves(forward=None, skip=(), back=("initial-contact", "needs-confirmed", "quotation")),
        ),
    ],
)
def test_deal_3_a_deal_goes_where_its_process_lets_it(stage: str, expected: PossibleMoves) -> None:
    assert possible_moves(SHORT, stage) == expected
    assert possible_moves(replace(SHORT, can_move_back=False), stage) == replace(expected, back=())
