"""The query behind drill-downs: a keyset page of the deals behind a figure, and the sum of all of them (FC-1, FC-4).

A page reads as many deals as it shows; their sum comes from the summary tables. Only deals in another currency than the
company's are all read, since their order depends on the rates. What has no rate is in no drill-down, as in no figure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

from services.forecast.asking.question import Question, scoped
from services.forecast.counting.sums import Sum
from services.forecast.counting.valuation import LeftOut, OfDay, Rates, Valued, merged
from services.forecast.pipeline.model import read_state
from services.forecast.pipeline.queries.totals import (
    ClosedRow,
    OpenRow,
    Wanted,
    closed_rows,
    deals_then,
    open_rows,
    standing,
)
from services.forecast.pipeline.queries.worth import DealWorth, worth_of_closed, worth_of_deals, worth_of_open
from services.forecast.pipeline.timeline import OPEN, DealState
from services.forecast.rates.queries import rates_of
from shared.domain.context import Company
from shared.projections.projection import ProjectionDatabase
from shared.projections.read_snapshot import ReadSnapshot

OWN = """
select state, amount as worth, deal_id from {span} where {scope}{wanted} and currency = $8{behind}
 order by -amount, deal_id limit $7
"""
FOREIGN = """
select state, amount * factor as worth, deal_id
  from {span} join unnest($9::text[], $10::date[], $11::numeric[]) as rate (of_currency, of_day, factor)
    on of_currency = span.currency and of_day = coalesce(span.closed_on, $12)
 where {scope}{wanted} and span.currency <> $8{behind}
 order by worth desc, deal_id limit $7
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """The deals behind a figure: some of them in order, and the sum of all. Open deals count in `expected` with their
    weighted amount, closed ones with all of it."""

    deals: list[DealWorth]
    total: Sum
    expected: Decimal
    unconverted: Mapping[LeftOut, Sum] = field(default_factory=lambda: MappingProxyType({}))


RowPlace = tuple[Decimal, UUID]
"""Where a deal stands in a drill-down: the largest first."""


def place_of(deal: DealWorth) -> RowPlace:
    """Where a deal stands in a drill-down."""
    return deal.amount.copy_negate(), deal.state.deal_id


async def deals_behind(
    reading: ReadSnapshot,
    asked: Question,
    company: Company,
    parts: Sequence[Wanted],
    *,
    after: RowPlace | None,
    enough: int,
) -> Behind:
    """The deals of all parts that come after a place, as many as are enough. The parts have no deal in common."""
    db, today = reading("deals"), company.day(asked.as_of)
    sums = [await _rows(db, asked, company, part) for part in parts]
    rates = await rates_of(reading, asked, company.currency, _days(sums, today))
    valued = [(part.outcome, _valued(rows, rates, today)) for part, rows in zip(parts, sums, strict=True)]
    if asked.known_at is not None:
        states = [s for s in await deals_then(db, asked) if any(part.admits(s) for part in parts)]
    else:
        states = [
            state
            for part, rows in zip(parts, sums, strict=True)
            for state in await _following(
                db, asked, company, part, rates, foreign=_is_foreign(rows, company), after=after, enough=enough
            )
        ]
    deals = sorted(worth_of_deals(states, rates, today), key=place_of)
    totals = [(outcome, _sum(rows)) for outcome, rows in valued]
    return Behind(
        deals=[deal for deal in deals if after is None or place_of(deal) > after][:enough],
        total=sum((each for _, each in totals), Sum()),
        expected=sum((each.weighted if outcome == OPEN else each.amount for outcome, each in totals), Decimal(0)),
        unconverted=merged(*(rows.unconverted for _, rows in valued)),
    )


Rows = Sequence[OpenRow] | Sequence[ClosedRow]


async def _rows(db: ProjectionDatabase, asked: Question, company: Company, wanted: Wanted) -> Rows:
    """What is wanted, from the maintained figures."""
    if wanted.outcome == OPEN:
        return await open_rows(db, asked, company, wanted)
    first, last = wanted.closed or (date.min, date.max)
    return await closed_rows(db, asked, company, first, last, wanted=wanted)


def _days(sums: Iterable[Rows], today: date) -> Iterable[OfDay]:
    """The rates that rows need."""
    return ((row.currency, row.valued_on if isinstance(row, ClosedRow) else today) for rows in sums for row in rows)


def _is_foreign(rows: Rows, company: Company) -> bool:
    return any(row.currency != company.currency for row in rows)


def _valued(rows: Rows, rates: Rates, today: date) -> Valued[OpenRow] | Valued[ClosedRow]:
    closed = [row for row in rows if isinstance(row, ClosedRow)]
    if closed:
        return worth_of_closed(closed, rates)
    return worth_of_open([row for row in rows if isinstance(row, OpenRow)], rates, today)


def _sum(valued: Valued[OpenRow] | Valued[ClosedRow]) -> Sum:
    return sum(
        (Sum(row.count, row.amount, row.weighted if isinstance(row, OpenRow) else Decimal(0)) for row in valued.rows),
        Sum(),
    )


async def _following(
    db: ProjectionDatabase,
    asked: Question,
    company: Company,
    wanted: Wanted,
    rates: Rates,
    *,
    foreign: bool,
    after: RowPlace | None,
    enough: int,
) -> list[DealState]:
    """The wanted deals that follow a place: those in the company's currency by their index, others by their worth."""
    given: list[Any] = [*asked.scope, asked.as_of, enough, company.currency]
    found = await _page(db, asked, OWN, wanted, given, "(-amount, deal_id)", after)
    if not foreign or not rates.known:
        return found
    days = list(rates.known.items())
    given += [
        [currency for (currency, _), _ in days],
        [day for (_, day), _ in days],
        [rate.factor for _, rate in days],
        company.day(asked.as_of),
    ]
    return found + await _page(db, asked, FOREIGN, wanted, given, "(-(amount * factor), deal_id)", after)


async def _page(  # noqa: PLR0917
    db: ProjectionDatabase,
    asked: Question,
    sql: str,
    wanted: Wanted,
    given: Sequence[Any],
    place: str,
    after: RowPlace | None,
) -> list[DealState]:
    conditions, arguments = wanted.conditions(len(given) + 1)
    number = len(given) + len(arguments) + 1
    behind = f" and {place} > (${number}, ${number + 1})" if after is not None else ""
    sql = sql.replace("{wanted}", conditions).replace("{behind}", behind)
    parts = [f"({sql.replace('{span}', span)})" for span in standing(asked)]
    whole = f"select state from ({' union all '.join(parts)}) as found order by worth desc, deal_id limit $7"  # noqa: S608
    rows = await db.fetch(scoped(whole), *given, *arguments, *(after or ()))
    return [read_state(row["state"]) for row in rows]
