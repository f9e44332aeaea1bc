"""Why a deal may not come in (FC-4)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from services.forecast.pipeline.dangers import dangers
from services.forecast.pipeline.queries.endangered import due_by
from services.forecast.pipeline.routes.outlook import behind
from services.forecast.pipeline.timeline import DealState, at
from services.forecast.processes.queries import Stage
from shared.domain.context import Company
from shared.domain.periods import CALENDAR_YEAR
from tests.services.forecast.facts import SHORT, day, fact, opened, rescheduled, won

QUARTER = CALENDAR_YEAR.period("2026-Q1")
CONTACT = Stage(
    published_at=day("2025-01-01"),
    known=day("2025-01-01"),
    process_id=SHORT,
    version=1,
    process="short",
    process_name="Short",
    stage="contact",
    name="Initial contact",
    max_days=14,
)
STAGES = {CONTACT.key: CONTACT}
NOW = day("2026-02-10")


def deal(*more: Any, close: date | None = date(2026, 3, 20), began: str = "2026-02-08") -> DealState:
    facts = [fact(1, opened(close=close), day(began)), *(fact(n, data, day(began)) for n, data in enumerate(more, 2))]
    state = at(facts, day("2026-12-31"), day("2026-12-31"))
    assert state is not None
    return state


def codes(state: DealState, now: Any = NOW) -> list[str]:
    return [danger.code for danger in dangers(state, now, Company(), STAGES, QUARTER)]


def test_a_deal_at_work_and_in_time_is_in_no_danger() -> None:
    assert codes(deal()) == []


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (deal(close=date(2026, 2, 9)), ["close-date-passed"]),
        (deal(close=None), ["no-close-date"]),
        (deal(rescheduled(date(2026, 3, 25)), rescheduled(date(2026, 3, 30))), ["pushed"]),
        (deal(began="2026-02-01"), ["silent"]),
        (deal(began="2026-01-10"), ["silent", "stage-overdue"]),
    ],
)
def test_each_danger(state: DealState, expected: list[str]) -> None:
    assert codes(state) == expected


def test_a_deal_far_from_won_is_in_danger_when_the_period_ends() -> None:
    late = replace(deal(began="2026-03-09"), probability=Decimal("0.3"))
    assert "too-early" in codes(late, day("2026-03-10"))
    assert "too-early" not in codes(replace(late, probability=Decimal("0.5")), day("2026-03-10"))


def test_what_is_due_by_the_end_of_a_period() -> None:
    assert due_by(QUARTER).admits(deal())
    assert due_by(QUARTER).admits(deal(close=date(2025, 11, 1)))
    assert due_by(QUARTER).admits(deal(close=None))
    assert not due_by(QUARTER).admits(deal(close=date(2026, 4, 1)))
    assert not due_by(QUARTER).admits(deal(won(date(2026, 2, 8))))


def test_which_deals_a_figure_of_the_forecast_counts() -> None:
    winner, runner = deal(won(date(2026, 2, 8))), deal()
    assert [any(part.admits(winner) for part in behind(figure, QUARTER)) for figure in ("won", "open", "expected")] == [
        True,
        False,
        True,
    ]
    assert [any(part.admits(runner) for part in behind(figure, QUARTER)) for figure in ("won", "open", "weighted")] == [
        False,
        True,
        True,
    ]
    for category, wanted in (("closed", [True, False]), ("pipeline", [False, True]), ("commit", [False, False])):
        parts = behind("expected", QUARTER, category)
        assert [any(part.admits(state) for part in parts) for state in (winner, runner)] == wanted, category


def test_periods() -> None:
    assert (QUARTER.first, QUARTER.last, QUARTER.months[-1]) == (date(2026, 1, 1), date(2026, 3, 31), "2026-03")
    assert CALENDAR_YEAR.period("2024-02").last == date(2024, 2, 29)
    assert QUARTER.elapsed(date(2026, 1, 1)) == (1, 90)
    assert QUARTER.elapsed(date(2025, 1, 1)) == (0, 90)
    assert QUARTER.elapsed(date(2027, 1, 1)) == (90, 90)
