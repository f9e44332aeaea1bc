"""Queries to the read model of the organisation: names of people, and the teams one may narrow a question to."""

from uuid import UUID

from services.forecast.asking.question import Question
from shared.projections.projection import ProjectionDatabase

TEAMS = "select team_id, name from {view}.team where $1::boolean or team_id = any($2::uuid[]) order by name, team_id"


async def teams_seen(organisation: ProjectionDatabase, asked: Question) -> list[tuple[UUID, str]]:
    """The teams that the asker sees, by name."""
    rows = await organisation.fetch(TEAMS, asked.sees_all, list(asked.sees_teams))
    return [(row["team_id"], row["name"]) for row in rows]


async def name_of(organisation: ProjectionDatabase, member: UUID | None) -> str | None:
    """What a member is called; None for whoever is none. Not asked by their subject: others had that before."""
    name: str | None = await organisation.fetchval("select name from {view}.member where member_id = $1", member)
    return name
