"""How the history of accounts comes in: dated facts, without gates (DATA-5). Imports run these, nobody else."""

from datetime import datetime
from uuid import UUID

from services.leads.domain.account.contacts import reached, refuse_held
from services.leads.domain.account.record import Neighbours, domain_taken, opened, said_by
from services.leads.domain.account.state import ActiveAccount, NoAccount, account
from services.leads.domain.contact_points import EmailHolder
from services.leads.domain.fields import BuyingRole, Country, Domain, Email, Headcount, Phone, Word
from shared.domain.aggregate import Decision, Fact
from shared.domain.calendar import Day
from shared.domain.context import Context
from shared.domain.rejection import refuse_all
from shared.domain.roles import ONLY_SERVICES
from shared.domain.text import Name
from shared.events.definition import value
from shared.events.leads import ContactAdded

# -- commands --------------------------------------------------------------------------------------------------------


@value
class ImportAccount:
    """An account as history knows it."""

    on: Day
    """The day: when it became known."""
    name: Name
    domain: Domain | None = None
    industry: Word | None = None
    size: Headcount | None = None
    country: Country | None = None
    parent_id: UUID | None = None
    owner: UUID | None = None
    team: UUID | None = None
    lead_id: UUID | None = None
    at: datetime | None = None
    """The instant, UTC, where it is known; default: the end of the day."""


@value
class ImportContact:
    """A contact as history knows it."""

    on: Day
    """The day: when they became known."""
    contact_id: UUID
    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None
    title: Name | None = None
    buying_role: BuyingRole | None = None
    at: datetime | None = None
    """The instant, UTC, where it is known; default: the end of the day."""


# -- decisions -------------------------------------------------------------------------------------------------------


@account.decides(allow=ONLY_SERVICES)
def import_account(state: NoAccount, command: ImportAccount, context: Context, neighbours: Neighbours) -> Decision:
    """Take over an account from history."""
    profile = said_by(command)
    refuse_all("taken", "Another account has this domain.", [*domain_taken(context.aggregate_id, neighbours)])
    history = opened(context.aggregate_id, profile, owner=command.owner, team=command.team, lead_id=command.lead_id)
    return [Fact(event=history, at=context.past_moment(command.on, command.at))]


@account.already
def account_imported_already(state: ActiveAccount, command: ImportAccount) -> bool:
    """The id derives from the outside id: what came in once does not come in again."""
    return True


@account.decides(allow=ONLY_SERVICES)
def import_contact(state: ActiveAccount, command: ImportContact, context: Context, holder: EmailHolder) -> Decision:
    """Take over a contact from history."""
    points = reached(state, command)
    refuse_held(holder)
    added = ContactAdded(
        account_id=state.id,
        contact_id=command.contact_id,
        buying_role=command.buying_role,
        name=command.name,
        email=points.email,
        phone=points.phone,
        title=command.title,
    )
    return [Fact(event=added, at=context.past_moment(command.on, command.at))]


@account.already
def contact_imported_already(state: ActiveAccount, command: ImportContact) -> bool:
    return any(contact.id == command.contact_id for contact in state.contacts)
