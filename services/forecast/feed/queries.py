"""Queries to the read model of the feed: a keyset page of the newest events, and what follows a position.

A follower of the feed is told of an event once every read model of the journal that serves and does not stand still
holds it, so that what it asks then is up to date.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.forecast.asking.question import Question, scoped
from shared.events.registry import registry_of, type_of
from shared.projections.projection import ProjectionDatabase
from shared.projections.read_snapshot import Projections

NEWEST = scoped("""
select * from {view}.entry
 where occurred_at <= $6 and known <= $8 and {scope}
   and (occurred_at, known, aggregate_id, sequence) < ($9, $10, $11, $12) and (retracted is null or retracted > $8)
 order by occurred_at desc, known desc, aggregate_id desc, sequence desc limit $7
""")

AFTER = "select * from {view}.entry where position > $1 and position <= $2 order by position limit $3"

REACH = """
select min(occurred_at) as oldest, max(occurred_at) as newest from {view}.entry
 where aggregate = 'deal' and retracted is null and type <> 'deals.deal-fact-retracted'
"""

RETRACTIONS = ", ".join(f"'{type_of(each)}'" for each in registry_of().classes if each.retracts)  # type: ignore[attr-defined]


def standing(known: str) -> str:
    """The condition that an entry `e` stands by what was known at an instant, that argument of the statement: neither
    taken back nor corrected, as when the past is told; in the news, what takes another one's place is one more."""
    return f"""e.known <= {known} and (e.retracted is null or e.retracted > {known}) and e.type not in ({RETRACTIONS})
   and (e.fact is null or not exists (
        select from {{feed}}.entry other
         where other.aggregate_id = e.aggregate_id and other.fact = e.fact and other.sequence > e.sequence
           and other.causation_id <> e.causation_id and other.known <= {known}
           and (other.retracted is null or other.retracted > {known})))"""


RowPlace = tuple[datetime, datetime, UUID, int]
"""Where an event stands in the list: when it happened and was recorded, then its stream and its place there. All of
that is the same when the journal is read again, as the position in it is not."""

FIRST: RowPlace = (datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1), 2**62)
"""Before every event."""


async def newest(db: ProjectionDatabase, asked: Question, after: RowPlace | None, enough: int) -> list[Record]:
    """The newest events in the scope of a question that come after a place, as many as are enough."""
    return await db.fetch(NEWEST, *asked.scope, asked.as_of, enough, asked.known_until, *(after or FIRST))


@dataclass(frozen=True, slots=True)
class Reach:
    """When the first and the last fact happened; None when there are none."""

    oldest: datetime | None
    newest: datetime | None


async def reach(db: ProjectionDatabase) -> Reach:
    """From when to when there are facts about deals."""
    row = await db.fetchrow(REACH)
    return Reach(row["oldest"], row["newest"]) if row else Reach(None, None)


READS = ("feed",)
"""The read model that the stream is read from."""


async def read(projections: Projections, after: int, limit: int) -> tuple[list[tuple[int, Any]], int]:
    """What follows a position in the feed, and up to where that is all: where every figure is, but for those that stand
    still. So whoever hears of an event and asks for figures is told what came of it."""
    level = await projections.level("journal")
    async with projections.reading(READS) as reading:
        upto = min(level, reading.position)
        rows = await reading("feed").fetch(AFTER, after, upto, limit)
        upto = rows[-1]["position"] if len(rows) == limit else upto
    return [(row["position"], row) for row in rows], max(upto, after)


async def head(projections: Projections) -> int:
    """The newest position that the feed tells of."""
    level = await projections.level("journal")
    async with projections.reading(READS) as reading:
        return min(level, reading.position)
