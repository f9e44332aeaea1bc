"""Queries to the journal: the facts of deals, each with the deal before and after it (FC-17)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.forecast.asking.question import Question
from services.forecast.pipeline.timeline import DealState, follow
from shared.domain.history import by_thing, history, timed
from shared.events.deals.deal import DealRenamed
from shared.events.envelope import Envelope
from shared.projections.projection import ProjectionDatabase


@dataclass(frozen=True, slots=True)
class Step:
    """A fact, when it counts, its number among those of the deal, and the deal before and after it."""

    moment: datetime
    number: int
    fact: Envelope[Any]
    before: DealState | None
    after: DealState | None


async def steps_of(db: ProjectionDatabase, asked: Question, deals: Sequence[UUID]) -> list[Step]:
    """What happened to some deals until an instant, as known at another, each deal's in its order; called as they are
    called now, for what they were called before may name somebody who is forgotten (DATA-4)."""
    if not deals:
        return []
    lives = [_called_now(own) for own in by_thing(await db.history(deals)).values()]
    known = [[fact for fact in own if fact.recorded_at <= asked.known_until] for own in lives]
    return [step for own in known for step in _told(own, asked.as_of)]


def _called_now(facts: Sequence[Envelope[Any]]) -> Sequence[Envelope[Any]]:
    name = next((fact.data.name for fact in reversed(history(facts)) if isinstance(fact.data, DealRenamed)), None)
    if name is None:
        return facts
    return [replace(fact, data=replace(fact.data, name=name)) if hasattr(fact.data, "name") else fact for fact in facts]


def _told(facts: Iterable[Envelope[Any]], as_of: datetime) -> Iterator[Step]:
    state = None
    for number, (moment, fact) in enumerate(timed(facts)):
        if moment > as_of:
            return
        after = follow(state, fact.data, moment)
        yield Step(moment, number, fact, state, after)
        state = after
