"""Pages of a list, in the asker's scope: rows that stay put while others come in, one row by its id, and totals.

A page goes on after the last row of the one before (by sort column and key), so that what is inserted or removed
meanwhile neither repeats nor hides any other row. Totals are of the snapshot that the rows are of.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from asyncpg import Record

from shared.domain.context import Actor
from shared.domain.money import zero
from shared.domain.permissions import reach_of
from shared.domain.roles import Reach
from shared.domain.text import language_key
from shared.domain.working_days import WEEKENDS_ONLY, BusinessCalendar
from shared.events.money import Money
from shared.projections.columns import CURRENCY, fields_that_may_be_empty
from shared.projections.cursors import Cursors
from shared.projections.list_queries import ListQuery
from shared.projections.lists import ACCOUNT, Filter, Listing
from shared.projections.names import ACCOUNTS, join_names, names_of, reads_of_names, resolve_accounts, with_names
from shared.projections.projection import ProjectionDatabase
from shared.projections.read_snapshot import Projections, ReadSnapshot
from shared.projections.tables import language_column

Bound = Callable[[Any], str]
"""Takes a value as an argument of the statement, and gives its place there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """Some rows, the cursor of what follows them (None at the end), and how current they are."""

    items: Sequence[Any]
    next: str | None
    position: int
    as_of: datetime | None
    parked: int
    totals: Mapping[str, Any] | None = None
    """Of all rows, where they were asked for: `count`, and for a list of amounts their `sums` by currency."""


async def page(
    projections: Projections, listing: Listing, actor: Actor, asked: ListQuery, cursors: Cursors
) -> ListPage:
    """The rows that the actor may see and that the query asks for."""
    async with projections.reading(reads_of(listing, projections.every)) as reading:
        return await page_of(reading, listing, actor, asked, cursors)


async def page_of(
    reading: ReadSnapshot, listing: Listing, actor: Actor, asked: ListQuery, cursors: Cursors
) -> ListPage:
    """The same on a snapshot that is at hand, for an answer that has more than one page on it."""
    db = reading(listing.projection)
    rows = await _fetch(db, *select(listing, actor, asked))
    groups = await _fetch(db, *summed(listing, actor, asked)) if asked.totals else None
    shown = rows[: asked.limit]
    further = len(rows) > asked.limit
    return ListPage(
        items=[row_of(listing, row) for row in shown],
        next=cursors.encode([shown[-1][asked.column], shown[-1][listing.key]], asked.bound_to) if further else None,
        position=db.position,
        as_of=db.as_of,
        parked=db.parked,
        totals=None if groups is None else totals_of(listing, groups),
    )


async def totals_by(
    reading: ReadSnapshot, listing: Listing, actor: Actor, asked: ListQuery, column: str
) -> Mapping[Any, Mapping[str, Any]]:
    """The totals of all that the query leaves, for each value of a column."""
    found: dict[Any, list[Record]] = {}
    for row in await _fetch(reading(listing.projection), *summed(listing, actor, asked, column)):
        found.setdefault(row[column], []).append(row)
    return {value: totals_of(listing, groups) for value, groups in found.items()}


async def one(
    projections: Projections,
    listing: Listing,
    actor: Actor,
    key: Any,
    today: date,
    *,
    calendar: BusinessCalendar = WEEKENDS_ONLY,
) -> Any:
    """The row with a key, as the list shows it; None when there is none that the actor sees."""
    async with projections.reading(reads_of(listing, projections.every)) as reading:
        rows = await _fetch(reading(listing.projection), *select_one(listing, actor, key, today, calendar))
    return next((row_of(listing, row) for row in rows), None)


async def holds(projections: Projections, listing: Listing, actor: Actor, name: str, ids: Sequence[UUID]) -> bool:
    """Whether the actor sees any row that a filter of a list leaves."""
    arguments, bound = bound_arguments()
    conditions = [
        _condition(listing, listing.conditions[name], list(ids), actor, bound),
        *scope_of(listing, actor, bound),
    ]
    sql = f"select from {{view}}.{listing.table}{_where(conditions)} limit 1"
    return bool(await projections.lookup(listing.projection, sql, *arguments))


def reads_of(listing: Listing, every: Collection[str]) -> frozenset[str]:
    """The projections that a list is read from, out of those of its service: its own, and those with names."""
    return frozenset({listing.projection.name}) | reads_of_names(names_of(listing.item).values(), every)


async def _fetch(db: ProjectionDatabase, sql: str, arguments: Sequence[Any]) -> list[Record]:
    return await db.fetch(resolve_accounts(sql, db.schemas), *arguments)


# -- statements, in which names come from the declaration alone -------------------------------------------------------


def select(listing: Listing, actor: Actor, asked: ListQuery) -> tuple[str, list[Any]]:
    """The statement for one page and one row more, and its arguments."""
    arguments, bound = bound_arguments()
    of_today = _of_today(listing, listing.of_today, asked.today, asked.calendar, bound)
    conditions = _conditions(listing, actor, asked, of_today, bound)
    if asked.after is not None:
        conditions.append(_behind(listing, asked, *asked.after, bound))
    direction = "desc" if asked.descending else "asc"
    empty_last = " nulls last" if asked.column in fields_that_may_be_empty(listing.item) else ""
    order = f" order by {asked.column} {direction}{empty_last}, {listing.key} {direction}"
    columns = (*listing.columns, asked.column, listing.key)
    table, where = f"{{view}}.{listing.table}", _where(conditions)
    if asked.few:
        # PostgreSQL pulls no order or limit into a subquery with an offset.
        table, where = f"(select * from {table}{where} offset 0) few", ""  # noqa: S608
    return _shown(listing, columns, of_today, table, f"{where}{order} limit {asked.limit + 1}", order), arguments


def select_one(
    listing: Listing, actor: Actor, key: Any, today: date, calendar: BusinessCalendar
) -> tuple[str, list[Any]]:
    """The statement for the row with a key, and its arguments."""
    arguments, bound = bound_arguments()
    of_today = _of_today(listing, listing.of_today, today, calendar, bound)
    conditions = [f"{listing.key} = {bound(key)}", *scope_of(listing, actor, bound)]
    return _shown(listing, listing.columns, of_today, f"{{view}}.{listing.table}", _where(conditions)), arguments


def seen(listing: Listing, actor: Actor, today: date, calendar: BusinessCalendar) -> tuple[str, list[Any]]:
    """The statement for all rows that the actor sees, with what follows from the day and without names, and its
    arguments: what a summary of a list counts."""
    arguments, bound = bound_arguments()
    of_today = _of_today(listing, listing.of_today, today, calendar, bound)
    chosen = ", ".join(f"{of_today[name]} as {name}" if name in of_today else name for name in listing.columns)
    return f"select {chosen} from {{view}}.{listing.table}{_where(scope_of(listing, actor, bound))}", arguments  # noqa: S608


def summed(listing: Listing, actor: Actor, asked: ListQuery, *columns: str) -> tuple[str, list[Any]]:
    """The statement for the totals of everything that the query leaves, by some columns and currency, and its
    arguments."""
    arguments, bound = bound_arguments()
    asked_of = {listing.conditions[name].column for name in asked.values}
    of_today = _of_today(listing, asked_of & listing.of_today.keys(), asked.today, asked.calendar, bound)
    where = _where(_conditions(listing, actor, asked, of_today, bound))
    sums = "".join(f", sum({name}) as {name}" for name in listing.amounts)
    by = ", ".join([*columns, *([CURRENCY] if sums else [])])
    chosen = f"{by}, " if by else ""
    sql = f"select {chosen}{listing.counts} as count{sums} from {{view}}.{listing.table}{where}"  # noqa: S608
    sql += f" group by {by} order by {by}" if by else ""
    return sql, arguments


def bound_arguments() -> tuple[list[Any], Bound]:
    arguments: list[Any] = []

    def bound(value: Any) -> str:
        arguments.append(value)
        return f"${len(arguments)}"

    return arguments, bound


def _of_today(
    listing: Listing, names: Collection[str], today: date, calendar: BusinessCalendar, bound: Bound
) -> Mapping[str, str]:
    """What fields that follow from the day are computed from."""
    asked = {name: listing.of_today[name] for name in sorted(names)}
    given, said = dict[str, str](), "".join(asked.values())
    # Bound only where it is named: PostgreSQL knows no type of an argument that no statement names.
    if "{today}" in said:
        given["today"] = bound(today)
    if "{working_days}" in said:
        given["working_days"] = f"{bound(calendar.latest(today))}::date[]"
    return {name: f"({sql.format(**given)})" for name, sql in asked.items()}


def _shown(  # noqa: PLR0917
    listing: Listing, columns: Collection[str], of_today: Mapping[str, str], table: str, rest: str, order: str = ""
) -> str:
    """The statement for rows as they are shown; names are joined for those that are left."""
    names = {name: name for name in columns}
    chosen = ", ".join(f"{of_today[name]} as {name}" if name in of_today else name for name in names)
    rows = f"select {chosen} from {table}{rest}"  # noqa: S608
    return join_names(listing.item, names, rows, order) if names_of(listing.item) else rows


def _where(conditions: Sequence[str]) -> str:
    return f" where {' and '.join(conditions)}" if conditions else ""


def _conditions(
    listing: Listing, actor: Actor, asked: ListQuery, of_today: Mapping[str, str], bound: Bound
) -> list[str]:
    """What the query leaves, in the actor's scope."""
    narrowing = [(listing.conditions[name], asked.values[name]) for name in sorted(asked.values)]
    conditions = [
        _condition(listing, replace(given, column=of_today.get(given.column, given.column)), value, actor, bound)
        for given, value in narrowing
        if not given.narrows_if_true or value
    ]
    return conditions + scope_of(listing, actor, bound)


COMPARED = {
    "equals": "{} = any({})",
    "at least": "{} >= {}",
    "at most": "{} <= {}",
    "suits": "({0} = '{{}}' or {1} = any({0}))",
}


def _condition(listing: Listing, condition: Filter, value: Any, actor: Actor, bound: Bound) -> str:
    column = condition.column
    match condition.operator:
        case "mine":
            return f"{column} = {bound(actor.member)}"
        case "nobody's" | "known":
            # Without an argument, so that an index of those that hold something is found.
            holds = condition.operator == "known" and value
            return f"{column} is not null" if holds else f"{column} is null"
        case "search":
            words = language_key(value).split()
            return " and ".join(_word(listing, column, bound(word)) for word in words) or "true"
        case "contains":
            by_language = column in listing.by_language
            text, part = (language_column(column), language_key(value)) if by_language else (f"lower({column})", value)
            return f"strpos({text}, lower({bound(part)})) > 0"
        case "equals" if len(value) == 1:
            # As one value, an index that begins with the column is in the order of what follows there.
            return f"{column} = {bound(value[0])}"
        case compared:
            return COMPARED[compared].format(column, bound(value))


def _word(listing: Listing, column: str, word: str) -> str:
    """A word stands in the row's own texts, or in what its account is called now."""
    own = f"strpos({column}, {word}) > 0"
    if ACCOUNT not in listing.shown:
        return own
    called = f"select id from {{{ACCOUNTS}}}.account where strpos({language_column('name')}, {word}) > 0"  # noqa: S608
    return f"({own} or {ACCOUNT} in ({called}))"


def scope_of(listing: Listing, actor: Actor, bound: Bound) -> list[str]:
    """What the actor may see: everything, what belongs to their teams or to them or is common to them, or nothing."""
    reach = reach_of(actor, listing.readers)
    if reach is Reach.ALL:
        return []
    mine = []
    if reach is not None and listing.owner is not None and actor.member is not None:
        mine.append(f"{listing.owner} = {bound(actor.member)}")
    if reach in (Reach.TEAM, Reach.TEAM_AND_COMMON) and listing.team is not None and actor.teams:
        mine.append(f"{listing.team} = any({bound(list(actor.teams))})")
    if (
        reach in (Reach.OWN_AND_COMMON, Reach.TEAM_AND_COMMON)
        and listing.owner is not None
        and listing.team is not None
    ):
        theirs = f"{listing.team} is null or {listing.team} = any({bound(list(actor.teams))})"
        mine.append(f"({listing.owner} is null and ({theirs}))")
    if reach is Reach.OWN_AND_ALL_COMMON and listing.owner is not None:
        mine.append(f"{listing.owner} is null")
    return [f"({' or '.join(mine)})" if mine else "false"]


def _behind(listing: Listing, asked: ListQuery, value: Any, key: Any, bound: Bound) -> str:
    """The rows that follow one with this sort value and key. Nulls come last in both directions."""
    column, compare = asked.column, "<" if asked.descending else ">"
    if value is None:
        return f"({column} is null and {listing.key} {compare} {bound(key)})"
    following = f"({column}, {listing.key}) {compare} ({bound(value)}, {bound(key)})"
    # Without the `or`, an index on both columns finds the place at once; only columns that may be empty pay for it.
    return f"({following} or {column} is null)" if column in fields_that_may_be_empty(listing.item) else following


# -- what comes back --------------------------------------------------------------------------------------------------


def row_of(listing: Listing, row: Record) -> Any:
    """A row as an item, with the names beside its ids."""
    shown = with_names(listing.item)
    values: dict[str, Any] = {each.name: row[each.name] for each in fields(shown)}
    for name in listing.amounts:
        values[name] = None if values[name] is None else _money(values[name], row[CURRENCY])
    return shown(**values)


def totals_of(listing: Listing, groups: Sequence[Record]) -> Mapping[str, Any]:
    """The totals of rows that were counted, and summed by currency where there are amounts."""
    sums = {
        name: [_money(row[name], row[CURRENCY]) for row in groups if row[name] is not None] for name in listing.amounts
    }
    return {"count": sum(row["count"] for row in groups), **({"sums": sums} if listing.amounts else {})}


def _money(amount: Decimal, currency: str) -> Money:
    """An amount; nothing has the currency's decimals, too."""
    return Money(amount=amount, currency=currency) if amount else zero(currency)
