"""What an accepted quote means for its deal: its amount is fixed, and by policy it can be won (DEAL-8, DEAL-9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.domain.rejection import Rejected
from shared.events.deals.deal import DealAmountChanged
from shared.events.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteOfDeal:
    """The accepted quote of a deal, as a handler is given it; nothing where there is none."""

    accepted: UUID | None = None
    amount: Money | None = None
    """What the deal is worth by it."""


def keeps_to(quote: QuoteOfDeal, events: Sequence[Any], field: str) -> Sequence[Any]:
    """What is decided about a deal, unless it would be worth something else than what the customer accepted; raises
    Rejected."""
    for event in events:
        if isinstance(event, DealAmountChanged) and quote.amount not in (None, event.amount):
            message = f"The accepted quote {quote.accepted} fixes the amount at {quote.amount}: set it aside first."
            raise Rejected("amount-is-quoted", message, field=field)
    return events
