"""The legs of pipeline changes: why a deal counts at one of two instants and not at the other, or with another amount.

Pure. A deal that came and ended in between counts at neither, and stands in two legs that come to nothing. A deal that
leaves is worth what it was at the start, at the exchange rate of that day; one that enters, and every change of an
amount, at the rate of the end. What a deal of both instants gained or lost by the rates alone is the leg "fx". The rule
stands once more in SQL, in `pipeline/queries/changes.py`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, get_args
from uuid import UUID

from services.forecast.asking.question import Question
from services.forecast.counting.sums import Sum
from services.forecast.counting.valuation import Rates
from services.forecast.pipeline.figures import UNDATED, due_of
from services.forecast.pipeline.timeline import ABANDONED, LOST, OPEN, WON, DealState
from shared.domain.exchange import minus
from shared.domain.periods import Period
from shared.events.money import Money

ZERO = Decimal(0)
FX = "fx"
"""The leg of what deals gained or lost by the exchange rates alone."""

LegName = Literal[
    "new", "pulled-in", "pushed-in", "reopened", "scope-in",
    "increase", "decrease", "fx",
    "won", "lost", "abandoned", "pulled-out", "pushed-out", "scope-out",
]  # fmt: skip
LEGS: tuple[str, ...] = get_args(LegName)
"""All legs in the order of the waterfall. Amounts are signed: end = start + the sum of all legs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One deal's part in a leg; `amount` is what it adds to the pipeline (below zero: takes away), in the company's
    currency like `before` and `after`; `own_before` and `own_after` are in the deal's."""

    leg: str
    deal_id: UUID
    name: str
    amount: Decimal
    before: Decimal | None
    after: Decimal | None
    own_before: Money | None
    own_after: Money | None


RowPlace = tuple[Decimal, UUID, str]
"""Where a deal stands among those behind the legs: the largest change first."""


def place_of(move: Move) -> RowPlace:
    """Where a deal stands among those behind the legs."""
    return move.amount.copy_abs().copy_negate(), move.deal_id, move.leg


Pair = tuple[DealState | None, DealState | None]
"""A deal at the start and at the end; None before it was opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two instants that are compared: the question at both, the exchange rates of both days, and the period of the
    expected close (None: any)."""

    start: Question
    end: Question
    rates: Rates
    first_day: date
    last_day: date
    wanted: Period | None

    def at_start(self, amount: Money) -> Decimal | None:
        """What an amount was worth at the start; None without a rate."""
        return self.rates.worth(amount.amount, amount.currency, self.first_day)

    def at_end(self, amount: Money) -> Decimal | None:
        """What an amount is worth at the end; None without a rate."""
        return self.rates.worth(amount.amount, amount.currency, self.last_day)

    def revalues(self, currency: str) -> bool:
        """Whether a currency has another rate at the end than at the start."""
        return self.rates.factor(currency, self.first_day) != self.rates.factor(currency, self.last_day)


def moves(pairs: Iterable[Pair], between: Comparison) -> list[Move]:
    """Each deal's part in the legs; deals that count alike at both instants have none."""
    return [move for before, after in pairs for move in _moves(before, after, between)]


def sums_of(found: Iterable[Move]) -> dict[str, Sum]:
    """What each leg of these moves comes to."""
    sums: dict[str, Sum] = {}
    for move in found:
        sums[move.leg] = sums.get(move.leg, Sum()) + Sum(1, move.amount)
    return sums


def _moves(before: DealState | None, after: DealState | None, between: Comparison) -> Iterator[Move]:
    if after is None:
        return
    start, end, wanted = between.start, between.end, between.wanted
    now = worth_of(after)
    here = Side(now, between.at_end(now))
    if before is not None and _counts(before, start, wanted):
        held = worth_of(before)
        known, revalued = Side(held, between.at_start(held)), Side(held, between.at_end(held))
        if not _counts(after, end, wanted):
            yield from _part(after, _leaving(after, end, wanted), known, NOTHING)
            return
        if here.value != revalued.value:
            yield from _part(after, "increase" if here.value > revalued.value else "decrease", revalued, here)
        if between.revalues(held.currency):
            yield from _part(after, FX, known, revalued)
    elif _counts(after, end, wanted):
        yield from _part(after, _entering(before, start, wanted), NOTHING, here)
    elif _ended(before, after, start, end, wanted):
        yield from _part(after, _entering(before, start, wanted), NOTHING, here)
        yield from _part(after, after.outcome, here, NOTHING)


def _part(after: DealState, leg: str, one: "Side", other: "Side") -> Iterator[Move]:
    """A deal's part in a leg, unless there is no rate for what it is about."""
    if one.worth is not None or other.worth is not None:
        yield Move(
            leg=leg,
            deal_id=after.deal_id,
            name=after.name,
            amount=minus(other.value, one.value),
            before=one.worth,
            after=other.worth,
            own_before=one.own,
            own_after=other.own,
        )


@dataclass(frozen=True, slots=True)
class Side:
    """An amount, and what it is worth in the company's currency: None without a rate, or where there is none."""

    own: Money | None = None
    worth: Decimal | None = None

    @property
    def value(self) -> Decimal:
        """What it adds to the pipeline."""
        return self.worth or ZERO


NOTHING = Side()


def worth_of(state: DealState) -> Money:
    """A deal's amount in its own currency."""
    return Money(amount=state.amount, currency=state.currency)


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
