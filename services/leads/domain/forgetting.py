"""Erasure of a person, in everything that they are here: their leads, the contacts that these became or repeat, and
what deals are called and tell (DATA-4)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Annotated, TypeVar
from uuid import UUID

from annotated_types import MaxLen

from services.leads.domain.contact_points import name_key
from services.leads.domain.redaction import Named, redacted
from shared.domain.aggregate import Decision, Occurrence
from shared.domain.references import FoundDealId
from shared.domain.rejection import Reason, refuse_all
from shared.events.definition import value
from shared.events.leads.account import ContactErased
from shared.events.leads.lead import ForgottenDeal, LeadErased

Item = TypeVar("Item")

MOST_TOLD = 500
"""So many deals one event tells: of a large account there are more than a record of Kafka holds, so that there are
several."""

KeepTexts = Annotated[tuple[FoundDealId, ...], MaxLen(2000)]
"""Deals whose texts stay, because they name nobody; their names are redacted all the same."""


@value
class LeadOf:
    """Somebody as a lead: by what they are named, what it led to, and what is gone already."""

    id: UUID
    name: str | None = None
    email: str | None = None
    company: str | None = None
    original_id: UUID | None = None
    """The lead that it repeats."""
    account_id: UUID | None = None
    contact_id: UUID | None = None
    """The contact that it became, at that account."""
    deal_id: UUID | None = None
    deal_name: str | None = None
    reminded_follow_up: UUID | None = None
    """The follow-up that somebody was reminded of."""
    is_erased: bool = False
    forgotten_deals: tuple[UUID, ...] = ()


@value
class ContactOf:
    """Somebody as a contact: by what they are named, where, and what is gone already."""

    id: UUID
    account_id: UUID
    company: str
    """What the account is called."""
    name: str | None = None
    email: str | None = None
    is_erased: bool = False
    forgotten_deals: tuple[UUID, ...] = ()


@value
class DealOf:
    """A deal that somebody had to do with."""

    id: UUID
    name: str | None
    """None where nobody knows it."""
    coming_of: UUID | None = None
    """The lead that it comes of, as long as it is not known to be there."""


@value
class Traces:
    """All that somebody is here."""

    leads: tuple[LeadOf, ...] = ()
    contacts: tuple[ContactOf, ...] = ()
    deals: tuple[DealOf, ...] = ()

    @property
    def every(self) -> tuple[LeadOf | ContactOf, ...]:
        """The leads and the contacts."""
        return (*self.leads, *self.contacts)

    @property
    def named(self) -> Named:
        """By what deals may name them."""
        return Named(
            names=_distinct(each.name for each in self.every),
            emails=_distinct(each.email for each in self.every),
            companies=_distinct(each.company for each in self.every),
        )

    def with_more(self, leads: Iterable[LeadOf], contacts: Iterable[ContactOf]) -> "Traces":
        """With those of some leads and contacts that are theirs too."""
        known = {each.id for each in self.every}
        more = tuple(lead for lead in leads if lead.id not in known and self._is_lead(lead))
        others = tuple(contact for contact in contacts if contact.id not in known and self._is_contact(contact))
        return replace(self, leads=(*self.leads, *more), contacts=(*self.contacts, *others))

    def with_deals(self, deals: Iterable[DealOf]) -> "Traces":
        """With the deals that they had to do with: those that are known, and those that conversions bring about."""
        known = {deal.id: deal for deal in deals}
        coming = {
            lead.deal_id: DealOf(id=lead.deal_id, name=lead.deal_name, coming_of=lead.id)
            for lead in self.leads
            if lead.deal_id is not None
        }
        return replace(self, deals=tuple({**coming, **known}.values()))

    def _is_lead(self, lead: LeadOf) -> bool:
        """Whether a lead is theirs: the one that a contact came from; under no other name, a duplicate of one, the
        original, or one of the same address (LEAD-2). Of a lead that names nobody, two people may be duplicates; it
        itself is the duplicate of one."""
        repeats = lead.original_id in {each.id for each in self.leads} and self._may_be(lead)
        is_repeated = lead.id in {each.original_id for each in self.leads}
        is_original = is_repeated and (self._may_be(lead) or not self.named.names)
        return (
            lead.contact_id in {contact.id for contact in self.contacts}
            or ((repeats or is_original) and not lead.is_erased)
            or self._is_called(lead)
        )

    def _is_contact(self, contact: ContactOf) -> bool:
        """Whether a contact is theirs: what a lead became, or of the same address and no other name."""
        return contact.id in {lead.contact_id for lead in self.leads} or self._is_called(contact)

    def _is_called(self, other: LeadOf | ContactOf) -> bool:
        return self._may_be(other) and other.email in self.named.emails

    def _may_be(self, other: LeadOf | ContactOf) -> bool:
        """Whether somebody has no other name."""
        return not other.name or name_key(other.name) in set(map(name_key, self.named.names))


def erasures(traces: Traces, asked: UUID, keep_texts: Collection[UUID]) -> Decision:
    """What there is to tell: each lead and contact that is not erased yet, and in the event of the one that was `asked`
    about each deal that was not forgotten yet, so that a dry run lists it. A deal that is not there yet goes with the
    lead that it comes of: what follows from the events of one lead is done in their order."""
    _refuse_others(traces, keep_texts)
    named = traces.named
    deals: dict[UUID, list[ForgottenDeal]] = defaultdict(list)
    for deal in _not_yet_forgotten(traces):
        name, is_kept = _redacted(deal.name, named), deal.id in keep_texts
        if name is not None or not is_kept:
            deals[deal.coming_of or asked].append(ForgottenDeal(deal_id=deal.id, name=name, texts_kept=is_kept))
    told: list[Occurrence] = []
    for lead in traces.leads:
        deal_name = _redacted(lead.deal_name, named)
        if deals[lead.id] or deal_name or not lead.is_erased:
            about = LeadErased(lead_id=lead.id, deal_name=deal_name, reminded_follow_up=lead.reminded_follow_up)
            events = [replace(about, deals=part) for part in _parts(deals[lead.id])]
            told += [Occurrence(event=event, to=lead.id) for event in events]
    for contact in traces.contacts:
        if deals[contact.id] or not contact.is_erased:
            at, parts = contact.account_id, _parts(deals[contact.id])
            erased = [ContactErased(account_id=at, contact_id=contact.id, deals=part) for part in parts]
            told += [Occurrence(event=event, to=at) for event in erased]
    return told


def forgotten(before: tuple[UUID, ...], event: LeadErased | ContactErased) -> tuple[UUID, ...]:
    """The deals whose texts are gone after an erasure."""
    return _distinct((*before, *(deal.deal_id for deal in event.deals if not deal.texts_kept)))


def _not_yet_forgotten(traces: Traces) -> Iterator[DealOf]:
    told = {deal for each in traces.every for deal in each.forgotten_deals}
    return (deal for deal in traces.deals if deal.id not in told)


def _parts(deals: Sequence[ForgottenDeal]) -> list[tuple[ForgottenDeal, ...]]:
    """The deals of each event; one without any where there are none."""
    return [tuple(deals[start : start + MOST_TOLD]) for start in range(0, len(deals), MOST_TOLD)] or [()]


def _redacted(name: str | None, named: Named) -> str | None:
    return redacted(name, named) if name else None


def _refuse_others(traces: Traces, keep_texts: Collection[UUID]) -> None:
    found = {deal.id for deal in traces.deals}
    others = [
        Reason(
            code="other-deal",
            message="This is no deal that they had to do with: a dry run lists those.",
            field=f"keep_texts.{place}",
        )
        for place, deal in enumerate(keep_texts)
        if deal not in found
    ]
    refuse_all("other-deal", "Texts are kept of deals that they had to do with.", others)


def _distinct(held: Iterable[Item | None]) -> tuple[Item, ...]:
    return tuple(dict.fromkeys(each for each in held if each is not None))
