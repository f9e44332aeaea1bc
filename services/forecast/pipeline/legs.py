"""The legs of pipeline changes: why a deal counts at one of two instants and not at the other, or with another amount.

Pure. A deal that came and ended in between counts at neither, and stands in two legs that come to nothing. The rule
stands once more in SQL, in `pipeline/queries/changes.py`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args
from uuid import UUID

from services.forecast.asking.periods import Period
from services.forecast.asking.question import Question
from services.forecast.counting.sums import Sum
from services.forecast.pipeline.figures import UNDATED, due_of
from services.forecast.pipeline.timeline import ABANDONED, LOST, OPEN, WON, DealState

LegName = Literal[
    "new", "pulled-in", "pushed-in", "reopened", "scope-in",
    "increase", "decrease",
    "won", "lost", "abandoned", "pulled-out", "pushed-out", "scope-out",
]  # fmt: skip
LEGS: tuple[str, ...] = get_args(LegName)
"""All legs in the order of the waterfall. Amounts are signed: end = start + the sum of all legs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One deal's part in a leg; `amount` is what it adds to the pipeline (below zero: takes away)."""

    leg: str
    deal_id: UUID
    name: str
    amount: Decimal
    before: Decimal | None
    after: Decimal | None


Place = tuple[Decimal, UUID, str]
"""Where a deal stands among those behind the legs: the largest change first."""


def place_of(move: Move) -> Place:
    """Where a deal stands among those behind the legs."""
    return -abs(move.amount), move.deal_id, move.leg


Pair = tuple[DealState | None, DealState | None]
"""A deal at the start and at the end; None before it was opened."""


def moves(pairs: Iterable[Pair], start: Question, end: Question, wanted: Period | None) -> list[Move]:
    """Each deal's part in the legs; deals that count alike at both instants have none."""
    return [move for before, after in pairs for move in _moves(before, after, start, end, wanted)]


def sums_of(found: Iterable[Move]) -> dict[str, Sum]:
    """What each leg of these moves comes to."""
    sums: dict[str, Sum] = {}
    for move in found:
        sums[move.leg] = sums.get(move.leg, Sum()) + Sum(1, move.amount)
    return sums


def _moves(
    before: DealState | None, after: DealState | None, start: Question, end: Question, wanted: Period | None
) -> Iterator[Move]:
    if after is None:
        return

    def part(leg: str, one: Decimal | None, other: Decimal | None) -> Move:
        change = (other or Decimal(0)) - (one or Decimal(0))
        return Move(leg=leg, deal_id=after.deal_id, name=after.name, amount=change, before=one, after=other)

    known = before.amount if before is not None and _counts(before, start, wanted) else None
    if _counts(after, end, wanted):
        if known is None:
            yield part(_entering(before, start, wanted), None, after.amount)
        elif known != after.amount:
            yield part("increase" if after.amount > known else "decrease", known, after.amount)
    elif known is not None:
        yield part(_leaving(after, end, wanted), known, None)
    elif _ended(before, after, start, end, wanted):
        yield part(_entering(before, start, wanted), None, after.amount)
        yield part(after.outcome, after.amount, None)


def _ended(before: DealState | None, after: DealState, start: Question, end: Question, wanted: Period | None) -> bool:
    """Whether a deal came into the pipeline and ended between the two instants: it counts at neither."""
    if after.outcome == OPEN or not _within(after, end, wanted):
        return False
    return before is None or before.outcome == OPEN or after.entered > start.as_of


def _counts(state: DealState, asked: Question, wanted: Period | None) -> bool:
    return state.outcome == OPEN and _within(state, asked, wanted)


def _within(state: DealState, asked: Question, wanted: Period | None) -> bool:
    """Whether a deal is in the scope of a question, and due in the period."""
    return (wanted is None or due_of(state) in wanted.months) and asked.covers(state.team, state.owner)


def _entering(before: DealState | None, start: Question, wanted: Period | None) -> str:
    """Why a deal counts at the end and did not at the start."""
    if before is None:
        return "new"
    if not start.covers(before.team, before.owner):
        return "scope-in"
    if before.outcome != OPEN:
        return "reopened"
    return "pulled-in" if _later(before, wanted) else "pushed-in"


def _leaving(after: DealState, end: Question, wanted: Period | None) -> str:
    """Why a deal counted at the start and does not at the end."""
    if not end.covers(after.team, after.owner):
        return "scope-out"
    if after.outcome in (WON, LOST, ABANDONED):
        return after.outcome
    return "pushed-out" if _later(after, wanted) else "pulled-out"


def _later(state: DealState, wanted: Period | None) -> bool:
    """Whether a deal is due after the period; a deal without a date counts as later."""
    due = due_of(state)
    return due == UNDATED or (wanted is not None and due > wanted.months[-1])
