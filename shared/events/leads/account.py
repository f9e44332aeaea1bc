"""Events of an account: a company that may buy, and its contacts."""

from datetime import date
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.definition import AsKnown, Personal, event
from shared.events.leads.lead import ForgottenDeal
from shared.events.reminders import PlannedReminder


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
    reminded_follow_ups: tuple[UUID, ...] | None = None
    """Where it is called otherwise: the follow-ups that anybody was ever reminded of. None: nobody was, or its name is
    as before, or history tells it."""
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
    owner_before: AsKnown[UUID | None] = None
    team_before: AsKnown[UUID | None] = None
    reminded_follow_up: AsKnown[UUID | None] = None
    """The follow-up that somebody was reminded of while it was another one's."""


@event("leads.account-follow-up-planned", aggregate="account", rank=Rank.CHANGE)
class AccountFollowUpPlanned:
    """When the account is to be followed up next; None says explicitly that it is not (ACCT-1)."""

    account_id: UUID
    on: date | None
    kind: str | None = None
    """What is to be done: call, email, visit, meeting or demo; None: it is not said."""
    follow_up_id: UUID | None = None
    """By what its reminders are known; none where nobody is reminded."""
    reminders: tuple[PlannedReminder, ...] = ()
    """When whom is reminded; nothing of what lies in the past."""
    reminders_version: int | None = None
    """The version of the policy follow-ups that says so; 0 is the default. None: nothing is planned, or its day had
    passed when history told of it."""
    reminded_follow_up: AsKnown[UUID | None] = None
    """The follow-up before that somebody was reminded of, and need not know of any longer."""
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("leads.account-follow-up-reminded", aggregate="account", rank=Rank.CHANGE)
class AccountFollowUpReminded:
    """The follow-up is due and nothing else was planned: whoever has to know is reminded (DEAL-6)."""

    account_id: UUID
    follow_up_id: UUID
    """The follow-up, as it was planned."""
    on: date
    """The day for which it was planned."""
    levels: tuple[str, ...]
    """owner, again (the owner once more) or manager (whoever leads the owner); several whose time came at once."""
    name: str = ""
    """What the account is called."""
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


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
