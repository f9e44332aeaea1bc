"""Queries to the summary tables of deals, each answered for now, for a past instant, or as it was known then.

Now comes from what still stands; a past instant from what stood when its month began, the daily movements since, and
the asked day's tail. Only `known_at` folds the facts again. All three give the same rows, each in the currency of its
deals; `worth` translates them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.forecast.asking.question import Question, scoped
from services.forecast.counting.grains import counted, counts_at
from services.forecast.counting.sums import Sum, next_month
from services.forecast.counting.valuation import ANY_DAY
from services.forecast.pipeline.figures import UNDATED, cycle_days, due_of, stage_of, sum_of, valued_on
from services.forecast.pipeline.model import read_state
from services.forecast.pipeline.queries.known import known_states
from services.forecast.pipeline.timeline import OPEN, WON, DealState
from shared.domain.context import Company
from shared.domain.periods import Period
from shared.projections.projection import ProjectionDatabase


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRow:
    """Open deals with the same month of expected close, stage of a version of a process, category and currency."""

    due: str
    process_id: UUID
    process_version: int
    stage: str
    category: str
    currency: str
    count: int
    amount: Decimal
    weighted: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedRow:
    """Deals closed with the same outcome after the same number of days (-1: unknown or not won), in one currency; in
    another than the company's also on the same day, whose rate counts."""

    outcome: str
    cycle_days: int
    currency: str
    valued_on: date
    count: int
    amount: Decimal

    @property
    def won(self) -> bool:
        """Whether these deals were won."""
        return self.outcome == WON


OPEN_NOW = """
select due, process_id, process_version, stage, category, currency,
       sum(count)::bigint as count, sum(amount) as amount, sum(weighted) as weighted
  from {view}.level where still and {counted}{wanted}
 group by 1, 2, 3, 4, 5, 6 having sum(count) <> 0 order by 1, 2, 3, 4, 5, 6
"""

OPEN_THEN = """
select due, process_id, process_version, stage, category, currency,
       sum(count)::bigint as count, sum(amount) as amount, sum(weighted) as weighted from (
    select due, process_id, process_version, stage, category, currency, count, amount, weighted from {view}.level
     where still and month < $11 and {counted}{wanted}
    union all
    select due, process_id, process_version, stage, category, currency, count, amount, weighted from {view}.level
     where not still and month = $11 and {counted}{wanted}
    union all
    select due, process_id, process_version, stage, category, currency, count, amount, weighted from {view}.movement
     where day >= $11 and day < $12 and {counted}{wanted}
    union all
    select due, process_id, process_version, stage, category, currency, 1, amount, weighted from {view}.span
     where start_at >= $13 and start_at <= $14 and outcome = 'open' and {scope}{wanted}
    union all
    select due, process_id, process_version, stage, category, currency, -1, -amount, -weighted from {view}.span
     where end_at >= $13 and end_at <= $14 and outcome = 'open' and {scope}{wanted}
) as moved group by 1, 2, 3, 4, 5, 6 having sum(count) <> 0 order by 1, 2, 3, 4, 5, 6
"""

CLOSED_EVER = """
select outcome, cycle_days, currency, valued_on, sum(count)::bigint as count, sum(amount) as amount from {view}.closed
 where {counted}{wanted} group by 1, 2, 3, 4 having sum(count) <> 0 order by 1, 2, 3, 4
"""

CLOSED_THEN = """
select outcome, cycle_days, currency, valued_on, sum(count)::bigint as count, sum(amount) as amount from (
    select outcome, cycle_days, currency, valued_on, count, amount from {view}.closing_month
     where closed_month >= $13 and closed_month < $14 and month < $15 and {counted}{wanted}
    union all
    select outcome, cycle_days, currency, valued_on, count, amount from {view}.closing
     where closed_on >= $13 and closed_on < $14 and day >= $15 and day < $16 and {counted}{wanted}
    union all
    select outcome, cycle_days, currency, valued_on, count, amount from {view}.closing
     where closed_on >= $11 and closed_on < $13 and closed_on <= $12 and day < $16 and {counted}{wanted}
    union all
    select outcome, cycle_days, currency, valued_on, count, amount from {view}.closing
     where closed_on >= $14 and closed_on <= $12 and day < $16 and {counted}{wanted}
    union all
    select outcome, cycle_days, currency, {valued_on}, 1, amount from {view}.span
     where start_at >= $17 and start_at <= $18 and closed_on between $11 and $12 and {scope}{wanted}
    union all
    select outcome, cycle_days, currency, {valued_on}, -1, -amount from {view}.span
     where end_at >= $17 and end_at <= $18 and closed_on between $11 and $12 and {scope}{wanted}
) as moved group by 1, 2, 3, 4 having sum(count) <> 0 order by 1, 2, 3, 4
""".replace("{valued_on}", f"case when currency = $19 then '{ANY_DAY}' else closed_on end as valued_on")
"""Whole months from the monthly sums, the rest from the daily ones and the asked day's tail."""

STANDING_NOW = ("(select * from {view}.span where end_at is null and $6::timestamptz is not null) as span",)
"""The last state of each deal, also of one that has just changed."""
STANDING_THEN = (
    "(select * from {view}.span where end_at is null and start_at <= $6) as span",
    "(select * from {view}.span where end_at is not null and tstzrange(start_at, end_at) @> $6) as span",
)
"""The states that held at an instant: those that still do and those that ended, each of which has its own index."""

STILL_OPEN = """
select coalesce(sum(open), 0)::bigint as open, coalesce(sum(stalled), 0)::bigint as stalled from (
    select count as open, 0 as stalled from {view}.level where still and month < $11 and {counted}
    union all
    select count, 0 from {view}.level where not still and month = $11 and {counted}
    union all
    select count, 0 from {view}.movement where day >= $11 and day < $12 and {counted}
    union all
    select 0, count from {view}.stalled_month where month < $11 and {counted}
    union all
    select 0, count from {view}.stalled where day >= $11 and day < $12 and {counted}
    union all
    select 1, 0 from {view}.span where start_at >= $13 and start_at <= $14 and outcome = 'open' and {scope}
    union all
    select -1, 0 from {view}.span where end_at >= $13 and end_at <= $14 and outcome = 'open' and {scope}
    union all
    select 0, 1 from {view}.span
     where stalled_at >= $13 and stalled_at <= $14 and outcome = 'open' and (end_at is null or stalled_at < end_at)
       and {scope}
    union all
    select 0, -1 from {view}.span
     where end_at >= $13 and end_at <= $14 and outcome = 'open' and stalled_at < end_at and {scope}
) as moved
"""

OPENED_SINCE = """
select coalesce(sum(opened), 0)::bigint as opened, coalesce(sum(won), 0)::bigint as won from (
    select count as opened, case when won then count else 0 end as won from {view}.opening
     where opened_on >= $11 and day < $12 and {counted}
    union all
    select 1, case outcome when 'won' then 1 else 0 end from {view}.span
     where start_at >= $13 and start_at <= $14 and opened_at > $16 and {scope}
    union all
    select -1, case outcome when 'won' then -1 else 0 end from {view}.span
     where end_at >= $13 and end_at <= $14 and opened_at > $16 and {scope}
    union all
    select 1, case outcome when 'won' then 1 else 0 end from {view}.span
     where opened_at > $15 and opened_at <= $16 and start_at <= $14 and (end_at is null or end_at > $14) and {scope}
) as moved
"""
"""Days after that of the instant from the daily sums, the rest of its own day from its deals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which deals are wanted; None is any. `conditions` and `admits` say the same, to the database and in Python."""

    outcome: str | None = None
    process_id: UUID | None = None
    process_version: int | None = None
    stage: str | None = None
    category: str | None = None
    currency: str | None = None
    closed: tuple[date, date] | None = None
    """First and last close date."""
    due: tuple[str, str] | None = None
    """First and last month of the expected close; from "" on it takes in those without one."""

    def conditions(self, first: int) -> tuple[str, list[Any]]:
        """SQL that begins with "and", and its arguments from `$first` on."""
        given: list[tuple[str, tuple[Any, ...]]] = [
            ("outcome = ${}", () if self.outcome is None else (self.outcome,)),
            ("process_id = ${}", () if self.process_id is None else (self.process_id,)),
            ("process_version = ${}", () if self.process_version is None else (self.process_version,)),
            ("stage = ${}", () if self.stage is None else (self.stage,)),
            ("category = ${}", () if self.category is None else (self.category,)),
            ("currency = ${}", () if self.currency is None else (self.currency,)),
            ("closed_on between ${} and ${}", self.closed or ()),
            ("due between ${} and ${}", self.due or ()),
        ]
        text, arguments = "", list[Any]()
        for condition, values in given:
            if values:
                numbers = range(first + len(arguments), first + len(arguments) + len(values))
                text += f" and {condition.format(*numbers)}"
                arguments += values
        return text, arguments

    def admits(self, state: DealState) -> bool:
        """Whether a deal is wanted."""
        return (
            self.outcome in (None, state.outcome)
            and self.process_id in (None, state.process_id)
            and self.process_version in (None, state.process_version)
            and self.stage in (None, state.stage)
            and self.category in (None, state.category)
            and self.currency in (None, state.currency)
            and (
                self.closed is None
                or (state.closed_on is not None and self.closed[0] <= state.closed_on <= self.closed[1])
            )
            and (self.due is None or self.due[0] <= due_of(state) <= self.due[1])
        )


ANY = Wanted()
WITHOUT_CLOSE_DATE = Wanted(due=(UNDATED, UNDATED))
WON_DEALS = Wanted(outcome=WON)


def due_in(period: Period) -> Wanted:
    """The deals that are expected to close in a period."""
    return Wanted(due=(period.months[0], period.months[-1]))


async def open_rows(db: ProjectionDatabase, asked: Question, company: Company, wanted: Wanted = ANY) -> list[OpenRow]:
    """The open pipeline, as far as it is wanted by process, stage, category, currency and month of expected close."""
    wanted = replace(wanted, outcome=None)
    if asked.known_at is not None:
        return tally_open(await deals_then(db, asked, replace(wanted, outcome=OPEN)))
    if asked.current:
        rows = await _figures(db, OPEN_NOW, wanted, asked)
    else:
        rows = await _figures(db, OPEN_THEN, wanted, asked, _cut(asked, company))
    return [OpenRow(**row) for row in rows]


async def closed_rows(
    db: ProjectionDatabase, asked: Question, company: Company, first: date, last: date, *, wanted: Wanted = ANY
) -> list[ClosedRow]:
    """What was closed from `first` to `last`, both included, and is closed at the instant asked about, as far as it is
    wanted by outcome, process and stage."""
    if asked.known_at is not None:
        return tally_closed(await deals_then(db, asked, wanted), company, first, last)
    wanted = replace(wanted, closed=None)
    if asked.current and (first, last) == (date.min, date.max):
        rows = await _figures(db, CLOSED_EVER, wanted, asked)
    else:
        months = whole_months(first, last)
        rows = await _figures(
            db, CLOSED_THEN, wanted, asked, (first, last, *months, *_cut(asked, company), company.currency)
        )
    return [ClosedRow(**row) for row in rows]


async def _figures(
    db: ProjectionDatabase, sql: str, wanted: Wanted, asked: Question, more: tuple[Any, ...] | None = None
) -> list[Record]:
    """The rows of a question to the figures; with `more` arguments, they begin at $11, and spans are asked too."""
    given = [*counts_at(asked)] if more is None else [*asked.scope, *counts_at(asked), *more]
    conditions, values = wanted.conditions(len(given) + 1)
    sql = sql.replace("{counted}", counted(1 if more is None else 6)).replace("{wanted}", conditions)
    return await db.fetch(scoped(sql), *given, *values)


def whole_months(first: date, last: date) -> tuple[date, date]:
    """The first days of the first month that lies whole between two days, and of the one after the last such; equal,
    and not after `first`, when there is none."""
    if (first.year, first.month) == (date.max.year, date.max.month):
        return first, first
    begin = first if first.day == 1 else next_month(first)
    end = date.max if last == date.max else (last + timedelta(days=1)).replace(day=1)
    return (begin, end) if begin < end else (first, first)


async def deals_then(db: ProjectionDatabase, asked: Question, wanted: Wanted = ANY) -> list[DealState]:
    """The wanted deals as they stood at the instant asked about, as known then. Only `known_at` folds them again."""
    if asked.known_at is None:
        conditions, arguments = wanted.conditions(7)
        parts = (f"select state from {span} where {{scope}}{conditions}" for span in standing(asked))  # noqa: S608
        sql = " union all ".join(parts)
        return [read_state(row["state"]) for row in await db.fetch(scoped(sql), *asked.scope, asked.as_of, *arguments)]
    known = await known_states(db, asked, asked.known_at)
    return [state for state in known.values() if asked.covers(state.team, state.owner) and wanted.admits(state)]


def standing(asked: Question) -> tuple[str, ...]:
    """The states that held at the instant asked about, which is $6: tables that have no deal in common."""
    return STANDING_NOW if asked.current else STANDING_THEN


@dataclass(frozen=True, slots=True, kw_only=True)
class DealCounts:
    """Deals opened after an instant, those of them that are won; open deals, and those of them that are stalled."""

    opened: int
    won: int
    open: int
    stalled: int


async def counts(db: ProjectionDatabase, asked: Question, company: Company, since: datetime) -> DealCounts:
    """How many deals stand how at the instant asked about; `opened` and `won` of those opened after `since`."""
    if asked.known_at is not None:
        return tally_counts(await deals_then(db, asked), asked.as_of, since, company)
    _, *cut = _cut(asked, company)
    day_of_since = company.day(since)
    rest = (since, company.end_of(day_of_since))
    (still,) = await _figures(db, STILL_OPEN, ANY, asked, _cut(replace(asked, current=False), company))
    (opened,) = await _figures(db, OPENED_SINCE, ANY, asked, (day_of_since + timedelta(days=1), *cut, *rest))
    return DealCounts(**still, **opened)


def tally_counts(states: Iterable[DealState], as_of: datetime, since: datetime, company: Company) -> DealCounts:
    """The counts of these deals."""
    known = list(states)
    opened = [state for state in known if state.opened > since]
    still = [state for state in known if state.outcome == OPEN]
    return DealCounts(
        opened=len(opened),
        won=sum(state.outcome == WON for state in opened),
        open=len(still),
        stalled=sum(state.stalls(company) < as_of for state in still),
    )


def tally_open(states: Iterable[DealState]) -> list[OpenRow]:
    """The open pipeline of these deals."""
    sums: dict[tuple[str, UUID, int, str, str, str], Sum] = {}
    for state in states:
        if state.outcome == OPEN:
            key = (due_of(state), *stage_of(state), state.category, state.currency)
            sums[key] = sums.get(key, Sum()) + sum_of(state)
    return [
        OpenRow(
            due=due,
            process_id=process_id,
            process_version=version,
            stage=stage,
            category=category,
            currency=currency,
            count=total.count,
            amount=total.amount,
            weighted=total.weighted,
        )
        for (due, process_id, version, stage, category, currency), total in sorted(sums.items())
    ]


def tally_closed(states: Iterable[DealState], company: Company, first: date, last: date) -> list[ClosedRow]:
    """What these deals closed from `first` to `last`."""
    sums: dict[tuple[str, int, str, date], Sum] = {}
    for state in states:
        if state.closed_on is not None and first <= state.closed_on <= last:
            valued = valued_on(state.currency, state.closed_on, company)
            key = (state.outcome, cycle_days(state, company), state.currency, valued)
            sums[key] = sums.get(key, Sum()) + sum_of(state)
    return [
        ClosedRow(
            outcome=outcome,
            cycle_days=days,
            currency=currency,
            valued_on=valued,
            count=total.count,
            amount=total.amount,
        )
        for (outcome, days, currency, valued), total in sorted(sums.items())
    ]


def _cut(asked: Question, company: Company) -> tuple[date, date, datetime, datetime]:
    """Where the months before end, where the days before end, and where the asked day's tail begins and ends.

    Now, everything counts that is known, also what has just changed: there is no tail.
    """
    if asked.current:
        ever = datetime.max.replace(tzinfo=UTC)
        return date.max, date.max, ever, ever
    day = company.day(asked.as_of)
    return day.replace(day=1), day, company.start_of(day), asked.as_of
