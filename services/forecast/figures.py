"""What spans of deals add to the maintained figures: movements of the open pipeline, closings, openings, levels.

Pure. A figure at the end of a day is the sum of all movements up to that day; a state that held from Monday to
Thursday adds itself on Monday and takes itself away on Thursday. Levels say what the movements before a month come to,
so that nobody has to sum them from the beginning: what stood when a month began, and what still stands, by the month
of its beginning.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar
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
class Silence:
    """Where an open deal counts that has been silent for longer than its process allows."""

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


@dataclass(frozen=True, slots=True, order=True)
class Opening:
    """Where a deal counts by the day of its opening."""

    opened_on: date
    won: bool
    team: UUID
    owner: UUID


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


Where = Standing | Silence | Close | Opening
"""Where a deal counts."""


def fields(value: Any) -> dict[str, Any]:
    """The fields of a place or a sum by their names; `asdict` would copy each value."""
    return {name: getattr(value, name) for name in value.__match_args__}


Movements = dict[tuple[date, Where], Sum]
"""What changes on a day."""

Levels = dict[tuple[date, bool, Standing], Sum]
"""What stood when a month began (False), or still stands since some day of it (True), by the month's first day."""


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


def opening_of(state: DealState, company: Company) -> Opening:
    """Where a deal counts by the day of its opening."""
    return Opening(company.day(state.opened), state.outcome == WON, state.team or NOBODY, state.owner or NOBODY)


def silence_of(state: DealState) -> Silence:
    """Where a deal counts while it is stalled."""
    return Silence(state.team or NOBODY, state.owner or NOBODY)


Place = TypeVar("Place")
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Part(Generic[Place]):
    """What counts where, from when to when (None: still)."""

    start: datetime
    end: datetime | None
    where: Place
    what: Sum


def stalled_at(span: Span, company: Company) -> datetime:
    """When an open deal in this span is silent for too long; perhaps only after its end."""
    return max(span.start, span.state.stalls(company) + timedelta(microseconds=1))


def parts(span: Span, company: Company) -> Iterator[Part[Where]]:
    """A span as it counts: by its opening, by where it stands or was closed, and by its silence once it stalls."""
    state, what = span.state, sum_of(span.state)
    yield Part(span.start, span.end, opening_of(state, company), Sum(1))
    yield Part(span.start, span.end, key_of(state, company), what)
    stalls = stalled_at(span, company)
    if state.closed_on is None and (span.end is None or stalls < span.end):
        yield Part(stalls, span.end, silence_of(state), Sum(1))


def changes_of(before: Iterable[Span], after: Iterable[Span], company: Company) -> tuple[Movements, Levels]:
    """What changes in the figures, and in the levels, when the spans `before` of a deal are replaced by those
    `after`."""
    gone, come = _parts(before, company), _parts(after, company)
    return moved(gone, come, company), levelled(_open(gone), _open(come), company)


def moved(
    before: Iterable[Part[Place]], after: Iterable[Part[Place]], company: Company
) -> dict[tuple[date, Place], Sum]:
    """What changes on which day when some parts are replaced by others."""
    changes: dict[tuple[date, Place], list[Sum]] = defaultdict(list)
    for part, come, gone in _signed(before, after):
        changes[company.day(part.start), part.where].append(come)
        if part.end is not None:
            changes[company.day(part.end), part.where].append(gone)
    return _summed(changes)


def levelled(
    before: Iterable[Part[Place]], after: Iterable[Part[Place]], company: Company
) -> dict[tuple[date, bool, Place], Sum]:
    """What changes in the levels when some parts are replaced by others."""
    changes: dict[tuple[date, bool, Place], list[Sum]] = defaultdict(list)
    for part, come, _ in _signed(before, after):
        first = company.day(part.start)
        if part.end is None:
            changes[first.replace(day=1), True, part.where].append(come)
            continue
        for month in months(first, company.day(part.end)):
            changes[month, False, part.where].append(come)
    return _summed(changes)


def _parts(spans: Iterable[Span], company: Company) -> list[Part[Where]]:
    return [part for span in spans for part in parts(span, company)]


def _open(counted: Iterable[Part[Where]]) -> list[Part[Standing]]:
    """The parts that have levels: those of open deals."""
    return [Part(part.start, part.end, part.where, part.what) for part in counted if isinstance(part.where, Standing)]


def months(after: date, until: date) -> Iterator[date]:
    """The first days of months that lie after a day, up to another."""
    month = next_month(after)
    while month <= until:
        yield month
        month = next_month(month)


def next_month(day: date) -> date:
    """The first day of the following month."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _signed(before: Iterable[Part[Place]], after: Iterable[Part[Place]]) -> Iterator[tuple[Part[Place], Sum, Sum]]:
    """Parts with what is added at their beginning, and at their end."""
    for part in before:
        yield part, -part.what, part.what
    for part in after:
        yield part, part.what, -part.what


def _summed(changes: Mapping[Key, Sequence[Sum]]) -> dict[Key, Sum]:
    """The sums, without those that come to nothing."""
    sums = ((key, values[0] if len(values) == 1 else sum(values, Sum())) for key, values in changes.items())
    return {key: total for key, total in sums if total}


def mean_and_median(days: Counter[int]) -> tuple[Decimal | None, Decimal | None, int]:
    """Mean (2 decimals), median and number of the values counted."""
    number = sum(days.values())
    if number == 0:
        return None, None, 0
    mean = Decimal(sum(value * count for value, count in days.items())) / number
    ordered = sorted(days.elements())
    median = Decimal(ordered[(number - 1) // 2] + ordered[number // 2]) / 2
    return half_up(mean, Decimal("0.01")), half_up(median, Decimal("0.1")), number
