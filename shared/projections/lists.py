"""Lists of a projection's rows, declared: filters, sorts, the reader's scope, and pages that stay put while rows come
in.

    DEALS = Listing(
        name="deals", projection=OPEN_DEALS, table="deal", item=DealRow, key="deal_id",
        filters={"stage": equals("stage"), "closes_from": at_least("expected_close", date), "q": contains("name")},
        sorts=("opened_at", "amount"), default_sort="-opened_at", readers=READING,
    )

A page goes on after the last row of the one before (by sort column and key), so that what is inserted or removed
meanwhile neither repeats nor hides any other row. Everything that is wrong with a query is said at once.
"""

import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any, Literal
from uuid import UUID

import msgspec
from asyncpg import Record

from shared.domain.context import Actor
from shared.domain.money import zero
from shared.domain.permissions import reach_of
from shared.domain.rejection import Reason
from shared.domain.roles import Permission, Reach
from shared.domain.text import language_key
from shared.events.money import Money
from shared.projections.cursors import Cursors, MalformedCursor
from shared.projections.errors import InvalidQuery, invalid
from shared.projections.projection import Projection
from shared.projections.query_values import PARSERS, CurrencyCode, flag, whole
from shared.projections.read_snapshot import Projections
from shared.projections.tables import SEARCH_COLUMN, language_column

MAX_ROWS = 100
DEFAULT_ROWS = 50
MAX_VALUE = 1000
MAX_VALUES = 100
PARAMETERS = frozenset({"limit", "cursor", "sort"})
CURRENCY = "currency"
"""The column that holds the currency of all amounts of a row."""
OWN_TEAM_ONLY = "own_team_only"
MAX_WORDS = 10

QueryParams = Mapping[str, Sequence[str]]
"""Parameter → what it is given, each time it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A condition on a column."""

    column: str
    kind: type
    operator: Literal["equals", "at least", "at most", "contains", "search"]
    words: tuple[str, ...] = ()
    """The values that there are, when the set is closed."""
    with_subteams: bool = False
    """Whether a team stands for itself and the teams below it, as in figures; `own_team_only` narrows that."""

    @property
    def takes_several(self) -> bool:
        """Whether the parameter may be given several times, for one of several values."""
        return self.operator == "equals" and self.kind is not bool


def equals(column: str, kind: type = str) -> Filter:
    """The column has this value, or one of several: the parameter is given once for each. A comma is a comma."""
    return Filter(column=column, kind=kind, operator="equals")


def in_team(column: str = "team") -> Filter:
    """The row is of this team or of one below it, or of one of several; with `own_team_only` of these alone."""
    return Filter(column=column, kind=UUID, operator="equals", with_subteams=True)


def in_currency() -> Filter:
    """The amounts of the row are in this currency, or in one of several."""
    return equals(CURRENCY, CurrencyCode)


def search() -> Filter:
    """Every word stands somewhere in the texts that `Table.searched` names, as people read them."""
    return Filter(column=SEARCH_COLUMN, kind=str, operator="search")


def one_of(column: str, words: Sequence[str]) -> Filter:
    """The column has this one of the words, or one of several; other words are refused."""
    return Filter(column=column, kind=str, operator="equals", words=tuple(words))


def at_least(column: str, kind: type) -> Filter:
    """The column's value is this or greater."""
    return Filter(column=column, kind=kind, operator="at least")


def at_most(column: str, kind: type) -> Filter:
    """The column's value is this or less."""
    return Filter(column=column, kind=kind, operator="at most")


def contains(column: str) -> Filter:
    """The text contains this, whatever the case; of `Listing.by_language` whatever the marks on its letters,
    too."""
    return Filter(column=column, kind=str, operator="contains")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list over HTTP: `GET /v1/<name>`. The fields of `item` are columns of the table; a `Money` field f reads the
    columns f and currency. `key` is a unique column that is never null."""

    name: str
    projection: Projection
    table: str
    item: type
    key: str
    filters: Mapping[str, Filter]
    sorts: tuple[str, ...]
    default_sort: str
    """A name out of `sorts`, with "-" in front for descending."""
    readers: Permission
    owner: str | None = "owner"
    team: str | None = "team"
    by_language: tuple[str, ...] = ()
    """Columns that are sorted and searched as people read them: those of the table (`Table.by_language`)."""
    of_today: Mapping[str, str] = field(default_factory=dict)
    """Fields that follow from the day on which somebody asks: name → SQL of the table's columns and `{today}`."""

    @property
    def parameters(self) -> frozenset[str]:
        """Everything that a query of this list may name."""
        narrowing = {OWN_TEAM_ONLY} if any(each.with_subteams for each in self.filters.values()) else set[str]()
        return PARAMETERS | self.filters.keys() | narrowing

    @property
    def sorts_amounts_of_currencies(self) -> bool:
        """Whether it is sorted by an amount in one of several currencies: then by the number, whatever the currency."""
        hints = _plain_types(self.item)
        return CURRENCY in self.filters and any(hints[name] is Money for name in self.sorts)

    def sorted_by(self, column: str) -> str:
        """The column by which one is sorted."""
        return language_column(column) if column in self.by_language else column

    def __post_init__(self) -> None:
        if self.default_sort.removeprefix("-") not in self.sorts:
            raise ValueError(f"{self.name} is not sorted by {self.default_sort}")
        if taken := {*PARAMETERS, OWN_TEAM_ONLY} & set(self.filters):
            raise ValueError(f"{self.name} cannot have filters named {sorted(taken)}")
        if unknown := {*self.sorts, self.key} - {each.name for each in fields(self.item)}:
            raise ValueError(f"{self.name} is sorted by {sorted(unknown)}, which its items do not show")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """Some rows, the cursor of what follows them (None at the end), and how current they are."""

    items: Sequence[Any]
    next: str | None
    position: int
    as_of: datetime | None
    parked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """A query that is in order."""

    limit: int
    column: str
    descending: bool
    values: Mapping[str, Any]
    """Filter → parsed value or values."""
    after: tuple[Any, Any] | None
    """Sort value and key of the last row of the page before."""
    bound_to: str
    """What a cursor of this query is good for."""
    today: date
    """The company's day on which it is asked."""
    own_team_only: bool = False
    """Whether a team stands for itself alone."""


async def page(
    projections: Projections, listing: Listing, actor: Actor, asked: ListQuery, cursors: Cursors
) -> ListPage:
    """The rows that the actor may see and that the query asks for."""
    sql, arguments = select(listing, actor, asked)
    async with projections.reading({listing.projection.name}) as reading:
        db = reading(listing.projection)
        rows = await db.fetch(sql, *arguments)
    shown = rows[: asked.limit]
    further = len(rows) > asked.limit
    return ListPage(
        items=[row_of(listing, row) for row in shown],
        next=cursors.encode([shown[-1][asked.column], shown[-1][listing.key]], asked.bound_to) if further else None,
        position=db.position,
        as_of=db.as_of,
        parked=db.parked,
    )


async def holds(  # noqa: PLR0917
    projections: Projections, listing: Listing, actor: Actor, today: date, name: str, ids: Sequence[UUID]
) -> bool:
    """Whether the actor sees any row that a filter of a list leaves."""
    values = {name: list(ids)}
    whole = ListQuery(
        limit=0, column=listing.key, descending=False, values=values, after=None, bound_to="", today=today
    )
    sql, arguments = select(listing, actor, whole)
    return bool(await projections.lookup(listing.projection, sql, *arguments))


def understand(listing: Listing, query: QueryParams, cursors: Cursors, today: date) -> ListQuery:
    """Check a query. `InvalidQuery` names every wrong parameter."""
    wrong: list[Reason] = []
    (sort,) = query.get("sort", [listing.default_sort])
    column = sort.removeprefix("-")
    if column not in listing.sorts:
        wrong.append(invalid("sort", "unknown-sort", f"Sort by one of: {', '.join(listing.sorts)}."))
    values: dict[str, Any] = {}
    own_team_only = OWN_TEAM_ONLY in query and OWN_TEAM_ONLY in listing.parameters and _own_team_only(query, wrong)
    for name in query.keys() - PARAMETERS - ({OWN_TEAM_ONLY} & listing.parameters):
        if name not in listing.filters:
            wrong.append(invalid(name, "unknown-parameter", f"{listing.name} have no filter {name!r}."))
            continue
        try:
            values[name] = parsed(listing.filters[name], query[name])
        except ValueError as error:
            wrong.append(invalid(name, "invalid-value", str(error)))
    (limit_given,) = query.get("limit", [str(DEFAULT_ROWS)])
    limit = _limit(limit_given, wrong)
    asked_for = sorted((name, sorted(query[name])) for name in values)
    bound_to = msgspec.json.encode([listing.name, sort, asked_for, own_team_only]).decode()
    after: tuple[Any, Any] | None = None
    if "cursor" in query and not wrong:
        try:
            (cursor,) = query["cursor"]
            value, key = cursors.decode(cursor, bound_to)
            after = _restored(listing.item, column, value), _restored(listing.item, listing.key, key)
        except MalformedCursor:
            wrong.append(invalid("cursor", "malformed-cursor", "This cursor is not one of this query; start anew."))
    if wrong:
        raise InvalidQuery(sorted(wrong, key=lambda reason: reason.field or ""))
    return ListQuery(
        limit=limit,
        column=listing.sorted_by(column),
        descending=sort.startswith("-"),
        values=values,
        after=after,
        bound_to=bound_to,
        today=today,
        own_team_only=own_team_only,
    )


def _own_team_only(query: QueryParams, wrong: list[Reason]) -> bool:
    """Whether a team is to stand for itself alone."""
    try:
        (text,) = query[OWN_TEAM_ONLY]
        return flag(text)
    except ValueError:
        wrong.append(invalid(OWN_TEAM_ONLY, "invalid-value", "true or false is needed."))
        return False


def select(listing: Listing, actor: Actor, asked: ListQuery) -> tuple[str, list[Any]]:
    """The statement for one page and one row more, and its arguments. Names come from the declaration alone."""
    arguments: list[Any] = []

    def bound(value: Any) -> str:
        arguments.append(value)
        return f"${len(arguments)}"

    of_today = {name: sql.format(today=bound(asked.today)) for name, sql in listing.of_today.items()}
    conditions = [
        _condition(listing, _on(listing.filters[name], of_today), asked.values[name], bound)
        for name in sorted(asked.values)
    ]
    conditions += _scope(listing, actor, bound)
    if asked.after is not None:
        conditions.append(_behind(listing, asked, *asked.after, bound))
    direction = "desc" if asked.descending else "asc"
    where = f" where {' and '.join(conditions)}" if conditions else ""
    names = dict.fromkeys((*columns_of(listing.item), asked.column, listing.key))
    columns = ", ".join(f"{of_today[name]} as {name}" if name in of_today else name for name in names)
    empty_last = " nulls last" if _may_be_empty(listing.item, asked.column) else ""
    order = f"{asked.column} {direction}{empty_last}, {listing.key} {direction}"
    source = f"{{view}}.{listing.table}"
    return f"select {columns} from {source}{where} order by {order} limit {asked.limit + 1}", arguments  # noqa: S608


def _on(condition: Filter, of_today: Mapping[str, str]) -> Filter:
    """The condition, on what its column is computed from."""
    return replace(condition, column=of_today.get(condition.column, condition.column))


def columns_of(item: type) -> list[str]:
    """The columns that an item is made of."""
    hints = _plain_types(item)
    names = [each.name for each in fields(item)]
    return [*names, *([CURRENCY] if any(hints[name] is Money for name in names) and CURRENCY not in names else [])]


def row_of(listing: Listing, row: Record) -> Any:
    """A row as an item."""
    hints = _plain_types(listing.item)
    values: dict[str, Any] = {}
    for each in fields(listing.item):
        value = row[each.name]
        is_money = hints[each.name] is Money and value is not None
        values[each.name] = _money(value, row[CURRENCY]) if is_money else value
    return listing.item(**values)


def _money(amount: Decimal, currency: str) -> Money:
    """An amount; nothing has the currency's decimals, too."""
    return Money(amount=amount, currency=currency) if amount else zero(currency)


def parsed(condition: Filter, texts: Sequence[str]) -> Any:
    """The value, or values, of a filter. A `ValueError` says what it has to look like."""
    if len(texts) > MAX_VALUES or any(not text or len(text) > MAX_VALUE or "\x00" in text for text in texts):
        raise ValueError(f"Between 1 and {MAX_VALUE} characters are needed, at most {MAX_VALUES} times.")
    if condition.words and not set(texts) <= set(condition.words):
        raise ValueError(f"One of these is needed: {', '.join(condition.words)}.")
    parse, expected = PARSERS[condition.kind]
    if condition.operator == "search" and len(texts[0].split()) > MAX_WORDS:
        raise ValueError(f"At most {MAX_WORDS} words are searched for.")
    try:
        values = [parse(text) for text in texts]
    except ValueError:
        raise ValueError(f"{expected} is needed.") from None
    return values if condition.operator == "equals" else values[0]


def _condition(listing: Listing, condition: Filter, value: Any, bound: Callable[[Any], str]) -> str:
    match condition.operator:
        case "equals":
            return f"{condition.column} = any({bound(value)})"
        case "at least":
            return f"{condition.column} >= {bound(value)}"
        case "at most":
            return f"{condition.column} <= {bound(value)}"
        case "search":
            words = language_key(value).split()
            return " and ".join(f"strpos({condition.column}, {bound(word)}) > 0" for word in words) or "true"
        case "contains" if condition.column in listing.by_language:
            return f"strpos({language_column(condition.column)}, {bound(language_key(value))}) > 0"
        case "contains":
            return f"strpos(lower({condition.column}), lower({bound(value)})) > 0"


def _scope(listing: Listing, actor: Actor, bound: Callable[[Any], str]) -> list[str]:
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
    return [f"({' or '.join(mine)})" if mine else "false"]


def _behind(listing: Listing, asked: ListQuery, value: Any, key: Any, bound: Callable[[Any], str]) -> str:
    """The rows that follow one with this sort value and key. Nulls come last in both directions."""
    column, compare = asked.column, "<" if asked.descending else ">"
    if value is None:
        return f"({column} is null and {listing.key} {compare} {bound(key)})"
    following = f"({column}, {listing.key}) {compare} ({bound(value)}, {bound(key)})"
    # Without the `or`, an index on both columns finds the place at once; only columns that may be empty pay for it.
    return f"({following} or {column} is null)" if _may_be_empty(listing.item, column) else following


def _restored(item: type, column: str, value: Any) -> Any:
    """A value of a signed cursor, in the column's type again. Raises MalformedCursor when a release before wrote it of
    another one."""
    kind = _plain_types(item).get(column, str)
    try:
        return None if value is None else msgspec.convert(value, Decimal if kind is Money else kind)
    except msgspec.ValidationError as error:
        raise MalformedCursor from error


def _limit(text: str, wrong: list[Reason]) -> int:
    try:
        limit = whole(text)
    except ValueError:
        limit = 0
    if 1 <= limit <= MAX_ROWS:
        return limit
    wrong.append(invalid("limit", "invalid-value", f"A whole number from 1 to {MAX_ROWS} is needed."))
    return DEFAULT_ROWS


def _plain_types(item: type) -> dict[str, Any]:
    """The types of an item's fields, without "or nothing"."""
    return {name: _without_none(hint) for name, hint in typing.get_type_hints(item).items()}


def _without_none(hint: Any) -> Any:
    some = [kind for kind in typing.get_args(hint) if kind is not NoneType]
    return some[0] if len(some) == 1 and NoneType in typing.get_args(hint) else hint


def _may_be_empty(item: type, column: str) -> bool:
    return NoneType in typing.get_args(typing.get_type_hints(item).get(column))
