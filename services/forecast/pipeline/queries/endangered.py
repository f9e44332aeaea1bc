"""The query behind the endangered deals: ranked by amount at stake × gravity, in SQL, as a keyset page (FC-4).

The weights are those of `pipeline/dangers.py`, which tells why. What is at stake is weighed in the company's currency,
at the exchange rates of the day asked about; a deal without a rate is left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from services.forecast.asking.question import Question, scoped
from services.forecast.counting.sums import Sum
from services.forecast.counting.valuation import LeftOut
from services.forecast.pipeline.dangers import (
    DATE_PASSED,
    NO_DATE,
    SILENT,
    STAGE_OVERDUE,
    TOO_EARLY,
    Reason,
    dangers,
)
from services.forecast.pipeline.figures import UNDATED
from services.forecast.pipeline.model import read_state
from services.forecast.pipeline.queries.totals import Wanted, deals_then, open_rows, standing
from services.forecast.pipeline.queries.worth import DealWorth, worth_of_deals, worth_of_open
from services.forecast.pipeline.timeline import OPEN, DealState
from services.forecast.processes.queries import Stage, StageKey
from services.forecast.rates.queries import rates_of
from shared.domain.context import Company
from shared.domain.exchange import times
from shared.domain.periods import Period
from shared.events.forecast.policy import DangerRules
from shared.projections.read_snapshot import ReadSnapshot

Judged = tuple[DealWorth, list[Reason]]
"""A deal with its worth, and why it is in danger."""

RowPlace = tuple[Decimal, UUID]
"""Where a deal stands among the endangered: by amount at stake × gravity of the reasons."""

FIRST: RowPlace = (Decimal(-(10**60)), UUID(int=0))
"""Before every deal."""

STANDING_OPEN = """
select deal_id, start_at, currency, amount, expected_close, stalled_at, pushes, entered_on, probability,
       process_id, process_version, stage from {span} where outcome = 'open' and due <= $10 and {scope}
"""

ENDANGERED = f"""
with standing as ({{standing}}), judged as (
    select deal_id, start_at, amount * factor * (
               case when expected_close is null then {NO_DATE} when expected_close < $7 then {DATE_PASSED} else 0 end
             + case when stalled_at <= $6 then {SILENT} else 0 end
             + case when pushes > 0 then least(2 + pushes, 5) else 0 end
             + case when $7 - entered_on > norm.max_days then {STAGE_OVERDUE} else 0 end
             + case when $8 and probability <= $16 and expected_close <= $9 then {TOO_EARLY} else 0 end
           ) as stake, (
               expected_close is null or expected_close < $7 or stalled_at <= $6 or pushes > 0
            or coalesce($7 - entered_on > norm.max_days, false)
            or ($8 and probability <= $16 and expected_close <= $9)
           ) as endangered
      from standing join unnest($14::text[], $15::numeric[]) as rate (of_currency, factor) on of_currency = currency
      left join {{processes}}.stage norm
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
    unconverted: Mapping[LeftOut, Sum]


async def endangered(
    reading: ReadSnapshot,
    asked: Question,
    company: Company,
    norms: Mapping[StageKey, Stage],
    wanted: Period,
    *,
    rules: DangerRules,
    after: RowPlace | None,
    enough: int,
) -> Endangered:
    """The deals in danger that come after a place, as many as are enough: the database weighs, `dangers` tells why."""
    db, today = reading("deals"), company.day(asked.as_of)
    rows = await open_rows(db, asked, company, due_by(wanted))
    rates = await rates_of(reading, asked, company.currency, ((row.currency, today) for row in rows))
    left = worth_of_open(rows, rates, today).unconverted

    def judge(states: Iterable[DealState]) -> list[Judged]:
        deals = worth_of_deals(states, rates, today)
        return [(deal, dangers(deal.state, asked.as_of, company, norms, wanted, rules)) for deal in deals]

    if asked.known_at is not None:
        judged = [each for each in judge(await deals_then(db, asked, due_by(wanted))) if each[1]]
        following = sorted((each for each in judged if place_of(each) > (after or FIRST)), key=place_of)
        return Endangered(deals=following[:enough], count=len(judged), unconverted=left)
    ending = 0 <= (wanted.last - today).days <= rules.ending_days
    currencies, (factors,) = rates.table(today)
    place = after or FIRST
    given = (
        asked.as_of,
        today,
        ending,
        wanted.last,
        wanted.months[-1],
        *place,
        enough,
        currencies,
        factors,
    )
    parts = (STANDING_OPEN.replace("{span}", span) for span in standing(asked))
    sql = scoped(ENDANGERED.replace("{standing}", " union all ".join(parts)))
    found = await db.fetch(sql, *asked.scope, *given, rules.far_from_won)
    states = [read_state(row["state"]) for row in found if row["state"] is not None]
    return Endangered(deals=judge(states), count=found[0]["number"], unconverted=left)


def place_of(judged: Judged) -> RowPlace:
    """Where a deal stands among the endangered."""
    deal, reasons = judged
    stake = times(deal.amount, Decimal(sum(reason.weight for reason in reasons)))
    return stake.copy_negate(), deal.state.deal_id


def due_by(wanted: Period) -> Wanted:
    """The open deals that should close by the end of the period: in it, or already before it, or at no known time."""
    return Wanted(outcome=OPEN, due=(UNDATED, wanted.months[-1]))
