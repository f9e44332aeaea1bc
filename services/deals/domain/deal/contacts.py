"""People at the customer's who have to do with a deal: which of them it may name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.deals.domain.deal.state import Deal
from shared.domain.context import Actor
from shared.domain.permissions import sees
from shared.domain.rejection import Reason
from shared.domain.roles import READING


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownContact:
    """At which account a contact is, and whose that is."""

    account_id: UUID | None
    owner: UUID | None = None
    team: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownContacts:
    """The contacts that a command names, as far as there are such."""

    of: Mapping[UUID, KnownContact] = field(default_factory=dict)


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
