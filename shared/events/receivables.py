"""What happens to payment plans, invoices and receipts. Owner: the receivables service."""

from datetime import date, datetime
from uuid import UUID

from shared.domain.money import Money
from shared.events.definition import event, value


@value
class Instalment:
    """One part of a payment plan."""

    number: int
    amount: Money
    due: date
    label: str | None = None


@value
class Entry:
    """One side of a double entry; the entries of an event add up to zero."""

    account: str
    """receivable, revenue, bank or unapplied-credit."""
    amount: Money
    """Debit above zero, credit below."""


@event("receivables.plan-drawn-up", aggregate="payment-plan")
class PlanDrawnUp:
    """A contract's total is to be paid in these instalments, which add up to it (REC-1)."""

    plan_id: UUID
    contract_id: UUID
    account_id: UUID
    total: Money
    instalments: tuple[Instalment, ...]
    deal_id: UUID | None = None
    owner: UUID | None = None
    team: UUID | None = None


@event("receivables.instalment-invoiced", aggregate="payment-plan")
class InstalmentInvoiced:
    """An instalment of the plan has its invoice."""

    plan_id: UUID
    number: int
    invoice_id: UUID
    invoice_number: str
    on: date | None = None
    legal_entity: str | None = None


@event("receivables.invoice-number-taken", aggregate="number-series")
class InvoiceNumberTaken:
    """The next number of a legal entity's series was used; there is never a gap (REC-2)."""

    series_id: UUID
    legal_entity: str
    number: int
    invoice_id: UUID


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
    """The invoice number that the payer stated."""
    entries: tuple[Entry, ...] = ()


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
    """reference, exact-amount or oldest-due: why this invoice."""
    on: date
    owner: UUID | None = None
    team: UUID | None = None
    contract_id: UUID | None = None
    deal_id: UUID | None = None
    entries: tuple[Entry, ...] = ()


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
