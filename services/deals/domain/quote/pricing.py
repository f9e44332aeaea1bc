"""What a quote comes to: quantities, discounts and tax, rounded so that the parts add up (DEAL-8).

Amounts are exact until they are rounded, half up, at the place that the policy names: every line by itself, the lines
of one rate of tax together, or all of them together. What is rounded together is apportioned to its lines by largest
remainder. So gross, discount, net and tax of the lines always add up to those of their rate and of the whole.

It is reckoned by integers, in minor units and millionths of them: fractions took twenty times as long.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from services.deals.domain.prices import DECIMALS, is_fine, quantity_faults
from shared.domain.money import apportioned, minor_unit, money_faults
from shared.domain.rejection import Reason
from shared.events.deals.quote import QuoteDiscount, QuoteLine, QuoteLineTotals, QuoteRateTotals, QuoteTotals

Rounding = Literal["per-line", "per-rate", "in-total"]

MILLION = 1_000_000
WHOLE = 100 * MILLION
"""A hundred percent, in millionths of a percent."""
HUNDRED = Decimal(100)
MOST_TOTAL = Decimal(10**14)
"""What a quote comes to without tax at most; with tax, twice that still fits an amount."""


def priced(
    lines: Sequence[QuoteLine], discount: QuoteDiscount | None, *, currency: str, rounding: Rounding
) -> QuoteTotals:
    """What lines without faults come to, with a discount on all of them."""
    unit = minor_unit(currency)
    groups = _groups(lines, rounding)
    begun = _before_the_whole(lines, groups, unit)
    shares = _shares(discount, begun.net, groups, unit)
    net = [of - less for of, less in zip(begun.net, shares, strict=True)]
    tax = _spread([of * _millionths(line.tax_percent) for line, of in zip(lines, net, strict=True)], WHOLE, groups)
    found = tuple(
        QuoteLineTotals(gross=gross * unit, discount=(gross - left) * unit, net=left * unit, tax=due * unit)
        for gross, left, due in zip(begun.gross, net, tax, strict=True)
    )
    return QuoteTotals(
        currency=currency,
        gross=sum(begun.gross) * unit,
        discount=(sum(begun.gross) - sum(net)) * unit,
        net=sum(net) * unit,
        tax=sum(tax) * unit,
        total=(sum(net) + sum(tax)) * unit,
        lines=found,
        rates=tuple(_by_rate(lines, net, tax, unit)),
        discount_percent=_below_list(lines, sum(net), unit),
    )


def below_list(lines: Sequence[QuoteLine], net: Decimal, currency: str) -> Decimal:
    """How many percent an amount lies below what lines cost by the list, rounded up to two decimals. What has no list
    price counts at its own."""
    unit = minor_unit(currency)
    return _below_list(lines, _units(net, unit), unit)


def pricing_faults(
    lines: Sequence[QuoteLine], discount: QuoteDiscount | None, *, currency: str, rounding: Rounding
) -> list[Reason]:
    """Why lines and their discount cannot be priced; empty when they can. Amounts are in the quote's currency."""
    reasons = [fault for index, line in enumerate(lines) for fault in _line_faults(line, currency, f"lines.{index}")]
    reasons += _discount_faults(discount, currency, "discount")
    if reasons:
        return reasons
    unit = minor_unit(currency)
    if sum(_gross(line, unit) for line in lines) > _units(MOST_TOTAL, unit) * MILLION:
        return [Reason(code="out-of-range", message=f"A quote comes to {MOST_TOTAL:,} at most.", field="lines")]
    begun = _before_the_whole(lines, _groups(lines, rounding), unit)
    for index, (line, gross) in enumerate(zip(lines, begun.gross, strict=True)):
        reasons += _too_much(line.discount, gross * unit, f"lines.{index}.discount")
    return reasons or _too_much(discount, sum(begun.net) * unit, "discount")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """What each line comes to before the discount on the whole, in minor units."""

    gross: list[int]
    net: list[int]
    """Less its own discount."""


def _before_the_whole(lines: Sequence[QuoteLine], groups: Sequence[Hashable], unit: Decimal) -> _Begun:
    gross = _spread([_gross(line, unit) for line in lines], MILLION, groups)
    off = _spread([_taken_off(line.discount, of, unit) for line, of in zip(lines, gross, strict=True)], WHOLE, groups)
    return _Begun(gross=gross, net=[of - less for of, less in zip(gross, off, strict=True)])


def _groups(lines: Sequence[QuoteLine], rounding: Rounding) -> list[Hashable]:
    """For each line, what it is rounded together with."""
    match rounding:
        case "per-line":
            return list(range(len(lines)))
        case "per-rate":
            return [line.tax_percent for line in lines]
        case "in-total":
            return [None] * len(lines)


def _spread(exact: Sequence[int], of: int, groups: Sequence[Hashable]) -> list[int]:
    """Exact amounts of lines over a denominator, rounded with those of their group."""
    together = defaultdict[Hashable, list[int]](list)
    for place, group in enumerate(groups):
        together[group].append(place)
    found = [0] * len(exact)
    for places in together.values():
        for place, amount in zip(places, apportioned([exact[place] for place in places], of), strict=True):
            found[place] = amount
    return found


def _gross(line: QuoteLine, unit: Decimal) -> int:
    """Quantity times price, in millionths of a minor unit."""
    return _millionths(line.quantity) * _units(line.price.amount, unit)


def _taken_off(discount: QuoteDiscount | None, of: int, unit: Decimal) -> int:
    """What a discount takes off an amount, over the denominator WHOLE."""
    if discount is None:
        return 0
    if discount.amount is not None:
        return _units(discount.amount.amount, unit) * WHOLE
    return of * _millionths(discount.percent or Decimal(0))


def _shares(
    discount: QuoteDiscount | None, before: Sequence[int], groups: Sequence[Hashable], unit: Decimal
) -> list[int]:
    """What of the discount on the whole falls on each line, in proportion to what it comes to. An amount is rounded
    with all lines, whatever the policy: it has to be exactly that."""
    if discount is None or not any(before):
        return [0] * len(before)
    if discount.amount is None:
        return _spread([_taken_off(discount, of, unit) for of in before], WHOLE, groups)
    return apportioned([_units(discount.amount.amount, unit) * of for of in before], sum(before))


def _by_rate(
    lines: Sequence[QuoteLine], net: Sequence[int], tax: Sequence[int], unit: Decimal
) -> Iterator[QuoteRateTotals]:
    rates = defaultdict[Decimal, list[int]](list)
    for place, line in enumerate(lines):
        rates[line.tax_percent].append(place)
    for rate, places in sorted(rates.items()):
        yield QuoteRateTotals(
            tax_percent=rate,
            net=sum(net[place] for place in places) * unit,
            tax=sum(tax[place] for place in places) * unit,
        )


def _below_list(lines: Sequence[QuoteLine], net: int, unit: Decimal) -> Decimal:
    """How many percent what is left lies below the list, rounded up to two decimals."""
    listed = sum(_millionths(line.quantity) * _units((line.list_price or line.price).amount, unit) for line in lines)
    if not listed:
        return Decimal("0.00")
    below = 100 * 100 * (listed - net * MILLION)
    return Decimal(-(-below // listed)).scaleb(-2)


def _line_faults(line: QuoteLine, currency: str, where: str) -> Iterator[Reason]:
    yield from quantity_faults(line.quantity, f"{where}.quantity")
    if not 0 <= line.tax_percent <= HUNDRED or not is_fine(line.tax_percent):
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
    if discount.percent is not None and (not 0 < discount.percent <= HUNDRED or not is_fine(discount.percent)):
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


def _units(amount: Decimal, unit: Decimal) -> int:
    """How many minor units an amount is, which has no part of one."""
    return int(amount / unit)


def _millionths(number: Decimal) -> int:
    return int(number.scaleb(DECIMALS))
