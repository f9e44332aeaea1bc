"""The read model of invoices and what settled them: overdue share and invoiced revenue (FC-7, FC-14)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from services.forecast.question import Question, scoped
from shared.events import receivables
from shared.events.envelope import Envelope
from shared.views.view import View, ViewDatabase

DDL = """
create table {view}.invoice (
    invoice_id uuid primary key, number text not null, account_id uuid, deal_id uuid, amount numeric not null,
    issued_on date not null, due date not null, issued_at timestamptz not null, known timestamptz not null,
    team uuid, owner uuid
);
create index on {view}.invoice (issued_on);
create table {view}.settlement (
    position bigint primary key, invoice_id uuid not null, receipt_id uuid not null, amount numeric not null,
    settled_at timestamptz not null, known timestamptz not null
);
create index on {view}.settlement (invoice_id);
create table {view}.receipt (
    receipt_id uuid primary key, account_id uuid, amount numeric not null, received_on date not null,
    received_at timestamptz not null, known timestamptz not null
);
"""

INVOICE = "insert into {view}.invoice values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing"
SETTLEMENT = "insert into {view}.settlement values ($1, $2, $3, $4, $5, $6) on conflict do nothing"
RECEIPT = "insert into {view}.receipt values ($1, $2, $3, $4, $5, $6) on conflict do nothing"


FACTS = (receivables.InvoiceIssued, receivables.ReceiptAllocated, receivables.ReceiptRecorded)


async def apply(db: ViewDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Invoices, receipts and allocations are only ever added."""
    rows: dict[str, list[tuple[Any, ...]]] = {INVOICE: [], SETTLEMENT: [], RECEIPT: []}
    for event in events:
        when = (event.occurred_at, event.recorded_at)
        match event.data:
            case receivables.InvoiceIssued() as data:
                named = (
                    data.invoice_id,
                    data.number,
                    data.account_id,
                    data.deal_id,
                    data.amount.amount,
                    data.on,
                    data.due,
                )
                rows[INVOICE].append((*named, *when, data.team, data.owner))
            case receivables.ReceiptAllocated() as data:
                rows[SETTLEMENT].append((event.position, data.invoice_id, data.receipt_id, data.amount.amount, *when))
            case receivables.ReceiptRecorded() as data:
                rows[RECEIPT].append((data.receipt_id, data.account_id, data.amount.amount, data.on, *when))
    for statement, values in rows.items():
        if values:
            await db.executemany(statement, values)


VIEW = View(name="cash", version=1, ddl=DDL, apply=apply, source="journal", events=FACTS)

OPEN_ITEMS = scoped("""
select coalesce(sum(left_over), 0) as open, coalesce(sum(left_over) filter (where due < $7), 0) as overdue,
       count(*) as number
  from (select due, team, owner, amount - coalesce((
            select sum(s.amount) from {view}.settlement s
             where s.invoice_id = i.invoice_id and s.settled_at <= $6 and s.known <= $8), 0) as left_over
          from {view}.invoice i where issued_at <= $6 and known <= $8) as item
 where left_over > 0 and {scope}
""")

INVOICED = scoped("""
select coalesce(sum(amount), 0) as amount, count(*) as number from {view}.invoice
 where issued_on between $6 and $7 and issued_at <= $8 and known <= $9 and {scope}
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenItems:
    """What customers owe: all of it, and the part past its due date."""

    open: Decimal
    overdue: Decimal
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoiced:
    """What was invoiced."""

    amount: Decimal
    number: int


async def open_items(db: ViewDatabase, asked: Question, today: date) -> OpenItems:
    """What is owed at the instant asked about; an item is overdue from the day after its due date."""
    (row,) = await db.fetch(OPEN_ITEMS, *asked.scope, asked.as_of, today, asked.known_until)
    return OpenItems(open=row["open"], overdue=row["overdue"], number=row["number"])


async def invoiced(db: ViewDatabase, asked: Question, first: date, last: date) -> Invoiced:
    """What was invoiced from `first` to `last`, both included, up to the instant asked about."""
    (row,) = await db.fetch(INVOICED, *asked.scope, first, last, asked.as_of, asked.known_until)
    return Invoiced(amount=row["amount"], number=row["number"])
