"""Queries to the read model of cash: what customers owe, and what was invoiced, at any past instant (FC-7, FC-14).

Out of the summary tables and the tail of the asked day; only `known_at` sums the invoices and what settled them.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.forecast.asking.question import Question, scoped
from services.forecast.counting.grains import counting
from shared.domain.context import Company
from shared.projections.projection import ProjectionDatabase

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
