"""What a quote comes to: quantities, discounts and tax, rounded so that the parts add up (DEAL-8).

Amounts are exact fractions until they are rounded, half up, at the place that the policy names: every line by itself,
the lines of one rate of tax together, or all of them together. What is rounded together is apportioned to its lines by
largest remainder. So gross, discount, net and tax of the lines always add up to those of their rate and of the whole.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Literal

from shared.domain.money import apportioned, money_faults
from shared.domain.rejection import Reason
from shared.events.deals.quote import QuoteDiscount, QuoteLine, QuoteLineTotals, QuoteRateTotals, QuoteTotals

Rounding = Literal["per-line", "per-rate", "in-total"]

FINEST = Decimal("0.000001")
MOST_QUANTITY = Decimal(10**9)
HUNDRED = Decimal(100)
MOST_TOTAL = Decimal(10**14)
"""What a quote comes to without tax at most; with tax, twice that still fits an amount."""


def priced(
    lines: Sequence[QuoteLine], discount: QuoteDiscount | None, *, currency: str, rounding: Rounding
) -> QuoteTotals:
    """What lines without faults come to, with a discount on all of them."""
    groups = _groups(lines, rounding)
    gross = _spread([Fraction(line.quantity) * Fraction(line.price.amount) for line in lines], groups, currency)
    off = _spread([_taken_off(line.discount, of) for line, of in zip(lines, gross, strict=True)], groups, currency)
    before = [of - less for of, less in zip(gross, off, strict=True)]
    shares = _shares(discount, before, groups, currency)
    net = [of - less for of, less in zip(before, shares, strict=True)]
    taxed = [Fraction(of) * Fraction(line.tax_percent) / 100 for line, of in zip(lines, net, strict=True)]
    tax = _spread(taxed, groups, currency)
    found = tuple(
        QuoteLineTotals(gross=gross[index], discount=gross[index] - net[index], net=net[index], tax=tax[index])
        for index in range(len(lines))
    )
    zero = apportioned([Fraction(0)], currency)[0]
    return QuoteTotals(
        currency=currency,
        gross=sum(gross, zero),
        discount=sum((line.discount for line in found), zero),
        net=sum(net, zero),
        tax=sum(tax, zero),
        total=sum(net, zero) + sum(tax, zero),
        lines=found,
        rates=tuple(_by_rate(lines, found, zero)),
        discount_percent=_below_list(lines, net),
    )


def pricing_faults(
    lines: Sequence[QuoteLine], discount: QuoteDiscount | None, *, currency: str, rounding: Rounding
) -> list[Reason]:
    """Why lines and their discount cannot be priced; empty when they can. Amounts are in the quote's currency."""
    reasons = [fault for index, line in enumerate(lines) for fault in _line_faults(line, currency, f"lines.{index}")]
    reasons += _discount_faults(discount, currency, "discount")
    if reasons:
        return reasons
    exact = sum((Fraction(line.quantity) * Fraction(line.price.amount) for line in lines), Fraction(0))
    if exact > MOST_TOTAL:
        return [Reason(code="out-of-range", message=f"A quote comes to {MOST_TOTAL:,} at most.", field="lines")]
    undiscounted = priced([replace(line, discount=None) for line in lines], None, currency=currency, rounding=rounding)
    for index, (line, totals) in enumerate(zip(lines, undiscounted.lines, strict=True)):
        reasons += _too_much(line.discount, totals.gross, f"lines.{index}.discount")
    if not reasons:
        before = priced(lines, None, currency=currency, rounding=rounding)
        reasons += _too_much(discount, before.net, "discount")
    return reasons


def _groups(lines: Sequence[QuoteLine], rounding: Rounding) -> list[Hashable]:
    """For each line, what it is rounded together with."""
    match rounding:
        case "per-line":
            return list(range(len(lines)))
        case "per-rate":
            return [line.tax_percent for line in lines]
        case "in-total":
            return [None] * len(lines)


def _spread(exact: Sequence[Fraction], groups: Sequence[Hashable], currency: str) -> list[Decimal]:
    """Exact amounts of lines, rounded with those of their group."""
    found: list[Decimal] = [Decimal(0)] * len(exact)
    for group in dict.fromkeys(groups):
        places = [index for index, of in enumerate(groups) if of == group]
        for index, amount in zip(places, apportioned([exact[place] for place in places], currency), strict=True):
            found[index] = amount
    return found


def _taken_off(discount: QuoteDiscount | None, gross: Decimal) -> Fraction:
    if discount is None:
        return Fraction(0)
    if discount.amount is not None:
        return Fraction(discount.amount.amount)
    return Fraction(gross) * Fraction(discount.percent or 0) / 100


def _shares(
    discount: QuoteDiscount | None, before: Sequence[Decimal], groups: Sequence[Hashable], currency: str
) -> list[Decimal]:
    """What of the discount on the whole falls on each line, in proportion to what it comes to. An amount is rounded
    with all lines, whatever the policy: it has to be exactly that."""
    whole = sum((Fraction(of) for of in before), Fraction(0))
    if discount is None or not whole:
        return [of * 0 for of in before]
    if discount.amount is None:
        return _spread([_taken_off(discount, of) for of in before], groups, currency)
    return apportioned([Fraction(discount.amount.amount) * Fraction(of) / whole for of in before], currency)


def _by_rate(lines: Sequence[QuoteLine], totals: Sequence[QuoteLineTotals], zero: Decimal) -> Iterator[QuoteRateTotals]:
    for rate in sorted({line.tax_percent for line in lines}):
        own = [of for line, of in zip(lines, totals, strict=True) if line.tax_percent == rate]
        yield QuoteRateTotals(
            tax_percent=rate, net=sum((of.net for of in own), zero), tax=sum((of.tax for of in own), zero)
        )


def _below_list(lines: Sequence[QuoteLine], net: Sequence[Decimal]) -> Decimal:
    listed = sum(
        (Fraction(line.quantity) * Fraction((line.list_price or line.price).amount) for line in lines), Fraction(0)
    )
    if not listed:
        return Decimal("0.00")
    below = 100 * (1 - sum((Fraction(of) for of in net), Fraction(0)) / listed)
    return Decimal(ceil(below * 100)).scaleb(-2)


def _line_faults(line: QuoteLine, currency: str, where: str) -> Iterator[Reason]:
    if not 0 < line.quantity <= MOST_QUANTITY or not _is_fine(line.quantity):
        message = f"A quantity is above 0, at most {MOST_QUANTITY}, and has at most six decimals."
        yield Reason(code="invalid-quantity", message=message, field=f"{where}.quantity")
    if not 0 <= line.tax_percent <= HUNDRED or not _is_fine(line.tax_percent):
        message = "A rate of tax lies between 0 and 100 percent, and has at most six decimals."
        yield Reason(code="out-of-range", message=message, field=f"{where}.tax_percent")
    yield from money_faults(line.price, f"{where}.price", currency=currency, whose="the quote's currency")
    if line.price.amount < 0:
        yield Reason(code="negative", message="A price is not below zero.", field=f"{where}.price.amount")
    yield from _discount_faults(line.discount, currency, f"{where}.discount")


def _discount_faults(discount: QuoteDiscount | None, currency: str, where: str) -> Iterator[Reason]:
    if discount is None:
        return
    if (discount.percent is None) == (discount.amount is None):
        message = "A discount is a share in percent or an amount: one of the two."
        yield Reason(code="percent-or-amount", message=message, field=where)
    if discount.percent is not None and (not 0 < discount.percent <= HUNDRED or not _is_fine(discount.percent)):
        message = "A discount is above 0, at most 100 percent, and has at most six decimals."
        yield Reason(code="out-of-range", message=message, field=f"{where}.percent")
    if discount.amount is not None:
        yield from money_faults(discount.amount, f"{where}.amount", currency=currency, whose="the quote's currency")
        if discount.amount.amount <= 0:
            message = "A discount is above zero."
            yield Reason(code="negative", message=message, field=f"{where}.amount.amount")


def _too_much(discount: QuoteDiscount | None, of: Decimal, where: str) -> list[Reason]:
    if discount is None or discount.amount is None or discount.amount.amount <= of:
        return []
    message = f"The discount of {discount.amount} is more than the {of} that it is taken off."
    return [Reason(code="above-amount", message=message, field=f"{where}.amount.amount")]


def _is_fine(number: Decimal) -> bool:
    return number == number.quantize(FINEST)
