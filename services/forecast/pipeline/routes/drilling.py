"""Drill-downs over HTTP: a page of the deals behind a figure, as the routes of figures answer with (FC-1, FC-4)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Response

from services.forecast.asking.answers import Unconverted, money
from services.forecast.asking.parameters import QueryContext
from services.forecast.asking.wording import outcome_title
from services.forecast.counting.valuation import shown_left_out
from services.forecast.pipeline.figures import stage_of
from services.forecast.pipeline.queries.drilling import RowPlace, deals_behind, place_of
from services.forecast.pipeline.queries.totals import Wanted
from services.forecast.pipeline.queries.worth import DealWorth
from services.forecast.pipeline.timeline import CATEGORIES, OUTCOME_WORDS
from services.forecast.processes.queries import StageKey, stages
from shared.events.definition import words
from shared.events.money import Money
from shared.http.handwritten import answer
from shared.http.json import answer_shape
from shared.http.lists.paging import Paging
from shared.languages.catalogue import Catalogue
from shared.languages.wording import spelled


@answer_shape
class DrilledDeal:
    """A deal in a drill-down, as it stood at the instant asked about; `outcome_title` is the outcome in words.

    `stage_name` is what its process calls the stage, or the key in words as long as no publication of it is known.
    `amount` and `weighted` are in the company's currency, `own_amount` is in the deal's; `rate_published_on` is the day
    of the exchange rate between them, null when they are the same.
    """

    id: UUID
    name: str
    amount: Money
    weighted: Money
    own_amount: Money
    rate_published_on: date | None
    process_id: UUID
    process_version: int
    stage: str
    stage_name: str
    category: Annotated[str, words(CATEGORIES)]
    outcome: Annotated[str, words(OUTCOME_WORDS)]
    outcome_title: str
    expected_close: date | None
    closed_on: date | None
    owner: UUID | None
    owner_name: str | None
    team: UUID | None
    team_name: str | None


@answer_shape
class DrilledDeals:
    """The deals behind a figure, the largest first, a page of them, and what all of them add up to.

    `expected` is the amount of closed deals and the weighted amount of open ones. An open deal in another currency is
    worth what it is at the rate of the day asked about, a closed one at that of its own day; `unconverted` counts what
    was left out for want of a rate.
    """

    as_of: datetime
    currency: str
    count: int
    amount: Money
    weighted: Money
    expected: Money
    unconverted: list[Unconverted]
    deals: list[DrilledDeal]
    next: str | None
    """The cursor of the following page."""
    has_more: bool


DRILLED = ("deals", "processes", "rates")
"""The read models behind a page of deals."""


async def drilled(query: QueryContext, paged: Paging, parts: Sequence[Wanted]) -> Response:
    """A page of the deals of all parts, the largest first, and the sums of all."""
    async with query.reading() as reading:
        found = await deals_behind(
            reading, query.question, query.company, parts, after=paged.behind(RowPlace), enough=paged.enough
        )
        names = {stage.key: stage.name for stage in await stages(reading("processes"))}
        parked = reading.parked
    called = await query.service.organisation.names()
    page = paged.cut(found.deals, place_of)
    rows = DrilledDeals(
        as_of=query.question.as_of,
        currency=query.currency,
        count=found.total.count,
        amount=money(found.total.amount, query.currency),
        weighted=money(found.total.weighted, query.currency),
        expected=money(found.expected, query.currency),
        unconverted=shown_left_out(query.words, found.unconverted),
        deals=[_row(deal, query.currency, names, called, query.words) for deal in page.rows],
        next=page.next,
        has_more=page.has_more,
    )
    return answer(rows, parked=parked, words=query.words, headers=page.headers)


def _row(
    deal: DealWorth, currency: str, names: Mapping[StageKey, str], called: Mapping[UUID, str], catalogue: Catalogue
) -> DrilledDeal:
    state = deal.state
    return DrilledDeal(
        id=state.deal_id,
        name=state.name,
        amount=money(deal.amount, currency),
        weighted=money(deal.weighted, currency),
        own_amount=money(state.amount, state.currency),
        rate_published_on=deal.rate.published_on,
        process_id=state.process_id,
        process_version=state.process_version,
        stage=state.stage,
        stage_name=names.get(stage_of(state)) or spelled(state.stage),
        category=state.category,
        outcome=state.outcome,
        outcome_title=outcome_title(catalogue, state.outcome),
        expected_close=state.expected_close,
        closed_on=state.closed_on,
        owner=state.owner,
        owner_name=called.get(state.owner) if state.owner else None,
        team=state.team,
        team_name=called.get(state.team) if state.team else None,
    )
