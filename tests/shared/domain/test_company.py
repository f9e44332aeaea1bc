"""The company's calendar: working days are counted in weeks, and come out as if counted one by one."""

from datetime import date, timedelta

import pytest

from shared.domain.context import Company

HOLIDAYS = frozenset({date(2026, 4, 3), date(2026, 4, 4), date(2026, 4, 6), date(2026, 5, 1), date(2026, 12, 25)})


def one_by_one(company: Company, start: date, days: int) -> date:
    day = start
    while days > 0:
        day += timedelta(days=1)
        days -= company.is_working(day)
    return day


@pytest.mark.parametrize("holidays", [frozenset(), HOLIDAYS])
@pytest.mark.parametrize("offset", range(7))
def test_working_days_are_those_that_are_counted_one_by_one(holidays: frozenset[date], offset: int) -> None:
    company, start = Company(holidays=holidays), date(2026, 3, 30) + timedelta(days=offset)
    for days in (*range(60), 200, 261, 3650):
        assert company.add_working_days(start, days) == one_by_one(company, start, days)
