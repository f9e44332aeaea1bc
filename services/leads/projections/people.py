"""Teams and members: their lists, and what assignment asks about them (ORG-1, LEAD-4)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from services.leads.domain.organisation.leave import leaves_after
from services.leads.domain.organisation.member import DETAILS, Experience, member
from services.leads.domain.organisation.team import team
from shared.domain.aggregate import statuses
from shared.domain.history import stated
from shared.domain.roles import EVERYBODY, Role
from shared.domain.working_time.leave import Leave
from shared.events.chronology import ORDER_OF_DAY
from shared.events.definition import value, words
from shared.events.envelope import Envelope
from shared.events.leads.member import (
    MemberChanged,
    MemberJoined,
    MemberLeaveShortened,
    MemberLeft,
    MemberMoved,
    MemberWentOnLeave,
)
from shared.events.leads.team import ManagerAppointed, TeamChanged, TeamFormed
from shared.projections.columns import BY_LANGUAGE, SEARCHED, OfToday
from shared.projections.lists import Listing, equals, in_team, one_of, search
from shared.projections.projection import Projection, ProjectionDatabase
from shared.projections.tables import Change, Row, Table


@value
class TeamRow:
    """A team in the list."""

    id: UUID
    version: int
    name: Annotated[str, BY_LANGUAGE, SEARCHED]
    parent_id: UUID | None
    manager: UUID | None
    formed_at: datetime
    updated_at: datetime


AWAY = """exists (select from unnest(leave_starts, leave_ends) as away (first_day, last_day)
                   where {today} between first_day and last_day)"""


@value
class MemberRow:
    """A member in the list."""

    id: UUID
    version: int
    status: Annotated[str, words(statuses(member))]
    subject: str
    name: Annotated[str, BY_LANGUAGE, SEARCHED]
    role: Role
    team: UUID | None
    department: str
    experience: Experience
    capacity: int
    on_leave: Annotated[bool, OfToday(f"(status = 'active' and {AWAY})")]
    joined_at: datetime
    left_on: date | None
    assumptions: tuple[str, ...]
    """What had to be assumed: "order-of-day" of one who came to two teams on a day whose order nobody knows."""
    updated_at: datetime


@value
class MemberLeaves:
    """When a member is away: the first days of the leaves, and in the same order their last ones."""

    leave_starts: tuple[date, ...]
    leave_ends: tuple[date, ...]


def _joined(fact: Envelope[MemberJoined], row: Row) -> Row:
    if row["status"] == "former":
        return {}
    is_first = row["status"] is None
    told = stated(fact.data, (*DETAILS, "team_id"), first=is_first)
    if "team_id" in told:
        told["team"] = told.pop("team_id")
    first = {"status": "active", "joined_at": fact.occurred_at, "assumptions": (), "leave_starts": (), "leave_ends": ()}
    return told | (first if is_first else {})


def _known(fact: Envelope[Any], row: Row) -> Row:
    return stated(fact.data, DETAILS)


def _away(fact: Envelope[Any], row: Row) -> Row:
    days = zip(row["leave_starts"], row["leave_ends"], strict=True)
    leaves = leaves_after(tuple(Leave(start=start, end=end) for start, end in days), fact.data)
    return {"leave_starts": [leave.start for leave in leaves], "leave_ends": [leave.end for leave in leaves]}


def _formed(fact: Envelope[TeamFormed], row: Row) -> Row:
    return {**_placed(fact, row), "formed_at": row["formed_at"] or fact.occurred_at}


def _placed(fact: Envelope[Any], row: Row) -> Row:
    return {"name": fact.data.name, "parent_id": fact.data.parent_id}


def _while_active(change: Change) -> Change:
    """As the member itself: what is told of the time after they left changes nothing about them."""
    return lambda fact, row: change(fact, row) if row["status"] == "active" else {}


TEAM = Table(
    name="team",
    row=TeamRow,
    events=team.events,
    changes={
        TeamFormed: _formed,
        TeamChanged: _placed,
        ManagerAppointed: lambda fact, _: {"manager": fact.data.member_id},
    },
)

MEMBER = Table(
    name="member",
    row=MemberRow,
    kept=MemberLeaves,
    events=member.events,
    changes={
        MemberJoined: _joined,
        MemberChanged: _while_active(_known),
        MemberMoved: _while_active(lambda fact, _: {"team": fact.data.team_id}),
        MemberWentOnLeave: _while_active(_away),
        MemberLeaveShortened: _while_active(_away),
        MemberLeft: _while_active(lambda fact, _: {"status": "former", "left_on": fact.data.on}),
    },
    assumes=lambda *_: {"assumptions": (ORDER_OF_DAY,)},
    indices=("(team)",),
)

CANDIDATES = f"""
with rep as (
    select id, capacity, {AWAY.format(today="$2")} as on_leave
      from {{view}}.member
     where team = $1 and status = 'active' and role = 'rep'
), moving as (
    select distinct e.aggregate_id as id
      from event e left join {{leads}}.lead l on l.id = e.aggregate_id
     where e.position > (select position from mark where name = '{{leads}}') and e.aggregate = 'lead'
       and (l.owner in (select id from rep) or (e.data ->> 'member_id')::uuid in (select id from rep))
)
select r.id, r.capacity, r.on_leave,
       (select count(*) from {{leads}}.lead l
         where l.owner = r.id and l.status = 'open' and l.id not in (select id from moving)) as open_leads,
       (select coalesce(array_agg(id), '{{}}') from moving) as moving
  from rep r
"""  # noqa: S608
"""The reps of a team on a day, with what they carry. Reads the projection `leads` beside this one: leads of theirs of
which something was recorded that it does not hold yet are not counted, but named (`moving`)."""


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """What a batch of events changes in the lists."""
    await TEAM.apply(db, events)
    await MEMBER.apply(db, events)


PEOPLE_PROJECTION = Projection(
    name="people",
    version=9,
    ddl=TEAM.ddl + MEMBER.ddl,
    indices=(*TEAM.index_ddl, *MEMBER.index_ddl),
    apply=apply,
    events=(*TEAM.events, *MEMBER.events),
)

TEAMS = Listing(
    name="teams",
    projection=PEOPLE_PROJECTION,
    table="team",
    item=TeamRow,
    key="id",
    filters={"parent": equals("parent_id", UUID), "manager": equals("manager", UUID), "q": search()},
    sorts=("name", "formed_at"),
    default_sort="name",
    readers=EVERYBODY,
    owner=None,
    team=None,
)

MEMBERS = Listing(
    name="members",
    projection=PEOPLE_PROJECTION,
    table="member",
    item=MemberRow,
    key="id",
    filters={
        "team": in_team(),
        "role": one_of("role", tuple(Role)),
        "status": one_of("status", statuses(member)),
        "on_leave": equals("on_leave", bool),
        "subject": equals("subject"),
        "q": search(),
    },
    sorts=("name", "joined_at"),
    default_sort="name",
    readers=EVERYBODY,
    owner=None,
    team=None,
)
