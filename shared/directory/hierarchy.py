"""Look-ups of handlers in the hierarchy of teams (ORG-1): which team stands above which, and who leads somebody."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from shared.commands.loaders import LoaderContext, LookUp
from shared.directory.organisation import NAME as ORGANISATION

ABOVE = "select team_id, parent_id from {view}.team where parent_id is not null"
LEADERS = """
with recursive above(team_id, manager_id, parent_id, depth) as (
    select t.team_id, t.manager_id, t.parent_id, 0 from {view}.team t
     where t.team_id = coalesce((select m.team_id from {view}.member m where m.member_id = $1), $2)
    union all
    select t.team_id, t.manager_id, t.parent_id, a.depth + 1 from above a join {view}.team t on t.team_id = a.parent_id
     where a.depth < 100
)
select m.member_id, min(a.depth) as level from above a join {view}.member m on m.member_id = a.manager_id
 where m.left_on is null and m.member_id is distinct from $1 group by m.member_id order by level
"""
LEADERS_OF_ROLE = """
with recursive above(led, team_id, manager_id, parent_id, depth) as (
    select m.member_id, t.team_id, t.manager_id, t.parent_id, 0
      from {view}.member m join {view}.team t using (team_id) where m.role = $1 and m.left_on is null
    union all
    select a.led, t.team_id, t.manager_id, t.parent_id, a.depth + 1
      from above a join {view}.team t on t.team_id = a.parent_id where a.depth < 100
)
select distinct member_id from (
    select distinct on (a.led) m.member_id from above a join {view}.member m on m.member_id = a.manager_id
     where m.left_on is null and m.member_id <> a.led order by a.led, a.depth
) nearest order by member_id
"""


async def teams_above(look_up: LookUp) -> Mapping[UUID, UUID]:
    """Every team that has one above it, and which."""
    return {row["team_id"]: row["parent_id"] for row in await look_up(ORGANISATION, ABOVE)}


def line_of(team: UUID | None, above: Mapping[UUID, UUID]) -> Iterator[UUID]:
    """A team and those above it, the nearest first."""
    seen = set[UUID]()
    while team is not None and team not in seen:
        yield team
        seen.add(team)
        team = above.get(team)


async def leaders(reader: LoaderContext, member: UUID | None, team: UUID | None) -> tuple[UUID, ...]:
    """Who leads a member, the nearest first: the managers of their team, or where they sit in none, or there is no such
    member, of a given one, and of the teams above it. Nobody leads themselves, and nobody who has left leads."""
    return tuple(row["member_id"] for row in await reader.fetch(ORGANISATION, LEADERS, member, team))


async def leaders_of_role(reader: LoaderContext, role: str) -> tuple[UUID, ...]:
    """Who leads the people of a role: the nearest of each of them."""
    return tuple(row["member_id"] for row in await reader.fetch(ORGANISATION, LEADERS_OF_ROLE, role))
