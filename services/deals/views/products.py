"""The price list."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.domain.money import Money
from shared.domain.roles import EVERYBODY
from shared.events import deals
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.views.lists import Listing, contains, equals
from shared.views.view import View, ViewDatabase

DDL = """
create table {view}.product (
    id uuid primary key, version bigint not null, code text not null, name text not null, family text,
    list_price numeric not null, currency text not null, active boolean not null
);
create index on {view}.product (code, id);
"""

WRITE = """
insert into {view}.product values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (id) do update set version = excluded.version, code = excluded.code, name = excluded.name,
    family = excluded.family, list_price = excluded.list_price, currency = excluded.currency, active = excluded.active
"""


@value
class ProductRow:
    """A product in the list."""

    id: UUID
    version: int
    code: str
    name: str
    family: str | None
    list_price: Money
    active: bool


async def apply(db: ViewDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Every event holds the whole product; the last one counts."""
    rows = {
        fact.aggregate_id: (
            fact.aggregate_id,
            fact.sequence,
            fact.data.code,
            fact.data.name,
            fact.data.family,
            fact.data.list_price.amount,
            fact.data.list_price.currency,
            fact.data.active,
        )
        for fact in events
    }
    await db.executemany(WRITE, rows.values())


PRODUCT_VIEW = View(
    name="products",
    version=1,
    ddl=DDL,
    apply=apply,
    events=(deals.ProductListed, deals.ProductChanged),
)

PRODUCTS = Listing(
    name="products",
    view=PRODUCT_VIEW,
    table="product",
    item=ProductRow,
    key="id",
    filters={
        "code": equals("code"),
        "family": equals("family"),
        "active": equals("active", bool),
        "q": contains("name"),
    },
    sorts=("code", "name", "list_price"),
    default_sort="code",
    readers=EVERYBODY,
    owner=None,
    team=None,
)
