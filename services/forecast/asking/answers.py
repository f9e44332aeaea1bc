"""What all answers share: amounts in the company's currency, the rates behind them, and shares."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import WithJsonSchema

from shared.domain.money import half_up, rounded
from shared.events.definition import DECIMAL, words
from shared.events.money import Money
from shared.http.json import answer_shape
from shared.languages.catalogue import Catalogue

LEFT_OUT = ("open-deals", "closed-deals", "invoices", "open-items", "receipts")
"""What may be left out for want of an exchange rate."""


@answer_shape
class UsedRate:
    """An exchange rate that open amounts were translated at: how much of the company's currency one unit is worth, and
    the day on which that was published, the last one on or before the day asked about."""

    currency: str
    rate: Annotated[str, WithJsonSchema({"type": "string", "pattern": DECIMAL})]
    published_on: date


@answer_shape
class Unconverted:
    """What was left out of all sums, as there is no exchange rate for it: how many of what, and their own amount;
    `sentence` says so in words."""

    figure: Annotated[str, words(LEFT_OUT)]
    count: int
    amount: Money
    sentence: str


@answer_shape
class CountedMoney:
    """How many deals, worth how much; deals without an exchange rate are in neither."""

    count: int
    amount: Money


def money(amount: Decimal, currency: str) -> Money:
    """An amount for an answer, with the currency's decimals."""
    return Money(amount=rounded(amount, currency), currency=currency)


def unconverted(catalogue: Catalogue, figure: str, count: int, amount: Money) -> Unconverted:
    """What was left out, with its sentence."""
    sentence = catalogue.say(f"left-out.{figure}", count=count, amount=amount.amount, currency=amount.currency)
    return Unconverted(figure=figure, count=count, amount=amount, sentence=sentence)


def ratio(part: Decimal | int, whole: Decimal | int | None) -> Decimal | None:
    """A share with four decimals; None when there is nothing to divide by."""
    if not whole:
        return None
    return half_up(Decimal(part) / Decimal(whole), Decimal("0.0001"))
