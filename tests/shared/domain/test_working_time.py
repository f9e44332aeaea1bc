"""Working time: known vectors, the same as counted minute by minute, and China's own calendar (ORG-1)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import chinese_calendar
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from shared.domain.context import Company
from shared.domain.working_days import WEEKENDS_ONLY, BusinessCalendar, calendar_of
from shared.domain.working_time.hours import clock, faults, usual_hours
from shared.domain.working_time.leave import Leave
from shared.domain.working_time.reckoning import WorkingTime, working_time_of
from shared.events.working_hours import WEEKDAYS, Shift, Weekday, WorkingHours

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
BERLIN = Company(timezone="Europe/Berlin", calendar=calendar_of("DE-BY"))
USUAL = usual_hours(WEEKENDS_ONLY)


def week(*shifts: str, timezone: str | None = None, place: str | None = None) -> WorkingHours:
    """Working hours from lines like "monday 09:00-17:00"; "daily" is every day."""
    return WorkingHours(shifts=tuple(each for line in shifts for each in _read(line)), timezone=timezone, place=place)


def _read(line: str) -> Iterator[Shift]:
    named, hours = line.split()
    start, end = hours.split("-")
    for name in WEEKDAYS:
        if named in (name, "daily"):
            yield Shift(weekday=name, start=start, end=end)


def at(text: str) -> datetime:
    """An instant like 2026-11-27T15:30Z."""
    return datetime.fromisoformat(text).astimezone(UTC)


NIGHTS = week("daily 22:00-06:00")
ROUND_THE_CLOCK = week("daily 00:00-24:00")
SMALL_HOURS = week("daily 00:00-06:00")
SIESTA = week("monday 09:00-13:00", "monday 16:00-20:00", "tuesday 09:00-13:00")


@pytest.mark.parametrize(
    ("hours", "after", "minutes", "due"),
    [
        (USUAL, "2026-11-30T08:00Z", 30, "2026-11-30T08:30Z"),
        (USUAL, "2026-11-30T03:00Z", 30, "2026-11-30T08:30Z"),  # before they start
        (USUAL, "2026-11-27T15:30Z", 30, "2026-11-27T16:00Z"),  # at the end of the day, not on the next one
        (USUAL, "2026-11-27T15:30Z", 31, "2026-11-30T08:01Z"),
        (USUAL, "2026-11-28T12:00Z", 480, "2026-11-30T16:00Z"),
        (USUAL, "2026-11-28T12:00Z", 0, "2026-11-28T12:00Z"),
        (USUAL, "2026-11-27T15:59:40.5Z", 1, "2026-11-30T08:00:40.5Z"),
        (USUAL, "2026-12-23T16:00Z", 481, "2026-12-28T08:01Z"),  # Christmas Eve is worked, Christmas is not
        (USUAL, "2026-12-31T15:00Z", 90, "2027-01-04T08:30Z"),
        (USUAL, "2028-01-05T15:00Z", 90, "2028-01-07T08:30Z"),  # Epiphany in Bavaria
        (USUAL, "2026-03-27T15:00Z", 120, "2026-03-30T08:00Z"),  # summer time begins on the weekend
        (USUAL, "2026-10-23T14:00Z", 120, "2026-10-26T09:00Z"),
        (replace(USUAL, place=""), "2026-12-24T16:00Z", 1, "2026-12-25T08:01Z"),
        (replace(USUAL, timezone="America/New_York"), "2026-11-30T08:00Z", 1, "2026-11-30T14:01Z"),
        (SIESTA, "2026-11-30T11:30Z", 60, "2026-11-30T15:30Z"),
        (SIESTA, "2026-11-30T11:30Z", 271, "2026-12-01T08:01Z"),
        (SIESTA, "2026-12-01T12:00Z", 1, "2026-12-07T08:01Z"),
        (NIGHTS, "2026-11-30T12:00Z", 481, "2026-12-01T21:01Z"),
        (NIGHTS, "2026-12-24T12:00Z", 481, "2026-12-27T21:01Z"),  # the night before a holiday is worked to its end
        (NIGHTS, "2026-03-28T12:00Z", 7 * 60 + 1, "2026-03-29T20:01Z"),  # a short night
        (NIGHTS, "2026-10-24T12:00Z", 9 * 60 + 1, "2026-10-25T21:01Z"),  # a long one
        (ROUND_THE_CLOCK, "2026-11-30T12:34Z", 4321, "2026-12-03T12:35Z"),
    ],
)
def test_so_many_working_minutes_after_an_instant(hours: WorkingHours, after: str, minutes: int, due: str) -> None:
    """ORG-1: due times in working minutes."""
    working = working_time_of(BERLIN, hours)
    assert working.due(at(after), minutes) == at(due)
    assert working.elapsed(at(after), at(due)) == minutes * MINUTE


@pytest.mark.parametrize(
    ("shift", "start", "end"),
    [
        # Clocks go from 02:00 to 03:00 at 01:00Z.
        ("sunday 00:00-06:00", "2026-03-28T23:00Z", "2026-03-29T04:00Z"),
        ("sunday 01:00-02:30", "2026-03-29T00:00Z", "2026-03-29T01:00Z"),
        ("sunday 02:30-03:15", "2026-03-29T01:00Z", "2026-03-29T01:15Z"),
        ("sunday 02:00-03:00", None, None),
        ("sunday 02:15-02:45", None, None),
        # They go from 03:00 to 02:00 at 01:00Z; what is shown twice belongs to the first time it is shown.
        ("sunday 00:00-06:00", "2026-10-24T22:00Z", "2026-10-25T05:00Z"),
        ("sunday 02:00-03:00", "2026-10-25T00:00Z", "2026-10-25T02:00Z"),
        ("sunday 02:00-02:30", "2026-10-25T00:00Z", "2026-10-25T00:30Z"),
        ("sunday 02:30-05:00", "2026-10-25T00:30Z", "2026-10-25T04:00Z"),
    ],
)
def test_a_shift_begins_and_ends_when_clocks_first_show_its_times(
    shift: str, start: str | None, end: str | None
) -> None:
    march = start is None or start < "2026-06"
    sunday = at("2026-03-28T23:00Z") if march else at("2026-10-24T22:00Z")
    working = working_time_of(BERLIN, week(shift))
    if start is None or end is None:
        assert working.elapsed(sunday, sunday + DAY) == timedelta()
        return
    assert working.elapsed(sunday, sunday + DAY) == at(end) - at(start)
    assert working.due(sunday, 1) == at(start) + MINUTE
    assert working.elapsed(sunday, at(end)) == at(end) - at(start)


@pytest.mark.parametrize(
    ("timezone", "day", "hours"),
    [
        ("Australia/Lord_Howe", "2026-10-04", 5.5),  # half an hour is skipped
        ("Australia/Lord_Howe", "2026-04-05", 6.5),
        ("America/Sao_Paulo", "2018-11-04", 5),  # midnight itself is skipped
        ("Asia/Beirut", "2026-03-29", 5),
        ("Pacific/Apia", "2011-12-29", 6),
        ("Pacific/Apia", "2011-12-30", 0),  # a whole day is skipped
        ("Pacific/Apia", "2011-12-31", 6),
        ("Africa/Monrovia", "1972-01-07", 5 + 15.5 / 60),  # 44 minutes and 30 seconds are skipped
    ],
)
def test_a_small_night_is_as_long_as_the_clocks_of_its_place_make_it(timezone: str, day: str, hours: float) -> None:
    working = working_time_of(Company(timezone=timezone), SMALL_HOURS)
    noon = datetime.combine(date.fromisoformat(day), time(12), tzinfo=UTC)
    # In the time zone's own days: what belongs to one is what is worked up to its noon, or the next one's start.
    own = [end - start for belongs, start, end in working._stretches(noon.date(), noon.date()) if str(belongs) == day]
    assert sum(own, timedelta()) == timedelta(hours=hours)


LEAVE = (Leave(start=date(2026, 12, 21), end=date(2027, 1, 3)),)


@pytest.mark.parametrize(
    ("hours", "after", "minutes", "due"),
    [
        (USUAL, "2026-12-18T15:59Z", 2, "2027-01-04T08:01Z"),
        (USUAL, "2026-12-24T10:00Z", 1, "2027-01-04T08:01Z"),
        (NIGHTS, "2026-12-20T20:00Z", 481, "2027-01-04T21:01Z"),  # the night before it is worked to its end
    ],
)
def test_nothing_counts_of_a_leave(hours: WorkingHours, after: str, minutes: int, due: str) -> None:
    working = working_time_of(BERLIN, hours, LEAVE)
    assert working.due(at(after), minutes) == at(due)
    assert working.elapsed(at(after), at(due)) == minutes * MINUTE


def test_so_many_worked_days_after_an_instant() -> None:
    """ORG-1: due times in working days."""
    friday = at("2026-12-18T10:00Z")
    assert working_time_of(BERLIN).due_day(friday, 6) == date(2026, 12, 29)
    assert working_time_of(BERLIN, leave=LEAVE).due_day(friday, 1) == date(2027, 1, 4)
    assert working_time_of(BERLIN, SIESTA).due_day(friday, 2) == date(2026, 12, 22)
    assert working_time_of(BERLIN, SIESTA).due_day(at("2026-12-20T23:30Z"), 0) == date(2026, 12, 21)
    assert working_time_of(BERLIN, week("sunday 02:00-03:00")).due_day(at("2026-03-28T12:00Z"), 1) == date(2026, 4, 5)


@pytest.mark.parametrize(
    ("hours", "day", "days", "starts"),
    [
        (USUAL, "2026-12-18", 0, "2026-12-18T08:00Z"),
        (USUAL, "2026-12-19", 0, "2026-12-21T08:00Z"),  # a Saturday
        (USUAL, "2026-12-19", 1, "2026-12-22T08:00Z"),
        (USUAL, "2026-12-25", 0, "2026-12-28T08:00Z"),  # Christmas, and a weekend
        (USUAL, "2026-03-27", 1, "2026-03-30T07:00Z"),  # summer time begins on the weekend
        (SIESTA, "2026-12-01", 0, "2026-12-01T08:00Z"),
        (SIESTA, "2026-12-01", 1, "2026-12-07T08:00Z"),
        (NIGHTS, "2026-12-24", 1, "2026-12-27T21:00Z"),
        (week("sunday 02:00-03:00"), "2026-03-29", 0, "2026-04-05T00:00Z"),  # clocks skip it
    ],
)
def test_work_starts_on_a_day_or_on_the_next_worked_one(hours: WorkingHours, day: str, days: int, starts: str) -> None:
    """DEAL-6: when people are reminded of a day."""
    assert working_time_of(BERLIN, hours).start_of(date.fromisoformat(day), days) == at(starts)


def test_work_that_does_not_start_within_a_century_is_refused() -> None:
    away = working_time_of(BERLIN, leave=(Leave(start=date(2026, 1, 1), end=date(2200, 1, 1)),))
    with pytest.raises(ValueError, match="within a century"):
        away.start_of(date(2026, 12, 18))


@pytest.mark.parametrize(
    ("hours", "sunday"),
    [
        (USUAL, 480 * MINUTE),  # as a Monday
        (week("monday 09:00-17:00", "sunday 10:00-12:00"), 120 * MINUTE),  # as the Sunday that it is
        (week("tuesday 08:00-13:00", "friday 08:00-10:00"), 300 * MINUTE),  # as the first day with hours
    ],
)
def test_a_shifted_day_is_worked_by_its_own_hours_or_those_of_a_monday(hours: WorkingHours, sunday: timedelta) -> None:
    china = working_time_of(Company(timezone="Asia/Shanghai", calendar=calendar_of("CN")), hours)
    assert calendar_of("CN").shifted_days(2026)[:2] == [date(2026, 1, 4), date(2026, 2, 14)]
    assert china.elapsed(at("2026-01-03T16:00Z"), at("2026-01-04T16:00Z")) == sunday


def test_two_shifts_that_meet_on_a_shifted_day_count_once() -> None:
    """A Sunday that is worked as a Monday runs into the Monday after it."""
    hours = week("monday 06:00-10:00", "monday 20:00-08:00")
    china = working_time_of(Company(timezone="Asia/Shanghai", calendar=calendar_of("CN")), hours)
    # Sunday 06:00-10:00 and from 20:00 to Monday 10:00.
    assert china.elapsed(at("2026-01-03T16:00Z"), at("2026-01-05T04:00Z")) == timedelta(hours=4 + 14)


SHANGHAI = ZoneInfo("Asia/Shanghai")


def instants_of(first: int, last: int, zone: tzinfo = UTC) -> st.SearchStrategy[datetime]:
    """Instants of the years from one to another."""
    span = (date(last + 1, 1, 1) - date(first, 1, 1)) // timedelta(microseconds=1)
    start = datetime(first, 1, 1, tzinfo=UTC)
    return st.integers(0, span - 1).map(lambda each: (start + timedelta(microseconds=each)).astimezone(zone))


@pytest.mark.parametrize("year", range(2006, 2027))
def test_china_works_the_minutes_that_its_own_calendar_says(year: int) -> None:
    """ORG-1: against `chinesecalendar`, day by day."""
    china = working_time_of(Company(timezone="Asia/Shanghai", calendar=calendar_of("CN")))
    midnight, instants = datetime(year, 1, 1, tzinfo=SHANGHAI), []
    while midnight.year == year:
        instants.append(midnight.astimezone(UTC))
        midnight += DAY
    instants.append(midnight.astimezone(UTC))
    expected = [480 * MINUTE * chinese_calendar.is_workday(each.astimezone(SHANGHAI).date()) for each in instants[:-1]]
    found = [china.elapsed(start, end) for start, end in pairwise(instants)]
    assert found == expected
    assert china.elapsed(instants[0], instants[-1]) == sum(expected, timedelta())
    assert china.is_known(instants[0], instants[-2])


@given(instants_of(2006, 2024, SHANGHAI), st.integers(1, 200))
def test_china_is_due_on_the_day_that_its_own_calendar_says(after: datetime, days: int) -> None:
    china = working_time_of(Company(timezone="Asia/Shanghai", calendar=calendar_of("CN")))
    day, left = after.date(), days
    while left:
        day += DAY
        left -= chinese_calendar.is_workday(day)
    assert china.due_day(after, days) == day
    midnight = datetime.combine(after.date() + DAY, time(), tzinfo=SHANGHAI)
    assert china.due(midnight, 480 * days) == datetime.combine(day, time(17), tzinfo=SHANGHAI)


@given(
    st.sampled_from(["", "DE-BY", "GB-ENG", "SA", "EG", "CN", "HU", "US-CA", "JP", "NP"]),
    instants_of(2022, 2032),
    st.integers(0, 700),
)
def test_usual_hours_are_those_of_the_working_days_of_a_place(place: str, after: datetime, days: int) -> None:
    calendar = calendar_of(place)
    working = working_time_of(Company(calendar=calendar))
    assert working.due_day(after, days) == calendar.after(after.date(), days)


# -- counted minute by minute -----------------------------------------------------------------------------------------

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",
    "America/Sao_Paulo",
    "Atlantic/Azores",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
]
CHANGES = [
    "2026-03-29",
    "2026-10-25",
    "2026-03-08",
    "2026-11-01",
    "2018-11-04",
    "2018-02-18",
    "2011-12-30",
    "2026-04-05",
]


def minutes_of(company: Company, hours: WorkingHours, leave: tuple[Leave, ...], start: datetime) -> Iterator[bool]:
    """Whether each minute from an instant on is worked, as told by what the clocks showed last at the latest."""
    zone = ZoneInfo(hours.timezone or company.timezone)
    calendar = company.calendar if hours.place is None else calendar_of(hours.place)
    first = next(name for name in WEEKDAYS for each in hours.shifts if each.weekday == name)
    moment = start - 30 * 60 * MINUTE
    shown = moment.astimezone(zone).replace(tzinfo=None)
    while True:
        shown = max(shown, moment.astimezone(zone).replace(tzinfo=None))
        if moment >= start:
            yield any(
                shown.date() == day + timedelta(days=later) and since <= f"{shown:%H:%M}" < until
                for day in (shown.date(), shown.date() - DAY)
                if not any(each.start <= day <= each.end for each in leave)
                for shift in shifts_on(calendar, hours, day, first)
                for since, until, later in parts(shift)
            )
        moment += MINUTE


def shifts_on(calendar: BusinessCalendar, hours: WorkingHours, day: date, first: Weekday) -> list[Shift]:
    own = [each for each in hours.shifts if each.weekday == WEEKDAYS[day.weekday()]]
    if calendar.is_shifted(day):
        return own or [each for each in hours.shifts if each.weekday == first]
    return [] if calendar.is_holiday(day) else own


def parts(shift: Shift) -> list[tuple[str, str, int]]:
    """From when to when on the day of a shift, and on the next one."""
    if shift.end > shift.start:
        return [(shift.start, shift.end, 0)]
    return [(shift.start, "24:00", 0), ("00:00", shift.end, 1)]


@st.composite
def some_hours(draw: st.DrawFn) -> WorkingHours:
    """Working hours without faults, often close to the hours at which clocks are changed."""
    times = st.one_of(
        st.sampled_from(["00:00", "00:30", "01:00", "01:45", "02:00", "02:15", "02:30", "03:00", "03:20", "09:00"]),
        st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59)),
    )
    shift = st.builds(Shift, weekday=st.sampled_from(WEEKDAYS), start=times, end=st.one_of(times, st.just("24:00")))
    hours = WorkingHours(shifts=(), timezone=draw(st.sampled_from(ZONES)))
    for each in draw(st.lists(shift, min_size=1, max_size=12)):
        more = replace(hours, shifts=(*hours.shifts, each))
        hours = hours if faults(more) else more
    return hours if hours.shifts else replace(hours, shifts=USUAL.shifts)


COMPANIES = st.sampled_from([Company(calendar=calendar_of(place)) for place in ("", "DE-BY", "CN", "US")])
INSTANTS = st.one_of(
    instants_of(2010, 2031).map(lambda moment: moment.replace(second=0, microsecond=0)),
    st.builds(
        lambda day, minutes: datetime.combine(date.fromisoformat(day), time(), tzinfo=UTC) + minutes * MINUTE,
        st.sampled_from(CHANGES),
        st.integers(-2000, 2000),
    ),
)
LEAVES = st.lists(
    st.builds(
        lambda day, before, days: Leave(
            start=date.fromisoformat(day) + before * DAY, end=date.fromisoformat(day) + days * DAY
        ),
        st.sampled_from(CHANGES),
        st.integers(-3, 0),
        st.integers(0, 3),
    ),
    max_size=2,
).map(tuple)


@given(COMPANIES, some_hours(), LEAVES, INSTANTS, st.integers(0, 4000))
def test_working_time_is_as_counted_minute_by_minute(
    company: Company, hours: WorkingHours, leave: tuple[Leave, ...], start: datetime, length: int
) -> None:
    """ORG-1: by plain counting."""
    working = working_time_of(company, hours, leave)
    counting = minutes_of(company, hours, leave, start)
    worked = [next(counting) for _ in range(length)]
    assert working.elapsed(start, start + length * MINUTE) == sum(worked) * MINUTE
    done = 0
    for number, is_worked in enumerate(worked, start=1):
        done += is_worked
        if is_worked and done % 97 == 1:
            assert working.due(start, done) == start + number * MINUTE


@given(COMPANIES, some_hours(), LEAVES, instants_of(2010, 2031), st.integers(0, 20_000), st.integers(0, 20_000))
def test_due_is_the_inverse_of_elapsed_and_minutes_add_up(
    company: Company, hours: WorkingHours, leave: tuple[Leave, ...], start: datetime, first: int, then: int
) -> None:
    working: WorkingTime = working_time_of(company, hours, leave)
    per_week = sum(end - begun for begun, end in map(clock, hours.shifts))
    first, then = (each % (2000 * per_week) for each in (first, then))  # within a century, if it is a minute a week
    due = working.due(start, first)
    assert working.elapsed(start, due) == first * MINUTE
    later = working.due(due, then)
    assert later == working.due(start, first + then) >= due
    assert working.elapsed(start, due) + working.elapsed(due, later) == working.elapsed(start, later)
    assert first == 0 or working.elapsed(start, due - timedelta(microseconds=1)) < first * MINUTE  # no earlier instant
    assert working.elapsed(later, start) == timedelta()


def test_an_instant_of_another_time_zone_is_the_instant_that_it_is() -> None:
    working = working_time_of(BERLIN, NIGHTS)
    there = at("2026-10-24T22:00Z").astimezone(ZoneInfo("Europe/Berlin"))
    assert working.due(there, 7 * 60) == at("2026-10-25T05:00Z")
    assert working.elapsed(there, at("2026-10-25T05:00Z").astimezone(there.tzinfo)) == timedelta(hours=7)


def test_a_year_that_is_yet_to_be_decreed_is_reckoned_with_and_told() -> None:
    china = working_time_of(Company(timezone="Asia/Shanghai", calendar=calendar_of("CN")))
    start = at("2026-12-30T00:00Z")
    assert china.is_known(start, start + DAY)
    far = china.due(start, 480 * 600)
    assert not china.is_known(start, far)
    assert china.elapsed(start, far) == 480 * 600 * MINUTE
    assert working_time_of(Company()).is_known(start, far)


def test_what_is_never_due_is_refused_and_ends() -> None:
    always = (Leave(start=date(2000, 1, 1), end=date(8999, 12, 31)),)
    away = working_time_of(BERLIN, leave=always)
    with pytest.raises(ValueError, match="within a century"):
        away.due(at("2026-11-30T08:00Z"), 1)
    with pytest.raises(ValueError, match="within a century"):
        away.due_day(at("2026-11-30T08:00Z"), 1)
    assert away.elapsed(at("2026-11-30T08:00Z"), at("2036-11-30T08:00Z")) == timedelta()


# -- the document -----------------------------------------------------------------------------------------------------


def test_usual_hours_leave_out_the_weekend_of_the_place() -> None:
    assert [each.weekday for each in usual_hours(WEEKENDS_ONLY).shifts] == list(WEEKDAYS[:5])
    assert [each.weekday for each in usual_hours(calendar_of("EG")).shifts] == [*WEEKDAYS[:4], "sunday"]
    assert {(each.start, each.end) for each in USUAL.shifts} == {("09:00", "17:00")}
    assert faults(USUAL) == []


@pytest.mark.parametrize(
    "hours",
    [
        NIGHTS,
        ROUND_THE_CLOCK,
        SIESTA,
        week("monday 00:00-24:00", "tuesday 00:00-24:00"),
        week("sunday 22:00-06:00", "monday 06:00-22:00"),
        week("sunday 22:00-00:00", "monday 00:00-22:00"),
        week("monday 09:00-17:00", timezone="Asia/Kathmandu", place="DE-BY"),
    ],
)
def test_hours_that_are_sound(hours: WorkingHours) -> None:
    assert faults(hours) == []


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (WorkingHours(shifts=()), [("no-shifts", "shifts")]),
        (week("monday 09:00-09:00"), [("takes-no-time", "shifts.0.end")]),
        (week("monday 24:00-06:00"), [("no-time-of-day", "shifts.0.start")]),
        (week("monday 9:00-25:00"), [("no-time-of-day", "shifts.0.start"), ("no-time-of-day", "shifts.0.end")]),
        (week("monday 09:00-17:00\n".strip(), "monday 16:59-18:00"), [("overlapping-shifts", "shifts.1")]),
        (week("monday 05:59-08:00", "sunday 22:00-06:00"), [("overlapping-shifts", "shifts.1")]),
        (week("monday 09:00-17:00", "monday 10:00-11:00"), [("overlapping-shifts", "shifts.1")]),
        (week("monday 09:00-17:00", timezone="Mars"), [("unknown-timezone", "timezone")]),
        (week("monday 09:00-17:00", timezone=""), [("unknown-timezone", "timezone")]),
        (week("monday 09:00-17:00", place="DE-XX"), [("unknown-place", "place")]),
        (
            week("monday 09:00-9:30", "monday 10:00-12:00", "monday 11:00-13:00", timezone="Mars", place="Mars"),
            [
                ("no-time-of-day", "shifts.0.end"),
                ("overlapping-shifts", "shifts.2"),
                ("unknown-timezone", "timezone"),
                ("unknown-place", "place"),
            ],
        ),
    ],
)
def test_all_faults_of_hours_are_told_with_their_fields(hours: WorkingHours, expected: list[tuple[str, str]]) -> None:
    assert [(reason.code, reason.field) for reason in faults(hours)] == expected
    with pytest.raises(ValueError, match=expected[0][1]):
        working_time_of(BERLIN, hours)


def test_a_time_of_day_ends_where_its_text_does() -> None:
    hours = WorkingHours(shifts=(Shift(weekday="monday", start="09:00\n", end="١٧:00"),))
    assert [reason.field for reason in faults(hours)] == ["shifts.0.start", "shifts.0.end"]


def test_hours_are_data_that_reads_back_and_is_strict_at_the_edges() -> None:
    hours = week("monday 22:00-06:00", "sunday 00:00-24:00", timezone="Asia/Kathmandu", place="DE-BY")
    assert msgspec.json.decode(msgspec.json.encode(hours), type=WorkingHours) == hours
    edge = TypeAdapter(WorkingHours)
    assert edge.validate_json(edge.dump_json(hours)) == hours
    (shift,) = edge.dump_python(week("monday 09:00-17:00"), mode="json")["shifts"]
    for wrong in ({"weekday": "Monday"}, {"start": "9:00"}, {"end": "24:01"}, {"end": "09:00\n"}, {"until": "10:00"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            edge.validate_python({"shifts": [shift | wrong]})
    with pytest.raises(ValueError, match="shifts"):
        edge.validate_python({"shifts": []})
