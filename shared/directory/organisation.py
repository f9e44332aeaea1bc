"""Projection of the organisation, for every service: who is who, in which team, and whose teams they reach (ORG-1)."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from shared.domain.context import Actor
from shared.domain.history import by_thing, history, stated, timed
from shared.domain.roles import Role
from shared.events.envelope import Envelope
from shared.events.leads.member import MemberChanged, MemberJoined, MemberLeft, MemberMoved
from shared.events.leads.team import ManagerAppointed, TeamChanged, TeamFactRetracted, TeamFormed
from shared.eventstore.data_loader import DataLoader
from shared.projections.projection import Projection, ProjectionDatabase, Source
from shared.projections.read_snapshot import Projections

NAME = "organisation"
OF_TEAMS = (TeamFormed, TeamChanged, ManagerAppointed)
OF_MEMBERS = (MemberJoined, MemberChanged, MemberMoved, MemberLeft)

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
    experience text,
    left_on date,
    teams uuid[] not null default '{}'
);
create table {view}.place (
    team_id uuid,
    sequence bigint,
    parent_id uuid,
    is_opening boolean not null,
    occurred_at timestamptz not null,
    by_day boolean not null,
    recorded_at timestamptz not null,
    fact text,
    causation_id uuid not null,
    retracted timestamptz,
    primary key (team_id, sequence)
);
comment on table {view}.place is 'What was ever told of where a team stands, and since when that is retracted.';
create index member_subject on {view}.member (subject);
comment on column {view}.member.teams is 'Their own team, the teams that they lead, and all teams below those.';
"""

TEAMS = """
    insert into {view}.team (team_id, name, parent_id, manager_id)
    select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[])
    on conflict (team_id) do update
       set name = excluded.name, parent_id = excluded.parent_id, manager_id = excluded.manager_id
"""
MEMBERS = """
    insert into {view}.member (member_id, subject, name, role, team_id, experience, left_on)
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::date[])
    on conflict (member_id) do update
       set subject = excluded.subject, name = excluded.name, role = excluded.role, team_id = excluded.team_id,
           experience = excluded.experience, left_on = excluded.left_on
"""

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
PLACES = """
    insert into {view}.place
    select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::boolean[], $5::timestamptz[], $6::boolean[],
                         $7::timestamptz[], $8::text[], $9::uuid[])
    on conflict do nothing
"""
GONE = """
    with teams as (delete from {view}.team where team_id = any($1))
    delete from {view}.member where member_id = any($1)
"""
RETRACTED = "update {view}.place set retracted = $3 where (team_id, causation_id) = ($1, $2)"
PLACED = """
    select * from {view}.place where recorded_at <= $1 and (retracted is null or retracted > $1)
     order by team_id, sequence
"""
WHO = """
    select distinct on (subject) subject, member_id, team_id, teams from {view}.member
     where subject = any($1::text[]) and left_on is null order by subject, member_id
"""
AS_MEMBER = """
    select subject, role, member_id, team_id, teams from {view}.member
     where member_id = $1 and left_on is null and subject is not null
"""
BELOW = """
    with recursive below(team_id, depth) as (
        select $1::uuid, 0
        union
        select t.team_id, b.depth + 1 from below b join {view}.team t on t.parent_id = b.team_id where b.depth < 100
    )
    select team_id from below group by team_id order by min(depth), team_id
"""
NAMED = """
    with recursive below(top, team_id) as (
        select team_id, team_id from {view}.team where team_id = any($1)
        union
        select b.top, t.team_id from below b join {view}.team t on t.parent_id = b.team_id
    )
    select top as id, array_agg(team_id) as teams from below group by top
    union all
    select member_id, array_remove(array[team_id], null) from {view}.member where member_id = any($2)
"""
NAMES = "select member_id as id, name from {view}.member union all select team_id, name from {view}.team"


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team as it is now."""

    team_id: UUID
    name: str | None = None
    parent_id: UUID | None = None
    manager_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member as they are now."""

    member_id: UUID
    subject: str | None = None
    name: str | None = None
    role: str | None = None
    team_id: UUID | None = None
    experience: str | None = None
    left_on: date | None = None


async def fold(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Teams and members are few, and so are their events: those that something happened to are folded anew."""
    changed = {event.aggregate_id for event in events}
    known = await db.standing(list(changed), (*OF_TEAMS, *OF_MEMBERS))
    teams = by_thing(fact for fact in known if isinstance(fact.data, OF_TEAMS))
    members = by_thing(fact for fact in known if isinstance(fact.data, OF_MEMBERS))
    placed = [fact for fact in events if isinstance(fact.data, TeamFormed | TeamChanged)]
    retracted = [fact for fact in events if isinstance(fact.data, TeamFactRetracted)]
    await db.execute(GONE, list(changed - teams.keys() - members.keys()))
    await db.execute(PLACES, *_places(placed))
    await db.executemany(RETRACTED, [(fact.aggregate_id, fact.data.request, fact.recorded_at) for fact in retracted])
    await db.execute(TEAMS, *_columns(Team, [_team(team_id, history(own)) for team_id, own in teams.items()]))
    await db.execute(MEMBERS, *_columns(Member, [_member(who, history(own)) for who, own in members.items()]))
    await db.execute(REACH)


def _team(team_id: UUID, facts: Iterable[Envelope[Any]]) -> Team:
    """A team after all that is known to have happened to it."""
    team = Team(team_id=team_id)
    for fact in facts:
        match fact.data:
            case TeamFormed(name=name, parent_id=above) | TeamChanged(name=name, parent_id=above):
                team = replace(team, name=name, parent_id=above)
            case ManagerAppointed(member_id=manager):
                team = replace(team, manager_id=manager)
    return team


def _member(member_id: UUID, facts: Iterable[Envelope[Any]]) -> Member:
    """A member after all that is known to have happened to them."""
    member = Member(member_id=member_id)
    for fact in facts:
        if member.left_on is None:
            member = _changed(member, fact.data)
    return member


def _changed(member: Member, event: Any) -> Member:
    match event:
        case MemberJoined() | MemberChanged():
            told = ("subject", "name", "role", "experience", *(("team_id",) if isinstance(event, MemberJoined) else ()))
            return replace(member, **stated(event, told, first=member.subject is None))
        case MemberMoved(team_id=team_id):
            return replace(member, team_id=team_id)
        case MemberLeft(on=on):
            return replace(member, left_on=on)
    return member


def _places(facts: Sequence[Envelope[Any]]) -> list[list[Any]]:
    rows = [
        (
            fact.aggregate_id,
            fact.sequence,
            fact.data.parent_id,
            isinstance(fact.data, TeamFormed),
            fact.occurred_at,
            fact.by_day,
            fact.recorded_at,
            fact.fact,
            fact.causation_id,
        )
        for fact in facts
    ]
    return [list(column) for column in zip(*rows, strict=True)] or [[]] * 9


def _columns(kind: type, rows: Sequence[Any]) -> list[list[Any]]:
    return [[getattr(row, field.name) for row in rows] for field in fields(kind)]


def organisation(source: Source) -> Projection:
    """The projection; `source` is "log" in the leads service, which owns the organisation, and "journal" elsewhere."""
    return Projection(
        name=NAME,
        version=4,
        ddl=DDL,
        apply=fold,
        source=source,
        events=(*OF_TEAMS, *OF_MEMBERS),
    )


def below_then(team_id: UUID, placed: Iterable[Record], as_of: datetime) -> tuple[UUID, ...]:
    """The team itself, then all teams that stood below it at an instant, the nearest first."""
    children: dict[UUID | None, list[UUID]] = {}
    for team, facts in by_thing(map(_placing, placed)).items():
        stood = [fact.data.parent_id for at, fact in timed(facts) if at <= as_of]
        if stood:
            children.setdefault(stood[-1], []).append(team)
    found = [team_id]
    for above in found:  # grows meanwhile
        found += [team for team in sorted(children.get(above, ())) if team not in found]
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """A fact about where a team stands."""

    data: TeamFormed | TeamChanged
    aggregate_id: UUID
    sequence: int
    occurred_at: datetime
    by_day: bool
    fact: str | None
    causation_id: UUID


def _placing(row: Record) -> Placing:
    kind = TeamFormed if row["is_opening"] else TeamChanged
    return Placing(
        data=kind(team_id=row["team_id"], name="", parent_id=row["parent_id"]),
        aggregate_id=row["team_id"],
        **{name: row[name] for name in ("sequence", "occurred_at", "by_day", "fact", "causation_id")},
    )


CACHE_TTL_SECONDS = 1.0
"""How long it is remembered who somebody is, and what lies below a team."""


class Organisation:
    """Questions about the organisation."""

    def __init__(self, projections: Projections, now: Callable[[], float] = time.monotonic) -> None:
        self._projections = projections
        self._now = now
        self._members = DataLoader(self._find)
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

    async def as_member(self, member_id: UUID) -> Actor | None:
        """Somebody as the organisation knows them now, in the role that it gives them; None once they left. For what is
        shown without a token, which would tell more."""
        (row,) = await self._projections.lookup(NAME, AS_MEMBER, member_id) or (None,)
        if row is None:
            return None
        return Actor(
            subject=row["subject"],
            roles=frozenset({Role(row["role"])}),
            member=row["member_id"],
            team=row["team_id"],
            teams=frozenset(row["teams"]),
        )

    async def _find(self, subjects: Sequence[str]) -> Mapping[str, Record | None]:
        found = {row["subject"]: row for row in await self._projections.lookup(NAME, WHO, subjects)}
        return {subject: found.get(subject) for subject in subjects}

    async def below(
        self, team_id: UUID, *, fresh: bool = False, past: tuple[datetime, datetime] | None = None
    ) -> tuple[UUID, ...]:
        """The team itself, then all teams below it, as was so at most a second ago; `fresh` for as it is now, `past`
        for as it was at the first instant, as far as that was known at the second."""
        if past is not None:
            as_of, known_until = past
            return below_then(team_id, await self._projections.lookup(NAME, PLACED, known_until), as_of)
        self._forget()
        if fresh or team_id not in self._subtrees:
            rows = await self._projections.lookup(NAME, BELOW, team_id)
            self._subtrees[team_id] = tuple(row["team_id"] for row in rows)
        return self._subtrees[team_id]

    def _forget(self) -> None:
        if self._now() >= self._forget_at:
            self._remembered.clear()
            self._subtrees.clear()
            self._forget_at = self._now() + CACHE_TTL_SECONDS

    async def named(self, teams: Sequence[UUID], members: Sequence[UUID]) -> Mapping[UUID, frozenset[UUID]]:
        """Of some teams and members those that are known, now or once: a team with those below it, a member with the
        team that they sit in, or sat in last."""
        rows = await self._projections.lookup(NAME, NAMED, teams, members)
        return {row["id"]: frozenset(row["teams"]) for row in rows}

    async def names(self) -> Mapping[UUID, str]:
        """The names of all members and teams."""
        rows = await self._projections.lookup(NAME, NAMES)
        return {row["id"]: row["name"] for row in rows if row["name"] is not None}
