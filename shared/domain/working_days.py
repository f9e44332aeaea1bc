"""Business calendar: which days are working days, counted exactly across weekends, holidays and year ends.

What a country, or a part of it, is free on is asked of the package `holidays`: its own weekend, its public holidays,
and the days of weekends that are worked instead (China's, Hungary's …). Without a country Monday to Friday are worked.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import holidays
from holidays import HolidayBase

LOOKED_BACK = 3
"""A country that shifted days in any of so many years before is expected to do so again."""


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """The working days of a country of ISO 3166, or of one of its subdivisions; empty for none."""

    country: str = ""
    subdivision: str = ""

    @property
    def place(self) -> str:
        """Country and subdivision, like DE-BY; empty for none."""
        return "-".join(filter(None, (self.country, self.subdivision)))

    def is_working(self, day: date) -> bool:
        """Whether people are expected to work on a day."""
        return _listed(self).is_working_day(day)

    def is_holiday(self, day: date) -> bool:
        """Whether a day is a public holiday, on a weekend or not."""
        return day in _listed(self)

    def is_shifted(self, day: date) -> bool:
        """Whether a day lies on a weekend and is worked in place of another."""
        return _listed(self).is_weekend(day) and self.is_working(day)

    def after(self, start: date, days: int) -> date:
        """The day that is `days` working days after `start`, which itself need not be one; `start` for none."""
        if days <= 0:
            return start
        year, own = start.year, _working_days(self, start.year)
        place = bisect_right(own, start) + days - 1
        while place >= len(own):
            place -= len(own)
            year += 1
            own = _working_days(self, year)
        return own[place]

    def between(self, start: date, end: date) -> int:
        """How many working days lie after a day, up to another: the `days` with which `after` comes that far."""
        if end <= start:
            return 0
        years = range(start.year, end.year + 1)
        counted = sum(len(_working_days(self, year)) for year in years[:-1])
        begun = bisect_right(_working_days(self, start.year), start)
        return counted + bisect_right(_working_days(self, end.year), end) - begun

    def latest(self, day: date, years: int = 5) -> list[date]:
        """The working days up to a day, from the beginning of so many years before its own: for SQL to count in."""
        days = (each for year in range(day.year - years, day.year + 1) for each in _working_days(self, year))
        return [each for each in days if each <= day]

    def weekend(self, year: int) -> list[int]:
        """The weekdays of the weekend as a year begins; 0 is Monday. Countries have moved theirs."""
        return sorted(day.weekday() for day in _days(year)[:7] if _listed(self).is_weekend(day))

    def free_days(self, year: int, language: str) -> dict[date, str]:
        """The holidays of a year that lie on no weekend, and what they are called: in a language where that is known,
        else in the country's own."""
        named = _listed(self, _language_of(self, language))
        return {day: named[day] for day in _days(year) if day in named and not named.is_weekend(day)}

    def shifted_days(self, year: int) -> list[date]:
        """The days of a year that lie on weekends and are worked."""
        return [day for day in _days(year) if self.is_shifted(day)]

    def is_known(self, year: int) -> bool:
        """Whether all of a year is known: its holidays are listed, and its shifted days where days are shifted.

        Governments decree these some months before a year begins. A year is known once days of it, or of a later one,
        are listed, and where none were shifted in the years before it: China's are every year, Hungary's were not in
        2023, and Bulgaria's are no more.
        """
        if not self.country:
            return True
        listed = _listed(self)
        if not listed.start_year <= year <= listed.end_year:
            return False
        shifted = {day.year for day in listed.weekend_workdays}
        return year <= max(shifted, default=year) or shifted.isdisjoint(range(year - LOOKED_BACK, year))


WEEKENDS_ONLY = BusinessCalendar()
"""Nothing but Saturdays and Sundays are free."""


def calendar_of(place: str) -> BusinessCalendar:
    """The calendar of a place like DE or DE-BY; empty for weekends alone. Raises ValueError for one that is unknown."""
    country, dash, subdivision = place.partition("-")
    known = holidays.list_supported_countries()
    if place and country not in known:
        raise ValueError("is empty, a country of ISO 3166 like DE, or one with a subdivision like DE-BY")
    if dash and subdivision not in known[country]:
        raise ValueError(f"names a subdivision of {country}: {', '.join(known[country]) or 'there is none'}")
    return BusinessCalendar(country, subdivision)


LISTED = range(2000, 2051)
"""The years that are laid out at once; others as they are asked about."""


@lru_cache(maxsize=32)
def _listed(calendar: BusinessCalendar, language: str | None = None) -> HolidayBase:
    """Memoised: laying out a country takes milliseconds."""
    if not calendar.country:
        return HolidayBase()
    subdivision = calendar.subdivision or None
    return holidays.country_holidays(calendar.country, subdiv=subdivision, years=LISTED, language=language)


def _language_of(calendar: BusinessCalendar, language: str) -> str | None:
    """In which language names are asked for. Without a word the package takes that of the machine's locale."""
    listed = _listed(calendar)
    same = (known for known in listed.supported_languages if known.partition("_")[0] == language.partition("-")[0])
    return next(same, listed.default_language)


@lru_cache(maxsize=256)
def _working_days(calendar: BusinessCalendar, year: int) -> tuple[date, ...]:
    listed = _listed(calendar)
    return tuple(day for day in _days(year) if listed.is_working_day(day))


def _days(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(days=number) for number in range((date(year, 12, 31) - first).days + 1)]
