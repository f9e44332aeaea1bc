"""Members: joining, moving between teams, leaving (ORG-1)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from annotated_types import Ge, Le

from services.leads.domain.fields import Word
from shared.domain.aggregate import Aggregate, Claim, Decision, Occurrence
from shared.domain.context import OF_SERVICES, Context
from shared.domain.fields import Day, Name
from shared.domain.history import said_of, stated
from shared.domain.references import TeamId
from shared.domain.rejection import Rejected
from shared.domain.retraction import retractable
from shared.domain.roles import EVERYBODY, OPERATIONS, Role
from shared.domain.working_time.leave import Leave
from shared.events.chronology import ORDER_OF_DAY
from shared.events.definition import value
from shared.events.leads.member import (
    MemberChanged,
    MemberFactRetracted,
    MemberJoined,
    MemberLeft,
    MemberMoved,
)

Experience = Literal["new", "experienced", "senior"]
Capacity = Annotated[int, Ge(0), Le(10_000)]


@value
class NoMember:
    """Not in the organisation yet."""


@value
class Shortening:
    """A leave as it was announced, and its last day after all; None where all of it was called off."""

    leave: Leave
    last_day: date | None


@value
class ActiveMember:
    """In the organisation."""

    id: UUID
    subject: str
    name: str
    role: str
    team: UUID | None
    department: str
    experience: str
    capacity: int
    leaves: tuple[Leave, ...] = ()
    shortenings: tuple[Shortening, ...] = ()
    assumptions: tuple[str, ...] = ()
    """What had to be assumed: "order-of-day" of one who came to two teams on a day whose order nobody knows."""
    since: date | None = None
    """The day on which they joined, or came to their team."""

    @property
    def owner(self) -> UUID:
        """Everybody is their own: they may enter their own leave."""
        return self.id


@value
class FormerMember:
    """Left."""

    id: UUID
    subject: str
    name: str
    role: str
    team: UUID | None
    left_on: date
    leaves: tuple[Leave, ...] = ()
    shortenings: tuple[Shortening, ...] = ()
    assumptions: tuple[str, ...] = ()
    """What had to be assumed: "order-of-day" of one who came to two teams on a day whose order nobody knows."""


member = Aggregate("member", plural="members", start=NoMember, readers=EVERYBODY)


@value
class SubjectHolder:
    """The member, if any, who has the subject of the bearer tokens that a command names."""

    member_id: UUID | None = None


@value
class JoinMember:
    """Take a person into the sales organisation."""

    subject: Name
    """The subject of the person's bearer tokens; one member has it at a time."""
    name: Name
    role: Role
    team_id: TeamId | None = None
    department: Word = "sales"
    experience: Experience = "experienced"
    capacity: Capacity = 30
    """Open leads that the person can carry; 0 for somebody who gets none."""

    example: ClassVar[dict[str, object]] = {
        "subject": "rosa.diaz",
        "name": "Rosa Diaz",
        "role": "rep",
        "team_id": "0192f0c1-0000-7000-8000-000000000070",
        "capacity": 30,
    }


@value
class MoveMember:
    """Move a member to another team."""

    team_id: TeamId | None
    """None: no team for now."""

    example: ClassVar[dict[str, object]] = {"team_id": "0192f0c1-0000-7000-8000-000000000071"}


@value
class LeaveOrganisation:
    """Record that a member left."""

    on: Day
    """The last day in the organisation; not in the future."""

    example: ClassVar[dict[str, object]] = {"on": "2026-11-20"}


@value
class ImportMember:
    """A member as history knows them; of several days, what they were from each of them on."""

    on: Day
    """The day: when they joined, or when this was so."""
    subject: Name
    name: Name
    role: Role
    team_id: TeamId | None = None
    department: Word | None = None
    """Default: as it was; in the beginning "sales"."""
    experience: Experience | None = None
    """Default: as it was; in the beginning "experienced"."""
    capacity: Capacity | None = None
    """Default: as it was; in the beginning 30."""
    at: datetime | None = None
    """The instant, UTC, where it is known; default: the end of the day."""


@value
class ImportMemberMove:
    """A change of team as history knows it."""

    on: Day
    """The day: when it happened."""
    team_id: TeamId | None
    at: datetime | None = None
    """The instant, UTC, where it is known; default: the end of the day."""


@value
class ImportMemberDeparture:
    """A departure as history knows it."""

    on: Day
    """The last day in the organisation."""
    at: datetime | None = None
    """The instant, UTC, where it is known; default: the end of the day."""


DETAILS = ("subject", "name", "role", "department", "experience", "capacity")
"""What is known about a member besides the team."""


retractable(member, MemberFactRetracted)


@member.decides(allow=OPERATIONS)
def join(state: NoMember, command: JoinMember, context: Context, holder: SubjectHolder) -> Decision:
    """Take a person into the sales organisation."""
    return [joined(command, context, holder)]


@member.imports("member", MemberJoined, MemberMoved, MemberChanged, keys=lambda command: [("subject", command.subject)])
def import_member(
    state: NoMember | ActiveMember, command: ImportMember, context: Context, holder: SubjectHolder
) -> Decision:
    """Take over a member from history, or what a later export says of them."""
    told = joined(command, context, holder)
    events = [told] if isinstance(state, NoMember) else changed(state, told)
    at = context.past_moment(command.on, command.at)
    return [Occurrence(event=event, at=at) for event in events]


@member.decides(allow=OPERATIONS)
def move(state: ActiveMember, command: MoveMember, context: Context) -> Decision:
    """Move a member to another team; what they own stays with the team that it is recorded on."""
    return [MemberMoved(member_id=state.id, before=state.team, team_id=command.team_id, on=context.today)]


@member.imports("member-moved", MemberMoved)
def import_move(state: ActiveMember, command: ImportMemberMove, context: Context) -> Decision:
    """Take over a change of team from history."""
    moved = MemberMoved(member_id=state.id, before=state.team, team_id=command.team_id, on=command.on)
    return [Occurrence(event=moved, at=context.past_moment(command.on, command.at))]


@member.decides(allow=OPERATIONS)
def leave(state: ActiveMember, command: LeaveOrganisation, context: Context) -> Decision:
    """Record that a member left; their subject is free again."""
    if command.on > context.today:
        raise Rejected("in-the-future", "A departure is recorded once it has happened.", field="on")
    if state.since and command.on < state.since:
        raise Rejected("before-it-began", f"They joined, or came to their team, on {state.since}.", field="on")
    return [Occurrence(event=MemberLeft(member_id=state.id, on=command.on), at=context.moment(command.on))]


@member.imports("member-left", MemberLeft)
def import_departure(state: ActiveMember, command: ImportMemberDeparture, context: Context) -> Decision:
    """Take over a departure from history."""
    return [
        Occurrence(event=MemberLeft(member_id=state.id, on=command.on), at=context.past_moment(command.on, command.at))
    ]


@member.already
def is_joined(state: ActiveMember, command: JoinMember) -> bool:
    asked = (command.subject, command.name, command.role.value)
    more = (command.department, command.experience, command.capacity)
    return ((*asked, *more), command.team_id) == (details(state), state.team)


@member.already
def is_imported(state: FormerMember, command: ImportMember) -> bool:
    """Exports go on to list who left; that brings nobody back."""
    return (command.name, command.role.value) == (state.name, state.role)


@member.already
def is_moved(state: ActiveMember, command: MoveMember) -> bool:
    return state.team == command.team_id


@member.already
def is_gone(state: FormerMember, command: LeaveOrganisation) -> bool:
    return state.left_on == command.on


@member.already
def is_departure_imported(state: FormerMember, command: ImportMemberDeparture) -> bool:
    return state.left_on == command.on


@member.evolves
def has_joined(state: NoMember, event: MemberJoined) -> ActiveMember:
    return ActiveMember(
        id=event.member_id,
        subject=event.subject,
        name=event.name,
        role=event.role,
        team=event.team_id,
        department=event.department,
        experience=event.experience,
        capacity=event.capacity,
        since=event.on,
    )


@member.evolves
def has_moved(state: ActiveMember, event: MemberMoved) -> ActiveMember:
    since = state.since if event.team_id == state.team else event.on or state.since
    return replace(state, team=event.team_id, since=since)


@member.evolves
def is_now(state: ActiveMember, event: MemberChanged | MemberJoined) -> ActiveMember:
    """What was told as their joining may turn out to be later than that: then it was so from that day on."""
    known = replace(state, **stated(event, DETAILS))
    if isinstance(event, MemberJoined) and stated(event, ["team_id"]):
        return replace(known, team=event.team_id)
    return known


@member.evolves
def has_left(state: ActiveMember, event: MemberLeft) -> FormerMember:
    return FormerMember(
        id=state.id,
        subject=state.subject,
        name=state.name,
        role=state.role,
        team=state.team,
        left_on=event.on,
        leaves=state.leaves,
        shortenings=state.shortenings,
        assumptions=state.assumptions,
    )


@member.assumes
def moved_in_some_order(state: ActiveMember | FormerMember) -> ActiveMember | FormerMember:
    return replace(state, assumptions=(ORDER_OF_DAY,))


@member.claims
def signs_in_as(state: ActiveMember) -> set[Claim]:
    return {Claim(kind="subject", key=state.subject)}


def changed(state: ActiveMember, told: MemberJoined) -> Iterator[MemberMoved | MemberChanged]:
    """What a member is from a day on, as far as that is said, also where that was so before: what is told later may lie
    between."""
    if told.team_id is not None:
        yield MemberMoved(member_id=state.id, before=state.team, team_id=told.team_id, on=told.on)
    said = told.said and tuple(name for name in told.said if name in DETAILS)
    yield MemberChanged(member_id=state.id, said=said, **{name: getattr(told, name) for name in DETAILS})


def details(said: ActiveMember) -> tuple[object, ...]:
    """What is known about a member besides the team."""
    return tuple(getattr(said, name) for name in DETAILS)


def joined(command: JoinMember | ImportMember, context: Context, holder: SubjectHolder) -> MemberJoined:
    """The fact that a member joined; refused while somebody else signs in with the subject, or if it is a service's."""
    if command.subject.startswith(OF_SERVICES):
        message = f"Subjects that begin with {OF_SERVICES} are those of the services."
        raise Rejected("reserved-subject", message, field="subject")
    if holder.member_id not in (None, context.aggregate_id):
        raise Rejected("subject-taken", "Another member signs in with this subject.", field="subject")
    given = {name: getattr(command, name) for name in ("team_id", "department", "experience", "capacity")}
    told = {"subject": command.subject, "name": command.name, "role": command.role.value, **given}
    said = said_of(told) if isinstance(command, ImportMember) else None
    return MemberJoined(
        member_id=context.aggregate_id,
        said=said,
        on=command.on if isinstance(command, ImportMember) else context.today,
        **{name: value for name, value in told.items() if value is not None},
    )
