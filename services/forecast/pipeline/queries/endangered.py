"""The query behind the endangered deals: ranked by amount at stake × gravity, in SQL, as a keyset page (FC-4).

The weights are those of `pipeline/dangers.py`, which tells why.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from services.forecast.asking.periods import Period
from services.forecast.asking.question import Question, scoped
from services.forecast.pipeline.dangers import (
    DATE_PASSED,
    ENDING_DAYS,
    FAR_FROM_WON,
    NO_DATE,
    SILENT,
    STAGE_OVERDUE,
    TOO_EARLY,
    Danger,
    dangers,
)
from services.forecast.pipeline.figures import UNDATED
from services.forecast.pipeline.model import read_state
from services.forecast.pipeline.queries.totals import Wanted, deals_then, standing
from services.forecast.pipeline.timeline import OPEN, DealState
from services.forecast.processes.queries import Stage, StageKey
from shared.domain.context import Company
from shared.projections.projection import ProjectionDatabase

Judged = tuple[DealState, list[Danger]]
"""A deal, and why it is in danger."""

Place = tuple[Decimal, UUID]
"""Where a deal stands among the endangered: by amount at stake × gravity of the reasons."""

FIRST: Place = (Decimal(-(10**30)), UUID(int=0))
"""Before every deal."""

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
    """Where a deal stands among the endangered."""
    state, reasons = judged
    return -state.amount * sum(reason.weight for reason in reasons), state.deal_id


def due_by(wanted: Period) -> Wanted:
    """The open deals that should close by the end of the period: in it, or already before it, or at no known time."""
    return Wanted(outcome=OPEN, due=(UNDATED, wanted.months[-1]))
