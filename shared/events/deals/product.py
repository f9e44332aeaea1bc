"""Events of a product: what is sold, and its list prices."""

from datetime import date
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.definition import Exact, event, value
from shared.events.money import Money


@value
class PriceTier:
    """What one costs, where so many are bought."""

    from_quantity: Exact
    price: Money


@value
class ProductPrice:
    """What one costs from a day on, in the currency of the price, until a later one in that currency begins."""

    price: Money
    valid_from: date
    tiers: tuple[PriceTier, ...]
    """The price from a quantity on, the smallest first; below the first, `price` counts."""


@event("deals.product-listed", aggregate="product", rank=Rank.OPENING)
class ProductListed:
    """A product can be sold (PROD-1)."""

    product_id: UUID
    code: str
    name: str
    family: str | None
    list_price: Money
    active: bool = True
    said: tuple[str, ...] | None = None
    """The fields that a line of history states; the others stay as they were. None: all are stated."""


@event("deals.product-changed", aggregate="product", rank=Rank.CHANGE)
class ProductChanged:
    """A product's name, family, price or availability is now this."""

    product_id: UUID
    code: str
    name: str
    family: str | None
    list_price: Money
    active: bool
    said: tuple[str, ...] | None = None
    """The fields that a line of history states; the others stay as they were. None: all are stated."""


@event("deals.product-fact-retracted", aggregate="product", rank=Rank.CHANGE, retracts=True)
class ProductFactRetracted:
    """What a request told of a product is taken back; what had been corrected by it counts again (DATA-5)."""

    product_id: UUID
    request: UUID
    """The causation id of the events that count no longer."""


@event("deals.product-price-set", aggregate="product", rank=Rank.CHANGE)
class ProductPriceSet:
    """A product has this price from a day on; one that it had in this currency from that very day is replaced."""

    product_id: UUID
    code: str
    name: str
    price: ProductPrice


@event("deals.product-price-withdrawn", aggregate="product", rank=Rank.CHANGE)
class ProductPriceWithdrawn:
    """A price that had not begun never will."""

    product_id: UUID
    code: str
    name: str
    price: ProductPrice
