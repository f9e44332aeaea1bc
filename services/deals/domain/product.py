"""Products and their list prices, by currency, day and quantity (PROD-1)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar
from uuid import UUID

from annotated_types import Gt, Le, MaxLen, MinLen

from shared.domain.aggregate import Aggregate, Claim, Decision, Occurrence
from shared.domain.context import Context
from shared.domain.fields import Day, Name
from shared.domain.history import said_of, stated
from shared.domain.merge_patch import absent, given
from shared.domain.money import check_money, money_faults
from shared.domain.rejection import Reason, Rejected, all_at_once, refuse_all, refuse_otherwise
from shared.domain.retraction import retractable
from shared.domain.roles import EVERYBODY, Reach, Role, permission
from shared.events.deals.product import (
    PriceTier,
    ProductChanged,
    ProductFactRetracted,
    ProductListed,
    ProductPrice,
    ProductPriceSet,
    ProductPriceWithdrawn,
)
from shared.events.definition import Exact, value
from shared.events.money import Money

KEEPING_PRODUCTS = permission({Role.SALES_OPERATIONS: Reach.ALL, Role.PRODUCT: Reach.ALL})

MOST = 10**9
FINEST = Decimal("0.000001")
"""Of quantities, on deals and in tiers."""
MOST_PRICES = 200
"""Prices from a day on of one product: ten currencies, with a new price in each every quarter, for five years."""


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
class CountingPrice:
    """The price that counts in a currency on a day."""

    price: Money
    """Of one, below the first tier."""
    valid_from: date | None
    """Since when; none: it is the list price, which always did."""
    tiers: tuple[PriceTier, ...]


@value
class TierWanted:
    """Another price of one, where so many are bought."""

    from_quantity: Annotated[Exact, Gt(0), Le(MOST)]
    """At most six decimals."""
    price: Money
    """In the currency of the price that it belongs to."""


Tiers = Annotated[tuple[TierWanted, ...], MaxLen(20)]


@value
class PriceWanted:
    """A price from a day on, until a later one in the same currency begins."""

    price: Money
    """Of one; its currency is that of the price list which it stands in."""
    valid_from: Day
    """Today or later."""
    tiers: Tiers = ()
    """Every quantity once, the smallest first; below the first, `price` counts."""


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
class SetPrice(PriceWanted):
    """What one costs from a day on; what was said before of that day and currency is replaced."""

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
    faults = [*_prices_faults((), command.prices, context.today)]
    all_at_once(
        lambda: refuse_all("invalid-price", "The product cannot have these prices.", faults),
        lambda: _price(command.list_price),
    )
    listed = _listed(command, context)
    return [listed, *(_set(context.aggregate_id, listed, priced(each)) for each in command.prices)]


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
    refuse_all("superseded", "Another price counts.", [*_superseded(state, known["list_price"], context.today)])
    event = ProductChanged(product_id=state.id, code=state.code, **known)
    return [] if changed(state, event) == state else [event]


@product.decides(allow=KEEPING_PRODUCTS)
def set_price(state: ListedProduct, command: SetPrice, context: Context) -> Decision:
    """Set what a product costs in a currency from a day on, today or later. Deals keep the prices that they were given."""
    faults = [*_price_faults(command, context.today), *_too_many(state.prices, [command])]
    refuse_all("invalid-price", "The product cannot have this price.", faults)
    return [_set(state.id, state, priced(command))]


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
        _in_order(priced(each) for each in command.prices),
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
    return replace(state, prices=_in_order([*others, event.price]))


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


def place_of_price(price: ProductPrice) -> tuple[str, date]:
    """By what one price of a product is known among its others."""
    return price.price.currency, price.valid_from


def priced(wanted: PriceWanted) -> ProductPrice:
    """A price as it is recorded, once nothing is wrong with it."""
    return ProductPrice(
        price=wanted.price,
        valid_from=wanted.valid_from,
        tiers=tuple(PriceTier(from_quantity=each.from_quantity, price=each.price) for each in wanted.tiers),
    )


def _in_order(prices: Iterable[ProductPrice]) -> tuple[ProductPrice, ...]:
    return tuple(sorted(prices, key=place_of_price))


def _set(product_id: UUID, listed: ListedProduct | ProductListed, price: ProductPrice) -> ProductPriceSet:
    tiers = tuple(replace(each, price=check_money(each.price, "tiers")) for each in price.tiers)
    exact = replace(price, price=check_money(price.price, "price"), tiers=tiers)
    return ProductPriceSet(product_id=product_id, code=listed.code, name=listed.name, price=exact)


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


def _superseded(state: ListedProduct, list_price: Money, today: date) -> Iterator[Reason]:
    """Why the list price can be no other: what it says would count on no day any more."""
    counting = price_on(state, currency=list_price.currency, on=today)
    if list_price != state.list_price and counting is not None and counting.valid_from is not None:
        message = f"In {list_price.currency} the price from {counting.valid_from} counts: set one from a day on."
        yield Reason(code="superseded", message=message, field="list_price")


def _prices_faults(
    known: Sequence[ProductPrice], wanted: Sequence[PriceWanted], today: date, within: str = "prices."
) -> Iterator[Reason]:
    """Why a product cannot get these prices; those that it has are not looked at again."""
    places = [(each.price.currency, each.valid_from) for each in wanted]
    for index, each in enumerate(wanted):
        if places[index] in places[:index]:
            message = "There is one price for a currency and a day."
            yield Reason(code="repeated", message=message, field=f"{within}{index}.valid_from")
        if priced(each) not in known:
            yield from _price_faults(each, today, f"{within}{index}.")
    yield from _too_many(known, wanted, within)


def _too_many(known: Sequence[ProductPrice], wanted: Sequence[PriceWanted], within: str = "") -> Iterator[Reason]:
    places = {*map(place_of_price, known), *((each.price.currency, each.valid_from) for each in wanted)}
    if len(places) > MOST_PRICES:
        message = f"A product has at most {MOST_PRICES} prices from a day on."
        yield Reason(code="too-many-prices", message=message, field=f"{within}{len(wanted) - 1}" if within else "price")


def _price_faults(wanted: PriceWanted, today: date, within: str = "") -> Iterator[Reason]:
    """Why a price from a day on is none."""
    if wanted.valid_from < today:
        message = "A price is set from today or a later day on: what was offered by the one before stays so."
        yield Reason(code="in-the-past", message=message, field=f"{within}valid_from")
    yield from _amount_faults(wanted.price, f"{within}price")
    before = Decimal(0)
    for index, tier in enumerate(wanted.tiers):
        where = f"{within}tiers.{index}"
        if not 0 < tier.from_quantity <= MOST or tier.from_quantity != tier.from_quantity.quantize(FINEST):
            message = f"A quantity is above 0, at most {MOST}, and has at most six decimals."
            yield Reason(code="invalid-quantity", message=message, field=f"{where}.from_quantity")
        elif tier.from_quantity <= before:
            message = "Every quantity stands once, the smallest first."
            yield Reason(code="not-ascending", message=message, field=f"{where}.from_quantity")
        before = max(before, tier.from_quantity)
        yield from _amount_faults(tier.price, f"{where}.price", wanted.price.currency)


def _amount_faults(price: Money, where: str, currency: str | None = None) -> Iterator[Reason]:
    yield from money_faults(price, where, currency=currency, whose="the currency of the price")
    if price.amount < 0:
        yield Reason(code="negative", message="A price is not below zero.", field=f"{where}.amount")
