"""The price list."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from services.deals.domain.product import TOLD, product
from shared.domain.history import stated
from shared.domain.roles import EVERYBODY
from shared.events.deals.product import ProductChanged, ProductListed
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.events.money import Money
from shared.projections.columns import BY_LANGUAGE, SEARCHED
from shared.projections.lists import Listing, equals, in_currency, search
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class ProductRow:
    """A product in the list."""

    id: UUID
    version: int
    code: Annotated[str, SEARCHED]
    name: Annotated[str, BY_LANGUAGE, SEARCHED]
    family: str | None
    list_price: Money
    active: bool
    updated_at: datetime


@value
class ProductKept:
    """What the list is asked by besides."""

    code_folded: str
    """The code as products are kept apart by it: without regard to small and capital letters, of any script."""


def _whole(fact: Envelope[ProductListed | ProductChanged], row: Row) -> Row:
    """An event holds the whole product, as far as it says; the first one all of it."""
    event = fact.data
    told = stated(event, TOLD, first=row["code"] is None)
    if "code" in told:
        told["code_folded"] = told["code"].casefold()
    if price := told.pop("list_price", None):
        told |= {"list_price": price.amount, "currency": price.currency}
    return told


PRODUCT = Table(
    name="product",
    row=ProductRow,
    kept=ProductKept,
    events=product.events,
    changes={ProductListed: _whole, ProductChanged: _whole},
    indices=("(code, id)", "(code_folded)"),
)

PRODUCT_PROJECTION = Projection(
    name="products",
    version=8,
    ddl=PRODUCT.ddl,
    indices=PRODUCT.index_ddl,
    apply=PRODUCT.apply,
    events=tuple(PRODUCT.events),
)

PRODUCTS = Listing(
    name="products",
    projection=PRODUCT_PROJECTION,
    table="product",
    item=ProductRow,
    key="id",
    filters={
        "code": equals("code"),
        "family": equals("family"),
        "currency": in_currency(),
        "active": equals("active", bool),
        "q": search(),
    },
    sorts=("code", "name", "list_price"),
    default_sort="code",
    readers=EVERYBODY,
    owner=None,
    team=None,
)
