"""The rows of invoices, receipts, what settles what, and balances: what is kept of each, and what lists show."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from services.receivables.domain.ledger.allocation import AllocationRule
from services.receivables.domain.ledger.holdings import Waits
from shared.events.definition import value
from shared.events.money import Money
from shared.projections.columns import OfToday

InvoiceStatus = Literal["open", "part-paid", "paid"]
AllocationStatus = Literal["standing", "taken-back"]


@value
class InvoiceRow:
    """An invoice in the list."""

    id: UUID
    number: str
    status: InvoiceStatus
    ledger_id: UUID
    account_id: UUID
    contract_id: UUID | None
    plan_id: UUID | None
    instalment: int | None
    deal_id: UUID | None
    owner: UUID | None
    team: UUID | None
    amount: Money
    open: Money
    """What of it is not settled yet."""
    issued_on: date
    due: date
    legal_entity: str
    outside_id: str | None
    """By what the system knows it that it came from, of an invoice of history."""
    overdue: Annotated[bool, OfToday("(open > 0 and due < {today})")]
    """Whether anything of it is open after its due day."""
    paid_on: date | None
    """The day of the last money that settled it."""
    updated_at: datetime


@value
class ReceiptRow:
    """A receipt in the list."""

    id: UUID
    bank_reference: str
    ledger_id: UUID
    account_id: UUID
    amount: Money
    unapplied: Money
    """What of it settles no invoice: the customer's credit."""
    received_on: date
    reference: str | None
    """What the payer wrote."""
    outside_id: str | None
    """By what the system knows it that it came from, of money of history."""
    waits: Waits | None
    """Why a person has to look at it."""
    taken_back: Money
    """What of it was taken back, and waits until somebody allocates it."""
    updated_at: datetime


@value
class AllocationRow:
    """How a receipt settles an invoice, or did."""

    id: str
    ledger_id: UUID
    account_id: UUID
    receipt_id: UUID
    invoice_id: UUID
    invoice_number: str
    amount: Money
    """What still stands of it; zero where all of it was taken back."""
    taken_back: Money
    """What was taken back of it."""
    rule: AllocationRule
    """Why this invoice."""
    allocated_on: date
    """From when on it settles the invoice."""
    of_history: bool
    """Decided on what history tells: what is told of it later may have it allocated otherwise."""
    status: AllocationStatus
    reason: str | None
    """Why it stands, where a person said so."""
    taken_back_for: str | None
    """Why something was taken back last."""
    owner: UUID | None
    team: UUID | None
    updated_at: datetime


@value
class BalanceRow:
    """What a customer owes, and what we owe them."""

    id: UUID
    """The ledger's."""
    account_id: UUID
    invoiced: Money
    received: Money
    outstanding: Money
    unapplied: Money
    updated_at: datetime
