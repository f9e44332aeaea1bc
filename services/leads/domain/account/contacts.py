"""The people at an account: entered with their role in buying, and forgotten (ACCT-1, DATA-4)."""

from dataclasses import replace
from typing import ClassVar, Protocol
from uuid import UUID

from services.leads.domain.account.state import ActiveAccount, Contact, account
from services.leads.domain.contact_points import ContactPoints, EmailHolder, normalised
from services.leads.domain.fields import BuyingRole, Email, Phone
from shared.domain.aggregate import Decision
from shared.domain.context import Context
from shared.domain.rejection import Rejected
from shared.domain.roles import OPERATIONS, SELLING
from shared.domain.text import Name
from shared.events.definition import value
from shared.events.leads import ContactAdded, ContactErased

# -- commands --------------------------------------------------------------------------------------------------------


@value
class AddContact:
    """Enter a person at the account."""

    example: ClassVar[dict[str, object]] = {
        "name": "Ada Moreno",
        "email": "ada.moreno@northwind.example",
        "title": "Head of production",
        "buying_role": "champion",
    }

    name: Name
    email: Email | None = None
    """Held by one lead or account at a time."""
    phone: Phone | None = None
    """Kept in E.164; a national number needs the account's country."""
    title: Name | None = None
    buying_role: BuyingRole | None = None


@value
class EraseContact:
    """Forget who a contact is."""

    example: ClassVar[dict[str, object]] = {"contact_id": "0192f0c1-0000-7000-8000-000000000021"}

    contact_id: UUID


# -- decisions -------------------------------------------------------------------------------------------------------


@account.decides(allow=SELLING)
def add_contact(state: ActiveAccount, command: AddContact, context: Context, holder: EmailHolder) -> Decision:
    """Enter a person at the account, with their role in buying."""
    points = reached(state, command)
    if any(is_same(contact, command, points) for contact in state.contacts):
        return []
    refuse_held(holder)
    return [
        ContactAdded(
            account_id=state.id,
            contact_id=context.derived_id("contact"),
            buying_role=command.buying_role,
            name=command.name,
            email=points.email,
            phone=points.phone,
            title=command.title,
        )
    ]


@account.decides(allow=OPERATIONS)
def erase_contact(state: ActiveAccount, command: EraseContact) -> Decision:
    """Forget who a contact is; that there was one, and their role in buying, stays (DATA-4)."""
    found = next((contact for contact in state.contacts if contact.id == command.contact_id), None)
    if found is None:
        raise Rejected("unknown-contact", "The account has no such contact.", field="contact_id")
    return [] if found.erased else [ContactErased(account_id=state.id, contact_id=found.id)]


class Person(Protocol):
    """What is told about somebody."""

    @property
    def email(self) -> str | None: ...

    @property
    def phone(self) -> str | None: ...


def reached(state: ActiveAccount, command: Person) -> ContactPoints:
    """How the person is reached, in normal form; a national phone number is taken to be of the account's country."""
    return normalised(email=command.email, phone=command.phone, country=state.profile.country)


def is_same(contact: Contact, command: AddContact, points: ContactPoints) -> bool:
    """Whether a contact is as a command says."""
    known = (contact.name, contact.email, contact.phone, contact.title, contact.buying_role)
    return known == (command.name, points.email, points.phone, command.title, command.buying_role)


def refuse_held(holder: EmailHolder) -> None:
    """An address belongs to one open lead or one account."""
    if holder.kind == "lead" and holder.id is not None:
        raise Rejected("email-held", "An open lead has this e-mail address: convert it.", field="email")
    if holder.id is not None:
        raise Rejected("email-held", "A contact has this e-mail address already.", field="email")


# -- what changes ----------------------------------------------------------------------------------------------------


@account.evolves
def has_one_more(state: ActiveAccount, event: ContactAdded) -> ActiveAccount:
    added = Contact(
        id=event.contact_id,
        buying_role=event.buying_role,
        name=event.name,
        email=event.email,
        phone=event.phone,
        title=event.title,
    )
    return replace(state, contacts=(*state.contacts, added))


@account.evolves
def has_forgotten(state: ActiveAccount, event: ContactErased) -> ActiveAccount:
    def blank(contact: Contact) -> Contact:
        return Contact(
            id=contact.id,
            buying_role=contact.buying_role,
            name=None,
            email=None,
            phone=None,
            title=None,
            erased=True,
        )

    forgotten = tuple(blank(one) if one.id == event.contact_id else one for one in state.contacts)
    return replace(state, contacts=forgotten)
