"""Products as the rows of a price list tell of them: added, or brought up to what it says (PROD-1).

A row is a price. What the rows of a product do not say stays as it is, so a list may be a part of the whole one; and
the same list again changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, ClassVar
from uuid import NAMESPACE_URL, UUID, uuid5

from annotated_types import Gt, Le, MaxLen, MinLen

from services.deals.domain.prices import MOST_PRICES, MOST_QUANTITY, MOST_TIERS, PriceWanted, TierWanted, prices_faults
from services.deals.domain.product import (
    KEEPING_PRODUCTS,
    ListedProduct,
    NoProduct,
    changed,
    price_set_to,
    product,
    superseded,
)
from services.deals.domain.product_cost import KnownCost, checked_cost, cost_of, cost_told
from shared.domain.aggregate import Decision, Occurrence
from shared.domain.context import Context
from shared.domain.fields import Day, Name
from shared.domain.money import check_money, money_faults
from shared.domain.rejection import Reason, Rejected, refuse_all
from shared.events.deals.product import ProductChanged, ProductListed
from shared.events.definition import Exact, value
from shared.events.money import Money

MOST_ROWS = 10_000
MOST_ROWS_OF_A_PRODUCT = 1 + MOST_PRICES * (1 + MOST_TIERS)
"""Its list price, and each of its other prices with all of its tiers."""


@value
class PriceRow:
    """A price of a product: of one of it, or of one where so many are bought."""

    code: Name
    name: Name
    family: Name | None = None
    currency: Annotated[str, MinLen(3), MaxLen(3)]
    price: Exact
    valid_from: Day | None = None
    """The first day of the price; null: it is the list price."""
    from_quantity: Annotated[Exact, Gt(0), Le(MOST_QUANTITY)] | None = None
    """Null: it is the price of one, which the tiers of that day and currency add to."""
    unit_cost: Exact | None = None
    """What one costs the company, in the currency of the list price; null: as it is known."""
    active: bool = True
    """Whether it can be put on deals."""


@value
class ListProduct:
    """A product as all of its rows tell of it."""

    rows: Annotated[tuple[PriceRow, ...], MinLen(1), MaxLen(MOST_ROWS)]

    example: ClassVar[dict[str, Any]] = {
        "rows": [
            {"code": "SRV-100", "name": "Server 100", "currency": "EUR", "price": "4800.00", "unit_cost": "3100.00"},
            {
                "code": "SRV-100",
                "name": "Server 100",
                "currency": "USD",
                "price": "5100.00",
                "valid_from": "2027-01-01",
            },
        ]
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What rows come to, and which of them each part is from."""

    list_price: Money | None
    prices: tuple[PriceWanted, ...]
    cost: Money | None
    places: Mapping[str, int]
    """The path of a part, like "prices.0.tiers.1" → the row."""


@product.decides(allow=KEEPING_PRODUCTS, routed=False)
def list_(state: NoProduct | ListedProduct, command: ListProduct, context: Context, cost: KnownCost) -> Decision:
    """Add a product, or bring it up to what a price list says of it."""
    if len(command.rows) > MOST_ROWS_OF_A_PRODUCT:
        message = f"Of one product there are at most {MOST_ROWS_OF_A_PRODUCT} rows."
        raise Rejected("too-many-rows", message, field=f"rows.{MOST_ROWS_OF_A_PRODUCT}.code")
    refuse_all("invalid-price-list", "The rows contradict each other.", [*_contradictions(command.rows)])
    told = _told(command.rows, state)
    reasons = [*_faults(state, told, context)]
    refuse_all("invalid-price-list", "The list cannot be taken over.", [_in_its_row(each, told) for each in reasons])
    first = command.rows[0]
    listed = _listed(state, first, told, context)
    known = state.prices if isinstance(state, ListedProduct) else ()
    code = state.code if isinstance(state, ListedProduct) else first.code
    product_id = context.aggregate_id
    prices = [price_set_to(product_id, code, first.name, each) for each in told.prices]
    unit_cost = told.cost and checked_cost(told.cost, "unit_cost")
    is_known = unit_cost is None or unit_cost == cost.cost
    costs = [] if is_known else [Occurrence(event=cost_told(product_id, unit_cost), to=cost_of(product_id))]
    return [*listed, *(each for each in prices if each.price not in known), *costs]


def product_of(code: str) -> UUID:
    """The id of a product that a price list adds: it follows from the code, so that the list again means the same."""
    return uuid5(NAMESPACE_URL, f"products/{code.casefold()}")


def by_product(rows: Sequence[PriceRow]) -> dict[str, list[int]]:
    """Which rows tell of which product, by its code in small letters, in the order of the first rows."""
    found: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        found.setdefault(row.code.casefold(), []).append(index)
    return found


def rows_of(listed: ListedProduct, cost: Money | None) -> list[PriceRow]:
    """The rows that tell of a product as it is; the cost, where it is in the currency of the list price."""
    main = listed.list_price
    own = cost.amount if cost and cost.currency == main.currency else None
    first = PriceRow(
        code=listed.code,
        name=listed.name,
        family=listed.family,
        currency=main.currency,
        price=main.amount,
        unit_cost=own,
        active=listed.active,
    )
    rows = [first]
    for each in listed.prices:
        of_one = replace(
            first, currency=each.price.currency, price=each.price.amount, valid_from=each.valid_from, unit_cost=None
        )
        rows += [of_one]
        rows += [replace(of_one, price=tier.price.amount, from_quantity=tier.from_quantity) for tier in each.tiers]
    return rows


def _contradictions(rows: Sequence[PriceRow]) -> Iterator[Reason]:
    """Why rows cannot be of one product: what they say about it differs, or they say a price twice."""
    first = rows[0]
    seen: set[tuple[object, ...]] = set()
    costs = {row.unit_cost for row in rows} - {None}
    for index, row in enumerate(rows):
        for column in ("code", "name", "family", "active"):
            if getattr(row, column) != getattr(first, column):
                message = "All rows of a product say this alike."
                yield Reason(code="says-otherwise", message=message, field=f"rows.{index}.{column}")
        if row.unit_cost is not None and len(costs) > 1:
            message = "All rows of a product that say its unit cost say the same."
            yield Reason(code="says-otherwise", message=message, field=f"rows.{index}.unit_cost")
        # Of one list price there is one, whatever its currency.
        place = (row.currency if row.valid_from else None, row.valid_from, row.from_quantity)
        if place in seen:
            message = "There is one price for a currency, a day and a quantity, and one list price."
            yield Reason(code="repeated", message=message, field=f"rows.{index}.valid_from")
        seen.add(place)
        if row.valid_from is None and row.from_quantity is not None:
            message = "The list price has no tiers: say from which day on they count."
            yield Reason(code="tier-without-day", message=message, field=f"rows.{index}.valid_from")
    for index, row in enumerate(rows):
        if row.valid_from and row.from_quantity is not None and (row.currency, row.valid_from, None) not in seen:
            message = f"The price of one in {row.currency} from {row.valid_from} on is missing."
            yield Reason(code="no-price-of-one", message=message, field=f"rows.{index}.from_quantity")


def _told(rows: Sequence[PriceRow], state: NoProduct | ListedProduct) -> _Told:
    """What rows that agree come to."""
    places: dict[str, int] = {}
    list_price: Money | None = None
    prices: list[PriceWanted] = []
    tiers_of = _tiers(rows)
    for index, row in enumerate(rows):
        price = Money(amount=row.price, currency=row.currency)
        if row.valid_from is None:
            list_price, places["list_price"] = price, index
        elif row.from_quantity is None:
            places[f"prices.{len(prices)}"] = index
            tiers = tiers_of[row.currency, row.valid_from]
            for number, (place, _) in enumerate(tiers):
                places[f"prices.{len(prices)}.tiers.{number}"] = place
            prices.append(PriceWanted(price=price, valid_from=row.valid_from, tiers=tuple(tier for _, tier in tiers)))
    main = list_price or (state.list_price if isinstance(state, ListedProduct) else None)
    cost: Money | None = None
    for index, row in enumerate(rows):
        if row.unit_cost is not None and main is not None:
            cost, places["unit_cost"] = Money(amount=row.unit_cost, currency=main.currency), index
    return _Told(list_price=list_price, prices=tuple(prices), cost=cost, places=places)


def _tiers(rows: Sequence[PriceRow]) -> Mapping[tuple[str, date | None], Sequence[tuple[int, TierWanted]]]:
    """The tiers of each price with their rows, by its currency and day, the smallest first: the order of a file says
    nothing."""
    found = defaultdict[tuple[str, date | None], list[tuple[int, TierWanted]]](list)
    for index, row in enumerate(rows):
        if row.from_quantity is not None:
            tier = TierWanted(from_quantity=row.from_quantity, price=Money(amount=row.price, currency=row.currency))
            found[row.currency, row.valid_from].append((index, tier))
    for tiers in found.values():
        tiers.sort(key=lambda each: each[1].from_quantity)
    return found


def _faults(state: NoProduct | ListedProduct, told: _Told, context: Context) -> Iterator[Reason]:
    if told.list_price is not None:
        yield from money_faults(told.list_price, "list_price")
        if told.list_price.amount < 0:
            yield Reason(code="negative", message="A price is not below zero.", field="list_price.amount")
        if isinstance(state, ListedProduct):
            yield from superseded(state, told.list_price, context.today)
    elif isinstance(state, NoProduct):
        message = "A product that is new has a list price: a row without the day from which it counts."
        yield Reason(code="no-list-price", message=message, field="valid_from")
    known = state.prices if isinstance(state, ListedProduct) else ()
    yield from prices_faults(known, told.prices, context.today)
    if told.cost is not None:
        yield from money_faults(told.cost, "unit_cost")
        if told.cost.amount < 0:
            yield Reason(code="negative", message="A cost is not below zero.", field="unit_cost.amount")


def _in_its_row(reason: Reason, told: _Told) -> Reason:
    """A reason with the row and the column that it is about, instead of the part of the product."""
    path = reason.field or ""
    part = next((each for each in _prefixes(path) if each in told.places), "")
    rest = path.removeprefix(part).strip(".").split(".")[-1]
    amount = "unit_cost" if part == "unit_cost" else "price"
    column = amount if rest in ("", "amount", "price", "list_price") else rest
    return replace(reason, field=f"rows.{told.places.get(part, 0)}.{column}")


def _prefixes(path: str) -> Iterator[str]:
    """A path and what it lies in, the longest first: a.b.c, a.b, a."""
    while path:
        yield path
        path = path.rpartition(".")[0]


def _listed(
    state: NoProduct | ListedProduct, row: PriceRow, told: _Told, context: Context
) -> list[ProductListed | ProductChanged]:
    """The fact that the product is there, or has changed; none where it is so."""
    price = check_money(told.list_price, "price") if told.list_price else None
    if isinstance(state, NoProduct):
        assert price is not None
        return [
            ProductListed(
                product_id=context.aggregate_id,
                code=row.code,
                name=row.name,
                family=row.family,
                list_price=price,
                active=row.active,
            )
        ]
    event = ProductChanged(
        product_id=state.id,
        code=state.code,
        name=row.name,
        family=row.family,
        list_price=price or state.list_price,
        active=row.active,
    )
    return [] if changed(state, event) == state else [event]
