"""Products and their list prices (PROD-1)."""

from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from shared.domain.aggregate import Aggregate, Claim, Decision, Occurrence
from shared.domain.context import Context
from shared.domain.fields import Day, Name
from shared.domain.history import said_of, stated
from shared.domain.merge_patch import absent, given
from shared.domain.money import check_money
from shared.domain.rejection import Rejected, refuse_otherwise
from shared.domain.retraction import retractable
from shared.domain.roles import EVERYBODY, Reach, Role, permission
from shared.events.deals.product import ProductChanged, ProductFactRetracted, ProductListed
from shared.events.definition import value
from shared.events.money import Money

KEEPING_PRODUCTS = permission({Role.SALES_OPERATIONS: Reach.ALL, Role.PRODUCT: Reach.ALL})


@value
class NoProduct:
    """Nothing was listed under this id."""


@value
class ListedProduct:
    """A product with its list price; only an active one can be put on a deal."""

    id: UUID
    code: str
    name: str
    family: str | None
    list_price: Money
    active: bool


TOLD = ("code", "name", "family", "list_price", "active")
"""What events tell of a product."""

product = Aggregate("product", plural="products", start=NoProduct, readers=EVERYBODY)


@value
class Catalogue:
    """The products that a command names, by id; unknown ids are absent."""

    products: dict[UUID, ListedProduct]


@value
class AddProduct:
    """A product that can be sold from now on."""

    code: Name
    """The company's own code; it belongs to one product for ever."""
    name: Name
    list_price: Money
    family: Name | None = None

    example: ClassVar[dict[str, Any]] = {
        "code": "SRV-100",
        "name": "Server 100",
        "family": "Servers",
        "list_price": {"amount": "4800.00", "currency": "EUR"},
    }


@value
class ImportProduct:
    """A product that was sold from a day of the past on (DATA-5); of several days, what it was from each of them on."""

    on: Day
    at: datetime | None = None
    code: Name
    name: Name
    list_price: Money
    family: Name | None = None


@value
class UpdateProduct:
    """What changes about a product; what is left out stays as it is."""

    name: Name = absent()
    family: Name | None = absent()
    """Null: of no family."""
    list_price: Money = absent()
    active: bool = absent()
    """False: it can no longer be put on deals."""

    example: ClassVar[dict[str, Any]] = {"list_price": {"amount": "4950.00", "currency": "EUR"}}


retractable(product, ProductFactRetracted)


@product.decides(allow=KEEPING_PRODUCTS)
def add(state: NoProduct, command: AddProduct, context: Context) -> Decision:
    """Add a product to the price list. Its code is taken from then on."""
    return [_listed(command, context)]


@product.imports("product", ProductListed, ProductChanged)
def import_product(state: NoProduct | ListedProduct, command: ImportProduct, context: Context) -> Decision:
    """Take over a product, or what a later price list says of it."""
    said = said_of(
        {
            **dict.fromkeys(TOLD),
            "code": command.code,
            "name": command.name,
            "family": command.family,
            "list_price": command.list_price,
        }
    )
    listed = replace(_listed(command, context), said=said)
    at = context.past_moment(command.on, command.at)
    if isinstance(state, NoProduct):
        return [Occurrence(event=listed, at=at)]
    refuse_otherwise({"code": state.code}, {"code": command.code})
    changed = ProductChanged(
        product_id=state.id,
        code=state.code,
        name=listed.name,
        family=listed.family,
        list_price=listed.list_price,
        active=state.active,
        said=said,
    )
    return [Occurrence(event=changed, at=at)]


@product.decides(allow=KEEPING_PRODUCTS, method="PATCH")
def update(state: ListedProduct, command: UpdateProduct) -> Decision:
    """Change name, family, list price or availability. Deals keep the prices that they were given."""
    known = {name: getattr(state, name) for name in ("name", "family", "list_price", "active")} | given(command)
    known["list_price"] = _price(known["list_price"])
    event = ProductChanged(product_id=state.id, code=state.code, **known)
    return [] if changed(state, event) == state else [event]


@product.already
def is_listed(state: ListedProduct, command: AddProduct) -> bool:
    return (state.code, state.name, state.family, state.list_price) == (
        command.code,
        command.name,
        command.family,
        command.list_price,
    )


@product.evolves
def listed(state: NoProduct, event: ProductListed) -> ListedProduct:
    return ListedProduct(
        id=event.product_id,
        code=event.code,
        name=event.name,
        family=event.family,
        list_price=event.list_price,
        active=event.active,
    )


@product.evolves
def changed(state: ListedProduct, event: ProductChanged | ProductListed) -> ListedProduct:
    """What was told as the first listing may turn out not to be: then it was so from that day on."""
    return replace(state, **stated(event, TOLD))


@product.claims
def code_taken(state: ListedProduct) -> list[Claim]:
    return [Claim(kind="product-code", key=state.code.casefold())]


def _listed(command: AddProduct | ImportProduct, context: Context) -> ProductListed:
    return ProductListed(
        product_id=context.aggregate_id,
        code=command.code,
        name=command.name,
        family=command.family,
        list_price=_price(command.list_price),
    )


def _price(money: Money) -> Money:
    price = check_money(money, "list_price")
    if price.amount < 0:
        raise Rejected("negative", "A list price is not below zero.", field="list_price.amount")
    return price
