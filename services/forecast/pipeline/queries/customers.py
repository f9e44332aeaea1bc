"""Customers by the deals won with them: who bought for the first time in a period, and who bought again (PROC-4).

Whether a customer is new is asked of all deals of the company, also by whoever sees some of them: a customer of a
colleague's is none of one's own winning. They are counted where their first win is covered by the question.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from services.forecast.asking.question import Question, scoped
from services.forecast.counting.valuation import ANY_DAY
from services.forecast.pipeline.queries.known import known_states
from services.forecast.pipeline.queries.totals import WON_DEALS, ClosedRow, deals_then, standing, tally_closed
from services.forecast.pipeline.timeline import WON, DealState
from shared.domain.context import Company
from shared.projections.projection import ProjectionDatabase

UNKNOWN_CYCLE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstWin:
    """The first deal that was won with a customer; `covered` is whether the question is about it."""

    account_id: UUID
    on: date
    covered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyers:
    """Customers with a won deal, and those of them with two or more."""

    customers: int
    again: int


WINS = "select {columns} from {span} where outcome = 'won' and account_id is not null and closed_on <= $7"
FIRST_WINS = """
select account_id, "on", covered from (
    select distinct on (account_id) account_id, closed_on as "on", covered from ({wins}) as won
     order by account_id, closed_on, deal_id
) as first where "on" >= $8
"""
BUYERS = """
select count(*) as customers, count(*) filter (where deals > 1) as again
  from (select count(*) as deals from ({wins}) as won where covered group by account_id) as customer
"""
WON_WITH = f"""
select currency, case when currency = $9 then '{ANY_DAY}' else closed_on end as valued_on,
       count(*) as count, sum(amount) as amount
  from ({{wins}}) as won where covered and closed_on >= $8 and account_id = any($10::uuid[])
 group by 1, 2 order by 1, 2
"""  # noqa: S608 - the day is ours


async def first_wins(db: ProjectionDatabase, asked: Question, first: date, last: date) -> list[FirstWin]:
    """The customers whose first won deal closed from `first` to `last`, both included, at the instant asked about."""
    if asked.known_at is not None:
        everybody = replace(asked, sees_all=True, teams=None, owners=None)
        return first_of((await known_states(db, everybody, asked.known_at)).values(), asked, first, last)
    rows = await db.fetch(_sql(FIRST_WINS, asked), *asked.scope, asked.as_of, last, first)
    return [FirstWin(**row) for row in rows]


def first_of(states: Iterable[DealState], asked: Question, first: date, last: date) -> list[FirstWin]:
    """The first win of each customer, where it lies between two days; of one day, that of the deal opened first."""
    firsts: dict[UUID, tuple[date, UUID, bool]] = {}
    for state in states:
        if state.outcome == WON and state.account_id is not None and state.closed_on is not None:
            win = (state.closed_on, state.deal_id, asked.covers(state.team, state.owner))
            firsts[state.account_id] = min(firsts.get(state.account_id, win), win)
    return [
        FirstWin(account_id=account_id, on=on, covered=covered)
        for account_id, (on, _, covered) in sorted(firsts.items())
        if first <= on <= last
    ]


async def buyers(db: ProjectionDatabase, asked: Question, last: date) -> Buyers:
    """Customers with deals that the question is about and that were won by a day."""
    if asked.known_at is not None:
        return buyers_of(await deals_then(db, asked, WON_DEALS), last)
    (row,) = await db.fetch(_sql(BUYERS, asked), *asked.scope, asked.as_of, last)
    return Buyers(**row)


def buyers_of(states: Iterable[DealState], last: date) -> Buyers:
    """Customers of these won deals, as far as they were won by a day."""
    seen, again = set[UUID](), set[UUID]()
    for state in states:
        if state.account_id is not None and state.closed_on is not None and state.closed_on <= last:
            (again if state.account_id in seen else seen).add(state.account_id)
    return Buyers(customers=len(seen), again=len(again))


async def won_with(  # noqa: PLR0917
    db: ProjectionDatabase, asked: Question, company: Company, first: date, last: date, accounts: Collection[UUID]
) -> list[ClosedRow]:
    """What was won from `first` to `last` with these customers, as far as the question is about it."""
    if asked.known_at is not None:
        states = [each for each in await deals_then(db, asked, WON_DEALS) if each.account_id in accounts]
        return tally_closed(states, company, first, last)
    more = (asked.as_of, last, first, company.currency, list(accounts))
    rows = await db.fetch(_sql(WON_WITH, asked), *asked.scope, *more)
    return [ClosedRow(outcome=WON, cycle_days=UNKNOWN_CYCLE, **row) for row in rows]


def _sql(sql: str, asked: Question) -> str:
    columns = "account_id, closed_on, deal_id, currency, amount, ({scope}) as covered"
    wins = " union all ".join(WINS.format(columns=columns, span=span) for span in standing(asked))
    return scoped(sql.replace("{wins}", wins))
