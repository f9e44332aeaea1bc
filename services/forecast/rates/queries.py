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

# Both rates of one table, as they were known then; of two tables of one day that of the company's own currency.
LAST = """
select asked.currency, asked.day, last.*
  from unnest($1::text[], $2::date[]) as asked (currency, day) cross join lateral (
    select one.published_on, one.rate as source, own.rate as target
      from {view}.rate one join {view}.rate own
        on own.table_id = one.table_id and own.currency = $3 and own.known <= $4
           and (own.known_until is null or own.known_until > $4)
     where one.currency = asked.currency and one.published_on <= asked.day
       and one.known <= $4 and (one.known_until is null or one.known_until > $4)
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
