"""The price list."""

from uuid import UUID

from shared.domain.money import Money
from shared.domain.roles import EVERYBODY
from shared.events import deals
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.views.lists import Listing, contains, equals
from shared.views.tables import Row, Table
from shared.views.view import View


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


def _whole(fact: Envelope[deals.ProductListed | deals.ProductChanged], row: Row) -> Row:
    """Every event holds the whole product; the one that happened last counts."""
    event = fact.data
    return {
        "code": event.code,
        "name": event.name,
        "family": event.family,
        "list_price": event.list_price.amount,
        "currency": event.list_price.currency,
        "active": event.active,
    }


PRODUCT = Table(
    name="product",
    by_language=("name",),
    columns={
        "id": "uuid primary key",
        "version": "bigint not null",
        "code": "text not null",
        "name": "text not null",
        "family": "text",
        "list_price": "numeric not null",
        "currency": "text not null",
        "active": "boolean not null",
    },
    changes={deals.ProductListed: _whole, deals.ProductChanged: _whole},
)

DDL = f"""
{PRODUCT.ddl}
create index on {{view}}.product (code, id);
"""

PRODUCT_VIEW = View(name="products", version=3, ddl=DDL, apply=PRODUCT.apply, events=tuple(PRODUCT.changes))

PRODUCTS = Listing(
    name="products",
    by_language=("name",),
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
