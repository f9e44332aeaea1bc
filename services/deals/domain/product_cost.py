"""What one of a product costs the company: an aggregate beside the product, because fewer people see it (PROD-1)."""

from dataclasses import replace
from typing import Any, ClassVar
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.domain.aggregate import Aggregate, Decision
from shared.domain.context import Context
from shared.domain.money import check_money
from shared.domain.references import ProductId
from shared.domain.rejection import Rejected
from shared.domain.roles import Reach, Role, permission
from shared.events.deals.product_cost import ProductCostSet
from shared.events.definition import value
from shared.events.money import Money

KEEPING_COSTS = permission(dict.fromkeys((Role.PRODUCT, Role.SALES_OPERATIONS, Role.FINANCE), Reach.ALL))
READING_COSTS = permission({**KEEPING_COSTS, **dict.fromkeys((Role.SALES_DIRECTOR, Role.EXECUTIVE), Reach.ALL)})
"""Not those who sell: a customer who hears the cost bargains by it."""


@value
class NoProductCost:
    """Nobody ever said what the product costs."""


@value
class StatedProductCost:
    """What one of a product costs the company now."""

    id: UUID
    product_id: UUID
    cost: Money | None


product_cost = Aggregate("product-cost", plural="product-costs", start=NoProductCost, readers=READING_COSTS)


@value
class SetProductCost:
    """What one of a product costs the company from now on."""

    product_id: ProductId
    cost: Money | None
    """Null: nobody says any more."""

    example: ClassVar[dict[str, Any]] = {
        "product_id": "01936d2f-8a5c-7e54-b8a1-3d2c9b5e7f10",
        "cost": {"amount": "3100.00", "currency": "EUR"},
    }


@value
class KnownCost:
    """What a product costs, as a handler of the product is given it."""

    cost: Money | None = None


@product_cost.decides(allow=KEEPING_COSTS, routed=False)
def set_cost(state: NoProductCost | StatedProductCost, command: SetProductCost, context: Context) -> Decision:
    """Set what one of a product costs the company."""
    cost = None if command.cost is None else checked_cost(command.cost, "cost")
    known = state.cost if isinstance(state, StatedProductCost) else None
    return [] if cost == known else [cost_told(command.product_id, cost)]


@product_cost.evolves
def cost_set(state: NoProductCost | StatedProductCost, event: ProductCostSet) -> StatedProductCost:
    if isinstance(state, StatedProductCost):
        return replace(state, cost=event.cost)
    return StatedProductCost(id=event.cost_id, product_id=event.product_id, cost=event.cost)


def cost_of(product_id: UUID) -> UUID:
    """The id of the cost of a product, whoever says it."""
    return uuid5(NAMESPACE_URL, f"product-costs/{product_id}")


def cost_told(product_id: UUID, cost: Money | None) -> ProductCostSet:
    """The fact that a product costs so much."""
    return ProductCostSet(cost_id=cost_of(product_id), product_id=product_id, cost=cost)


def checked_cost(cost: Money, field: str) -> Money:
    """The cost with its currency's decimals. Raises Rejected."""
    checked = check_money(cost, field)
    if checked.amount < 0:
        raise Rejected("negative", "A cost is not below zero.", field=f"{field}.amount")
    return checked
