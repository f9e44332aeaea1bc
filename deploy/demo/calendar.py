"""The days on which the demo company's history happens."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from shared.domain.context import Company

HISTORY_DAYS = 548
"""Eighteen months."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """History runs from `first` to `last`, both included; `last` is yesterday."""

    company: Company
    today: date

    @property
    def last(self) -> date:
        return self.today - DAY

    @property
    def first(self) -> date:
        return self.today - timedelta(days=HISTORY_DAYS)

    def working(self, day: date) -> date:
        """The day itself, or the next working day."""
        while not self.company.is_working(day):
            day += DAY
        return day

    def worked(self, day: date) -> date:
        """The day itself, or the last working day before it."""
        while not self.company.is_working(day):
            day -= DAY
        return day

    def at(self, day: date, place: int = 0) -> str:
        """An instant within office hours; `place` orders what happens on one day."""
        return (self.company.start_of(day) + timedelta(hours=8, minutes=11 * place)).isoformat()

    def moment(self, day: date, place: int = 0) -> datetime:
        return datetime.fromisoformat(self.at(day, place))

    def recent(self) -> list[date]:
        """The days on which something happened that is no longer ago than a deal may be silent, weekends included."""
        return [self.last, self.last, self.last - DAY]


def quarter(day: date) -> str:
    """The quarter that a day lies in, like 2026-Q4."""
    return f"{day.year}-Q{(day.month + 2) // 3}"


def quarter_start(day: date) -> date:
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def next_quarter(day: date) -> date:
    """The first day of the quarter after the one that a day lies in."""
    return quarter_start(quarter_start(day) + timedelta(days=95))


def happenings(random: Random, mean: float) -> int:
    """How often something happens that happens `mean` times on average (Poisson)."""
    count, left = 0, random.expovariate(1)
    while left < mean:
        count += 1
        left += random.expovariate(1)
    return count
