"""Events of an account's ledger: invoices, receipts, and what pays what."""

from datetime import date, datetime
from uuid import UUID

from shared.events.definition import FreeText, event, value
from shared.events.money import Money


@value
class Entry:
    """One side of a double entry; the entries of an event add up to zero."""

    account: str
    """receivable, revenue, bank or unapplied-credit."""
    amount: Money
    """Debit above zero, credit below."""


@event("receivables.invoice-issued", aggregate="ledger")
class InvoiceIssued:
    """A customer was asked for money (REC-2)."""

    ledger_id: UUID
    account_id: UUID
    invoice_id: UUID
    number: str
    legal_entity: str
    amount: Money
    on: date
    due: date
    overdue_from: datetime | None = None
    """The start of the day after `due` in the company's time zone: overdue from then on unless settled."""
    contract_id: UUID | None = None
    plan_id: UUID | None = None
    instalment: int | None = None
    deal_id: UUID | None = None
    owner: UUID | None = None
    team: UUID | None = None
    entries: tuple[Entry, ...] = ()
    outside_id: str | None = None
    """Of an invoice of history: by what the system that it comes from knows it."""
    unnumbered: bool = False
    """History knows no number of it: `number` is the outside id, and may be another invoice's as well."""
    arrange_by: datetime | None = None
    """Of an invoice of history: by when, at the latest, what history tells of the customer is allocated."""


@event("receivables.receipt-recorded", aggregate="ledger")
class ReceiptRecorded:
    """Money arrived; a bank reference is accepted once (REC-3)."""

    ledger_id: UUID
    account_id: UUID
    receipt_id: UUID
    bank_reference: str
    amount: Money
    on: date
    reference: str | None = None
    """What the payer wrote; invoice numbers are found in it."""
    entries: tuple[Entry, ...] = ()
    outside_id: str | None = None
    """Of money of history: by what the system that it comes from knows it."""
    arrange_by: datetime | None = None
    """As of an invoice."""


@event("receivables.receipt-allocated", aggregate="ledger")
class ReceiptAllocated:
    """Money that arrived settles an invoice, wholly or in part (REC-4)."""

    ledger_id: UUID
    account_id: UUID
    receipt_id: UUID
    invoice_id: UUID
    invoice_number: str
    amount: Money
    open_after: Money
    rule: str
    """reference, exact-amount, oldest-due, credit or by-hand: why this invoice."""
    on: date
    owner: UUID | None = None
    team: UUID | None = None
    contract_id: UUID | None = None
    deal_id: UUID | None = None
    entries: tuple[Entry, ...] = ()
    of_history: bool = False
    """Decided on what history tells: what is told of it later may have it allocated otherwise."""
    reason: FreeText[str | None] = None
    """Of one by hand: why."""


@event("receivables.allocation-reversed", aggregate="ledger")
class AllocationReversed:
    """What settled an invoice does so no more, wholly or in part: the entries run the other way (REC-4)."""

    ledger_id: UUID
    account_id: UUID
    receipt_id: UUID
    invoice_id: UUID
    invoice_number: str
    amount: Money
    open_after: Money
    rule: str
    """The rule of the allocation that is reversed."""
    allocated_on: date
    """The day of the allocation that is reversed."""
    on: date
    """From when on: today by hand; of history the day of the allocation, as if that had never been."""
    reason: FreeText[str] = ""
    owner: UUID | None = None
    team: UUID | None = None
    contract_id: UUID | None = None
    deal_id: UUID | None = None
    entries: tuple[Entry, ...] = ()
    of_history: bool = False
    """Whether the allocation was decided on what history tells."""
    by_hand: bool = False
    """Whether a person took it back; else what history told later did."""


@value
class Share:
    """A part of a receipt for an invoice, as it might be."""

    invoice_id: UUID
    invoice_number: str
    amount: Money


@event("receivables.receipt-held", aggregate="ledger")
class ReceiptHeld:
    """A receipt waits for a person (REC-4)."""

    ledger_id: UUID
    account_id: UUID
    receipt_id: UUID
    waits: str
    """tie: the payer's text fits several invoices, and nothing was allocated. would-be-allocated-otherwise: history
    that was told later would have elsewhere what was allocated natively, and that stays until somebody decides."""
    shares: tuple[Share, ...] = ()
    """The invoices that it may be for; or how it would be allocated."""
    of_history: bool = False
    """Decided on what history tells: what is told of it later may release it."""


@event("receivables.receipt-released", aggregate="ledger")
class ReceiptReleased:
    """A receipt waits no more: with what history told later there is nothing to decide."""

    ledger_id: UUID
    account_id: UUID
    receipt_id: UUID


@event("receivables.history-arranged", aggregate="ledger")
class HistoryArranged:
    """What history tells of a customer so far is allocated as it happened, in whatever order it was told."""

    ledger_id: UUID
    account_id: UUID


@event("receivables.invoice-overdue", aggregate="ledger")
class InvoiceOverdue:
    """An invoice was not settled by its due date."""

    ledger_id: UUID
    account_id: UUID
    invoice_id: UUID
    invoice_number: str
    due: date
    open: Money
    owner: UUID | None = None
    team: UUID | None = None
    deal_id: UUID | None = None
