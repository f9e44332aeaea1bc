"""The sales organisation as every service sees it: who is who, in which team, and whose teams they reach (ORG-1)."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from asyncpg import Record

from shared.domain.context import Actor
from shared.domain.roles import Role
from shared.events.envelope import Envelope
from shared.events.leads import ManagerAppointed, MemberJoined, MemberLeft, MemberMoved, TeamFormed
from shared.store.together import Together
from shared.views.reading import Views
from shared.views.view import Source, View, ViewDatabase

NAME = "organisation"

DDL = """
create table {view}.team (
    team_id uuid primary key,
    name text,
    parent_id uuid,
    manager_id uuid
);
create table {view}.member (
    member_id uuid primary key,
    subject text,
    name text,
    role text,
    team_id uuid,
    left_on date,
    teams uuid[] not null default '{}'
);
create index member_subject on {view}.member (subject);
comment on column {view}.member.teams is 'Their own team, the teams that they lead, and all teams below those.';
"""

FORMED = """
    insert into {view}.team (team_id, name, parent_id) values ($1, $2, $3)
    on conflict (team_id) do update set name = excluded.name, parent_id = excluded.parent_id
"""
APPOINTED = """
    insert into {view}.team (team_id, manager_id) values ($1, $2)
    on conflict (team_id) do update set manager_id = excluded.manager_id
"""
JOINED = """
    insert into {view}.member (member_id, subject, name, role, team_id) values ($1, $2, $3, $4, $5)
    on conflict (member_id) do update
       set subject = excluded.subject, name = excluded.name, role = excluded.role, team_id = excluded.team_id,
           left_on = null
"""
MOVED = "update {view}.member set team_id = $2 where member_id = $1"
LEFT = "update {view}.member set left_on = $2 where member_id = $1"

# Events of teams and members come in any order between them, so what each reaches is worked out anew from all that is
# known. `union` ends the walk should teams ever stand in a circle.
REACH = """
    with recursive below(top, team_id) as (
        select team_id, team_id from {view}.team
        union
        select b.top, t.team_id from below b join {view}.team t on t.parent_id = b.team_id
    ), reached as (
        select m.member_id, m.team_id from {view}.member m where m.team_id is not null
        union
        select l.manager_id, b.team_id from {view}.team l join below b on b.top = l.team_id
         where l.manager_id is not null
    ), summed as (
        select member_id, array_agg(team_id order by team_id) as teams from reached group by member_id
    )
    update {view}.member m set teams = coalesce(s.teams, '{}')
      from {view}.member o left join summed s using (member_id)
     where o.member_id = m.member_id and m.teams is distinct from coalesce(s.teams, '{}')
"""
WHO = """
    select distinct on (subject) subject, member_id, team_id, teams from {view}.member
     where subject = any($1::text[]) and left_on is null order by subject, member_id
"""
BELOW = """
    with recursive below(team_id, depth) as (
        select $1::uuid, 0
        union
        select t.team_id, b.depth + 1 from below b join {view}.team t on t.parent_id = b.team_id where b.depth < 100
    )
    select team_id from below group by team_id order by min(depth), team_id
"""
NAMES = "select member_id as id, name from {view}.member union all select team_id, name from {view}.team"


async def fold(db: ViewDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Teams and members are few, and so are their events: one statement each."""
    for event in events:
        match event.data:
            case TeamFormed(team_id=team_id, name=name, parent_id=parent_id):
                await db.execute(FORMED, team_id, name, parent_id)
            case ManagerAppointed(team_id=team_id, member_id=member_id):
                await db.execute(APPOINTED, team_id, member_id)
            case MemberJoined() as joined:
                await db.execute(JOINED, joined.member_id, joined.subject, joined.name, joined.role, joined.team_id)
            case MemberMoved(member_id=member_id, team_id=team_id):
                await db.execute(MOVED, member_id, team_id)
            case MemberLeft(member_id=member_id, on=on):
                await db.execute(LEFT, member_id, on)
    await db.execute(REACH)


def organisation(source: Source) -> View:
    """The view; `source` is "log" in the leads service, which owns the organisation, and "journal" elsewhere."""
    return View(
        name=NAME,
        version=1,
        ddl=DDL,
        apply=fold,
        source=source,
        events=(TeamFormed, ManagerAppointed, MemberJoined, MemberMoved, MemberLeft),
    )


REMEMBERED_SECONDS = 1.0
"""How long it is remembered who somebody is, and what lies below a team."""


class Organisation:
    """Questions about the organisation."""

    def __init__(self, views: Views, now: Callable[[], float] = time.monotonic) -> None:
        self._views = views
        self._now = now
        self._members = Together(self._find)
        self._remembered: dict[str, Record | None] = {}
        self._subtrees: dict[UUID, tuple[UUID, ...]] = {}
        self._forget_at = 0.0

    async def actor(self, subject: str, roles: Iterable[Role], *, fresh: bool = False) -> Actor:
        """Who a subject is here, as was so at most a second ago; `fresh` for as it is now. Somebody who is not (or no
        longer) in the organisation has no member and no teams."""
        self._forget()
        if fresh or subject not in self._remembered:
            self._remembered[subject] = await self._members.ask(subject)
        row = self._remembered[subject]
        if row is None:
            return Actor(subject=subject, roles=frozenset(roles))
        return Actor(
            subject=subject,
            roles=frozenset(roles),
            member=row["member_id"],
            team=row["team_id"],
            teams=frozenset(row["teams"]),
        )

    async def _find(self, subjects: Sequence[str]) -> Mapping[str, Record | None]:
        found = {row["subject"]: row for row in await self._views.lookup(NAME, WHO, subjects)}
        return {subject: found.get(subject) for subject in subjects}

    async def below(self, team_id: UUID, *, fresh: bool = False) -> tuple[UUID, ...]:
        """The team itself, then all teams below it, as was so at most a second ago; `fresh` for as it is now."""
        self._forget()
        if fresh or team_id not in self._subtrees:
            rows = await self._views.lookup(NAME, BELOW, team_id)
            self._subtrees[team_id] = tuple(row["team_id"] for row in rows)
        return self._subtrees[team_id]

    def _forget(self) -> None:
        if self._now() >= self._forget_at:
            self._remembered.clear()
            self._subtrees.clear()
            self._forget_at = self._now() + REMEMBERED_SECONDS

    async def names(self) -> Mapping[UUID, str]:
        """The names of all members and teams."""
        rows = await self._views.lookup(NAME, NAMES)
        return {row["id"]: row["name"] for row in rows if row["name"] is not None}
