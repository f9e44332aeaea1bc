"""A table of which every aggregate, or part of one, is a row; and what each event changes in it.

    PRODUCT = Table(
        name="product",
        columns={"id": "uuid primary key", "version": "bigint not null", "name": "text not null"},
        changes={ProductListed: lambda fact, row: {"name": fact.data.name}},
    )
    PRODUCT_VIEW = View(name="products", version=1, ddl=PRODUCT.ddl, apply=PRODUCT.apply, events=tuple(PRODUCT.changes))

A change is pure: it is given the event and the row before, and says which columns are different after.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from shared.events.envelope import Envelope
from shared.views.view import ViewDatabase

Row = dict[str, Any]
Change = Callable[[Any, Row], Mapping[str, Any]]
"""What an event (with its envelope) changes in a row, given the row before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with the key `id`. Every event of `changes` belongs to the rows that `keys` names; before their first
    event, all columns are None."""

    name: str
    columns: Mapping[str, str]
    """Name → SQL type; the first is `id`. A column `version` holds the aggregate's, unless a change says otherwise."""
    changes: Mapping[type, Change]
    keys: Callable[[Envelope[Any]], Iterable[Any]] = lambda fact: (fact.aggregate_id,)

    @property
    def ddl(self) -> str:
        """The statement that makes the table."""
        columns = ", ".join(f"{name} {kind}" for name, kind in self.columns.items())
        return f"create table {{view}}.{self.name} ({columns});"

    @property
    def write(self) -> str:
        """The statement that writes rows, given as a JSON array: one for a page costs a fraction of one for a row."""
        names = ", ".join(self.columns)
        updates = ", ".join(f"{name} = excluded.{name}" for name in self.columns if name != "id")
        return (
            f"insert into {{view}}.{self.name} ({names})"  # noqa: S608
            f" select {names} from json_populate_recordset(null::{{view}}.{self.name}, $1)"
            f" on conflict (id) do update set {updates}"
        )

    async def apply(self, db: ViewDatabase, events: Sequence[Envelope[Any]]) -> None:
        """Rows of the page are read once, changed, and written once."""
        mine = [(key, fact) for fact in events if type(fact.data) in self.changes for key in self.keys(fact)]
        if not mine:
            return
        found = await db.fetch(
            f"select * from {{view}}.{self.name} where id = any($1)",  # noqa: S608
            list({key for key, _ in mine}),
        )
        rows: dict[Any, Row] = {row["id"]: dict(row) for row in found}
        for key, fact in mine:
            row = rows.setdefault(key, {**dict.fromkeys(self.columns), "id": key})
            row |= {"version": fact.sequence, **self.changes[type(fact.data)](fact, row)}
        await db.execute(self.write, msgspec.json.encode(list(rows.values())).decode())
