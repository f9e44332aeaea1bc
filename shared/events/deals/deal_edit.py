"""Events of a deal whose customer, classification or product lines were edited (DEAL-1), or are fixed by a quote
(DEAL-8)."""

from datetime import date
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.deals.deal import AgreedLine, DealLine
from shared.events.definition import AsKnown, event
from shared.events.money import Money


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


@event("deals.deal-quote-accepted", aggregate="deal", rank=Rank.CHANGE)
class DealQuoteAccepted:
    """The customer agreed to a quote of the deal: what it is worth is fixed until that is set aside (DEAL-8)."""

    deal_id: UUID
    quote_id: UUID
    amount: Money
    """What the deal is worth by it."""
    lines: tuple[DealLine, ...]
    """The lines of the deal by it, where all of it are products; else empty, and the lines are free."""
    quote_version: int | None = None
    """None in events from before this field."""
    positions: tuple[AgreedLine, ...] = ()
    """All of it, also what is no product; none in events from before this field."""
    on: date
    """The company's day on which that was recorded."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-quote-set-aside", aggregate="deal", rank=Rank.CHANGE)
class DealQuoteSetAside:
    """The quote that the customer had agreed to counts no more: amount and lines of the deal are free again."""

    deal_id: UUID
    quote_id: UUID
    on: date
    """The company's day of it."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
