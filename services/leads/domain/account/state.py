"""What an account is, and the keys that it holds."""

from dataclasses import fields
from datetime import date
from uuid import UUID

from shared.domain.aggregate import Aggregate, Claim
from shared.domain.roles import READING
from shared.domain.working_time.reminders import Reminders
from shared.events.definition import value
from shared.events.leads.account import ContactAdded


@value
class Contact:
    """A person at the account; once erased, only the role in buying is left."""

    id: UUID
    buying_role: str | None
    name: str | None
    email: str | None
    phone: str | None
    title: str | None
    erased: bool = False
    forgotten_deals: tuple[UUID, ...] = ()
    """The deals whose texts went with them."""
    candidates: tuple[UUID, ...] = ()
    """Leads and accounts of others who are known under the same e-mail address; they may be the same person."""


@value
class Profile:
    """What is known about the company."""

    name: str
    domain: str | None = None
    industry: str | None = None
    size: int | None = None
    country: str | None = None
    parent_id: UUID | None = None


PROFILE = tuple(field.name for field in fields(Profile))
KEPT_BY = ("owner", "team")


@value
class NoAccount:
    """Not known yet."""


@value
class ActiveAccount:
    """A customer or prospect."""

    id: UUID
    profile: Profile
    owner: UUID | None
    team: UUID | None
    lead_id: UUID | None = None
    contacts: tuple[Contact, ...] = ()
    follow_up: date | None = None
    follow_up_kind: str | None = None
    """What is to be done; None: it is not said."""
    follow_up_planned: bool = False
    """True once somebody said when the next follow-up is, or that there is none."""
    reminders: Reminders | None = None
    """Of the follow-up; None where nobody is reminded of it."""
    reminded_follow_ups: tuple[UUID, ...] = ()
    """The follow-ups that anybody was ever reminded of, by what the account was called then."""


account = Aggregate("account", plural="accounts", start=NoAccount, readers=READING)


@account.takes
def has_the_contact(event: ContactAdded) -> set[Claim]:
    """A contact is one of one account, erased or not."""
    return {Claim(kind="contact", key=str(event.contact_id))}


@account.claims
def is_known_by(state: ActiveAccount) -> set[Claim]:
    """An account holds its domain, and the e-mail addresses of its contacts (LEAD-2)."""
    beside: dict[str, frozenset[UUID]] = {}
    for contact in state.contacts:
        if contact.email:
            beside[contact.email] = beside.get(contact.email, frozenset()) | set(contact.candidates)
    claims = {Claim(kind="email", key=email, beside=others) for email, others in beside.items()}
    return claims | ({Claim(kind="domain", key=state.profile.domain)} if state.profile.domain else set())
