"""Events of a product: what is sold, and its list price."""

from uuid import UUID

from shared.events.chronology import Rank
from shared.events.definition import event
from shared.events.money import Money


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
