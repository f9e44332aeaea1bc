"""An open lead: captured, known again, handed out, nurtured (LEAD-1, LEAD-2, LEAD-4, LEAD-7)."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.leads.domain.assignment import AssignmentDesk, Candidate, queue_of
from services.leads.domain.contact_points import Known, KnownUnder
from services.leads.domain.lead import lead
from services.leads.domain.lead.capture import AssignLead, CaptureLead
from services.leads.domain.lead.nurturing import LogLeadActivity, NoteLeadQualification, PlanLeadFollowUp
from services.leads.domain.lead.state import DuplicateLead
from services.leads.domain.organisation.team import NamedMember
from shared.domain.aggregate import Claim
from shared.domain.context import Actor
from shared.domain.roles import Role
from shared.events.leads.assignment_queue import TurnTaken
from shared.events.leads.lead import (
    LeadAssigned,
    LeadCaptured,
    LeadFollowUpPlanned,
    LeadLeftUnassigned,
    LeadMarkedDuplicate,
    LeadQualificationNoted,
)
from shared.events.money import Money
from shared.testing.scenario import CONTEXT, NOW, scenario
from tests.services.leads.known import (
    HERE,
    NORTH,
    OTHER,
    ROSA,
    SAM,
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
    reminding,
)

DESK = AssignmentDesk(
    rule="given-team",
    team_id=SOUTH,
    candidates=(
        Candidate(member_id=ROSA, capacity=30, open_leads=0),
        Candidate(member_id=SAM, capacity=30, open_leads=0),
    ),
)
POOL = AssignmentDesk(rule="no-team")
TURN = TurnTaken(team_id=SOUTH, member_id=ROSA, lead_id=HERE)
IN_THE_POOL = LeadLeftUnassigned(lead_id=HERE, team_id=None, rule="no-team")

ada = CaptureLead(
    source="website",
    person_name="Ada Moreno",
    email="Ada@Northwind.example",
    phone="030 901820",
    title="Head of production",
    interest="Wants to see the new line.",
    company_name="Northwind Tooling",
    company_domain="https://www.northwind.example/",
    industry="manufacturing",
    company_size=420,
    country="DE",
)
ada_now = replace(captured, captured_at=NOW)
by_nobody = scenario(lead).knowing(known=KnownUnder(), desk=POOL)
work = scenario(lead).given(captured, assigned)

# -- capture and duplicates -----------------------------------------------------------------------------------------


def test_lead_1_a_lead_is_captured_in_normal_form_and_handed_out() -> None:
    scenario(lead).knowing(known=KnownUnder(), desk=DESK).when(ada).then(ada_now, assigned, TURN)


def test_lead_4_the_turn_is_taken_in_the_queue_of_the_team() -> None:
    outcome = scenario(lead).knowing(known=KnownUnder(), desk=DESK).when(ada)
    assert [fact.to for fact in outcome.facts] == [None, None, queue_of(SOUTH)]


def test_lead_4_a_lead_that_nobody_can_take_stands_in_the_pool() -> None:
    outcome = by_nobody.when(ada)
    outcome.then(ada_now, IN_THE_POOL)
    assert outcome.state.owner is None


def test_lead_1_a_source_is_enough() -> None:
    by_nobody.when(CaptureLead(source="fair")).then(
        LeadCaptured(lead_id=HERE, source="fair", captured_at=NOW), IN_THE_POOL
    )


def test_lead_1_every_field_that_cannot_be_read_is_named_at_once() -> None:
    wrong = replace(ada, email="ada", phone="12", company_domain="co.uk")
    by_nobody.when(wrong).then_rejected("invalid-contact-points", "invalid-email", "invalid-phone", "invalid-domain")


def test_lead_1_a_cost_in_another_currency_names_its_field() -> None:
    cost = replace(euros("10.00"), currency="USD")
    outcome = by_nobody.when(replace(ada, acquisition_cost=cost))
    outcome.then_rejected("other-currency")
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].field == "acquisition_cost.currency"


def test_lead_1_the_same_capture_again_records_nothing() -> None:
    by_nobody.given(captured, assigned).when(ada).then()
    costly = replace(ada, acquisition_cost=euros("10.00"))
    by_nobody.given(replace(captured, acquisition_cost=euros("10.00"))).when(costly).then()


def test_lead_1_another_capture_under_the_same_id_is_refused() -> None:
    by_nobody.given(captured).when(replace(ada, company_size=421)).then_rejected("not-in-this-state")


@pytest.mark.parametrize("kind", ["lead", "account"])
def test_lead_2_a_lead_whose_address_is_held_is_a_duplicate_of_the_holder(kind: str) -> None:
    original = Known(id=OTHER, kind=kind, owner=SAM, team=NORTH)
    outcome = scenario(lead).knowing(known=KnownUnder(people=(original,)), desk=DESK).when(ada)
    outcome.then(
        ada_now,
        LeadMarkedDuplicate(
            lead_id=HERE,
            original_id=OTHER,
            original_kind=kind,
            matched_on="email",
            score=Decimal(1),
            owner=SAM,
            team=NORTH,
        ),
    )
    assert isinstance(outcome.state, DuplicateLead)
    assert (outcome.state.owner, outcome.state.team) == (SAM, NORTH)


@pytest.mark.parametrize("name", ["Ada  moreno", "ADA MORENO", None])
def test_lead_2_the_same_or_no_name_under_an_address_is_the_same_person(name: str | None) -> None:
    original = Known(id=OTHER, name="Ada Moreno")
    outcome = (
        scenario(lead).knowing(known=KnownUnder(people=(original,)), desk=POOL).when(replace(ada, person_name=name))
    )
    assert isinstance(outcome.state, DuplicateLead)


def test_lead_2_two_people_may_share_an_address() -> None:
    other = Known(id=OTHER, kind="account", name="Ben Moreno")
    outcome = scenario(lead).knowing(known=KnownUnder(people=(other,)), desk=POOL).when(ada)
    outcome.then(replace(ada_now, candidates=(OTHER,)), IN_THE_POOL)
    (claim,) = lead.claims_of(outcome.state)
    assert claim.beside == {OTHER}


def test_lead_2_only_an_open_lead_holds_its_address() -> None:
    held = {Claim(kind="email", key="ada@northwind.example")}
    assert lead.claims_of(after(lead, captured, assigned)) == held
    for end in (duplicate, converted, given_up, erased):
        assert lead.claims_of(after(lead, captured, end)) == set()
    assert lead.claims_of(after(lead, replace(captured, email=None))) == set()


def test_lead_2_a_duplicate_is_not_worked_on() -> None:
    outcome = scenario(lead).given(captured, duplicate).when(PlanLeadFollowUp(on=None))
    outcome.then_rejected("not-in-this-state")


# -- assignment -----------------------------------------------------------------------------------------------------

by_hand = scenario(lead).given(captured, assigned).knowing(named_member=NamedMember(team=NORTH), desk=POOL)


def test_lead_4_a_lead_is_given_to_a_member_by_hand() -> None:
    outcome = by_hand.when(AssignLead(member_id=SAM))
    from_rosa: dict[str, Any] = {"owner_before": ROSA, "team_before": SOUTH}
    outcome.then(LeadAssigned(lead_id=HERE, team_id=NORTH, member_id=SAM, rule="by-hand", **from_rosa))
    assert (outcome.state.owner, outcome.state.team) == (SAM, NORTH)


def test_lead_4_giving_a_lead_to_its_owner_records_nothing() -> None:
    by_hand.when(AssignLead(member_id=ROSA)).then()


def test_lead_4_a_lead_is_not_given_to_somebody_without_a_team() -> None:
    homeless = scenario(lead).given(captured).knowing(named_member=NamedMember(), desk=POOL)
    homeless.when(AssignLead(member_id=OTHER)).then_rejected("unknown-member")


def test_lead_4_a_lead_of_the_pool_is_handed_out_in_a_team() -> None:
    pool = scenario(lead).given(captured, IN_THE_POOL).knowing(named_member=NamedMember(), desk=DESK)
    pool.when(AssignLead(team_id=SOUTH)).then(assigned, TURN)


def test_lead_4_a_lead_that_the_team_has_is_not_handed_out_again() -> None:
    by_hand.when(AssignLead(team_id=SOUTH)).then()


def test_lead_4_a_lead_that_nobody_of_the_team_can_take_stays_where_it_is() -> None:
    nobody = AssignmentDesk(rule="given-team", team_id=NORTH)
    full = scenario(lead).given(captured, assigned).knowing(named_member=NamedMember(), desk=nobody)
    full.when(AssignLead(team_id=NORTH)).then_rejected("no-eligible-member")


def test_lead_4_somebody_has_to_be_named() -> None:
    by_hand.when(AssignLead()).then_rejected("assignee-missing")


# -- nurturing ------------------------------------------------------------------------------------------------------

call = LogLeadActivity(kind="call", activity_id=UUID(int=31), minutes=12, outcome="reached", note="Call back.")


def test_lead_7_an_activity_is_logged_with_who_and_when() -> None:
    work.when(call).then(called)


def test_deal_6_what_a_system_logs_of_a_lead_on_its_own_behalf_is_automatic() -> None:
    system = Actor(subject="telephony", roles=frozenset({Role.SERVICE}))
    logged = work.by(system).when(call)
    logged.then(replace(called, by=None, automatic=True))
    assert [activity.automatic for activity in logged.state.activities] == [True]
    work.by(replace(system, member=called.by)).when(call).then(called)


def test_lead_7_an_activity_without_an_id_gets_one_that_is_the_same_on_a_retry() -> None:
    without = replace(call, activity_id=None)
    work.when(without).then(replace(called, activity_id=CONTEXT.derived_id("activity")))
    assert work.when(without).facts == work.when(without).facts


def test_lead_7_an_activity_of_last_week_happened_then() -> None:
    on = TODAY - timedelta(days=7)
    (fact,) = work.when(replace(call, on=on)).facts
    assert fact.at is not None
    assert fact.at.at.date() == on


def test_lead_7_an_activity_is_not_logged_ahead() -> None:
    work.when(replace(call, on=TODAY + timedelta(days=1))).then_rejected("in-the-future")


def test_lead_7_the_same_activity_again_records_nothing_and_another_under_its_id_is_refused() -> None:
    work.given(called).when(call).then()
    work.given(called).when(replace(call, kind="visit")).then_rejected("other-content")


def test_lead_7_the_next_follow_up_is_planned_or_explicitly_not() -> None:
    on = TODAY + timedelta(days=3)
    planned = reminding().when(PlanLeadFollowUp(on=on)).state
    assert (planned.follow_up, planned.follow_up_planned) == (on, True)
    reminding().when(PlanLeadFollowUp(on=None)).then(LeadFollowUpPlanned(lead_id=HERE, on=None))


def test_lead_7_the_same_follow_up_again_records_nothing() -> None:
    nothing = LeadFollowUpPlanned(lead_id=HERE, on=None)
    work.given(nothing).when(PlanLeadFollowUp(on=None)).then()


def test_lead_7_a_follow_up_is_not_planned_for_yesterday() -> None:
    reminding().when(PlanLeadFollowUp(on=TODAY - timedelta(days=1))).then_rejected("in-the-past")


def test_lead_7_what_is_noted_adds_to_what_was_known() -> None:
    outcome = work.when(NoteLeadQualification(need_stated=True, timeline="this-quarter"))
    outcome.then(LeadQualificationNoted(lead_id=HERE, need_stated=True, timeline="this-quarter"))
    (first,) = outcome.facts
    more = work.given(first.event).when(NoteLeadQualification(budget=euros("100"), need_stated=False))
    more.then(LeadQualificationNoted(lead_id=HERE, need_stated=False, budget=euros("100.00"), timeline="this-quarter"))


def test_lead_7_noting_what_is_known_records_nothing() -> None:
    work.given(qualified).when(NoteLeadQualification(budget=euros("500000"), need_stated=True)).then()
    work.when(NoteLeadQualification()).then()


def test_lead_7_a_budget_is_in_the_companys_currency_and_not_below_zero() -> None:
    work.when(NoteLeadQualification(budget=replace(euros("1.00"), currency="USD"))).then_rejected("other-currency")
    work.when(NoteLeadQualification(budget=euros("-1.00"))).then_rejected("out-of-range")


def test_lead_1_a_wrong_cost_is_told_with_what_cannot_be_read() -> None:
    wrong = replace(ada, email="ada", acquisition_cost=Money(amount=Decimal(1), currency="USD"))
    by_nobody.when(wrong).then_rejected("invalid-contact-points", "invalid-email", "other-currency")
