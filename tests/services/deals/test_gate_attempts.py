"""DEAL-2, DEAL-3: an attempt that a gate refuses is a fact, so that it is known how often the first one passes."""

from dataclasses import replace
from typing import Any

import pytest

from services.deals.domain.deal.changes import UpdateDeal
from services.deals.domain.deal.nodes import CompleteNode
from services.deals.domain.deal.stages import MoveDeal
from shared.domain.rejection import Rejected
from shared.events.deals.deal import DealMoved, DealWon, UnmetCriterion
from shared.events.deals.deal_gates import DealGateRefused
from tests.services.deals.facts import ID, OPENED, TALKED, THE_DEAL, TODAY
from tests.services.deals.test_key_actions import BEGUN, NO_GAPS, RECORD, SITUATION, THE_FULL_DEAL, WILLING
from tests.services.deals.test_stages import IN_NEEDS, MOVED, ON, PLANNED, READY

EXIT = "exit of initial-contact"
BOTH = tuple(UnmetCriterion(gate=EXIT, criterion=each) for each in ("conversation-held", "next-step-planned"))
FIRST = DealGateRefused(
    deal_id=ID, stage="initial-contact", kind="stage", key="needs-confirmed", attempt=1, unmet=BOTH, on=TODAY
)
SECOND = replace(FIRST, attempt=2, unmet=BOTH[1:])


def recorded(outcome: Any) -> tuple[Any, ...]:
    rejected: Rejected | None = outcome.rejected
    assert rejected is not None, outcome.facts
    return rejected.on_record


def test_deal_3_a_refused_attempt_is_on_record_with_what_was_unmet() -> None:
    assert recorded(THE_DEAL.given(OPENED).when(ON)) == (FIRST,)


def test_deal_3_the_same_again_is_no_further_attempt_and_another_one_is() -> None:
    assert recorded(THE_DEAL.given(OPENED, FIRST).when(ON)) == ()
    assert recorded(THE_DEAL.given(OPENED, FIRST, TALKED).when(ON)) == (SECOND,)
    assert recorded(THE_DEAL.given(OPENED, FIRST, TALKED, SECOND).when(ON)) == ()


def test_deal_2_what_passes_says_how_often_it_was_refused() -> None:
    assert READY.when(ON).facts[0].event.refused_before == 0
    outcome = THE_DEAL.given(OPENED, FIRST, TALKED, SECOND, PLANNED).when(ON)
    assert outcome.facts[0].event == replace(MOVED, refused_before=2)
    assert outcome.state.attempts == ()


def test_deal_2_who_comes_back_to_a_stage_tries_anew() -> None:
    back = IN_NEEDS.when(MoveDeal(stage="initial-contact")).facts[0].event
    again = THE_DEAL.given(OPENED, FIRST, TALKED, PLANNED, replace(MOVED, refused_before=1), back)
    assert again.when(ON).facts[0].event.refused_before == 0


def test_deal_3_a_quick_update_is_an_attempt_as_well() -> None:
    assert recorded(THE_DEAL.given(OPENED).when(UpdateDeal(stage="needs-confirmed"))) == (FIRST,)


def test_deal_3_a_stage_that_cannot_be_entered_at_all_is_no_gate() -> None:
    unknown = THE_DEAL.given(OPENED).when(MoveDeal(stage="nowhere")).then_rejected("unknown-stage")
    assert recorded(unknown) == ()


@pytest.mark.parametrize("command", [SITUATION, CompleteNode(key="situation", evidence="Otherwise.")])
def test_deal_2_work_has_first_attempts_too(command: CompleteNode) -> None:
    (tried,) = recorded(THE_FULL_DEAL.given(BEGUN, WILLING).when(command))
    gates = [("exit of task situation", "deliverable.background-record"), ("exit of task situation", "no-key-gap")]
    assert (tried.kind, tried.key, tried.stage, tried.attempt) == ("task", "situation", "needs-diagnosis", 1)
    assert [(each.gate, each.criterion) for each in tried.unmet] == gates
    done = THE_FULL_DEAL.given(BEGUN, WILLING, tried, NO_GAPS, RECORD).when(command)
    assert (done.facts[0].event.refused_before, done.state.attempts) == (1, ())


def test_deal_3_attempts_at_work_outlive_the_stage_and_no_end_minds_them() -> None:
    (tried,) = recorded(THE_FULL_DEAL.given(BEGUN, WILLING).when(SITUATION))
    moved = DealMoved(
        deal_id=ID,
        before="needs-diagnosis",
        stage="solution",
        direction="forward",
        skipped=(),
        probability=BEGUN.probability,
        probability_before=BEGUN.probability,
        category="pipeline",
        amount=BEGUN.amount,
        on=TODAY,
    )
    later = THE_FULL_DEAL.given(BEGUN, WILLING, tried, moved).when(SITUATION)
    assert recorded(later) == ()
    won = DealWon(deal_id=ID, on=TODAY, amount=OPENED.amount, stage="initial-contact", name=OPENED.name)
    THE_DEAL.given(OPENED, won, FIRST).when(ON).then_rejected("not-in-this-state")
