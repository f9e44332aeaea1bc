"""Queries to the journal: the facts of deals, each with the deal before and after it (FC-17)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.forecast.asking.question import Question
from services.forecast.pipeline.timeline import DealState, follow
from shared.domain.history import by_thing, timed
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
    """What happened to some deals until an instant, as known at another, each deal's in its order."""
    if not deals:
        return []
    facts = [fact for fact in await db.history(deals) if fact.recorded_at <= asked.known_until]
    return [step for own in by_thing(facts).values() for step in _told(own, asked.as_of)]


def _told(facts: Iterable[Envelope[Any]], as_of: datetime) -> Iterator[Step]:
    state = None
    for number, (moment, fact) in enumerate(timed(facts)):
        if moment > as_of:
            return
        after = follow(state, fact.data, moment)
        yield Step(moment, number, fact, state, after)
        state = after
