"""External sort by presupposition: the lines of an import in an order in which each finds what it rests on (DATA-5).

Files tell in any order: an end before what led to it, a child before its parent, the newer before the older. So all
lines are read before the first is taken in, into a temporary SQLite database, which sorts more than memory holds.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple, Self

from deploy.imports.facts import FactPlace, Taken
from deploy.imports.kinds import KINDS
from shared.domain.context import Company
from shared.events.chronology import Dated, Rank, in_order, told, unordered_days

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_PASSES = 20
"""So many steps of things that rest on one another are gone up before a circle is looked for."""

TABLES = """
create table line (
    no integer primary key, file text, number integer, fact text, kind text, name text, thing blob, brings blob,
    at integer, rank integer, "on" text, by_day integer, led_to text,
    last integer);
create table names (no integer, thing blob);
create table place (no integer primary key, at integer, step integer, level integer);
"""
SAME = "create index line_name on line (thing, name)"
CONTRADICTIONS = """
select l.no, l.file, l.number, l.fact, other.file, other.number
  from (select thing, name from line group by thing, name having count(distinct fact) > 1) torn
  join line l using (thing, name)
  join line other on other.no = (
        select min(o.no) from line o where o.thing = l.thing and o.name = l.name and o.fact <> l.fact)
 order by l.no
"""
BY_THING = """select no, at, rank, name, "on", by_day, led_to, thing, kind from line order by thing"""
OPENINGS = """
create table opening (thing blob primary key, no integer) without rowid;
insert or ignore into opening select brings, no from line where brings is not null order by at, no;
create table rests (no integer, on_no integer);
insert into rests select n.no, o.no from names n join opening o on o.thing = n.thing;
create index rests_no on rests (no);
create index rests_on on rests (on_no);
"""
# Nothing is taken in before what it names: that is pulled before the first that rests on it.
PULL = """
replace into place
select p.no, found.at, p.step, p.level
  from place p join (select r.on_no as no, min(u.at) as at
                       from rests r join place u on u.no = r.no group by r.on_no) found
    on found.no = p.no and found.at < p.at
"""
LIFT = """
replace into place
select p.no, p.at, p.step, found.level
  from place p join (select o.no, 1 + max(below.level) as level from opening o join rests r on r.no = o.no
                       join place below on below.no = r.on_no group by o.no) found
    on found.no = p.no and found.level > p.level
"""
ORDERED = """
select l.file, l.number, l.fact from line l join place p using (no)
 order by p.at, l.brings is null, p.level, l.last, p.step, l.name, l.thing, l.no
"""


class Stranded(NamedTuple):
    """A line that is not taken in, and why."""

    place: FactPlace
    fact: Mapping[str, Any]
    reason: str


class Spool:
    """All lines of one import; `close` it, and nothing is left of them."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._database = sqlite3.connect("")  # a file of its own, gone once it is closed
        self._database.executescript(TABLES)
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, place: FactPlace, fact: Mapping[str, Any], taken: Taken) -> None:
        """Keep a line that was understood."""
        self._count += 1
        text = json.dumps(fact, sort_keys=True, ensure_ascii=False)
        when = dated(taken, self._company)
        brings = taken.brings
        self._database.execute(
            "insert into line values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._count,
                place.file,
                place.line,
                text,
                str(fact["fact"]),
                taken.name,
                taken.thing.bytes,
                brings.bytes if brings else None,
                (when.at - EPOCH) // timedelta(microseconds=1),
                when.rank,
                when.on.isoformat(),
                when.by_day,
                _led_to(taken),
                taken.kind.last,
            ),
        )
        self._database.executemany(
            "insert into names values (?, ?)",
            [(self._count, named.id.bytes) for named in taken.names],
        )

    def contradictions(self) -> Iterator[Stranded]:
        """Take out lines that are one fact and say different things: all of them, for nobody knows which is right."""
        self._database.execute(SAME)
        found = self._database.execute(CONTRADICTIONS).fetchall()
        self._drop([no for no, *_ in found])
        for _, file, number, text, other_file, other in found:
            reason = f"{other_file}:{other} says otherwise of the same fact"
            yield Stranded(FactPlace(file=file, line=number), json.loads(text), reason)

    def arrange(self) -> Iterator[Stranded]:
        """Find the order; gives the lines that cannot have one, because in the end they rest on themselves."""
        self._database.executemany("insert into place values (?, ?, ?, 0)", self._by_thing())
        self._database.executescript(OPENINGS)
        while self._changes(PULL):
            pass
        passes = 0
        while self._changes(LIFT):
            passes += 1
            if passes % MAX_PASSES == 0 and (circle := self._circle()):
                yield from self._refused(circle, "in the end, this stands below itself")

    def unordered(self) -> Mapping[str, int]:
        """How many things there are of each kind on whose days the order of what happened cannot be known."""
        found: dict[str, int] = {}
        for about, facts in self._things():
            if any(True for _ in unordered_days((when, led_to) for _, when, led_to in facts)):
                found[about] = found.get(about, 0) + 1
        return found

    def ordered(self) -> Iterator[tuple[FactPlace, Mapping[str, Any]]]:
        """The lines, each after what it rests on, and otherwise as it happened."""
        with closing(self._database.execute(ORDERED)) as rows:
            for file, number, text in rows:
                yield FactPlace(file=file, line=number), json.loads(text)

    def _by_thing(self) -> Iterator[tuple[int, int, int]]:
        for _, facts in self._things():
            ordered = in_order(facts, lambda fact: fact[1])
            before = None
            # From the last one back: nothing is taken in after what happened later.
            for step in range(len(ordered) - 1, -1, -1):
                no, when, _ = ordered[step]
                at = (when.at - EPOCH) // timedelta(microseconds=1)
                before = at if before is None else min(at, before)
                yield no, before, step

    def _things(self) -> Iterator[tuple[str, list[tuple[int, Dated, str]]]]:
        with closing(self._database.execute(BY_THING)) as rows:
            for _, group in groupby(rows, key=lambda row: row[7]):
                facts = [(row[0], _dated(row), row[6], row[8]) for row in group]
                yield KINDS[facts[0][3]].about, [fact[:3] for fact in facts]

    def _changes(self, statement: str) -> bool:
        return self._database.execute(statement).rowcount > 0

    def _circle(self) -> list[int]:
        rows = self._database.execute(
            "select r.no, r.on_no from rests r join place p on p.no = r.no join opening o on o.no = r.no"
            " join place q on q.no = r.on_no where p.level >= ? and q.level >= ?",
            (MAX_PASSES // 2, MAX_PASSES // 2),
        ).fetchall()
        return sorted(circular(rows))

    def _refused(self, numbers: Iterable[int], reason: str) -> Iterator[Stranded]:
        chosen = list(numbers)
        rows = [
            self._database.execute("select file, number, fact from line where no = ?", (no,)).fetchone()
            for no in chosen
        ]
        self._drop(chosen)
        for file, number, text in rows:
            yield Stranded(FactPlace(file=file, line=number), json.loads(text), reason)

    def _drop(self, numbers: Iterable[int]) -> None:
        chosen = [(no,) for no in numbers]
        for table in ("line", "names", "place"):
            self._database.executemany(f"delete from {table} where no = ?", chosen)  # noqa: S608 - the names are ours
        if self._database.execute("select 1 from sqlite_master where name = 'rests'").fetchone():
            self._database.executemany("delete from rests where no = ?1 or on_no = ?1", chosen)
            self._database.executemany("delete from opening where no = ?", chosen)


def dated(taken: Taken, company: Company) -> Dated:
    """When a fact happened, as far as its line says so."""
    command = taken.command
    on = getattr(command, taken.kind.day)
    at: datetime | None = getattr(command, "at", None)
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=UTC)  # it will be refused
    return told(at or company.end_of(on), taken.kind.rank, taken.name, on=on, by_day=at is None)


def _led_to(taken: Taken) -> str:
    """Where a move or an end leads, to be told apart from another one of its day."""
    leads_to = taken.kind.leads_to
    return f"{taken.kind.name} {getattr(taken.command, leads_to) if leads_to else ''}"


def circular(edges: Iterable[tuple[int, int]]) -> set[int]:
    """The nodes of a directed graph that stand on a circle, or between two: all others are trimmed off."""
    left = set(edges)
    while True:
        begins, ends = {begin for begin, _ in left}, {end for _, end in left}
        kept = {(begin, end) for begin, end in left if begin in ends and end in begins}
        if kept == left:
            return begins & ends
        left = kept


def _dated(row: tuple[Any, ...]) -> Dated:
    _, at, rank, name, on, by_day, *_ = row
    when = EPOCH + timedelta(microseconds=at)
    return told(when, Rank(rank), name, on=date.fromisoformat(on), by_day=bool(by_day))
