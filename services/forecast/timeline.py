"""What a deal was, and from when to when: the pure fold behind every figure about deals (FC-1, FC-3, FC-4).

Facts are folded in the order in which they happened (`occurred_at`, then sequence), not in which they were
recorded, so that a fact that comes late changes the past that it belongs to.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.domain.money import half_up
from shared.events import deals
from shared.events.envelope import Envelope

OPEN, WON, LOST, ABANDONED = "open", "won", "lost", "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class DealState:
    """A deal as it stood at an instant. `amount` is in the company's currency; `began` is the capture of its lead, or
    its own opening; `closed_on` is the day of its outcome; `touched` the last time somebody worked on it."""

    deal_id: UUID
    name: str
    amount: Decimal
    expected_close: date | None
    owner: UUID | None
    team: UUID | None
    stage: str
    probability: Decimal
    category: str
    outcome: str
    closed_on: date | None
    began: datetime
    opened: datetime
    entered: datetime
    touched: datetime
    idle_days: int
    pushes: int
    process_id: UUID
    process_version: int
    account_id: UUID | None
    source: str | None
    undated: bool = False
    """Whether an import had to assume when the deal began."""

    @property
    def stalls(self) -> datetime:
        """From when on the deal was silent for longer than its process allows."""
        return self.touched + timedelta(days=self.idle_days)

    @property
    def weighted(self) -> Decimal:
        """Amount × probability of winning, with the amount's decimals so that deals add up to their sum; nothing once
        closed."""
        if self.outcome != OPEN:
            return Decimal(0)
        return half_up(self.amount * self.probability, self.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A state that held from `start` until `end` (None: still)."""

    start: datetime
    end: datetime | None
    state: DealState


def in_order(facts: Iterable[Envelope[Any]]) -> list[Envelope[Any]]:
    """Facts of one deal in the order in which they happened."""
    return sorted(facts, key=lambda fact: (fact.occurred_at, fact.sequence))


def follow(state: DealState | None, fact: Envelope[Any]) -> DealState | None:
    """The state after one more fact; None before the deal was opened."""
    event = fact.data
    if isinstance(event, deals.DealOpened):
        return _opened(event, fact.occurred_at)
    if state is None:
        return None
    changes = _changes(state, event, fact.occurred_at)
    if isinstance(event, WORK):
        changes["touched"] = fact.occurred_at
    return replace(state, **changes)


WORK = (deals.DealActivityLogged, deals.DealMoved, deals.DealNodeCompleted, deals.DealFactsNoted, deals.DealReopened)
"""What counts as working on a deal; changing a date or an amount does not break its silence."""


def spans(facts: Iterable[Envelope[Any]], last: Span | None = None) -> list[Span]:
    """The life of a deal, from its facts in any order: all of it, or how it goes on from its `last` span.

    States that held for no time are left out.
    """
    steps: list[tuple[datetime, DealState]] = [(last.start, last.state)] if last else []
    state = last.state if last else None
    for fact in in_order(facts):
        state = follow(state, fact)
        if state is None:
            continue
        if steps and steps[-1][0] == fact.occurred_at:
            steps.pop()
        steps.append((fact.occurred_at, state))
    ends: list[datetime | None] = [*(start for start, _ in steps[1:]), None]
    return [Span(start=start, end=end, state=held) for (start, held), end in zip(steps, ends, strict=bool(steps))]


def at(facts: Iterable[Envelope[Any]], as_of: datetime, known_at: datetime) -> DealState | None:
    """What was true at `as_of`, as it was known at `known_at`."""
    state: DealState | None = None
    for fact in in_order(fact for fact in facts if fact.occurred_at <= as_of and fact.recorded_at <= known_at):
        state = follow(state, fact)
    return state


def _opened(event: deals.DealOpened, moment: datetime) -> DealState:
    return DealState(
        deal_id=event.deal_id,
        name=event.name,
        amount=event.amount.amount,
        expected_close=event.expected_close,
        owner=event.owner,
        team=event.team,
        stage=event.stage,
        probability=event.probability,
        category=event.category,
        outcome=OPEN,
        closed_on=None,
        began=event.captured_at or moment,
        opened=moment,
        entered=moment,
        touched=moment,
        idle_days=event.idle_days,
        pushes=0,
        process_id=event.process_id,
        process_version=event.process_version,
        account_id=event.account_id,
        source=event.source,
        undated="undated" in event.assumptions,
    )


def _changes(state: DealState, event: Any, moment: datetime) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    match event:
        case deals.DealMoved():
            changes = {**_standing(event), "idle_days": event.idle_days, "entered": moment}
        case deals.DealAmountChanged():
            changes = {"amount": event.amount.amount}
        case deals.DealCloseDateChanged(expected_close=day):
            changes = {"expected_close": day, "pushes": state.pushes + is_push(state.expected_close, day)}
        case deals.DealCategoryChanged():
            changes = {"category": event.category}
        case deals.DealHandedOver():
            changes = {"owner": event.owner, "team": event.team}
        case deals.DealWon() | deals.DealLost() | deals.DealAbandoned():
            changes = {"outcome": OUTCOMES[type(event)], "closed_on": event.on, "amount": event.amount.amount}
        case deals.DealReopened():
            changes = {**_standing(event), "outcome": OPEN, "closed_on": None, "entered": moment}
            changes |= {"amount": event.amount.amount, "expected_close": event.expected_close}
    return changes


def _standing(event: deals.DealMoved | deals.DealReopened) -> dict[str, Any]:
    return {"stage": event.stage, "probability": event.probability, "category": event.category}


FACTS = (
    deals.DealOpened,
    deals.DealMoved,
    deals.DealNodeCompleted,
    deals.DealFactsNoted,
    deals.DealAmountChanged,
    deals.DealCloseDateChanged,
    deals.DealCategoryChanged,
    deals.DealActivityLogged,
    deals.DealHandedOver,
    deals.DealWon,
    deals.DealLost,
    deals.DealAbandoned,
    deals.DealReopened,
)
"""The facts that a deal's state follows from."""

OUTCOMES = {deals.DealWon: WON, deals.DealLost: LOST, deals.DealAbandoned: ABANDONED}


def is_push(before: date | None, after: date | None) -> bool:
    """Whether a close date moved to a later day."""
    return before is not None and after is not None and after > before
