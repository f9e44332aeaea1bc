"""The query to the read model of exchange rates: what currencies were worth on days, as known at any instant (FC-1).

A rate counts from the day on which it was published until the next one. Between two currencies of which neither is the
base, both have to stand in the table of one day.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from services.forecast.asking.question import Question
from services.forecast.counting.valuation import OfDay, Rate, Rates
from shared.domain.exchange import factor
from shared.projections.projection import ProjectionDatabase
from shared.projections.read_snapshot import ReadSnapshot

# Both rates of one table, each as it was published last of what was known and stood then; of two tables of one day that
# of the company's own currency. What was told again under its name replaces what was told before, whole.
LAST = """
with asked as (select * from unnest($1::text[], $2::date[]) as asked (currency, day)),
standing as not materialized (
    select * from {view}.publication p where known <= $4 and (retracted is null or retracted > $4)
       and not exists (select from {view}.publication again
                        where (again.table_id, again.fact) = (p.table_id, p.fact) and again.sequence > p.sequence
                          and again.request <> p.request and again.known <= $4
                          and (again.retracted is null or again.retracted > $4))
),
counting as not materialized (
    select r.table_id, r.currency, r.rate, r.published_on, p.base from {view}.rate r
      join standing p using (table_id, sequence)
     where not exists (select from {view}.rate other join standing later using (table_id, sequence)
                        where (other.table_id, other.currency) = (r.table_id, r.currency) and later.place > p.place)
)
select asked.currency, asked.day, last.* from asked cross join lateral (
    select one.published_on, one.rate as source, own.rate as target
      from counting one join counting own on own.table_id = one.table_id and own.currency = $3
     where one.currency = asked.currency and one.published_on <= asked.day
     order by one.published_on desc, one.base = $3 desc, one.base limit 1
) as last
"""


async def rates_of(reading: ReadSnapshot, asked: Question, company: str, wanted: Iterable[OfDay]) -> Rates:
    """What currencies were worth in the company's on days: each by the last rate published on or before the day."""
    foreign = sorted({(currency, day) for currency, day in wanted if currency != company})
    if not foreign:
        return Rates(company=company)
    return Rates(company=company, known=await _last(reading("rates"), asked, company, foreign))


async def _last(db: ProjectionDatabase, asked: Question, company: str, foreign: list[OfDay]) -> Mapping[OfDay, Rate]:
    currencies: list[str] = [currency for currency, _ in foreign]
    days: list[date] = [day for _, day in foreign]
    found: dict[OfDay, Rate] = {}
    for row in await db.fetch(LAST, currencies, days, company, asked.known_until):
        told = {row["currency"]: row["source"], company: row["target"]}
        worth = factor(told, row["currency"], company)
        if worth is not None:
            found[row["currency"], row["day"]] = Rate(worth, row["published_on"])
    return found
