"""The deals that endanger a period most, each with its reasons (FC-4, DEAL-7)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from services.forecast.answers import money
from services.forecast.deal_figures import Wanted, deals_then, standing
from services.forecast.deals import read_state
from services.forecast.figures import UNDATED, stage_of
from services.forecast.outlook import AskedPeriod
from services.forecast.paging import Paging, pages_of
from services.forecast.parameters import Put
from services.forecast.periods import Period, period, quarter_of
from services.forecast.processes import Stage, StageKey, stages
from services.forecast.question import Question, scoped
from services.forecast.timeline import OPEN, DealState
from shared.domain.context import Company
from shared.domain.roles import READING
from shared.events.money import Money
from shared.http.handwritten import answer, operation
from shared.projections.projection import ProjectionDatabase

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
    wanted = period(name) if name is not None else quarter_of(today)
    async with put.reading() as reading:
        norms = {stage.key: stage for stage in await stages(reading("processes"))}
        found = await endangered(
            reading("deals"), put.question, put.company, norms, wanted, after=paged.behind(Place), enough=paged.enough
        )
        parked = reading.parked
    names = await put.here.organisation.names()
    page = paged.cut(found.deals, place_of)
    return answer(
        EndangeredDeals(
            as_of=put.question.as_of,
            period=wanted.name,
            currency=put.currency,
            count=found.count,
            deals=[_row(state, reasons, put.currency, names) for state, reasons in page.rows],
            next=page.next,
            has_more=page.has_more,
        ),
        parked=parked,
        headers=page.headers,
    )


Judged = tuple[DealState, list[Danger]]
"""A deal, and why it is in danger."""

Place = tuple[Decimal, UUID]
"""Where a deal stands among the endangered: by amount at stake × gravity of the reasons."""

FIRST: Place = (Decimal(-(10**30)), UUID(int=0))
"""Before every deal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endangered:
    """The deals in danger: some of them in order, and how many there are."""

    deals: list[Judged]
    count: int


async def endangered(
    db: ProjectionDatabase,
    asked: Question,
    company: Company,
    norms: Mapping[StageKey, Stage],
    wanted: Period,
    *,
    after: Place | None,
    enough: int,
) -> Endangered:
    """The deals in danger that come after a place, as many as are enough: the database weighs, `dangers` tells why."""

    def judge(states: Iterable[DealState]) -> list[Judged]:
        return [(state, dangers(state, asked.as_of, company, norms, wanted)) for state in states]

    if asked.known_at is not None:
        judged = [each for each in judge(await deals_then(db, asked, due_by(wanted))) if each[1]]
        following = sorted((each for each in judged if place_of(each) > (after or FIRST)), key=place_of)
        return Endangered(deals=following[:enough], count=len(judged))
    today = company.day(asked.as_of)
    ending = 0 <= (wanted.last - today).days <= ENDING_DAYS
    given = (asked.as_of, today, ending, wanted.last, wanted.months[-1], *(after or FIRST), enough)
    parts = (STANDING_OPEN.replace("{span}", span) for span in standing(asked))
    sql = scoped(ENDANGERED.replace("{standing}", " union all ".join(parts)))
    rows = await db.fetch(sql, *asked.scope, *given)
    states = [read_state(row["state"]) for row in rows if row["state"] is not None]
    return Endangered(deals=judge(states), count=rows[0]["number"])


def place_of(judged: Judged) -> Place:
    state, reasons = judged
    return -state.amount * sum(reason.weight for reason in reasons), state.deal_id


NO_DATE, DATE_PASSED, SILENT, STAGE_OVERDUE, TOO_EARLY = 2, 5, 4, 3, 3
"""How grave each reason is; a push weighs more the more there were."""

ENDING_DAYS = 30
"""How near the end of the period has to be for a deal far from won to be in danger."""

FAR_FROM_WON = Decimal("0.3")


def pushed(pushes: int) -> int:
    """How grave pushes of the close date are."""
    return min(2 + pushes, 5)


STANDING_OPEN = """
select deal_id, start_at, amount, expected_close, stalled_at, pushes, entered_on, probability,
       process_id, process_version, stage from {span} where outcome = 'open' and due <= $10 and {scope}
"""

ENDANGERED = f"""
with standing as ({{standing}}), judged as (
    select deal_id, start_at, amount * (
               case when expected_close is null then {NO_DATE} when expected_close < $7 then {DATE_PASSED} else 0 end
             + case when stalled_at <= $6 then {SILENT} else 0 end
             + case when pushes > 0 then least(2 + pushes, 5) else 0 end
             + case when $7 - entered_on > norm.max_days then {STAGE_OVERDUE} else 0 end
             + case when $8 and probability <= {FAR_FROM_WON} and expected_close <= $9 then {TOO_EARLY} else 0 end
           ) as stake, (
               expected_close is null or expected_close < $7 or stalled_at <= $6 or pushes > 0
            or coalesce($7 - entered_on > norm.max_days, false)
            or ($8 and probability <= {FAR_FROM_WON} and expected_close <= $9)
           ) as endangered
      from standing left join {{processes}}.stage norm
        on (norm.process_id, norm.version, norm.stage)
         = (standing.process_id, standing.process_version, standing.stage)
)
select number, (select state from {{view}}.span s
                 where s.deal_id = chosen.deal_id and s.start_at = chosen.start_at) as state
  from (select count(*) as number from judged where endangered) counted
  left join (select deal_id, start_at, -stake as place from judged
              where endangered and (-stake, deal_id) > ($11, $12) order by -stake, deal_id limit $13) chosen on true
 order by place, deal_id
"""  # noqa: S608 - our own words


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
        found.append(
            Danger(code="no-close-date", sentence="It has no close date and counts in no period.", weight=NO_DATE)
        )
    elif state.expected_close < today:
        late = (today - state.expected_close).days
        found.append(
            Danger(code="close-date-passed", sentence=f"Expected to close {_days(late)} ago.", weight=DATE_PASSED)
        )
    if state.stalls(company) < as_of:
        silent = (today - company.day(state.touched)).days
        found.append(Danger(code="silent", sentence=f"Nobody worked on it for {_days(silent)}.", weight=SILENT))
    if state.pushes:
        times = "once" if state.pushes == 1 else f"{state.pushes} times"
        found.append(Danger(code="pushed", sentence=f"Its close date was pushed {times}.", weight=pushed(state.pushes)))
    stage = norms.get(stage_of(state))
    aged = (today - company.day(state.entered)).days
    if stage is not None and aged > stage.max_days:
        sentence = f"{_days(aged).capitalize()} in {stage.name}; the norm is {stage.max_days}."
        found.append(Danger(code="stage-overdue", sentence=sentence, weight=STAGE_OVERDUE))
    left = (wanted.last - today).days
    if (
        0 <= left <= ENDING_DAYS
        and state.probability <= FAR_FROM_WON
        and state.expected_close
        and state.expected_close <= wanted.last
    ):
        share = f"{state.probability:.0%}"
        found.append(
            Danger(
                code="too-early", sentence=f"Still at {share} with {_days(left)} of the period left.", weight=TOO_EARLY
            )
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
