"""How a quote fares with the customer: sent, opened, accepted, declined or expired; and how it stops being offered, or
what was accepted stops counting (DEAL-8)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, ClassVar

from services.deals.domain.quote.approving import nobody_is_asked
from services.deals.domain.quote.state import (
    AcceptedQuote,
    ApprovedQuote,
    DeclinedQuote,
    ExpiredQuote,
    OpenQuote,
    Quote,
    QuotedDeal,
    SentQuote,
    SetAsideQuote,
    WithdrawnQuote,
    become,
    quote,
    written,
)
from shared.domain.aggregate import Decision, Occurrence, Timer
from shared.domain.approval.requesting import OwnApproval
from shared.domain.context import Context, Moment
from shared.domain.fields import Day, LongText, Text
from shared.domain.money import rounded
from shared.domain.policy import InForce
from shared.domain.references import ContactId
from shared.domain.rejection import Reason, Rejected, refuse_all
from shared.domain.roles import ONLY_SERVICES, SELLING
from shared.events.criteria import Key
from shared.events.deals.deal import AgreedLine, DealAmountChanged, DealLine
from shared.events.deals.deal_edit import DealLinesChanged, DealQuoteAccepted, DealQuoteSetAside
from shared.events.deals.policy import QuoteRules
from shared.events.deals.quote import (
    QuoteAccepted,
    QuoteDeclined,
    QuoteExpired,
    QuoteOpened,
    QuoteSent,
    QuoteSetAside,
    QuoteWithdrawn,
)
from shared.events.definition import value
from shared.events.money import Money


@value
class SendQuote:
    """The quote went to the customer."""

    channel: Key
    """How, in a word of the company's own, like e-mail."""
    contact_id: ContactId | None = None
    """To whom."""
    on: Day | None = None
    """Default: today."""

    example: ClassVar[dict[str, Any]] = {"channel": "e-mail"}


@value
class NoteOpened:
    """The customer looked at the quote."""

    on: Day | None = None
    """Default: today."""

    example: ClassVar[dict[str, Any]] = {}


@value
class AcceptQuote:
    """The customer agreed."""

    evidence: LongText
    """What that rests on: an order, a mail, a signature, by reference."""
    on: Day | None = None
    """Default: today."""

    example: ClassVar[dict[str, Any]] = {"evidence": "Order 4711 of 30 November"}


@value
class DeclineQuote:
    """The customer did not agree."""

    reason: Text
    on: Day | None = None
    """Default: today."""

    example: ClassVar[dict[str, Any]] = {"reason": "Above their budget."}


@value
class ExpireQuote:
    """The last day of the quote has passed."""


@value
class WithdrawQuote:
    """The quote is not offered any more."""

    example: ClassVar[dict[str, Any]] = {}


@value
class SetQuoteAside:
    """What the customer agreed to does not count any more."""

    reason: Text

    example: ClassVar[dict[str, Any]] = {"reason": "The customer wants half of the servers."}


@quote.decides(allow=SELLING)
def send(
    state: ApprovedQuote, command: SendQuote, context: Context, deal: QuotedDeal, rules: InForce[QuoteRules]
) -> Decision:
    """Note that an approved quote went to the customer; from then on it can be accepted until its last day."""
    on = _day(command.on, context, since=state.approved_on)
    days = deal.rules_of(rules).document.validity_days
    valid_until = state.valid_until or on + timedelta(days=days)
    if valid_until < context.today:
        message = f"It was valid until {valid_until}: revise it for a longer time."
        raise Rejected("no-longer-valid", message)
    return [
        QuoteSent(
            quote_id=state.id,
            deal_id=state.deal_id,
            quote_version=state.quote_version,
            contact_id=command.contact_id,
            channel=command.channel,
            amount=state.amount,
            valid_until=valid_until,
            expires_at=context.company.start_after(valid_until),
            on=on,
        )
    ]


@quote.decides(allow=SELLING)
def note_opened(state: SentQuote, command: NoteOpened, context: Context) -> Decision:
    """Note that the customer looked at the quote; the first time counts."""
    on = _day(command.on, context, since=state.sent_on)
    if state.opened_on is not None:
        return []
    return [QuoteOpened(quote_id=state.id, quote_version=state.quote_version, on=on)]


@quote.decides(allow=SELLING)
def accept(state: SentQuote, command: AcceptQuote, context: Context, deal: QuotedDeal) -> Decision:
    """Note that the customer accepted the quote: its net total is the amount of the deal from then on.

    Where all of it are products, they are the lines of the deal, at the prices that are left after every discount. Of a
    deal one quote is accepted at most.
    """
    on = _day(command.on, context, since=state.sent_on)
    refuse_all("not-acceptable", "This quote cannot be accepted.", _not_acceptable(state, deal, context))
    lines = product_lines(state)
    accepted_ = QuoteAccepted(
        quote_id=state.id,
        deal_id=state.deal_id,
        quote_version=state.quote_version,
        amount=state.amount,
        total=Money(amount=state.totals.total, currency=state.currency),
        lines=lines,
        on=on,
        evidence=command.evidence,
    )
    return [accepted_, *_fixed(state, deal, lines, context.today)]


@quote.decides(allow=SELLING)
def decline(state: SentQuote, command: DeclineQuote, context: Context) -> Decision:
    """Note that the customer did not accept the quote, and why."""
    on = _day(command.on, context, since=state.sent_on)
    return [
        QuoteDeclined(
            quote_id=state.id, deal_id=state.deal_id, quote_version=state.quote_version, reason=command.reason, on=on
        )
    ]


@quote.decides(allow=ONLY_SERVICES)
def expire(state: SentQuote, command: ExpireQuote, context: Context) -> Decision:
    """Note that the last day has passed, as of the first moment of the day after it."""
    if state.valid_until is None or context.now < state.expires_at:
        return []
    expired_ = QuoteExpired(
        quote_id=state.id, deal_id=state.deal_id, quote_version=state.quote_version, valid_until=state.valid_until
    )
    return [Occurrence(event=expired_, at=Moment(state.expires_at))]


@quote.decides(allow=SELLING)
def withdraw(state: OpenQuote, command: WithdrawQuote, context: Context, approval: OwnApproval) -> Decision:
    """Withdraw a quote that is not offered any more; nobody is asked about it any more."""
    return [withdrawn(state, "asked", context.today), *nobody_is_asked(approval, context, None)]


@quote.decides(allow=SELLING)
def set_aside(state: AcceptedQuote, command: SetQuoteAside, context: Context, deal: QuotedDeal) -> Decision:
    """Set an accepted quote aside while its deal is open: another one can be accepted, and the amount can change."""
    if deal.status != "open":
        raise Rejected("deal-is-closed", f"The deal is {deal.status}: what was accepted stays.")
    return [
        QuoteSetAside(
            quote_id=state.id,
            deal_id=state.deal_id,
            quote_version=state.quote_version,
            reason=command.reason,
            on=context.today,
        ),
        Occurrence(
            event=DealQuoteSetAside(deal_id=state.deal_id, quote_id=state.id, on=context.today), to=state.deal_id
        ),
    ]


@quote.already
def is_sent(state: SentQuote, command: SendQuote) -> bool:
    return (state.channel, state.contact_id) == (command.channel, command.contact_id) and command.on in (
        None,
        state.sent_on,
    )


@quote.already
def is_accepted(state: AcceptedQuote, command: AcceptQuote) -> bool:
    return state.evidence == command.evidence and command.on in (None, state.accepted_on)


@quote.already
def is_declined(state: DeclinedQuote, command: DeclineQuote) -> bool:
    return state.reason == command.reason and command.on in (None, state.declined_on)


@quote.already
def is_withdrawn(state: WithdrawnQuote, command: WithdrawQuote) -> bool:
    return True


@quote.already
def is_set_aside(state: SetAsideQuote, command: SetQuoteAside) -> bool:
    return state.reason == command.reason


@quote.evolves
def sent(state: ApprovedQuote, event: QuoteSent) -> SentQuote:
    return become(
        SentQuote,
        state,
        valid_until=event.valid_until,
        expires_at=event.expires_at,
        contact_id=event.contact_id,
        channel=event.channel,
        sent_on=event.on,
    )


@quote.evolves
def opened(state: SentQuote, event: QuoteOpened) -> SentQuote:
    return replace(state, opened_on=event.on)


@quote.evolves
def accepted(state: SentQuote, event: QuoteAccepted) -> AcceptedQuote:
    return become(
        AcceptedQuote, state, accepted_on=event.on, evidence=event.evidence, written=written(state, event.evidence)
    )


@quote.evolves
def declined(state: SentQuote, event: QuoteDeclined) -> DeclinedQuote:
    return become(DeclinedQuote, state, declined_on=event.on, reason=event.reason, written=written(state, event.reason))


@quote.evolves
def expired(state: SentQuote, event: QuoteExpired) -> ExpiredQuote:
    return become(ExpiredQuote, state)


@quote.evolves
def was_withdrawn(state: OpenQuote, event: QuoteWithdrawn) -> WithdrawnQuote:
    return become(WithdrawnQuote, state, cause=event.cause, withdrawn_on=event.on)


@quote.evolves
def was_set_aside(state: AcceptedQuote, event: QuoteSetAside) -> SetAsideQuote:
    return become(
        SetAsideQuote, state, set_aside_on=event.on, reason=event.reason, written=written(state, event.reason)
    )


@quote.timer
def expiry(state: SentQuote) -> Timer:
    """The first moment after its last day."""
    return Timer(due=state.expires_at, command=ExpireQuote())


def withdrawn(state: Quote, cause: str, on: date) -> QuoteWithdrawn:
    """The fact that a quote is not offered any more, and why."""
    return QuoteWithdrawn(
        quote_id=state.id, deal_id=state.deal_id, quote_version=state.quote_version, cause=cause, on=on
    )


def agreed_lines(state: Quote) -> tuple[AgreedLine, ...]:
    """All positions of a quote at what is left of their prices, without what somebody called them."""
    return tuple(
        AgreedLine(
            position=position,
            product_id=line.product_id,
            unit=line.unit,
            quantity=line.quantity,
            price=Money(amount=rounded(totals.net / line.quantity, state.currency), currency=state.currency),
            amount=Money(amount=totals.net, currency=state.currency),
        )
        for position, (line, totals) in enumerate(zip(state.lines, state.totals.lines, strict=True), start=1)
    )


def product_lines(state: Quote) -> tuple[DealLine, ...]:
    """What a quote comes to as lines of a deal: its products, at what is left of their prices, to the minor unit."""
    return tuple(
        DealLine(product_id=line.product_id, quantity=line.quantity, price=line.price)
        for line in agreed_lines(state)
        if line.product_id is not None
    )


def _fixed(state: SentQuote, deal: QuotedDeal, lines: tuple[DealLine, ...], today: date) -> list[Occurrence]:
    """That the deal is worth what was accepted and about the products of it, in its own stream.

    That it is fixed is told also where nothing changes: who decides about the deal at the same time sees it.
    """
    fixed = lines if len(lines) == len(state.lines) else ()
    changes: list[Any] = []
    if fixed and fixed != deal.lines:
        changes.append(DealLinesChanged(deal_id=state.deal_id, before=deal.lines, lines=fixed, on=today))
    if deal.amount is not None and state.amount != deal.amount:
        changes.append(
            DealAmountChanged(deal_id=state.deal_id, before=deal.amount, amount=state.amount, on=today),
        )
    agreed = DealQuoteAccepted(
        deal_id=state.deal_id,
        quote_id=state.id,
        amount=state.amount,
        lines=fixed,
        quote_version=state.quote_version,
        positions=agreed_lines(state),
        on=today,
    )
    return [Occurrence(event=each, to=state.deal_id) for each in (*changes, agreed)]


def _not_acceptable(state: SentQuote, deal: QuotedDeal, context: Context) -> list[Reason]:
    reasons = []
    if deal.status != "open":
        reasons.append(Reason(code="deal-is-closed", message=f"The deal is {deal.status}."))
    if context.now >= state.expires_at:
        message = f"It could be accepted until {state.valid_until}: revise it to offer it again."
        reasons.append(Reason(code="no-longer-valid", message=message))
    if deal.accepted is not None:
        message = f"The quote {deal.accepted} of the deal is accepted: set it aside first."
        details = {"quote_id": str(deal.accepted)}
        reasons.append(Reason(code="other-quote-accepted", message=message, details=details))
    return reasons


def _day(stated: date | None, context: Context, *, since: date) -> date:
    """The day on which something happened: not in the future, and not before what it follows."""
    on = stated or context.today
    if on > context.today:
        raise Rejected("in-the-future", "What has happened has happened until today.", field="on")
    if on < since:
        raise Rejected("before-it-began", f"That cannot have been before {since}.", field="on")
    return on
