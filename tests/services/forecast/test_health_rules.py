"""Bands, trends and shares of the health metrics (FC-7)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from services.forecast.health.rules import (
    ATTAINMENT,
    CYCLE,
    NODE_COMPLETION,
    OVERDUE,
    WIN_RATE,
    Band,
    Definition,
    Measured,
    band,
    shown,
    trend,
)
from services.forecast.pipeline.queries.totals import tally_counts
from services.forecast.pipeline.timeline import DealState, at
from tests.services.forecast.conftest import COMPANY
from tests.services.forecast.facts import day, fact, moved, opened, planned, won

SMALLEST = 5


def measured(value: str, n: int = 100) -> Measured:
    return Measured(numerator=Decimal(value) * n, denominator=Decimal(n), n=n)


@pytest.mark.parametrize(
    ("definition", "value", "expected"),
    [
        (CYCLE, "90", Band.HEALTHY),
        (CYCLE, "90.01", Band.WATCH),
        (CYCLE, "120", Band.WATCH),
        (CYCLE, "120.01", Band.ALERT),
        (WIN_RATE, "0.40", Band.HEALTHY),
        (WIN_RATE, "0.3999", Band.WATCH),
        (WIN_RATE, "0.32", Band.WATCH),
        (WIN_RATE, "0.3199", Band.ALERT),
        (ATTAINMENT, "1", Band.HEALTHY),
        (ATTAINMENT, "0.79", Band.ALERT),
        (NODE_COMPLETION, "0.95", Band.HEALTHY),
        (NODE_COMPLETION, "0.90", Band.WATCH),
        (NODE_COMPLETION, "0.8999", Band.ALERT),
        (OVERDUE, "0.10", Band.HEALTHY),
        (OVERDUE, "0.25", Band.WATCH),
        (OVERDUE, "0.2501", Band.ALERT),
    ],
)
def test_the_band_of_a_value(definition: Definition, value: str, expected: Band) -> None:
    assert band(definition, measured(value), SMALLEST) is expected


def test_too_few_cases_are_no_data_and_never_an_alert() -> None:
    assert band(WIN_RATE, measured("0", n=4), SMALLEST) is Band.NO_DATA
    assert band(WIN_RATE, measured("0", n=5), SMALLEST) is Band.ALERT
    assert band(WIN_RATE, Measured(numerator=Decimal(0), denominator=Decimal(0), n=9), SMALLEST) is Band.NO_DATA


def test_the_trend_says_what_is_better() -> None:
    assert trend(CYCLE, measured("100"), measured("80"), SMALLEST) == "improving"
    assert trend(WIN_RATE, measured("0.4"), measured("0.3"), SMALLEST) == "worsening"
    assert trend(WIN_RATE, measured("0.40001"), measured("0.40002"), SMALLEST) == "steady"
    assert trend(WIN_RATE, measured("0.4", n=2), measured("0.3"), SMALLEST) == "unknown"


def deal(began: str, *more: object, last: str = "2026-03-01") -> DealState:
    facts = [fact(1, opened(), day(began)), *(fact(n, data, day(last)) for n, data in enumerate(more, 2))]
    state = at(facts, day("2026-12-31"), day("2026-12-31"))
    assert state is not None
    return state


def test_the_win_rate_counts_all_deals_opened_in_the_window() -> None:
    states = [deal("2026-02-01", won(date(2026, 3, 1))), deal("2026-02-02"), deal("2025-10-01", won(date(2026, 3, 1)))]
    counted = tally_counts(states, day("2026-12-31"), day("2026-01-01"), COMPANY)
    assert (counted.won, counted.opened) == (1, 2)


def test_a_deal_is_stalled_once_its_silence_outlasts_what_its_process_allows() -> None:
    state = replace(deal("2026-02-01", moved("needs"), last="2026-03-01"), idle_days=3)
    closed = deal("2026-02-01", won(date(2026, 3, 1)))
    for moment, stalled in ((day("2026-03-04"), 0), (day("2026-03-04") + timedelta(seconds=1), 1)):
        counted = tally_counts([state, closed], moment, day("2026-01-01"), COMPANY)
        assert (counted.stalled, counted.open) == (stalled, 1)


def test_a_next_step_ends_the_silence_until_its_day_is_over_two_weeks_at_most() -> None:
    """FC-7: from when it was agreed; the day is the company's."""
    silent = deal("2026-02-01", last="2026-02-01")
    for agreed, step, until in (
        ("2026-02-20", date(2026, 2, 27), date(2026, 2, 27)),
        ("2026-02-20", date(2026, 2, 20), date(2026, 2, 20)),
        ("2026-02-20", date(2026, 7, 1), date(2026, 3, 6)),
    ):
        state = deal("2026-02-01", planned(step), last=agreed)
        over = COMPANY.end_of(until)
        for moment, stalled in ((over, 0), (over + timedelta(microseconds=1), 1)):
            counted = tally_counts([state, silent], moment, day("2026-01-01"), COMPANY)
            assert (counted.stalled, counted.open) == (1 + stalled, 2)
    # Before it was agreed the deal was silent, and so it is once the step is given up.
    facts = [fact(1, opened(), day("2026-02-01")), fact(2, planned(date(2026, 2, 27)), day("2026-02-20"))]
    facts += [fact(3, planned(None), day("2026-02-22"))]
    for asked, silence in (("2026-02-19", True), ("2026-02-21", False), ("2026-02-23", True)):
        state_then = at(facts, day(asked), day("2026-12-31"))
        assert state_then is not None
        assert (state_then.stalls(COMPANY) < day(asked)) is silence


def test_a_step_never_makes_a_deal_silent() -> None:
    worked_on = deal("2026-02-01", planned(date(2026, 2, 2)), moved("needs"), last="2026-02-02")
    assert worked_on.stalls(COMPANY) == day("2026-02-02") + timedelta(days=worked_on.idle_days)


def test_halves_are_rounded_up_as_everywhere() -> None:
    assert shown(WIN_RATE, Decimal("0.33345")) == Decimal("0.3335")
    assert shown(WIN_RATE, Decimal("0.33325")) == Decimal("0.3333")
    assert shown(CYCLE, Decimal("90.125")) == Decimal("90.13")
