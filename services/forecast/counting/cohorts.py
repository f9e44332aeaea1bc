"""The read model of a cohort: what entered, when it came to its goal, and whose it was meanwhile (FC-7).

Leads that were captured, and became deals. Everything counts for whoever held the thing at the instant asked about: it
may have had other owners before, and may get others after.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from services.forecast.asking.question import NOBODY
from services.forecast.counting import lives
from services.forecast.counting.lives import Life, Lives, folded, holdings, keep, keep_held
from services.forecast.counting.tallies import Tally, kept
from shared.domain.history import by_thing
from shared.events.envelope import Envelope
from shared.projections.projection import Projection, ProjectionDatabase

StateT = TypeVar("StateT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Something that belongs to a cohort: when it entered, and when it came to its goal (None: not yet)."""

    entered: datetime
    reached: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort(Generic[StateT]):
    """How the things of a read model follow from their facts, and which members the state of each says there are."""

    projection: str
    version: int
    lives: Lives[StateT]
    members: Callable[[StateT], Iterable[Member]]


DDL = """
create table {view}.member (
    thing_id uuid not null, entered_at timestamptz not null, reached_at timestamptz, entered_on date not null,
    reached_on date
);
create index on {view}.member (thing_id);
create index on {view}.member (entered_at);
create index on {view}.member (reached_at);
create table {view}.holding (
    thing_id uuid not null, start_at timestamptz not null, end_at timestamptz, start_on date not null, end_on date,
    team uuid, owner uuid, primary key (thing_id, start_at)
);
create index on {view}.holding (start_at);
create index on {view}.holding (end_at);
"""
NEVER = "9999-12-31"

TALLY = Tally(table="entered", key="entered_on date, reached_on date, day date", values="count bigint")
"""By the days on which things entered and came to their goal (`NEVER`: not yet), what came to an owner on a day, or
left them."""

COUNTED = f"""
select coalesce(owner, '{NOBODY}') as owner, coalesce(team, '{NOBODY}') as team, entered_on,
       coalesce(reached_on, '{NEVER}') as reached_on, day, sum(sign) as count
  from {{view}}.member join {{view}}.holding using (thing_id)
 cross join lateral (values (start_on, 1), (end_on, -1)) as changed (day, sign)
 where thing_id = any($1) and day is not null group by 1, 2, 3, 4, 5
"""  # noqa: S608 - our own words


def projection_of(cohort: Cohort[Any]) -> Projection:
    """The read model of a cohort."""

    async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
        await _fold(cohort, db, events)

    return Projection(
        name=cohort.projection,
        version=cohort.version,
        ddl=lives.DDL + DDL + TALLY.ddl,
        apply=apply,
        source="journal",
        events=cohort.lives.events,
    )


async def _fold(cohort: Cohort[StateT], db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    facts = by_thing(events)
    if not facts:
        return
    found = await folded(cohort.lives, db, facts)
    async with kept(db, TALLY, COUNTED, list(facts)):
        await keep(db, found, ("member", "holding"))
        await _write(cohort, db, found.lives)
    await keep_held(cohort.lives, db, events)


async def _write(cohort: Cohort[StateT], db: ProjectionDatabase, found: Mapping[UUID, Life[StateT]]) -> None:
    day = db.company.day
    members = [
        (thing, each.entered, each.reached, day(each.entered), each.reached and day(each.reached))
        for thing, life in found.items()
        for each in cohort.members(life.state)
    ]
    held = [
        (thing, each.start, each.end, day(each.start), each.end and day(each.end), each.team, each.owner)
        for thing, life in found.items()
        for each in holdings(life.changes)
    ]
    for table, kinds, written in (("member", MEMBER, members), ("holding", HOLDING, held)):
        if written:
            await db.execute(
                f"insert into {{view}}.{table} select * from unnest({kinds})",  # noqa: S608 - our own names
                *map(list, zip(*written, strict=True)),
            )


MEMBER = "$1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::date[], $5::date[]"
HOLDING = "$1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::date[], $5::date[], $6::uuid[], $7::uuid[]"
