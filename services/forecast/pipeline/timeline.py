"""The fold of a deal: what it was, and from when to when, behind every figure about deals (FC-1, FC-3, FC-4). Pure.

Bitemporal: facts are folded in the order in which they happened, not in which they were recorded
(`shared/domain/history.py`), so that a fact that comes late changes the past that it belongs to, and the deals service
folds them in the same order.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, get_args
from uuid import UUID

import msgspec

from shared.domain.context import Company
from shared.domain.history import timed
from shared.domain.money import half_up
from shared.events.chronology import Rank
from shared.events.deals.deal import (
    DealAbandoned,
    DealActivityLogged,
    DealAmountChanged,
    DealCategoryChanged,
    DealCloseDateChanged,
    DealFactsNoted,
    DealHandedOver,
    DealLost,
    DealMoved,
    DealNextStepPlanned,
    DealNodeCompleted,
    DealOpened,
    DealRenamed,
    DealReopened,
    DealWon,
)
from shared.events.deals.deal_edit import DealAccountChanged, DealClassified
from shared.events.deals.deal_migration import DealMigrated
from shared.events.deals.deal_record import DealActivityCorrected
from shared.events.envelope import Envelope

MAX_DAYS_AHEAD = 14
"""So many days after it was agreed a next step keeps a deal from counting as silent, where the fact does not say how
long: a day that history tells of, or one from before that was a policy."""

OUTCOME_WORDS = OPEN, WON, LOST, ABANDONED = "open", "won", "lost", "abandoned"
Category = Literal["closed", "commit", "best-case", "pipeline", "omitted"]
CATEGORIES: tuple[str, ...] = get_args(Category)
"""Forecast categories, the surest first; each but omitted adds to those after it in a cumulative roll-up."""


class DealState(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """A deal as it stood at an instant. `amount` is in the deal's own currency; `began` is the capture of its lead, or
    its own opening; `closed_on` is the day of its outcome; `touched` the last time somebody worked on it.
    `next_step` is the day to whose end what is to happen next keeps it from counting as silent; `agreed` is when that
    was planned, where nothing was decided about how far ahead it counts.

    Kept as an array, for a third of the space and time that the names of the fields would take: whoever changes them
    raises the version of the read model.
    """

    deal_id: UUID
    name: str
    amount: Decimal
    currency: str
    expected_close: date | None
    owner: UUID | None
    team: UUID | None
    stage: str
    probability: Decimal
    category: str
    """The judgement that counts: the manager's, else the rep's, else the stage's (DEAL-10)."""
    category_of_stage: str
    category_by_rep: str | None = None
    category_by_manager: str | None = None
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

    next_step: date | None = None
    agreed: datetime | None = None

    def stalls(self, company: Company) -> datetime:
        """From when on the deal is silent for longer than its process allows, and no next step says otherwise."""
        silent = self.touched + timedelta(days=self.idle_days)
        if self.next_step is None:
            return silent
        until = self.next_step
        if self.agreed is not None:
            until = min(until, company.day(self.agreed) + timedelta(days=MAX_DAYS_AHEAD))
        return max(silent, company.end_of(until))

    @property
    def weighted(self) -> Decimal:
        """Amount × probability of winning, with the amount's decimals so that deals add up to their sum; nothing once
        closed."""
        if self.outcome != OPEN:
            return Decimal(0)
        return half_up(self.amount * self.probability, self.amount)


class Span(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A state that held from `start` until `end` (None: still)."""

    start: datetime
    end: datetime | None
    state: DealState


def follow(state: DealState | None, event: Any, moment: datetime) -> DealState | None:
    """The state after one more fact, and the instant at which that counts; None before the deal was opened.

    What is told of the time after its end changes nothing about a deal, but another end, its reopening, or its name.
    """
    if isinstance(event, DealOpened):
        return _opened(event, moment)
    if state is not None and isinstance(event, DealRenamed):
        return msgspec.structs.replace(state, name=event.name)
    if state is None or (state.outcome != OPEN and event.rank < Rank.END):
        return state
    if isinstance(event, DealMoved) and event.stage == state.stage:
        return state  # history told that it was there
    changes = _changes(state, event, moment)
    if _is_work(event):
        changes["touched"] = moment
    return msgspec.structs.replace(state, **changes)


WORK = (DealActivityLogged, DealActivityCorrected, DealMoved, DealNodeCompleted, DealFactsNoted, DealReopened)
"""What counts as working on a deal (`_is_work`); changing a date or an amount does not break its silence."""


def _is_work(event: Any) -> bool:
    """Whether somebody worked on a deal; one that moved by itself, nobody has."""
    return isinstance(event, WORK) and not (isinstance(event, DealMoved) and event.automatic)


def spans(facts: Iterable[Envelope[Any]], last: Span | None = None) -> list[Span]:
    """The life of a deal, from its facts in any order: all of it, or how it goes on from its `last` span.

    States that held for no time are left out. It is called at any time what it is called now.
    """
    steps: list[tuple[datetime, DealState]] = [(last.start, last.state)] if last else []
    state, name = last.state if last else None, None
    for moment, fact in timed(facts):
        state = follow(state, fact.data, moment)
        name = fact.data.name if isinstance(fact.data, DealRenamed) else name
        if state is None:
            continue
        if steps and steps[-1][0] == moment:
            steps.pop()
        steps.append((moment, state))
    if name is not None:
        steps = [(moment, msgspec.structs.replace(held, name=name)) for moment, held in steps]
    ends: list[datetime | None] = [*(start for start, _ in steps[1:]), None]
    return [Span(start=start, end=end, state=held) for (start, held), end in zip(steps, ends, strict=bool(steps))]


def at(facts: Iterable[Envelope[Any]], as_of: datetime, known_at: datetime) -> DealState | None:
    """What was true at `as_of`, as it was known at `known_at`; called as it was known to be called then."""
    state: DealState | None = None
    for moment, fact in timed(fact for fact in facts if fact.recorded_at <= known_at):
        if moment <= as_of or isinstance(fact.data, DealRenamed):
            state = follow(state, fact.data, moment)
    return state


def _opened(event: DealOpened, moment: datetime) -> DealState:
    return DealState(
        deal_id=event.deal_id,
        name=event.name,
        amount=event.amount.amount,
        currency=event.amount.currency,
        expected_close=event.expected_close,
        owner=event.owner,
        team=event.team,
        stage=event.stage,
        probability=event.probability,
        category=event.category,
        category_of_stage=event.category,
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
        case DealMoved():
            standing = {"stage": event.stage, "probability": event.probability, "idle_days": event.idle_days}
            changes = {**standing, **_judged(state, category_of_stage=event.category_of_stage or event.category)}
            changes["entered"] = moment
        case DealMigrated():
            changes = _migrated(state, event, moment)
        case DealAmountChanged():
            changes = {"amount": event.amount.amount, "currency": event.amount.currency}
        case DealCloseDateChanged(expected_close=day):
            changes = {"expected_close": day, "pushes": state.pushes + is_push(state.expected_close, day)}
        case DealCategoryChanged():
            changes = _judged(state, **{f"category_by_{event.judged_by}": event.category})
        case DealNextStepPlanned():
            until = event.silence_until
            changes = {"next_step": until or event.on, "agreed": None if until else moment}
        case DealAccountChanged():
            changes = {"account_id": event.account_id}
        case DealClassified():
            changes = {"source": event.source}
        case DealHandedOver():
            changes = {"owner": event.owner, "team": event.team}
        case DealWon() | DealLost() | DealAbandoned():
            changes = {"outcome": OUTCOMES[type(event)], "closed_on": event.on}
        case DealReopened():
            changes = {"outcome": OPEN, "closed_on": None, "entered": moment}
    return changes


def _migrated(state: DealState, event: DealMigrated, moment: datetime) -> dict[str, Any]:
    """A deal that goes over to another version. In a stage of the same process and key it has entered nothing; nobody
    has worked on it in any case."""
    followed = {"process_id": event.process_id, "process_version": event.process_version}
    standing = {"stage": event.stage, "probability": event.probability, "idle_days": event.idle_days}
    stays = (state.process_id, state.stage) == (event.process_id, event.stage)
    entered = {} if stays else {"entered": moment}
    return {**followed, **standing, **entered, **_judged(state, category_of_stage=event.category_of_stage)}


def _judged(state: DealState, **judgement: str) -> dict[str, Any]:
    """A judgement, and the category that counts with it."""
    told = {name: getattr(state, name) for name in ("category_by_manager", "category_by_rep", "category_of_stage")}
    told |= judgement
    return {**judgement, "category": next(filter(None, told.values()))}


FACTS = (
    DealOpened,
    DealMoved,
    DealMigrated,
    DealNodeCompleted,
    DealFactsNoted,
    DealAmountChanged,
    DealCloseDateChanged,
    DealCategoryChanged,
    DealActivityLogged,
    DealActivityCorrected,
    DealNextStepPlanned,
    DealRenamed,
    DealHandedOver,
    DealAccountChanged,
    DealClassified,
    DealWon,
    DealLost,
    DealAbandoned,
    DealReopened,
)
"""The facts that a deal's state follows from."""

OUTCOMES = {DealWon: WON, DealLost: LOST, DealAbandoned: ABANDONED}


def is_push(before: date | None, after: date | None) -> bool:
    """Whether a close date moved to a later day."""
    return before is not None and after is not None and after > before
