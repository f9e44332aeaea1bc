"""PROD-1: products as the rows of a price list tell of them, and price lists as files."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from pydantic import TypeAdapter

from services.deals.domain.prices import MOST_TIERS
from services.deals.domain.product import product
from services.deals.domain.product_cost import KnownCost, SetProductCost, cost_of, cost_told, product_cost
from services.deals.domain.product_listing import (
    MOST_ROWS_OF_A_PRODUCT,
    ListProduct,
    PriceRow,
    by_product,
    product_of,
    rows_of,
)
from services.deals.price_list_csv import COLUMNS, csv_of, rows_as_json
from shared.events.deals.product import PriceTier, ProductChanged, ProductListed, ProductPrice, ProductPriceSet
from shared.events.money import Money
from shared.http.bodies import parse
from shared.http.problems import Problem
from shared.testing.scenario import CONTEXT, Outcome, Scenario, scenario
from tests.services.deals.facts import eur, usd

ID, TODAY = CONTEXT.aggregate_id, CONTEXT.today
TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)
LISTED = ProductListed(product_id=ID, code="SRV-100", name="Server", family="Servers", list_price=eur("100.00"))


def row(price: Money, valid_from: date | None = None, quantity: str | None = None, **more: Any) -> PriceRow:
    made = PriceRow(
        code="SRV-100",
        name="Server",
        family="Servers",
        currency=price.currency,
        price=price.amount,
        valid_from=valid_from,
        from_quantity=Decimal(quantity) if quantity else None,
    )
    return replace(made, **more)


BASE = row(eur("100.00"))
LIST = (
    BASE,
    row(usd("105.00"), TOMORROW, "100"),
    row(usd("120.00"), TOMORROW),
    row(usd("110.00"), TOMORROW, "10"),
)
PRICE_SET = ProductPriceSet(
    product_id=ID,
    code="SRV-100",
    name="Server",
    price=ProductPrice(
        price=usd("120.00"),
        valid_from=TOMORROW,
        tiers=(
            PriceTier(from_quantity=Decimal(10), price=usd("110.00")),
            PriceTier(from_quantity=Decimal(100), price=usd("105.00")),
        ),
    ),
)


def at_cost(cost: Money | None = None) -> Scenario:
    return scenario(product).knowing(cost=KnownCost(cost=cost))


def listing(*rows: PriceRow) -> ListProduct:
    return ListProduct(rows=rows)


def faults(outcome: Outcome) -> list[tuple[str, str | None]]:
    assert outcome.rejected is not None
    return [(reason.code, reason.field) for reason in outcome.rejected.reasons]


def test_prod_1_a_list_adds_a_product_with_its_prices_in_whatever_order() -> None:
    at_cost().when(listing(*LIST)).then(LISTED, PRICE_SET)
    at_cost().when(listing(*LIST[::-1])).then(LISTED, PRICE_SET)


def test_prod_1_the_same_list_again_changes_nothing() -> None:
    at_cost().given(LISTED, PRICE_SET).when(listing(*LIST)).then()
    # Neither does it once the price has begun, nor without the rows of other prices.
    begun = replace(PRICE_SET, price=replace(PRICE_SET.price, valid_from=YESTERDAY))
    told = [replace(each, valid_from=YESTERDAY) if each.valid_from else each for each in LIST]
    at_cost().given(LISTED, begun).when(listing(*told)).then()
    at_cost().given(LISTED, PRICE_SET).when(listing(LIST[0])).then()


def test_prod_1_a_list_changes_what_it_says_otherwise() -> None:
    named = [replace(each, name="Server C", family=None, active=False) for each in LIST[1:]]
    changed = ProductChanged(
        product_id=ID, code="SRV-100", name="Server C", family=None, list_price=eur("100.00"), active=False
    )
    at_cost().given(LISTED, PRICE_SET).when(listing(*named)).then(changed)
    dearer = [replace(each, price=Decimal("121")) if each.from_quantity is None else each for each in LIST[1:]]
    price = replace(PRICE_SET, price=replace(PRICE_SET.price, price=usd("121.00")))
    at_cost().given(LISTED, PRICE_SET).when(listing(*dearer)).then(price)


def test_prod_1_a_unit_cost_is_in_the_currency_of_the_list_price() -> None:
    told = cost_told(ID, eur("60.00"))
    asked = listing(BASE, replace(LIST[2], unit_cost=Decimal(60)))
    outcome = at_cost().given(LISTED, PRICE_SET).when(listing(replace(BASE, unit_cost=Decimal(60))))
    outcome.then(told)
    assert outcome.facts[0].to == cost_of(ID)
    at_cost(eur("60.00")).when(asked).then(LISTED, replace(PRICE_SET, price=replace(PRICE_SET.price, tiers=())))
    at_cost(eur("60.00")).given(LISTED).when(listing(replace(BASE, unit_cost=Decimal("60.0")))).then()
    # A list that says no cost leaves it.
    at_cost(eur("60.00")).given(LISTED).when(listing(BASE)).then()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([LIST[2]], [("no-list-price", "rows.0.valid_from")]),
        ([BASE, BASE], [("repeated", "rows.1.valid_from")]),
        ([BASE, row(usd("1"))], [("repeated", "rows.1.valid_from")]),
        ([BASE, LIST[2], LIST[2]], [("repeated", "rows.2.valid_from")]),
        ([BASE, replace(BASE, from_quantity=Decimal(5))], [("tier-without-day", "rows.1.valid_from")]),
        ([BASE, LIST[1]], [("no-price-of-one", "rows.1.from_quantity")]),
        ([BASE, replace(LIST[2], name="Other", code="srv-100")],
         [("says-otherwise", "rows.1.code"), ("says-otherwise", "rows.1.name")]),
        ([replace(BASE, unit_cost=Decimal(1)), replace(LIST[2], unit_cost=Decimal(2))],
         [("says-otherwise", "rows.0.unit_cost"), ("says-otherwise", "rows.1.unit_cost")]),
        ([replace(BASE, price=Decimal("-1"))], [("negative", "rows.0.price")]),
        ([replace(BASE, currency="XAU")], [("unknown-currency", "rows.0.currency")]),
        ([replace(BASE, unit_cost=Decimal("-1"))], [("negative", "rows.0.unit_cost")]),
        ([replace(BASE, unit_cost=Decimal("1.234"))], [("too-many-decimals", "rows.0.unit_cost")]),
        ([BASE, row(usd("1.234"), YESTERDAY)],
         [("in-the-past", "rows.1.valid_from"), ("too-many-decimals", "rows.1.price")]),
        ([BASE, row(usd("-4"), TOMORROW, "5"), row(usd("5"), TOMORROW)], [("negative", "rows.1.price")]),
        ([BASE, row(usd("4"), TOMORROW, "0.0000001"), row(usd("5"), TOMORROW)],
         [("invalid-quantity", "rows.1.from_quantity")]),
    ],
)  # fmt: skip
def test_prod_1_what_is_wrong_names_row_and_column(rows: Sequence[PriceRow], expected: list[tuple[str, str]]) -> None:
    assert faults(at_cost().when(listing(*rows)).then_rejected("invalid-price-list")) == expected


def test_prod_1_a_list_price_that_counts_no_more_is_not_changed_by_a_list() -> None:
    begun = replace(PRICE_SET, price=ProductPrice(price=eur("90.00"), valid_from=TODAY, tiers=()))
    outcome = at_cost().given(LISTED, begun).when(listing(row(eur("101")), row(eur("90"), TODAY)))
    assert faults(outcome.then_rejected("invalid-price-list")) == [("superseded", "rows.0.price")]


def test_prod_1_rows_of_a_product_belong_together_whatever_the_case_of_the_code() -> None:
    other = replace(BASE, code="NET-1")
    assert by_product([BASE, other, replace(BASE, code="srv-100")]) == {"srv-100": [0, 2], "net-1": [1]}
    assert product_of("SRV-100") == product_of("srv-100") != product_of("NET-1")


def test_prod_1_a_product_is_told_as_rows_which_change_nothing() -> None:
    state = product.fold([LISTED, PRICE_SET])
    rows = rows_of(state, eur("60.00"))
    assert [(each.currency, each.from_quantity, each.unit_cost) for each in rows] == [
        ("EUR", None, Decimal("60.00")),
        ("USD", None, None),
        ("USD", Decimal(10), None),
        ("USD", Decimal(100), None),
    ]
    at_cost(eur("60.00")).given(LISTED, PRICE_SET).when(listing(*rows)).then()
    assert rows_of(state, usd("60.00"))[0].unit_cost is None


def test_prod_1_a_price_has_so_many_tiers_and_a_product_so_many_rows_at_most() -> None:
    tiers = [row(usd("1.00"), TOMORROW, str(number)) for number in range(1, MOST_TIERS + 2)]
    above = at_cost().given(LISTED).when(listing(row(usd("1.00"), TOMORROW), *tiers))
    assert faults(above) == [("too-many-tiers", f"rows.{MOST_TIERS + 1}.from_quantity")]
    assert at_cost().given(LISTED).when(listing(row(usd("1.00"), TOMORROW), *tiers[:-1])).rejected is None
    too_long = at_cost().given(LISTED).when(listing(*[BASE] * (MOST_ROWS_OF_A_PRODUCT + 1)))
    assert faults(too_long) == [("too-many-rows", f"rows.{MOST_ROWS_OF_A_PRODUCT}.code")]


def test_prod_1_a_file_is_read_as_it_was_written() -> None:
    rows = [*LIST, row(eur("1"), None, None, code='A "b", c', name=" =1+1\nß ", family=None, active=False)]
    read = parse(TypeAdapter(ListProduct), rows_as_json(csv_of(rows).encode()))
    assert read == listing(*rows)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@A1", "\t=1", "'=1", "''", "'quoted'", "' -", "a=1"])
def test_prod_1_no_name_is_a_formula_to_a_spreadsheet(name: str) -> None:
    written = csv_of([row(eur("1"), None, None, name=name)])
    cell = next(csv.DictReader(io.StringIO(written, newline="")))["name"]
    assert cell[0] not in "=+-@\t\r"
    read = parse(TypeAdapter(ListProduct), rows_as_json(written.encode()))
    assert [each.name for each in read.rows] == [name]


def test_prod_1_columns_stand_in_any_order_and_an_empty_cell_says_nothing() -> None:
    rows = "5,A,,,EUR,B\r\n\r\n6,A,FALSE,,EUR,B\r\n7,A,yes,,EUR,B\r\n"
    raw = f"\ufeffprice,code,active,family,currency,name\r\n{rows}".encode()
    assert msgspec.json.decode(rows_as_json(raw)) == {
        "rows": [
            {"price": "5", "code": "A", "currency": "EUR", "name": "B"},
            {"price": "6", "code": "A", "currency": "EUR", "name": "B", "active": False},
            {"price": "7", "code": "A", "currency": "EUR", "name": "B", "active": "yes"},
        ]
    }
    assert COLUMNS[:5] == ("code", "name", "family", "currency", "price")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"code,name,colour\n", "columns out of these"),
        (b"code,code\n", "each once"),
        (b"code,name\na\n", "line 2"),
        (b'code,name\n"a,b\n', "no CSV"),
        (b"code\n\xff\n", "UTF-8"),
        (b"code\na\0b\n", "U+0000"),
    ],
)
def test_prod_1_a_file_that_is_no_table_is_refused(raw: bytes, words: str) -> None:
    with pytest.raises(Problem, match=words.replace("+", r"\+")) as refused:
        rows_as_json(raw)
    assert refused.value.kind == "malformed-csv"


def test_prod_1_a_cost_is_set_and_taken_away() -> None:
    asked = SetProductCost(product_id=ID, cost=eur("60"))
    told = cost_told(ID, eur("60.00"))
    scenario(product_cost).when(asked).then(told)
    scenario(product_cost).given(told).when(asked).then()
    scenario(product_cost).given(told).when(replace(asked, cost=None)).then(cost_told(ID, None))
    scenario(product_cost).when(replace(asked, cost=None)).then()
    assert faults(scenario(product_cost).when(replace(asked, cost=eur("-1"))).then_rejected("negative")) == [
        ("negative", "cost.amount")
    ]
