"""Events of an account: a company that may buy, and its contacts."""

from uuid import UUID

from shared.events.chronology import Rank
from shared.events.definition import AsKnown, Personal, event
from shared.events.leads.lead import ForgottenDeal


@event("leads.account-opened", aggregate="account", rank=Rank.OPENING)
class AccountOpened:
    """A customer or prospect company is known."""

    account_id: UUID
    name: str
    domain: str | None = None
    industry: str | None = None
    size: int | None = None
    country: str | None = None
    parent_id: UUID | None = None
    owner: UUID | None = None
    team: UUID | None = None
    lead_id: UUID | None = None
    said: tuple[str, ...] | None = None
    """The fields that a line of history states; the others stay as they were. None: all are stated."""


@event("leads.account-changed", aggregate="account", rank=Rank.CHANGE)
class AccountChanged:
    """The profile of an account is now this; fields are the new values, all of them but for what is not `said`."""

    account_id: UUID
    name: str
    domain: str | None = None
    industry: str | None = None
    size: int | None = None
    country: str | None = None
    parent_id: UUID | None = None
    lead_id: UUID | None = None
    """The lead that it came from, where that is told later; None: as it was."""
    said: tuple[str, ...] | None = None
    """The fields that a line of history states; the others stay as they were. None: all are stated."""
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("leads.account-handed-over", aggregate="account", rank=Rank.CHANGE)
class AccountHandedOver:
    """Another member or team keeps the account from now on."""

    account_id: UUID
    owner: UUID | None = None
    team: UUID | None = None
    said: tuple[str, ...] | None = None
    """The fields that a line of history states; the others stay as they were. None: all are stated."""


@event("leads.contact-added", aggregate="account", person="contact_id", rank=Rank.CHANGE)
class ContactAdded:
    """A person at the account, with their role in buying."""

    account_id: UUID
    contact_id: UUID
    buying_role: str | None = None
    """economic-buyer, champion, influencer, user, blocker, legal or finance."""
    name: Personal[str] = None
    email: Personal[str] = None
    phone: Personal[str] = None
    title: Personal[str] = None
    candidates: Personal[tuple[UUID, ...]] = None
    """Leads and accounts where others are known under the same e-mail address, who may be the same person (LEAD-2)."""
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("leads.contact-erased", aggregate="account", erases="contact_id", rank=Rank.CHANGE)
class ContactErased:
    """The personal data of a contact are gone (DATA-4). Told again of deals that were found since."""

    account_id: UUID
    contact_id: UUID
    deals: tuple[ForgottenDeal, ...] = ()
    """The deals that they had to do with, as far as no other event of the erasure tells them."""
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("leads.account-fact-retracted", aggregate="account", rank=Rank.CHANGE, retracts=True)
class AccountFactRetracted:
    """What a request told of an account is taken back; what had been corrected by it counts again (DATA-5)."""

    account_id: UUID
    request: UUID
    """The causation id of the events that count no longer."""
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
