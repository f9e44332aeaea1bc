"""What a quote offers: lines with quantities, discounts and tax, and what they come to (DEAL-8)."""

from uuid import UUID

from shared.events.definition import Exact, value
from shared.events.money import Money


@value
class QuoteDiscount:
    """What is taken off: a share, or an amount. One of the two is there."""

    percent: Exact | None = None
    """Of what it is taken off, above 0 and up to 100, with at most six decimals."""
    amount: Money | None = None
    """In the quote's currency."""


@value
class QuoteLine:
    """One position of a quote: a product, or something of its own that has none."""

    product_id: UUID | None = None
    """None: a custom position, which has no list price."""
    name: str
    unit: str
    """What is counted, like piece, hour or metre."""
    quantity: Exact
    """Above 0, with at most six decimals."""
    list_price: Money | None = None
    """What one cost by the list when the line was written, in the quote's currency."""
    price: Money
    """What one costs, before any discount and without tax."""
    discount: QuoteDiscount | None = None
    tax_percent: Exact
    """The rate of tax on it, from 0 to 100, with at most six decimals."""


@value
class QuoteLineTotals:
    """What one position comes to, in the quote's currency: `gross` less `discount` is `net`."""

    gross: Exact
    """Quantity times price."""
    discount: Exact
    """Its own discount with its share of the one on the whole."""
    net: Exact
    tax: Exact


@value
class QuoteRateTotals:
    """What all positions of one rate of tax come to."""

    tax_percent: Exact
    net: Exact
    tax: Exact


@value
class QuoteTotals:
    """What a quote comes to. Lines, rates and the whole add up to the minor unit, whatever is rounded first."""

    currency: str
    gross: Exact
    discount: Exact
    net: Exact
    tax: Exact
    total: Exact
    """What the customer pays: net with tax."""
    lines: tuple[QuoteLineTotals, ...]
    """In the order of the positions."""
    rates: tuple[QuoteRateTotals, ...]
    """By rising rate."""
    discount_percent: Exact
    """How far net lies below the prices of the list (below zero: above them), of custom positions below their own
    price; rounded up to two decimals, so that what is above a limit never looks like it."""
