"""What becomes of quotes with their deal: its end withdraws them, its name, owner and customer are theirs, and they
forget what it forgets (DEAL-8, DATA-4)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from services.deals.domain.approvals import APPROVALS
from services.deals.domain.quote.approving import approval_name, nobody_is_asked
from services.deals.domain.quote.offering import withdrawn
from services.deals.domain.quote.state import (
    AcceptedQuote,
    AnyQuote,
    DeclinedQuote,
    DraftedQuote,
    OpenQuote,
    SetAsideQuote,
    SubmittedQuote,
    quote,
    without_names,
)
from services.deals.domain.support_request.following import FollowedDeal
from shared.domain.aggregate import Occurrence
from shared.domain.approval.requesting import OwnApproval, handed_over, renamed
from shared.domain.approval.state import AnyApproval, WaitingApproval
from shared.domain.context import Context
from shared.events.deals.quote import QuoteDealChanged, QuoteTextsErased


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotesOfDeal:
    """All quotes of a deal with all of their approvals, as a handler is given them."""

    quotes: tuple[AnyQuote, ...] = ()
    approvals: Mapping[UUID, AnyApproval] = field(default_factory=dict)


@quote.evolves
def deal_changed(state: AnyQuote, event: QuoteDealChanged) -> AnyQuote:
    return replace(state, deal_name=event.deal_name, owner=event.owner, team=event.team, account_id=event.account_id)


@quote.evolves
def texts_were_erased(state: AnyQuote, event: QuoteTextsErased) -> AnyQuote:
    assessment = replace(state.assessment, reservations=()) if state.assessment else None
    gone = replace(
        state,
        lines=without_names(state.lines),
        versions=tuple(replace(each, lines=without_names(each.lines)) for each in state.versions),
        assessment=assessment,
        written=False,
    )
    match gone:
        case DraftedQuote():
            return replace(gone, returned_for="" if gone.returned_over else None)
        case AcceptedQuote():
            return replace(gone, evidence="")
        case DeclinedQuote() | SetAsideQuote():
            return replace(gone, reason="")
    return gone


def is_offered(quotes: QuotesOfDeal) -> bool:
    """Whether anything is offered on the deal, or is to be."""
    return any(isinstance(each, OpenQuote) for each in quotes.quotes)


def following(quotes: QuotesOfDeal, deal: FollowedDeal, context: Context) -> Iterator[Occurrence]:
    """What brings quotes in line with their deal.

    What is not accepted goes with a deal that ends, and nobody is asked about it any more. A deal that is reopened
    brings nothing back: it is quoted anew, or a quote that had expired or was declined is revised.
    """
    for each in quotes.quotes:
        asked = OwnApproval(state=quotes.approvals.get(each.approval_id) if isinstance(each, SubmittedQuote) else None)
        ends = isinstance(each, OpenQuote) and deal.status != "open"
        if ends:
            yield Occurrence(event=withdrawn(each, f"deal-{deal.status}", context.today), to=each.id)
            yield from nobody_is_asked(asked, context, None)
        known = (each.deal_name, each.owner, each.team, each.account_id)
        if known == (deal.name, deal.owner, deal.team, deal.account_id):
            continue
        changed = QuoteDealChanged(
            quote_id=each.id, deal_name=deal.name, owner=deal.owner, team=deal.team, account_id=deal.account_id
        )
        yield Occurrence(event=changed, to=each.id)
        if isinstance(asked.state, WaitingApproval) and not ends:
            yield from handed_over(APPROVALS, asked.state, context, owner=deal.owner, team=deal.team)
        for approval_id in each.approvals:
            yield from renamed(APPROVALS, quotes.approvals[approval_id], context, name=approval_name(deal.name))


def forgetting(quotes: QuotesOfDeal) -> Iterator[Occurrence]:
    """What people wrote about quotes goes with what they wrote about the deal (DATA-4)."""
    for each in quotes.quotes:
        if each.written:
            yield Occurrence(event=QuoteTextsErased(quote_id=each.id), to=each.id)
