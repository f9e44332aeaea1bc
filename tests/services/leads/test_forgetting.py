"""Whoever is forgotten is forgotten as everything that they are, with the deals they had to do with (DATA-4)."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from services.leads.domain.forgetting import MOST_TOLD, ContactOf, DealOf, LeadOf, Traces
from services.leads.domain.lead import lead
from services.leads.domain.lead.erasure import EraseLeadPerson
from services.leads.domain.lead.state import ConvertedLead
from services.leads.projections.traces import lead_of
from shared.events.leads.account import ContactErased
from shared.events.leads.lead import ForgottenDeal, LeadErased
from shared.testing.scenario import Outcome, scenario
from tests.services.leads.known import HERE, OTHER, after, captured, converted, duplicate, given_up

CONTACT = converted.contact_id
DEAL, PLANT = UUID(int=90), UUID(int=91)
sold = replace(converted, deal_id=DEAL, deal_name="Second line for Ada Moreno")
ADA = ContactOf(
    id=CONTACT, account_id=OTHER, company="Northwind Tooling", name="Ada Moreno", email="ada@northwind.example"
)
GONE = replace(ADA, name=None, email=None, is_erased=True)
ADAS_DEAL = DealOf(id=DEAL, name="Second line for Ada Moreno")
PLANTS = DealOf(id=PLANT, name="Plant")


def someones(number: int, *then: Any, **fields: Any) -> LeadOf:
    """Another lead of somebody, and what became of it."""
    other = UUID(int=number)
    events = [replace(each, lead_id=other) for each in then]
    return lead_of(after(lead, replace(captured, lead_id=other, **fields), *events))


def erasing(traces: Traces, *history: Any, **command: Any) -> Outcome:
    return scenario(lead).given(captured, *history).knowing(traces=traces).when(EraseLeadPerson(**command))


# -- who is the same ------------------------------------------------------------------------------------------------

itself = Traces(leads=(lead_of(after(lead, captured, sold)),))


@pytest.mark.parametrize(
    "other",
    [
        someones(5, replace(duplicate, original_id=HERE), email=None, person_name=None),
        someones(5, given_up),
        someones(5, person_name="ada  MORENO"),
        someones(5, replace(duplicate, original_id=OTHER, original_kind="account"), person_name=None),
    ],
    ids=["its duplicate", "the same name and address", "spelled otherwise", "the same address, and no name"],
)
def test_data_4_a_lead_of_the_same_person_is_found(other: Any) -> None:
    assert itself.with_more([other], []).leads[1:] == (other,)


@pytest.mark.parametrize(
    "other",
    [
        someones(5, person_name="Ben Moreno"),
        someones(5, email="ada@southwind.example"),
        someones(5, email=None),
        someones(5, duplicate, person_name="Ben Moreno"),
        someones(5, replace(duplicate, original_id=HERE), person_name="Ben Moreno"),
    ],
    ids=["another name", "another address", "no address", "a duplicate of another one", "a duplicate of another name"],
)
def test_data_4_a_lead_of_somebody_else_is_left_alone(other: Any) -> None:
    assert itself.with_more([other], []) == itself


def test_data_4_whoever_has_no_name_is_nobody_who_has_one_at_a_shared_address() -> None:
    nameless = Traces(leads=(lead_of(after(lead, replace(captured, person_name=None))),))
    ada, also_nameless = someones(5), someones(6, person_name=None)
    assert nameless.with_more([ada, also_nameless], [ADA]).leads[1:] == (also_nameless,)


def test_data_4_two_people_who_repeat_a_lead_that_names_nobody_are_two() -> None:
    nameless = someones(OTHER.int, person_name=None)
    ben = someones(6, duplicate, person_name="Ben Moreno", email="shared@northwind.example")
    ada = Traces(leads=(someones(5, duplicate),))
    assert ada.with_more([nameless, ben], []).leads[1:] == (nameless,)
    assert ada.with_more([nameless, ben], []).with_more([ben], []).leads[1:] == (nameless,)


def test_data_4_the_original_of_a_duplicate_and_a_contact_s_lead_are_found() -> None:
    repeated = Traces(leads=(lead_of(after(lead, replace(captured, person_name=None), duplicate)),))
    original = someones(OTHER.int)
    assert repeated.with_more([original], []).leads[1:] == (original,)
    contact = Traces(contacts=(GONE,))
    came_from = lead_of(after(lead, captured, converted))
    assert contact.with_more([came_from, someones(5)], []).leads == (came_from,)


def test_data_4_contacts_are_those_that_a_lead_became_and_those_of_the_same_address_and_name() -> None:
    became = replace(ADA, name="A. Moreno-Díaz", email=None)
    elsewhere = replace(ADA, account_id=UUID(int=98), id=UUID(int=22))
    ben = replace(elsewhere, id=UUID(int=23), name="Ben")
    assert itself.with_more([], [became, elsewhere, ben]).contacts == (became, elsewhere)


# -- what is told ---------------------------------------------------------------------------------------------------


def test_data_4_one_command_erases_lead_duplicate_and_contact_with_the_deals_of_the_account() -> None:
    copy = someones(5, replace(duplicate, original_id=HERE))
    traces = replace(itself, leads=(*itself.leads, copy), contacts=(ADA,)).with_deals([ADAS_DEAL, PLANTS])
    outcome = erasing(traces, sold)
    outcome.then(
        LeadErased(
            lead_id=HERE,
            deals=(ForgottenDeal(deal_id=DEAL, name="Second line for …"), ForgottenDeal(deal_id=PLANT)),
            deal_name="Second line for …",
        ),
        LeadErased(lead_id=copy.id),
        ContactErased(account_id=OTHER, contact_id=CONTACT),
    )
    assert [fact.to for fact in outcome.facts] == [HERE, copy.id, OTHER]
    assert isinstance(outcome.state, ConvertedLead)
    assert (outcome.state.deal_name, outcome.state.forgotten_deals) == ("Second line for …", (DEAL, PLANT))


def test_data_4_a_deal_that_is_to_come_goes_with_the_lead_that_it_comes_of() -> None:
    """DATA-4: what follows from the events of one lead is done in their order; the contact's might come first."""
    first = replace(captured, lead_id=UUID(int=5))
    copy = lead_of(after(lead, first, given_up))
    traces = Traces(leads=(copy, *itself.leads), contacts=(ADA,)).with_deals([PLANTS])
    outcome = scenario(lead).given(first, given_up).knowing(traces=traces).when(EraseLeadPerson())
    assert {fact.to: [deal.deal_id for deal in fact.event.deals] for fact in outcome.facts} == {
        copy.id: [PLANT],
        HERE: [DEAL],
        OTHER: [],
    }


def test_data_4_what_was_erased_is_not_told_again_and_what_was_found_since_is() -> None:
    whole = replace(itself, contacts=(ADA,)).with_deals([ADAS_DEAL, PLANTS])
    first = erasing(whole, sold)
    again = Traces(leads=(lead_of(first.state),), contacts=(GONE,))
    erasing(again.with_deals([replace(ADAS_DEAL, name="Second line for …"), PLANTS]), sold).then()
    later = DealOf(id=UUID(int=92), name="Third line")
    found = erasing(again.with_deals([ADAS_DEAL, PLANTS, later]), sold)
    found.then(LeadErased(lead_id=HERE, deals=(ForgottenDeal(deal_id=later.id),)))
    late = erasing(replace(again, contacts=(ADA,)).with_deals([PLANTS]), sold)
    late.then(ContactErased(account_id=OTHER, contact_id=CONTACT))


def test_data_4_a_lead_erased_before_still_names_nobody_in_its_deal() -> None:
    """DATA-4: the contact that it became was not, so that the name is known."""
    before = lead_of(after(lead, captured, sold, LeadErased(lead_id=HERE)))
    traces = Traces(leads=(before,), contacts=(ADA,)).with_deals([])
    expected = LeadErased(
        lead_id=HERE,
        deals=(ForgottenDeal(deal_id=DEAL, name="Second line for …"),),
        deal_name="Second line for …",
    )
    erasing(traces, sold, LeadErased(lead_id=HERE)).then(expected, ContactErased(account_id=OTHER, contact_id=CONTACT))


def test_data_4_of_a_large_account_the_deals_are_told_in_several_events() -> None:
    """DATA-4: each fits into a record, and a deal is in one of them."""
    many = [DealOf(id=UUID(int=number), name="Plant") for number in range(1000, 1000 + 2 * MOST_TOLD + 1)]
    outcome = erasing(itself.with_deals([ADAS_DEAL, *many]), sold)
    deals = [fact.event.deals for fact in outcome.facts]
    assert [len(each) for each in deals] == [MOST_TOLD, MOST_TOLD, 2]
    assert {deal.deal_id for each in deals for deal in each} == {DEAL, *(deal.id for deal in many)}
    assert isinstance(outcome.state, ConvertedLead)
    assert len(outcome.state.forgotten_deals) == 2 * MOST_TOLD + 2
    erasing(Traces(leads=(lead_of(outcome.state),)).with_deals(many), sold).then()


# -- texts that stay ------------------------------------------------------------------------------------------------


def test_data_4_texts_that_name_nobody_are_kept_and_names_are_redacted_all_the_same() -> None:
    traces = replace(itself, contacts=(ADA,)).with_deals([ADAS_DEAL, PLANTS])
    kept = erasing(traces, sold, keep_texts=(PLANT, DEAL))
    assert kept.facts[0].event.deals == (ForgottenDeal(deal_id=DEAL, name="Second line for …", texts_kept=True),)
    assert kept.state.forgotten_deals == ()


def test_data_4_texts_are_kept_of_deals_that_were_found_alone() -> None:
    refused = erasing(itself.with_deals([ADAS_DEAL]), sold, keep_texts=(DEAL, PLANT, OTHER))
    refused.then_rejected("other-deal", "other-deal", "other-deal")
    assert refused.rejected is not None
    assert [reason.field for reason in refused.rejected.reasons] == ["keep_texts.1", "keep_texts.2"]


def test_data_4_an_open_lead_s_person_has_no_deals_and_ends() -> None:
    erasing(Traces(leads=(lead_of(after(lead, captured)),)).with_deals([])).then(LeadErased(lead_id=HERE))
