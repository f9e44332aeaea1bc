"""Columns follow from the types of a row's fields; a type that no column holds is named, with its field."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest

from shared.events.definition import Exact, value, words
from shared.events.money import Money
from shared.projections.columns import BY_LANGUAGE, SEARCHED, OfToday, amounts_of, columns_of, marked, of_today
from shared.projections.tables import Table
from tests.shared.projections.depot import ParcelPosted, ParcelScanned


class Colour(StrEnum):
    RED = "red"


@value
class Everything:
    """A field of every type that a column holds."""

    id: UUID
    version: int
    name: Annotated[str, BY_LANGUAGE, SEARCHED]
    nick: Annotated[str | None, SEARCHED]
    status: Annotated[str, words(["open"])]
    kind: Literal["one", "two"]
    colour: Colour | None
    chance: Exact
    share: Decimal | None
    price: Money
    discount: Money | None
    day: date
    until: date | None
    at: datetime
    won: bool
    members: tuple[UUID, ...]
    stages: list[str] | None
    late: Annotated[bool, OfToday("until < {today}")]


def test_the_type_of_a_field_is_that_of_its_column() -> None:
    assert columns_of(Everything) == {
        "id": "uuid primary key",
        "version": "bigint not null",
        "name": "text not null",
        "nick": "text",
        "status": "text not null",
        "kind": "text not null",
        "colour": "text",
        "chance": "numeric not null",
        "share": "numeric",
        "price": "numeric not null",
        "currency": "text not null",
        "discount": "numeric",
        "day": "date not null",
        "until": "date",
        "at": "timestamptz not null",
        "won": "boolean not null",
        "members": "uuid[] not null",
        "stages": "text[]",
    }


def test_a_row_says_of_its_fields_what_else_lists_need() -> None:
    assert (marked(Everything, BY_LANGUAGE), marked(Everything, SEARCHED)) == (("name",), ("name", "nick"))
    assert amounts_of(Everything) == ("price", "discount")
    assert of_today(Everything) == {"late": "until < {today}"}


@value
class Perhaps:
    """Nothing of it costs anything for sure."""

    id: str
    price: Money | None


def test_a_currency_may_be_empty_where_every_amount_may() -> None:
    assert columns_of(Perhaps) == {"id": 'text collate "C" primary key', "price": "numeric", "currency": "text"}


@value
class WithMapping:
    id: UUID
    facts: dict[str, int]


@value
class WithChoice:
    id: UUID
    either: int | str


@value
class WithPair:
    id: UUID
    pair: tuple[int, str]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (WithMapping, r"WithMapping\.facts: no column holds dict"),
        (WithChoice, r"WithChoice\.either: no column holds int \| str"),
        (WithPair, r"WithPair\.pair: no column holds tuple"),
    ],
)
def test_a_field_that_no_column_holds_is_named_when_its_table_is_declared(row: type, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Table(name="thing", row=row, events=(ParcelPosted,), changes={})


@value
class Parcel:
    id: UUID
    version: int
    updated_at: datetime


@value
class Kept:
    version: int


@value
class Idle:
    """Kept and never shown, and yet to be searched."""

    note: Annotated[str, SEARCHED]


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: Table(name="p", row=Parcel, kept=Kept, events=(), changes={}), r"p declares \['version'\] twice"),
        (lambda: Table(name="p", row=Parcel, kept=Idle, events=(), changes={}), r"keeps \['note'\]"),
        (
            lambda: Table(name="p", row=Parcel, events=(ParcelPosted,), changes={ParcelScanned: lambda *_: {}}),
            r"\['ParcelScanned'\], which are not among its events",
        ),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(declare: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        declare()


def test_the_index_for_those_who_ask_what_has_changed_follows_from_the_column() -> None:
    table = Table(name="parcel", row=Parcel, events=(), changes={}, indices=("(version) where version > 1",))
    assert table.ddl == (
        "create table {view}.parcel (id uuid primary key, version bigint not null, updated_at timestamptz not null);\n"
    )
    assert table.index_ddl == (
        "create index if not exists parcel_1 on {view}.parcel (version) where version > 1",
        "create index if not exists parcel_2 on {view}.parcel (updated_at, id)",
    )
