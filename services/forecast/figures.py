"""What spans of deals add to the maintained figures: signed daily movements of the open pipeline, and closings.

Pure. A figure at the end of a day is the sum of all movements up to that day; a state that held from Monday to
Thursday adds itself on Monday and takes itself away on Thursday.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.forecast.timeline import WON, DealState, Span
from shared.domain.context import Company
from shared.domain.money import half_up

NOBODY = UUID(int=0)
"""Stands for no owner and no team in keys."""

UNDATED = ""
"""Stands for no expected close in keys."""


@dataclass(frozen=True, slots=True, order=True)
class Standing:
    """Where an open deal counts."""

    due: str
    """Month of the expected close, like 2026-11; empty without one."""
    process_id: UUID
    process_version: int
    stage: str
    category: str
    team: UUID
    owner: UUID


@dataclass(frozen=True, slots=True, order=True)
class Close:
    """Where a closed deal counts. `cycle_days` are whole days of the company from beginning to win; -1 when unknown
    or not won."""

    closed_on: date
    outcome: str
    process_id: UUID
    process_version: int
    stage: str
    team: UUID
    owner: UUID
    cycle_days: int


@dataclass(frozen=True, slots=True)
class Sum:
    """How many deals, worth how much, weighted how much."""

    count: int = 0
    amount: Decimal = Decimal(0)
    weighted: Decimal = Decimal(0)

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(self.count + other.count, self.amount + other.amount, self.weighted + other.weighted)

    def __neg__(self) -> "Sum":
        return Sum(-self.count, -self.amount, -self.weighted)

    def __bool__(self) -> bool:
        return bool(self.count or self.amount or self.weighted)


Movements = dict[tuple[date, Standing | Close], Sum]


def due_of(state: DealState) -> str:
    """The month of a deal's expected close."""
    return state.expected_close.isoformat()[:7] if state.expected_close else UNDATED


def cycle_days(state: DealState, company: Company) -> int:
    """Whole days of the company from the beginning to the win; -1 when not won, or when the beginning is unknown."""
    if state.outcome != WON or state.closed_on is None or state.undated:
        return -1
    return (state.closed_on - company.day(state.began)).days


def stage_of(state: DealState) -> tuple[UUID, int, str]:
    """Where a deal stands: stages of two processes, or of two versions of one, are never the same."""
    return state.process_id, state.process_version, state.stage


def sum_of(state: DealState) -> Sum:
    """What one deal adds where it counts."""
    return Sum(1, state.amount, state.weighted)


def key_of(state: DealState, company: Company) -> Standing | Close:
    """Where a deal counts, open or closed."""
    team, owner = state.team or NOBODY, state.owner or NOBODY
    if state.closed_on is None:
        return Standing(due_of(state), *stage_of(state), state.category, team, owner)
    return Close(state.closed_on, state.outcome, *stage_of(state), team, owner, cycle_days(state, company))


def movements(before: Iterable[Span], after: Iterable[Span], company: Company) -> Movements:
    """What changes in the figures when the spans `before` of a deal are replaced by those `after`."""
    changes: Movements = {}
    for spans, sign in ((before, -1), (after, 1)):
        for span in spans:
            where, what = key_of(span.state, company), sum_of(span.state)
            _add(changes, (company.day(span.start), where), what if sign > 0 else -what)
            if span.end is not None:
                _add(changes, (company.day(span.end), where), -what if sign > 0 else what)
    return {key: value for key, value in changes.items() if value}


def _add(changes: Movements, key: tuple[date, Standing | Close], value: Sum) -> None:
    changes[key] = changes.get(key, Sum()) + value


def mean_and_median(days: Counter[int]) -> tuple[Decimal | None, Decimal | None, int]:
    """Mean (2 decimals), median and number of the values counted."""
    number = sum(days.values())
    if number == 0:
        return None, None, 0
    mean = Decimal(sum(value * count for value, count in days.items())) / number
    ordered = sorted(days.elements())
    median = Decimal(ordered[(number - 1) // 2] + ordered[number // 2]) / 2
    return half_up(mean, Decimal("0.01")), half_up(median, Decimal("0.1")), number
