"""Look-up of all that somebody is here, whom a command has forgotten (DATA-4).

Who it may be is found in the lists, a moment late; what is decided on is read from the streams. What came in that
moment is found when the command is given again.
"""

from itertools import chain
from typing import Any
from uuid import UUID

from services.leads.domain.account.contacts import EraseContact
from services.leads.domain.account.state import ActiveAccount, account
from services.leads.domain.forgetting import ContactOf, DealOf, LeadOf, Traces
from services.leads.domain.lead.erasure import EraseLeadPerson
from services.leads.domain.lead.reminding import reminded_follow_up
from services.leads.domain.lead.state import AnyLead, ErasedLead, NoLead, lead
from services.leads.projections import accounts, deals, leads
from shared.commands.loaders import LoaderContext, reads
from shared.domain.context import Context


@reads(leads.LEAD_PROJECTION.name, accounts.ACCOUNT_PROJECTION.name, deals.KNOWN_DEALS.name)
async def traces(
    reader: LoaderContext, state: Any, command: EraseLeadPerson | EraseContact, context: Context
) -> Traces:
    """The leads and contacts that somebody is, each found by the others, and the deals that they had to do with."""
    seen_leads: dict[UUID, LeadOf] = {}
    seen_contacts: dict[UUID, list[ContactOf]] = {}
    if isinstance(command, EraseContact):
        seen_contacts[state.id] = contacts_of(state)
        found = Traces(contacts=tuple(each for each in contacts_of(state) if each.id == command.contact_id))
    else:
        seen_leads[state.id] = lead_of(state)
        found = Traces(leads=(lead_of(state),))
    before = None
    while found != before:
        before = found
        for lead_id in await _lead_ids(reader, found):
            if lead_id not in seen_leads:
                held, _ = await reader.state(lead, lead_id)
                if not isinstance(held, NoLead):
                    seen_leads[lead_id] = lead_of(held)
        for account_id in await _account_ids(reader, found):
            if account_id not in seen_contacts:
                held, _ = await reader.state(account, account_id)
                seen_contacts[account_id] = contacts_of(held) if isinstance(held, ActiveAccount) else []
        found = found.with_more(seen_leads.values(), chain.from_iterable(seen_contacts.values()))
    return found.with_deals(await _deals(reader, found))


def lead_of(state: AnyLead) -> LeadOf:
    """What is known of somebody as a lead."""
    return LeadOf(
        id=state.id,
        name=state.captured.person_name,
        email=state.captured.email,
        company=state.captured.company_name,
        original_id=getattr(state, "original_id", None),
        account_id=getattr(state, "account_id", None),
        contact_id=getattr(state, "contact_id", None),
        deal_id=getattr(state, "deal_id", None),
        deal_name=getattr(state, "deal_name", None),
        reminded_follow_up=reminded_follow_up(state),
        is_erased=isinstance(state, ErasedLead) or getattr(state, "erased", False),
        forgotten_deals=getattr(state, "forgotten_deals", ()),
    )


def contacts_of(state: ActiveAccount) -> list[ContactOf]:
    """What is known of the people at an account."""
    return [
        ContactOf(
            id=contact.id,
            account_id=state.id,
            company=state.profile.name,
            name=contact.name,
            email=contact.email,
            is_erased=contact.erased,
            forgotten_deals=contact.forgotten_deals,
        )
        for contact in state.contacts
    ]


async def _lead_ids(reader: LoaderContext, found: Traces) -> list[UUID]:
    same = [each.id for each in found.leads] + [each.original_id for each in found.leads if each.original_id]
    contacts = [each.id for each in found.contacts]
    rows = await reader.fetch(leads.LEAD_PROJECTION, leads.OF_PERSON, same, contacts, list(found.named.emails))
    return [row["id"] for row in rows]


async def _account_ids(reader: LoaderContext, found: Traces) -> list[UUID]:
    became = [each.account_id for each in found.leads if each.account_id]
    rows = await reader.fetch(accounts.ACCOUNT_PROJECTION, accounts.AT, list(found.named.emails))
    return [*became, *(row["account_id"] for row in rows)]


async def _deals(reader: LoaderContext, found: Traces) -> list[DealOf]:
    became = [each.deal_id for each in found.leads if each.deal_id]
    at = [each.account_id for each in found.contacts]
    rows = await reader.fetch(deals.KNOWN_DEALS, deals.OF_PERSON, became, [each.id for each in found.leads], at)
    return [DealOf(id=row["id"], name=row["name"]) for row in rows]
