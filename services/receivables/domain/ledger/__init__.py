"""The ledger of a customer in one currency: invoices, receipts, and which money settles what.

It is one aggregate, so that "never below zero" and "allocated once" are decided in one place.
"""

from services.receivables.domain.ledger import arrangement, by_hand, invoices, overdue, receipts
from services.receivables.domain.ledger.state import ledger

__all__ = ["arrangement", "by_hand", "invoices", "ledger", "overdue", "receipts"]
