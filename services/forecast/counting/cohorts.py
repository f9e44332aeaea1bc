"""The read model of a cohort: what entered, when it came to its goal, and whose it was meanwhile (FC-7).

The same for leads that were captured and became deals, and for tasks that fell due and were done. Everything counts for
whoever held the thing at the instant asked about: it may have had other owners before, and may get others after.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from services.forecast.asking.question import NOBODY
from services.forecast.counting.tallies import Tally, kept
from shared.domain.context import Company
from shared.domain.history import by_thing, last_place, timed
from shared.events.chronology import Dated
from shared.events.envelope import Envelope
from shared.projections.projection import Projection, ProjectionDatabase

StateT = TypeVar("StateT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Something that belongs to a cohort: when it entered, and when it came to its goal (None: not yet)."""

    entered: datetime
    reached: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Whose a thing was, from an instant until the next (None: still)."""

    start: datetime
    end: datetime | None
    team: UUID | None
    owner: UUID | None


Change = tuple[datetime, UUID | None, UUID | None]
"""When a thing came to whom: team and owner."""


def holdings(changes: Iterable[Change]) -> list[Holding]:
    """Whose something was, from the times at which it changed hands; of several at one instant the last counts."""
    steps: dict[datetime, Change] = {change[0]: change for change in changes}
    ends = [*list(steps)[1:], None]
    return [
        Holding(start=start, end=end, team=team, owner=owner)
        for (start, team, owner), end in zip(steps.values(), ends, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Life(Generic[StateT]):
    """A thing as far as it is folded, and when it came to whom."""

    state: StateT
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort(Generic[StateT]):
    """How the things of a read model follow from their facts: `follow` is the state after one more fact at an instant
    (None before the first), `members` what that state says, and `whose` to which team and owner a fact brings the thing
    (None: it stays where it is)."""

    projection: str
    aggregate: str
    version: int
    events: Sequence[type]
    state: type[StateT]
    follow: Callable[[StateT | None, Any, datetime, Company], StateT | None]
    members: Callable[[StateT], Iterable[Member]]
    whose: Callable[[Any], tuple[UUID | None, UUID | None] | None]


DDL = """
create table {view}.thing (
    thing_id uuid primary key, last_place text not null, state text not null, changes text not null
);
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
create table {view}.held (
    team uuid not null, owner uuid not null, thing_id uuid not null, primary key (team, owner, thing_id)
);
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
        ddl=DDL + TALLY.ddl,
        apply=apply,
        source="journal",
        events=cohort.events,
    )


def lived(
    cohort: Cohort[StateT], life: Life[StateT] | None, facts: Iterable[Envelope[Any]], company: Company
) -> Life[StateT] | None:
    state, changes = (life.state, list(life.changes)) if life else (None, [])
    for moment, fact in timed(facts):
        state = cohort.follow(state, fact.data, moment, company)
        if state is not None and (whose := cohort.whose(fact.data)):
            changes.append((moment, *whose))
    return None if state is None else Life(state, tuple(changes))


async def _fold(cohort: Cohort[StateT], db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    facts: dict[UUID, list[Envelope[Any]]] = defaultdict(list)
    for event in events:
        facts[event.aggregate_id].append(event)
    if not facts:
        return
    rows = await db.fetch("select * from {view}.thing where thing_id = any($1)", list(facts))
    known = {
        row["thing_id"]: Life(
            msgspec.json.decode(row["state"], type=cohort.state),
            msgspec.json.decode(row["changes"], type=tuple[Change, ...]),
        )
        for row in rows
    }
    last = {row["thing_id"]: msgspec.json.decode(row["last_place"], type=Dated) for row in rows}
    late, places = await db.late(last, events)
    wholes = by_thing(await db.standing(list(late), cohort.events)) if late else {}
    places |= {thing: last_place(own) for thing, own in wholes.items()}
    lives: dict[UUID, Life[StateT]] = {}
    for thing, new in facts.items():
        before, told = (None, wholes.get(thing, ())) if thing in late else (known.get(thing), new)
        if life := lived(cohort, before, told, db.company):
            lives[thing] = life
    async with kept(db, TALLY, COUNTED, list(facts)):
        await _forget(db, late - lives.keys())
        await _write(cohort, db, lives, places)
    await _write_held(cohort, db, events)


async def _forget(db: ProjectionDatabase, gone: Iterable[UUID]) -> None:
    """Of what was taken back nothing is left, but whose it was known to be for a time."""
    for table in ("thing", "member", "holding"):
        await db.execute(f"delete from {{view}}.{table} where thing_id = any($1)", list(gone))  # noqa: S608 - our own


async def _write(
    cohort: Cohort[StateT],
    db: ProjectionDatabase,
    lives: Mapping[UUID, Life[StateT]],
    last: Mapping[UUID, Dated],
) -> None:
    day = db.company.day
    await db.execute(
        """insert into {view}.thing select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
           on conflict (thing_id) do update
           set last_place = excluded.last_place, state = excluded.state, changes = excluded.changes""",
        list(lives),
        [_text(last[thing]) for thing in lives],
        [_text(life.state) for life in lives.values()],
        [_text(life.changes) for life in lives.values()],
    )
    for table in ("member", "holding"):
        await db.execute(f"delete from {{view}}.{table} where thing_id = any($1)", list(lives))  # noqa: S608 - our own
    members = [
        (thing, each.entered, each.reached, day(each.entered), each.reached and day(each.reached))
        for thing, life in lives.items()
        for each in cohort.members(life.state)
    ]
    held = [
        (thing, each.start, each.end, day(each.start), each.end and day(each.end), each.team, each.owner)
        for thing, life in lives.items()
        for each in holdings(life.changes)
    ]
    for table, kinds, written in (("member", MEMBER, members), ("holding", HOLDING, held)):
        if written:
            await db.execute(
                f"insert into {{view}}.{table} select * from unnest({kinds})",  # noqa: S608 - our own names
                *map(list, zip(*written, strict=True)),
            )


async def _write_held(cohort: Cohort[Any], db: ProjectionDatabase, events: Iterable[Envelope[Any]]) -> None:
    """Whose each thing ever was. Never taken back, and noted of what is corrected too, in this page or later: that it
    was somebody's may have been known for a time."""
    ever = {
        (whose[0] or NOBODY, whose[1] or NOBODY, event.aggregate_id)
        for event in events
        if (whose := cohort.whose(event.data))
    }
    if ever:
        await db.execute(
            "insert into {view}.held select * from unnest($1::uuid[], $2::uuid[], $3::uuid[]) on conflict do nothing",
            *map(list, zip(*ever, strict=True)),
        )


def _text(data: Any) -> str:
    return msgspec.json.encode(data).decode()


MEMBER = "$1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::date[], $5::date[]"
HOLDING = "$1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::date[], $5::date[], $6::uuid[], $7::uuid[]"
