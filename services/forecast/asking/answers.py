"""What all answers share: amounts in the company's currency, and shares."""

from dataclasses import dataclass
from decimal import Decimal

from shared.domain.money import half_up, rounded
from shared.events.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedMoney:
    """How many deals, worth how much."""

    count: int
    amount: Money


def money(amount: Decimal, currency: str) -> Money:
    """An amount for an answer, with the currency's decimals."""
    return Money(amount=rounded(amount, currency), currency=currency)


def ratio(part: Decimal | int, whole: Decimal | int | None) -> Decimal | None:
    """A share with four decimals; None when there is nothing to divide by."""
    if not whole:
        return None
    return half_up(Decimal(part) / Decimal(whole), Decimal("0.0001"))
