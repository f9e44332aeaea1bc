"""Queries to the read model of the organisation: names of people, and the teams one may narrow a question to."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from services.forecast.asking.question import Question
from shared.domain.context import Company
from shared.projections.projection import ProjectionDatabase

NAMES_THEN = """
select distinct on (asked.subject, asked.at) asked.subject, asked.at, m.name
  from unnest($1::text[], $2::timestamptz[], $3::date[]) as asked (subject, at, day)
  join {view}.member m using (subject)
 order by asked.subject, asked.at, coalesce(m.left_on < asked.day, false),
          case when m.left_on < asked.day then m.left_on end desc, m.left_on
"""
TEAMS = "select team_id, name from {view}.team where $1::boolean or team_id = any($2::uuid[]) order by name, team_id"

Act = tuple[str, datetime]
"""Whom somebody signed in as who did something, and when they did."""


async def teams_seen(organisation: ProjectionDatabase, asked: Question) -> list[tuple[UUID, str]]:
    """The teams that the asker sees, by name."""
    rows = await organisation.fetch(TEAMS, asked.sees_all, list(asked.sees_teams))
    return [(row["team_id"], row["name"]) for row in rows]


async def name_of(organisation: ProjectionDatabase, member: UUID | None) -> str | None:
    """What a member is called; None for whoever is none. Not asked by their subject: others had that before."""
    name: str | None = await organisation.fetchval("select name from {view}.member where member_id = $1", member)
    return name


async def names_then(organisation: ProjectionDatabase, acts: Collection[Act], company: Company) -> dict[Act, str]:
    """What those are called who did something. Whom somebody signed in as may be another one by now: the first who left
    on that day or later did it, or who is here still; else who left last."""
    subjects, instants = [subject for subject, _ in acts], [at for _, at in acts]
    rows = await organisation.fetch(NAMES_THEN, subjects, instants, [company.day(at) for at in instants])
    return {(row["subject"], row["at"]): row["name"] for row in rows}
