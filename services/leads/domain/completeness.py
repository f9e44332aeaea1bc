"""Completeness: how much of what is asked for is known of a lead or an account (DEAL-11).

The policy required-facts says what is asked for; of a lead the exit rule of nurturing does, too: what it is judged by
before it becomes a deal. It is worked out when somebody asks for it: what is tagged with the version of a lead, as
`GET /v1/leads/{id}` is, changes with nothing else, and policies are set meanwhile. Names of facts are told, never what
is known: that of a person is theirs. How late it came in is asked of what people enter about a lead or an account once
it is there.
"""

from collections.abc import Callable, Mapping
from typing import Any

from services.leads.domain.account.state import ActiveAccount, Contact
from services.leads.domain.lead.nurturing import facts_about
from services.leads.domain.lead.state import OpenLead
from shared.domain.criteria import Completeness, completeness_of, facts_of
from shared.events.leads.account import AccountChanged, ContactAdded
from shared.events.leads.lead import LeadActivityLogged, LeadQualificationNoted
from shared.events.leads.policy import NurturingExit, RequiredFacts

OF_LEAD: Mapping[str, Callable[[OpenLead], Any]] = {
    "person_name": lambda lead: lead.captured.person_name,
    "email": lambda lead: lead.captured.email,
    "phone": lambda lead: lead.captured.phone,
    "email_or_phone": lambda lead: lead.captured.email or lead.captured.phone,
    "title": lambda lead: lead.captured.title,
    "interest": lambda lead: lead.captured.interest,
    "source": lambda lead: lead.captured.source,
    "campaign": lambda lead: lead.captured.campaign,
    "company": lambda lead: lead.captured.company_name or lead.captured.company_domain,
    "industry": lambda lead: lead.captured.industry,
    "company_size": lambda lead: lead.captured.company_size,
    "country": lambda lead: lead.captured.country,
    "consent": lambda lead: lead.captured.consent,
    "owner": lambda lead: lead.owner,
    "follow_up": lambda lead: lead.follow_up,
}
"""How the facts that may be required follow from a lead; empty is unknown, and so is a consent that nobody gave."""


def _has_contact(is_so: Callable[[Contact], Any]) -> Callable[[ActiveAccount], bool]:
    return lambda account: any(is_so(contact) for contact in account.contacts if not contact.erased)


OF_ACCOUNT: Mapping[str, Callable[[ActiveAccount], Any]] = {
    "domain": lambda account: account.profile.domain,
    "industry": lambda account: account.profile.industry,
    "size": lambda account: account.profile.size,
    "country": lambda account: account.profile.country,
    "parent": lambda account: account.profile.parent_id,
    "owner": lambda account: account.owner,
    "follow_up": lambda account: account.follow_up,
    "contact": _has_contact(lambda contact: True),
    "contact_email": _has_contact(lambda contact: contact.email),
    "contact_phone": _has_contact(lambda contact: contact.phone),
    "contact_buying_role": _has_contact(lambda contact: contact.buying_role),
}
"""How the facts that may be required follow from an account: of its contacts one is enough, who is not erased."""


def is_entry_of_lead(event: Any) -> bool:
    """Whether a fact is one of those of which it is asked how late they came in: work on a lead."""
    return isinstance(event, LeadActivityLogged | LeadQualificationNoted)


def is_entry_of_account(event: Any) -> bool:
    """Whether a fact is one of those of which it is asked how late they came in: what an account and its people are."""
    return isinstance(event, AccountChanged | ContactAdded)


def lead_completeness(state: OpenLead, required: RequiredFacts, exit_rule: NurturingExit) -> Completeness:
    """Which facts are asked for of a lead, each once in order, and which are not filled in. What people note is filled
    in once it is known, whatever it says."""
    noted = facts_about(state.qualification)
    asked = [fact for each in exit_rule.criteria for fact in facts_of(each.when)]

    def is_filled(fact: str) -> bool:
        derive = OF_LEAD.get(fact)
        return bool(derive(state)) if derive else noted[fact] is not None

    return completeness_of((*required.of_leads, *asked), is_filled)


def account_completeness(state: ActiveAccount, required: RequiredFacts) -> Completeness:
    """Which facts are asked for of an account, each once in order, and which are not filled in."""
    return completeness_of(required.of_accounts, lambda fact: bool(OF_ACCOUNT[fact](state)))
