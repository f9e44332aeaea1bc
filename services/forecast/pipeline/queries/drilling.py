"""The query behind drill-downs: a keyset page of the deals behind a figure, and the sum of all of them (FC-1, FC-4).

A page reads as many deals as it shows; their sum comes from the summary tables.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.forecast.asking.question import Question, scoped
from services.forecast.counting.sums import Sum
from services.forecast.pipeline.figures import sum_of
from services.forecast.pipeline.model import read_state
from services.forecast.pipeline.queries.totals import Wanted, closed_rows, deals_then, open_rows, standing
from services.forecast.pipeline.timeline import OPEN, DealState
from shared.domain.context import Company
from shared.projections.projection import ProjectionDatabase

FOLLOWING = "select state, amount, deal_id from {span} where {scope}{wanted} order by -amount, deal_id limit $7"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """The deals behind a figure: some of them in order, and the sum of all. Open deals count in `expected` with their
    weighted amount, closed ones with all of it."""

    deals: list[DealState]
    total: Sum
    expected: Decimal


Place = tuple[Decimal, UUID]
"""Where a deal stands in a drill-down: the largest first."""


def place_of(state: DealState) -> Place:
    """Where a deal stands in a drill-down."""
    return -state.amount, state.deal_id


async def deals_behind(
    db: ProjectionDatabase,
    asked: Question,
    company: Company,
    parts: Sequence[Wanted],
    *,
    after: Place | None,
    enough: int,
) -> Behind:
    """The deals of all parts that come after a place, as many as are enough. The parts have no deal in common."""
    if asked.known_at is not None:
        states = await deals_then(db, asked)
        chosen = sorted((s for s in states if any(part.admits(s) for part in parts)), key=place_of)
        shown = [state for state in chosen if after is None or place_of(state) > after][:enough]
        total, won = _sum(map(sum_of, chosen)), _sum(sum_of(s) for s in chosen if s.outcome != OPEN)
    else:
        found = [state for part in parts for state in await _following(db, asked, part, after, enough)]
        shown = sorted(found, key=place_of)[:enough]
        sums = [(part.outcome, await _counted(db, asked, company, part)) for part in parts]
        total, won = _sum(each for _, each in sums), _sum(each for outcome, each in sums if outcome != OPEN)
    return Behind(deals=shown, total=total, expected=won.amount + total.weighted)


async def _following(
    db: ProjectionDatabase, asked: Question, wanted: Wanted, after: Place | None, enough: int
) -> list[DealState]:
    conditions, arguments = wanted.conditions(8)
    if after is not None:
        numbers = len(arguments) + 8
        conditions += f" and (-amount, deal_id) > (${numbers}, ${numbers + 1})"
        arguments += after
    parts = [f"({FOLLOWING.replace('{span}', span).replace('{wanted}', conditions)})" for span in standing(asked)]
    sql = f"select state from ({' union all '.join(parts)}) as found order by -amount, deal_id limit $7"  # noqa: S608
    rows = await db.fetch(scoped(sql), *asked.scope, asked.as_of, enough, *arguments)
    return [read_state(row["state"]) for row in rows]


async def _counted(db: ProjectionDatabase, asked: Question, company: Company, wanted: Wanted) -> Sum:
    """The sum of what is wanted, from the maintained figures."""
    if wanted.outcome == OPEN:
        rows = await open_rows(db, asked, company, wanted)
        return _sum(Sum(row.count, row.amount, row.weighted) for row in rows)
    first, last = wanted.closed or (date.min, date.max)
    closed = await closed_rows(db, asked, company, first, last, wanted=wanted)
    return _sum(Sum(row.count, row.amount) for row in closed)


def _sum(parts: Iterable[Sum]) -> Sum:
    return sum(parts, Sum())
