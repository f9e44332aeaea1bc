"""People at the customer's who have to do with a deal: their part in deciding, and how they stand to it (DEAL-5)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal
from uuid import UUID

from services.deals.domain.deal.state import AnyDeal, Deal, DealContact, OpenDeal, deal
from shared.domain.aggregate import Decision
from shared.domain.context import Actor, Context
from shared.domain.fields import BuyingRole, Day
from shared.domain.permissions import sees
from shared.domain.references import ContactId, ContactOfDealId
from shared.domain.rejection import Reason, Rejected, all_at_once, refuse_all
from shared.domain.roles import READING, SELLING
from shared.events.deals.deal_record import DealContactRemoved, DealContactSet
from shared.events.definition import value

Stance = Literal["supportive", "neutral", "opposed", "unknown"]
"""How somebody stands to a deal."""


@value
class SetContact:
    """A contact has this part in deciding about the deal, and stands like this to it."""

    contact_id: ContactId
    """A contact of the deal's account; of a deal without one, of an account that the asking member sees."""
    role: BuyingRole
    stance: Stance
    on: Day | None = None
    """The day on which that was found out; default: today."""

    example: ClassVar[dict[str, Any]] = {
        "contact_id": "0192f0c1-0000-7000-8000-000000000021",
        "role": "economic-buyer",
        "stance": "supportive",
    }


@value
class RemoveContact:
    """A contact has no part in deciding about the deal."""

    contact_id: ContactOfDealId

    example: ClassVar[dict[str, Any]] = {"contact_id": "0192f0c1-0000-7000-8000-000000000021"}


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownContact:
    """At which account a contact is, and whose that is."""

    account_id: UUID | None
    owner: UUID | None = None
    team: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownContacts:
    """The contacts that a command names, as far as there are such; of one that names another account, the deal's."""

    of: Mapping[UUID, KnownContact] = field(default_factory=dict)

    def account_of(self, contact_id: UUID) -> UUID | None:
        """The account that a contact is at; None where that is not known."""
        return self.of[contact_id].account_id if contact_id in self.of else None


@deal.decides(allow=SELLING)
def set_contact(state: OpenDeal, command: SetContact, context: Context, contacts: KnownContacts) -> Decision:
    """Say which part a contact has in deciding about the deal, and how they stand to it."""
    on = command.on or context.today
    faults = list(contact_faults(state, [command.contact_id], "contact_id", context.actor, contacts))
    all_at_once(
        lambda: refuse_all("invalid-contact", "This contact is none of the deal.", faults),
        lambda: _check_found_out(state, command, context),
    )
    return [
        DealContactSet(deal_id=state.id, contact_id=command.contact_id, role=command.role, stance=command.stance, on=on)
    ]


@deal.decides(allow=SELLING)
def remove_contact(state: OpenDeal, command: RemoveContact) -> Decision:
    """Say that a contact has no part in deciding about the deal."""
    is_there = any(contact.contact_id == command.contact_id for contact in state.contacts)
    return [DealContactRemoved(deal_id=state.id, contact_id=command.contact_id)] if is_there else []


@deal.already
def is_contact_set(state: AnyDeal, command: SetContact) -> bool:
    return any(
        (contact.contact_id, contact.role, contact.stance) == (command.contact_id, command.role, command.stance)
        and command.on in (None, contact.on)
        for contact in state.contacts
    )


@deal.evolves
def contact_was_set(state: OpenDeal, event: DealContactSet) -> OpenDeal:
    contact = DealContact(contact_id=event.contact_id, role=event.role, stance=event.stance, on=event.on)
    known = [each.contact_id for each in state.contacts]
    if event.contact_id not in known:
        return replace(state, contacts=(*state.contacts, contact))
    place = known.index(event.contact_id)
    return replace(state, contacts=(*state.contacts[:place], contact, *state.contacts[place + 1 :]))


@deal.evolves
def contact_was_removed(state: OpenDeal, event: DealContactRemoved) -> OpenDeal:
    return replace(state, contacts=tuple(each for each in state.contacts if each.contact_id != event.contact_id))


def contact_faults(
    state: Deal, named: Sequence[UUID], where: str, actor: Actor, known: KnownContacts
) -> Iterator[Reason]:
    """Why contacts are none for this deal: they are at its account; where it has none, at one that the actor sees.
    `where` is the field of each, like "contacts.{}"; what is not known at all is refused along with it."""
    for place, contact_id in enumerate(named):
        contact = known.of.get(contact_id)
        if contact is None:
            continue
        if state.account_id is None:
            if not sees(actor, READING, contact.owner, contact.team):
                yield Reason(code="unknown-contact", message="There is no such contact.", field=where.format(place))
        elif contact.account_id != state.account_id:
            message = "This contact is at another account than the deal."
            yield Reason(code="other-account", message=message, field=where.format(place))


def _check_found_out(state: OpenDeal, command: SetContact, context: Context) -> None:
    """What was found out later stands: an earlier finding does not take its place."""
    if command.on is None:
        return
    if command.on > context.today:
        raise Rejected("in-the-future", "It was found out today, or before.", field="on")
    known = next((each.on for each in state.contacts if each.contact_id == command.contact_id), None)
    if known and command.on < known:
        raise Rejected("known-since", f"What is known of them was found out on {known}.", field="on")
