"""The lists of invoices, receipts, allocations and balances."""

from datetime import date
from decimal import Decimal
from typing import get_args
from uuid import UUID

from services.receivables.domain.ledger.allocation import AllocationRule
from services.receivables.domain.ledger.holdings import Waits
from services.receivables.projections.book_rows import (
    AllocationRow,
    AllocationStatus,
    BalanceRow,
    InvoiceRow,
    InvoiceStatus,
    ReceiptRow,
)
from services.receivables.projections.books import BOOKS_PROJECTION
from shared.domain.roles import READING
from shared.projections.lists import Listing, at_least, at_most, contains, equals, in_currency, in_team, one_of

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
