"""What may be asked: instants, periods, and whose target is meant (FC-1, PROC-4)."""

from datetime import UTC, datetime

import pytest

from services.forecast.asking.periods import period
from services.forecast.asking.question import instant
from shared.domain.context import Company
from shared.projections.errors import InvalidQuery

COMPANY = Company(timezone="Europe/Berlin")
NOW = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
"""Half past midnight of the second of July in Berlin."""


def test_a_date_is_the_end_of_its_day_and_an_instant_is_itself() -> None:
    assert instant("2026-06-30", "as_of", COMPANY, NOW) == datetime(2026, 6, 30, 21, 59, 59, 999999, tzinfo=UTC)
    assert instant("2026-06-30T12:00:00+02:00", "as_of", COMPANY, NOW) == datetime(2026, 6, 30, 10, tzinfo=UTC)


def test_today_and_this_instant_are_not_in_the_future() -> None:
    """FC-1: the company's day and clock decide."""
    assert instant("2026-07-02", "as_of", COMPANY, NOW) == datetime(2026, 7, 2, 21, 59, 59, 999999, tzinfo=UTC)
    assert instant(NOW.isoformat(), "as_of", COMPANY, NOW) == NOW


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("rubbish", "not-an-instant"),
        ("2026-02-30", "not-an-instant"),
        ("2026-06-30T12:00:00", "without-offset"),
        ("0001-01-01", "out-of-range"),
        ("0001-01-01T00:00:00+14:00", "not-an-instant"),
        ("9999-12-31T23:59:59-12:00", "not-an-instant"),
        ("9999-12-30", "out-of-range"),
        ("2026-07-03", "in-the-future"),
        ("2026-07-01T22:30:01Z", "in-the-future"),
    ],
)
def test_what_cannot_be_reckoned_with_is_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidQuery) as refused:
        instant(text, "as_of", COMPANY, NOW)
    assert [(reason.code, reason.field) for reason in refused.value.reasons] == [(code, "as_of")]


@pytest.mark.parametrize("name", ["２０２６-Q4", "2026-Q4\n", "2026-Q5", "2026-13", "26", "0000"])
def test_what_is_no_period_is_refused(name: str) -> None:
    with pytest.raises(InvalidQuery) as refused:
        period(name, COMPANY)
    assert [(reason.code, reason.field) for reason in refused.value.reasons] == [("not-a-period", "period")]
