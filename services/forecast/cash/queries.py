"""Queries to the read model of cash: what customers owe, and what was invoiced, at any past instant (FC-7, FC-14).

Out of the summary tables and the tail of the asked day; only `known_at` sums the invoices and what settled them. What
is owed is worth what it is at the exchange rate of the day asked about, an invoice what it was on its own day.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from asyncpg import Record

from services.forecast.asking.question import Question, scoped
from services.forecast.counting.grains import counting
from services.forecast.counting.sums import Sum
from services.forecast.counting.valuation import ANY_DAY, LeftOut, Rate, added
from services.forecast.rates.queries import rates_of
from shared.domain.context import Company
from shared.domain.exchange import times
from shared.projections.read_snapshot import ReadSnapshot

OPEN_ITEMS = """
select currency, sum(amount) as open, coalesce(sum(amount) filter (where due < $12), 0) as overdue,
       sum(count)::bigint as number from (
    select due, currency, count, amount from {view}.owed_level where still and month < $11 and {counted}
    union all
    select due, currency, count, amount from {view}.owed_level where not still and month = $11 and {counted}
    union all
    select due, currency, count, amount from {view}.owed where day >= $11 and day < $12 and {counted}
    union all
    select due, currency, (now_left > 0)::int - (left_before > 0)::int,
           greatest(now_left, 0) - greatest(left_before, 0) from (
        select due, currency, case when issued_at > $14 then 0 else amount - coalesce((
                   select sum(s.amount) from {view}.settlement s
                    where s.invoice_id = i.invoice_id and s.settled_at <= $14), 0) end as now_left,
               case when issued_at >= $13 then 0 else amount - coalesce((
                   select sum(s.amount) from {view}.settlement s
                    where s.invoice_id = i.invoice_id and s.settled_at < $13), 0) end as left_before
          from {view}.invoice i where {scope} and invoice_id in (
            select invoice_id from {view}.invoice where issued_at >= $13 and issued_at <= $14
            union
            select invoice_id from {view}.settlement where settled_at >= $13 and settled_at <= $14)) as today
) as item group by currency order by currency
"""

OPEN_ITEMS_KNOWN = scoped("""
select currency, sum(left_over) as open, coalesce(sum(left_over) filter (where due < $7), 0) as overdue,
       count(*) as number
  from (select due, currency, team, owner, amount - coalesce((
            select sum(s.amount) from {view}.settlement s
             where s.invoice_id = i.invoice_id and s.settled_at <= $6 and s.known <= $8), 0) as left_over
          from {view}.invoice i where issued_at <= $6 and known <= $8) as item
 where left_over > 0 and {scope} group by currency order by currency
""")

BILLED = """
select currency, valued_on, sum(amount) as amount, sum(count)::bigint as number from (
    select currency, {valued_on}, count, amount from {view}.invoiced
     where issued_on between $11 and $12 and day < $13 and {counted}
    union all
    select currency, {valued_on}, 1, amount from {view}.invoice
     where issued_at >= $14 and issued_at <= $15 and issued_on between $11 and $12 and {scope}
) as bill group by 1, 2 order by 1, 2
""".replace("{valued_on}", f"case when currency = $16 then '{ANY_DAY}' else issued_on end as valued_on")

BILLED_KNOWN = scoped("""
select currency, {valued_on}, sum(amount) as amount, count(*) as number from {view}.invoice
 where issued_on between $6 and $7 and issued_at <= $8 and known <= $9 and {scope} group by 1, 2 order by 1, 2
""").replace("{valued_on}", f"case when currency = $10 then '{ANY_DAY}' else issued_on end as valued_on")

RECEIVED = scoped("""
select currency, {valued_on}, sum(paid) as amount, count(distinct receipt_id) as number from (
    select i.currency, i.team, i.owner, s.receipt_id, s.amount as paid, (s.settled_at at time zone $11)::date as paid_on
      from {view}.settlement s join {view}.invoice i using (invoice_id)
     where s.settled_at between $6 and $7 and s.settled_at <= $8 and s.known <= $9 and i.known <= $9
) as payment where {scope} group by 1, 2 order by 1, 2
""").replace("{valued_on}", f"case when currency = $10 then '{ANY_DAY}' else paid_on end as valued_on")
"""Whose an invoice is, the money is that settles it."""

EVER = """
select exists(select from {view}.invoiced where issued_on <= $11 and day < $12 and {counted})
    or exists(select from {view}.invoice
               where issued_at >= $13 and issued_at <= $14 and issued_on <= $11 and {scope})
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenItems:
    """What customers owe: all of it, and the part past its due date."""

    open: Decimal
    overdue: Decimal
    number: int
    unconverted: Mapping[LeftOut, Sum]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoiced:
    """What was invoiced, or received for it."""

    amount: Decimal
    number: int
    unconverted: Mapping[LeftOut, Sum]


async def open_items(reading: ReadSnapshot, asked: Question, company: Company) -> OpenItems:
    """What is owed at the instant asked about; an item is overdue from the day after its due date."""
    db, day = reading("cash"), company.day(asked.as_of)
    if asked.known_at is not None:
        rows = await db.fetch(OPEN_ITEMS_KNOWN, *asked.scope, asked.as_of, day, asked.known_at)
    else:
        tail = (company.start_of(day), asked.as_of)
        rows = await db.fetch(*counting(OPEN_ITEMS, asked, day.replace(day=1), day, *tail))
    rates = await rates_of(reading, asked, company.currency, ((row["currency"], day) for row in rows))
    known, lacking = _by_rate(rows, [rates.rate(row["currency"], day) for row in rows])
    return OpenItems(
        open=sum((times(row["open"], rate.factor) for row, rate in known), Decimal(0)),
        overdue=sum((times(row["overdue"], rate.factor) for row, rate in known), Decimal(0)),
        number=sum(row["number"] for row, _ in known),
        unconverted=_left("open-items", ((row["currency"], row["number"], row["open"]) for row in lacking)),
    )


async def invoiced(reading: ReadSnapshot, asked: Question, company: Company, first: date, last: date) -> Invoiced:
    """What was invoiced from `first` to `last`, both included, up to the instant asked about."""
    db = reading("cash")
    if asked.known_at is not None:
        given = (first, last, asked.as_of, asked.known_at, company.currency)
        rows = await db.fetch(BILLED_KNOWN, *asked.scope, *given)
    else:
        day = company.day(asked.as_of)
        tail = (day, company.start_of(day), asked.as_of, company.currency)
        rows = await db.fetch(*counting(BILLED, asked, first, last, *tail))
    rates = await rates_of(reading, asked, company.currency, ((row["currency"], row["valued_on"]) for row in rows))
    known, lacking = _by_rate(rows, [rates.rate(row["currency"], row["valued_on"]) for row in rows])
    return Invoiced(
        amount=sum((times(row["amount"], rate.factor) for row, rate in known), Decimal(0)),
        number=sum(row["number"] for row, _ in known),
        unconverted=_left("invoices", ((row["currency"], row["number"], row["amount"]) for row in lacking)),
    )


def _by_rate(rows: Sequence[Record], rates: Sequence[Rate | None]) -> tuple[list[tuple[Record, Rate]], list[Record]]:
    """Rows with their rates, and those that have none."""
    pairs = list(zip(rows, rates, strict=True))
    return [(row, rate) for row, rate in pairs if rate is not None], [row for row, rate in pairs if rate is None]


def _left(figure: str, lacking: Iterable[tuple[str, int, Decimal]]) -> dict[LeftOut, Sum]:
    """What there is no rate for, by currency; sums that come to nothing are none."""
    sums = added(((figure, currency), Sum(number, amount)) for currency, number, amount in lacking)
    return {key: what for key, what in sums.items() if what}


async def received(reading: ReadSnapshot, asked: Question, company: Company, first: date, last: date) -> Invoiced:
    """What of receipts was allocated to invoices from `first` to `last`, both included, up to the instant asked about,
    less what was taken back of it. What no invoice has is nobody's yet."""
    span = (company.start_of(first), company.end_of(last), asked.as_of, asked.known_until)
    given = (*span, company.currency, company.timezone)
    rows = await reading("cash").fetch(RECEIVED, *asked.scope, *given)
    rates = await rates_of(reading, asked, company.currency, ((row["currency"], row["valued_on"]) for row in rows))
    known, lacking = _by_rate(rows, [rates.rate(row["currency"], row["valued_on"]) for row in rows])
    return Invoiced(
        amount=sum((times(row["amount"], rate.factor) for row, rate in known), Decimal(0)),
        number=sum(row["number"] for row, _ in known),
        unconverted=_left("receipts", ((row["currency"], row["number"], row["amount"]) for row in lacking)),
    )


async def ever_invoiced(reading: ReadSnapshot, asked: Question, company: Company, last: date) -> bool:
    """Whether anything was invoiced at all, with a date up to `last`."""
    if asked.known_at is not None:
        found = await invoiced(reading, asked, company, date.min, last)
        return found.number > 0 or bool(found.unconverted)
    day = company.day(asked.as_of)
    given = (last, day, company.start_of(day), asked.as_of)
    return bool(await reading("cash").fetchval(*counting(EVER, asked, *given)))
