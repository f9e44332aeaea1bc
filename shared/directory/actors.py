"""Who did something: what the organisation calls those whom somebody signed in as."""

from collections.abc import Collection
from datetime import datetime

from shared.domain.context import Company
from shared.projections.projection import ProjectionDatabase

NAMES_THEN = """
select distinct on (asked.subject, asked.at) asked.subject, asked.at, m.name
  from unnest($1::text[], $2::timestamptz[], $3::date[]) as asked (subject, at, day)
  join {view}.member m using (subject)
 order by asked.subject, asked.at, coalesce(m.left_on < asked.day, false),
          case when m.left_on < asked.day then m.left_on end desc, m.left_on
"""

Act = tuple[str, datetime]
"""Whom somebody signed in as who did something, and when they did."""


async def names_then(organisation: ProjectionDatabase, acts: Collection[Act], company: Company) -> dict[Act, str]:
    """What those are called who did something. Whom somebody signed in as may be another one by now: the first who left
    on that day or later did it, or who is here still; else who left last."""
    subjects, instants = [subject for subject, _ in acts], [at for _, at in acts]
    rows = await organisation.fetch(NAMES_THEN, subjects, instants, [company.day(at) for at in instants])
    return {(row["subject"], row["at"]): row["name"] for row in rows}
