"""What is known of a quote, and the states that its present version can stand in (DEAL-8)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from shared.domain.aggregate import Aggregate, carried
from shared.domain.policy import Counts, InForce
from shared.domain.roles import READING
from shared.events.deals.deal import DealLine
from shared.events.deals.policy import QuoteRules
from shared.events.deals.quote import QuoteDiscount, QuoteLine, QuoteTotals
from shared.events.definition import value
from shared.events.money import Money


@value
class NoQuote:
    """Nothing was quoted under this id."""


@value
class EndedVersion:
    """A version that a further one took the place of."""

    quote_version: int
    ended_as: str
    """What it was then: approved, sent, declined, expired or set-aside."""
    drafted_on: date
    """The day on which it was begun."""
    lines: tuple[QuoteLine, ...]
    discount: QuoteDiscount | None
    totals: QuoteTotals
    valid_until: date | None


@value
class DeliveryAssessment:
    """What product said of the delivery of a version."""

    difficulty: int
    duration_days: int
    reservations: tuple[str, ...]
    """None of them once they are erased."""
    assessed_by: UUID | None
    on: date


@value
class Quote:
    """What is known of a quote, whatever its state. It belongs to whom its deal belongs to."""

    id: UUID
    deal_id: UUID
    deal_name: str
    process_id: UUID
    """Of the deal, as the quote was drafted."""
    quote_version: int
    currency: str
    lines: tuple[QuoteLine, ...]
    discount: QuoteDiscount | None
    totals: QuoteTotals
    valid_until: date | None
    assessment: DeliveryAssessment | None = None
    """Of the present version, where it was submitted."""
    drafted_on: date
    """The day on which the present version was begun."""
    authors: frozenset[UUID] = frozenset()
    """The members who wrote at it, at whichever version: a further one says what the one before did. None of them
    decides about it."""
    versions: tuple[EndedVersion, ...] = ()
    """Those before the present one."""
    approvals: tuple[UUID, ...] = ()
    """The approvals of all that was ever submitted: they are called as the deal is."""
    written: bool = False
    """Whether there is anything that somebody wrote about it, in whatever state (DATA-4)."""
    owner: UUID | None
    team: UUID | None
    account_id: UUID | None

    @property
    def amount(self) -> Money:
        """What the deal is worth by it: what it comes to without tax."""
        return Money(amount=self.totals.net, currency=self.currency)


@value
class DraftedQuote(Quote):
    """Its present version is being written."""

    returned_over: str | None = None
    """price or delivery, where it was returned for that."""
    returned_for: str | None = None


@value
class SubmittedQuote(Quote):
    """It stands until its price is approved and, where that is needed, its delivery is assessed."""

    approval_id: UUID
    submitter: str
    submitted_on: date
    is_price_approved: bool = False
    needs_assessment: bool


@value
class ApprovedQuote(Quote):
    """It may be sent."""

    approved_on: date


@value
class SentQuote(Quote):
    """The customer has it."""

    sent_on: date
    contact_id: UUID | None
    channel: str
    expires_at: datetime
    opened_on: date | None = None


@value
class AcceptedQuote(Quote):
    """The customer agreed to it: it fixes the amount of the deal."""

    accepted_on: date
    evidence: str


@value
class DeclinedQuote(Quote):
    """The customer did not agree to it."""

    declined_on: date
    reason: str


@value
class ExpiredQuote(Quote):
    """Nobody agreed to it in time."""


@value
class WithdrawnQuote(Quote):
    """It is not offered any more."""

    cause: str
    withdrawn_on: date


@value
class SetAsideQuote(Quote):
    """The customer had agreed to it, and it does not count any more."""

    set_aside_on: date
    reason: str


OpenQuote = DraftedQuote | SubmittedQuote | ApprovedQuote | SentQuote
"""It may still be accepted, or come to be."""
AnyQuote = (
    DraftedQuote
    | SubmittedQuote
    | ApprovedQuote
    | SentQuote
    | AcceptedQuote
    | DeclinedQuote
    | ExpiredQuote
    | WithdrawnQuote
    | SetAsideQuote
)

quote = Aggregate("quote", plural="quotes", start=NoQuote, readers=READING)

OF_DEAL = "quote-of-deal"
"""The claim that all quotes of a deal hold beside each other, so that the deal finds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedDeal:
    """The deal that is quoted, as a handler is given it; nothing of one that there is not."""

    name: str = ""
    status: str | None = None
    """open, won, lost or abandoned."""
    amount: Money | None = None
    lines: tuple[DealLine, ...] = ()
    """Its product lines."""
    process_id: UUID | None = None
    owner: UUID | None = None
    team: UUID | None = None
    account_id: UUID | None = None
    others: frozenset[UUID] = frozenset()
    """What has been quoted on it."""
    accepted: UUID | None = None
    """The quote that was accepted, where one was."""

    def rules_of(self, rules: InForce[QuoteRules]) -> Counts[QuoteRules]:
        """What counts for its quotes today: a deal may have gone to another team or process since they were drafted."""
        return rules.of(team=self.team, process=self.process_id)


Kind = TypeVar("Kind", bound=Quote)


def become(kind: type[Kind], state: Quote, **changes: Any) -> Kind:
    """The quote in another state, with what changes on the way."""
    return kind(**(carried(state, Quote) | changes))


def without_names(lines: Sequence[QuoteLine]) -> tuple[QuoteLine, ...]:
    """Lines without what somebody called them: each is called as its product is, or not at all (DATA-4)."""
    return tuple(replace(line, name=line.product_name or "") for line in lines)


def own_names(lines: Sequence[QuoteLine]) -> tuple[str, ...] | None:
    """What somebody called each of some lines, empty where that is what its product is called; None where all are."""
    names = tuple("" if line.name == line.product_name else line.name for line in lines)
    return names if any(names) else None


def with_names(lines: Sequence[QuoteLine], names: Sequence[str] | None) -> tuple[QuoteLine, ...]:
    """Lines with what somebody called them, as far as that is still known."""
    if names is None:
        return tuple(lines)
    return tuple(replace(line, name=name or line.name) for line, name in zip(lines, names, strict=True))


def authors(state: Quote, member: UUID | None) -> frozenset[UUID]:
    """Who wrote at a quote, with one member more, where it was one."""
    return state.authors if member is None else state.authors | {member}


def written(state: Quote, text: str | tuple[str, ...] | None) -> bool:
    """Whether there is anything that somebody wrote about a quote, with one text more."""
    return state.written or bool(text)
