"""Teams: their place in the hierarchy and who leads them (ORG-1)."""

from dataclasses import replace
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.domain.aggregate import Aggregate, Decision, Occurrence
from shared.domain.context import Context
from shared.domain.fields import Day, Name
from shared.domain.references import AnyMemberId, MemberId, TeamId
from shared.domain.rejection import Rejected
from shared.domain.retraction import retractable
from shared.domain.roles import EVERYBODY, OPERATIONS
from shared.events.definition import value
from shared.events.leads.team import ManagerAppointed, TeamChanged, TeamFactRetracted, TeamFormed


@value
class NoTeam:
    """Not formed yet."""


@value
class ActiveTeam:
    """At work."""

    id: UUID
    name: str
    parent_id: UUID | None
    manager: UUID | None = None


team = Aggregate("team", plural="teams", start=NoTeam, readers=EVERYBODY)


@value
class NamedMember:
    """The member that a command names, and the team that they sit in."""

    team: UUID | None = None


@value
class HierarchyPlace:
    """Where a command puts a team."""

    circular: bool = False
    """Whether it would stand below itself, now or at any time."""


@value
class FormTeam:
    """Form a team."""

    name: Name
    parent_id: TeamId | None = None
    """The team above; none for a team at the top."""

    example: ClassVar[dict[str, object]] = {"name": "Field sales south"}


@value
class AppointManager:
    """Put a member at the head of a team."""

    member_id: AnyMemberId
    """An active member, of this team or any other."""

    example: ClassVar[dict[str, object]] = {"member_id": "0192f0c1-0000-7000-8000-000000000007"}


@value
class ImportTeam:
    """A team as history knows it; of several days, what it was from each of them on."""

    on: Day
    """The day: when it was formed, or when this was so."""
    name: Name
    parent_id: TeamId | None = None
    at: datetime | None = None
    """The instant, UTC, where it is known; default: the end of the day."""


@value
class ImportTeamManager:
    """A team's manager as history knows them."""

    on: Day
    """The day: from when on."""
    member_id: MemberId
    at: datetime | None = None
    """The instant, UTC, where it is known; default: the end of the day."""


retractable(team, TeamFactRetracted)


@team.decides(allow=OPERATIONS)
def form(state: NoTeam, command: FormTeam, context: Context) -> Decision:
    """Form a team, at the top or below another one."""
    return [TeamFormed(team_id=context.aggregate_id, name=command.name, parent_id=command.parent_id)]


@team.decides(allow=OPERATIONS)
def appoint_manager(state: ActiveTeam, command: AppointManager) -> Decision:
    """Put a member at the head of a team, in place of whoever led it."""
    return [ManagerAppointed(team_id=state.id, member_id=command.member_id, before=state.manager)]


@team.imports("team", TeamFormed, TeamChanged)
def import_team(state: NoTeam | ActiveTeam, command: ImportTeam, context: Context, place: HierarchyPlace) -> Decision:
    """Take over a team from history, or what a later export says of it."""
    if place.circular:
        raise Rejected("circular-hierarchy", "A team does not stand below itself.", field="parent_id")
    kind = TeamFormed if isinstance(state, NoTeam) else TeamChanged
    event = kind(team_id=context.aggregate_id, name=command.name, parent_id=command.parent_id)
    return [Occurrence(event=event, at=context.past_moment(command.on, command.at))]


@team.imports("team-manager", ManagerAppointed)
def import_manager(state: ActiveTeam, command: ImportTeamManager, context: Context) -> Decision:
    """Take over a team's manager from history."""
    appointed = ManagerAppointed(team_id=state.id, member_id=command.member_id, before=state.manager)
    return [Occurrence(event=appointed, at=context.past_moment(command.on, command.at))]


@team.already
def is_formed(state: ActiveTeam, command: FormTeam) -> bool:
    return (state.name, state.parent_id) == (command.name, command.parent_id)


@team.already
def is_appointed(state: ActiveTeam, command: AppointManager) -> bool:
    return state.manager == command.member_id


@team.evolves
def came_into_being(state: NoTeam, event: TeamFormed) -> ActiveTeam:
    return ActiveTeam(id=event.team_id, name=event.name, parent_id=event.parent_id)


@team.evolves
def stands_elsewhere(state: ActiveTeam, event: TeamChanged | TeamFormed) -> ActiveTeam:
    """What was told as its forming may turn out to be later than that: then it was so from that day on."""
    return replace(state, name=event.name, parent_id=event.parent_id)


@team.evolves
def is_led_by(state: ActiveTeam, event: ManagerAppointed) -> ActiveTeam:
    return replace(state, manager=event.member_id)
