"""What an accepted quote means for its deal: amount and lines are fixed, and by policy it can be won (DEAL-8,
DEAL-9)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from services.deals.domain.deal.state import AgreedQuote, AnyDeal, Deal, deal, said
from shared.domain.rejection import Rejected
from shared.events.deals.deal import DealAmountChanged, DealQuote
from shared.events.deals.deal_edit import DealLinesChanged, DealQuoteAccepted, DealQuoteSetAside

# Whatever history tells of meanwhile, like an end, what a customer agreed to is known.


@deal.evolves
def quote_accepted(state: AnyDeal, event: DealQuoteAccepted) -> AnyDeal:
    agreed = AgreedQuote(
        id=event.quote_id,
        amount=event.amount,
        lines=event.lines,
        version=event.quote_version,
        positions=event.positions,
    )
    return replace(state, accepted_quote=agreed, changes=said(state, "quote-accepted", event.on, str(event.quote_id)))


@deal.evolves
def quote_set_aside(state: AnyDeal, event: DealQuoteSetAside) -> AnyDeal:
    return replace(state, accepted_quote=None, changes=said(state, "quote-set-aside", event.on, str(event.quote_id)))


def quote_of(state: Deal) -> DealQuote | None:
    """What a deal tells of the quote that its customer agreed to."""
    agreed = state.accepted_quote
    return DealQuote(quote_id=agreed.id, quote_version=agreed.version, positions=agreed.positions) if agreed else None


def keeps_to(state: Deal, events: Sequence[Any], field: str) -> Sequence[Any]:
    """What is decided about a deal, unless it would be about something else than what the customer accepted; raises
    Rejected."""
    agreed = state.accepted_quote
    if agreed is None:
        return events
    for event in events:
        if isinstance(event, DealAmountChanged) and event.amount != agreed.amount:
            message = f"The accepted quote {agreed.id} fixes the amount at {agreed.amount}: set it aside first."
            raise Rejected("amount-is-quoted", message, field=field)
        if isinstance(event, DealLinesChanged) and agreed.lines and event.lines != agreed.lines:
            message = f"The accepted quote {agreed.id} fixes the lines: set it aside first."
            raise Rejected("lines-are-quoted", message, field=field)
    return events
