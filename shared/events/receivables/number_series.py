"""Events of the number series of a legal entity: invoice numbers without a gap."""

from datetime import date
from uuid import UUID

from shared.events.definition import event


@event("receivables.invoice-number-taken", aggregate="number-series")
class InvoiceNumberTaken:
    """The next number of a legal entity's series was used; there is never a gap (REC-2)."""

    series_id: UUID
    legal_entity: str
    number: int
    invoice_id: UUID
    on: date | None = None
    """The day of the invoice; the next one is dated on it or later."""


@event("receivables.number-series-lifted", aggregate="number-series")
class NumberSeriesLifted:
    """An invoice of history has a number in the form of the series: the next one is above it."""

    series_id: UUID
    legal_entity: str
    number: int
    invoice_id: UUID
    on: date
