"""What an open deal is about, edited: its customer, its classification and its product lines (DEAL-1).

They are parts of the quick update (`changes.update`), which decides all of them together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from services.deals.domain.deal.contacts import KnownContacts
from services.deals.domain.deal.opening import LineWanted, agreed_lines, line_faults, sum_of, worth
from services.deals.domain.deal.state import OpenDeal, deal, said
from services.deals.domain.product import Catalogue
from shared.domain.aggregate import Decision
from shared.domain.rejection import refuse_all
from shared.events.deals.deal import DealAmountChanged
from shared.events.deals.deal_edit import DealAccountChanged, DealClassified, DealLinesChanged


@deal.evolves
def account_changed(state: OpenDeal, event: DealAccountChanged) -> OpenDeal:
    left = [contact for contact in state.contacts if contact.contact_id not in event.contacts_removed]
    return replace(
        state,
        account_id=event.account_id,
        account_name=event.account_name,
        contacts=tuple(left),
        changes=said(state, "account", event.on, f"{event.account_id or ''} {event.account_name or ''}"),
    )


@deal.evolves
def classified(state: OpenDeal, event: DealClassified) -> OpenDeal:
    changes = said(state, "classification", event.on, f"{event.source or ''} {event.industry or ''}")
    return replace(state, source=event.source, industry=event.industry, changes=changes)


@deal.evolves
def lines_changed(state: OpenDeal, event: DealLinesChanged) -> OpenDeal:
    return replace(state, lines=event.lines, changes=said(state, "lines", event.on, str(len(event.lines))))


def with_customer(state: OpenDeal, named: Mapping[str, Any], contacts: KnownContacts, on: date) -> Decision:
    """The deal with another customer. The name of the one before goes with its account, unless a new one is given; and
    so do contacts who are not at the new account. Without an account a deal keeps its contacts."""
    account_id = named.get("account_id", state.account_id)
    moves = account_id != state.account_id
    name = named.get("account_name", None if moves else state.account_name)
    if not moves and name == state.account_name:
        return []
    gone = [
        contact.contact_id
        for contact in state.contacts
        if moves and account_id is not None and contacts.account_of(contact.contact_id) != account_id
    ]
    return [
        DealAccountChanged(
            deal_id=state.id,
            account_before=state.account_id,
            account_id=account_id,
            account_name=name,
            contacts_removed=tuple(gone),
            on=on,
        )
    ]


def with_classification(state: OpenDeal, named: Mapping[str, Any], on: date) -> Decision:
    """The deal with another source or industry; what is not named stays."""
    told = {field: named.get(field, getattr(state, field)) for field in ("source", "industry")}
    if told == {"source": state.source, "industry": state.industry}:
        return []
    return [DealClassified(deal_id=state.id, on=on, **told)]


def with_lines(
    state: OpenDeal, wanted: Sequence[LineWanted], catalogue: Catalogue, on: date, *, amount_is_named: bool
) -> Decision:
    """The deal with these lines instead of those before.

    An amount that is the sum of the lines, as an opening has it by default, stays their sum; one that was agreed
    otherwise stays, and so does one that is named along with them. Prices are in the currency of the amount, and a
    product that is no longer sold may stay on the deal.
    """
    currency = state.amount.currency
    kept = frozenset(line.product_id for line in state.lines)
    faults = line_faults(wanted, currency, catalogue, on, kept=kept)
    refuse_all("invalid-lines", "The deal cannot have these lines.", faults)
    lines = agreed_lines(wanted, currency, catalogue, on)
    if lines == state.lines:
        return []
    changed = DealLinesChanged(deal_id=state.id, before=state.lines, lines=lines, on=on)
    amount = worth(sum_of(lines, currency))
    if amount_is_named or amount == state.amount or not _is_sum_of_its_lines(state):
        return [changed]
    return [changed, DealAmountChanged(deal_id=state.id, before=state.amount, amount=amount, on=on)]


def _is_sum_of_its_lines(state: OpenDeal) -> bool:
    currency = state.amount.currency
    in_it = all(line.price.currency == currency for line in state.lines)
    return in_it and sum_of(state.lines, currency) == state.amount
