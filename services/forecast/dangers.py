"""The deals that endanger a period most, each with its reasons (FC-4, DEAL-7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from services.forecast.answers import money
from services.forecast.deal_figures import Wanted, deals_then
from services.forecast.figures import UNDATED, stage_of
from services.forecast.outlook import AskedPeriod
from services.forecast.paging import Paging, pages_of
from services.forecast.parameters import Put
from services.forecast.periods import Period, period, quarter_of
from services.forecast.processes import Stage, StageKey, stages
from services.forecast.timeline import OPEN, DealState
from shared.domain.context import Company
from shared.domain.money import Money
from shared.domain.roles import READING
from shared.web.routes import answer, operation

router = APIRouter(tags=["Forecast"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Danger:
    """Why a deal may not come in; the more `weight`, the graver."""

    code: str
    sentence: str
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EndangeredDeal:
    """An open deal of the period, what is at stake, and why it is in danger, the gravest reason first."""

    id: UUID
    name: str
    amount: Money
    process_id: UUID
    process_version: int
    stage: str
    category: str
    expected_close: date | None
    owner: UUID | None
    owner_name: str | None
    team: UUID | None
    reasons: list[Danger]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndangeredDeals:
    """The deals that endanger a period most, a page of them."""

    as_of: datetime
    period: str
    currency: str
    count: int
    """How many open deals of the period are in danger at all."""
    deals: list[EndangeredDeal]
    next: str | None
    """The cursor of the following page."""
    has_more: bool


Gravest = Annotated[Paging, Depends(pages_of(5, 100))]


@router.get("/v1/endangered-deals", **operation(roles=READING, answers=EndangeredDeals))
async def endangered_deals(put: Put, paged: Gravest, name: AskedPeriod = None) -> Response:
    """The open deals that endanger a period most, by amount at stake × gravity of the reasons."""
    today = put.company.day(put.question.as_of)
    wanted = period(name) if name else quarter_of(today)
    async with put.reading() as reading:
        norms = {stage.key: stage for stage in await stages(reading("processes"))}
        states = await deals_then(reading("deals"), put.question, due_by(wanted))
        parked = reading.parked
    names = await put.here.organisation.names()
    judged = [(state, dangers(state, put.question.as_of, put.company, norms, wanted)) for state in states]
    endangered = sorted(((state, reasons) for state, reasons in judged if reasons), key=_place)
    page = paged.pick(endangered, _place, tuple[Decimal, UUID])
    return answer(
        EndangeredDeals(
            as_of=put.question.as_of,
            period=wanted.name,
            currency=put.currency,
            count=len(endangered),
            deals=[_row(state, reasons, put.currency, names) for state, reasons in page.rows],
            next=page.next,
            has_more=page.has_more,
        ),
        parked=parked,
        headers=page.headers,
    )


def _place(judged: tuple[DealState, list[Danger]]) -> tuple[Decimal, UUID]:
    """Where a deal stands among the endangered: by amount at stake × gravity of the reasons."""
    state, reasons = judged
    return -state.amount * sum(reason.weight for reason in reasons), state.deal_id


def due_by(wanted: Period) -> Wanted:
    """The open deals that should close by the end of the period: in it, or already before it, or at no known time."""
    return Wanted(outcome=OPEN, due=(UNDATED, wanted.months[-1]))


def dangers(
    state: DealState, as_of: datetime, company: Company, norms: Mapping[StageKey, Stage], wanted: Period
) -> list[Danger]:
    """Every reason why an open deal may not come in, the gravest first."""
    today = company.day(as_of)
    found: list[Danger] = []
    if state.expected_close is None:
        found.append(Danger(code="no-close-date", sentence="It has no close date and counts in no period.", weight=2))
    elif state.expected_close < today:
        late = (today - state.expected_close).days
        found.append(Danger(code="close-date-passed", sentence=f"Expected to close {_days(late)} ago.", weight=5))
    if state.stalls < as_of:
        silent = (today - company.day(state.touched)).days
        found.append(Danger(code="silent", sentence=f"Nobody worked on it for {_days(silent)}.", weight=4))
    if state.pushes:
        times = "once" if state.pushes == 1 else f"{state.pushes} times"
        found.append(
            Danger(code="pushed", sentence=f"Its close date was pushed {times}.", weight=min(2 + state.pushes, 5))
        )
    stage = norms.get(stage_of(state))
    aged = (today - company.day(state.entered)).days
    if stage is not None and aged > stage.max_days:
        sentence = f"{_days(aged).capitalize()} in {stage.name}; the norm is {stage.max_days}."
        found.append(Danger(code="stage-overdue", sentence=sentence, weight=3))
    left = (wanted.last - today).days
    if (
        0 <= left <= 30
        and state.probability <= Decimal("0.3")
        and state.expected_close
        and state.expected_close <= wanted.last
    ):
        share = f"{state.probability:.0%}"
        found.append(
            Danger(code="too-early", sentence=f"Still at {share} with {_days(left)} of the period left.", weight=3)
        )
    return sorted(found, key=lambda danger: -danger.weight)


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _row(state: DealState, reasons: list[Danger], currency: str, names: Mapping[UUID, str]) -> EndangeredDeal:
    return EndangeredDeal(
        id=state.deal_id,
        name=state.name,
        amount=money(state.amount, currency),
        process_id=state.process_id,
        process_version=state.process_version,
        stage=state.stage,
        category=state.category,
        expected_close=state.expected_close,
        owner=state.owner,
        owner_name=names.get(state.owner) if state.owner else None,
        team=state.team,
        reasons=reasons,
    )
