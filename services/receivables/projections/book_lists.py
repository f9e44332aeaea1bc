"""The lists of invoices, receipts, allocations and balances."""

from datetime import date
from decimal import Decimal
from typing import Literal, get_args
from uuid import UUID

from services.receivables.domain.ledger.allocation import AllocationRule
from services.receivables.domain.ledger.holdings import Waits
from services.receivables.projections.books import BOOKS_PROJECTION
from shared.domain.roles import READING
from shared.events.definition import value
from shared.events.money import Money
from shared.projections.lists import Listing, at_least, at_most, contains, equals, in_currency, in_team, one_of

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
    overdue: bool
    """Whether anything of it is open after its due day."""
    paid_on: date | None
    """The day of the last money that settled it."""


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


INVOICES = Listing(
    name="invoices",
    projection=BOOKS_PROJECTION,
    table="invoice",
    item=InvoiceRow,
    key="id",
    filters={
        "number": equals("number"),
        "status": one_of("status", get_args(InvoiceStatus)),
        "legal_entity": equals("legal_entity"),
        "outside_id": equals("outside_id"),
        "overdue": equals("overdue", bool),
        "account": equals("account_id", UUID),
        "currency": in_currency(),
        "contract": equals("contract_id", UUID),
        "plan": equals("plan_id", UUID),
        "deal": equals("deal_id", UUID),
        "owner": equals("owner", UUID),
        "team": in_team(),
        "issued_from": at_least("issued_on", date),
        "issued_to": at_most("issued_on", date),
        "due_from": at_least("due", date),
        "due_to": at_most("due", date),
    },
    sorts=("issued_on", "due", "amount", "open", "number"),
    default_sort="-issued_on",
    readers=READING,
    of_today={"overdue": "(open > 0 and due < {today})"},
)

RECEIPTS = Listing(
    name="receipts",
    projection=BOOKS_PROJECTION,
    table="receipt",
    item=ReceiptRow,
    key="id",
    filters={
        "bank_reference": equals("bank_reference"),
        "account": equals("account_id", UUID),
        "currency": in_currency(),
        "received_from": at_least("received_on", date),
        "received_to": at_most("received_on", date),
        "reference": contains("reference"),
        "outside_id": equals("outside_id"),
        "waits": one_of("waits", get_args(Waits)),
    },
    sorts=("received_on", "amount", "unapplied"),
    default_sort="-received_on",
    readers=READING,
    owner=None,
    team=None,
)

ALLOCATIONS = Listing(
    name="allocations",
    projection=BOOKS_PROJECTION,
    table="allocation",
    item=AllocationRow,
    key="id",
    filters={
        "account": equals("account_id", UUID),
        "currency": in_currency(),
        "receipt": equals("receipt_id", UUID),
        "invoice": equals("invoice_id", UUID),
        "status": one_of("status", get_args(AllocationStatus)),
        "rule": one_of("rule", get_args(AllocationRule)),
        "of_history": equals("of_history", bool),
        "allocated_from": at_least("allocated_on", date),
        "allocated_to": at_most("allocated_on", date),
        "owner": equals("owner", UUID),
        "team": in_team(),
    },
    sorts=("allocated_on", "amount"),
    default_sort="-allocated_on",
    readers=READING,
)

BALANCES = Listing(
    name="balances",
    projection=BOOKS_PROJECTION,
    table="balance",
    item=BalanceRow,
    key="id",
    filters={
        "account": equals("account_id", UUID),
        "currency": in_currency(),
        "outstanding_from": at_least("outstanding", Decimal),
    },
    sorts=("outstanding", "unapplied", "invoiced"),
    default_sort="-outstanding",
    readers=READING,
    owner=None,
    team=None,
)
