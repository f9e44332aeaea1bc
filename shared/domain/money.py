"""Rules of money: minor units, the one rounding, splitting without loss, and what is refused."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from math import lcm

from iso4217 import Currency

from shared.domain.rejection import Reason, Rejected
from shared.events.money import Money

MAX_AMOUNT = Decimal("999999999999999")
"""Amounts stay below a quadrillion, so that every sum fits the columns that hold it."""

_ANY_AMOUNT = Context(prec=200)
"""Rounds amounts that are still to be found out of range, too; with the usual 28 digits that raises."""


ENDED = {"ANG": 2, "BGN": 2, "CUC": 2, "HRK": 2, "LTL": 2, "LVL": 2, "SLL": 2, "STD": 2, "VEF": 2, "ZWL": 2}
"""Decimals of currencies in which accounts were kept and are no more (ISO 4217, list three), as they were."""


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency in which accounts are kept, or were: 0.01 for EUR and BGN, 1 for JPY.

    ValueError when accounts are kept in no such thing: it is no currency of ISO 4217, or has no unit, like gold (XAU).
    """
    decimals = ENDED[currency] if currency in ENDED else Currency(currency).exponent
    if decimals is None:
        raise ValueError(f"No accounts are kept in {currency}: it has no unit.")
    return Decimal(1).scaleb(-decimals)


def zero(currency: str) -> Money:
    """No money, with the currency's decimals."""
    return Money(amount=rounded(Decimal(0), currency), currency=currency)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Round half up to the currency's minor unit."""
    return half_up(amount, minor_unit(currency))


def half_up(value: Decimal, unit: Decimal) -> Decimal:
    """A figure as it is stated, in whole `unit`s: the one rounding of the product, halves away from zero."""
    return value.quantize(unit, rounding=ROUND_HALF_UP, context=_ANY_AMOUNT)


def check_money(
    money: Money, field: str, *, currency: str | None = None, whose: str = "the company's currency"
) -> Money:
    """Return the amount with its currency's decimals, or refuse: no currency of accounts, another one than `currency`
    where that is given and is `whose`, too many decimals, out of range."""
    try:
        unit = minor_unit(money.currency)
    except ValueError:
        raise Rejected(
            "unknown-currency",
            f"{money.currency!r} is no currency of ISO 4217 in which accounts are kept, like EUR.",
            field=f"{field}.currency",
        ) from None
    if currency not in (None, money.currency):
        raise Rejected(
            "other-currency",
            f"This amount is in {whose}, {currency}; {money.currency} is not accepted.",
            field=f"{field}.currency",
        )
    if not money.amount.is_finite() or abs(money.amount) > MAX_AMOUNT:
        raise Rejected(
            "out-of-range", f"An amount lies between -{MAX_AMOUNT} and {MAX_AMOUNT}.", field=f"{field}.amount"
        )
    if money.amount != money.amount.quantize(unit):
        raise Rejected(
            "too-many-decimals", f"An amount in {money.currency} has steps of {unit}.", field=f"{field}.amount"
        )
    return Money(amount=money.amount.quantize(unit), currency=money.currency)


def money_faults(
    money: Money, field: str, *, currency: str | None = None, whose: str = "the company's currency"
) -> tuple[Reason, ...]:
    """Why an amount cannot be, as `check_money` would refuse it; nothing when it can."""
    try:
        check_money(money, field, currency=currency, whose=whose)
    except Rejected as rejected:
        return rejected.reasons
    return ()


def split(total: Money, ratios: Sequence[Decimal]) -> list[Money]:
    """Split a total by positive ratios that add up to 1, so that the parts add up to the cent (REC-1).

    The units left over go to the parts that lost most for their size, so that the last instalment balances.
    100 000.01 by 30/30/30/10 gives three times 30 000.00 and 10 000.01.
    """
    unit = minor_unit(total.currency)
    sizes = [Fraction(ratio) for ratio in ratios]
    whole = lcm(*(size.denominator for size in sizes))
    exact = [int(total.amount / unit) * int(size * whole) for size in sizes]
    return [Money(amount=count * unit, currency=total.currency) for count in apportioned(exact, whole, sizes=sizes)]


def apportioned(exact: Sequence[int], of: int, *, sizes: Sequence[Fraction] | None = None) -> list[int]:
    """Exact numbers of units, none below zero and each over the denominator `of`, as whole units that add up to their
    sum, rounded half up (largest remainder).

    Each is cut; the units left over go to those that lost most by it, or with `sizes` to those that lost most for their
    size. On a tie the later one gets it.
    """
    whole = [value // of for value in exact]
    lost = [value % of for value in exact]
    left = (2 * sum(lost) + of) // (2 * of)
    weighed = lost if sizes is None else [part / size for part, size in zip(lost, sizes, strict=True)]
    for index in sorted(range(len(exact)), key=lambda index: (weighed[index], index), reverse=True)[:left]:
        whole[index] += 1
    return whole
