"""What becomes of support requests with their deal: its end withdraws them, its name, owner and customer are theirs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from services.deals.domain.support_request.asking import withdrawn
from services.deals.domain.support_request.state import (
    AnySupportRequest,
    DeliveredSupportRequest,
    OpenSupportRequest,
    ReturnedSupportRequest,
    support_request,
)
from shared.domain.aggregate import Occurrence
from shared.domain.context import Context
from shared.events.deals.support_request import SupportRequestDealChanged, SupportRequestTextsErased


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportOfDeal:
    """All that was asked on a deal, as a handler is given it."""

    requests: tuple[AnySupportRequest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedDeal:
    """What a deal is now, as far as its support requests, and the stages of its contract, go with it."""

    status: str
    """open, won, lost or abandoned."""
    name: str
    owner: UUID | None
    team: UUID | None
    account_id: UUID | None


@support_request.evolves
def deal_changed(state: AnySupportRequest, event: SupportRequestDealChanged) -> AnySupportRequest:
    return replace(state, deal_name=event.deal_name, owner=event.owner, team=event.team, account_id=event.account_id)


@support_request.evolves
def texts_were_erased(state: AnySupportRequest, event: SupportRequestTextsErased) -> AnySupportRequest:
    match state:
        case ReturnedSupportRequest():
            return replace(state, what="", reason="", written=False)
        case DeliveredSupportRequest():
            return replace(state, what="", reference="", written=False)
    return replace(state, what="", written=False)


def is_awaited(support: SupportOfDeal) -> bool:
    """Whether anything that was asked on the deal is still waited for."""
    return any(isinstance(each, OpenSupportRequest) for each in support.requests)


def following(support: SupportOfDeal, deal: FollowedDeal, context: Context) -> Iterator[Occurrence]:
    """What brings requests in line with their deal.

    What is open goes with a deal that ends; when it is won, what is for the stages of the contract goes on. A deal that
    is reopened brings nothing back: what is still needed is asked anew.
    """
    for request in support.requests:
        goes_on = deal.status == "open" or (deal.status == "won" and request.after_the_win)
        if isinstance(request, OpenSupportRequest) and not goes_on:
            yield _to(request, withdrawn(request, f"deal-{deal.status}", context))
        known = (request.deal_name, request.owner, request.team, request.account_id)
        if known != (deal.name, deal.owner, deal.team, deal.account_id):
            changed = SupportRequestDealChanged(
                support_request_id=request.id,
                deal_name=deal.name,
                owner=deal.owner,
                team=deal.team,
                account_id=deal.account_id,
            )
            yield _to(request, changed)


def forgetting(support: SupportOfDeal) -> Iterator[Occurrence]:
    """What people wrote in requests goes with what they wrote about the deal (DATA-4)."""
    for request in support.requests:
        if request.written:
            yield _to(request, SupportRequestTextsErased(support_request_id=request.id))


def _to(request: AnySupportRequest, event: Any) -> Occurrence:
    return Occurrence(event=event, to=request.id)
