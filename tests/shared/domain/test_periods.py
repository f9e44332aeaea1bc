"""Periods: fiscal years by their names, their quarters and months, and the calendar's own months."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.periods import CALENDAR_YEAR, FiscalYear

BRITISH = FiscalYear(start=4)
JAPANESE = FiscalYear(start=4, named_after="start")
AMERICAN = FiscalYear(start=10)
"""The federal government's: fiscal year 2027 began on 1 October 2026."""
YEARS = st.builds(FiscalYear, start=st.integers(1, 12), named_after=st.sampled_from(["start", "end"]))
DAYS = st.dates(date(1900, 1, 1), date(8999, 12, 31))


@pytest.mark.parametrize(
    ("year", "name", "first", "last"),
    [
        (CALENDAR_YEAR, "2026", date(2026, 1, 1), date(2026, 12, 31)),
        (CALENDAR_YEAR, "2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
        (CALENDAR_YEAR, "2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        (FiscalYear(named_after="start"), "2026", date(2026, 1, 1), date(2026, 12, 31)),
        (BRITISH, "2027", date(2026, 4, 1), date(2027, 3, 31)),
        (BRITISH, "2027-Q1", date(2026, 4, 1), date(2026, 6, 30)),
        (BRITISH, "2027-Q4", date(2027, 1, 1), date(2027, 3, 31)),
        (JAPANESE, "2026", date(2026, 4, 1), date(2027, 3, 31)),
        (JAPANESE, "2026-Q4", date(2027, 1, 1), date(2027, 3, 31)),
        (AMERICAN, "2027-Q1", date(2026, 10, 1), date(2026, 12, 31)),
        (AMERICAN, "2026-11", date(2026, 11, 1), date(2026, 11, 30)),
        (FiscalYear(start=12), "2026-Q1", date(2025, 12, 1), date(2026, 2, 28)),
    ],
)
def test_a_period_by_its_name(year: FiscalYear, name: str, first: date, last: date) -> None:
    period = year.period(name)
    assert (period.name, period.first, period.last) == (name, first, last)


@pytest.mark.parametrize("name", ["0000", "0001-Q1", "9999-Q4", "9999"])
def test_what_lies_beyond_the_calendar_is_no_period(name: str) -> None:
    """Named after its end, the year 1 begins in a year that there is not; after its start, 9999 ends in one."""
    year = FiscalYear(start=7, named_after="end" if name < "5" else "start")
    with pytest.raises(ValueError, match="is no period"):
        year.period(name)


@pytest.mark.parametrize("name", ["2026-Q5", "2026-Q0", "2026-13", "2026-1", "26", "2026-q4", "２０２６", "2026 "])
def test_what_is_no_period(name: str) -> None:
    with pytest.raises(ValueError, match="is no period"):
        CALENDAR_YEAR.period(name)


@given(YEARS, DAYS)
def test_every_day_lies_in_one_quarter_of_the_year_that_its_name_says(year: FiscalYear, day: date) -> None:
    quarter, whole = year.quarter_of(day), year.period(f"{year.year_of(day):04}")
    assert quarter.first <= day <= quarter.last
    assert whole.first <= quarter.first <= quarter.last <= whole.last
    assert quarter in whole.parts


@given(YEARS, st.integers(1900, 8999))
def test_quarters_and_months_make_up_the_year_without_gaps(year: FiscalYear, number: int) -> None:
    whole = year.period(f"{number:04}")
    months = [month for quarter in whole.parts for month in quarter.parts]
    assert [month.name for month in months] == list(whole.months)
    assert [each.first for each in (*months[1:],)] == [each.last + timedelta(days=1) for each in months[:-1]]
    assert (months[0].first, months[-1].last) == (whole.first, whole.last)
    assert year.period(f"{number + 1:04}").first == whole.last + timedelta(days=1)


def test_the_quarters_of_a_span() -> None:
    names = [quarter.name for quarter in BRITISH.quarters(date(2026, 2, 10), date(2026, 7, 1))]
    assert names == ["2026-Q4", "2027-Q1", "2027-Q2"]


@given(YEARS, st.dates(date(1901, 1, 1), date(8999, 12, 31)), st.sampled_from(["month", "quarter", "year"]))
def test_a_period_follows_the_one_before(year: FiscalYear, day: date, length: str) -> None:
    quarter = year.quarter_of(day)
    names = {"month": f"{day.year:04}-{day.month:02}", "quarter": quarter.name, "year": quarter.name[:4]}
    period = year.period(names[length])
    before = period.before
    assert before.last + timedelta(days=1) == period.first
    assert (len(before.months), before) == (len(period.months), year.period(before.name))
