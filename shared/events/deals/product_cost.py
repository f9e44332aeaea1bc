"""Events of what a product costs the company: a thing of its own, because fewer people see it than see the product."""

from uuid import UUID

from shared.events.definition import event
from shared.events.money import Money


@event("deals.product-cost-set", aggregate="product-cost")
class ProductCostSet:
    """One of a product costs the company this from now on (PROD-1)."""

    cost_id: UUID
    product_id: UUID
    cost: Money | None
    """None: nobody says any more."""
