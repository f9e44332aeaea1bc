"""Summary tables, maintained incrementally: sums by a key, at every grain, to which signed changes are posted."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import msgspec

from services.forecast.counting.grains import GRAINS
from shared.projections.projection import ProjectionDatabase

GRAIN = "owner uuid, team uuid"
"""What every key begins with, so that an index finds a grain's rows side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A table of sums. `key` and `values` are its columns with their types, separated by commas; none is ever null."""

    table: str
    key: str
    """Without team and owner, which stand in every key."""
    values: str = "count bigint, amount numeric, weighted numeric"
    derived: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Columns of the key that follow from those of the changes, which are `given`."""

    @property
    def keys(self) -> list[str]:
        """The names of the key's columns."""
        return names(f"{GRAIN}, {self.key}")

    @property
    def ddl(self) -> str:
        """The statement that makes the table."""
        columns = ", ".join(f"{column.strip()} not null" for column in f"{GRAIN}, {self.key}, {self.values}".split(","))
        return f"create table {{view}}.{self.table} ({columns}, primary key ({', '.join(self.keys)}));"

    def post(self, shape: "Tally") -> str:
        """The statement that adds changes, given as a JSON array of rows of another tally (or this), and tells where
        the rows stand that came to nothing by them."""
        key, values = ", ".join(self.keys), names(self.values)
        sums = ", ".join(f"sum({value})" for value in values)
        added = ", ".join(f"{value} = known.{value} + excluded.{value}" for value in values)
        nothing = " and ".join(f"known.{value} = 0" for value in values)
        return (
            f"with posted as (insert into {{view}}.{self.table} as known ({key}, {', '.join(values)})"  # noqa: S608 - our own names
            f" select {self._given()}, {sums} from {_given(shape)} group by {_places(self.keys)}"
            f" on conflict ({key}) do update set {added} returning known.ctid, {nothing} as gone)"
            " select array_agg(ctid) from posted where gone"
        )

    @property
    def clear(self) -> str:
        """The statement that removes rows, told by where they stand: nobody has moved them since they were posted."""
        return f"delete from {{view}}.{self.table} where ctid = any($1::tid[])"  # noqa: S608 - our own names

    def _given(self) -> str:
        """The key's columns, out of the changes."""
        sources = {"owner": "grain.owner", "team": "grain.team", **self.derived}
        return ", ".join(sources.get(column, f"given.{column}") for column in self.keys)


async def add(db: ProjectionDatabase, tallies: Sequence[Tally], changes: Sequence[Mapping[str, Any]]) -> None:
    """Add changes, given as rows of the first tally, to all of them. What comes to nothing is not kept, so that the
    rows are the same however the events were cut into pages."""
    if not changes:
        return
    given = msgspec.json.encode(changes).decode()
    for tally in tallies:
        if nothing := await db.fetchval(tally.post(tallies[0]), given):
            await db.execute(tally.clear, nothing)


@asynccontextmanager
async def kept(db: ProjectionDatabase, tally: Tally, contributions: str, *arguments: Any) -> AsyncIterator[None]:
    """Post to a tally what the block changes in the contributions of some rows, which a statement counts."""
    changes: Counter[tuple[Any, ...]] = Counter()
    for row in await db.fetch(contributions, *arguments):
        changes[tuple(row[name] for name in tally.keys)] -= row["count"]
    yield
    for row in await db.fetch(contributions, *arguments):
        changes[tuple(row[name] for name in tally.keys)] += row["count"]
    rows = [dict(zip(tally.keys, key, strict=True)) | {"count": count} for key, count in changes.items() if count]
    await add(db, (tally,), rows)


def names(columns: str) -> list[str]:
    """The names out of columns with their types."""
    return [column.split()[0] for column in columns.split(",")]


def _given(shape: Tally) -> str:
    return f"json_populate_recordset(null::{{view}}.{shape.table}, $1) given cross join lateral {GRAINS}"


def _places(columns: list[str]) -> str:
    return ", ".join(str(place) for place in range(1, len(columns) + 1))
