"""The read model of invoices, receipts, what settles what, and balances; `book_lists` says what is listed of it."""

from collections.abc import Sequence
from typing import Any

from services.receivables.domain.ledger.holdings import TAKEN_BACK, TIE
from services.receivables.domain.ledger.state import BY_HAND
from services.receivables.projections.book_rows import AllocationRow, BalanceRow, InvoiceRow, ReceiptRow
from shared.events.envelope import Envelope
from shared.events.receivables.ledger import (
    AllocationReversed,
    InvoiceIssued,
    InvoiceOverdue,
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
    row=InvoiceRow,
    events=(InvoiceIssued, InvoiceOverdue, ReceiptAllocated, AllocationReversed),
    changes={InvoiceIssued: _issued, ReceiptAllocated: _still_open(-1), AllocationReversed: _still_open(1)},
    keys=lambda fact: (fact.data.invoice_id,),
    indices=("(issued_on, id)", "(due, id)", "(account_id)", "(number)"),
)

RECEIPT = Table(
    name="receipt",
    row=ReceiptRow,
    events=(ReceiptRecorded, ReceiptAllocated, AllocationReversed, ReceiptHeld, ReceiptReleased),
    changes={
        ReceiptRecorded: _received,
        ReceiptAllocated: _spent,
        AllocationReversed: _returned,
        ReceiptHeld: lambda fact, _: {"waits": fact.data.waits},
        ReceiptReleased: lambda fact, _: {"waits": None},
    },
    keys=lambda fact: (fact.data.receipt_id,),
    indices=("(received_on, id)", "(account_id)", "(bank_reference)", "(waits) where waits is not null"),
)

ALLOCATION = Table(
    name="allocation",
    row=AllocationRow,
    events=(ReceiptAllocated, AllocationReversed),
    changes={ReceiptAllocated: _stands, AllocationReversed: _taken_back},
    keys=lambda fact: (_allocation_key(fact),),
    indices=("(allocated_on, id)", "(receipt_id)"),
)

BALANCE = Table(
    name="balance",
    row=BalanceRow,
    events=(InvoiceIssued, ReceiptRecorded, ReceiptAllocated, AllocationReversed),
    changes={
        InvoiceIssued: _balance(invoiced=1, outstanding=1),
        ReceiptRecorded: _balance(received=1, unapplied=1),
        ReceiptAllocated: _balance(outstanding=-1, unapplied=-1),
        AllocationReversed: _balance(outstanding=1, unapplied=1),
    },
    keys=lambda fact: (fact.data.ledger_id,),
    indices=("(account_id)",),
)

TABLES = (INVOICE, RECEIPT, ALLOCATION, BALANCE)

PAID_ON = """
update {view}.invoice as i set paid_on = case when i.open = 0 then (
       select max(a.allocated_on) from {view}.allocation a where a.invoice_id = i.id and a.amount > 0) end
 where i.id = any($1)"""
"""Allocations of history are not told in the order in which money came."""


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """What a batch of events changes in the lists."""
    for table in TABLES:
        await table.apply(db, events)
    moved = {event.data.invoice_id for event in events if type(event.data) in ALLOCATION.events}
    if moved:
        await db.execute(PAID_ON, list(moved))


# By this the fold itself finds what an invoice was paid with.
DDL = "".join(table.ddl for table in TABLES) + "create index on {view}.allocation (invoice_id);"

BOOKS_PROJECTION = Projection(
    name="books",
    version=5,
    ddl=DDL,
    indices=tuple(each for table in TABLES for each in table.index_ddl),
    apply=apply,
    events=tuple(dict.fromkeys(event for table in TABLES for event in table.events)),
)
