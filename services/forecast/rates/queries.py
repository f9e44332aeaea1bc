"""The query to the read model of exchange rates: what currencies were worth on days, as known at any instant (FC-1).

A rate counts from the day on which it was published until the next one. Between two currencies of which neither is the
base, both have to stand in the table of one day.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from services.forecast.asking.question import Question
from services.forecast.counting.valuation import OfDay, Rate, Rates
from shared.domain.exchange import factor
from shared.projections.projection import ProjectionDatabase
from shared.projections.read_snapshot import ReadSnapshot

# Both rates of one table, as they were known then; of two tables of one day that of the company's own currency.
PAIRS = """
select one.currency, one.published_on, one.rate as source, own.rate as target
  from {view}.rate one join {view}.rate own
    on own.table_id = one.table_id and own.currency = $1 and own.known <= $2
       and (own.known_until is null or own.known_until > $2)
 where one.known <= $2 and (one.known_until is null or one.known_until > $2)
"""
LAST = f"""
select last.* from unnest($3::text[], $4::date[]) as asked (currency, day) cross join lateral (
    {PAIRS} and one.currency = asked.currency and one.published_on <= asked.day
     order by one.published_on desc, one.base = $1 desc, one.base limit 1
) as last
"""  # noqa: S608 - our own words
"""The last on or before a day."""
FURTHER = f"""
{PAIRS} and one.currency = any($3) and one.published_on > $4 and one.published_on <= $5
 order by one.currency, one.published_on, one.base <> $1, one.base
"""
"""All of the days after one, up to another."""


async def rates_of(reading: ReadSnapshot, asked: Question, company: str, wanted: Iterable[OfDay]) -> Rates:
    """What currencies were worth in the company's on days: each by the last rate published on or before the day."""
    days: dict[str, set[date]] = defaultdict(set)
    for currency, day in wanted:
        if currency != company:
            days[currency].add(day)
    if not days:
        return Rates(company=company)
    published = await _published(reading("rates"), asked, company, days)
    return Rates(
        company=company,
        known={
            (currency, day): rate
            for currency, of in days.items()
            for day in of
            if (rate := _on_or_before(published.get(currency, ()), day)) is not None
        },
    )


async def _published(
    db: ProjectionDatabase, asked: Question, company: str, days: Mapping[str, Collection[date]]
) -> Mapping[str, Sequence[Rate]]:
    """The rates of currencies by day: from the one that counted on the first day asked about until the last day. Each
    is looked for once, however many days are asked about and however often the two never stood in one table."""
    firsts = {currency: min(of) for currency, of in days.items()}
    rows = await db.fetch(LAST, company, asked.known_until, list(firsts), list(firsts.values()))
    first, last = min(firsts.values()), max(max(of) for of in days.values())
    if last > first:
        rows += await db.fetch(FURTHER, company, asked.known_until, list(firsts), first, last)
    found: dict[str, dict[date, Rate]] = defaultdict(dict)
    for row in rows:
        told = {row["currency"]: row["source"], company: row["target"]}
        worth = factor(told, row["currency"], company)
        if worth is not None:
            found[row["currency"]].setdefault(row["published_on"], Rate(worth, row["published_on"]))
    return {currency: [by_day[day] for day in sorted(by_day)] for currency, by_day in found.items()}


def _on_or_before(published: Sequence[Rate], day: date) -> Rate | None:
    place = bisect_right(published, day, key=lambda rate: rate.published_on or day)
    return published[place - 1] if place else None
