"""How a quote is written: drafted on a deal, changed, and revised into a further version (DEAL-8)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, ClassVar

from annotated_types import Gt, Le, MaxLen, MinLen

from services.deals.domain.prices import MOST_QUANTITY
from services.deals.domain.product import Catalogue, price_of
from services.deals.domain.quote.pricing import HUNDRED, priced, pricing_faults
from services.deals.domain.quote.state import (
    OF_DEAL,
    AnyQuote,
    ApprovedQuote,
    DeclinedQuote,
    DraftedQuote,
    EndedVersion,
    ExpiredQuote,
    NoQuote,
    QuotedDeal,
    SentQuote,
    SetAsideQuote,
    authors,
    become,
    own_names,
    quote,
    with_names,
    without_names,
    written,
)
from shared.domain.aggregate import Claim, Decision, status_of
from shared.domain.context import Context
from shared.domain.fields import Day, Name
from shared.domain.merge_patch import absent, given
from shared.domain.policy import InForce
from shared.domain.references import DealId, ProductId
from shared.domain.rejection import Reason, Rejected, refuse_all
from shared.domain.roles import SELLING
from shared.events.deals.policy import QuoteRules
from shared.events.deals.quote import QuoteChanged, QuoteDiscount, QuoteDrafted, QuoteLine, QuoteRevised
from shared.events.definition import Exact, value
from shared.events.money import Money

Unit = Annotated[str, MinLen(1), MaxLen(40)]
PIECE = "piece"


@value
class LineOffered:
    """A position of a quote: a product, or something of its own with name and price."""

    product_id: ProductId | None = None
    """None: something that no price list has."""
    name: Name | None = None
    """Default: what the product is called."""
    unit: Unit = PIECE
    """What is counted, like piece, hour or metre."""
    quantity: Annotated[Exact, Gt(0), Le(MOST_QUANTITY)]
    """At most six decimals."""
    price: Money | None = None
    """What one costs, before any discount and without tax, in the quote's currency; default: by list for so many, where
    that has one in it."""
    discount: QuoteDiscount | None = None
    """What is taken off this position."""
    tax_percent: Annotated[Exact, Le(int(HUNDRED))] | None = None
    """Default: what the policy `quotes` says."""


Lines = Annotated[tuple[LineOffered, ...], MaxLen(200)]


@value
class DraftQuote:
    """What a customer is to be offered on a deal."""

    deal_id: DealId
    lines: Lines
    """At least one, in the currency of the deal's amount."""
    discount: QuoteDiscount | None = None
    """What is taken off all positions together, beside the discounts of each."""
    valid_until: Day | None = None
    """The last day on which it can be accepted; default: as many days after it is sent as the policy `quotes` says."""

    example: ClassVar[dict[str, Any]] = {
        "deal_id": "0199d3a4-5b7c-7d2e-9f10-3a4b5c6d7e8f",
        "lines": [
            {
                "name": "Installation on site",
                "unit": "day",
                "quantity": "2.5",
                "price": {"amount": "1200.00", "currency": "EUR"},
                "tax_percent": "19",
            }
        ],
        "discount": {"percent": "5"},
    }


@value
class UpdateQuote:
    """What changes about a draft; what is left out stays as it is."""

    lines: Lines = absent()
    """All lines. A product that the draft has already may stay when it is no longer sold; it is not submitted so."""
    discount: QuoteDiscount | None = absent()
    """Null: nothing is taken off all positions together."""
    valid_until: Day | None = absent()
    """Null: as many days after it is sent as the policy `quotes` says."""

    example: ClassVar[dict[str, Any]] = {"discount": {"amount": {"amount": "250.00", "currency": "EUR"}}}


@value
class ReviseQuote:
    """A further version, to begin with what the present one says."""

    example: ClassVar[dict[str, Any]] = {}


RevisableQuote = ApprovedQuote | SentQuote | DeclinedQuote | ExpiredQuote | SetAsideQuote


@quote.decides(allow=SELLING)
def draft(
    state: NoQuote,
    command: DraftQuote,
    context: Context,
    *,
    deal: QuotedDeal,
    rules: InForce[QuoteRules],
    catalogue: Catalogue,
) -> Decision:
    """Draft a quote on an open deal."""
    if deal.amount is None or deal.process_id is None:
        raise Rejected("unknown-deal", "There is no such deal.", field="deal_id")
    currency = deal.amount.currency
    counts = deal.rules_of(rules)
    lines = offered_lines(command.lines, currency, catalogue, counts.document, context.today)
    faults = [
        *_closed(deal, "deal_id"),
        *_passed(command.valid_until, context),
        *offer_faults(command.lines, currency, catalogue, context.today),
        *_pricing_faults(command.lines, lines, command.discount, currency, counts.document),
    ]
    refuse_all("invalid-quote", "This cannot be quoted.", faults)
    return [
        QuoteDrafted(
            quote_id=context.aggregate_id,
            deal_id=command.deal_id,
            deal_name=deal.name,
            process_id=deal.process_id,
            quote_version=1,
            currency=currency,
            lines=without_names(lines),
            names=own_names(lines),
            discount=command.discount,
            totals=priced(lines, command.discount, currency=currency, rounding=counts.document.rounding),
            valid_until=command.valid_until,
            policy_version=counts.version,
            on=context.today,
            drafted_by=context.actor.member,
            others=tuple(sorted(deal.others)),
            owner=deal.owner,
            team=deal.team,
            account_id=deal.account_id,
        )
    ]


@quote.decides(allow=SELLING, method="PATCH")
def update(
    state: DraftedQuote,
    command: UpdateQuote,
    context: Context,
    *,
    deal: QuotedDeal,
    rules: InForce[QuoteRules],
    catalogue: Catalogue,
) -> Decision:
    """Change lines, discount or validity of a draft."""
    named = given(command)
    counts = deal.rules_of(rules)
    lines, faults = state.lines, list[Reason]()
    if "lines" in named:
        kept = frozenset(line.product_id for line in state.lines)
        lines = offered_lines(command.lines, state.currency, catalogue, counts.document, context.today)
        faults += offer_faults(command.lines, state.currency, catalogue, context.today, kept=kept)
    discount = named.get("discount", state.discount)
    valid_until = named.get("valid_until", state.valid_until)
    if valid_until != state.valid_until:
        faults += _passed(valid_until, context)
    faults += _pricing_faults(named.get("lines", lines), lines, discount, state.currency, counts.document)
    refuse_all("invalid-quote", "This cannot be quoted.", faults)
    if (lines, discount, valid_until) == (state.lines, state.discount, state.valid_until):
        return []
    return [
        QuoteChanged(
            quote_id=state.id,
            quote_version=state.quote_version,
            lines=without_names(lines),
            names=own_names(lines),
            discount=discount,
            totals=priced(lines, discount, currency=state.currency, rounding=counts.document.rounding),
            valid_until=valid_until,
            policy_version=counts.version,
            on=context.today,
            changed_by=context.actor.member,
        )
    ]


@quote.decides(allow=SELLING)
def revise(state: RevisableQuote, command: ReviseQuote, context: Context, deal: QuotedDeal) -> Decision:
    """Begin a further version as a draft; the one before cannot be accepted any more."""
    refuse_all("invalid-quote", "This cannot be quoted.", _closed(deal))
    return [
        QuoteRevised(
            quote_id=state.id,
            deal_id=state.deal_id,
            quote_version=state.quote_version + 1,
            ended_as=status_of(quote, state),
            on=context.today,
            revised_by=context.actor.member,
        )
    ]


@quote.already
def is_drafted(state: AnyQuote, command: DraftQuote) -> bool:
    known = (state.deal_id, state.quote_version, state.discount, state.valid_until, len(state.lines))
    said = (command.deal_id, 1, command.discount, command.valid_until, len(command.lines))
    return known == said and all(map(_is_as_offered, state.lines, command.lines))


@quote.already
def is_revised(state: DraftedQuote, command: ReviseQuote) -> bool:
    return state.quote_version > 1


@quote.evolves
def drafted(state: NoQuote, event: QuoteDrafted) -> DraftedQuote:
    return DraftedQuote(
        id=event.quote_id,
        deal_id=event.deal_id,
        deal_name=event.deal_name,
        process_id=event.process_id,
        quote_version=event.quote_version,
        currency=event.currency,
        lines=with_names(event.lines, event.names),
        written=bool(event.names),
        discount=event.discount,
        totals=event.totals,
        valid_until=event.valid_until,
        drafted_on=event.on,
        authors=frozenset({event.drafted_by} if event.drafted_by else ()),
        owner=event.owner,
        team=event.team,
        account_id=event.account_id,
    )


@quote.evolves
def changed(state: DraftedQuote, event: QuoteChanged) -> DraftedQuote:
    return replace(
        state,
        lines=with_names(event.lines, event.names),
        written=written(state, event.names),
        discount=event.discount,
        totals=event.totals,
        valid_until=event.valid_until,
        authors=authors(state, event.changed_by),
    )


@quote.evolves
def revised(state: RevisableQuote, event: QuoteRevised) -> DraftedQuote:
    before = EndedVersion(
        quote_version=state.quote_version,
        ended_as=event.ended_as,
        drafted_on=state.drafted_on,
        lines=state.lines,
        discount=state.discount,
        totals=state.totals,
        valid_until=state.valid_until,
    )
    # The day until which the one before was valid was said of that one.
    return become(
        DraftedQuote,
        state,
        quote_version=event.quote_version,
        valid_until=None,
        assessment=None,
        drafted_on=event.on,
        authors=authors(state, event.revised_by),
        versions=(*state.versions, before),
    )


@quote.takes
def is_of_its_deal(event: QuoteDrafted) -> set[Claim]:
    """All quotes of a deal are found by it. Of two that are drafted at once the later one knows of the other."""
    return {Claim(kind=OF_DEAL, key=str(event.deal_id), beside=frozenset(event.others))}


def offered_lines(
    wanted: Sequence[LineOffered], currency: str, catalogue: Catalogue, rules: QuoteRules, on: date
) -> tuple[QuoteLine, ...]:
    """The lines that can be priced, with what they leave out: a product's name and list price, the rate of tax."""
    return tuple(line for each in wanted if (line := _line(each, currency, catalogue, rules, on)) is not None)


def offer_faults(
    wanted: Sequence[LineOffered], currency: str, catalogue: Catalogue, on: date, kept: frozenset[Any] = frozenset()
) -> Iterator[Reason]:
    """Why lines cannot be offered; products that the quote has already are `kept`, also when no longer sold."""
    # No rule of the type: that one also counts what is wrong with a line as its absence.
    if not wanted:
        yield Reason(code="no-lines", message="A quote has at least one line.", field="lines")
    for index, line in enumerate(wanted):
        where = f"lines.{index}"
        if line.product_id is None:
            yield from _custom_faults(line, where)
        elif (product := catalogue.products.get(line.product_id)) is not None:
            if not product.active and product.id not in kept:
                message = f"{product.name} is no longer sold."
                yield Reason(code="inactive-product", message=message, field=f"{where}.product_id")
            if line.price is None and list_price(line, currency, catalogue, on) is None:
                message = f"{product.name} has no list price in {currency}, the quote's currency: say the line's price."
                yield Reason(code="other-currency", message=message, field=f"{where}.price.currency")


def list_price(line: LineOffered | QuoteLine, currency: str, catalogue: Catalogue, on: date) -> Money | None:
    """What one of so many of a line's product costs by the list on a day, in the quote's currency; None where the list
    does not say it."""
    product = catalogue.products.get(line.product_id) if line.product_id else None
    return price_of(product, currency=currency, quantity=line.quantity, on=on) if product else None


def _custom_faults(line: LineOffered, where: str) -> Iterator[Reason]:
    if line.name is None:
        yield Reason(code="name-needed", message="What is no product has a name.", field=f"{where}.name")
    if line.price is None:
        yield Reason(code="price-needed", message="What is no product has a price.", field=f"{where}.price")


def _line(wanted: LineOffered, currency: str, catalogue: Catalogue, rules: QuoteRules, on: date) -> QuoteLine | None:
    """None where it lacks a name or a price, which is refused by itself."""
    product = catalogue.products.get(wanted.product_id) if wanted.product_id else None
    listed = list_price(wanted, currency, catalogue, on)
    name = wanted.name or (product.name if product else None)
    price = wanted.price or listed
    if name is None or price is None:
        return None
    return QuoteLine(
        product_id=wanted.product_id,
        product_name=product.name if product else None,
        name=name,
        unit=wanted.unit,
        quantity=wanted.quantity,
        list_price=listed,
        price=price,
        discount=wanted.discount,
        tax_percent=rules.tax_percent if wanted.tax_percent is None else wanted.tax_percent,
    )


def _pricing_faults(
    wanted: Sequence[Any],
    lines: Sequence[QuoteLine],
    discount: QuoteDiscount | None,
    currency: str,
    rules: QuoteRules,
) -> list[Reason]:
    """Why the lines cannot be priced. Where one of them is missing the others would be called by wrong numbers, and
    what is wrong with it is told already."""
    if len(wanted) != len(lines):
        return []
    return pricing_faults(lines, discount, currency=currency, rounding=rules.rounding)


def _is_as_offered(line: QuoteLine, wanted: LineOffered) -> bool:
    return (
        (line.product_id, line.unit, line.quantity, line.discount)
        == (wanted.product_id, wanted.unit, wanted.quantity, wanted.discount)
        and wanted.name in (None, line.name)
        and wanted.price in (None, line.price)
        and wanted.tax_percent in (None, line.tax_percent)
    )


def _closed(deal: QuotedDeal, field: str | None = None) -> list[Reason]:
    if deal.status in (None, "open"):
        return []
    return [Reason(code="deal-is-closed", message=f"The deal is {deal.status}.", field=field)]


def _passed(valid_until: date | None, context: Context) -> list[Reason]:
    if valid_until is None or valid_until >= context.today:
        return []
    return [Reason(code="in-the-past", message="A quote is valid until today or longer.", field="valid_until")]
