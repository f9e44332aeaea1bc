"""Amounts in the units of their currency."""

from decimal import Decimal

import pytest

from shared.domain.money import minor_unit


@pytest.mark.parametrize(
    ("currency", "unit"), [("EUR", "0.01"), ("JPY", "1"), ("KWD", "0.001"), ("BGN", "0.01"), ("HRK", "0.01")]
)
def test_an_amount_has_steps_of_its_currency_also_of_one_that_has_ended(currency: str, unit: str) -> None:
    assert minor_unit(currency) == Decimal(unit)


@pytest.mark.parametrize("currency", ["XAU", "XDR", "XXX", "EURO", "eur"])
def test_no_accounts_are_kept_in_what_has_no_unit(currency: str) -> None:
    with pytest.raises(ValueError, match=currency):
        minor_unit(currency)
