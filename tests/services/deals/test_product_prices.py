"""PROD-1: list prices in several currencies, from days on, and for quantities."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from services.deals.domain.prices import MOST_PRICES, PriceWanted, TierWanted, priced
from services.deals.domain.product import (
    AddProduct,
    ListedProduct,
    SetPrice,
    UpdateProduct,
    WithdrawPrice,
    price_of,
    price_on,
    product,
)
from shared.events.deals.product import ProductListed, ProductPrice, ProductPriceSet, ProductPriceWithdrawn
from shared.events.money import Money
from shared.testing.scenario import CONTEXT, Outcome, scenario
from tests.services.deals.facts import eur, usd, yen

ID, TODAY = CONTEXT.aggregate_id, CONTEXT.today
TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)
LISTED = ProductListed(product_id=ID, code="SRV-100", name="Server 100", family="Servers", list_price=eur("4800.00"))


def wanted(price: Money, valid_from: date = TODAY, **tiers: Money) -> PriceWanted:
    """A price with tiers, like `_10=usd("4")` for ten and more."""
    named = [TierWanted(from_quantity=Decimal(name.strip("_")), price=each) for name, each in tiers.items()]
    return PriceWanted(price=price, valid_from=valid_from, tiers=tuple(named))


def set_to(price: Money, valid_from: date = TODAY, **tiers: Money) -> SetPrice:
    asked = wanted(price, valid_from, **tiers)
    return SetPrice(price=asked.price, valid_from=asked.valid_from, tiers=asked.tiers)


def was_set(price: Money, valid_from: date = TODAY, **tiers: Money) -> ProductPriceSet:
    told = priced(wanted(price, valid_from, **tiers))
    return ProductPriceSet(product_id=ID, code="SRV-100", name="Server 100", price=told)


def faults(outcome: Outcome) -> list[tuple[str, str | None]]:
    assert outcome.rejected is not None
    return [(reason.code, reason.field) for reason in outcome.rejected.reasons]


PRICED = ListedProduct(
    id=ID,
    code="SRV-100",
    name="Server 100",
    family=None,
    list_price=eur("100.00"),
    active=True,
    prices=(
        priced(wanted(eur("110.00"), date(2026, 7, 1), _10=eur("99.00"))),
        priced(wanted(eur("120.00"), date(2027, 1, 1))),
        priced(wanted(usd("115.00"), date(2026, 1, 1), _10=usd("105.00"), _100=usd("95.50"))),
    ),
)


@pytest.mark.parametrize(
    ("currency", "quantity", "on", "expected"),
    [
        # The list price counts until another one in its currency begins.
        ("EUR", "1", date(1999, 12, 31), eur("100.00")),
        ("EUR", "1000", date(2026, 6, 30), eur("100.00")),
        ("EUR", "1", date(2026, 7, 1), eur("110.00")),
        ("EUR", "10", date(2026, 12, 31), eur("99.00")),
        # The next one has no tiers, whatever the one before had.
        ("EUR", "10", date(2027, 1, 1), eur("120.00")),
        # Another currency has no price before its first day.
        ("USD", "1", date(2025, 12, 31), None),
        ("USD", "0.000001", date(2026, 1, 1), usd("115.00")),
        ("USD", "9.999999", date(2026, 1, 1), usd("115.00")),
        ("USD", "10", date(2026, 1, 1), usd("105.00")),
        ("USD", "99.999999", date(2030, 1, 1), usd("105.00")),
        ("USD", "100", date(2030, 1, 1), usd("95.50")),
        ("USD", "1000000000", date(2030, 1, 1), usd("95.50")),
        ("JPY", "1", date(2026, 7, 1), None),
    ],
)
def test_prod_1_what_so_many_cost_on_a_day(currency: str, quantity: str, on: date, expected: Money | None) -> None:
    assert price_of(PRICED, currency=currency, quantity=Decimal(quantity), on=on) == expected


def test_prod_1_what_counts_says_since_when() -> None:
    counting = price_on(PRICED, currency="EUR", on=date(2026, 12, 31))
    assert counting is not None
    assert (counting.valid_from, len(counting.tiers)) == (date(2026, 7, 1), 1)
    always = price_on(PRICED, currency="EUR", on=date(2026, 6, 30))
    assert always is not None
    assert (always.valid_from, always.tiers) == (None, ())


def test_prod_1_a_product_is_added_with_prices_of_other_currencies_and_days() -> None:
    add = AddProduct(
        code="SRV-100",
        name="Server 100",
        family="Servers",
        list_price=eur("4800"),
        prices=(wanted(usd("5100"), _10=usd("4850")), wanted(eur("4900"), TOMORROW)),
    )
    added = [LISTED, was_set(usd("5100.00"), _10=usd("4850.00")), was_set(eur("4900.00"), TOMORROW)]
    outcome = scenario(product).when(add).then(*added)
    assert [each.price.currency for each in outcome.state.prices] == ["EUR", "USD"]
    scenario(product).given(*added).when(add).then()


def test_prod_1_every_fault_of_a_new_product_is_said_at_once() -> None:
    add = AddProduct(
        code="SRV-100",
        name="Server 100",
        list_price=eur("-1"),
        prices=(wanted(usd("5"), YESTERDAY), wanted(yen("1.5")), wanted(yen("2"))),
    )
    assert faults(scenario(product).when(add).then_rejected("invalid-price")) == [
        ("in-the-past", "prices.0.valid_from"),
        ("too-many-decimals", "prices.1.price.amount"),
        ("repeated", "prices.2.valid_from"),
        ("negative", "list_price.amount"),
    ]


def test_prod_1_a_price_is_set_from_today_or_later() -> None:
    for day in (TODAY, TOMORROW):
        outcome = scenario(product).given(LISTED).when(set_to(usd("5100"), day, _2=usd("5000")))
        outcome.then(was_set(usd("5100.00"), day, _2=usd("5000.00")))
        assert outcome.state.prices == (priced(wanted(usd("5100.00"), day, _2=usd("5000.00"))),)
    early = scenario(product).given(LISTED).when(set_to(usd("5100"), YESTERDAY)).then_rejected("invalid-price")
    assert faults(early) == [("in-the-past", "valid_from")]


def test_prod_1_a_price_is_replaced_by_another_of_the_same_day_and_currency() -> None:
    told = [LISTED, was_set(usd("5100.00")), was_set(usd("5200.00"), TOMORROW)]
    outcome = scenario(product).given(*told).when(set_to(usd("5150")))
    assert [each.price for each in outcome.state.prices] == [usd("5150.00"), usd("5200.00")]


def test_prod_1_setting_the_same_price_again_records_nothing() -> None:
    told = [LISTED, was_set(usd("5100.00"), YESTERDAY), was_set(usd("5200.00"), TOMORROW, _10=usd("5000.00"))]
    scenario(product).given(*told).when(set_to(usd("5200"), TOMORROW, _10=usd("5000.0"))).then()
    # What has begun meanwhile is a retry, not the past.
    scenario(product).given(*told).when(set_to(usd("5100"), YESTERDAY)).then()
    scenario(product).given(*told).when(set_to(usd("5101"), YESTERDAY)).then_rejected("invalid-price")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (set_to(Money(amount=Decimal(1), currency="XAU")), ("unknown-currency", "price.currency")),
        (set_to(usd("1.234")), ("too-many-decimals", "price.amount")),
        (set_to(usd("-1")), ("negative", "price.amount")),
        (set_to(usd("5"), _10=eur("4")), ("other-currency", "tiers.0.price.currency")),
        (set_to(usd("5"), _10=usd("-4")), ("negative", "tiers.0.price.amount")),
        (set_to(usd("5"), _10=usd("4"), _5=usd("3")), ("not-ascending", "tiers.1.from_quantity")),
    ],
)
def test_prod_1_a_price_that_is_none_is_refused(command: SetPrice, expected: tuple[str, str]) -> None:
    assert faults(scenario(product).given(LISTED).when(command).then_rejected("invalid-price")) == [expected]


@pytest.mark.parametrize("quantity", ["0", "-1", "0.0000001", "1000000001"])
def test_prod_1_a_tier_begins_at_a_quantity_that_can_be_sold(quantity: str) -> None:
    tier = TierWanted(from_quantity=Decimal(quantity), price=usd("4"))
    command = replace(set_to(usd("5")), tiers=(tier,))
    outcome = scenario(product).given(LISTED).when(command).then_rejected("invalid-price")
    assert faults(outcome) == [("invalid-quantity", "tiers.0.from_quantity")]


def test_prod_1_a_quantity_stands_once() -> None:
    tiers = tuple(TierWanted(from_quantity=Decimal(each), price=usd("4")) for each in ("10", "10.0"))
    outcome = scenario(product).given(LISTED).when(replace(set_to(usd("5")), tiers=tiers))
    assert faults(outcome.then_rejected("invalid-price")) == [("not-ascending", "tiers.1.from_quantity")]


def test_prod_1_a_price_that_has_not_begun_is_withdrawn() -> None:
    told = [LISTED, was_set(usd("5100.00")), was_set(usd("5200.00"), TOMORROW), was_set(eur("5.00"), TOMORROW)]
    withdrawn = ProductPriceWithdrawn(
        product_id=ID, code="SRV-100", name="Server 100", price=priced(wanted(usd("5200.00"), TOMORROW))
    )
    command = WithdrawPrice(currency="USD", valid_from=TOMORROW)
    outcome = scenario(product).given(*told).when(command).then(withdrawn)
    assert [each.price for each in outcome.state.prices] == [eur("5.00"), usd("5100.00")]
    scenario(product).given(*told, withdrawn).when(command).then()
    begun = scenario(product).given(*told).when(WithdrawPrice(currency="USD", valid_from=TODAY))
    assert faults(begun.then_rejected("has-begun")) == [("has-begun", "valid_from")]


def test_prod_1_a_list_price_that_counts_no_more_is_not_changed() -> None:
    change = UpdateProduct(list_price=eur("4950"))
    begun = [LISTED, was_set(eur("4900.00"))]
    outcome = scenario(product).given(*begun).when(change).then_rejected("superseded")
    assert faults(outcome) == [("superseded", "list_price")]
    # Another name goes on to be changed, and so does the list price where a price is yet to begin.
    scenario(product).given(*begun).when(UpdateProduct(name="Server C"))
    assert scenario(product).given(*begun).when(UpdateProduct(name="Server C")).state.name == "Server C"
    later = scenario(product).given(LISTED, was_set(eur("4900.00"), TOMORROW)).when(change)
    assert later.state.list_price == eur("4950.00")


def test_prod_1_a_product_has_so_many_prices_at_most() -> None:
    days = [TODAY + timedelta(days=number) for number in range(MOST_PRICES)]
    full = [LISTED, *(was_set(usd("5.00"), day) for day in days)]
    more = scenario(product).given(*full).when(set_to(eur("5"))).then_rejected("invalid-price")
    assert faults(more) == [("too-many-prices", "price")]
    again: ProductPrice = scenario(product).given(*full).when(set_to(usd("6"))).state.prices[0]
    assert again.price == usd("6.00")
