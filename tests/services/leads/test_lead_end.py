"""How a lead ends: converted, disqualified, its person erased (LEAD-7, LEAD-8, DATA-4)."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid5

import pytest

from services.leads.domain.contact_points import KnownUnder
from services.leads.domain.forgetting import Traces
from services.leads.domain.lead import lead
from services.leads.domain.lead.closing import ConvertLead, DisqualifyLead, MatchedAccount, WantedDeal
from services.leads.domain.lead.erasure import EraseLeadPerson
from services.leads.domain.lead.nurturing import LogLeadActivity, NoteLeadQualification, PlanLeadFollowUp
from services.leads.domain.lead.state import ConvertedLead, ErasedLead
from services.leads.domain.policies import NURTURING_EXIT
from services.leads.projections.traces import lead_of
from shared.domain.aggregate import status_of
from shared.domain.policy import InForce
from shared.events.leads.account import AccountOpened, ContactAdded
from shared.events.leads.lead import LeadQualificationNoted
from shared.testing.scenario import CONTEXT, scenario
from tests.services.leads.known import (
    HERE,
    OTHER,
    ROSA,
    SOUTH,
    TODAY,
    after,
    assigned,
    called,
    captured,
    converted,
    duplicate,
    erased,
    euros,
    given_up,
    qualified,
)

work = scenario(lead).given(captured, assigned)
call = LogLeadActivity(kind="call")

# -- conversion and the exit rule of nurturing ----------------------------------------------------------------------

NEW = MatchedAccount()
RULE = InForce(default=NURTURING_EXIT.default_of(CONTEXT.company), on=TODAY)
ready = work.given(qualified)
deal = WantedDeal(name="Second line", amount=euros("620000"), expected_close=date(2026, 9, 30))
ACCOUNT, CONTACT = (CONTEXT.derived_id(name) for name in ("account", "contact"))
DEAL = uuid5(HERE, "deal")

new_account = AccountOpened(
    account_id=ACCOUNT,
    name="Northwind Tooling",
    domain="northwind.example",
    industry="manufacturing",
    size=420,
    country="DE",
    owner=ROSA,
    team=SOUTH,
    lead_id=HERE,
)
new_contact = ContactAdded(
    account_id=ACCOUNT,
    contact_id=CONTACT,
    buying_role="champion",
    name="Ada Moreno",
    email="ada@northwind.example",
    phone="+4930901820",
    title="Head of production",
)
with_deal = replace(
    converted,
    account_id=ACCOUNT,
    contact_id=CONTACT,
    deal_id=DEAL,
    deal_name="Second line",
    amount=euros("620000.00"),
    expected_close=date(2026, 9, 30),
    exit_version=0,
)


def test_lead_8_a_qualified_lead_becomes_account_contact_and_deal_in_one_command() -> None:
    outcome = ready.knowing(matched=NEW, known=KnownUnder(), nurturing=RULE).when(
        ConvertLead(buying_role="champion", deal=deal)
    )
    outcome.then(new_account, new_contact, with_deal)
    assert [fact.to for fact in outcome.facts] == [ACCOUNT, ACCOUNT, None]
    assert isinstance(outcome.state, ConvertedLead)


def test_lead_8_a_lead_becomes_a_contact_of_the_account_that_is_there() -> None:
    outcome = ready.knowing(matched=MatchedAccount(id=OTHER), known=KnownUnder(), nurturing=RULE).when(ConvertLead())
    outcome.then(
        replace(new_contact, account_id=OTHER, buying_role=None), replace(converted, contact_id=CONTACT, exit_version=0)
    )


def test_lead_8_a_conversion_needs_no_deal() -> None:
    outcome = ready.knowing(matched=NEW, known=KnownUnder(), nurturing=RULE).when(ConvertLead())
    assert outcome.facts[-1].event == replace(converted, account_id=ACCOUNT, contact_id=CONTACT, exit_version=0)


def test_lead_7_an_unqualified_lead_is_refused_with_every_unmet_criterion() -> None:
    outcome = work.knowing(matched=NEW, known=KnownUnder(), nurturing=RULE).when(ConvertLead())
    outcome.then_rejected("not-qualified", *3 * ("criterion-unmet",))
    assert outcome.rejected is not None
    assert [reason.details["criterion"] for reason in outcome.rejected.reasons] == [
        "need-stated",
        "budget",
        "decision-chain",
    ]


@pytest.mark.parametrize(
    ("known", "unmet"),
    [
        (replace(qualified, budget=euros("499999.99")), ["budget"]),
        (replace(qualified, need_stated=False), ["need-stated"]),
        (replace(qualified, decision_chain_known=None), ["decision-chain"]),
        (qualified, []),
    ],
)
def test_lead_7_nurturing_ends_with_need_budget_and_decision_chain(
    known: LeadQualificationNoted, unmet: list[str]
) -> None:
    outcome = work.given(known).knowing(matched=NEW, known=KnownUnder(), nurturing=RULE).when(ConvertLead())
    reasons = outcome.rejected.reasons if outcome.rejected else ()
    assert [reason.details["criterion"] for reason in reasons] == unmet


def test_lead_8_a_new_account_needs_a_name() -> None:
    nameless = (
        scenario(lead)
        .given(replace(captured, company_name=None), qualified)
        .knowing(matched=NEW, known=KnownUnder(), nurturing=RULE)
    )
    nameless.when(ConvertLead()).then_rejected("name-missing")
    outcome = nameless.when(ConvertLead(account_name="Moreno"))
    assert outcome.facts[0].event.name == "Moreno"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (replace(deal, amount=euros("-1.00")), "out-of-range"),
        (replace(deal, amount=euros("1.001")), "too-many-decimals"),
        (replace(deal, amount=replace(euros("1.00"), currency="XAU")), "unknown-currency"),
        (replace(deal, amount=replace(euros("1.50"), currency="JPY")), "too-many-decimals"),
        (replace(deal, expected_close=TODAY - timedelta(days=1)), "in-the-past"),
    ],
)
def test_lead_8_a_deal_that_cannot_be_is_refused(wrong: WantedDeal, code: str) -> None:
    ready.knowing(matched=NEW, known=KnownUnder(), nurturing=RULE).when(ConvertLead(deal=wrong)).then_rejected(code)


def test_lead_8_an_account_of_others_is_told_by_nothing_but_that() -> None:
    theirs = ready.knowing(matched=MatchedAccount(of_others=True), known=KnownUnder(), nurturing=RULE)
    outcome = theirs.when(ConvertLead()).then_rejected("account-of-others")
    assert outcome.rejected is not None
    (reason,) = outcome.rejected.reasons
    assert (reason.field, dict(reason.details)) == (None, {})
    theirs.given(replace(captured, company_name=None)).when(ConvertLead()).then_rejected("account-of-others")


def test_lead_8_all_that_is_in_the_way_of_a_conversion_is_told_at_once() -> None:
    wrong = replace(deal, amount=replace(euros("-1"), currency="XAU"), expected_close=TODAY - timedelta(days=1))
    nameless = (
        scenario(lead)
        .given(replace(captured, company_name=None))
        .knowing(matched=NEW, known=KnownUnder(), nurturing=RULE)
    )
    nameless.when(ConvertLead(deal=wrong)).then_rejected(
        "not-qualified",
        *["criterion-unmet"] * 3,
        "unknown-currency",
        "out-of-range",
        "in-the-past",
        "name-missing",
    )


@pytest.mark.parametrize("currency", ["USD", "JPY"])
def test_lead_8_the_deal_is_worth_an_amount_in_any_currency(currency: str) -> None:
    amount = replace(euros("7"), currency=currency)
    outcome = ready.knowing(matched=NEW, known=KnownUnder(), nurturing=RULE).when(
        ConvertLead(deal=replace(deal, amount=amount))
    )
    assert outcome.facts[-1].event.amount == amount


def test_lead_8_the_same_conversion_again_records_nothing() -> None:
    done = ready.given(with_deal).knowing(matched=NEW, known=KnownUnder(), nurturing=RULE)
    done.when(ConvertLead(buying_role="champion", deal=deal)).then()
    done.when(ConvertLead(account_id=ACCOUNT, deal=deal)).then()
    ready.given(converted).knowing(matched=NEW, known=KnownUnder(), nurturing=RULE).when(ConvertLead()).then()


@pytest.mark.parametrize(
    "other",
    [
        ConvertLead(account_id=OTHER, deal=deal),
        ConvertLead(),
        ConvertLead(deal=replace(deal, name="Third line")),
    ],
)
def test_lead_8_another_conversion_is_refused(other: ConvertLead) -> None:
    ready.given(with_deal).knowing(matched=NEW, known=KnownUnder(), nurturing=RULE).when(other).then_rejected(
        "not-in-this-state"
    )


def test_lead_8_a_lead_is_disqualified_with_a_reason() -> None:
    work.when(DisqualifyLead(reason="no-budget", note="Frozen.")).then(given_up)


def test_lead_8_disqualifying_twice_records_nothing_and_otherwise_is_refused() -> None:
    work.given(given_up).when(DisqualifyLead(reason="no-budget", note="Frozen.")).then()
    work.given(given_up).when(DisqualifyLead(reason="spam")).then_rejected("not-in-this-state")


def test_lead_8_a_closed_lead_is_not_worked_on() -> None:
    for end in (converted, given_up):
        for command in (call, PlanLeadFollowUp(on=None), NoteLeadQualification(need_stated=True)):
            work.given(end).when(command).then_rejected("not-in-this-state")
    work.given(given_up).knowing(matched=NEW, known=KnownUnder(), nurturing=RULE).when(ConvertLead()).then_rejected(
        "not-in-this-state"
    )
    work.given(converted).when(DisqualifyLead(reason="spam")).then_rejected("not-in-this-state")


def test_lead_8_what_was_never_captured_is_not_converted() -> None:
    scenario(lead).knowing(matched=NEW, known=KnownUnder(), nurturing=RULE).when(ConvertLead()).then_rejected(
        "does-not-exist"
    )


# -- erasure --------------------------------------------------------------------------------------------------------


def of(*history: object) -> Traces:
    """The traces of somebody who is this one lead."""
    return Traces(leads=(lead_of(after(lead, *history)),))


@pytest.mark.parametrize("end", [duplicate, converted, given_up])
def test_data_4_a_closed_lead_keeps_its_figures_and_forgets_its_person(end: object) -> None:
    history = (captured, called, end)
    outcome = scenario(lead).given(*history).knowing(traces=of(*history)).when(EraseLeadPerson())
    outcome.then(erased)
    state = outcome.state
    assert state.erased
    assert state.captured == replace(outcome.state.captured.without_person())
    assert all(activity.note is None for activity in getattr(state, "activities", ()))
    assert state.captured.company_name == "Northwind Tooling"
    assert "Moreno" not in str(state)


def test_data_4_an_open_lead_ends_when_its_person_is_erased() -> None:
    outcome = work.given(called).knowing(traces=of(captured, assigned, called)).when(EraseLeadPerson())
    outcome.then(erased)
    assert isinstance(outcome.state, ErasedLead)
    assert status_of(lead, outcome.state) == "erased"
    work.given(erased).when(call).then_rejected("not-in-this-state")


def test_data_4_erasing_twice_records_nothing() -> None:
    for end in ((), (duplicate,), (converted,), (given_up,)):
        history = (captured, *end, erased)
        scenario(lead).given(*history).knowing(traces=of(*history)).when(EraseLeadPerson()).then()


def test_data_4_history_without_personal_data_still_folds() -> None:
    nobody = replace(captured, person_name=None, email=None, phone=None, title=None, interest=None)
    for end in (assigned, duplicate, converted, replace(given_up, note=None)):
        state = after(lead, nobody, end, erased)
        assert "Moreno" not in str(state)
    worked_on = after(lead, nobody, replace(called, note=None), converted, erased)
    assert "Moreno" not in str(worked_on)
