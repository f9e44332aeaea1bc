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
from uuid import UUID

import msgspec

from shared.domain.chronology import Dated
from shared.domain.history import by_thing, is_order_known, late_among, timed
from shared.domain.text import language_key
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
    by_language: tuple[str, ...] = ()
    """Texts that are sorted and searched as people read them; beside each stands a column `<name>_key`."""
    assumes: Change | None = None
    """What else a row says once the order of its facts could not be known, given the last of them and the row."""

    @property
    def is_dated(self) -> bool:
        """Whether facts of these rows may be told late."""
        return any(event.rank is not None for event in self.changes)  # type: ignore[attr-defined]

    @property
    def stored(self) -> Mapping[str, str]:
        """All columns; with facts that may be told late also the last place of any."""
        keys = {language_column(name): LANGUAGE_KEY for name in self.by_language}
        return {**self.columns, **keys, **(LAST_PLACE if self.is_dated else {})}

    @property
    def ddl(self) -> str:
        """The statement that makes the table."""
        columns = ", ".join(f"{name} {kind}" for name, kind in self.stored.items())
        return f"create table {{view}}.{self.name} ({columns});"

    @property
    def write(self) -> str:
        """The statement that writes rows, given as a JSON array: one for a page costs a fraction of one for a row."""
        names = ", ".join(self.stored)
        updates = ", ".join(f"{name} = excluded.{name}" for name in self.stored if name != "id")
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
        late, places = await self._late(db, mine, rows) if self.is_dated else (set[UUID](), dict[Any, Dated]())
        for key, fact in mine:
            if fact.aggregate_id not in late:
                row = rows.setdefault(key, self._blank(key))
                row |= self._changed(fact, row)
        if late:
            rows |= self._refolded(await db.history(list(late)))
        for key, row in rows.items():
            row |= {language_column(name): language_key(row[name] or "") for name in self.by_language}
            if key in places:
                row["last_place"] = msgspec.json.encode(places[key]).decode()
        await db.execute(self.write, msgspec.json.encode(list(rows.values())).decode())

    def _blank(self, key: Any) -> Row:
        return {**dict.fromkeys(self.stored), "id": key}

    def _changed(self, fact: Envelope[Any], row: Row) -> Row:
        """What is different in a row after a fact, in the order in which facts happened; `version` and `updated_at`
        tell what was recorded last."""
        changed = {"version": fact.sequence, **self.changes[type(fact.data)](fact, row)}
        if not self.is_dated:
            return changed
        newest: Row = {
            name: max(known, changed[name])
            for name in ("version", "updated_at")
            if name in changed and (known := row.get(name)) is not None
        }
        return {**changed, **newest}

    async def _late(
        self, db: ViewDatabase, mine: Sequence[tuple[Any, Envelope[Any]]], rows: Mapping[Any, Row]
    ) -> tuple[set[UUID], dict[Any, Dated]]:
        """The aggregates of which something was told late or is corrected, and the last places of rows."""
        known = {key: msgspec.json.decode(row["last_place"], type=Dated) for key, row in rows.items()}
        late, places = late_among(known, mine)
        told_late = {fact.aggregate_id for key, fact in mine if key in late}
        return told_late | await db.corrected([fact for _, fact in mine]), places

    def _refolded(self, facts: Iterable[Envelope[Any]]) -> dict[Any, Row]:
        """The rows of aggregates of which something was told late, from all that is known of these."""
        rows: dict[Any, Row] = {}
        for own in by_thing(fact for fact in facts if type(fact.data) in self.changes).values():
            for _, fact in timed(own):
                for key in self.keys(fact):
                    row = rows.setdefault(key, self._blank(key))
                    row |= self._changed(fact, row)
            if self.assumes and not is_order_known(own):
                row |= self.assumes(fact, row)
        return rows


LANGUAGE_KEY = 'text collate "C" not null'


def language_column(name: str) -> str:
    """The column by which a text is sorted and searched as people read it."""
    return f"{name}_key"


LAST_PLACE = {"last_place": "text"}
"""The last place of any fact of a row, where facts may be told late."""
