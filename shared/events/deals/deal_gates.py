"""Events of the gates of a deal: what somebody lets it pass without (DEAL-4)."""

from datetime import date
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.definition import AsKnown, FreeText, event


@event("deals.deal-criterion-waived", aggregate="deal", rank=Rank.CHANGE)
class DealCriterionWaived:
    """Until a day, the deal passes a gate without this criterion being met (DEAL-4)."""

    deal_id: UUID
    gate: str
    """Like "exit of quotation" or "entry of task situation"."""
    criterion: str
    until: date
    """The last day on which it holds."""
    role: str
    """The role by which it was waived, like manager."""
    on: date | None = None
    """The company's day on which it was waived."""
    reason: FreeText[str | None] = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-waiver-revoked", aggregate="deal", rank=Rank.CHANGE)
class DealWaiverRevoked:
    """The criterion has to be met again."""

    deal_id: UUID
    gate: str
    criterion: str
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
