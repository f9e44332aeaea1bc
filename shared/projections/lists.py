"""Lists of a projection's rows, declared: filters, sorts, and whose the rows are. The rest follows from the row class.

    DEALS = Listing(
        name="deals", projection=DEAL_PROJECTION, table="deal", item=DealRow, key="id",
        filters={"stage": equals("stage"), "closes_from": at_least("expected_close", date), "q": search()},
        sorts=("opened_at", "amount"), default_sort="-opened_at", readers=READING,
    )

Every list whose rows have an owner is narrowed to what is the asker's (`mine`) or nobody's (`unassigned`); every one
whose rows say when they were changed last, to what was changed since (`updated_since`), and is sorted by that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.domain.roles import Permission
from shared.events.money import Money
from shared.projections.columns import BY_LANGUAGE, CURRENCY, amounts_of, columns_of, marked, of_today, types_of
from shared.projections.projection import Projection
from shared.projections.query_values import CurrencyCode
from shared.projections.tables import SEARCH_COLUMN, UPDATED_AT, language_column

OWN_TEAM_ONLY, TOTALS = "own_team_only", "totals"
MINE, UNASSIGNED, UPDATED_SINCE = "mine", "unassigned", "updated_since"
PARAMETERS = frozenset({"limit", "cursor", "sort", TOTALS})
COMMON = frozenset({OWN_TEAM_ONLY, MINE, UNASSIGNED, UPDATED_SINCE})
ACCOUNT = "account_id"
"""The column that names the account of a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A condition on a column."""

    column: str
    kind: type
    operator: Literal["equals", "at least", "at most", "contains", "suits", "search", "known", "mine", "nobody's"]
    words: tuple[str, ...] = ()
    """The values that there are, when the set is closed."""
    with_subteams: bool = False
    """Whether a team stands for itself and the teams below it, as in figures; `own_team_only` narrows that."""

    @property
    def takes_several(self) -> bool:
        """Whether the parameter may be given several times, for one of several values."""
        return self.operator == "equals" and self.kind is not bool

    @property
    def narrows_if_true(self) -> bool:
        """Whether it is a switch: false leaves everything."""
        return self.operator in ("mine", "nobody's")


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
    """Every word stands somewhere in the texts of the row that are marked `SEARCHED`, as people read them, or in the
    name of its account as it is now."""
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
    """The text contains this, whatever the case; of one that is marked `BY_LANGUAGE` whatever the marks on its
    letters, too."""
    return Filter(column=column, kind=str, operator="contains")


def suits(column: str, words: Sequence[str] = ()) -> Filter:
    """What the row is for, a list, has this value, or names none and so is for every one."""
    return Filter(column=column, kind=str, operator="suits", words=tuple(words))


def known(column: str) -> Filter:
    """The column holds something, or with false nothing."""
    return Filter(column=column, kind=bool, operator="known")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list over HTTP: `GET /v1/<name>`. The fields of `item` are columns of the table, but for those that are
    `OfToday`; a `Money` field f reads the columns f and currency. `key` is a unique column that is never null."""

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
    counts: str = "count(*)"
    """How many things some rows stand for, as SQL; of a summary table, the sum of what its rows count."""

    @property
    def conditions(self) -> Mapping[str, Filter]:
        """By which parameters it is narrowed: its own, and those that follow from what its rows have."""
        common = dict[str, Filter]()
        if self.owner is not None:
            common[MINE] = Filter(column=self.owner, kind=bool, operator="mine")
            common[UNASSIGNED] = Filter(column=self.owner, kind=bool, operator="nobody's")
        if UPDATED_AT in self.shown:
            common[UPDATED_SINCE] = at_least(UPDATED_AT, datetime)
        return {**self.filters, **common}

    @property
    def orders(self) -> tuple[str, ...]:
        """By what it is sorted: what it says, and when a row was changed last."""
        return (*self.sorts, UPDATED_AT) if UPDATED_AT in self.shown else self.sorts

    @property
    def shown(self) -> Sequence[str]:
        """The fields of its rows."""
        return [each.name for each in fields(self.item)]

    @property
    def amounts(self) -> tuple[str, ...]:
        """The fields of its rows that are money."""
        return amounts_of(self.item)

    @property
    def columns(self) -> Sequence[str]:
        """The columns that its rows are made of."""
        return list(dict.fromkeys((*self.shown, *columns_of(self.item))))

    @property
    def by_language(self) -> tuple[str, ...]:
        """Columns that are sorted and searched as people read them."""
        return marked(self.item, BY_LANGUAGE)

    @property
    def of_today(self) -> Mapping[str, str]:
        """Fields that follow from the day on which somebody asks: name → SQL of the table's columns and `{today}`."""
        return of_today(self.item)

    @property
    def parameters(self) -> frozenset[str]:
        """Everything that a query of this list may name."""
        narrowing = {OWN_TEAM_ONLY} if any(each.with_subteams for each in self.filters.values()) else set[str]()
        return PARAMETERS | self.conditions.keys() | narrowing

    @property
    def sorts_amounts_of_currencies(self) -> bool:
        """Whether it is sorted by an amount in one of several currencies: then by the number, whatever the currency."""
        return CURRENCY in self.filters and any(types_of(self.item)[name] is Money for name in self.sorts)

    def sorted_by(self, column: str) -> str:
        """The column by which one is sorted."""
        return language_column(column) if column in self.by_language else column

    def __post_init__(self) -> None:
        if UPDATED_AT in self.sorts:
            raise ValueError(f"{self.name} is sorted by {UPDATED_AT} without saying so")
        if self.default_sort.removeprefix("-") not in self.orders:
            raise ValueError(f"{self.name} is not sorted by {self.default_sort}")
        if taken := (PARAMETERS | COMMON) & set(self.filters):
            raise ValueError(f"{self.name} cannot have filters named {sorted(taken)}")
        if unknown := {*self.sorts, self.key} - set(self.shown):
            raise ValueError(f"{self.name} is sorted by {sorted(unknown)}, which its items do not show")
