"""The queries to marks: how many cases of each kind a period or a window has, and a page of those behind (FC-7, FC-17).

Answered from daily sums and the days at the edges; only `known_at` folds the facts again.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.forecast.asking.question import Question, scoped
from services.forecast.counting.grains import counting
from services.forecast.counting.lives import known_then
from services.forecast.counting.marks import Case, Kind, Mark, Marked
from shared.domain.context import Company
from shared.domain.periods import Period
from shared.projections.projection import ProjectionDatabase

KIND = "process_id, process_version, stage, sort, detail"
# Whole days out of the tally, then what began or ended to count on the asked day.
COUNTED = """
select {kind}, sum(n)::bigint as count from (
    select {kind}, count as n from {view}.marked where of_on between $11 and $12 and day < $13 and {counted}
    union all
    select {kind}, 1 from {view}.mark
     where start_at >= $14 and start_at <= $15 and of_on between $11 and $12 and {scope}
    union all
    select {kind}, -1 from {view}.mark
     where end_at >= $14 and end_at <= $15 and of_on between $11 and $12 and {scope}
) as counted
 where ($16::uuid is null or process_id = $16) and ($17::integer is null or process_version = $17)
 group by {kind} having sum(n) <> 0
""".replace("{kind}", KIND)

# Whole days out of the tally, then what began or ended to count on the asked day, then the part of the first day.
SINCE = """
select sort, sum(n)::bigint as count from (
    select sort, count as n from {view}.marked where of_on > $11 and of_on <= $12 and day < $12 and {counted}
    union all
    select sort, 1 from {view}.mark where start_at >= $13 and start_at <= $14 and of_on > $11 and {scope}
    union all
    select sort, -1 from {view}.mark where end_at >= $13 and end_at <= $14 and of_on > $11 and {scope}
    union all
    select sort, 1 from {view}.mark
     where of_at > $15 and of_at <= $16 and start_at <= $14 and (end_at is null or end_at > $14) and {scope}
) as counted group by sort having sum(n) <> 0
"""

# The index goes by instants: a day of whatever place lies within these, and so no page walks what was before.
BEHIND = scoped("""
select thing_id, number, of_at, mark.process_id, mark.process_version, mark.stage, mark.sort, mark.detail
  from {view}.mark join unnest($9::uuid[], $10::integer[], $11::text[], $12::text[], $13::text[])
    as wanted (process_id, process_version, stage, sort, detail)
    using (process_id, process_version, stage, sort, detail)
 where start_at <= $6 and (end_at is null or end_at > $6) and of_on between $7 and $8 and {scope}
   and of_at >= (($7::date - 2)::timestamp at time zone 'UTC')
   and of_at < (($8::date + 2)::timestamp at time zone 'UTC')
   and (of_at, thing_id, number) > ($14, $15, $16)
 order by of_at, thing_id, number limit $17
""")

CasePlace = tuple[datetime, UUID, int]
"""Where a case stands among those behind a figure: in the order in which they happened."""

FIRST: CasePlace = (datetime.fromisoformat("0001-01-02T00:00:00Z"), UUID(int=0), 0)
"""Before every case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCase:
    """A case behind a figure: the thing, its number among the cases of that, and when it happened."""

    thing_id: UUID
    number: int
    at: datetime
    kind: Kind


def place_of(case: FoundCase) -> CasePlace:
    """Where a case stands among the others."""
    return case.at, case.thing_id, case.number


async def counted_cases(
    of: Marked[Any],
    db: ProjectionDatabase,
    asked: Question,
    company: Company,
    period: Period,
    *,
    process_id: UUID | None = None,
    version: int | None = None,
) -> Mapping[Kind, int]:
    """How many cases of each kind a period has up to the instant asked about, as they stood then."""
    if asked.known_at is None:
        today = company.day(asked.as_of)
        edges = (period.first, period.last, today, company.start_of(today), asked.as_of)
        rows = await db.fetch(*counting(COUNTED, asked, *edges, process_id, version))
        return {_kind(row): row["count"] for row in rows}
    found = Counter[Kind]()
    for case in await _known_cases(of, db, asked, company, period):
        if process_id in (None, case.kind.process_id) and version in (None, case.kind.process_version):
            found[case.kind] += 1
    return found


async def counted_since(
    of: Marked[Any], db: ProjectionDatabase, asked: Question, company: Company, since: datetime
) -> Mapping[str, int]:
    """How many cases of each sort happened after `since` up to the instant asked about, as they stood then."""
    if asked.known_at is None:
        day, first = company.day(asked.as_of), company.day(since)
        edges = (first, day, company.start_of(day), asked.as_of, since, company.end_of(first))
        rows = await db.fetch(*counting(SINCE, asked, *edges))
        return Counter({row["sort"]: row["count"] for row in rows})
    return Counter([case.mark.sort async for _, case in _standing(of, db, asked, company) if case.mark.of > since])


async def cases_behind(
    of: Marked[Any],
    db: ProjectionDatabase,
    asked: Question,
    company: Company,
    period: Period,
    *,
    kinds: Sequence[Kind],
    after: CasePlace | None,
    enough: int,
) -> list[FoundCase]:
    """The cases of some kinds that come after a place, as many as are enough."""
    if asked.known_at is not None:
        wanted = set(kinds)
        known = [each for each in await _known_cases(of, db, asked, company, period) if each.kind in wanted]
        return sorted((each for each in known if place_of(each) > (after or FIRST)), key=place_of)[:enough]
    columns = _columns(kinds)
    days = (period.first, period.last)
    rows = await db.fetch(BEHIND, *asked.scope, asked.as_of, *days, *columns, *(after or FIRST), enough)
    return [FoundCase(thing_id=row["thing_id"], number=row["number"], at=row["of_at"], kind=_kind(row)) for row in rows]


async def _known_cases(
    of: Marked[Any], db: ProjectionDatabase, asked: Question, company: Company, period: Period
) -> Sequence[FoundCase]:
    """The cases of a period, as was known then: folded once for how many there are and for a page of them."""
    known: Sequence[FoundCase] | None = db.memo.get((asked, period))
    if known is None:
        known = db.memo[asked, period] = [
            FoundCase(thing_id=thing, number=case.number, at=case.mark.of, kind=_kind_of(case.mark))
            async for thing, case in _standing(of, db, asked, company)
            if _is_in(company.day(case.mark.of), period)
        ]
    return known


async def _standing(
    of: Marked[Any], db: ProjectionDatabase, asked: Question, company: Company
) -> AsyncIterator[tuple[UUID, Case]]:
    """The cases that counted at the instant asked about, as was known then."""
    async for thing, life in known_then(of.lives, db, asked, company):
        for case in of.cases(life):
            if case.stands(asked.as_of):
                yield thing, case


def _is_in(day: date, period: Period) -> bool:
    return period.first <= day <= period.last


def _kind_of(mark: Mark) -> Kind:
    place = mark.place
    return Kind(
        process_id=place.process_id,
        process_version=place.version,
        stage=place.stage,
        sort=mark.sort,
        detail=mark.detail,
    )


def _kind(row: Any) -> Kind:
    return Kind(**{name: row[name] for name in KIND.split(", ")})


def _columns(kinds: Iterable[Kind]) -> tuple[list[Any], ...]:
    """Kinds as columns of a table."""
    told = [(each.process_id, each.process_version, each.stage, each.sort, each.detail) for each in kinds]
    return tuple(map(list, zip(*told, strict=True))) if told else ([], [], [], [], [])
