"""What products cost the company."""

from datetime import datetime
from uuid import UUID

from services.deals.domain.product_cost import READING_COSTS, product_cost
from shared.events.deals.product_cost import ProductCostSet
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.events.money import Money
from shared.projections.lists import Listing, equals, in_currency
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class ProductCostRow:
    """What one of a product costs the company."""

    id: UUID
    version: int
    product_id: UUID
    cost: Money | None
    """Null: nobody says any more."""
    updated_at: datetime


def _set(fact: Envelope[ProductCostSet], row: Row) -> Row:
    cost = fact.data.cost
    return {
        "product_id": fact.data.product_id,
        "cost": cost.amount if cost else None,
        "currency": cost.currency if cost else None,
    }


PRODUCT_COST = Table(
    name="product_cost",
    row=ProductCostRow,
    events=product_cost.events,
    changes={ProductCostSet: _set},
    indices=("(product_id, id)",),
)

PRODUCT_COST_PROJECTION = Projection(
    name="product_costs",
    version=1,
    ddl=PRODUCT_COST.ddl,
    indices=PRODUCT_COST.index_ddl,
    apply=PRODUCT_COST.apply,
    events=tuple(PRODUCT_COST.events),
)

PRODUCT_COSTS = Listing(
    name="product-costs",
    projection=PRODUCT_COST_PROJECTION,
    table="product_cost",
    item=ProductCostRow,
    key="id",
    filters={"product_id": equals("product_id", UUID), "currency": in_currency()},
    sorts=("product_id",),
    default_sort="product_id",
    readers=READING_COSTS,
    owner=None,
    team=None,
)
