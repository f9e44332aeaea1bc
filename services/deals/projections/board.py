"""The rows of a board: what stands in each stage of a process, and what that comes to, on one snapshot.

A column is a page of the list of deals, of those that have stood longest in the stage. So it has that list's filters
and scope, and its cursor goes on there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.deals.projections.deals import DEALS
from shared.domain.context import Actor
from shared.projections.cursors import Cursors
from shared.projections.list_pages import ListPage, page_of, reads_of, totals_by
from shared.projections.list_queries import ListQuery, QueryParams, understand
from shared.projections.lists import Listing
from shared.projections.read_snapshot import Projections

ORDER = "stage_since"
"""What has stood longest in its stage comes first: it is what a team looks for on a board."""
DEAL_TOTALS = replace(DEALS, table="deal_total", counts="sum(count)::bigint")
FEW = 200
"""A column of no more is read whole and sorted: its size is known before it is read."""
TOTALLED = {"process", "status", "currency", "team", "owner", "mine", "unassigned"}
"""What the summary table can be narrowed by, which holds open deals alone; of anything else the deals are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRows:
    """What stands on a board, by stages in which something does, and how current that is."""

    totals: Mapping[str, Mapping[str, Any]]
    pages: Mapping[str, ListPage]
    as_of: datetime | None
    parked: int


async def board_rows(
    projections: Projections, actor: Actor, query: QueryParams, asked: ListQuery, cursors: Cursors
) -> BoardRows:
    """The rows of a board that a query `of_board` asks for, and which was found to be in order as `asked`."""
    async with projections.reading(reads_of(DEALS, projections.every)) as reading:
        totals = await totals_by(reading, *_counted(actor, asked), "stage")
        columns = {stage: _column(query, asked, stage, actor, cursors, told["count"]) for stage, told in totals.items()}
        pages = {stage: await page_of(reading, DEALS, actor, column, cursors) for stage, column in columns.items()}
        deals = reading(DEALS.projection)
        return BoardRows(totals=totals, pages=pages, as_of=deals.as_of, parked=deals.parked)


def of_board(process: Any, cards: int, narrowing: QueryParams) -> dict[str, Sequence[str]]:
    """The query of the list of deals whose rows stand on a board, so many for each stage."""
    fixed = {"process": [f"{process}"], "status": ["open"], "sort": [ORDER], "limit": [f"{cards}"]}
    return {**narrowing, **fixed}


def of_column(query: QueryParams, stage: str) -> dict[str, Sequence[str]]:
    """The same for one stage of it."""
    return {**query, "stage": [stage]}


def _column(  # noqa: PLR0917
    query: QueryParams, asked: ListQuery, stage: str, actor: Actor, cursors: Cursors, count: int
) -> ListQuery:
    of_stage = understand(DEALS, of_column(query, stage), actor, cursors, asked.today, calendar=asked.calendar)
    # The teams that stand for those below them were found before.
    return replace(of_stage, values={**asked.values, "stage": [stage]}, few=count <= FEW)


def _counted(actor: Actor, asked: ListQuery) -> tuple[Listing, Actor, ListQuery]:
    """Where the totals of a board are summed: from what is kept of them, or from the deals."""
    if asked.values.keys() - TOTALLED:
        return DEALS, actor, asked
    kept = {name: value for name, value in asked.values.items() if name != "status"}
    return DEAL_TOTALS, actor, replace(asked, values=kept)
