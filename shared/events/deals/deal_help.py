"""Events of help with a deal: what its rep asks whoever leads them, the guidance, and what came of it (DEAL-6)."""

from datetime import date
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.definition import AsKnown, FreeText, event


@event("deals.deal-help-asked", aggregate="deal", rank=Rank.CHANGE)
class DealHelpAsked:
    """Somebody who carries the deal asks whoever leads them for help (DEAL-6)."""

    deal_id: UUID
    help_id: UUID
    kind: str
    """strategy, access, price, resources or other."""
    urgency: str
    """today, this-week or when-possible."""
    question: FreeText[str | None] = None
    asked_by: UUID | None = None
    on: date | None = None
    """The company's day on which it was asked."""
    name: str = ""
    """What the deal is called."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-guidance-given", aggregate="deal", rank=Rank.CHANGE)
class DealGuidanceGiven:
    """Whoever answers for the deal says what to do (DEAL-6)."""

    deal_id: UUID
    help_id: UUID
    guidance: FreeText[str | None] = None
    by: UUID | None = None
    on: date | None = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-help-concluded", aggregate="deal", rank=Rank.CHANGE)
class DealHelpConcluded:
    """What came of it (DEAL-6)."""

    deal_id: UUID
    help_id: UUID
    outcome: str
    """helped, did-not-help, not-followed or not-needed; withdrawn, where nobody had answered when the deal ended."""
    note: FreeText[str | None] = None
    on: date | None = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
