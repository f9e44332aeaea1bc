"""Events of a target: what a team wants to reach in a period."""

from uuid import UUID

from shared.events.chronology import Rank
from shared.events.definition import AsKnown, event
from shared.events.money import Money


@event("deals.target-set", aggregate="target", rank=Rank.CHANGE)
class TargetSet:
    """What a company, team or rep is to reach in a period (PROC-4)."""

    target_id: UUID
    period: str
    """2026-Q4, 2026-11 or 2026."""
    kind: str
    """revenue."""
    level: str
    """company, team or rep."""
    amount: Money
    team: UUID | None = None
    member: UUID | None = None
    before: AsKnown[Money | None] = None


@event("deals.target-fact-retracted", aggregate="target", rank=Rank.CHANGE, retracts=True)
class TargetFactRetracted:
    """What a request told of a target is taken back; what had been corrected by it counts again (DATA-5)."""

    target_id: UUID
    request: UUID
    """The causation id of the events that count no longer."""
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
