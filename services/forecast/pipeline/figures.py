"""What spans of deals add to the summary tables: movements of the open pipeline, closings, openings, silences. Pure.

A state counts from its beginning to its end (`counting/sums.py`); of open deals the levels are kept too.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import cast
from uuid import UUID

import msgspec

from services.forecast.asking.question import NOBODY
from services.forecast.counting.sums import Part, Sum, levelled, moved
from services.forecast.counting.valuation import ANY_DAY
from services.forecast.pipeline.timeline import WON, DealState, Span
from shared.domain.context import Company
from shared.domain.money import half_up

ONE = Sum(1)
UNDATED = ""
"""Stands for no expected close in keys."""


class Standing(msgspec.Struct, frozen=True, order=True, cache_hash=True, gc=False):
    """Where an open deal counts."""

    due: str
    """Month of the expected close, like 2026-11; empty without one."""
    process_id: UUID
    process_version: int
    stage: str
    category: str
    currency: str
    team: UUID
    owner: UUID


class Silence(msgspec.Struct, frozen=True, order=True, cache_hash=True, gc=False):
    """Where an open deal counts that has been silent for longer than its process allows."""

    team: UUID
    owner: UUID


class Close(msgspec.Struct, frozen=True, order=True, cache_hash=True, gc=False):
    """Where a closed deal counts. `cycle_days` are whole days of the company from beginning to win; -1 when unknown
    or not won. `valued_on` is the day whose exchange rate counts: that of the outcome, `ANY_DAY` for the company's own
    currency, so that its rows stay few."""

    closed_on: date
    outcome: str
    process_id: UUID
    process_version: int
    stage: str
    currency: str
    valued_on: date
    team: UUID
    owner: UUID
    cycle_days: int


class Opening(msgspec.Struct, frozen=True, order=True, cache_hash=True, gc=False):
    """Where a deal counts by the day of its opening."""

    opened_on: date
    won: bool
    team: UUID
    owner: UUID


Where = Standing | Silence | Close | Opening
"""Where a deal counts."""

Movement = tuple[tuple[date, Where], Sum]
"""What changes on a day."""

Level = tuple[tuple[date, bool, Standing], Sum]
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
        return Standing(due_of(state), *stage_of(state), state.category, state.currency, team, owner)
    return Close(
        state.closed_on,
        state.outcome,
        *stage_of(state),
        state.currency,
        valued_on(state.currency, state.closed_on, company),
        team,
        owner,
        cycle_days(state, company),
    )


def valued_on(currency: str, day: date, company: Company) -> date:
    """The day whose exchange rate counts for an outcome of a day."""
    return ANY_DAY if currency == company.currency else day


def opening_of(state: DealState, company: Company) -> Opening:
    """Where a deal counts by the day of its opening."""
    return Opening(company.day(state.opened), state.outcome == WON, state.team or NOBODY, state.owner or NOBODY)


def silence_of(state: DealState) -> Silence:
    """Where a deal counts while it is stalled."""
    return Silence(state.team or NOBODY, state.owner or NOBODY)


class Counted(msgspec.Struct, frozen=True, gc=False):
    """A span as it counts, worked out once for its row and its figures."""

    span: Span
    where: Standing | Close
    what: Sum
    stalls: datetime
    """When an open deal in this span is silent for too long; perhaps only after its end."""


def counted(span: Span, company: Company) -> Counted:
    """A span as it counts."""
    stalls = max(span.start, span.state.stalls(company) + timedelta(microseconds=1))
    return Counted(span, key_of(span.state, company), sum_of(span.state), stalls)


def parts(counted: Counted, company: Company) -> Iterator[Part[Where]]:
    """How a span counts: by its opening, by where it stands or was closed, and by its silence once it stalls."""
    span, state = counted.span, counted.span.state
    yield Part(span.start, span.end, opening_of(state, company), ONE)
    yield Part(span.start, span.end, counted.where, counted.what)
    if state.closed_on is None and (span.end is None or counted.stalls < span.end):
        yield Part(counted.stalls, span.end, silence_of(state), ONE)


def changes_of(
    before: Iterable[Counted], after: Iterable[Counted], company: Company
) -> tuple[list[Movement], list[Level]]:
    """What changes in the figures, and in the levels, when the spans `before` of some deals are replaced by those
    `after`; to be `summed`."""
    gone, come = _parts(before, company), _parts(after, company)
    return [*moved(gone, come, company)], [*levelled(_open(gone), _open(come), company)]


def _parts(spans: Iterable[Counted], company: Company) -> list[Part[Where]]:
    return [part for span in spans for part in parts(span, company)]


def _open(counted: Iterable[Part[Where]]) -> list[Part[Standing]]:
    """The parts that have levels: those of open deals."""
    return [cast("Part[Standing]", part) for part in counted if isinstance(part.where, Standing)]


def mean_and_median(days: Counter[int]) -> tuple[Decimal | None, Decimal | None, int]:
    """Mean (2 decimals), median and number of the values counted."""
    number = sum(days.values())
    if number == 0:
        return None, None, 0
    mean = Decimal(sum(value * count for value, count in days.items())) / number
    ordered = sorted(days.elements())
    median = Decimal(ordered[(number - 1) // 2] + ordered[number // 2]) / 2
    return half_up(mean, Decimal("0.01")), half_up(median, Decimal("0.1")), number
