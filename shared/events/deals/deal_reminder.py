"""The event by which people are reminded of the next step of a deal (DEAL-6)."""

from datetime import date
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.definition import AsKnown, event


@event("deals.deal-next-step-reminded", aggregate="deal", rank=Rank.CHANGE)
class DealNextStepReminded:
    """The next step is due and still open: whoever has to know is reminded (DEAL-6)."""

    deal_id: UUID
    step_id: UUID
    """The step, as it was planned."""
    on: date
    """The day on which it was to happen."""
    levels: tuple[str, ...]
    """owner, again (the owner once more) or manager (whoever leads the owner); several whose time came at once."""
    name: str = ""
    """What the deal is called."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
