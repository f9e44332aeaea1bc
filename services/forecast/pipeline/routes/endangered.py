"""The deals that endanger a period most, each with its reasons (FC-4, DEAL-7)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, get_args
from uuid import UUID

from fastapi import Depends, Response

from services.forecast.asking.answers import Unconverted, money
from services.forecast.asking.parameters import AskedPeriod, PastQuery
from services.forecast.asking.periods import period
from services.forecast.asking.policies import counting
from services.forecast.counting.valuation import shown_left_out
from services.forecast.pipeline.dangers import DANGERS, Code, Reason
from services.forecast.pipeline.queries.endangered import RowPlace, endangered, place_of
from services.forecast.pipeline.queries.worth import DealWorth
from services.forecast.pipeline.timeline import CATEGORIES
from services.forecast.processes.queries import stages
from shared.domain.roles import READING
from shared.events.definition import words
from shared.events.money import Money
from shared.http.handwritten import answer, handwritten, operation
from shared.http.json import answer_shape
from shared.http.lists.paging import Paging, pages_of
from shared.languages.catalogue import Catalogue

router = handwritten("forecast")


@answer_shape
class Danger:
    """Why a deal may not come in; the more `weight`, the graver."""

    code: Annotated[str, words(get_args(Code))]
    sentence: str
    weight: int


@answer_shape
class EndangeredDeal:
    """An open deal of the period, what is at stake, and why it is in danger, the gravest reason first.

    `amount` is in the company's currency, at the exchange rate of the day asked about; `own_amount` in the deal's.
    """

    id: UUID
    name: str
    amount: Money
    own_amount: Money
    rate_published_on: date | None
    process_id: UUID
    process_version: int
    stage: str
    category: Annotated[str, words(CATEGORIES)]
    expected_close: date | None
    owner: UUID | None
    owner_name: str | None
    team: UUID | None
    team_name: str | None
    reasons: list[Danger]


@answer_shape
class EndangeredDeals:
    """The deals that endanger a period most, a page of them. `unconverted` counts the open deals that were left out for
    want of an exchange rate."""

    as_of: datetime
    period: str
    currency: str
    count: int
    """How many open deals of the period are in danger at all."""
    unconverted: list[Unconverted]
    deals: list[EndangeredDeal]
    next: str | None
    """The cursor of the following page."""
    has_more: bool


Gravest = Annotated[Paging, Depends(pages_of(5, 100))]


@router.get(
    "/v1/endangered-deals",
    **operation(
        roles=READING,
        reads=("deals", "processes", "rates"),
        answers=EndangeredDeals,
        worded=True,
    ),
)
async def endangered_deals(query: PastQuery, paged: Gravest, name: AskedPeriod = None) -> Response:
    """The open deals that endanger a period most, by amount at stake × gravity of the reasons."""
    today = query.company.day(query.question.as_of)
    wanted = period(name, query.company) if name is not None else query.company.fiscal_year.quarter_of(today)
    rules = await counting(query, DANGERS)
    async with query.reading() as reading:
        norms = {stage.key: stage for stage in await stages(reading("processes"))}
        found = await endangered(
            reading,
            query.question,
            query.company,
            norms,
            wanted,
            rules=rules.document,
            after=paged.behind(RowPlace),
            enough=paged.enough,
        )
        parked = reading.parked
    names = await query.service.organisation.names()
    page = paged.cut(found.deals, place_of)
    return answer(
        EndangeredDeals(
            as_of=query.question.as_of,
            period=wanted.name,
            currency=query.currency,
            count=found.count,
            unconverted=shown_left_out(query.words, found.unconverted),
            deals=[_row(deal, reasons, query.currency, names, query.words) for deal, reasons in page.rows],
            next=page.next,
            has_more=page.has_more,
        ),
        parked=parked,
        words=query.words,
        headers=page.headers,
    )


def _row(
    deal: DealWorth, reasons: list[Reason], currency: str, names: Mapping[UUID, str], catalogue: Catalogue
) -> EndangeredDeal:
    state = deal.state
    share = catalogue.share(state.probability)
    return EndangeredDeal(
        id=state.deal_id,
        name=state.name,
        amount=money(deal.amount, currency),
        own_amount=money(state.amount, state.currency),
        rate_published_on=deal.rate.published_on,
        process_id=state.process_id,
        process_version=state.process_version,
        stage=state.stage,
        category=state.category,
        expected_close=state.expected_close,
        owner=state.owner,
        owner_name=names.get(state.owner) if state.owner else None,
        team=state.team,
        team_name=names.get(state.team) if state.team else None,
        reasons=[_danger(reason, share, catalogue) for reason in reasons],
    )


def _danger(reason: Reason, share: str, catalogue: Catalogue) -> Danger:
    sentence = catalogue.say(f"danger.{reason.code}", share=share, **reason.told)
    return Danger(code=reason.code, sentence=sentence, weight=reason.weight)
