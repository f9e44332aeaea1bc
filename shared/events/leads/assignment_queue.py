"""Events of the queue that assigns the leads of a team in turn."""

from uuid import UUID

from shared.events.definition import event


@event("leads.turn-taken", aggregate="assignment-queue")
class TurnTaken:
    """A member of a team was given a lead; the next one is somebody else's turn (LEAD-4)."""

    team_id: UUID
    member_id: UUID
    lead_id: UUID
