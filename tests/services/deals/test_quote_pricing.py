"""DEAL-8: what a quote comes to, to the cent, and recounted by plain decimals."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal, localcontext
from random import Random
from uuid import UUID

import pytest

from services.deals.domain.quote.pricing import Rounding, priced, pricing_faults
from shared.domain.money import minor_unit
from shared.events.deals.quote import QuoteDiscount, QuoteLine, QuoteTotals
from shared.events.money import Money

ROUNDINGS: tuple[Rounding, ...] = ("per-line", "per-rate", "in-total")
PRODUCT = UUID("0199d3a4-5b7c-7d2e-9f10-3a4b5c6d7e8f")


def eur(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def percent(share: str) -> QuoteDiscount:
    return QuoteDiscount(percent=Decimal(share))


def off(amount: str) -> QuoteDiscount:
    return QuoteDiscount(amount=eur(amount))


def line(
    quantity: str, price: str, tax: str = "19", discount: QuoteDiscount | None = None, listed: str | None = None
) -> QuoteLine:
    return QuoteLine(
        product_id=PRODUCT if listed else None,
        name="Server 100",
        unit="piece",
        quantity=Decimal(quantity),
        list_price=eur(listed) if listed else None,
        price=eur(price),
        discount=discount,
        tax_percent=Decimal(tax),
    )


def total_of(lines: Sequence[QuoteLine], discount: QuoteDiscount | None, rounding: Rounding) -> QuoteTotals:
    assert pricing_faults(lines, discount, currency="EUR", rounding=rounding) == []
    return priced(lines, discount, currency="EUR", rounding=rounding)


def test_a_line_less_its_discount_with_its_tax_is_what_the_customer_pays() -> None:
    found = total_of([line("3", "100.00", discount=percent("10"))], None, "per-line")
    assert (found.gross, found.discount, found.net, found.tax, found.total) == tuple(
        map(Decimal, ("300.00", "30.00", "270.00", "51.30", "321.30"))
    )


@pytest.mark.parametrize(
    ("rounding", "tax"),
    [("per-line", "0.03"), ("per-rate", "0.02"), ("in-total", "0.02")],
)
def test_what_is_rounded_first_is_a_matter_of_policy(rounding: Rounding, tax: str) -> None:
    """0.0247 of tax at 19 % in all: each line rounded by itself makes it 0.03."""
    lines = [line("1", "0.05"), line("1", "0.04"), line("1", "0.04")]
    found = total_of(lines, None, rounding)
    assert found.net == Decimal("0.13")
    assert found.tax == Decimal(tax)  # 0.0095 + 0.0076 + 0.0076 = 0.0247


@pytest.mark.parametrize(("rounding", "tax"), [("per-rate", "0.02"), ("in-total", "0.01")])
def test_two_rates_are_rounded_each_or_together(rounding: Rounding, tax: str) -> None:
    found = total_of([line("1", "0.10", tax="7"), line("1", "0.03", tax="19")], None, rounding)
    assert found.tax == Decimal(tax)  # 0.007 and 0.0057


def test_a_discount_of_an_amount_on_the_whole_is_exactly_that() -> None:
    for rounding in ROUNDINGS:
        found = total_of([line("1", "33.33"), line("1", "33.33", tax="7"), line("1", "33.34")], off("10.00"), rounding)
        assert (found.gross, found.discount, found.net) == tuple(map(Decimal, ("100.00", "10.00", "90.00")))
        assert sum(of.discount for of in found.lines) == Decimal("10.00")


def test_quantities_have_six_decimals_and_currencies_their_own() -> None:
    metre = replace(line("1", "1"), quantity=Decimal("0.333333"), price=Money(amount=Decimal(1000), currency="JPY"))
    assert pricing_faults([metre], None, currency="JPY", rounding="per-line") == []
    found = priced([metre], None, currency="JPY", rounding="per-line")
    assert (str(found.net), str(found.tax), str(found.total)) == ("333", "63", "396")


def test_what_is_above_a_limit_never_looks_like_it() -> None:
    """Below the list by 10.000 01 %: rounded up, so that a limit of 10 % is seen to be passed."""
    barely = line("10000", "9.00", listed="10.00", discount=off("0.01"))
    assert total_of([barely], None, "per-line").discount_percent == Decimal("10.01")
    assert total_of([replace(barely, discount=None)], None, "per-line").discount_percent == Decimal("10.00")


def test_a_price_above_the_list_is_a_discount_below_zero() -> None:
    assert total_of([line("1", "11.00", listed="10.00")], None, "per-line").discount_percent == Decimal("-10.00")


def test_a_custom_line_is_measured_by_its_own_price() -> None:
    lines = [line("1", "100.00", listed="100.00"), line("1", "100.00", discount=percent("50"))]
    assert total_of(lines, None, "per-line").discount_percent == Decimal("25.00")


@pytest.mark.parametrize(
    ("wanted", "discount", "code", "field"),
    [
        (line("0", "1.00"), None, "invalid-quantity", "lines.0.quantity"),
        (line("0.0000001", "1.00"), None, "invalid-quantity", "lines.0.quantity"),
        (line("1000000001", "1.00"), None, "invalid-quantity", "lines.0.quantity"),
        (line("1", "-1.00"), None, "negative", "lines.0.price.amount"),
        (line("1", "1.001"), None, "too-many-decimals", "lines.0.price.amount"),
        (line("1", "1.00", tax="100.5"), None, "out-of-range", "lines.0.tax_percent"),
        (line("1", "1.00", tax="-1"), None, "out-of-range", "lines.0.tax_percent"),
        (line("1", "1.00", discount=percent("0")), None, "out-of-range", "lines.0.discount.percent"),
        (line("1", "1.00", discount=percent("100.1")), None, "out-of-range", "lines.0.discount.percent"),
        (line("1", "1.00", discount=QuoteDiscount()), None, "percent-or-amount", "lines.0.discount"),
        (line("1", "1.00", discount=off("1.01")), None, "above-amount", "lines.0.discount.amount.amount"),
        (line("1", "1.00", discount=off("0.50")), off("0.51"), "above-amount", "discount.amount.amount"),
        (line("1", "1.00"), off("-1.00"), "negative", "discount.amount.amount"),
        (line("1000000000", "999999.00"), None, "out-of-range", "lines"),
    ],
)
def test_what_cannot_be_priced_is_named_with_its_field(
    wanted: QuoteLine, discount: QuoteDiscount | None, code: str, field: str
) -> None:
    (reason,) = pricing_faults([wanted], discount, currency="EUR", rounding="per-line")
    assert (reason.code, reason.field) == (code, field)


def test_every_mistake_is_named_at_once() -> None:
    lines = [line("0", "1.00"), replace(line("1", "1"), price=Money(amount=Decimal(1), currency="USD"))]
    found = pricing_faults(lines, percent("101"), currency="EUR", rounding="per-line")
    assert [reason.field for reason in found] == ["lines.0.quantity", "lines.1.price.currency", "discount.percent"]


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_a_thousand_quotes_are_recounted_by_plain_decimals(rounding: Rounding) -> None:
    """Another way to the same totals: no fraction and no apportioning. Lines, rates and the whole add up, and no line
    is a unit away from what it comes to by itself."""
    for seed in range(1000):
        with localcontext(prec=80):
            _recounted(Random(seed), rounding)


def _recounted(dice: Random, rounding: Rounding) -> None:
    currency = dice.choice(["EUR", "JPY", "KWD"])
    unit = minor_unit(currency)
    lines = list(_drawn(dice, currency, unit))
    discount = dice.choice(
        [None, QuoteDiscount(percent=_number(dice, 100, 2)), QuoteDiscount(amount=_money(dice, unit, currency))]
    )
    if pricing_faults(lines, discount, currency=currency, rounding=rounding):
        discount = None
        lines = [replace(of, discount=None) for of in lines]
    found = priced(lines, discount, currency=currency, rounding=rounding)
    gross, net, tax = [], [], []
    for of, totals in zip(lines, found.lines, strict=True):
        assert totals.gross - totals.discount == totals.net
        assert abs(totals.gross - of.quantity * of.price.amount) < unit
        assert abs(totals.tax - totals.net * of.tax_percent / 100) < unit
        assert 0 <= totals.net <= totals.gross
        gross.append(of.quantity * of.price.amount)
        net.append(totals.net)
        tax.append(totals.net * of.tax_percent / 100)
    places = [
        {"per-line": str(index), "per-rate": str(of.tax_percent), "in-total": ""}[rounding]
        for index, of in enumerate(lines)
    ]
    share = (discount.percent if discount is not None else None) or Decimal(0)
    taken_off = Decimal(0)
    for place in set(places):
        own = [index for index, other in enumerate(places) if other == place]
        before = sum((found.lines[index].gross for index in own), Decimal(0))
        off_lines = _rounded(sum(_off(lines[index].discount, found.lines[index].gross) for index in own), unit)
        taken = off_lines + _rounded(share * (before - off_lines) / 100, unit)
        if discount is None or discount.amount is None:
            assert sum(found.lines[index].discount for index in own) == taken
        taken_off += taken
        assert sum(found.lines[index].gross for index in own) == _rounded(sum(gross[index] for index in own), unit)
        assert sum(found.lines[index].tax for index in own) == _rounded(sum(tax[index] for index in own), unit)
    exactly = discount.amount.amount if discount is not None and discount.amount is not None else Decimal(0)
    assert found.discount == taken_off + exactly
    for rate in found.rates:
        own = [index for index, of in enumerate(lines) if of.tax_percent == rate.tax_percent]
        assert (rate.net, rate.tax) == (sum(net[index] for index in own), sum(found.lines[index].tax for index in own))
    assert found.net == sum(rate.net for rate in found.rates) == found.gross - found.discount
    assert found.tax == sum(rate.tax for rate in found.rates)
    assert found.total == found.net + found.tax
    listed = sum(of.quantity * (of.list_price or of.price).amount for of in lines)
    if listed:
        assert Decimal(0) <= found.discount_percent - 100 * (1 - found.net / listed) < Decimal("0.01")


def _drawn(dice: Random, currency: str, unit: Decimal) -> Iterator[QuoteLine]:
    for _ in range(dice.randint(1, 12)):
        price = _money(dice, unit, currency)
        yield QuoteLine(
            product_id=PRODUCT,
            name="Cable",
            unit="metre",
            quantity=_number(dice, 300, 6),
            list_price=dice.choice([None, price, _money(dice, unit, currency)]),
            price=price,
            discount=dice.choice(
                [
                    None,
                    None,
                    QuoteDiscount(percent=_number(dice, 100, 3)),
                    QuoteDiscount(amount=Money(amount=unit, currency=currency)),
                ]
            ),
            tax_percent=Decimal(dice.choice(["0", "7", "19", "8.875"])),
        )


def _number(dice: Random, most: int, decimals: int) -> Decimal:
    return Decimal(dice.randint(1, most * 10**decimals)).scaleb(-decimals)


def _money(dice: Random, unit: Decimal, currency: str) -> Money:
    return Money(amount=dice.randint(1, 200_000) * unit, currency=currency)


def _off(discount: QuoteDiscount | None, of: Decimal) -> Decimal:
    """What a discount takes off a line, unrounded."""
    if discount is None:
        return Decimal(0)
    return discount.amount.amount if discount.amount is not None else of * (discount.percent or 0) / 100


def _rounded(amount: Decimal | int, unit: Decimal) -> Decimal:
    return Decimal(amount).quantize(unit, rounding=ROUND_HALF_UP)
