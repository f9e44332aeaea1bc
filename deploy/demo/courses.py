"""The course of a deal: which stages it enters when, and how it ends.

Cycles are log-normal, with fast losses and a pull towards the end of the quarter. Key Accounts sell by the full
process, the other teams by the short one: a deal has four stages before it in both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from deploy.demo.calendar import Calendar
from deploy.demo.cast import Colleague
from services.deals.domain.process.full import FULL
from services.deals.domain.process.short import SHORT
from shared.events.process import ProcessDefinition

BY_FULL = "key-accounts"
"""The team whose deals go by the full process."""
SHARES = (0.16, 0.3, 0.32, 0.22)
"""How the time of a won deal divides between the stages."""
PLACES = range(len(SHARES))
LAST = PLACES[-1]
OFFER = 2
"""The place of the stage in which terms are talked about: it may be skipped where its process allows it, and some deals
go back from it."""
REACHED_BEFORE_LOSS = (0.24, 0.34, 0.30, 0.12)
LASTING_MEDIAN, LASTING_SIGMA = 56.0, 0.42
"""Days from opening to winning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A stage, entered on a day; `place` is how far on it is, from 0."""

    stage: str
    place: int
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What becomes of a deal as far as history tells: `outcome` is None while it is open, and `silent_since` then the
    last day on which somebody worked on it. `due` is the day on which it ends or would have ended."""

    visits: tuple[Visit, ...]
    due: date
    outcome: str | None = None
    drifting: bool = False
    """Nobody wants to give it up."""

    @property
    def opened(self) -> date:
        return self.visits[0].on

    @property
    def place(self) -> int:
        return self.visits[-1].place


def process_of(rep: Colleague) -> ProcessDefinition:
    """The process that the deals of a rep go by."""
    return FULL if rep.team == BY_FULL else SHORT


def course(random: Random, calendar: Calendar, rep: Colleague, opened: date) -> Course:
    """A deal of a rep, told up to the last day of the history."""
    fate = random.random()
    winning = 0.26 + 0.3 * rep.skill
    if fate < winning:
        outcome, stages = "won", list(PLACES)
        days = random.lognormvariate(0, LASTING_SIGMA) * LASTING_MEDIAN
    else:
        outcome = "lost" if random.random() < 0.68 else "abandoned"
        stages = list(PLACES[: 1 + random.choices(PLACES, REACHED_BEFORE_LOSS)[0]])
        fast = outcome == "lost" and random.random() < 0.35
        days = random.lognormvariate(2.4 if fast else 3.8, 0.5)
    drifting = outcome != "won" and random.random() < 0.12
    if drifting:
        days += random.randint(110, 200)
    due = calendar.working(opened + timedelta(days=max(4, int(days))))
    if outcome == "won":
        due = _pulled(random, calendar, due)
    process = process_of(rep)
    path = _path(random, stages, skips=process.stages[OFFER].skippable)
    visits = _visits(random, calendar, process, path, opened, due)
    done = due <= calendar.last
    visits = tuple(visit for visit in visits if visit.on <= calendar.last)
    return Course(visits=visits, due=due, outcome=outcome if done else None, drifting=drifting)


def _pulled(random: Random, calendar: Calendar, due: date) -> date:
    """Close to the end of a quarter many a deal is hurried through."""
    end = calendar.quarter(due).last
    if 0 < (end - due).days < 30 and random.random() < 0.45:
        return calendar.worked(end - timedelta(days=random.randint(0, 8)))
    return due


def _path(random: Random, stages: Sequence[int], *, skips: bool) -> list[int]:
    """Some deals skip the offer, some go back from it once."""
    path = list(stages)
    if path[-1] == LAST and random.random() < 0.07:
        if skips:
            path.remove(OFFER)
    elif OFFER in path and random.random() < 0.06:
        place = path.index(OFFER)
        path[place + 1 : place + 1] = [OFFER - 1, OFFER]
    return path


def _visits(  # noqa: PLR0917
    random: Random, calendar: Calendar, process: ProcessDefinition, path: Sequence[int], opened: date, due: date
) -> tuple[Visit, ...]:
    """The days on which the stages are entered, each a day or more after the one before."""
    shares = [SHARES[place] * random.uniform(0.6, 1.4) for place in path]
    whole, passed = (due - opened).days, 0.0
    visits: list[Visit] = []
    for place, share in zip(path, shares, strict=True):
        on = opened if not visits else calendar.working(opened + timedelta(days=int(whole * passed / sum(shares))))
        if visits and on <= visits[-1].on:
            on = calendar.working(visits[-1].on + timedelta(days=1))
        if on > due or (on == due and visits):
            break
        visits.append(Visit(stage=process.stages[place].key, place=place, on=on))
        passed += share
    return tuple(visits)
