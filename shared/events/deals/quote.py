"""Events of a quote: what a customer is offered on a deal, in versions, until one of them is accepted (DEAL-8)."""

from datetime import date, datetime
from uuid import UUID

from shared.events.deals.deal import DealLine
from shared.events.definition import AsKnown, Exact, FreeText, event, value
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
    product_name: str | None = None
    """What the product was called when the line was written; None of a custom position."""
    name: str = ""
    """What it is called: as somebody wrote it, else as the product is. On topics, and once the texts are erased, as the
    product is; of a custom position nothing."""
    unit: str
    """What is counted, like piece, hour or metre."""
    quantity: Exact
    """Above 0, with at most six decimals."""
    list_price: Money | None = None
    """What one cost by the list in the quote's currency, when the line was written or, after that, submitted."""
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


@event("deals.quote-drafted", aggregate="quote")
class QuoteDrafted:
    """A quote was begun on a deal: its first version."""

    quote_id: UUID
    deal_id: UUID
    deal_name: str
    process_id: UUID
    quote_version: int
    currency: str
    """That of every amount of it."""
    lines: tuple[QuoteLine, ...]
    names: FreeText[tuple[str, ...] | None] = None
    """What somebody called each of them, in their order; empty where it is called as its product is."""
    discount: QuoteDiscount | None
    """The discount on all lines together, beside those of each."""
    totals: QuoteTotals
    valid_until: date | None
    """The last day on which it can be accepted, where that was said."""
    policy_version: int
    """The version of the policy `quotes` that it was rounded by; 0 is the default."""
    on: date
    drafted_by: UUID | None
    others: tuple[UUID, ...] = ()
    """What else had been quoted on the deal."""
    owner: UUID | None
    """Whose deal it is."""
    team: UUID | None
    account_id: UUID | None


@event("deals.quote-changed", aggregate="quote")
class QuoteChanged:
    """The draft of a version says something else: all of it as it is now."""

    quote_id: UUID
    quote_version: int
    lines: tuple[QuoteLine, ...]
    names: FreeText[tuple[str, ...] | None] = None
    """What somebody called each of them, in their order; empty where it is called as its product is."""
    discount: QuoteDiscount | None
    totals: QuoteTotals
    valid_until: date | None
    policy_version: int
    on: date
    changed_by: UUID | None = None
    """None of what was recorded before that was told, and of services."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.quote-submitted", aggregate="quote")
class QuoteSubmitted:
    """A version stands until it is decided whether it may be sent."""

    quote_id: UUID
    deal_id: UUID
    quote_version: int
    approval_id: UUID
    """What decides its price, at `/v1/deal-approvals/{id}`."""
    steps: tuple[str, ...]
    """The keys of the steps that are taken of the chain; none where nobody has to approve the price."""
    needs_assessment: bool
    """Whether product has to say whether it can be delivered."""
    custom_line: bool
    """Whether something of it is made for this customer."""
    unlisted_price: bool
    """Whether the list has no price of one of its products in its currency, so that no discount can be told."""
    large: bool
    """Whether it reaches the large amount of the policy."""
    list_prices: tuple[Money | None, ...]
    """What one of each position cost by the list on that day, in their order: it is judged by these."""
    discount_percent: Exact
    """How far its net total lay below them."""
    amount: Money
    """Its net total."""
    policy_version: int
    submitter: str
    """The subject of the tokens of whoever submitted it."""
    on: date
    deal_name: str = ""
    """What the deal is called; empty of what was recorded before that was told."""
    authors: tuple[UUID, ...] = ()
    """The members who wrote at the quote, who do not decide about it."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.quote-price-approved", aggregate="quote")
class QuotePriceApproved:
    """Whoever holds the authority agreed to the price of a version."""

    quote_id: UUID
    quote_version: int
    approval_id: UUID
    approver: str
    """The subject of the tokens of whoever decided last."""
    step: str
    """The step in which that was; `none` where nobody had to."""
    reason: FreeText[str | None] = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.quote-delivery-assessed", aggregate="quote")
class QuoteDeliveryAssessed:
    """Product said how hard a version is to deliver, and how long it takes."""

    quote_id: UUID
    quote_version: int
    difficulty: int
    """From 1, as every day, to 5, never done."""
    duration_days: int
    """In working days from the order on."""
    reservations: FreeText[tuple[str, ...] | None] = None
    """What has to be so for that to hold."""
    assessed_by: UUID | None
    on: date
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.quote-approved", aggregate="quote")
class QuoteApproved:
    """All that a version needed is there: it may be sent."""

    quote_id: UUID
    deal_id: UUID
    quote_version: int
    amount: Money
    on: date
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.quote-returned", aggregate="quote")
class QuoteReturned:
    """A version is a draft again: its price was not agreed to, or it cannot be delivered like this."""

    quote_id: UUID
    quote_version: int
    over: str
    """price or delivery."""
    by: str
    """The subject of the tokens of whoever returned it."""
    reason: FreeText[str] = ""
    on: date
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.quote-recalled", aggregate="quote")
class QuoteRecalled:
    """A version was taken back before it was decided: it is a draft again."""

    quote_id: UUID
    quote_version: int
    by: str
    reason: FreeText[str | None] = None
    on: date
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.quote-sent", aggregate="quote")
class QuoteSent:
    """A version went to the customer."""

    quote_id: UUID
    deal_id: UUID
    quote_version: int
    contact_id: UUID | None
    """To whom, where that was said."""
    channel: str
    """How, in the company's own word, like e-mail."""
    amount: Money
    valid_until: date
    """The last day on which it can be accepted."""
    expires_at: datetime
    """The first instant (UTC) at which it cannot."""
    on: date
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.quote-opened", aggregate="quote")
class QuoteOpened:
    """The customer looked at a version for the first time."""

    quote_id: UUID
    quote_version: int
    on: date
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.quote-accepted", aggregate="quote")
class QuoteAccepted:
    """The customer agreed to a version: it fixes the amount of the deal."""

    quote_id: UUID
    deal_id: UUID
    quote_version: int
    amount: Money
    """Its net total, which the deal is worth from then on."""
    total: Money
    """What the customer pays: that with tax."""
    lines: tuple[DealLine, ...]
    """Its products at the prices that are left after every discount; those that no price list names are not among
    them."""
    on: date
    evidence: FreeText[str] = ""
    """What the agreement rests on."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.quote-declined", aggregate="quote")
class QuoteDeclined:
    """The customer did not agree to a version."""

    quote_id: UUID
    deal_id: UUID
    quote_version: int
    reason: FreeText[str] = ""
    on: date
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.quote-expired", aggregate="quote")
class QuoteExpired:
    """The last day of a version has passed, and nobody agreed to it."""

    quote_id: UUID
    deal_id: UUID
    quote_version: int
    valid_until: date
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.quote-withdrawn", aggregate="quote")
class QuoteWithdrawn:
    """The quote is not offered any more."""

    quote_id: UUID
    deal_id: UUID
    quote_version: int
    cause: str
    """asked, deal-won, deal-lost or deal-abandoned."""
    on: date
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.quote-set-aside", aggregate="quote")
class QuoteSetAside:
    """What was agreed to does not count any more: the amount of the deal is open again."""

    quote_id: UUID
    deal_id: UUID
    quote_version: int
    reason: FreeText[str] = ""
    on: date
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.quote-revised", aggregate="quote")
class QuoteRevised:
    """A further version was begun, which says what the one before did."""

    quote_id: UUID
    deal_id: UUID
    quote_version: int
    """The new one."""
    ended_as: str
    """What the version before was then: approved, sent, declined, expired or set-aside."""
    on: date
    revised_by: UUID | None = None
    """None of what was recorded before that was told, and of services."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.quote-deal-changed", aggregate="quote")
class QuoteDealChanged:
    """The deal that it is for is called otherwise, or has another owner or customer; and so has it."""

    quote_id: UUID
    deal_name: str
    owner: UUID | None
    team: UUID | None
    account_id: UUID | None = None


@event("deals.quote-texts-erased", aggregate="quote", erases="quote_id")
class QuoteTextsErased:
    """What people wrote about it until then is gone, as is what they wrote about the deal (DATA-4)."""

    quote_id: UUID
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
