"""The read model of invoices and what settled them: overdue share and invoiced revenue (FC-7, FC-14)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.forecast.figures import NOBODY, Part, Sum, fields, levelled, moved
from services.forecast.grains import counting
from services.forecast.question import Question, scoped
from services.forecast.tallies import Tally, add
from shared.domain.context import Company
from shared.events.envelope import Envelope
from shared.events.receivables.ledger import AllocationReversed, InvoiceIssued, ReceiptAllocated, ReceiptRecorded
from shared.projections.projection import Projection, ProjectionDatabase

DDL = """
create table {view}.invoice (
    invoice_id uuid primary key, number text not null, account_id uuid, deal_id uuid, amount numeric not null,
    issued_on date not null, due date not null, issued_at timestamptz not null, known timestamptz not null,
    team uuid, owner uuid
);
create index on {view}.invoice (issued_at);
create table {view}.settlement (
    position bigint primary key, invoice_id uuid not null, receipt_id uuid not null, amount numeric not null,
    settled_at timestamptz not null, known timestamptz not null
);
create index on {view}.settlement (invoice_id);
create index on {view}.settlement (settled_at);
create table {view}.receipt (
    receipt_id uuid primary key, account_id uuid, amount numeric not null, received_on date not null,
    received_at timestamptz not null, known timestamptz not null
);
"""

OWED = Tally(table="owed", key="day date, due date", values="count bigint, amount numeric")
"""What customers came to owe, or paid, on a day, by the day on which it is due."""
OWED_LEVEL = Tally(table="owed_level", key="still boolean, month date, due date", values="count bigint, amount numeric")
"""What they owed when a month began, or still owe since a day of the month."""
INVOICED = Tally(table="invoiced", key="issued_on date, day date", values="count bigint, amount numeric")
"""What was invoiced, by the date of the invoice and the day on which that happened."""

INVOICE = "insert into {view}.invoice values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing"
SETTLEMENT = "insert into {view}.settlement values ($1, $2, $3, $4, $5, $6) on conflict do nothing"
RECEIPT = "insert into {view}.receipt values ($1, $2, $3, $4, $5, $6) on conflict do nothing"


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
                    data.on,
                    data.due,
                )
                rows[INVOICE].append((*named, *when, data.team, data.owner))
            case ReceiptAllocated() | AllocationReversed() as data:
                paid = data.amount.amount if isinstance(data, ReceiptAllocated) else -data.amount.amount
                rows[SETTLEMENT].append((event.position, data.invoice_id, data.receipt_id, paid, *when))
            case ReceiptRecorded() as data:
                rows[RECEIPT].append((data.receipt_id, data.account_id, data.amount.amount, data.on, *when))
    touched = [*(values[0] for values in rows[INVOICE]), *(values[1] for values in rows[SETTLEMENT])]
    before = await _items(db, touched)
    for statement, values in rows.items():
        if values:
            await db.executemany(statement, values)
    await _post(db, before, await _items(db, touched))


TALLIES = (OWED, OWED_LEVEL, INVOICED)

PROJECTION = Projection(
    name="cash",
    version=3,
    ddl=DDL + "".join(tally.ddl for tally in TALLIES),
    apply=apply,
    source="journal",
    events=FACTS,
)


@dataclass(frozen=True, slots=True)
class Debt:
    """Where what is owed counts."""

    due: date
    team: UUID
    owner: UUID


@dataclass(frozen=True, slots=True)
class Bill:
    """Where an invoice counts."""

    issued_on: date
    team: UUID
    owner: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An invoice, and what settled it: when and how much."""

    amount: Decimal
    issued_on: date
    due: date
    issued_at: datetime
    team: UUID
    owner: UUID
    settled: tuple[tuple[datetime, Decimal], ...]


def debts(item: Item) -> list[Part[Debt]]:
    """What is owed of an item, from when to when: between two moments at which money settles some of it, or does so no
    more. It counts as one as long as anything of it is owed."""
    where, left, since, found = Debt(item.due, item.team, item.owner), item.amount, item.issued_at, list[Part[Debt]]()
    moments: dict[datetime, Decimal] = {}
    for at, amount in item.settled:
        counted = max(at, item.issued_at)
        moments[counted] = moments.get(counted, Decimal(0)) + amount
    for at in sorted(moments):
        if left > 0 and moments[at]:
            found.append(Part(since, at, where, Sum(1, left)))
        since, left = (at, left - moments[at]) if moments[at] else (since, left)
    if left > 0:
        found.append(Part(since, None, where, Sum(1, left)))
    return found


def bill(item: Item) -> Part[Bill]:
    """An invoice was issued, for good."""
    return Part(item.issued_at, None, Bill(item.issued_on, item.team, item.owner), Sum(1, item.amount))


ITEMS = """
select amount, issued_on, due, issued_at, team, owner,
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
    await add(db, (OWED,), _daily(moved(owed_before, owed, db.company)))
    await add(db, (INVOICED,), _daily(moved(bills_before, bills, db.company)))
    levels = levelled(owed_before, owed, db.company)
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


OPEN_ITEMS = """
select coalesce(sum(amount), 0) as open, coalesce(sum(amount) filter (where due < $10), 0) as overdue,
       coalesce(sum(count), 0)::bigint as number from (
    select due, count, amount from {view}.owed_level where still and month < $9 and {counted}
    union all
    select due, count, amount from {view}.owed_level where not still and month = $9 and {counted}
    union all
    select due, count, amount from {view}.owed where day >= $9 and day < $10 and {counted}
    union all
    select due, (now_left > 0)::int - (left_before > 0)::int, greatest(now_left, 0) - greatest(left_before, 0) from (
        select due, case when issued_at > $12 then 0 else amount - coalesce((
                   select sum(s.amount) from {view}.settlement s
                    where s.invoice_id = i.invoice_id and s.settled_at <= $12), 0) end as now_left,
               case when issued_at >= $11 then 0 else amount - coalesce((
                   select sum(s.amount) from {view}.settlement s
                    where s.invoice_id = i.invoice_id and s.settled_at < $11), 0) end as left_before
          from {view}.invoice i where {scope} and invoice_id in (
            select invoice_id from {view}.invoice where issued_at >= $11 and issued_at <= $12
            union
            select invoice_id from {view}.settlement where settled_at >= $11 and settled_at <= $12)) as today
) as item
"""

OPEN_ITEMS_KNOWN = scoped("""
select coalesce(sum(left_over), 0) as open, coalesce(sum(left_over) filter (where due < $7), 0) as overdue,
       count(*) as number
  from (select due, team, owner, amount - coalesce((
            select sum(s.amount) from {view}.settlement s
             where s.invoice_id = i.invoice_id and s.settled_at <= $6 and s.known <= $8), 0) as left_over
          from {view}.invoice i where issued_at <= $6 and known <= $8) as item
 where left_over > 0 and {scope}
""")

BILLED = """
select coalesce(sum(amount), 0) as amount, coalesce(sum(count), 0)::bigint as number from (
    select count, amount from {view}.invoiced where issued_on between $9 and $10 and day < $11 and {counted}
    union all
    select 1, amount from {view}.invoice
     where issued_at >= $12 and issued_at <= $13 and issued_on between $9 and $10 and {scope}
) as bill
"""

BILLED_KNOWN = scoped("""
select coalesce(sum(amount), 0) as amount, count(*) as number from {view}.invoice
 where issued_on between $6 and $7 and issued_at <= $8 and known <= $9 and {scope}
""")

EVER = """
select exists(select from {view}.invoiced where issued_on <= $9 and day < $10 and {counted})
    or exists(select from {view}.invoice
               where issued_at >= $11 and issued_at <= $12 and issued_on <= $9 and {scope})
"""


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


async def open_items(db: ProjectionDatabase, asked: Question, company: Company) -> OpenItems:
    """What is owed at the instant asked about; an item is overdue from the day after its due date."""
    day = company.day(asked.as_of)
    if asked.known_at is not None:
        (row,) = await db.fetch(OPEN_ITEMS_KNOWN, *asked.scope, asked.as_of, day, asked.known_at)
    else:
        tail = (company.start_of(day), asked.as_of)
        (row,) = await db.fetch(*counting(OPEN_ITEMS, asked, day.replace(day=1), day, *tail))
    return OpenItems(open=row["open"], overdue=row["overdue"], number=row["number"])


async def invoiced(db: ProjectionDatabase, asked: Question, company: Company, first: date, last: date) -> Invoiced:
    """What was invoiced from `first` to `last`, both included, up to the instant asked about."""
    if asked.known_at is not None:
        (row,) = await db.fetch(BILLED_KNOWN, *asked.scope, first, last, asked.as_of, asked.known_at)
    else:
        day = company.day(asked.as_of)
        (row,) = await db.fetch(*counting(BILLED, asked, first, last, day, company.start_of(day), asked.as_of))
    return Invoiced(amount=row["amount"], number=row["number"])


async def ever_invoiced(db: ProjectionDatabase, asked: Question, company: Company, last: date) -> bool:
    """Whether anything was invoiced at all, with a date up to `last`."""
    if asked.known_at is not None:
        return (await invoiced(db, asked, company, date.min, last)).number > 0
    day = company.day(asked.as_of)
    return bool(await db.fetchval(*counting(EVER, asked, last, day, company.start_of(day), asked.as_of)))
