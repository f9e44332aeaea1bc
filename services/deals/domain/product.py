"""Products and their list prices, by currency, day and quantity (PROD-1)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar
from uuid import UUID

from annotated_types import MaxLen, MinLen

from services.deals.domain.prices import (
    MOST_PRICES,
    CountingPrice,
    PriceWanted,
    Tiers,
    in_order,
    place_of_price,
    price_faults,
    priced,
    prices_faults,
    too_many,
)
from shared.domain.aggregate import Aggregate, Claim, Decision, Occurrence
from shared.domain.context import Context
from shared.domain.fields import Day, Name
from shared.domain.history import said_of, stated
from shared.domain.merge_patch import absent, given
from shared.domain.money import check_money
from shared.domain.rejection import Reason, Rejected, all_at_once, refuse_all, refuse_otherwise
from shared.domain.retraction import retractable
from shared.domain.roles import EVERYBODY, Reach, Role, permission
from shared.events.deals.product import (
    ProductChanged,
    ProductFactRetracted,
    ProductListed,
    ProductPrice,
    ProductPriceSet,
    ProductPriceWithdrawn,
)
from shared.events.definition import value
from shared.events.money import Money

KEEPING_PRODUCTS = permission({Role.SALES_OPERATIONS: Reach.ALL, Role.PRODUCT: Reach.ALL})


@value
class NoProduct:
    """Nothing was listed under this id."""


@value
class ListedProduct:
    """A product with its list prices; only an active one can be put on a deal."""

    id: UUID
    code: str
    name: str
    family: str | None
    list_price: Money
    """Of one, in its main currency, for as long as no price from a day on has begun in that."""
    active: bool
    prices: tuple[ProductPrice, ...] = ()
    """From a day on; by currency, the earliest first."""


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
    """Of one, in the product's main currency, until another price in that begins."""
    family: Name | None = None
    prices: Annotated[tuple[PriceWanted, ...], MaxLen(MOST_PRICES)] = ()
    """In other currencies, or from a later day on; one for each currency and day."""

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


@value
class SetPrice:
    """The price of one from a day on; what was said before of that day and currency is replaced."""

    price: Money
    """Of one; its currency is that of the price list which it stands in."""
    valid_from: Day
    """Today or later."""
    tiers: Tiers = ()
    """Every quantity once, the smallest first; below the first, `price` counts."""

    example: ClassVar[dict[str, Any]] = {
        "price": {"amount": "5100.00", "currency": "USD"},
        "valid_from": "2027-01-01",
        "tiers": [{"from_quantity": "10", "price": {"amount": "4850.00", "currency": "USD"}}],
    }


@value
class WithdrawPrice:
    """A price that is not to begin after all."""

    currency: Annotated[str, MinLen(3), MaxLen(3)]
    valid_from: Day
    """Later than today: a price that has begun is followed by another one."""

    example: ClassVar[dict[str, Any]] = {"currency": "USD", "valid_from": "2027-01-01"}


retractable(product, ProductFactRetracted)


@product.decides(allow=KEEPING_PRODUCTS)
def add(state: NoProduct, command: AddProduct, context: Context) -> Decision:
    """Add a product to the price list. Its code is taken from then on."""
    faults = [*prices_faults((), command.prices, context.today)]
    all_at_once(
        lambda: refuse_all("invalid-price", "The product cannot have these prices.", faults),
        lambda: _price(command.list_price),
    )
    listed = _listed(command, context)
    prices = [price_set_to(context.aggregate_id, command.code, command.name, each) for each in command.prices]
    return [listed, *prices]


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
def update(state: ListedProduct, command: UpdateProduct, context: Context) -> Decision:
    """Change name, family, list price or availability. Deals keep the prices that they were given."""
    known = {name: getattr(state, name) for name in ("name", "family", "list_price", "active")} | given(command)
    known["list_price"] = _price(known["list_price"])
    refuse_all("superseded", "Another price counts.", [*superseded(state, known["list_price"], context.today)])
    event = ProductChanged(product_id=state.id, code=state.code, **known)
    return [] if changed(state, event) == state else [event]


@product.decides(allow=KEEPING_PRODUCTS)
def set_price(state: ListedProduct, command: SetPrice, context: Context) -> Decision:
    """Set the price of a product in a currency, from today or a later day on. Deals keep the prices that they have."""
    faults = [*price_faults(command, context.today), *too_many(state.prices, [command])]
    refuse_all("invalid-price", "The product cannot have this price.", faults)
    return [price_set_to(state.id, state.code, state.name, command)]


@product.decides(allow=KEEPING_PRODUCTS)
def withdraw_price(state: ListedProduct, command: WithdrawPrice, context: Context) -> Decision:
    """Withdraw a price that has not begun."""
    if command.valid_from <= context.today:
        message = "A price that has begun is not withdrawn: set the one that follows it."
        raise Rejected("has-begun", message, field="valid_from")
    return [
        ProductPriceWithdrawn(product_id=state.id, code=state.code, name=state.name, price=each)
        for each in state.prices
        if place_of_price(each) == (command.currency, command.valid_from)
    ]


@product.already
def is_listed(state: ListedProduct, command: AddProduct) -> bool:
    return (state.code, state.name, state.family, state.list_price, state.prices) == (
        command.code,
        command.name,
        command.family,
        command.list_price,
        in_order(priced(each) for each in command.prices),
    )


@product.already
def is_priced(state: ListedProduct, command: SetPrice) -> bool:
    return priced(command) in state.prices


@product.already
def is_without_price(state: ListedProduct, command: WithdrawPrice) -> bool:
    return (command.currency, command.valid_from) not in map(place_of_price, state.prices)


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


@product.evolves
def price_set(state: ListedProduct, event: ProductPriceSet) -> ListedProduct:
    others = [each for each in state.prices if place_of_price(each) != place_of_price(event.price)]
    return replace(state, prices=in_order([*others, event.price]))


@product.evolves
def price_withdrawn(state: ListedProduct, event: ProductPriceWithdrawn) -> ListedProduct:
    left = [each for each in state.prices if place_of_price(each) != place_of_price(event.price)]
    return replace(state, prices=tuple(left))


@product.claims
def code_taken(state: ListedProduct) -> list[Claim]:
    return [Claim(kind="product-code", key=state.code.casefold())]


def price_on(listed: ListedProduct, *, currency: str, on: date) -> CountingPrice | None:
    """What counts in a currency on a day: of the prices that have begun the newest, else the list price."""
    begun = [each for each in listed.prices if each.price.currency == currency and each.valid_from <= on]
    if begun:
        newest = max(begun, key=lambda each: each.valid_from)
        return CountingPrice(price=newest.price, valid_from=newest.valid_from, tiers=newest.tiers)
    if listed.list_price.currency == currency:
        return CountingPrice(price=listed.list_price, valid_from=None, tiers=())
    return None


def price_of(listed: ListedProduct, *, currency: str, quantity: Decimal, on: date) -> Money | None:
    """Unit price by list for so many of a product on a day; None where there is none in the currency."""
    counting = price_on(listed, currency=currency, on=on)
    if counting is None:
        return None
    reached = [tier.price for tier in counting.tiers if tier.from_quantity <= quantity]
    return reached[-1] if reached else counting.price


def price_set_to(product_id: UUID, code: str, name: str, wanted: PriceWanted | SetPrice) -> ProductPriceSet:
    """The fact that a product has a price, once nothing is wrong with it."""
    told = priced(wanted)
    tiers = tuple(replace(each, price=check_money(each.price, "tiers")) for each in told.tiers)
    exact = replace(told, price=check_money(told.price, "price"), tiers=tiers)
    return ProductPriceSet(product_id=product_id, code=code, name=name, price=exact)


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


def superseded(state: ListedProduct, list_price: Money, today: date) -> Iterator[Reason]:
    """Why the list price can be no other: what it says would count on no day any more."""
    counting = price_on(state, currency=list_price.currency, on=today)
    if list_price != state.list_price and counting is not None and counting.valid_from is not None:
        message = f"In {list_price.currency} the price from {counting.valid_from} counts: set one from a day on."
        yield Reason(code="superseded", message=message, field="list_price")
