"""The read model of invoices and what settled them: overdue share and invoiced revenue (FC-7, FC-14)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from services.forecast.asking.question import NOBODY
from services.forecast.cash.debts import Item, bill, debts
from services.forecast.counting.sums import Sum, fields, levelled, moved, summed
from services.forecast.counting.tallies import Tally, add
from shared.events.envelope import Envelope
from shared.events.receivables.ledger import AllocationReversed, InvoiceIssued, ReceiptAllocated, ReceiptRecorded
from shared.projections.projection import Projection, ProjectionDatabase

DDL = """
create table {view}.invoice (
    invoice_id uuid primary key, number text not null, account_id uuid, deal_id uuid, amount numeric not null,
    currency text not null, issued_on date not null, due date not null, issued_at timestamptz not null,
    known timestamptz not null, team uuid, owner uuid
);
create index on {view}.invoice (issued_at);
create table {view}.settlement (
    position bigint primary key, invoice_id uuid not null, receipt_id uuid not null, amount numeric not null,
    settled_at timestamptz not null, known timestamptz not null
);
create index on {view}.settlement (invoice_id);
create index on {view}.settlement (settled_at);
create table {view}.receipt (
    receipt_id uuid primary key, account_id uuid, amount numeric not null, currency text not null,
    received_on date not null, received_at timestamptz not null, known timestamptz not null
);
"""

OWED = Tally(table="owed", key="day date, due date, currency text", values="count bigint, amount numeric")
"""What customers came to owe, or paid, on a day, by the day on which it is due."""
OWED_LEVEL = Tally(
    table="owed_level", key="still boolean, month date, due date, currency text", values="count bigint, amount numeric"
)
"""What they owed when a month began, or still owe since a day of the month."""
INVOICED = Tally(table="invoiced", key="issued_on date, day date, currency text", values="count bigint, amount numeric")
"""What was invoiced, by the date of the invoice and the day on which that happened."""

INVOICE = "insert into {view}.invoice values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing"
SETTLEMENT = "insert into {view}.settlement values ($1, $2, $3, $4, $5, $6) on conflict do nothing"
RECEIPT = "insert into {view}.receipt values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing"

FACTS = (
    InvoiceIssued,
    ReceiptAllocated,
    AllocationReversed,
    ReceiptRecorded,
)


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Invoices, receipts and what settles what are only ever added; a reversal settles less than nothing."""
    rows: dict[str, list[tuple[Any, ...]]] = {INVOICE: [], SETTLEMENT: [], RECEIPT: []}
    for event in events:
        when = (event.occurred_at, event.recorded_at)
        match event.data:
            case InvoiceIssued() as data:
                named = (
                    data.invoice_id,
                    data.number,
                    data.account_id,
                    data.deal_id,
                    data.amount.amount,
                    data.amount.currency,
                    data.on,
                    data.due,
                )
                rows[INVOICE].append((*named, *when, data.team, data.owner))
            case ReceiptAllocated() | AllocationReversed() as data:
                paid = data.amount.amount if isinstance(data, ReceiptAllocated) else -data.amount.amount
                rows[SETTLEMENT].append((event.position, data.invoice_id, data.receipt_id, paid, *when))
            case ReceiptRecorded() as data:
                arrived = (data.amount.amount, data.amount.currency, data.on)
                rows[RECEIPT].append((data.receipt_id, data.account_id, *arrived, *when))
    touched = [*(values[0] for values in rows[INVOICE]), *(values[1] for values in rows[SETTLEMENT])]
    before = await _items(db, touched)
    for statement, values in rows.items():
        if values:
            await db.executemany(statement, values)
    await _post(db, before, await _items(db, touched))


TALLIES = (OWED, OWED_LEVEL, INVOICED)

PROJECTION = Projection(
    name="cash",
    version=4,
    ddl=DDL + "".join(tally.ddl for tally in TALLIES),
    apply=apply,
    source="journal",
    events=FACTS,
)

ITEMS = """
select amount, currency, issued_on, due, issued_at, team, owner,
       (select array_agg(s.settled_at order by s.position) from {view}.settlement s
         where s.invoice_id = i.invoice_id) as moments,
       (select array_agg(s.amount order by s.position) from {view}.settlement s
         where s.invoice_id = i.invoice_id) as amounts
  from {view}.invoice i where invoice_id = any($1)
"""


async def _items(db: ProjectionDatabase, invoices: Sequence[UUID]) -> list[Item]:
    return [
        Item(
            amount=row["amount"],
            currency=row["currency"],
            issued_on=row["issued_on"],
            due=row["due"],
            issued_at=row["issued_at"],
            team=row["team"] or NOBODY,
            owner=row["owner"] or NOBODY,
            settled=tuple(zip(row["moments"] or (), row["amounts"] or (), strict=True)),
        )
        for row in await db.fetch(ITEMS, invoices)
    ]


async def _post(db: ProjectionDatabase, before: Sequence[Item], after: Sequence[Item]) -> None:
    """Post what changed in what is owed and invoiced when some items were replaced by others."""
    owed_before, owed = ([part for item in items for part in debts(item)] for items in (before, after))
    bills_before, bills = ([bill(item) for item in items] for items in (before, after))
    await add(db, (OWED,), _daily(summed(moved(owed_before, owed, db.company))))
    await add(db, (INVOICED,), _daily(summed(moved(bills_before, bills, db.company))))
    levels = summed(levelled(owed_before, owed, db.company))
    await add(
        db,
        (OWED_LEVEL,),
        [
            {"month": month, "still": still} | fields(where) | fields(change)
            for (month, still, where), change in levels.items()
        ],
    )


def _daily(changes: Mapping[tuple[date, Any], Sum]) -> list[dict[str, Any]]:
    return [{"day": day} | fields(where) | fields(change) for (day, where), change in changes.items()]
