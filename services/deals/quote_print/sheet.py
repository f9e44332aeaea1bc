"""Presentation model: every text of a printed quote, in the customer's language. Pure.

The page and the file only set what stands here, so that both say the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from shared.events.deals.quote import QuoteDiscount, QuoteLine, QuoteLineTotals, QuoteTotals
from shared.languages.catalogue import Catalogue

Mark = Literal["draft", "declined", "expired", "withdrawn", "set-aside", "replaced"]
"""Why what is printed is no offer, or none any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedQuote:
    """What is printed of one version of a quote. Its totals are those of its lines."""

    number: str
    """What the customer calls it by."""
    version: int
    mark: Mark | None
    """None: it can be agreed to, or was."""
    company: str
    """Who offers; empty where the company has not said what it is called."""
    account: str | None
    """None: nobody has said who the customer is."""
    deal: str
    on: date
    valid_until: date | None
    """The last day on which it can be accepted."""
    lines: tuple[QuoteLine, ...]
    discount: QuoteDiscount | None
    """The one on all lines together."""
    totals: QuoteTotals


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What is said under a name."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the table of positions."""

    name: str
    is_number: bool = True
    has_words: bool = False
    """Whether what people write stands in it, however long that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A position: a text for each column, and under its description what was agreed on it."""

    cells: tuple[str, ...]
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All that stands on a printed quote, written out."""

    language: str
    """The tag (BCP 47) of the language that it is written in."""
    title: str
    mark: str | None
    company: str
    facts: tuple[Fact, ...]
    positions: str
    """What the table of positions is called."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    sums: tuple[Fact, ...]
    """What it comes to, step by step."""
    total: Fact
    """What is paid."""
    remark: str | None
    """How a discount on the whole is shared among the positions."""
    page: str
    """Which page of how many: `{page}` and `{pages}` stand for the numbers, which only the printer knows."""


DESCRIPTION = 1
"""The column that says what is offered: the one with words in it."""


def number_of(quote_id: UUID) -> str:
    """What a customer calls a quote by: the random end of its id, 48 bits, as a telephone number is read."""
    digits = quote_id.hex[-12:]
    return "-".join((digits[:4], digits[4:8], digits[8:]))


def sheet_of(quote: PrintedQuote, words: Catalogue) -> Sheet:
    """A quote in a language."""
    is_discounted = bool(quote.totals.discount)
    pairs = zip(quote.lines, quote.totals.lines, strict=True)
    return Sheet(
        language=words.language,
        title=words.say("quote.title", number=quote.number),
        mark=words.say(f"quote.mark.{quote.mark}") if quote.mark else None,
        company=quote.company,
        facts=tuple(_facts(quote, words)),
        positions=words.say("quote.positions"),
        columns=tuple(_columns(quote.totals.currency, is_discounted, words)),
        rows=tuple(
            _row(position, line, totals, is_discounted, words) for position, (line, totals) in enumerate(pairs, 1)
        ),
        sums=tuple(_sums(quote.totals, is_discounted, words)),
        total=Fact(name=words.say("quote.total"), text=_amount(quote.totals.total, quote.totals.currency, words)),
        remark=words.say("quote.shared-discount", discount=_discount(quote.discount, words))
        if quote.discount and is_discounted
        else None,
        page=words.say("quote.page", page="{page}", pages="{pages}"),
    )


def _facts(quote: PrintedQuote, words: Catalogue) -> Iterator[Fact]:
    told = {
        "customer": quote.account,
        "subject": quote.deal,
        "date": words.day(quote.on),
        "valid-until": words.day(quote.valid_until) if quote.valid_until else None,
        "version": words.number(quote.version),
    }
    yield from (Fact(name=words.say(f"quote.{name}"), text=text) for name, text in told.items() if text)


def _columns(currency: str, is_discounted: bool, words: Catalogue) -> Iterator[Column]:
    yield Column(name=words.say("quote.position"))
    yield Column(name=words.say("quote.description"), is_number=False, has_words=True)
    yield Column(name=words.say("quote.quantity"), has_words=True)
    yield Column(name=words.say("quote.price", currency=currency))
    if is_discounted:
        yield Column(name=words.say("quote.discount", currency=currency))
    yield Column(name=words.say("quote.tax"))
    yield Column(name=words.say("quote.net", currency=currency))


def _row(position: int, line: QuoteLine, totals: QuoteLineTotals, is_discounted: bool, words: Catalogue) -> Row:
    quantity = words.say("quote.quantity-of", quantity=_short(line.quantity), unit=line.unit)
    discount = (words.number(-totals.discount),) if is_discounted else ()
    return Row(
        cells=(
            words.number(position),
            # Its name is gone with the texts of its deal.
            line.name or words.say("quote.unnamed"),
            quantity,
            words.number(line.price.amount),
            *discount,
            words.percent(_short(line.tax_percent)),
            words.number(totals.net),
        ),
        note=words.say("quote.own-discount", discount=_discount(line.discount, words)) if line.discount else None,
    )


def _sums(totals: QuoteTotals, is_discounted: bool, words: Catalogue) -> Iterator[Fact]:
    if is_discounted:
        yield Fact(name=words.say("quote.gross"), text=_amount(totals.gross, totals.currency, words))
        yield Fact(name=words.say("quote.discounts"), text=_amount(-totals.discount, totals.currency, words))
    yield Fact(name=words.say("quote.net-total"), text=_amount(totals.net, totals.currency, words))
    for rate in totals.rates:
        share, net = words.percent(_short(rate.tax_percent)), _amount(rate.net, totals.currency, words)
        name = words.say("quote.tax-of", share=share, net=net)
        yield Fact(name=name, text=_amount(rate.tax, totals.currency, words))


def _discount(discount: QuoteDiscount, words: Catalogue) -> str:
    if discount.amount is not None:
        return _amount(discount.amount.amount, discount.amount.currency, words)
    return words.percent(_short(discount.percent or Decimal(0)))


def _amount(amount: Decimal, currency: str, words: Catalogue) -> str:
    return words.say("quote.amount", amount=amount, currency=currency)


def _short(number: Decimal) -> Decimal:
    """The same number without the noughts at its end: those of a quantity do not say how exact it is."""
    short = number.normalize()
    return short.quantize(Decimal(1)) if short == short.to_integral_value() else short
