"""The lists of invoices, receipts and balances."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from shared.domain.money import Money
from shared.domain.roles import READING
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.events.receivables import InvoiceIssued, InvoiceOverdue, ReceiptAllocated, ReceiptRecorded
from shared.views.lists import Listing, at_least, at_most, contains, equals
from shared.views.view import View, ViewDatabase

DDL = """
create table {view}.invoice (
    id uuid primary key,
    number text not null,
    status text not null default 'open',
    ledger_id uuid not null,
    account_id uuid not null,
    contract_id uuid,
    plan_id uuid,
    instalment integer,
    deal_id uuid,
    owner uuid,
    team uuid,
    amount numeric not null,
    open numeric not null,
    currency text not null,
    issued_on date not null,
    due date not null,
    overdue boolean not null default false,
    paid_on date
);
create index on {view}.invoice (issued_on, id);
create index on {view}.invoice (due, id);
create index on {view}.invoice (account_id);
create index on {view}.invoice (number);
create table {view}.receipt (
    id uuid primary key,
    bank_reference text not null,
    ledger_id uuid not null,
    account_id uuid not null,
    amount numeric not null,
    unapplied numeric not null,
    currency text not null,
    received_on date not null,
    reference text
);
create index on {view}.receipt (received_on, id);
create index on {view}.receipt (account_id);
create index on {view}.receipt (bank_reference);
create table {view}.balance (
    id uuid primary key,
    account_id uuid not null,
    currency text not null,
    invoiced numeric not null,
    received numeric not null,
    outstanding numeric not null,
    unapplied numeric not null
);
create index on {view}.balance (account_id);
"""

INVOICE = """
insert into {view}.invoice
    (id, number, ledger_id, account_id, contract_id, plan_id, instalment, deal_id, owner, team,
     amount, open, currency, issued_on, due)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13, $14)
"""
INVOICE_SETTLED = """
update {view}.invoice set
    open = open - $2,
    status = case when open = $2 then 'paid' else 'part-paid' end,
    overdue = overdue and open > $2,
    paid_on = case when open = $2 then $3::date end
where id = $1
"""
INVOICE_OVERDUE = "update {view}.invoice set overdue = true where id = $1"
RECEIPT = """
insert into {view}.receipt
    (id, bank_reference, ledger_id, account_id, amount, unapplied, currency, received_on, reference)
values ($1, $2, $3, $4, $5, $5, $6, $7, $8)
"""
RECEIPT_APPLIED = "update {view}.receipt set unapplied = unapplied - $2 where id = $1"
BALANCE = """
insert into {view}.balance (id, account_id, currency, invoiced, received, outstanding, unapplied)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (id) do update set
    invoiced = balance.invoiced + excluded.invoiced,
    received = balance.received + excluded.received,
    outstanding = balance.outstanding + excluded.outstanding,
    unapplied = balance.unapplied + excluded.unapplied
"""


async def apply(db: ViewDatabase, events: Sequence[Envelope[Any]]) -> None:
    """What a batch of events changes in the lists."""
    changes = (change for fact in events for change in _changes(fact.data))
    for sql, rows in groupby(changes, key=itemgetter(0)):
        await db.executemany(sql, [row for _, row in rows])


def _changes(event: Any) -> Iterator[tuple[str, tuple[Any, ...]]]:
    match event:
        case InvoiceIssued(amount=amount):
            whose = (event.ledger_id, event.account_id, event.contract_id, event.plan_id, event.instalment)
            money = (amount.amount, amount.currency)
            sale = (event.deal_id, event.owner, event.team)
            yield INVOICE, (event.invoice_id, event.number, *whose, *sale, *money, event.on, event.due)
            yield _balance(event, invoiced=1, outstanding=1)
        case ReceiptRecorded(amount=amount):
            payer = (event.ledger_id, event.account_id)
            money = (amount.amount, amount.currency)
            yield RECEIPT, (event.receipt_id, event.bank_reference, *payer, *money, event.on, event.reference)
            yield _balance(event, received=1, unapplied=1)
        case ReceiptAllocated(amount=amount):
            yield INVOICE_SETTLED, (event.invoice_id, amount.amount, event.on)
            yield RECEIPT_APPLIED, (event.receipt_id, amount.amount)
            yield _balance(event, outstanding=-1, unapplied=-1)
        case InvoiceOverdue():
            yield INVOICE_OVERDUE, (event.invoice_id,)


def _balance(
    event: InvoiceIssued | ReceiptRecorded | ReceiptAllocated,
    *,
    invoiced: int = 0,
    received: int = 0,
    outstanding: int = 0,
    unapplied: int = 0,
) -> tuple[str, tuple[Any, ...]]:
    signs = (invoiced, received, outstanding, unapplied)
    figures = (sign * event.amount.amount for sign in signs)
    return BALANCE, (event.ledger_id, event.account_id, event.amount.currency, *figures)


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


INVOICES = Listing(
    name="invoices",
    view=BOOKS_VIEW,
    table="invoice",
    item=InvoiceRow,
    key="id",
    filters={
        "number": equals("number"),
        "status": equals("status"),
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
