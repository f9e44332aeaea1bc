"""The course of a deal: which stages it enters when, and how it ends.

Cycles are log-normal, with fast losses and a pull towards the end of the quarter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from deploy.demo.calendar import Calendar
from deploy.demo.cast import Colleague
from services.deals.domain.process.short import SHORT

STAGES = tuple(stage.key for stage in SHORT.stages)
SKIPPABLE = "quotation"
SHARES = {"initial-contact": 0.16, "needs-confirmed": 0.3, "quotation": 0.32, "contract-drafting": 0.22}
"""How the time of a won deal divides between the stages."""
REACHED_BEFORE_LOSS = (0.24, 0.34, 0.30, 0.12)
LASTING_MEDIAN, LASTING_SIGMA = 56.0, 0.42
"""Days from opening to winning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A stage, entered on a day."""

    stage: str
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
    def stage(self) -> str:
        return self.visits[-1].stage


def course(random: Random, calendar: Calendar, rep: Colleague, opened: date) -> Course:
    """A deal of a rep, told up to the last day of the history."""
    fate = random.random()
    winning = 0.26 + 0.3 * rep.skill
    if fate < winning:
        outcome, stages = "won", list(STAGES)
        days = random.lognormvariate(0, LASTING_SIGMA) * LASTING_MEDIAN
    else:
        outcome = "lost" if random.random() < 0.68 else "abandoned"
        stages = list(STAGES[: 1 + random.choices(range(len(STAGES)), REACHED_BEFORE_LOSS)[0]])
        fast = outcome == "lost" and random.random() < 0.35
        days = random.lognormvariate(2.4 if fast else 3.8, 0.5)
    drifting = outcome != "won" and random.random() < 0.12
    if drifting:
        days += random.randint(110, 200)
    due = calendar.working(opened + timedelta(days=max(4, int(days))))
    if outcome == "won":
        due = _pulled(random, calendar, due)
    path = _path(random, stages)
    visits = _visits(random, calendar, path, opened, due)
    done = due <= calendar.last
    visits = tuple(visit for visit in visits if visit.on <= calendar.last)
    return Course(visits=visits, due=due, outcome=outcome if done else None, drifting=drifting)


def _pulled(random: Random, calendar: Calendar, due: date) -> date:
    """Close to the end of a quarter many a deal is hurried through."""
    end = calendar.quarter(due).last
    if 0 < (end - due).days < 30 and random.random() < 0.45:
        return calendar.worked(end - timedelta(days=random.randint(0, 8)))
    return due


def _path(random: Random, stages: Sequence[str]) -> list[str]:
    """Some deals skip the quotation, some go back once."""
    path = list(stages)
    if path[-1] == "contract-drafting" and random.random() < 0.07:
        path.remove(SKIPPABLE)
    elif SKIPPABLE in path and random.random() < 0.06:
        place = path.index(SKIPPABLE)
        path[place + 1 : place + 1] = [path[place - 1], SKIPPABLE]
    return path


def _visits(random: Random, calendar: Calendar, path: Sequence[str], opened: date, due: date) -> tuple[Visit, ...]:
    """The days on which the stages are entered, each a day or more after the one before."""
    shares = [SHARES[stage] * random.uniform(0.6, 1.4) for stage in path]
    whole, passed = (due - opened).days, 0.0
    visits: list[Visit] = []
    for stage, share in zip(path, shares, strict=True):
        on = opened if not visits else calendar.working(opened + timedelta(days=int(whole * passed / sum(shares))))
        if visits and on <= visits[-1].on:
            on = calendar.working(visits[-1].on + timedelta(days=1))
        if on > due or (on == due and visits):
            break
        visits.append(Visit(stage=stage, on=on))
        passed += share
    return tuple(visits)
