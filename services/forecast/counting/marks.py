"""The read model of marks: cases that count at a stage of a process, from when to when, and whose each was meanwhile.

The same for how deals follow their processes, and for work that fell due and was done. A case counts in the period that
its first instant lies in, for whoever held the thing at the instant asked about: it may have had other owners before,
and may get others after.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from services.forecast.asking.question import NOBODY
from services.forecast.counting import lives
from services.forecast.counting.lives import Life, Lives, folded, holdings, keep, keep_held
from services.forecast.counting.tallies import Tally, kept
from shared.domain.context import Company
from shared.domain.history import by_thing
from shared.events.envelope import Envelope
from shared.projections.projection import Projection, ProjectionDatabase

StateT = TypeVar("StateT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A stage of a version of a process."""

    process_id: UUID
    version: int
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A case that counts at a place from `start` to `end` (None: still), in the period in which `of` lies. It does not
    count before that instant."""

    sort: str
    place: Place
    detail: str = ""
    of: datetime
    start: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Kind:
    """What tells cases from one another that are counted: where, what, and its detail."""

    process_id: UUID
    process_version: int
    stage: str
    sort: str
    detail: str

    @property
    def place(self) -> tuple[UUID, int, str]:
        """The stage that they belong to."""
        return self.process_id, self.process_version, self.stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A mark as far as the thing was one owner's, by its number among those of the thing."""

    number: int
    mark: Mark
    start: datetime
    end: datetime | None
    team: UUID | None
    owner: UUID | None

    def stands(self, at: datetime) -> bool:
        """Whether it counted at an instant."""
        return self.start <= at and (self.end is None or self.end > at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked(Generic[StateT]):
    """How the things of a read model follow from their facts, and which marks the state of each says there are."""

    projection: str
    version: int
    lives: Lives[StateT]
    marks: Callable[[StateT], Iterable[Mark]]

    def cases(self, life: Life[StateT]) -> Iterator[Case]:
        """The cases of a thing, cut where it changed hands; those that stood for no time are none."""
        held = holdings(life.changes)
        for number, mark in enumerate(self.marks(life.state)):
            for each in held:
                start, ends = max(mark.start, each.start), [end for end in (mark.end, each.end) if end is not None]
                end = min(ends, default=None)
                if end is None or start < end:
                    yield Case(number=number, mark=mark, start=start, end=end, team=each.team, owner=each.owner)


DDL = """
create table {view}.mark (
    thing_id uuid not null, number integer not null, sort text not null, process_id uuid not null,
    process_version integer not null, stage text not null, detail text not null, of_at timestamptz not null,
    of_on date not null, start_at timestamptz not null, start_on date not null, end_at timestamptz, end_on date,
    team uuid, owner uuid, primary key (thing_id, number, start_at)
);
create index on {view}.mark (start_at);
create index on {view}.mark (end_at) where end_at is not null;
create index on {view}.mark (of_at, thing_id, number);
"""

TALLY = Tally(
    table="marked",
    key="of_on date, day date, process_id uuid, process_version integer, stage text, sort text, detail text",
    values="count bigint",
)
"""By the day for which cases count: what came to a place, a kind and an owner on a day, or left them."""

COUNTED = f"""
select coalesce(owner, '{NOBODY}') as owner, coalesce(team, '{NOBODY}') as team, of_on, day, process_id,
       process_version, stage, sort, detail, sum(sign) as count
  from {{view}}.mark cross join lateral (values (start_on, 1), (end_on, -1)) as changed (day, sign)
 where thing_id = any($1) and day is not null group by 1, 2, 3, 4, 5, 6, 7, 8, 9
"""  # noqa: S608 - our own words

WRITTEN = """
insert into {view}.mark select * from unnest($1::uuid[], $2::integer[], $3::text[], $4::uuid[], $5::integer[],
    $6::text[], $7::text[], $8::timestamptz[], $9::date[], $10::timestamptz[], $11::date[], $12::timestamptz[],
    $13::date[], $14::uuid[], $15::uuid[])
"""


def projection_of(of: Marked[Any]) -> Projection:
    """The read model of marks."""

    async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
        await _fold(of, db, events)

    return Projection(
        name=of.projection,
        version=of.version,
        ddl=lives.DDL + DDL + TALLY.ddl,
        apply=apply,
        source="journal",
        events=of.lives.events,
    )


async def _fold(of: Marked[StateT], db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Continue the things that the events belong to, or fold them again, and post the difference to the sums."""
    facts = by_thing(events)
    if not facts:
        return
    found = await folded(of.lives, db, facts)
    async with kept(db, TALLY, COUNTED, list(facts)):
        await keep(db, found, ("mark",))
        await _write(of, db, found.lives)
    await keep_held(of.lives, db, events)


async def _write(of: Marked[StateT], db: ProjectionDatabase, found: Mapping[UUID, Life[StateT]]) -> None:
    rows = [_row(thing, case, db.company) for thing, life in found.items() for case in of.cases(life)]
    if rows:
        await db.execute(WRITTEN, *map(list, zip(*rows, strict=True)))


def _row(thing: UUID, case: Case, company: Company) -> tuple[Any, ...]:
    """A case in the order of its columns."""
    mark, place, day = case.mark, case.mark.place, company.day
    return (
        *(thing, case.number, mark.sort, place.process_id, place.version, place.stage, mark.detail),
        *(mark.of, day(mark.of), case.start, day(case.start), case.end, case.end and day(case.end)),
        *(case.team, case.owner),
    )
