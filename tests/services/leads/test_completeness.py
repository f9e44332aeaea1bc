"""DEAL-11: how much of what is asked for is known of a lead and of an account."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args
from uuid import UUID

import pytest

from services.leads.domain.account import account
from services.leads.domain.completeness import OF_ACCOUNT, OF_LEAD, account_completeness, lead_completeness
from services.leads.domain.lead import lead
from services.leads.domain.policies import FACTS, NURTURING_EXIT, POLICIES, REQUIRED_FACTS
from shared.domain.criteria import Completeness
from shared.events.leads.account import AccountChanged, AccountFollowUpPlanned, ContactErased
from shared.events.leads.lead import LeadCaptured, LeadFollowUpPlanned, LeadQualificationNoted
from shared.events.leads.policy import AccountFact, LeadFact, NurturingExit, RequiredFacts
from shared.testing.scenario import CONTEXT, scenario
from tests.services.leads.known import HERE, TODAY, ada, after, assigned, captured, opened, qualified

DEFAULT: RequiredFacts = REQUIRED_FACTS.default_of(CONTEXT.company)
EXIT: NurturingExit = NURTURING_EXIT.default_of(CONTEXT.company)
NOTHING = RequiredFacts(of_leads=(), of_accounts=())
NO_EXIT = NurturingExit(criteria=())
BARE = LeadCaptured(lead_id=HERE, source="fair")
BY_EXIT = ("need_stated", "budget", "decision_chain_known")


def of_lead(*events: Any, required: RequiredFacts = DEFAULT, exit_rule: NurturingExit = EXIT) -> Completeness:
    return lead_completeness(after(lead, *events), required, exit_rule)


def of_account(*events: Any, required: RequiredFacts = DEFAULT) -> Completeness:
    return account_completeness(after(account, *events), required)


def test_deal_11_of_a_lead_the_policy_asks_and_what_it_is_judged_by_before_it_becomes_a_deal() -> None:
    found = of_lead(BARE)
    assert found.required == ("email_or_phone", "company", "source", "owner", *BY_EXIT)
    assert found.missing == ("email_or_phone", "company", "owner", *BY_EXIT)
    assert found.share == Decimal("0.1429")
    assert of_lead(captured, assigned).missing == BY_EXIT
    assert of_lead(captured, assigned, qualified).share == Decimal("1.0000")


def test_deal_11_what_was_noted_of_a_lead_is_filled_whatever_it_says() -> None:
    """No is known as well as yes; whether the lead is qualified is another question."""
    noted = LeadQualificationNoted(lead_id=HERE, need_stated=False)
    assert of_lead(captured, assigned, noted).missing == ("budget", "decision_chain_known")


def test_deal_11_a_fact_that_both_ask_for_counts_once() -> None:
    one = replace(EXIT, criteria=EXIT.criteria[:1] * 2)
    assert of_lead(captured, exit_rule=one, required=replace(NOTHING, of_leads=("source",))).required == (
        "source",
        "need_stated",
    )


def test_deal_11_either_of_two_ways_to_reach_somebody_is_enough() -> None:
    for known in (replace(captured, email=None), replace(captured, phone=None)):
        assert "email_or_phone" not in of_lead(known).missing
    assert "email_or_phone" in of_lead(replace(captured, email=None, phone=None)).missing


@pytest.mark.parametrize("fact", get_args(LeadFact))
def test_deal_11_every_fact_that_may_be_required_of_a_lead_is_missing_until_it_is_known(fact: LeadFact) -> None:
    only = replace(NOTHING, of_leads=(fact,))
    planned = LeadFollowUpPlanned(lead_id=HERE, on=TODAY)
    full = replace(captured, campaign="autumn-fair", consent=True)
    assert of_lead(full, assigned, planned, required=only, exit_rule=NO_EXIT).missing == ()
    empty = of_lead(BARE, required=only, exit_rule=NO_EXIT)
    assert empty.missing == (() if fact == "source" else (fact,))


@pytest.mark.parametrize("fact", get_args(AccountFact))
def test_deal_11_every_fact_that_may_be_required_of_an_account_is_missing_until_it_is_known(fact: AccountFact) -> None:
    only = replace(NOTHING, of_accounts=(fact,))
    said: dict[str, Any] = {"industry": "manufacturing", "size": 420, "parent_id": UUID(int=5)}
    known = AccountChanged(account_id=HERE, name="Northwind", domain="northwind.example", country="DE", **said)
    planned = AccountFollowUpPlanned(account_id=HERE, on=TODAY)
    assert of_account(opened, known, ada, planned, required=only).missing == ()
    assert of_account(replace(opened, domain=None, country=None, owner=None), required=only).missing == (fact,)


def test_deal_11_of_an_account_the_policy_asks() -> None:
    found = of_account(opened, ada)
    assert (found.required, found.missing) == (("industry", "country", "contact_email"), ("industry",))
    assert found.share == Decimal("0.6667")


def test_deal_11_whoever_is_forgotten_fills_nothing() -> None:
    """DATA-4."""
    gone = ContactErased(account_id=HERE, contact_id=ada.contact_id)
    asked = replace(NOTHING, of_accounts=("contact", "contact_email", "contact_buying_role"))
    assert of_account(opened, ada, gone, required=asked).missing == asked.of_accounts
    both = replace(ada, contact_id=UUID(int=22), email="ben@northwind.example")
    assert of_account(opened, ada, both, gone, required=asked).missing == ()


def test_deal_11_where_nothing_is_asked_for_there_is_no_share() -> None:
    assert of_lead(captured, required=NOTHING, exit_rule=NO_EXIT).share is None
    assert of_account(opened, required=NOTHING).share is None


def test_deal_11_what_may_be_required_is_what_can_be_told() -> None:
    assert set(get_args(LeadFact)) == OF_LEAD.keys()
    assert set(get_args(AccountFact)) == OF_ACCOUNT.keys()
    assert not OF_LEAD.keys() & FACTS.keys(), "a fact of the exit rule is told by the qualification"


def test_deal_11_a_fact_is_required_once() -> None:
    command = POLICIES.commands["required-facts"]
    document = RequiredFacts(of_leads=("email", "source", "email"), of_accounts=("country", "country"))
    refused = scenario(POLICIES.family).when(command(document=document))
    refused.then_rejected("invalid-policy", "repeated", "repeated")
    assert refused.rejected is not None
    assert [each.field for each in refused.rejected.reasons] == ["document.of_leads.2", "document.of_accounts.1"]
