"""List prices of a product: in any currency, from a day on, with tiers by quantity (PROD-1)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Protocol

from annotated_types import Gt, Le, MaxLen

from shared.domain.fields import Day
from shared.domain.money import money_faults
from shared.domain.rejection import Reason
from shared.events.deals.product import PriceTier, ProductPrice
from shared.events.definition import Exact, value
from shared.events.money import Money

MOST_QUANTITY = 10**9
"""On deals, on quotes and in tiers."""
DECIMALS = 6
"""Of quantities and percentages at most."""
FINEST = Decimal(1).scaleb(-DECIMALS)
MOST_PRICES = 200
"""Prices from a day on of one product: ten currencies, with a new price in each every quarter, for five years."""
MOST_TIERS = 20


@value
class TierWanted:
    """Another price of one, where so many are bought."""

    from_quantity: Annotated[Exact, Gt(0), Le(MOST_QUANTITY)]
    """At most six decimals."""
    price: Money
    """In the currency of the price that it belongs to."""


Tiers = Annotated[tuple[TierWanted, ...], MaxLen(MOST_TIERS)]


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
class CountingPrice:
    """The price that counts in a currency on a day."""

    price: Money
    """Of one, below the first tier."""
    valid_from: date | None
    """Since when; none: it is the list price, which always did."""
    tiers: tuple[PriceTier, ...]


class Wanted(Protocol):
    """A price that somebody asks for, by itself or along with a product."""

    @property
    def price(self) -> Money: ...
    @property
    def valid_from(self) -> date: ...
    @property
    def tiers(self) -> tuple[TierWanted, ...]: ...


def is_fine(number: Decimal) -> bool:
    """Whether a quantity or a percentage has no more decimals than are reckoned with."""
    return number == number.quantize(FINEST)


def quantity_faults(quantity: Decimal, where: str) -> tuple[Reason, ...]:
    """Why nothing can be sold in such a quantity."""
    if 0 < quantity <= MOST_QUANTITY and is_fine(quantity):
        return ()
    message = f"A quantity is above 0, at most {MOST_QUANTITY}, and has at most six decimals."
    return (Reason(code="invalid-quantity", message=message, field=where),)


def place_of_price(price: ProductPrice) -> tuple[str, date]:
    """By what one price of a product is known among its others."""
    return price.price.currency, price.valid_from


def priced(wanted: Wanted) -> ProductPrice:
    """A price as it is recorded, once nothing is wrong with it."""
    return ProductPrice(
        price=wanted.price,
        valid_from=wanted.valid_from,
        tiers=tuple(PriceTier(from_quantity=each.from_quantity, price=each.price) for each in wanted.tiers),
    )


def in_order(prices: Iterable[ProductPrice]) -> tuple[ProductPrice, ...]:
    """Prices by currency, the earliest first."""
    return tuple(sorted(prices, key=place_of_price))


def prices_faults(
    known: Sequence[ProductPrice], wanted: Sequence[Wanted], today: date, within: str = "prices."
) -> Iterator[Reason]:
    """Why a product cannot get these prices; those that it has are not looked at again."""
    seen = set[tuple[str, date]]()
    for index, each in enumerate(wanted):
        place = (each.price.currency, each.valid_from)
        if place in seen:
            message = "There is one price for a currency and a day."
            yield Reason(code="repeated", message=message, field=f"{within}{index}.valid_from")
        seen.add(place)
        if priced(each) not in known:
            yield from price_faults(each, today, f"{within}{index}.")
    yield from too_many(known, wanted, within)


def too_many(known: Sequence[ProductPrice], wanted: Sequence[Wanted], within: str = "") -> Iterator[Reason]:
    """Why there would be too many prices."""
    places = {*map(place_of_price, known), *((each.price.currency, each.valid_from) for each in wanted)}
    if len(places) > MOST_PRICES:
        message = f"A product has at most {MOST_PRICES} prices from a day on."
        yield Reason(code="too-many-prices", message=message, field=f"{within}{len(wanted) - 1}" if within else "price")


def price_faults(wanted: Wanted, today: date, within: str = "") -> Iterator[Reason]:
    """Why a price from a day on is none."""
    if wanted.valid_from < today:
        message = "A price is set from today or a later day on: what was offered by the one before stays so."
        yield Reason(code="in-the-past", message=message, field=f"{within}valid_from")
    yield from _amount_faults(wanted.price, f"{within}price")
    if len(wanted.tiers) > MOST_TIERS:
        message = f"A price has at most {MOST_TIERS} tiers."
        yield Reason(code="too-many-tiers", message=message, field=f"{within}tiers.{MOST_TIERS}.from_quantity")
    before = Decimal(0)
    for index, tier in enumerate(wanted.tiers):
        where = f"{within}tiers.{index}"
        faults = quantity_faults(tier.from_quantity, f"{where}.from_quantity")
        yield from faults
        if not faults and tier.from_quantity <= before:
            message = "Every quantity stands once, the smallest first."
            yield Reason(code="not-ascending", message=message, field=f"{where}.from_quantity")
        before = max(before, tier.from_quantity)
        yield from _amount_faults(tier.price, f"{where}.price", wanted.price.currency)


def _amount_faults(price: Money, where: str, currency: str | None = None) -> Iterator[Reason]:
    yield from money_faults(price, where, currency=currency, whose="the currency of the price")
    if price.amount < 0:
        yield Reason(code="negative", message="A price is not below zero.", field=f"{where}.amount")
