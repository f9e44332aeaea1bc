"""The bitemporal query: what was known at a past instant, folded again from the facts that had been recorded by then.

The one question that no figure is kept for. It reads the facts of those deals alone that have ever been in the scope it
is asked for, and folds them once for each instant, however many parts of the answer follow from them.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.forecast.asking.question import Question, scoped
from services.forecast.pipeline.timeline import FACTS, DealState, at
from shared.events.envelope import Envelope
from shared.events.registry import types_read
from shared.eventstore.log import Excerpt
from shared.projections.projection import ProjectionDatabase

EVER_HELD = scoped("select distinct deal_id from {view}.held where known <= $6 and {scope}")
TYPES = types_read(FACTS)


async def known_states(db: ProjectionDatabase, asked: Question, known_at: datetime) -> dict[UUID, DealState]:
    """The deals at the instant asked about, as they were known then: all that are in the scope of the question, and
    others that were, or came to be, in it at another time."""
    known: dict[UUID, DealState] | None = db.memo.get(asked)
    if known is None:
        lives = _lives(db, known_at, await _ever_in_scope(db, asked, known_at))
        states = [at(facts, asked.as_of, known_at) async for facts in lives]
        known = db.memo[asked] = {state.deal_id: state for state in states if state is not None}
    return known


async def known_pairs(
    db: ProjectionDatabase, start: Question, end: Question, known_at: datetime
) -> list[tuple[DealState | None, DealState | None]]:
    """The deals that were in the scope of the questions at some time, as they stood at two instants, as known then."""
    before, after = await known_states(db, start, known_at), await known_states(db, end, known_at)
    return [(before.get(deal_id), state) for deal_id, state in after.items()]


async def _ever_in_scope(db: ProjectionDatabase, asked: Question, known_at: datetime) -> Sequence[UUID] | None:
    """The deals that were in scope at any instant, as far as it was known; None for all of them."""
    if asked.sees_all and asked.teams is None and asked.owners is None:
        return None
    return [row["deal_id"] for row in await db.fetch(EVER_HELD, *asked.scope, known_at)]


async def _lives(
    db: ProjectionDatabase, known_at: datetime, among: Sequence[UUID] | None
) -> AsyncIterator[list[Envelope[Any]]]:
    """The facts of one deal after the other, as far as they were recorded by then: also those of a later time, for
    they may correct, or take back, what was told of an earlier one."""
    life: list[Envelope[Any]] = []
    excerpt = Excerpt(among=among, types=TYPES, recorded_until=known_at)
    async for part in db.scan("deal", excerpt):
        for fact in part:
            if life and fact.aggregate_id != life[0].aggregate_id:
                yield life
                life = []
            life.append(fact)
    if life:
        yield life
