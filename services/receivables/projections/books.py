"""The read model of invoices, receipts, what settles what, and balances; `book_lists` says what is listed of it."""

from collections.abc import Sequence
from typing import Any

from services.receivables.domain.ledger.holdings import TAKEN_BACK, TIE
from services.receivables.domain.ledger.state import BY_HAND
from shared.events.envelope import Envelope
from shared.events.receivables.ledger import (
    AllocationReversed,
    InvoiceIssued,
    ReceiptAllocated,
    ReceiptHeld,
    ReceiptRecorded,
    ReceiptReleased,
)
from shared.projections.projection import Projection, ProjectionDatabase
from shared.projections.tables import Change, Row, Table


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
        "legal_entity": event.legal_entity,
        "outside_id": event.outside_id,
    }


def _still_open(sign: int) -> Change:
    """Less of an invoice is open, or more. On which day it was paid follows from what settles it (`PAID_ON`)."""

    def change(fact: Envelope[ReceiptAllocated | AllocationReversed], row: Row) -> Row:
        still = row["open"] + sign * fact.data.amount.amount
        return {
            "open": still,
            "status": "paid" if still == 0 else "open" if still == row["amount"] else "part-paid",
        }

    return change


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
        "outside_id": event.outside_id,
        "taken_back": 0,
    }


def _spent(fact: Envelope[ReceiptAllocated], row: Row) -> Row:
    """Less of a receipt is left. Whoever allocated it by hand has decided about what waited."""
    left = row["unapplied"] - fact.data.amount.amount
    if fact.data.rule != BY_HAND:
        return {"unapplied": left}
    waiting = max(row["taken_back"] - fact.data.amount.amount, 0)
    still = waiting or (row["waits"] == TIE and left)
    return {"unapplied": left, "taken_back": waiting, "waits": row["waits"] if still else None}


def _returned(fact: Envelope[AllocationReversed], row: Row) -> Row:
    left = row["unapplied"] + fact.data.amount.amount
    if not fact.data.by_hand or row["waits"] == TIE:
        return {"unapplied": left}
    return {"unapplied": left, "taken_back": row["taken_back"] + fact.data.amount.amount, "waits": TAKEN_BACK}


def _stands(fact: Envelope[ReceiptAllocated], row: Row) -> Row:
    """What of a receipt settles an invoice by one rule from one day on, and why."""
    event = fact.data
    return {
        **_between(event),
        "amount": (row["amount"] or 0) + event.amount.amount,
        "taken_back": row["taken_back"] or 0,
        "allocated_on": event.on,
        "status": "standing",
        "reason": event.reason,
    }


def _taken_back(fact: Envelope[AllocationReversed], row: Row) -> Row:
    event = fact.data
    left = row["amount"] - event.amount.amount
    return {
        **_between(event),
        "amount": left,
        "taken_back": row["taken_back"] + event.amount.amount,
        "allocated_on": event.allocated_on,
        "status": "standing" if left else "taken-back",
        "taken_back_for": event.reason,
    }


def _between(event: ReceiptAllocated | AllocationReversed) -> Row:
    """Which receipt and which invoice it is about."""
    return {
        "ledger_id": event.ledger_id,
        "account_id": event.account_id,
        "receipt_id": event.receipt_id,
        "invoice_id": event.invoice_id,
        "invoice_number": event.invoice_number,
        "currency": event.amount.currency,
        "rule": event.rule,
        "of_history": event.of_history,
        "owner": event.owner,
        "team": event.team,
    }


def _allocation_key(fact: Envelope[ReceiptAllocated | AllocationReversed]) -> str:
    event = fact.data
    on = event.on if isinstance(event, ReceiptAllocated) else event.allocated_on
    return f"{event.receipt_id}/{event.invoice_id}/{on}/{event.rule}{'/history' if event.of_history else ''}"


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
        "legal_entity": "text not null",
        "outside_id": "text",
        "paid_on": "date",
    },
    changes={
        InvoiceIssued: _issued,
        ReceiptAllocated: _still_open(-1),
        AllocationReversed: _still_open(1),
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
        "outside_id": "text",
        "waits": "text",
        "taken_back": "numeric not null",
    },
    changes={
        ReceiptRecorded: _received,
        ReceiptAllocated: _spent,
        AllocationReversed: _returned,
        ReceiptHeld: lambda fact, _: {"waits": fact.data.waits},
        ReceiptReleased: lambda fact, _: {"waits": None},
    },
    keys=lambda fact: (fact.data.receipt_id,),
)

ALLOCATION = Table(
    name="allocation",
    columns={
        "id": "text primary key",
        "ledger_id": "uuid not null",
        "account_id": "uuid not null",
        "receipt_id": "uuid not null",
        "invoice_id": "uuid not null",
        "invoice_number": "text not null",
        "amount": "numeric not null",
        "taken_back": "numeric not null",
        "currency": "text not null",
        "rule": "text not null",
        "allocated_on": "date not null",
        "of_history": "boolean not null",
        "status": "text not null",
        "reason": "text",
        "taken_back_for": "text",
        "owner": "uuid",
        "team": "uuid",
    },
    changes={ReceiptAllocated: _stands, AllocationReversed: _taken_back},
    keys=lambda fact: (_allocation_key(fact),),
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
        AllocationReversed: _balance(outstanding=1, unapplied=1),
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
create index on {{view}}.receipt (waits) where waits is not null;
{ALLOCATION.ddl}
create index on {{view}}.allocation (allocated_on, id);
create index on {{view}}.allocation (invoice_id);
create index on {{view}}.allocation (receipt_id);
{BALANCE.ddl}
create index on {{view}}.balance (account_id);
"""

PAID_ON = """
update {view}.invoice as i set paid_on = case when i.open = 0 then (
       select max(a.allocated_on) from {view}.allocation a where a.invoice_id = i.id and a.amount > 0) end
 where i.id = any($1)"""
"""Allocations of history are not told in the order in which money came."""


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """What a batch of events changes in the lists."""
    for table in (INVOICE, RECEIPT, ALLOCATION, BALANCE):
        await table.apply(db, events)
    moved = {event.data.invoice_id for event in events if type(event.data) in ALLOCATION.changes}
    if moved:
        await db.execute(PAID_ON, list(moved))


BOOKS_PROJECTION = Projection(
    name="books",
    version=3,
    ddl=DDL,
    apply=apply,
    events=tuple(dict.fromkeys(event for table in (INVOICE, RECEIPT) for event in table.changes)),
)
