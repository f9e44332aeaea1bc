"""Whose turn it is: the assignment queue of a team (LEAD-4).

Rules choose a team, in this order: the team that the command names, the team of whoever asks. Inside the team it is
round-robin by member id: the first one after whoever had the last turn, who is not on leave and not over capacity.
Where nobody is, the lead stands in the public pool.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID, uuid5

from shared.domain.aggregate import Aggregate, Occurrence
from shared.domain.roles import EVERYBODY
from shared.events.definition import value
from shared.events.leads.assignment_queue import TurnTaken
from shared.events.leads.lead import LeadAssigned, LeadLeftUnassigned

AssignmentRule = Literal["given-team", "askers-team", "no-team", "by-hand", "imported"]
"""By which rule a lead has its owner, or none."""
GIVEN_TEAM, ASKERS_TEAM, NO_TEAM, BY_HAND, IMPORTED = get_args(AssignmentRule)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoTurns:
    """Nobody of the team was given a lead yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningAssignmentQueue:
    """Where the round stands."""

    team_id: UUID
    last: UUID
    turns: int


assignment_queue = Aggregate("assignment-queue", plural="assignment-queues", start=NoTurns, readers=EVERYBODY)
assignment_queue.snapshots(version=1)


@value
class Candidate:
    """A member of a team who carries leads."""

    member_id: UUID
    capacity: int
    open_leads: int
    on_leave: bool = False


@value
class AssignmentDesk:
    """What is known when a lead is to be handed out: the team, who is in it, and whose turn was last."""

    rule: str
    """Which rule chose the team."""
    team_id: UUID | None = None
    """None also where the chosen one is not there."""
    candidates: tuple[Candidate, ...] = ()
    last: UUID | None = None


@assignment_queue.evolves
def turn_taken(state: NoTurns | RunningAssignmentQueue, event: TurnTaken) -> RunningAssignmentQueue:
    turns = state.turns if isinstance(state, RunningAssignmentQueue) else 0
    return RunningAssignmentQueue(team_id=event.team_id, last=event.member_id, turns=turns + 1)


def queue_of(team_id: UUID) -> UUID:
    """The id of a team's assignment queue."""
    return uuid5(team_id, "assignment-queue")


def chosen_team(given: UUID | None, askers: UUID | None) -> tuple[UUID | None, str]:
    """The team that gets a lead, and the rule that chose it."""
    if given is not None:
        return given, GIVEN_TEAM
    return (askers, ASKERS_TEAM) if askers is not None else (None, NO_TEAM)


def in_turn(candidates: Sequence[Candidate], last: UUID | None) -> tuple[UUID, ...]:
    """The eligible members in the order of their turns; the first one is next."""
    able = sorted(one.member_id for one in candidates if not one.on_leave and one.open_leads < one.capacity)
    if last is None:
        return tuple(able)
    return (*(member for member in able if member > last), *(member for member in able if member <= last))


def handed_out(lead_id: UUID, desk: AssignmentDesk) -> list[LeadAssigned | LeadLeftUnassigned | Occurrence]:
    """What happens to a lead at the desk: somebody of the team has it, or it stands in the public pool."""
    turns = in_turn(desk.candidates, desk.last)
    if desk.team_id is None or not turns:
        return [LeadLeftUnassigned(lead_id=lead_id, team_id=desk.team_id, rule=desk.rule)]
    return [
        LeadAssigned(lead_id=lead_id, team_id=desk.team_id, member_id=turns[0], rule=desk.rule, candidates=turns),
        Occurrence(
            event=TurnTaken(team_id=desk.team_id, member_id=turns[0], lead_id=lead_id), to=queue_of(desk.team_id)
        ),
    ]
