"""PROD-1: products and their list prices."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.deals.domain.product import (
    AddProduct,
    ImportProduct,
    ListedProduct,
    NoProduct,
    UpdateProduct,
    product,
)
from shared.domain.aggregate import Claim
from shared.domain.context import Moment
from shared.events.deals.product import ProductChanged, ProductListed
from shared.events.money import Money
from shared.testing.scenario import CONTEXT, scenario
from tests.services.deals.facts import eur

ID = CONTEXT.aggregate_id
ADD = AddProduct(code="SRV-100", name="Server 100", family="Servers", list_price=eur("4800"))
LISTED = ProductListed(product_id=ID, code="SRV-100", name="Server 100", family="Servers", list_price=eur("4800.00"))
CHANGED = ProductChanged(
    product_id=ID, code="SRV-100", name="Server 100", family="Servers", list_price=eur("4950"), active=True
)


def test_prod_1_a_product_is_listed_with_its_price() -> None:
    scenario(product).when(ADD).then(LISTED)


def test_prod_1_adding_it_again_records_nothing() -> None:
    scenario(product).given(LISTED).when(ADD).then()


def test_prod_1_adding_another_under_the_same_id_is_refused() -> None:
    scenario(product).given(LISTED).when(replace(ADD, name="Other")).then_rejected("not-in-this-state")


def test_prod_1_the_code_is_claimed_whatever_its_case() -> None:
    assert product.claims_of(product.fold([LISTED])) == {Claim(kind="product-code", key="srv-100")}
    assert product.claims_of(NoProduct()) == frozenset()


@pytest.mark.parametrize(
    ("price", "code", "field"),
    [
        (Money(amount=eur("1").amount, currency="XAU"), "unknown-currency", "list_price.currency"),
        (Money(amount=eur("1.5").amount, currency="JPY"), "too-many-decimals", "list_price.amount"),
        (eur("1.234"), "too-many-decimals", "list_price.amount"),
        (eur("-1"), "negative", "list_price.amount"),
    ],
)
def test_prod_1_a_price_that_is_no_amount_is_refused(price: Money, code: str, field: str) -> None:
    outcome = scenario(product).when(replace(ADD, list_price=price)).then_rejected(code)
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].field == field
    scenario(product).given(LISTED).when(UpdateProduct(list_price=price)).then_rejected(code)


def test_prod_1_a_price_is_in_any_currency() -> None:
    price = Money(amount=eur("500").amount, currency="JPY")
    assert scenario(product).when(replace(ADD, list_price=price)).facts[0].event.list_price == price
    assert scenario(product).given(LISTED).when(UpdateProduct(list_price=price)).facts[0].event.list_price == price


def test_prod_1_what_is_left_out_of_an_update_stays() -> None:
    scenario(product).given(LISTED).when(UpdateProduct(list_price=eur("4950"))).then(CHANGED)


def test_prod_1_a_product_is_taken_out_of_sale() -> None:
    outcome = scenario(product).given(LISTED).when(UpdateProduct(active=False))
    assert isinstance(outcome.state, ListedProduct)
    assert not outcome.state.active


def test_prod_1_an_update_that_changes_nothing_records_nothing() -> None:
    scenario(product).given(LISTED, CHANGED).when(UpdateProduct(list_price=eur("4950.00"), active=True)).then()


def test_prod_1_what_was_not_listed_cannot_be_updated() -> None:
    scenario(product).when(UpdateProduct(active=False)).then_rejected("does-not-exist")


def test_data_5_a_product_of_the_past_is_listed_on_its_day() -> None:
    imported = ImportProduct(
        on=date(2025, 1, 2), code="SRV-100", name="Server 100", family="Servers", list_price=eur("4800")
    )
    told = ("code", "name", "family", "list_price")
    outcome = scenario(product).when(imported).then(replace(LISTED, said=told))
    assert outcome.facts[0].at == Moment(datetime(2025, 1, 2, 23, 59, 59, 999999, tzinfo=UTC), by_day=True)
    later = scenario(product).given(LISTED).when(replace(imported, list_price=eur("5000")))
    assert later.state.list_price == eur("5000")
    inactive = replace(CHANGED, active=False)
    shorter = scenario(product).given(LISTED, inactive).when(replace(imported, family=None))
    assert (shorter.state.family, shorter.state.active) == (CHANGED.family, False)
    scenario(product).given(LISTED).when(replace(imported, code="SRV-1")).then_rejected("says-otherwise")
    scenario(product).when(replace(imported, on=date(2027, 1, 1))).then_rejected("in-the-future")
