"""Columns from a row class: the SQL type of a column follows from the type of the field that it holds.

    @value
    class DealRow:
        id: UUID                                           # uuid primary key
        name: Annotated[str, BY_LANGUAGE, SEARCHED]        # text not null, and how it is sorted and searched
        amount: Money                                      # numeric not null, with currency text not null
        expected_close: date | None                        # date
        overdue: Annotated[bool, OfToday("due < {today}")] # no column: it follows from the day on which somebody asks
        days_late: Annotated[int, OfToday(working_days_since("due"))]  # and from the company's calendar

A field of a type that no column holds is an error where the class is used, and so while its module is imported.
"""

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Any, Literal
from uuid import UUID

from shared.events.money import Money

KEY = "id"
CURRENCY = "currency"
"""The column that holds the currency of all amounts of a row."""

SQL: Mapping[Any, str] = {
    UUID: "uuid",
    str: "text",
    Decimal: "numeric",
    bool: "boolean",
    int: "bigint",
    date: "date",
    datetime: "timestamptz",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """How a text is treated, beside being kept."""

    name: str


BY_LANGUAGE = Mark("by language")
"""A text that is sorted and searched as people read it; beside it stands a column `<name>_key`."""
SEARCHED = Mark("searched")
"""A text whose words a search finds; those of a row stand together in a column `search_key`."""


@dataclass(frozen=True, slots=True)
class OfToday:
    """A field that follows from the row's columns and the company's `{today}`, as SQL. `{working_days}` are those of
    the company from some years before up to today, as a sorted array of days."""

    sql: str


def working_days_since(column: str) -> str:
    """The SQL of how many working days of the company lie after the day of a column, up to today."""
    return f"(cardinality({{working_days}}) - width_bucket({column}, {{working_days}}))"


@cache
def columns_of(row: type) -> Mapping[str, str]:
    """The columns that hold a row: name → SQL type. Raises TypeError for a field that no column holds."""
    hints = _stored(row)
    amounts = [hint for hint in hints.values() if some(hint) is Money]
    in_currency = {CURRENCY: "text" if all(map(may_be_empty, amounts)) else "text not null"}
    columns = dict[str, str]()
    for name, hint in hints.items():
        columns[name] = _primary(row, hint) if name == KEY else _column(row, name, hint)
        columns |= in_currency if some(hint) is Money else {}
    return columns


@cache
def types_of(row: type) -> Mapping[str, Any]:
    """The types of a row's fields, without "or nothing" and without marks."""
    return {name: some(hint) for name, hint in typing.get_type_hints(row).items()}


@cache
def fields_that_may_be_empty(row: type) -> frozenset[str]:
    """The fields of a row that may hold nothing."""
    return frozenset(name for name, hint in typing.get_type_hints(row).items() if may_be_empty(hint))


@cache
def amounts_of(row: type) -> tuple[str, ...]:
    """The fields of a row that are money, in order."""
    kinds = types_of(row)
    return tuple(each.name for each in fields(row) if kinds[each.name] is Money)


@cache
def marked(row: type, mark: Mark) -> tuple[str, ...]:
    """The fields of a row that carry a mark, in order."""
    return tuple(name for name, hint in _annotated(row).items() if mark in getattr(hint, "__metadata__", ()))


@cache
def of_today(row: type) -> Mapping[str, str]:
    """The fields that follow from the day on which somebody asks: name → SQL."""
    found = {name: _of_today(hint) for name, hint in _annotated(row).items()}
    return {name: mark.sql for name, mark in found.items() if mark is not None}


def some(hint: Any) -> Any:
    """A type without "or nothing"."""
    options = [option for option in typing.get_args(hint) if option is not NoneType]
    return options[0] if may_be_empty(hint) and len(options) == 1 else hint


def may_be_empty(hint: Any) -> bool:
    """Whether a type has "or nothing" in it."""
    return typing.get_origin(hint) in (typing.Union, types.UnionType) and NoneType in typing.get_args(hint)


def _annotated(row: type) -> Mapping[str, Any]:
    hints = typing.get_type_hints(row, include_extras=True)
    return {each.name: hints[each.name] for each in fields(row)}


def _of_today(hint: Any) -> OfToday | None:
    return next((mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, OfToday)), None)


def _stored(row: type) -> Mapping[str, Any]:
    hints = typing.get_type_hints(row)
    return {each.name: hints[each.name] for each in fields(row) if each.name not in of_today(row)}


def _primary(row: type, hint: Any) -> str:
    """A text that is a key is ordered by its bytes, so that its order is the same everywhere."""
    kind = _sql(row, KEY, hint)
    return f'{kind} collate "C" primary key' if kind == "text" else f"{kind} primary key"


def _column(row: type, name: str, hint: Any) -> str:
    kind = "numeric" if some(hint) is Money else _sql(row, name, some(hint))
    return kind if may_be_empty(hint) else f"{kind} not null"


def _sql(row: type, name: str, kind: Any) -> str:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is list or (origin is tuple and inner[1:] == (Ellipsis,)):
        return f"{_sql(row, name, inner[0])}[]"
    if origin is Literal and all(isinstance(word, str) for word in inner):
        return "text"
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return "text"
    if kind not in SQL:
        raise TypeError(f"{row.__name__}.{name}: no column holds {kind}")
    return SQL[kind]
