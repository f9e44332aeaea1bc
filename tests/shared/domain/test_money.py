"""Amounts in the units of their currency."""

from decimal import Decimal

import pytest

from shared.domain.money import check_money, minor_unit
from shared.domain.rejection import Rejected
from shared.events.money import Money


@pytest.mark.parametrize(
    ("currency", "unit"), [("EUR", "0.01"), ("JPY", "1"), ("KWD", "0.001"), ("BGN", "0.01"), ("HRK", "0.01")]
)
def test_an_amount_has_steps_of_its_currency_also_of_one_that_has_ended(currency: str, unit: str) -> None:
    assert minor_unit(currency) == Decimal(unit)


@pytest.mark.parametrize("currency", ["XAU", "XDR", "XXX", "EURO", "eur"])
def test_no_accounts_are_kept_in_what_has_no_unit(currency: str) -> None:
    with pytest.raises(ValueError, match=currency):
        minor_unit(currency)


def money(amount: str, currency: str) -> Money:
    return Money(amount=Decimal(amount), currency=currency)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (money("1", "USD"), "1.00"),
        (money("1.0", "JPY"), "1"),
        (money("1.234", "KWD"), "1.234"),
        (money("1.23", "BGN"), "1.23"),
        (money("-1.5", "EUR"), "-1.50"),
    ],
)
def test_an_amount_is_accepted_in_any_currency_with_its_decimals(told: Money, kept: str) -> None:
    checked = check_money(told, "amount")
    assert (str(checked.amount), checked.currency) == (kept, told.currency)


@pytest.mark.parametrize(
    ("told", "code", "field"),
    [
        *((money("1", code), "unknown-currency", "price.currency") for code in ("XAU", "XXX", "XTS", "XDR", "ABC")),
        *((money("1", code), "unknown-currency", "price.currency") for code in ("usd", "EURO", "US", "", "€", "EU ")),
        (money("1.5", "JPY"), "too-many-decimals", "price.amount"),
        (money("1.001", "USD"), "too-many-decimals", "price.amount"),
        (money("1.0001", "KWD"), "too-many-decimals", "price.amount"),
        (money("1000000000000000", "USD"), "out-of-range", "price.amount"),
        (money("1E+999", "JPY"), "out-of-range", "price.amount"),
        (money("NaN", "USD"), "out-of-range", "price.amount"),
    ],
)
def test_what_is_no_amount_names_field_and_rule(told: Money, code: str, field: str) -> None:
    with pytest.raises(Rejected) as refused:
        check_money(told, "price")
    assert (refused.value.code, refused.value.reasons[0].field) == (code, field)


def test_a_code_that_is_no_currency_is_told_with_the_rule() -> None:
    with pytest.raises(Rejected, match=r"'XAU' is no currency of ISO 4217 in which accounts are kept"):
        check_money(money("1", "XAU"), "price")


def test_another_currency_says_whose_it_has_to_be() -> None:
    assert check_money(money("1", "EUR"), "cost", currency="EUR") == money("1", "EUR")
    with pytest.raises(Rejected, match=r"the company's currency, EUR; USD") as refused:
        check_money(money("1", "USD"), "cost", currency="EUR")
    assert (refused.value.code, refused.value.reasons[0].field) == ("other-currency", "cost.currency")
    with pytest.raises(Rejected, match=r"the deal's currency, JPY; USD"):
        check_money(money("1", "USD"), "price", currency="JPY", whose="the deal's currency")


def test_what_is_no_currency_is_not_told_as_another_one() -> None:
    with pytest.raises(Rejected) as refused:
        check_money(money("1", "XAU"), "cost", currency="EUR")
    assert refused.value.code == "unknown-currency"
