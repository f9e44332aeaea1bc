"""Rules of exchange: which currencies have rates, and what an amount is worth by the rates of one day."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal

from shared.domain.money import minor_unit, rounded
from shared.events.money import Money

DIGITS = 28
"""Significant digits of a factor: more than those of any amount."""

_DIVISION = Context(prec=DIGITS, rounding=ROUND_HALF_EVEN)
_EXACT = Context(prec=200)
"""Computes with amounts and factors without rounding, as the database does: what comes of it is rounded once."""

REPLACED = frozenset({"CYP", "EEK", "MTL", "ROL", "SIT", "SKK", "TRL"})
"""Currencies that ended before anything was kept in them here, and of which tables of the past hold rates."""


def has_rates(currency: str) -> bool:
    """Whether rates are published in a currency: accounts are kept in it, or were (ISO 4217). Not in gold (XAU)."""
    try:
        minor_unit(currency)
    except ValueError:
        return currency in REPLACED
    return True


def factor(rates: Mapping[str, Decimal], source: str, target: str) -> Decimal | None:
    """How many units of `target` one unit of `source` is worth; None when the rates do not say it.

    `rates` are those of one day and base: how many units of each currency one unit of the base is worth, the base
    itself among them with 1. So a cross rate is never made of two days.
    """
    if source == target:
        return Decimal(1)
    if source not in rates or target not in rates:
        return None
    return _DIVISION.divide(rates[target], rates[source])


def times(amount: Decimal, by: Decimal) -> Decimal:
    """The exact product."""
    return _EXACT.multiply(amount, by)


def minus(amount: Decimal, other: Decimal) -> Decimal:
    """The exact difference."""
    return _EXACT.subtract(amount, other)


def converted(amount: Money, by: Decimal, currency: str) -> Money:
    """The amount in another currency, by a factor, rounded half up to that currency's minor unit."""
    return Money(amount=rounded(times(amount.amount, by), currency), currency=currency)
