"""The query behind pipeline changes: each leg's sum, and a keyset page of the deals behind it (FC-3).

The rule stands twice, in Python (`pipeline/legs.py`) and here in SQL, as conditions of a question do: only what changed
between the instants is read, and summed by the database; what was known then is folded from the facts. What the deals
that did not change gained or lost by the exchange rates follows from the figures of the start.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.forecast.asking.question import Question, scoped
from services.forecast.counting.sums import Sum
from services.forecast.counting.valuation import LeftOut, Valued
from services.forecast.pipeline.legs import FX, Comparison, Move, RowPlace, moves, place_of, sums_of
from services.forecast.pipeline.model import told_by_state
from services.forecast.pipeline.queries.known import known_pairs
from services.forecast.pipeline.queries.totals import ANY, OpenRow, due_in, open_rows
from services.forecast.pipeline.queries.worth import worth_of_open
from services.forecast.rates.queries import rates_of
from shared.domain.context import Company
from shared.domain.exchange import times
from shared.domain.periods import Period
from shared.events.money import Money
from shared.projections.projection import ProjectionDatabase
from shared.projections.read_snapshot import ReadSnapshot

CURRENCIES = """
with recursive known as (
    select min(currency) as currency from {view}.span
    union all
    select (select min(currency) from {view}.span where currency > known.currency) from known where currency is not null
) select currency from known where currency is not null
"""
"""Every currency that a deal ever had: a skip scan of the index on it."""

MOVED = scoped(
    """
with rate as (
    select * from unnest($10::text[], $11::numeric[], $12::numeric[]) as rate (currency, at_start, at_end)
), changed as (
    select distinct deal_id from {view}.span where start_at > $6 and start_at <= $7
), pair as (
    select c.deal_id, a.start_at, b.amount as own_before, b.currency as currency_before,
           a.amount as own_after, a.currency as currency_after, a.outcome,
           b.amount * rate_before.at_start as before_then, b.amount * rate_before.at_end as before_now,
           a.amount * rate_after.at_end as after_now,
           coalesce(rate_before.at_start, 0) <> coalesce(rate_before.at_end, 0) as revalued,
           b.deal_id is not null as known, coalesce(b.covered, false) as covered_before, a.covered as covered_after,
           coalesce(b.outcome = 'open', false) as open_before, coalesce(b.later, false) as later_before, a.later,
           coalesce(b.covered and b.due_within and b.outcome = 'open', false) as counts_before,
           a.covered and a.due_within and a.outcome = 'open' as counts_after,
           a.covered and a.due_within and a.outcome <> 'open'
           and (b.deal_id is null or b.outcome = 'open' or a.entered > $6) as ended
      from changed c
      cross join lateral (
        select start_at, amount, currency, outcome, {covered}, {later},
               case when outcome <> 'open' then ({entered})::timestamptz end as entered from {view}.span s
         where s.deal_id = c.deal_id and s.start_at <= $7 and (s.end_at is null or s.end_at > $7)) a
      left join lateral (
        select deal_id, amount, currency, outcome, {covered}, {later} from {view}.span s
         where s.deal_id = c.deal_id and s.start_at <= $6 and (s.end_at is null or s.end_at > $6)) b on true
      left join rate rate_before on rate_before.currency = b.currency
      left join rate rate_after on rate_after.currency = a.currency
), told as (
    select *, ended and not counts_before as passes,
           case when not known then 'new'
                when not covered_before then 'scope-in'
                when not open_before then 'reopened'
                when later_before then 'pulled-in' else 'pushed-in' end as entering,
           case when not covered_after then 'scope-out'
                when outcome <> 'open' then outcome
                when later then 'pushed-out' else 'pulled-out' end as leaving
      from pair
), part as (
    select deal_id, start_at, entering as leg, null::numeric as before, after_now as after,
           null::numeric as own_before, null::text as currency_before, own_after, currency_after
      from told where (counts_after or passes) and not counts_before
    union all
    select deal_id, start_at, leaving, before_then, null, own_before, currency_before, null, null
      from told where counts_before and not counts_after
    union all
    select deal_id, start_at, leaving, after_now, null, own_after, currency_after, null, null from told where passes
    union all
    select deal_id, start_at, case when coalesce(after_now, 0) > coalesce(before_now, 0) then 'increase'
                                   else 'decrease' end,
           before_now, after_now, own_before, currency_before, own_after, currency_after
      from told
     where counts_before and counts_after and coalesce(before_now, 0) <> coalesce(after_now, 0)
    union all
    select deal_id, start_at, 'fx', before_then, before_now, own_before, currency_before, own_before, currency_before
      from told where counts_before and counts_after and revalued{unchanged}
), moved as (
    select *, coalesce(after, 0) - coalesce(before, 0) as change from part
     where before is not null or after is not null
)
""".replace(
        "{covered}", "coalesce({scope}, false) as covered, ($8::text is null or due between $8 and $9) as due_within"
    )
    .replace("{entered}", told_by_state("entered"))
    .replace("{later}", "(due = '' or coalesce(due > $9, false)) as later")
)

UNCHANGED = scoped("""
    union all
    select s.deal_id, s.start_at, 'fx', s.amount * rate.at_start, s.amount * rate.at_end, s.amount, s.currency,
           s.amount, s.currency
      from {view}.span s join rate on rate.currency = s.currency
     where s.outcome = 'open' and s.start_at <= $6 and (s.end_at is null or s.end_at > $7)
       and coalesce(rate.at_start, 0) <> coalesce(rate.at_end, 0)
       and {scope} and ($8::text is null or s.due between $8 and $9)
""")
"""Open deals of another currency that did not change between the instants: their rate alone did."""

LEG_SUMS = """{moved}
select leg, null as currency, count(*) as count, sum(change) as amount from moved group by leg
union all
select null, currency_before, count(*), sum(own_before) from pair where counts_before group by currency_before
"""
"""The legs of what changed; and what of it counted at the start, by currency."""

LEG_DEALS = """{moved}
select chosen.*, (select s.{name} from {view}.span s
                   where s.deal_id = chosen.deal_id and s.start_at = chosen.start_at) as name
  from (select * from moved where ($13::text is null or leg = $13)
           and (-abs(change), deal_id, leg collate "C") > ($14, $15, $16)
         order by -abs(change), deal_id, leg collate "C" limit $17) chosen
 order by -abs(change), deal_id, leg collate "C"
""".replace("{name}", told_by_state("name"))

FIRST: RowPlace = (Decimal(-(10**60)), UUID(int=0), "")
"""Before every deal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """The open pipeline at both instants, and what each leg between them comes to; a leg without deals is left out.
    `is_translated` says that some of it may have been in another currency than the company's."""

    start: Valued[OpenRow]
    end: Valued[OpenRow]
    legs: dict[str, Sum]
    is_translated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The deals behind the legs: some of them in order, and the sum of all; and what the open pipeline of the end
    leaves out."""

    moves: list[Move]
    total: Sum
    unconverted: Mapping[LeftOut, Sum]


async def waterfall(
    reading: ReadSnapshot, company: Company, start: Question, end: Question, wanted: Period | None
) -> Waterfall:
    """How the open pipeline came from one instant to the other."""
    db, chosen = reading("deals"), due_in(wanted) if wanted else ANY
    before, after = await open_rows(db, start, company, chosen), await open_rows(db, end, company, chosen)
    between = await _between(reading, company, start, end, wanted)
    return Waterfall(
        start=worth_of_open(before, between.rates, between.first_day),
        end=worth_of_open(after, between.rates, between.last_day),
        legs=await _legs(db, between, before),
        is_translated=bool(between.rates.known),
    )


async def moved(
    reading: ReadSnapshot,
    company: Company,
    start: Question,
    end: Question,
    wanted: Period | None,
    *,
    leg: str | None,
    after: RowPlace | None,
    enough: int,
) -> Moved:
    """The deals behind a leg, or all, that come after a place, as many as are enough."""
    db, between = reading("deals"), await _between(reading, company, start, end, wanted)
    due = due_in(wanted) if wanted else ANY
    left = worth_of_open(await open_rows(db, end, company, due), between.rates, between.last_day).unconverted
    if end.known_at is not None:
        found = moves(await known_pairs(db, start, end, end.known_at), between)
        chosen = sorted((move for move in found if leg in (None, move.leg)), key=place_of)
        shown = [move for move in chosen if place_of(move) > (after or FIRST)][:enough]
        return Moved(moves=shown, total=sum(sums_of(chosen).values(), Sum()), unconverted=left)
    before = await open_rows(db, start, company, due)
    sums = await _legs(db, between, before)
    unchanged = UNCHANGED if leg in (None, FX) and between.rates.known else ""
    sql = LEG_DEALS.replace("{moved}", MOVED.replace("{unchanged}", unchanged))
    rows = await db.fetch(sql, *_arguments(between), leg, *(after or FIRST), enough)
    return Moved(
        moves=[_move(row) for row in rows],
        total=sum((total for name, total in sums.items() if leg in (None, name)), Sum()),
        unconverted=left,
    )


async def _between(
    reading: ReadSnapshot, company: Company, start: Question, end: Question, wanted: Period | None
) -> Comparison:
    """What lies between the instants, with the rates of both days for every currency of a deal."""
    db, days = reading("deals"), (company.day(start.as_of), company.day(end.as_of))
    if end.known_at is None:
        currencies = {row["currency"] for row in await db.fetch(CURRENCIES)}
    else:
        pairs = await known_pairs(db, start, end, end.known_at)
        currencies = {state.currency for pair in pairs for state in pair if state is not None}
    rates = await rates_of(reading, end, company.currency, ((currency, day) for currency in currencies for day in days))
    return Comparison(start=start, end=end, rates=rates, first_day=days[0], last_day=days[1], wanted=wanted)


async def _legs(db: ProjectionDatabase, between: Comparison, before: Sequence[OpenRow]) -> dict[str, Sum]:
    """What each leg comes to; a leg without deals is left out."""
    if between.end.known_at is not None:
        return sums_of(moves(await known_pairs(db, between.start, between.end, between.end.known_at), between))
    rows = await db.fetch(LEG_SUMS.replace("{moved}", MOVED.replace("{unchanged}", "")), *_arguments(between))
    sums = {row["leg"]: Sum(row["count"], row["amount"]) for row in rows if row["leg"] is not None}
    changed = {row["currency"]: Sum(row["count"], row["amount"]) for row in rows if row["leg"] is None}
    revalued = _revalued(between, before, changed)
    return sums | {FX: sums.get(FX, Sum()) + revalued} if revalued else sums


def _revalued(between: Comparison, before: Iterable[OpenRow], changed: dict[str, Sum]) -> Sum:
    """What the deals that counted at the start and did not change gained or lost by the rates."""
    unchanged = {currency: -what for currency, what in changed.items()}
    for row in before:
        unchanged[row.currency] = unchanged.get(row.currency, Sum()) + Sum(row.count, row.amount)
    total = Sum()
    for currency, what in unchanged.items():
        one, other = (between.rates.factor(currency, day) for day in (between.first_day, between.last_day))
        if one != other:
            total += Sum(what.count, times(what.amount, other - one))
    return total


def _arguments(between: Comparison) -> tuple[Any, ...]:
    wanted = between.wanted
    due = (wanted.months[0], wanted.months[-1]) if wanted else (None, None)
    currencies, factors = between.rates.table(between.first_day, between.last_day)
    return (*between.end.scope, between.start.as_of, between.end.as_of, *due, currencies, *factors)


def _move(row: Record) -> Move:
    return Move(
        leg=row["leg"],
        deal_id=row["deal_id"],
        name=row["name"],
        amount=row["change"],
        before=row["before"],
        after=row["after"],
        own_before=_own(row["own_before"], row["currency_before"]),
        own_after=_own(row["own_after"], row["currency_after"]),
    )


def _own(amount: Decimal | None, currency: str | None) -> Money | None:
    return None if amount is None or currency is None else Money(amount=amount, currency=currency)
