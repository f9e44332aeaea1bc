"""The days on which the demo company's history happens."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from shared.domain.context import Company
from shared.domain.periods import Period

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
        while not self.company.calendar.is_working(day):
            day += DAY
        return day

    def worked(self, day: date) -> date:
        """The day itself, or the last working day before it."""
        while not self.company.calendar.is_working(day):
            day -= DAY
        return day

    def quarter(self, day: date) -> Period:
        """The quarter of the fiscal year that a day lies in."""
        return self.company.fiscal_year.quarter_of(day)

    def at(self, day: date, place: int = 0) -> str:
        """An instant within office hours; `place` orders what happens on one day."""
        return (self.company.start_of(day) + timedelta(hours=8, minutes=11 * place)).isoformat()

    def moment(self, day: date, place: int = 0) -> datetime:
        return datetime.fromisoformat(self.at(day, place))

    def recent(self) -> list[date]:
        """The days on which something happened that is no longer ago than a deal may be silent, weekends included."""
        return [self.last, self.last, self.last - DAY]


def happenings(random: Random, mean: float) -> int:
    """How often something happens that happens `mean` times on average (Poisson)."""
    count, left = 0, random.expovariate(1)
    while left < mean:
        count += 1
        left += random.expovariate(1)
    return count
