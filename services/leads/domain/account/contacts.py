"""The people at an account: entered with their role in buying, and forgotten (ACCT-1, DATA-4)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, Protocol

from services.leads.domain.account.state import ActiveAccount, Contact, account
from services.leads.domain.contact_points import ContactPoints, Known, KnownUnder, normalised
from services.leads.domain.fields import Email, Phone
from services.leads.domain.forgetting import KeepTexts, Traces, erasures, forgotten
from shared.domain.aggregate import Decision
from shared.domain.context import Context
from shared.domain.fields import BuyingRole, Name
from shared.domain.references import OwnContactId
from shared.domain.rejection import Rejected
from shared.domain.roles import OPERATIONS, SELLING
from shared.events.definition import value
from shared.events.leads.account import ContactAdded, ContactErased


@value
class AddContact:
    """Enter a person at the account."""

    name: Name
    email: Email | None = None
    """People who share an address are told apart by their names."""
    phone: Phone | None = None
    """Kept in E.164; a national number needs the account's country."""
    title: Name | None = None
    buying_role: BuyingRole | None = None

    example: ClassVar[dict[str, object]] = {
        "name": "Ada Moreno",
        "email": "ada.moreno@northwind.example",
        "title": "Head of production",
        "buying_role": "champion",
    }


@value
class EraseContact:
    """Forget who a contact is, in everything that they are here."""

    contact_id: OwnContactId
    keep_texts: KeepTexts = ()
    """Deals that they had to do with whose texts stay, because these name nobody. A dry run lists the deals."""

    example: ClassVar[dict[str, object]] = {"contact_id": "0192f0c1-0000-7000-8000-000000000021"}


class Person(Protocol):
    """What is told about somebody."""

    @property
    def email(self) -> str | None: ...

    @property
    def phone(self) -> str | None: ...


@account.decides(allow=SELLING)
def add_contact(state: ActiveAccount, command: AddContact, context: Context, known: KnownUnder) -> Decision:
    """Enter a person at the account, with their role in buying."""
    points = reached(state, command)
    if any(is_same(contact, command, points) for contact in state.contacts):
        return []
    refuse_known(known.named(command.name))
    return [
        ContactAdded(
            account_id=state.id,
            contact_id=context.derived_id("contact"),
            buying_role=command.buying_role,
            name=command.name,
            email=points.email,
            phone=points.phone,
            title=command.title,
            candidates=known.without(state.id).ids or None,
        )
    ]


@account.decides(allow=OPERATIONS)
def erase_contact(state: ActiveAccount, command: EraseContact, traces: Traces) -> Decision:
    """Forget who a contact is, in all that they are here, and what deals tell of them; all or nothing.

    That there was one, and their role in buying, stays. Erased are also the lead that they came from, its duplicates
    and original, and whoever else has the same e-mail address and no other name. Texts of the deals of these leads and
    of the account are deleted, but of those in `keep_texts`; their names are redacted. Asked again, it erases what was
    found since.
    """
    if all(contact.id != command.contact_id for contact in state.contacts):
        raise Rejected("unknown-contact", "The account has no such contact.", field="contact_id")
    return erasures(traces, command.contact_id, command.keep_texts)


@account.evolves
def has_one_more(state: ActiveAccount, event: ContactAdded) -> ActiveAccount:
    added = Contact(
        id=event.contact_id,
        buying_role=event.buying_role,
        name=event.name,
        email=event.email,
        phone=event.phone,
        title=event.title,
        candidates=event.candidates or (),
    )
    if any(contact.id == event.contact_id and contact.erased for contact in state.contacts):
        return state
    return replace(state, contacts=(*state.contacts, added))


@account.evolves
def has_forgotten(state: ActiveAccount, event: ContactErased) -> ActiveAccount:
    known = next((one for one in state.contacts if one.id == event.contact_id), None)
    nobody = Contact(
        id=event.contact_id,
        buying_role=known.buying_role if known else None,
        name=None,
        email=None,
        phone=None,
        title=None,
        erased=True,
        forgotten_deals=forgotten(known.forgotten_deals if known else (), event),
    )
    if known is None:
        # Corrected since: they came later than was known when they were erased.
        return replace(state, contacts=(*state.contacts, nobody))
    return replace(state, contacts=tuple(nobody if one is known else one for one in state.contacts))


def reached(state: ActiveAccount, command: Person, *, leave_out: bool = False) -> ContactPoints:
    """How the person is reached, in normal form; a national phone number is taken to be of the account's country. What
    cannot be read is refused, or left out."""
    country = state.profile.country
    return normalised(email=command.email, phone=command.phone, country=country, leave_out=leave_out)


def is_same(contact: Contact, command: AddContact, points: ContactPoints) -> bool:
    """Whether a contact is as a command says."""
    known = (contact.name, contact.email, contact.phone, contact.title, contact.buying_role)
    return known == (command.name, points.email, points.phone, command.title, command.buying_role)


def refuse_known(same: Sequence[Known]) -> None:
    """Nobody is entered twice: not as a contact, nor beside an open lead."""
    if any(each.kind == "lead" for each in same):
        raise Rejected("email-taken", "An open lead has this e-mail address: convert it.", field="email")
    if same:
        raise Rejected("email-taken", "A contact has this e-mail address already.", field="email")
