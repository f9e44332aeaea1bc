"""Aging: for how long a deal has stood in its stage, and since when nobody has worked on it, by the limits of its stage
(PROC-1).

Days are the calendar's, as a stage counts its max days and its idle days: a customer waits on a Sunday, too. Working
days are what tasks and promised help are due by.
"""

from datetime import date, datetime, timedelta
from typing import Any

from services.deals.domain.policies import NEXT_STEPS
from shared.domain.context import Company
from shared.events.deals.deal import (
    DealActivityLogged,
    DealFactsNoted,
    DealMoved,
    DealNextStepPlanned,
    DealNodeCompleted,
    DealOpened,
    DealReopened,
)
from shared.events.deals.deal_record import DealActivityCorrected
from shared.events.definition import value
from shared.events.process import ProcessDefinition, Stage

WORK = (
    DealOpened,
    DealMoved,
    DealActivityLogged,
    DealActivityCorrected,
    DealNodeCompleted,
    DealFactsNoted,
    DealReopened,
)
"""What counts as working on a deal (`is_work`); changing a date or an amount does not break its silence."""

USUAL_DAYS_AHEAD = NEXT_STEPS.default_of(Company()).days_ahead
"""Of a next step that does not say how far ahead it counts: history does not, nor what is older than the policy."""


@value
class LifeSigns:
    """When somebody worked on a deal last (UTC), and the last day on which its next step keeps it from counting as
    silent."""

    last_worked_at: datetime
    silence_until: date | None


@value
class Aging:
    """For how long a deal has stood and idled, in calendar days, and by how many that is too long."""

    days_in_stage: int
    days_late: int
    """Beyond the stage's max days; 0 up to them."""
    idle_days: int
    is_idle: bool
    """Whether it is silent for longer than its stage allows, and no next step says otherwise."""


@value
class PossibleMoves:
    """Where a process lets a deal go from a stage; the gates are not asked."""

    forward: str | None
    """The next stage."""
    skip: tuple[str, ...]
    """Those after it, which are reached by skipping others."""
    back: tuple[str, ...]
    """Those before, in the order of the process."""


NOWHERE = PossibleMoves(forward=None, skip=(), back=())


def aging(stage: Stage | None, stage_since: date, signs: LifeSigns, now: datetime, company: Company) -> Aging:
    """How long a deal has stood; without a stage, nothing is too long."""
    today = company.day(now)
    days = max((today - stage_since).days, 0)
    return Aging(
        days_in_stage=days,
        days_late=max(days - stage.max_days, 0) if stage else 0,
        idle_days=max((today - company.day(signs.last_worked_at)).days, 0),
        is_idle=stage is not None and silent_from(signs, stage.idle_days, company) < now,
    )


def silent_from(signs: LifeSigns, idle_limit: int, company: Company) -> datetime:
    """From when on a deal counts as silent (UTC): so many days after somebody worked on it last, and not before the end
    of the day up to which its next step says otherwise."""
    silent = signs.last_worked_at + timedelta(days=idle_limit)
    return silent if signs.silence_until is None else max(silent, company.end_of(signs.silence_until))


def silence_until(event: DealNextStepPlanned, planned: date) -> date | None:
    """The last day on which a next step keeps a deal from counting as silent."""
    if event.silence_until is not None or event.on is None:
        return event.silence_until
    return min(event.on, planned + timedelta(days=USUAL_DAYS_AHEAD))


def is_work(event: Any) -> bool:
    """Whether somebody worked on a deal; one that moved by itself, nobody has."""
    return isinstance(event, WORK) and not (isinstance(event, DealMoved) and event.automatic)


def possible_moves(definition: ProcessDefinition, stage: str) -> PossibleMoves:
    """Where a process lets a deal go from one of its stages."""
    here = definition.index(stage)
    keys = [each.key for each in definition.stages]
    skip = list[str]()
    for passed, reached in zip(definition.stages[here + 1 :], keys[here + 2 :], strict=False):
        if not passed.skippable:
            break
        skip.append(reached)
    return PossibleMoves(
        forward=next(iter(keys[here + 1 :]), None),
        skip=tuple(skip),
        back=tuple(keys[:here]) if definition.can_move_back else (),
    )
