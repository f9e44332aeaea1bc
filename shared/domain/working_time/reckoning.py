"""Business-time calculator: due instants and elapsed time that count only while people work.

A day is worked by the shifts of its weekday, unless it is a public holiday of the place or lies in a leave; a day that
a country works in place of another (some of China's Sundays) by those of its weekday, else by those of the first
weekday from Monday on that has any. A shift belongs to the day on which it begins, with all of its hours: the night
before a holiday is worked to its end.

Time is real time. A shift begins when the clocks of its time zone first show its start or later, and ends when they
first show its end or later (cf. PEP 495): a night from 00:00 to 06:00 has five hours where they skip one, and seven
where they show one twice; shifts that follow one another on the clock do so in time.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shared.domain.context import Company
from shared.domain.working_days import BusinessCalendar, calendar_of
from shared.domain.working_time.hours import clock, faults, usual_hours
from shared.domain.working_time.leave import Leave, is_away
from shared.events.working_hours import WEEKDAYS, WorkingHours

HORIZON = timedelta(days=36_525)
"""What is not due within a century is not due."""
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


class Rota(NamedTuple):
    """Working hours as they are reckoned with; cheap to hash, for days are remembered by it."""

    week: tuple[tuple[tuple[int, int], ...], ...]
    """Of each weekday from Monday on the shifts in their order, in minutes of the clock since its midnight."""
    timezone: str
    calendar: BusinessCalendar


class Stretch(NamedTuple):
    """Time that is worked without a break, in UTC, and the day that it belongs to."""

    day: date
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """The time in which some people work. Made by `working_time_of`."""

    rota: Rota
    leave: tuple[Leave, ...] = ()

    def day(self, moment: datetime) -> date:
        """The day of an instant, where these people are."""
        return moment.astimezone(ZoneInfo(self.rota.timezone)).date()

    def due(self, after: datetime, minutes: int) -> datetime:
        """The first instant (UTC) at which so many working minutes have passed since an instant, which itself need not
        be worked; `after` for none. Raises ValueError for what is not due within a century."""
        left = timedelta(minutes=minutes)
        if minutes <= 0:
            return after
        for start, end in self._from(after, after + HORIZON):
            if end - start >= left:
                return start + left
            left -= end - start
        raise ValueError(f"{minutes} working minutes after {after} are not over within a century")

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """The working time between two instants, exactly; none where the second is not the later one."""
        return sum((min(until, end) - since for since, until in self._from(start, end)), timedelta())

    def due_day(self, after: datetime, days: int) -> date:
        """The day that is so many worked days after the day of an instant; that day for none. Raises ValueError for
        what is not due within a century."""
        start = self.day(after)
        if days <= 0:
            return start
        worked = (stretch.day for stretch in self._stretches(start + DAY, start + HORIZON))
        for number, (day, _) in enumerate(groupby(worked), start=1):
            if number == days:
                return day
        raise ValueError(f"{days} worked days after {start} are not over within a century")

    def start_of(self, day: date, days: int = 0) -> datetime:
        """When the work of a day starts (UTC), or of the first worked one after it, or so many worked `days` later.

        Raises ValueError for what does not start within a century.
        """
        worked = groupby(self._stretches(day, day + HORIZON), key=attrgetter("day"))
        for number, (_, stretches) in enumerate(worked):
            if number == days:
                return next(stretches).start
        raise ValueError(f"{days} worked days from {day} on do not start within a century")

    def end_of(self, day: date) -> datetime:
        """When the work of a day ends (UTC); where none belongs to it, the first instant of the day after."""
        ends = [stretch.end for stretch in self._stretches(day, day)]
        midnight = datetime.combine(day + DAY, time(), tzinfo=ZoneInfo(self.rota.timezone))
        return max(ends, default=midnight.astimezone(UTC))

    def is_known(self, start: datetime, end: datetime) -> bool:
        """Whether all that is free between two instants is known; some of later years is yet to be decreed."""
        return all(map(self.rota.calendar.is_known, range(self.day(start).year, self.day(end).year + 1)))

    def _from(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """What is worked from one instant on, no time twice; the last may end after the other instant."""
        reached = start.astimezone(UTC)
        for _, begun, ended in self._stretches(self.day(start) - DAY, self.day(end)):
            since = max(begun, reached)
            if since >= end:
                return
            if since < ended:
                yield since, ended
                reached = ended

    def _stretches(self, first: date, last: date) -> Iterator[Stretch]:
        """What belongs to the days from one to another, both included, without leave."""
        days = (first + number * DAY for number in range((last - first).days + 1))
        return (each for day in days if not is_away(self.leave, day) for each in _of_day(self.rota, day))


def working_time_of(company: Company, hours: WorkingHours | None = None, leave: Iterable[Leave] = ()) -> WorkingTime:
    """The working time of people of a company; without `hours` by those that are usual at its place.

    Raises ValueError for hours that have faults.
    """
    hours = hours or usual_hours(company.calendar)
    if wrong := faults(hours):
        raise ValueError("; ".join(f"{reason.field}: {reason.message}" for reason in wrong))
    calendar = company.calendar if hours.place is None else calendar_of(hours.place)
    week = tuple(tuple(sorted(clock(each) for each in hours.shifts if each.weekday == name)) for name in WEEKDAYS)
    return WorkingTime(Rota(week, hours.timezone or company.timezone, calendar), tuple(leave))


# Remembered, for the days of one due time come again for the next, and a time zone is slow to ask.
@lru_cache(maxsize=16384)
def _of_day(rota: Rota, day: date) -> tuple[Stretch, ...]:
    midnight, zone = datetime.combine(day, time()), ZoneInfo(rota.timezone)
    edges = ([_first_shown(midnight + timedelta(minutes=each), zone) for each in shift] for shift in _shifts(rota, day))
    return tuple(
        Stretch(day, begun, ended) for begun, ended in edges if begun < ended
    )  # clocks may skip all of a shift


def _shifts(rota: Rota, day: date) -> tuple[tuple[int, int], ...]:
    """The shifts by which a day is worked."""
    own = rota.week[day.weekday()]
    if rota.calendar.is_shifted(day):
        return own or next(filter(None, rota.week))
    return () if rota.calendar.is_holiday(day) else own


def _first_shown(local: datetime, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) at which the clocks of a zone show a local time or a later one."""

    def shown(moment: datetime) -> datetime:
        return moment.astimezone(zone).replace(tzinfo=None)

    at = local.replace(tzinfo=zone).astimezone(UTC)  # the first of two, and after the change of what is skipped
    if shown(at) == local:
        return at
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    seconds = range((at - before) // SECOND)
    return before + SECOND * bisect_left(seconds, local, key=lambda number: shown(before + SECOND * number))
