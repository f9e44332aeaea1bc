"""Calendar periods: 2026, 2026-Q4, 2026-11."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from shared.projections.errors import InvalidQuery, invalid

PERIOD = re.compile(r"(?P<year>[0-9]{4})(-Q(?P<quarter>[1-4])|-(?P<month>0[1-9]|1[0-2]))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A year, quarter or month; `first` and `last` day are both part of it."""

    name: str
    first: date
    last: date

    @property
    def months(self) -> tuple[str, ...]:
        """Its months, like 2026-10."""
        return tuple(f"{self.first.year:04}-{month:02}" for month in range(self.first.month, self.last.month + 1))

    @property
    def parts(self) -> "tuple[Period, ...]":
        """The quarters of a year, the months of a quarter."""
        match len(self.months):
            case 1:
                return ()
            case 3:
                return tuple(period(month) for month in self.months)
            case _:
                return tuple(period(f"{self.first.year:04}-Q{quarter}") for quarter in range(1, 5))

    def elapsed(self, today: date) -> tuple[int, int]:
        """Days of the period that have begun by `today`, and all its days."""
        whole = (self.last - self.first).days + 1
        return min(max((today - self.first).days + 1, 0), whole), whole


def period(name: str, field: str = "period") -> Period:
    """Read a period; refused when it is none."""
    match = PERIOD.fullmatch(name)
    if match is None or int(match["year"]) < 1:
        sentence = "A period is a year, quarter or month, like 2026, 2026-Q4 or 2026-11."
        raise InvalidQuery([invalid(field, "not-a-period", sentence)])
    year = int(match["year"])
    if match["quarter"]:
        first, last = int(match["quarter"]) * 3 - 2, int(match["quarter"]) * 3
    elif match["month"]:
        first = last = int(match["month"])
    else:
        first, last = 1, 12
    return Period(name=name, first=date(year, first, 1), last=date(year, last, monthrange(year, last)[1]))


def quarter_of(day: date) -> Period:
    """The quarter that a day lies in."""
    return period(f"{day.year:04}-Q{(day.month + 2) // 3}")
