"""The business calendar: known days of countries, the same as counted one by one, and what is not known yet."""

from datetime import date, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.working_days import WEEKENDS_ONLY
from shared.domain.working_days import calendar_of as of


@pytest.mark.parametrize(
    ("place", "day", "is_working"),
    [
        ("", "2026-12-25", True),
        ("", "2026-11-28", False),
        ("DE", "2026-12-25", False),
        ("DE", "2026-06-04", True),  # Corpus Christi is kept in the west and south only
        ("DE-BY", "2026-06-04", False),
        ("GB", "2026-08-31", True),
        ("GB-ENG", "2026-08-31", False),
        ("SA", "2026-11-27", False),  # Friday
        ("SA", "2026-11-29", True),  # Sunday
        ("IL", "2026-11-29", True),
        ("IR", "2026-11-28", True),  # a weekend of Friday alone
        ("AE", "2021-12-03", False),  # Friday; the weekend was moved on from 2022
        ("AE", "2026-12-04", True),
        ("CN", "2026-10-10", True),  # a Saturday worked for the days of October
        ("CN", "2026-10-07", False),
        ("HU", "2026-08-08", True),
        ("US", "2027-12-31", False),  # the New Year's Day of 2028, a Saturday, is observed in the year before
    ],
)
def test_the_days_that_a_place_works(place: str, day: str, is_working: bool) -> None:
    assert of(place).is_working(date.fromisoformat(day)) is is_working


@pytest.mark.parametrize(
    ("place", "start", "days", "end"),
    [
        ("", "2026-11-27", 1, "2026-11-30"),
        ("", "2026-11-28", 0, "2026-11-28"),
        ("SA", "2026-11-26", 1, "2026-11-29"),
        ("IL", "2026-11-26", 1, "2026-11-29"),
        ("DE", "2026-12-30", 5, "2027-01-07"),
        ("CN", "2026-10-09", 1, "2026-10-10"),
        ("US", "2027-12-30", 1, "2028-01-03"),
        ("DE-BY", "2025-12-31", 3, "2026-01-07"),  # Epiphany is kept in Bavaria
    ],
)
def test_working_days_are_counted_across_weekends_holidays_and_years(
    place: str, start: str, days: int, end: str
) -> None:
    assert of(place).after(date.fromisoformat(start), days) == date.fromisoformat(end)


PLACES = ["", "DE-BY", "GB-ENG", "SA", "CN", "HU", "US-CA", "IR", "JP", "NP"]


@given(
    st.sampled_from(PLACES),
    st.dates(date(2015, 1, 1), date(2032, 12, 31)),
    st.integers(1, 700),
)
def test_so_many_working_days_after_a_day_is_as_counted_one_by_one(place: str, start: date, days: int) -> None:
    calendar, day, left = of(place), start, days
    while left:
        day += timedelta(days=1)
        left -= calendar.is_working(day)
    assert calendar.after(start, days) == day
    assert calendar.is_working(day)


@given(
    place=st.sampled_from(["", "DE-BY", "CN", "EG"]),
    start=st.dates(date(2024, 1, 1), date(2026, 6, 1)),
    days=st.integers(-3, 900),
)
def test_working_days_between_two_days_are_as_counted_one_by_one(place: str, start: date, days: int) -> None:
    calendar = of(place)
    counted = sum(calendar.is_working(start + timedelta(days=each)) for each in range(1, days + 1))
    assert calendar.between(start, start + timedelta(days=days)) == counted


@given(st.sampled_from(PLACES), st.dates(date(2015, 1, 1), date(2032, 12, 31)), st.integers(0, 99), st.integers(0, 99))
def test_days_after_days_are_all_of_them_after_the_first(place: str, start: date, first: int, then: int) -> None:
    calendar = of(place)
    assert calendar.after(calendar.after(start, first), then) == calendar.after(start, first + then)


@pytest.mark.parametrize("year", range(2006, 2027))
def test_china_works_on_the_days_that_its_own_calendar_says(year: int) -> None:
    china, first = of("CN"), date(year, 1, 1)
    days = [first + timedelta(days=number) for number in range((date(year + 1, 1, 1) - first).days)]
    assert [day for day in days if china.is_working(day) is not chinese_calendar.is_workday(day)] == []
    assert china.is_known(year)


def test_china_is_not_known_before_its_days_are_decreed() -> None:
    with pytest.raises(NotImplementedError):
        chinese_calendar.is_workday(date(2028, 1, 1))
    assert not of("CN").is_known(2028)


@pytest.mark.parametrize(
    ("place", "year", "is_known"),
    [
        ("", 5000, True),
        ("DE", 2040, True),
        ("DE", 1980, False),  # before what is listed
        ("LK", 2026, True),
        ("LK", 2027, False),  # after it
        ("HU", 2023, True),  # a year without a shifted day among years with
        ("BG", 2027, True),  # shifts none any more
    ],
)
def test_a_year_is_known_once_its_days_are_listed(place: str, year: int, is_known: bool) -> None:
    assert of(place).is_known(year) is is_known


def test_what_is_free_is_named_in_the_language_asked_for_or_the_country_s_own() -> None:
    christmas = date(2026, 12, 25)
    assert of("DE").free_days(2026, "en")[christmas] == "Christmas Day"
    assert of("DE").free_days(2026, "de-AT")[christmas] == "Erster Weihnachtstag"
    assert of("DE").free_days(2026, "fr")[christmas] == "Erster Weihnachtstag"


def test_a_year_s_days_are_told_by_what_departs_from_its_weekends() -> None:
    china = of("CN")
    shifted, free = china.shifted_days(2026), china.free_days(2026, "en")
    assert date(2026, 10, 10) in shifted
    assert date(2026, 10, 7) in free
    first = date(2026, 1, 1)
    for day in (first + timedelta(days=number) for number in range(365)):
        by_parts = day in shifted or (day.weekday() not in china.weekend(2026) and day not in free)
        assert china.is_working(day) is by_parts, day


def test_without_a_country_nothing_but_weekends_is_free() -> None:
    assert (WEEKENDS_ONLY.free_days(2026, "en"), WEEKENDS_ONLY.shifted_days(2026)) == ({}, [])
    assert WEEKENDS_ONLY.weekend(2026) == [5, 6]
    assert WEEKENDS_ONLY.place == ""
    assert of("DE-BY").place == "DE-BY"


def test_the_latest_working_days_are_sorted_and_end_with_the_day_itself_where_it_is_one() -> None:
    friday, sunday = date(2026, 3, 13), date(2026, 3, 15)
    latest = WEEKENDS_ONLY.latest(friday, years=1)
    assert (latest[0], latest[-1]) == (date(2025, 1, 1), friday)
    assert latest == sorted(set(latest)) == WEEKENDS_ONLY.latest(sunday, years=1)
    assert len([day for day in latest if day > date(2026, 3, 6)]) == WEEKENDS_ONLY.between(date(2026, 3, 6), sunday)
