"""DEAL-4: a waiver lets a deal pass a criterion, with role, reason and expiry, and what is passed by it says so."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from services.deals.domain.deal.changes import UpdateDeal
from services.deals.domain.deal.nodes import CompleteNode
from services.deals.domain.deal.stages import MoveDeal
from services.deals.domain.deal.state import deal
from services.deals.domain.deal.waivers import RevokeWaiver, WaiveCriterion
from shared.domain.context import Actor
from shared.domain.roles import Role
from shared.events.deals.deal import DealFactsNoted, DealMoved, DealNextStepPlanned, WaivedCriterion
from shared.events.deals.deal_gates import DealCriterionWaived, DealWaiverRevoked
from tests.services.deals.facts import ID, OPENED, TALKED, TEAM, THE_DEAL, TODAY
from tests.services.deals.test_key_actions import BEGUN, NO_GAPS, RECORD, SITUATION, THE_FULL_DEAL

GATE, CRITERION = "exit of initial-contact", "next-step-planned"
UNTIL = date(2026, 4, 30)
WAIVE = WaiveCriterion(gate=GATE, criterion=CRITERION, until=UNTIL, reason="The customer calls back.")
MANAGER = Actor(subject="m", roles=frozenset({Role.MANAGER}), member=UUID(int=9), team=TEAM, teams=frozenset({TEAM}))
WAIVED = DealCriterionWaived(
    deal_id=ID, gate=GATE, criterion=CRITERION, until=UNTIL, role="manager", on=TODAY, reason="The customer calls back."
)
REVOKED = DealWaiverRevoked(deal_id=ID, gate=GATE, criterion=CRITERION)
ON = MoveDeal(stage="needs-confirmed")


def move_of(outcome: Any) -> DealMoved:
    assert outcome.rejected is None, outcome.rejected.reasons
    (event,) = [fact.event for fact in outcome.facts if isinstance(fact.event, DealMoved)]
    return event


def test_deal_4_a_waiver_says_by_which_role_until_when_and_why() -> None:
    THE_DEAL.by(MANAGER).given(OPENED).when(WAIVE).then(WAIVED)
    THE_DEAL.by(MANAGER).given(OPENED, WAIVED).when(WAIVE).then()
    THE_DEAL.given(OPENED).when(WAIVE).then(replace(WAIVED, role="sales-operations"))
    longer = replace(WAIVE, until=date(2026, 5, 31))
    THE_DEAL.by(MANAGER).given(OPENED, WAIVED).when(longer).then(replace(WAIVED, until=longer.until))


def test_deal_4_a_deal_passes_without_what_was_waived_and_says_so() -> None:
    THE_DEAL.given(OPENED, TALKED).when(ON).then_rejected("gate-closed", "criterion-unmet")
    moved = move_of(THE_DEAL.given(OPENED, TALKED, WAIVED).when(ON))
    assert moved.waived == (WaivedCriterion(gate=GATE, criterion=CRITERION),)
    quick = move_of(THE_DEAL.given(OPENED, TALKED, WAIVED).when(UpdateDeal(stage="needs-confirmed")))
    assert quick.waived == moved.waived


def test_deal_4_what_is_met_anyway_is_not_passed_by_a_waiver() -> None:
    planned = DealNextStepPlanned(deal_id=ID, on=date(2026, 3, 20), planned_on=TODAY)
    assert move_of(THE_DEAL.given(OPENED, TALKED, WAIVED, planned).when(ON)).waived == ()


def test_deal_4_a_waiver_is_of_one_criterion_of_one_gate() -> None:
    outcome = THE_DEAL.given(OPENED, WAIVED).when(ON).then_rejected("gate-closed", "criterion-unmet")
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].details["criterion"] == "conversation-held"
    elsewhere = replace(WAIVED, gate="exit of needs-confirmed")
    THE_DEAL.given(OPENED, TALKED, elsewhere).when(ON).then_rejected("gate-closed", "criterion-unmet")


@pytest.mark.parametrize(
    ("now", "opens"), [(datetime(2026, 4, 30, 20, tzinfo=UTC), True), (datetime(2026, 5, 1, 9, tzinfo=UTC), False)]
)
def test_deal_4_a_waiver_holds_to_the_end_of_its_last_day(now: datetime, opens: bool) -> None:
    outcome = THE_DEAL.given(OPENED, TALKED, WAIVED).at(now).when(ON)
    assert (outcome.rejected is None) == opens


def test_deal_4_a_waiver_is_taken_back() -> None:
    THE_DEAL.by(MANAGER).given(OPENED, WAIVED).when(RevokeWaiver(gate=GATE, criterion=CRITERION)).then(REVOKED)
    THE_DEAL.by(MANAGER).given(OPENED).when(RevokeWaiver(gate=GATE, criterion=CRITERION)).then()
    THE_DEAL.given(OPENED, TALKED, WAIVED, REVOKED).when(ON).then_rejected("gate-closed")
    THE_DEAL.by(MANAGER).given(OPENED, WAIVED, REVOKED).when(WAIVE).then(WAIVED)


@pytest.mark.parametrize(
    ("changes", "codes", "fields"),
    [
        ({"gate": "exit of nowhere"}, ["unknown-gate"], ["gate"]),
        ({"criterion": "mood"}, ["unknown-criterion"], ["criterion"]),
        ({"gate": "entry of task first-conversation"}, ["unknown-criterion"], ["criterion"]),
        ({"until": date(2026, 3, 15)}, ["invalid-expiry"], ["until"]),
        ({"until": date(2027, 3, 18)}, ["invalid-expiry"], ["until"]),
        (
            {"criterion": "mood", "until": date(2026, 3, 15)},
            ["unknown-criterion", "invalid-expiry"],
            ["criterion", "until"],
        ),
    ],
)
def test_deal_4_what_cannot_be_waived_is_named(changes: dict[str, Any], codes: list[str], fields: list[str]) -> None:
    outcome = THE_DEAL.by(MANAGER).given(OPENED).when(replace(WAIVE, **changes))
    assert outcome.rejected is not None
    assert [reason.code for reason in outcome.rejected.reasons] == codes
    assert [reason.field for reason in outcome.rejected.reasons] == fields


def test_deal_4_a_rep_waives_nothing() -> None:
    for command in (WaiveCriterion, RevokeWaiver):
        assert all(Role.REP not in handler.allow for handler in deal.handlers[command])


def test_deal_4_a_key_action_is_completed_without_what_was_waived() -> None:
    waived = [
        replace(WAIVED, gate="entry of task situation", criterion=key)
        for key in ("intent-to-cooperate", "nurture-passed")
    ]
    outcome = THE_FULL_DEAL.given(BEGUN, NO_GAPS, RECORD, *waived).when(SITUATION)
    assert outcome.rejected is None
    assert [each.criterion for each in outcome.facts[0].event.waived] == ["intent-to-cooperate", "nurture-passed"]
    # Its deliverable is no criterion: there is no waiver of it.
    THE_FULL_DEAL.given(BEGUN, NO_GAPS, *waived).when(SITUATION).then_rejected("gate-closed", "deliverable-missing")


def test_deal_4_no_other_way_passes_a_gate_unseen() -> None:
    """A closed gate is closed for the quick update and for completing as for the move."""
    stated = DealFactsNoted(deal_id=ID, facts={"budget": "1"})
    THE_DEAL.given(OPENED, stated).when(UpdateDeal(stage="needs-confirmed")).then_rejected("invalid-deal-change")
    THE_FULL_DEAL.given(BEGUN).when(CompleteNode(key="problem", evidence="x")).then_rejected("gate-closed")
