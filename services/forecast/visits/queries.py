"""The query to the read model of visits: how many were held in a period, as known at any instant (PROC-4)."""

from datetime import date

from services.forecast.asking.question import Question, scoped
from shared.projections.projection import ProjectionDatabase

HELD = scoped("""
select count(*) from {view}.told t
 where is_visit and held_on between $6 and $7 and occurred_at <= $8 and known <= $9
   and (retracted is null or retracted > $9) and {scope}
   and not exists (select from {view}.told corrected
                    where (corrected.thing_id, corrected.fact) = (t.thing_id, t.fact)
                      and corrected.sequence > t.sequence and corrected.known <= $9
                      and (corrected.retracted is null or corrected.retracted > $9))
""")


async def held(db: ProjectionDatabase, asked: Question, first: date, last: date) -> int:
    """How many visits were held from `first` to `last`, both included, up to the instant asked about."""
    return int(await db.fetchval(HELD, *asked.scope, first, last, asked.as_of, asked.known_until))
