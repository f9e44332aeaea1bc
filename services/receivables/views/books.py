"""The lists of invoices, receipts and balances."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.domain.money import Money
from shared.domain.roles import READING
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.events.receivables import InvoiceIssued, InvoiceOverdue, ReceiptAllocated, ReceiptRecorded
from shared.views.lists import Listing, at_least, at_most, contains, equals, one_of
from shared.views.tables import Change, Row, Table
from shared.views.view import View, ViewDatabase


def _issued(fact: Envelope[InvoiceIssued], row: Row) -> Row:
    event = fact.data
    return {
        "number": event.number,
        "status": "open",
        "ledger_id": event.ledger_id,
        "account_id": event.account_id,
        "contract_id": event.contract_id,
        "plan_id": event.plan_id,
        "instalment": event.instalment,
        "deal_id": event.deal_id,
        "owner": event.owner,
        "team": event.team,
        "amount": event.amount.amount,
        "open": event.amount.amount,
        "currency": event.amount.currency,
        "issued_on": event.on,
        "due": event.due,
        "overdue": False,
    }


def _settled(fact: Envelope[ReceiptAllocated], row: Row) -> Row:
    still = row["open"] - fact.data.amount.amount
    paid = still == 0
    return {
        "open": still,
        "status": "paid" if paid else "part-paid",
        "overdue": row["overdue"] and not paid,
        "paid_on": fact.data.on if paid else None,
    }


def _received(fact: Envelope[ReceiptRecorded], row: Row) -> Row:
    event = fact.data
    return {
        "bank_reference": event.bank_reference,
        "ledger_id": event.ledger_id,
        "account_id": event.account_id,
        "amount": event.amount.amount,
        "unapplied": event.amount.amount,
        "currency": event.amount.currency,
        "received_on": event.on,
        "reference": event.reference,
    }


def _balance(**signs: int) -> Change:
    """Adds the event's amount to, or takes it from, the figures that are named."""

    def change(fact: Envelope[Any], row: Row) -> Row:
        event = fact.data
        figures = {name: (row[name] or 0) + signs.get(name, 0) * event.amount.amount for name in FIGURES}
        return {"account_id": event.account_id, "currency": event.amount.currency, **figures}

    return change


FIGURES = ("invoiced", "received", "outstanding", "unapplied")

INVOICE = Table(
    name="invoice",
    columns={
        "id": "uuid primary key",
        "number": "text not null",
        "status": "text not null",
        "ledger_id": "uuid not null",
        "account_id": "uuid not null",
        "contract_id": "uuid",
        "plan_id": "uuid",
        "instalment": "integer",
        "deal_id": "uuid",
        "owner": "uuid",
        "team": "uuid",
        "amount": "numeric not null",
        "open": "numeric not null",
        "currency": "text not null",
        "issued_on": "date not null",
        "due": "date not null",
        "overdue": "boolean not null",
        "paid_on": "date",
    },
    changes={
        InvoiceIssued: _issued,
        ReceiptAllocated: _settled,
        InvoiceOverdue: lambda fact, _: {"overdue": True},
    },
    keys=lambda fact: (fact.data.invoice_id,),
)

RECEIPT = Table(
    name="receipt",
    columns={
        "id": "uuid primary key",
        "bank_reference": "text not null",
        "ledger_id": "uuid not null",
        "account_id": "uuid not null",
        "amount": "numeric not null",
        "unapplied": "numeric not null",
        "currency": "text not null",
        "received_on": "date not null",
        "reference": "text",
    },
    changes={
        ReceiptRecorded: _received,
        ReceiptAllocated: lambda fact, row: {"unapplied": row["unapplied"] - fact.data.amount.amount},
    },
    keys=lambda fact: (fact.data.receipt_id,),
)

BALANCE = Table(
    name="balance",
    columns={
        "id": "uuid primary key",
        "account_id": "uuid not null",
        "currency": "text not null",
        **dict.fromkeys(FIGURES, "numeric not null"),
    },
    changes={
        InvoiceIssued: _balance(invoiced=1, outstanding=1),
        ReceiptRecorded: _balance(received=1, unapplied=1),
        ReceiptAllocated: _balance(outstanding=-1, unapplied=-1),
    },
    keys=lambda fact: (fact.data.ledger_id,),
)

DDL = f"""
{INVOICE.ddl}
create index on {{view}}.invoice (issued_on, id);
create index on {{view}}.invoice (due, id);
create index on {{view}}.invoice (account_id);
create index on {{view}}.invoice (number);
{RECEIPT.ddl}
create index on {{view}}.receipt (received_on, id);
create index on {{view}}.receipt (account_id);
create index on {{view}}.receipt (bank_reference);
{BALANCE.ddl}
create index on {{view}}.balance (account_id);
"""


async def apply(db: ViewDatabase, events: Sequence[Envelope[Any]]) -> None:
    """What a batch of events changes in the lists."""
    for table in (INVOICE, RECEIPT, BALANCE):
        await table.apply(db, events)


BOOKS_VIEW = View(
    name="books",
    version=2,
    ddl=DDL,
    apply=apply,
    events=(InvoiceIssued, ReceiptRecorded, ReceiptAllocated, InvoiceOverdue),
)


@value
class InvoiceRow:
    """An invoice in the list."""

    id: UUID
    number: str
    status: str
    """open, part-paid or paid."""
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
    overdue: bool
    paid_on: date | None


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


STATUSES = ("open", "part-paid", "paid")

INVOICES = Listing(
    name="invoices",
    view=BOOKS_VIEW,
    table="invoice",
    item=InvoiceRow,
    key="id",
    filters={
        "number": equals("number"),
        "status": one_of("status", STATUSES),
        "overdue": equals("overdue", bool),
        "account": equals("account_id", UUID),
        "contract": equals("contract_id", UUID),
        "plan": equals("plan_id", UUID),
        "deal": equals("deal_id", UUID),
        "owner": equals("owner", UUID),
        "team": equals("team", UUID),
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
    view=BOOKS_VIEW,
    table="receipt",
    item=ReceiptRow,
    key="id",
    filters={
        "bank_reference": equals("bank_reference"),
        "account": equals("account_id", UUID),
        "received_from": at_least("received_on", date),
        "received_to": at_most("received_on", date),
        "reference": contains("reference"),
    },
    sorts=("received_on", "amount", "unapplied"),
    default_sort="-received_on",
    readers=READING,
    owner=None,
    team=None,
)

BALANCES = Listing(
    name="balances",
    view=BOOKS_VIEW,
    table="balance",
    item=BalanceRow,
    key="id",
    filters={"account": equals("account_id", UUID), "outstanding_from": at_least("outstanding", Decimal)},
    sorts=("outstanding", "unapplied", "invoiced"),
    default_sort="-outstanding",
    readers=READING,
    owner=None,
    team=None,
)
