"""Leave: days on which somebody is away."""

from collections.abc import Iterable
from datetime import date

from shared.events.definition import value


@value
class Leave:
    """Days away, both included."""

    start: date
    end: date

    def covers(self, day: date) -> bool:
        """Whether a day is one of them."""
        return self.start <= day <= self.end


def is_away(leaves: Iterable[Leave], day: date) -> bool:
    """Whether a day lies in any leave."""
    return any(leave.covers(day) for leave in leaves)
