"""Events of a team: who forms it and who leads it."""

from uuid import UUID

from shared.events.chronology import Rank
from shared.events.definition import AsKnown, event


@event("leads.team-formed", aggregate="team", rank=Rank.OPENING)
class TeamFormed:
    """A team came into being, below another one or at the top."""

    team_id: UUID
    name: str
    parent_id: UUID | None = None


@event("leads.team-changed", aggregate="team", rank=Rank.CHANGE)
class TeamChanged:
    """A team is called this and stands below that one from now on, or at the top."""

    team_id: UUID
    name: str
    parent_id: UUID | None = None


@event("leads.manager-appointed", aggregate="team", rank=Rank.CHANGE)
class ManagerAppointed:
    """A member leads a team from now on, and sees what belongs to it and to the teams below."""

    team_id: UUID
    member_id: UUID
    before: AsKnown[UUID | None] = None


@event("leads.team-fact-retracted", aggregate="team", rank=Rank.CHANGE, retracts=True)
class TeamFactRetracted:
    """What a request told of a team is taken back; what had been corrected by it counts again (DATA-5)."""

    team_id: UUID
    request: UUID
    """The causation id of the events that count no longer."""
