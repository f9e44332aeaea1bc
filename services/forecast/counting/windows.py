"""The query to a cohort: how much entered a window of time, and how much of that came to its goal (FC-7).

Answered from daily sums and the days at the window's edges; only `known_at` folds the facts again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.forecast.asking.question import Question
from services.forecast.counting.cohorts import Cohort
from services.forecast.counting.grains import counting
from services.forecast.counting.lives import known_then
from shared.domain.context import Company
from shared.projections.projection import ProjectionDatabase

# Whole days out of the tally, as of the beginning of the asked day; then what changed hands, came to its goal or
# entered on that day; then the part of the first day.
ENTERED = """
select coalesce(sum(n), 0)::bigint as entered, coalesce(sum(m), 0)::bigint as reached from (
    select count as n, case when reached_on < $12 then count else 0 end as m from {view}.entered
     where entered_on >= $11 and entered_on < $12 and day < $12 and {counted}
    union all
    select sign, case when reached_on < $12 then sign else 0 end
      from {view}.holding join {view}.member using (thing_id)
     cross join lateral (values (start_at, 1), (end_at, -1)) as changed (at, sign)
     where at >= $13 and at <= $14 and (start_at between $13 and $14 or end_at between $13 and $14)
       and entered_on >= $11 and entered_on < $12 and {scope}
    union all
    select 0, 1 from {held}
     where reached_at >= $13 and reached_at <= $14 and entered_on >= $11 and entered_on < $12 and {scope}
    union all
    select 1, case when reached_at <= $14 then 1 else 0 end from {held}
     where entered_at >= $13 and entered_at <= $14 and entered_at > $16 and {scope}
    union all
    select 1, case when reached_at <= $14 then 1 else 0 end from {held}
     where entered_at > $15 and entered_at <= least($16, $14) and {scope}
) as counted
""".replace(
    "{held}",
    "{view}.member join {view}.holding h using (thing_id)"
    " join (select $14::timestamptz as asked) question on start_at <= asked and (end_at is null or end_at > asked)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What entered a window, and how many of that came to their goal."""

    entered: int
    reached: int


async def count(
    cohort: Cohort[Any], db: ProjectionDatabase, asked: Question, company: Company, since: datetime
) -> Count:
    """What entered after `since` up to the instant asked about, and came to its goal by then."""
    if asked.known_at is None:
        row = await _over_window(db, ENTERED, asked, company, since)
        return Count(entered=row["entered"], reached=row["reached"])
    found = [
        member
        async for _, life in known_then(cohort.lives, db, asked, company)
        for member in cohort.members(life.state)
        if since < member.entered <= asked.as_of
    ]
    reached = sum(member.reached is not None and member.reached <= asked.as_of for member in found)
    return Count(entered=len(found), reached=reached)


async def _over_window(db: ProjectionDatabase, sql: str, asked: Question, company: Company, since: datetime) -> Any:
    """The one row of a count over a window up to the instant asked about, out of daily sums and the days at its edges.

    `{counted}` and `{scope}` say what counts. $11 is the first whole day, $12 the asked one; $13 to $14 is what the
    asked day has of the window, $15 (excluded) to $16 what the first day has.
    """
    day, first = company.day(asked.as_of), company.day(since)
    edges = (company.start_of(day), asked.as_of, since, company.end_of(first))
    (row,) = await db.fetch(*counting(sql, asked, first + timedelta(days=1), day, *edges))
    return row
