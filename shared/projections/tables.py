"""Row projection: every aggregate, or part of one, is a row, and each event says what it changes there.

    PRODUCT = Table(
        name="product",
        row=ProductRow,
        events=product.events,
        changes={ProductListed: lambda fact, row: {"name": fact.data.name}},
    )
    PRODUCT_PROJECTION = Projection(name="products", version=1, ddl=PRODUCT.ddl, indices=PRODUCT.index_ddl,
    apply=PRODUCT.apply, events=tuple(PRODUCT.events))

The columns follow from the fields of the row class. A change is pure: it is given the event and the row before, and
says which columns are different after. Every event says of what it belongs to when that was changed last.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from asyncpg import Record

from shared.domain.history import by_thing, is_order_known, place_of, standing, timed
from shared.domain.text import language_key
from shared.events.chronology import Dated
from shared.events.envelope import Envelope
from shared.projections.columns import BY_LANGUAGE, SEARCHED, columns_of, marked
from shared.projections.projection import ProjectionDatabase, indices
from shared.projections.search.keys import OWNER, TEAM, keys_of, marks_of

Row = dict[str, Any]
Change = Callable[[Any, Row], Mapping[str, Any]]
"""What an event (with its envelope) changes in a row, given the row before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with the key `id`. Every one of the `events` belongs to the rows that `keys` names; before their first
    event, all columns are None. Where there are columns `version` and `updated_at`, every event moves these."""

    name: str
    row: type
    """The class whose fields are columns: what a list shows of a row, or what a look-up gives."""
    events: Collection[type]
    """What is folded: every event of the aggregate, or those that say something about this part of one."""
    changes: Mapping[type, Change]
    """What those events change that change more."""
    kept: type | None = None
    """A class with further columns, which no list shows."""
    keys: Callable[[Envelope[Any]], Iterable[Any]] = lambda fact: (fact.aggregate_id,)
    indices: Sequence[str] = ()
    """Those that readers need, by their columns, like "(opened_at, id)"; the one for those who ask what has changed
    follows from `updated_at`."""
    found_by: Sequence[str] = ()
    """Texts by whose words a row is found, with slips of the pen, the most telling first. What that takes stands in a
    table `<name>_search`, which is written where one of them changes, or whose the row is, and only there."""
    assumes: Change | None = None
    """What else a row says once the order of its facts could not be known, given the last of them and the row."""

    def __post_init__(self) -> None:
        if unknown := [event.__name__ for event in self.changes if event not in self.events]:
            raise ValueError(f"{self.name} is changed by {unknown}, which are not among its events")
        if twice := columns_of(self.row).keys() & (columns_of(self.kept).keys() if self.kept else ()):
            raise ValueError(f"{self.name} declares {sorted(twice)} twice")
        if unknown_texts := set(self.found_by) - self.columns.keys():
            raise ValueError(f"{self.name} is found by {sorted(unknown_texts)}, which are not among its columns")
        if self.kept and (idle := {*marked(self.kept, BY_LANGUAGE), *marked(self.kept, SEARCHED)}):
            raise ValueError(f"{self.name} keeps {sorted(idle)}, which no list shows: a mark is without effect there")

    @property
    def columns(self) -> Mapping[str, str]:
        """Name → SQL type of all that events say."""
        return {**columns_of(self.row), **(columns_of(self.kept) if self.kept else {})}

    @property
    def by_language(self) -> tuple[str, ...]:
        """Texts that are sorted and searched as people read them; beside each stands a column `<name>_key`."""
        return marked(self.row, BY_LANGUAGE)

    @property
    def searched(self) -> tuple[str, ...]:
        """Columns whose words a search finds; they stand together in a column `search_key`."""
        return marked(self.row, SEARCHED)

    @property
    def belongs_to(self) -> tuple[str, ...]:
        """The columns that say whose a row is."""
        return tuple(name for name in (OWNER, TEAM) if name in self.columns)

    @property
    def is_dated(self) -> bool:
        """Whether facts of these rows may be told late."""
        return any(event.rank is not None for event in self.events)  # type: ignore[attr-defined]

    @property
    def stored(self) -> Mapping[str, str]:
        """All columns; with facts that may be told late also the last place of any."""
        keys = {language_column(name): LANGUAGE_KEY for name in self.by_language}
        if self.searched:
            keys[SEARCH_COLUMN] = LANGUAGE_KEY
        return {**self.columns, **keys, **(LAST_PLACE if self.is_dated else {})}

    @property
    def ddl(self) -> str:
        """The statement that makes the table."""
        columns = ", ".join(f"{name} {kind}" for name, kind in self.stored.items())
        search = (
            f"create table {{view}}.{search_table(self.name)}"
            " (id uuid primary key, keys integer[] not null, seen_by integer[] not null);\n"
        )
        return f"create table {{view}}.{self.name} ({columns});\n{search if self.found_by else ''}"

    @property
    def index_ddl(self) -> tuple[str, ...]:
        """The statements that make its indices."""
        changed = ("(updated_at, id)",) if UPDATED_AT in self.columns else ()
        search = {search_table(self.name): (BY_KEYS,)} if self.found_by else {}
        return indices(**{self.name: (*self.indices, *changed), **search})

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

    async def apply(self, db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
        """Rows of the page are read once, changed, and written once."""
        mine = [(key, fact) for fact in events for key in self._keys(fact)]
        concerned = [fact for fact in events if self._folds(fact) or self._takes_back(fact)]
        if not concerned:
            return
        found = await db.fetch(
            f"select * from {{view}}.{self.name} where id = any($1)",  # noqa: S608
            list({key for key, _ in mine}),
        )
        rows: dict[Any, Row] = {row["id"]: dict(row) for row in found}
        gone = set[Any]()
        late, places = set[UUID](), dict[Any, Dated]()
        if self.is_dated:
            known = {key: msgspec.json.decode(row["last_place"], type=Dated) for key, row in rows.items()}
            late, places = await db.late(known, concerned, self._keys)
        for key, fact in mine:
            if fact.aggregate_id not in late:
                row = rows.setdefault(key, self._blank(key))
                row |= self._changed(fact, row)
        if late:
            told = await db.history(list(late))
            anew, again = self._refolded(told)
            gone = {key for fact in told for key in self._keys(fact)} - anew.keys()
            rows = {key: row for key, row in {**rows, **anew}.items() if key not in gone}
            places |= again
            await db.execute(f"delete from {{view}}.{self.name} where id = any($1)", list(gone))  # noqa: S608
        for key, row in rows.items():
            row |= {language_column(name): language_key(row[name] or "") for name in self.by_language}
            if self.searched:
                row[SEARCH_COLUMN] = language_key(" ".join(row[name] for name in self.searched if row[name]))
            if key in places:
                row["last_place"] = msgspec.json.encode(places[key]).decode()
        await db.execute(self.write, msgspec.json.encode(list(rows.values())).decode())
        if self.found_by:
            await self._keep_search(db, {row["id"]: row for row in found}, rows, gone)

    def search_row(self, row: Mapping[str, Any]) -> dict[str, list[int]]:
        """Under what a row is found, and by whom."""
        return {
            "keys": keys_of(row[name] for name in self.found_by),
            "seen_by": marks_of({name: row[name] for name in self.belongs_to}),
        }

    async def _keep_search(
        self, db: ProjectionDatabase, before: Mapping[Any, Record], rows: Mapping[Any, Row], gone: set[Any]
    ) -> None:
        """A row of its own, and not an index on the rows themselves, which would be written again at every change."""
        looked_at = (*self.found_by, *self.belongs_to)
        known = {key: [row[name] for name in looked_at] for key, row in before.items()}
        changed = [
            {"id": key, **self.search_row(row)}
            for key, row in rows.items()
            if [row[name] for name in looked_at] != known.get(key)
        ]
        table = search_table(self.name)
        if changed:
            sql = (
                f"insert into {{view}}.{table} select * from json_populate_recordset(null::{{view}}.{table}, $1)"  # noqa: S608
                " on conflict (id) do update set keys = excluded.keys, seen_by = excluded.seen_by"
            )
            await db.execute(sql, msgspec.json.encode(changed).decode())
        if gone:
            await db.execute(f"delete from {{view}}.{table} where id = any($1)", list(gone))  # noqa: S608

    def _keys(self, fact: Envelope[Any]) -> Iterable[Any]:
        return self.keys(fact) if self._folds(fact) else ()

    def _folds(self, fact: Envelope[Any]) -> bool:
        return type(fact.data) in self.events

    def _takes_back(self, fact: Envelope[Any]) -> bool:
        return bool(fact.data.retracts) and any(
            event.aggregate == fact.data.aggregate  # type: ignore[attr-defined]
            for event in self.events
        )

    def _blank(self, key: Any) -> Row:
        return {**dict.fromkeys(self.stored), "id": key}

    def _changed(self, fact: Envelope[Any], row: Row) -> Row:
        """What is different in a row after a fact, in the order in which facts happened; `version` and `updated_at`
        tell what was recorded last."""
        recorded = {"version": fact.sequence, UPDATED_AT: fact.recorded_at}
        change = self.changes.get(type(fact.data))
        changed = {**recorded, **(change(fact, row) if change else {})}
        return {**changed, **self._newest(row, changed)} if self.is_dated else changed

    def _newest(self, row: Row, changed: Row) -> Row:
        """What tells when something was recorded last, of the row and of what changes in it."""
        return {
            name: max(known, changed[name])
            for name in ("version", UPDATED_AT)
            if name in changed and (known := row.get(name)) is not None
        }

    def _refolded(self, facts: Iterable[Envelope[Any]]) -> tuple[dict[Any, Row], dict[Any, Dated]]:
        """The rows of aggregates of which something was told late, from all that is known of these, and the last places
        of rows."""
        rows, places = dict[Any, Row](), dict[Any, Dated]()
        for told in by_thing(facts).values():
            own = [fact for fact in standing(told) if self._folds(fact)]
            for _, fact in timed(own):
                for key in self.keys(fact):
                    row = rows.setdefault(key, self._blank(key))
                    row |= self._changed(fact, row)
                    places[key] = max(places.get(key, place_of(fact)), place_of(fact))
            if own and self.assumes and not is_order_known(own):
                row |= self.assumes(fact, row)
            for fact in told:
                if self._takes_back(fact) and fact.aggregate_id in rows:
                    row = rows[fact.aggregate_id]
                    row |= self._newest(row, {"version": fact.sequence, UPDATED_AT: fact.recorded_at})
        return rows, places


UPDATED_AT = "updated_at"
"""The column that says when a row was changed last, by the company's clock."""
SEARCH_COLUMN = "search_key"
"""The column in which words are searched, whatever their case and the marks on their letters."""
LANGUAGE_KEY = 'text collate "C" not null'


BY_KEYS = "using gin (keys, seen_by) with (gin_pending_list_limit = 256)"
"""Whose a row is stands in the same index: of a word that many rows have, what is read is what the asker's few have in
common with it. Few rows wait to be taken into the index, for every reader reads all those."""


def search_table(name: str) -> str:
    """The table in which stands by which keys the rows of another one are found."""
    return f"{name}_search"


def language_column(name: str) -> str:
    """The column by which a text is sorted and searched as people read it."""
    return f"{name}_key"


LAST_PLACE = {"last_place": "text"}
"""The last place of any fact of a row, where facts may be told late."""
