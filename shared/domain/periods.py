"""Periods of the company: fiscal years, their quarters, and calendar months (PROC-4).

`2027` is a fiscal year, `2027-Q1` its first quarter; `2026-07` is a calendar month, whatever the fiscal year. A fiscal
year begins on the first day of a month. Where it lies in two calendar years it is named after the one in which it ends,
as most companies do, or after the one in which it begins, as is usual in Japan.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

PERIOD = re.compile(r"(?P<year>[0-9]{4})(-Q(?P<quarter>[1-4])|-(?P<month>0[1-9]|1[0-2]))?", re.ASCII)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FiscalYear:
    """In which month fiscal years begin (1 is January), and after which of their calendar years they are named."""

    start: int = 1
    named_after: Literal["start", "end"] = "end"

    def first_day(self, year: int) -> date:
        """The first day of the fiscal year of this name. Raises ValueError where the calendar has none."""
        is_named_later = self.start > 1 and self.named_after == "end"
        return date(year - is_named_later, self.start, 1)

    def year_of(self, day: date) -> int:
        """The name of the fiscal year that a day lies in."""
        begun = day.year if day.month >= self.start else day.year - 1
        return begun + (self.start > 1 and self.named_after == "end")

    def quarter_of(self, day: date) -> "Period":
        """The quarter that a day lies in."""
        number = (day.month - self.start) % 12 // 3 + 1
        return self.period(f"{self.year_of(day):04}-Q{number}")

    def period(self, name: str) -> "Period":
        """The period of this name. Raises ValueError when it is none."""
        match = PERIOD.fullmatch(name)
        if match is None:
            raise ValueError(f"{name!r} is no period")
        try:
            return self._period(name, int(match["year"]), match["quarter"], match["month"])
        except ValueError as beyond:
            raise ValueError(f"{name!r} is no period of the calendar") from beyond

    def _period(self, name: str, year: int, quarter: str | None, month: str | None) -> "Period":
        if month:
            first, months = date(year, int(month), 1), 1
        elif quarter:
            first, months = _later(self.first_day(year), 3 * int(quarter) - 3), 3
        else:
            first, months = self.first_day(year), 12
        final = _later(first, months - 1)
        last = final.replace(day=monthrange(final.year, final.month)[1])
        return Period(name=name, first=first, last=last, fiscal_year=self)

    def quarters(self, first: date, last: date) -> Iterator["Period"]:
        """The quarters from the one that the first day lies in to that of the last day."""
        quarter = self.quarter_of(first)
        while quarter.first <= last:
            yield quarter
            quarter = self.quarter_of(quarter.last + DAY)


CALENDAR_YEAR = FiscalYear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A year, quarter or month; `first` and `last` day are both part of it."""

    name: str
    first: date
    last: date
    fiscal_year: FiscalYear

    @property
    def months(self) -> tuple[str, ...]:
        """Its calendar months, like 2026-10."""
        number = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
        return tuple(f"{day.year:04}-{day.month:02}" for day in (_later(self.first, month) for month in range(number)))

    @property
    def parts(self) -> "tuple[Period, ...]":
        """The quarters of a year, the months of a quarter."""
        match len(self.months):
            case 1:
                return ()
            case 3:
                return tuple(map(self.fiscal_year.period, self.months))
            case _:
                return tuple(self.fiscal_year.period(f"{self.name}-Q{quarter}") for quarter in range(1, 5))

    @property
    def before(self) -> "Period":
        """The month, quarter or year that it follows. Raises OverflowError where the calendar has none."""
        day = self.first - DAY
        match len(self.months):
            case 1:
                return self.fiscal_year.period(f"{day.year:04}-{day.month:02}")
            case 3:
                return self.fiscal_year.quarter_of(day)
            case _:
                return self.fiscal_year.period(f"{self.fiscal_year.year_of(day):04}")

    def elapsed(self, today: date) -> tuple[int, int]:
        """Days of the period that have begun by `today`, and all its days."""
        whole = (self.last - self.first).days + 1
        return min(max((today - self.first).days + 1, 0), whole), whole


def _later(first: date, months: int) -> date:
    """The first day of the month that is so many months after that of a first day. Raises ValueError beyond the
    calendar."""
    past = first.year * 12 + first.month - 1 + months
    return date(past // 12, past % 12 + 1, 1)
