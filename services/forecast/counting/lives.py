"""The fold of things one by one: each thing's state as far as it is folded, whose it was from when to when, and whose
it ever was.

A thing whose facts come in the order in which they happened is continued; otherwise, or where something of it was
corrected or taken back, it is folded anew. What read models make of the lives is theirs: they are given back.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from services.forecast.asking.question import NOBODY, Question, scoped
from shared.domain.context import Company
from shared.domain.history import by_thing, last_place, timed
from shared.events.chronology import Dated
from shared.events.envelope import Envelope
from shared.events.registry import types_read
from shared.eventstore.log import Excerpt
from shared.projections.projection import ProjectionDatabase

StateT = TypeVar("StateT")

DDL = """
create table {view}.thing (
    thing_id uuid primary key, last_place text not null, state text not null, changes text not null
);
create table {view}.held (
    team uuid not null, owner uuid not null, thing_id uuid not null, primary key (team, owner, thing_id)
);
"""
EVER_HELD = scoped("select distinct thing_id from {view}.held where {scope}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Whose a thing was, from an instant until the next (None: still)."""

    start: datetime
    end: datetime | None
    team: UUID | None
    owner: UUID | None

    def held(self, at: datetime) -> bool:
        """Whether it was so at an instant."""
        return self.start <= at and (self.end is None or self.end > at)


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


Follow = Callable[[StateT | None, Envelope[Any], datetime, Company], StateT | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives(Generic[StateT]):
    """How the things of a family follow from their facts: `follow` is the state after one more fact at an instant (None
    before the first), and `whose` to which team and owner an event brings the thing (None: it stays where it is)."""

    aggregate: str
    events: Sequence[type]
    state: type[StateT]
    follow: Follow[StateT]
    whose: Callable[[Any], tuple[UUID | None, UUID | None] | None]


def of_events(follow: Callable[[StateT | None, Any, datetime, Company], StateT | None]) -> Follow[StateT]:
    """A `follow` that asks for nothing but the event itself."""
    return lambda state, fact, moment, company: follow(state, fact.data, moment, company)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded(Generic[StateT]):
    """Things with new facts as they are now, with the last place of any fact of each; and those of which nothing is
    left."""

    lives: Mapping[UUID, Life[StateT]]
    last: Mapping[UUID, Dated]
    gone: frozenset[UUID]


def lived(
    of: Lives[StateT], life: Life[StateT] | None, facts: Iterable[Envelope[Any]], company: Company
) -> Life[StateT] | None:
    """A life with some facts more."""
    state, changes = (life.state, list(life.changes)) if life else (None, [])
    for moment, fact in timed(facts):
        state = of.follow(state, fact, moment, company)
        if state is not None and (whose := of.whose(fact.data)):
            changes.append((moment, *whose))
    return None if state is None else Life(state, tuple(changes))


async def folded(
    of: Lives[StateT], db: ProjectionDatabase, facts: Mapping[UUID, Sequence[Envelope[Any]]]
) -> Folded[StateT]:
    """The things that some facts belong to, with them. Writes nothing."""
    rows = await db.fetch("select * from {view}.thing where thing_id = any($1)", list(facts))
    known = {
        row["thing_id"]: Life(
            msgspec.json.decode(row["state"], type=of.state),
            msgspec.json.decode(row["changes"], type=tuple[Change, ...]),
        )
        for row in rows
    }
    last = {row["thing_id"]: msgspec.json.decode(row["last_place"], type=Dated) for row in rows}
    late, places = await db.late(last, [fact for own in facts.values() for fact in own])
    wholes = by_thing(await db.standing(list(late), of.events)) if late else {}
    places |= {thing: last_place(own) for thing, own in wholes.items()}
    lives: dict[UUID, Life[StateT]] = {}
    for thing, new in facts.items():
        before, told = (None, wholes.get(thing, ())) if thing in late else (known.get(thing), new)
        if life := lived(of, before, told, db.company):
            lives[thing] = life
    return Folded(lives=lives, last=places, gone=frozenset(late - lives.keys()))


async def keep(db: ProjectionDatabase, found: Folded[Any], tables: Iterable[str]) -> None:
    """Write how far the things are folded, and remove the rows that were made of them in some tables, to be written
    anew. Of what was taken back nothing is left, but whose it was known to be for a time."""
    changed = [*found.lives, *found.gone]
    for table in tables:
        await db.execute(f"delete from {{view}}.{table} where thing_id = any($1)", changed)  # noqa: S608 - our own names
    await db.execute("delete from {view}.thing where thing_id = any($1)", list(found.gone))
    await db.execute(
        """insert into {view}.thing select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
           on conflict (thing_id) do update
           set last_place = excluded.last_place, state = excluded.state, changes = excluded.changes""",
        list(found.lives),
        [_text(found.last[thing]) for thing in found.lives],
        [_text(life.state) for life in found.lives.values()],
        [_text(life.changes) for life in found.lives.values()],
    )


async def keep_held(of: Lives[Any], db: ProjectionDatabase, events: Iterable[Envelope[Any]]) -> None:
    """Write whose each thing ever was. Never taken back, and noted of what is corrected too, in this page or later:
    that it was somebody's may have been known for a time."""
    ever = {
        (whose[0] or NOBODY, whose[1] or NOBODY, event.aggregate_id)
        for event in events
        if (whose := of.whose(event.data))
    }
    if ever:
        await db.execute(
            "insert into {view}.held select * from unnest($1::uuid[], $2::uuid[], $3::uuid[]) on conflict do nothing",
            *map(list, zip(*ever, strict=True)),
        )


async def known_then(
    of: Lives[StateT], db: ProjectionDatabase, asked: Question, company: Company
) -> AsyncIterator[tuple[UUID, Life[StateT]]]:
    """Every thing that was in the scope of a question at the instant asked about, as it was known then: the one
    question that folds facts again."""
    among = None
    if not asked.sees_all or asked.teams is not None or asked.owners is not None:
        among = [row["thing_id"] for row in await db.fetch(EVER_HELD, *asked.scope)]
    facts: list[Envelope[Any]] = []
    excerpt = Excerpt(among=among, types=types_read(of.events), recorded_until=asked.known_at)
    async for part in db.scan(of.aggregate, excerpt):
        for fact in part:
            if facts and fact.aggregate_id != facts[0].aggregate_id:
                if life := _covered(lived(of, None, facts, company), asked):
                    yield facts[0].aggregate_id, life
                facts = []
            facts.append(fact)
    if facts and (life := _covered(lived(of, None, facts, company), asked)):
        yield facts[0].aggregate_id, life


def _covered(life: Life[StateT] | None, asked: Question) -> Life[StateT] | None:
    """A life, where the thing was in the scope of a question at the instant asked about."""
    if life is None:
        return None
    then = (each for each in holdings(life.changes) if each.held(asked.as_of))
    return life if any(asked.covers(each.team, each.owner) for each in then) else None


def _text(data: Any) -> str:
    return msgspec.json.encode(data).decode()
