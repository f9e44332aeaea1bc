"""Rules of working hours: what a document of them has to satisfy, and what is usual where nobody says any."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from zoneinfo import available_timezones

from shared.domain.rejection import Reason
from shared.domain.working_days import LISTED, BusinessCalendar, calendar_of
from shared.events.working_hours import TIME_OF_DAY, WEEKDAYS, Shift, WorkingHours

DAY, WEEK = 24 * 60, 7 * 24 * 60
"""Minutes of the clock; how long they really are is told by a time zone."""
_TIME = re.compile(TIME_OF_DAY, re.ASCII)


@lru_cache(maxsize=32)
def usual_hours(calendar: BusinessCalendar) -> WorkingHours:
    """From 09:00 to 17:00 on every weekday that is not of the weekend of a place, as that lies nowadays: Monday to
    Friday, in Egypt Sunday to Thursday. Memoised: a year is looked through."""
    weekend = calendar.weekend(LISTED[-1])
    worked = [name for number, name in enumerate(WEEKDAYS) if number not in weekend]
    return WorkingHours(shifts=tuple(Shift(weekday=name, start="09:00", end="17:00") for name in worked))


def faults(hours: WorkingHours) -> list[Reason]:
    """What is wrong with working hours, all of it, each with its field in the document."""
    return [*_of_shifts(hours.shifts), *_of_where(hours)]


def clock(shift: Shift) -> tuple[int, int]:
    """When a shift starts and ends, in minutes of the clock since the midnight before it; past 1440 on the next day.

    Of a shift without faults.
    """
    start, end = _minutes(shift.start), _minutes(shift.end)
    return start, end if end > start else end + DAY


@lru_cache(maxsize=1)
def known_timezones() -> frozenset[str]:
    """The names of all time zones. Memoised: they are looked up in a tree of files."""
    return frozenset(available_timezones())


def _of_where(hours: WorkingHours) -> Iterator[Reason]:
    if hours.timezone is not None and hours.timezone not in known_timezones():
        message = "A time zone is named as IANA does, like Europe/Berlin."
        yield Reason(code="unknown-timezone", message=message, field="timezone")
    try:
        calendar_of(hours.place or "")
    except ValueError as error:
        yield Reason(code="unknown-place", message=f"A place {error}.", field="place")


def _of_shifts(shifts: tuple[Shift, ...]) -> Iterator[Reason]:
    if not shifts:
        yield Reason(
            code="no-shifts", message="A week has one shift at least; else nothing would ever fall due.", field="shifts"
        )
    sound = []
    for index, shift in enumerate(shifts):
        wrong = list(_of_shift(shift, f"shifts.{index}"))
        yield from wrong
        if not wrong:
            sound.append(index)
    for one, other in combinations(sound, 2):
        if _overlap(shifts[one], shifts[other]):
            yield Reason(
                code="overlapping-shifts",
                message="Two shifts take place at the same time.",
                field=f"shifts.{other}",
                details={"with": f"shifts.{one}"},
            )


def _of_shift(shift: Shift, where: str) -> Iterator[Reason]:
    unread = [name for name in ("start", "end") if not _TIME.fullmatch(getattr(shift, name))]
    for name in unread:
        message = "A time of day is written as HH:MM, from 00:00 to 24:00."
        yield Reason(code="no-time-of-day", message=message, field=f"{where}.{name}")
    if unread:
        return
    if shift.start == "24:00":
        message = "A shift starts before the end of its day; 00:00 is the start of the next one."
        yield Reason(code="no-time-of-day", message=message, field=f"{where}.start")
    elif shift.start == shift.end:
        message = "A shift takes time; a whole day is 00:00 to 24:00."
        yield Reason(code="takes-no-time", message=message, field=f"{where}.end")


def _overlap(one: Shift, other: Shift) -> bool:
    """Whether two shifts of a week, which begins anew after its end, have any time in common."""
    (start, end), (other_start, other_end) = _in_week(one), _in_week(other)
    return (other_start - start) % WEEK < end - start or (start - other_start) % WEEK < other_end - other_start


def _in_week(shift: Shift) -> tuple[int, int]:
    midnight = WEEKDAYS.index(shift.weekday) * DAY
    start, end = clock(shift)
    return midnight + start, midnight + end


def _minutes(time_of_day: str) -> int:
    hours, minutes = time_of_day.split(":")
    return int(hours) * 60 + int(minutes)
