"""DEAL-5: an exit is proposed, and a person decides."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.deals.domain.deal.answering import StateCustomerEvent, WithdrawAnswer
from services.deals.domain.deal.exits import AcceptExit, AssessExit, DeclineExit
from services.deals.domain.deal.state import AbandonedDeal
from shared.events.deals.deal import DealAbandoned, DealAmountChanged, DealReopened
from shared.events.deals.deal_qualification import (
    DealAnswerWithdrawn,
    DealCustomerEventStated,
    DealExitAccepted,
    DealExitDeclined,
    DealExitProposed,
)
from tests.services.deals.facts import ID, OPENED_FRIDAY, THE_DEAL, TODAY, eur, usd
from tests.services.deals.test_qualification import TOLD, WON

OPEN = THE_DEAL.given(OPENED_FRIDAY)
EVENT = UUID(int=100)
STATE = StateCustomerEvent(kind="insurmountable", text="The plant is closed", evidence="Minutes 118", answer_id=EVENT)
STATED = DealCustomerEventStated(**TOLD, answer_id=EVENT, kind="insurmountable", text="The plant is closed")
BLOCKED = DealExitProposed(
    deal_id=ID,
    cause="insurmountable-event",
    on=TODAY,
    answer_id=EVENT,
    expected_value=eur("12000.00"),
    amount=eur("120000.00"),
    probability=Decimal("0.10"),
)
NOT_WORTH = replace(BLOCKED, cause="not-worth-it", answer_id=None, remaining_cost=eur("12000.01"))
ACCEPTED = DealExitAccepted(deal_id=ID, cause="insurmountable-event", proposed_on=TODAY, on=TODAY)
DECLINED = DealExitDeclined(
    deal_id=ID, cause="insurmountable-event", proposed_on=TODAY, on=TODAY, reason="They look for another plant"
)
ABANDONED = DealAbandoned(
    deal_id=ID, on=TODAY, amount=eur("120000.00"), stage="initial-contact", reason="insurmountable-event"
)
DECLINE = DeclineExit(reason="They look for another plant")


def test_deal_5_an_insurmountable_event_proposes_the_exit_at_once() -> None:
    OPEN.when(STATE).then(STATED, BLOCKED)


@pytest.mark.parametrize("kind", ["compelling", "blocking"])
def test_deal_5_what_can_be_overcome_proposes_nothing(kind: Any) -> None:
    OPEN.when(replace(STATE, kind=kind)).then(replace(STATED, kind=kind))


def test_deal_5_an_event_that_becomes_insurmountable_proposes_the_exit() -> None:
    OPEN.given(replace(STATED, kind="blocking")).when(STATE).then(STATED, BLOCKED)


def test_deal_5_a_proposal_that_stands_is_not_made_again() -> None:
    other = UUID(int=101)
    OPEN.given(STATED, BLOCKED).when(replace(STATE, answer_id=other)).then(replace(STATED, answer_id=other))
    OPEN.given(STATED, BLOCKED).when(AssessExit(remaining_cost=eur("99000"))).then()
    OPEN.given(NOT_WORTH).when(STATE).then(STATED)


def test_deal_5_an_event_that_somebody_goes_on_against_does_not_propose_the_exit_again() -> None:
    again = replace(STATE, text="The plant is closed for good")
    OPEN.given(STATED, BLOCKED, DECLINED).when(again).then(replace(STATED, text="The plant is closed for good"))
    open_again = (replace(STATED, kind="blocking"),)
    OPEN.given(STATED, BLOCKED, DECLINED, *open_again).when(STATE).then(STATED, BLOCKED)


@pytest.mark.parametrize(("cost", "events"), [("12000.00", ()), ("12000.01", (NOT_WORTH,)), ("0", ())])
def test_deal_5_going_on_below_its_cost_proposes_the_exit(cost: str, events: tuple[Any, ...]) -> None:
    """DEAL-5: amount × probability, 120 000 × 0.10, against what remains to be spent."""
    OPEN.when(AssessExit(remaining_cost=eur(cost))).then(*events)


def test_deal_5_a_remaining_cost_is_an_amount_in_the_deals_currency() -> None:
    OPEN.when(AssessExit(remaining_cost=usd("1"))).then_rejected("other-currency")
    OPEN.when(AssessExit(remaining_cost=eur("-1"))).then_rejected("negative")


def test_deal_5_what_is_declined_is_weighed_again_when_somebody_asks() -> None:
    declined = replace(DECLINED, cause="not-worth-it")
    OPEN.given(NOT_WORTH, declined).when(AssessExit(remaining_cost=eur("12000.01"))).then(NOT_WORTH)


def test_deal_5_whoever_accepts_abandons_the_deal_for_the_cause_of_the_proposal() -> None:
    outcome = OPEN.given(STATED, BLOCKED).when(AcceptExit()).then(ACCEPTED, ABANDONED)
    assert isinstance(outcome.state, AbandonedDeal)
    OPEN.given(NOT_WORTH).when(AcceptExit()).then(
        replace(ACCEPTED, cause="not-worth-it"), replace(ABANDONED, reason="not-worth-it")
    )


def test_deal_5_whoever_declines_says_why_and_the_deal_goes_on() -> None:
    outcome = OPEN.given(STATED, BLOCKED).when(DECLINE).then(DECLINED)
    assert outcome.state.qualification.standing_exit is None
    assert OPEN.given(BLOCKED).when(DECLINE).state.written


@pytest.mark.parametrize("command", [AcceptExit(), DECLINE])
def test_deal_5_nobody_decides_about_what_is_not_proposed(command: Any) -> None:
    OPEN.when(command).then_rejected("no-exit-proposed")
    OPEN.given(BLOCKED, replace(DECLINED, reason="Other")).when(command).then_rejected("no-exit-proposed")
    OPEN.given(WON).when(command).then_rejected("not-in-this-state")


def test_deal_5_a_decision_repeated_records_nothing() -> None:
    OPEN.given(STATED, BLOCKED, ACCEPTED, ABANDONED).when(AcceptExit()).then()
    OPEN.given(STATED, BLOCKED, DECLINED).when(DECLINE).then()
    OPEN.given(STATED, BLOCKED, ABANDONED).when(AcceptExit()).then_rejected("not-in-this-state")


def test_deal_5_a_proposal_falls_with_the_event_that_it_rests_on() -> None:
    taken_back = OPEN.given(STATED, BLOCKED).when(WithdrawAnswer(answer_id=EVENT))
    taken_back.then(DealAnswerWithdrawn(deal_id=ID, answer_id=EVENT))
    assert taken_back.state.qualification.exit is None
    overcome = OPEN.given(STATED, BLOCKED).when(replace(STATE, kind="blocking"))
    assert overcome.state.qualification.exit is None
    worded = OPEN.given(STATED, BLOCKED).when(replace(STATE, text="The plant is sold"))
    assert worded.state.qualification.standing_exit is not None
    assert OPEN.given(STATED, NOT_WORTH).when(WithdrawAnswer(answer_id=EVENT)).state.qualification.standing_exit


def test_deal_5_a_deal_that_was_given_up_is_reopened_without_a_proposal() -> None:
    reopened = DealReopened(
        deal_id=ID,
        outcome_before="abandoned",
        stage="initial-contact",
        probability=Decimal("0.10"),
        category="pipeline",
        amount=eur("120000.00"),
        on=TODAY,
    )
    again = OPEN.given(STATED, BLOCKED, ACCEPTED, ABANDONED, reopened)
    again.when(AcceptExit()).then_rejected("no-exit-proposed")
    again.when(AssessExit(remaining_cost=eur("12000.01"))).then(NOT_WORTH)


def test_deal_5_a_proposal_is_by_the_amount_of_the_day() -> None:
    smaller = DealAmountChanged(deal_id=ID, before=eur("120000.00"), amount=eur("1000.00"), on=TODAY)
    proposal = replace(BLOCKED, amount=eur("1000.00"), expected_value=eur("100.00"))
    OPEN.given(smaller).when(STATE).then(STATED, proposal)
