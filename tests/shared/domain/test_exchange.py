"""What amounts are worth by the rates of one day."""

from decimal import Decimal, localcontext

import pytest

from shared.domain.exchange import converted, factor, has_rates
from shared.events.money import Money

EURO = {"EUR": Decimal(1), "USD": Decimal("1.1607"), "JPY": Decimal("180.93"), "GBP": Decimal("0.8755")}


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("EUR", "USD", "1.1607"),
        ("USD", "EUR", "0.8615490652192642370983027483"),
        ("USD", "JPY", "155.8800723701214784181959163"),
        ("JPY", "GBP", "0.004838887967722323550544409440"),
    ],
)
def test_a_factor_is_made_of_the_rates_of_one_table_with_28_digits(source: str, target: str, expected: str) -> None:
    assert factor(EURO, source, target) == Decimal(expected)


def test_a_factor_of_a_currency_and_itself_is_1_whether_it_has_a_rate_or_not() -> None:
    assert factor({}, "CHF", "CHF") == Decimal(1)
    assert factor(EURO, "USD", "USD") == Decimal(1)


def test_there_is_no_factor_without_both_rates() -> None:
    assert factor(EURO, "CHF", "EUR") is None
    assert factor(EURO, "EUR", "CHF") is None


def test_a_factor_is_the_same_whatever_the_process_reckons_with() -> None:
    with localcontext() as own:
        own.prec = 5
        assert factor(EURO, "USD", "EUR") == Decimal("0.8615490652192642370983027483")


@pytest.mark.parametrize(
    ("amount", "by", "currency", "expected"),
    [
        ("100.00", "1.16075", "USD", "116.08"),
        ("-100.00", "1.16075", "USD", "-116.08"),
        ("0.01", "180.93", "JPY", "2"),
        ("999999999999999.99", "1.234567890123456789012345679", "KWD", "1234567890123456.777"),
    ],
)
def test_an_amount_is_rounded_once_half_up_to_the_minor_unit(
    amount: str, by: str, currency: str, expected: str
) -> None:
    worth = converted(Money(amount=Decimal(amount), currency="EUR"), Decimal(by), currency)
    assert (str(worth.amount), worth.currency) == (expected, currency)


@pytest.mark.parametrize("currency", ["EUR", "USD", "BGN", "HRK", "CYP", "TRL"])
def test_rates_name_currencies_also_of_the_past(currency: str) -> None:
    assert has_rates(currency)


@pytest.mark.parametrize("currency", ["XAU", "XDR", "XXX", "eur", "ZZZ", ""])
def test_rates_name_nothing_else(currency: str) -> None:
    assert not has_rates(currency)
