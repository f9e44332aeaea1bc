"""Events of a deal whose customer, classification or product lines were edited (DEAL-1)."""

from datetime import date
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.deals.deal import DealLine
from shared.events.definition import AsKnown, event


@event("deals.deal-account-changed", aggregate="deal", rank=Rank.CHANGE)
class DealAccountChanged:
    """The deal is with another customer, or its customer is called otherwise."""

    deal_id: UUID
    account_before: AsKnown[UUID | None]
    account_id: UUID | None
    """None while it is with no account."""
    account_name: str | None
    contacts_removed: tuple[UUID, ...] = ()
    """The contacts who left the deal because they are not at the account that it is with now."""
    on: date | None = None
    """The company's day of the change."""
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-classified", aggregate="deal", rank=Rank.CHANGE)
class DealClassified:
    """Where the deal came from, and the industry that it is in: both as they are now."""

    deal_id: UUID
    source: str | None
    industry: str | None
    on: date | None = None
    """The company's day of the change."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-lines-changed", aggregate="deal", rank=Rank.CHANGE)
class DealLinesChanged:
    """The deal is about other products, quantities or prices: all of its lines as they are now."""

    deal_id: UUID
    before: AsKnown[tuple[DealLine, ...]]
    lines: tuple[DealLine, ...]
    on: date | None = None
    """The company's day of the change."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
