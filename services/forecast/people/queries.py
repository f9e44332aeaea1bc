"""Queries to the read model of the organisation: names of people, and the teams one may narrow a question to."""

from uuid import UUID

from services.forecast.asking.question import Question
from shared.projections.projection import ProjectionDatabase

TEAMS = "select team_id, name from {view}.team where $1::boolean or team_id = any($2::uuid[]) order by name, team_id"


async def teams_seen(organisation: ProjectionDatabase, asked: Question) -> list[tuple[UUID, str]]:
    """The teams that the asker sees, by name."""
    rows = await organisation.fetch(TEAMS, asked.sees_all, list(asked.sees_teams))
    return [(row["team_id"], row["name"]) for row in rows]


async def name_of(organisation: ProjectionDatabase, subject: str) -> str | None:
    """What somebody who signs in is called; None for whoever is no member."""
    name: str | None = await organisation.fetchval("select name from {view}.member where subject = $1", subject)
    return name


async def names_by_subject(organisation: ProjectionDatabase) -> dict[str, str]:
    """What the members are called, by whom they sign in as."""
    rows = await organisation.fetch("select subject, name from {view}.member")
    return {row["subject"]: row["name"] for row in rows}
