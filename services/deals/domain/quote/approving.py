"""What is decided before a quote is sent: its price, by whoever its chain asks, and its delivery, by product, beside
each other and of one version (DEAL-8, CON-2)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar
from uuid import UUID

from annotated_types import Ge, Le, MaxLen

from services.deals.domain.approvals import APPROVALS
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.policies import limit_of
from services.deals.domain.product import Catalogue
from services.deals.domain.quote.pricing import below_list
from services.deals.domain.quote.state import (
    ApprovedQuote,
    DeliveryAssessment,
    DraftedQuote,
    Quote,
    QuotedDeal,
    SubmittedQuote,
    become,
    quote,
    written,
)
from services.deals.domain.quote.writing import list_price
from shared.domain.aggregate import Decision, Occurrence
from shared.domain.approval.chain import Approvers, planned
from shared.domain.approval.requesting import NO_STEP, Approvable, Outcome, OwnApproval, Submission, recalled, requested
from shared.domain.approval.state import WaitingApproval
from shared.domain.context import Actor, Context
from shared.domain.criteria import Facts
from shared.domain.fields import Text
from shared.domain.policy import Counts, InForce
from shared.domain.rejection import Reason, Rejected, refuse_all
from shared.domain.roles import SELLING, Reach, Role, permission
from shared.events.deals.policy import QuoteRules
from shared.events.deals.quote import (
    QuoteApproved,
    QuoteDeliveryAssessed,
    QuotePriceApproved,
    QuoteRecalled,
    QuoteReturned,
    QuoteSubmitted,
)
from shared.events.definition import value
from shared.events.money import Money
from shared.events.working_hours import WorkingHours

ASSESSING = permission({Role.PRODUCT: Reach.ALL})
"""Those who answer for what is delivered."""


@value
class SubmitQuote:
    """Ask for all that the draft needs before it may be sent."""

    example: ClassVar[dict[str, Any]] = {}


@value
class RecallQuote:
    """Take a submitted quote back before it is decided."""

    reason: Text | None = None

    example: ClassVar[dict[str, Any]] = {"reason": "The customer wants another scope."}


@value
class AssessDelivery:
    """How hard the quote is to deliver, and how long it takes."""

    difficulty: Annotated[int, Ge(1), Le(5)]
    """From 1, as every day, to 5, never done."""
    duration_days: Annotated[int, Ge(0), Le(3650)]
    """In working days from the order on."""
    reservations: Annotated[tuple[Text, ...], MaxLen(20)] = ()
    """What has to be so for that to hold."""

    example: ClassVar[dict[str, Any]] = {
        "difficulty": 3,
        "duration_days": 40,
        "reservations": ["The hall has power of 400 V."],
    }


@value
class ReturnQuote:
    """The quote cannot be delivered as it is."""

    reason: Text
    """What is to be reworked."""

    example: ClassVar[dict[str, Any]] = {"reason": "The second line does not fit into the hall."}


def _awaits_assessment(state: SubmittedQuote, actor: Actor) -> None:
    """Refuse where product is not asked about the delivery, or has said it, and to whoever wrote or submitted it."""
    if not state.needs_assessment:
        raise Rejected("no-assessment-needed", "Nobody asks about the delivery of this quote.")
    if state.assessment is not None:
        raise Rejected("assessed-already", "The delivery of this version is assessed.")
    if actor.subject == state.submitter:
        raise Rejected("own-submission", "Its delivery is assessed by somebody other than who submitted it.")
    if actor.member in state.authors:
        raise Rejected("own-work", "Its delivery is assessed by somebody other than who wrote it.")


@quote.decides(allow=SELLING)
def submit(
    state: DraftedQuote,
    command: SubmitQuote,
    context: Context,
    *,
    deal: QuotedDeal,
    rules: InForce[QuoteRules],
    catalogue: Catalogue,
    conversion: Conversion,
    approvers: Approvers,
    hours: InForce[WorkingHours],
) -> Decision:
    """Ask for all that the draft needs before it may be sent; what needs nothing is approved at once.

    A discount over the submitter's limit in the policy `quotes`, a large amount, a product without a list price in the
    quote's currency and what is no product are approved by whoever its chain asks. Of a large amount, and of what is no
    product, product says whether it can be delivered, at the same time. All of that counts for this version alone. The
    discount is reckoned from the list of today, whatever that said when the lines were written.
    """
    if state.valid_until is not None and state.valid_until < context.today:
        message = f"It would have been valid until {state.valid_until}: change the draft first."
        raise Rejected("no-longer-valid", message)
    refuse_all("invalid-quote", "This cannot be quoted.", list(_no_longer_sold(state, catalogue)))
    counts = deal.rules_of(rules)
    judged = _as_listed(state, catalogue, context.today)
    facts = facts_about(judged, counts.document, conversion, context.actor.member)
    if facts["amount"] is None:
        message = f"There is no exchange rate for {state.currency}: its worth in {conversion.currency} is unknown."
        raise Rejected("no-exchange-rate", message)
    steps = planned(counts.document.chain, facts, context.actor, approvers, state.authors)
    approval = requested(
        APPROVALS,
        context,
        Submission(
            kind=quote.name,
            id=state.id,
            part=part_of(state.quote_version),
            name=approval_name(state.deal_name),
            amount=state.amount,
            owner=state.owner,
            team=state.team,
            account_id=state.account_id,
            authors=state.authors,
        ),
        chain=Counts(document=counts.document.chain, version=counts.version),
        steps=steps,
        hours=hours,
    )
    submitted_ = QuoteSubmitted(
        quote_id=state.id,
        deal_id=state.deal_id,
        quote_version=state.quote_version,
        approval_id=approval.id,
        steps=tuple(step.key for step in steps),
        needs_assessment=facts["large"] or facts["custom_line"],
        custom_line=facts["custom_line"],
        unlisted_price=facts["unlisted_price"],
        large=facts["large"],
        list_prices=tuple(line.list_price for line in judged.lines),
        discount_percent=judged.totals.discount_percent,
        amount=state.amount,
        policy_version=counts.version,
        submitter=context.actor.subject,
        on=context.today,
        deal_name=state.deal_name,
        authors=tuple(sorted(state.authors)),
    )
    by = context.actor.subject
    nobody = Outcome(approval_id=approval.id, step=NO_STEP, by=by, reason=None, on=context.today)
    at_once = _with_price(submitted(state, submitted_), nobody) if approval.granted else []
    return [submitted_, *approval.events, *at_once]


@quote.decides(allow=SELLING)
def recall(state: SubmittedQuote, command: RecallQuote, context: Context, approval: OwnApproval) -> Decision:
    """Take a submitted quote back; nobody is asked any more, and it can change."""
    by = context.actor.subject
    back = QuoteRecalled(
        quote_id=state.id, quote_version=state.quote_version, by=by, reason=command.reason, on=context.today
    )
    return [back, *nobody_is_asked(approval, context, command.reason)]


@quote.decides(allow=ASSESSING, guard=_awaits_assessment)
def assess_delivery(state: SubmittedQuote, command: AssessDelivery, context: Context) -> Decision:
    """Say how hard a submitted quote is to deliver, how long it takes, and what has to be so for that."""
    assessed_ = QuoteDeliveryAssessed(
        quote_id=state.id,
        quote_version=state.quote_version,
        difficulty=command.difficulty,
        duration_days=command.duration_days,
        reservations=command.reservations,
        assessed_by=context.actor.member,
        on=context.today,
    )
    return [assessed_, *_once_complete(assessed(state, assessed_), context.today)]


@quote.decides(allow=ASSESSING, guard=_awaits_assessment)
def return_(state: SubmittedQuote, command: ReturnQuote, context: Context, approval: OwnApproval) -> Decision:
    """Return a submitted quote that cannot be delivered like this; nobody is asked about its price any more."""
    return [
        _returned(state, "delivery", context.actor.subject, command.reason, context.today),
        *nobody_is_asked(approval, context, command.reason),
    ]


@quote.already
def is_submitted(state: SubmittedQuote | ApprovedQuote, command: SubmitQuote) -> bool:
    return True


@quote.already
def is_assessed(state: SubmittedQuote | ApprovedQuote, command: AssessDelivery) -> bool:
    known = state.assessment
    return known is not None and (known.difficulty, known.duration_days, known.reservations) == (
        command.difficulty,
        command.duration_days,
        command.reservations,
    )


@quote.already
def is_returned(state: DraftedQuote, command: ReturnQuote) -> bool:
    return (state.returned_over, state.returned_for) == ("delivery", command.reason)


@quote.evolves
def submitted(state: DraftedQuote, event: QuoteSubmitted) -> SubmittedQuote:
    return become(
        SubmittedQuote,
        _judged(state, event.list_prices, event.discount_percent),
        approval_id=event.approval_id,
        approvals=(*state.approvals, event.approval_id),
        submitter=event.submitter,
        submitted_on=event.on,
        needs_assessment=event.needs_assessment,
        assessment=None,
    )


@quote.evolves
def price_approved(state: SubmittedQuote, event: QuotePriceApproved) -> SubmittedQuote:
    return replace(state, is_price_approved=True, written=written(state, event.reason))


@quote.evolves
def assessed(state: SubmittedQuote, event: QuoteDeliveryAssessed) -> SubmittedQuote:
    said = DeliveryAssessment(
        difficulty=event.difficulty,
        duration_days=event.duration_days,
        reservations=event.reservations or (),
        assessed_by=event.assessed_by,
        on=event.on,
    )
    return replace(state, assessment=said, written=written(state, event.reservations))


@quote.evolves
def approved(state: SubmittedQuote, event: QuoteApproved) -> ApprovedQuote:
    return become(ApprovedQuote, state, approved_on=event.on)


@quote.evolves
def was_returned(state: SubmittedQuote, event: QuoteReturned) -> DraftedQuote:
    return become(
        DraftedQuote,
        state,
        assessment=None,
        returned_over=event.over,
        returned_for=event.reason,
        written=written(state, event.reason),
    )


@quote.evolves
def was_recalled(state: SubmittedQuote, event: QuoteRecalled) -> DraftedQuote:
    return become(DraftedQuote, state, assessment=None, written=written(state, event.reason))


def facts_about(state: Quote, rules: QuoteRules, conversion: Conversion, submitter: UUID | None) -> Facts:
    """What conditions of the chain ask of a quote that a member submits; its amount is unknown without an exchange
    rate."""
    worth = conversion.worth(state.amount)
    return {
        "discount": state.totals.discount_percent,
        "amount": worth,
        "currency": state.currency,
        "over_limit": state.totals.discount_percent > limit_of(rules, submitter),
        "large": worth is not None and rules.large_amount is not None and worth >= rules.large_amount,
        "custom_line": any(line.product_id is None for line in state.lines),
        # Such a line counts at its own price: no discount shows, however little that is.
        "unlisted_price": any(line.product_id is not None and line.list_price is None for line in state.lines),
    }


def _no_longer_sold(state: DraftedQuote, catalogue: Catalogue) -> Iterator[Reason]:
    for index, line in enumerate(state.lines):
        held = catalogue.products.get(line.product_id) if line.product_id else None
        if line.product_id is not None and (held is None or not held.active):
            message = f"{line.name} is no longer sold."
            yield Reason(code="inactive-product", message=message, field=f"lines.{index}.product_id")


def _as_listed(state: DraftedQuote, catalogue: Catalogue, on: date) -> DraftedQuote:
    """A draft with what its products cost by the list on a day, and how far it lies below that."""
    prices = [list_price(line, state.currency, catalogue, on) for line in state.lines]
    listed = _judged(state, prices, state.totals.discount_percent)
    return _judged(state, prices, below_list(listed.lines, state.totals.net, state.currency))


def _judged(state: DraftedQuote, prices: Sequence[Money | None], discount_percent: Decimal) -> DraftedQuote:
    """A draft with the list prices that it is judged by."""
    return replace(
        state,
        lines=tuple(replace(line, list_price=price) for line, price in zip(state.lines, prices, strict=True)),
        totals=replace(state.totals, discount_percent=discount_percent),
    )


def part_of(quote_version: int) -> str:
    """What of a quote is submitted."""
    return f"version {quote_version}"


def approval_name(deal_name: str) -> str:
    """What an approval of a quote is called."""
    return f"{deal_name}: quote"


def nobody_is_asked(approval: OwnApproval, context: Context, reason: str | None) -> list[Occurrence]:
    """That the approval of a quote that is submitted no more is taken back, unless it has ended."""
    waits = isinstance(approval.state, WaitingApproval)
    return [recalled(APPROVALS, approval.state, context, reason)] if waits else []


def _once_complete(state: SubmittedQuote, on: date) -> list[QuoteApproved]:
    """The fact that a quote has all that it needs; nothing where it does not."""
    if not state.is_price_approved or (state.needs_assessment and state.assessment is None):
        return []
    return [
        QuoteApproved(
            quote_id=state.id, deal_id=state.deal_id, quote_version=state.quote_version, amount=state.amount, on=on
        )
    ]


def _with_price(state: SubmittedQuote, outcome: Outcome) -> list[Any]:
    """That the price is approved, and what follows from it."""
    event = QuotePriceApproved(
        quote_id=state.id,
        quote_version=state.quote_version,
        approval_id=outcome.approval_id,
        approver=outcome.by,
        step=outcome.step,
        reason=outcome.reason,
    )
    return [event, *_once_complete(price_approved(state, event), outcome.on)]


def _returned(state: SubmittedQuote, over: str, by: str, reason: str, on: date) -> QuoteReturned:
    return QuoteReturned(quote_id=state.id, quote_version=state.quote_version, over=over, by=by, reason=reason, on=on)


def _price_granted(state: Any, outcome: Outcome) -> Sequence[Any]:
    return _with_price(state, outcome) if _waits_for(state, outcome) else []


def _price_refused(state: Any, outcome: Outcome) -> Sequence[Any]:
    if not _waits_for(state, outcome):
        return []
    # There is a reason: whoever returns it has to say why.
    return [_returned(state, "price", outcome.by, outcome.reason or "", outcome.on)]


def _waits_for(state: Any, outcome: Outcome) -> bool:
    """Whether it is this very submission that was decided."""
    return isinstance(state, SubmittedQuote) and state.approval_id == outcome.approval_id


APPROVALS.register(Approvable(aggregate=quote, granted=_price_granted, returned=_price_refused))
