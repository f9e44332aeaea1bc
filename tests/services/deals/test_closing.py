"""DEAL-9: won, lost, abandoned, and reopened."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.deals.domain.deal.closing import AbandonDeal, ContractOfDeal, LoseDeal, ReopenDeal, WinDeal
from services.deals.domain.deal.state import AbandonedDeal, LostDeal, OpenDeal, WonDeal, deal
from shared.domain.aggregate import status_of
from shared.domain.context import Moment
from shared.domain.policy import InForce, Version
from shared.events.deals.deal import DealAbandoned, DealLost, DealNextStepPlanned, DealReopened, DealWon, UnmetCriterion
from shared.events.deals.deal_gates import DealCriterionWaived
from shared.events.deals.policy import Winning
from shared.testing.scenario import NOW
from tests.services.deals.facts import (
    END_OF_FRIDAY,
    FRIDAY,
    ID,
    OPENED,
    OPENED_FRIDAY,
    OWNER,
    TALKED,
    TEAM,
    THE_DEAL,
    TODAY,
    eur,
)
from tests.services.deals.test_flexible_nodes import ADDED, EXIT, IN_SOLUTION
from tests.services.deals.test_key_actions import THE_FULL_DEAL

OPEN = THE_DEAL.given(OPENED_FRIDAY)
WON = DealWon(
    deal_id=ID,
    on=TODAY,
    amount=eur("120000.00"),
    stage="initial-contact",
    name=OPENED.name,
    owner=OWNER,
    team=TEAM,
    winning_version=0,
    unmet=tuple(
        UnmetCriterion(gate="exit of initial-contact", criterion=criterion)
        for criterion in ("conversation-held", "next-step-planned")
    ),
)
LOST = DealLost(
    deal_id=ID, on=TODAY, amount=eur("120000.00"), stage="initial-contact", reason="price", competitor="Globex"
)
ABANDONED = DealAbandoned(deal_id=ID, on=TODAY, amount=eur("120000.00"), stage="initial-contact", reason="no-decision")
LOSE = LoseDeal(reason="price", competitor="Globex")
ABANDON = AbandonDeal(reason="no-decision")


def test_deal_9_a_deal_is_won_in_any_stage_because_the_policy_needs_nothing() -> None:
    outcome = OPEN.when(WinDeal()).then(WON)
    assert isinstance(outcome.state, WonDeal)
    assert outcome.facts[0].at == Moment(NOW)


def test_deal_9_a_win_says_what_the_exits_behind_its_stage_still_asked_for() -> None:
    """DEAL-3, DEAL-4: what is met, or waived to a day that has not passed, is not among it."""
    planned = DealNextStepPlanned(deal_id=ID, on=date(2026, 3, 20), planned_on=TODAY)
    waived = DealCriterionWaived(
        deal_id=ID, gate="exit of initial-contact", criterion="next-step-planned", until=TODAY, role="manager", on=TODAY
    )
    run_out = replace(waived, until=FRIDAY)
    talk, plan = WON.unmet
    won = OPEN.when(WinDeal()).state
    assert isinstance(won, WonDeal)
    assert won.unmet == WON.unmet
    OPEN.given(TALKED).when(WinDeal()).then(replace(WON, unmet=(plan,)))
    OPEN.given(planned).when(WinDeal()).then(replace(WON, unmet=(talk,)))
    OPEN.given(TALKED, planned).when(WinDeal()).then(replace(WON, unmet=()))
    OPEN.given(TALKED, waived).when(WinDeal()).then(replace(WON, unmet=()))
    OPEN.given(TALKED, run_out).when(WinDeal()).then(replace(WON, unmet=(plan,)))


def test_deal_4_a_win_says_what_the_exit_of_a_flexible_node_still_asked_for() -> None:
    won = THE_FULL_DEAL.given(IN_SOLUTION, ADDED).when(WinDeal()).facts[0].event
    assert UnmetCriterion(gate=EXIT, criterion="custom-solution-approved") in won.unmet


SIGNATURE_NEEDED = InForce(default=Winning(needs="signed-contract"), on=TODAY)


def test_deal_9_by_policy_a_deal_is_won_once_its_contract_is_signed() -> None:
    by_policy = OPEN.knowing(winning=SIGNATURE_NEEDED)
    by_policy.when(WinDeal()).then_rejected("contract-not-signed")
    by_policy.knowing(contract=ContractOfDeal(is_signed=True)).when(WinDeal()).then(WON)
    by_policy.when(LOSE).then(LOST)


def test_deal_9_all_that_stands_against_a_win_is_told_at_once() -> None:
    wrong = OPEN.knowing(winning=SIGNATURE_NEEDED).when(WinDeal(on=date(2026, 3, 17)))
    assert wrong.rejected is not None
    assert {reason.code for reason in wrong.rejected.reasons} == {"in-the-future", "contract-not-signed"}


def test_deal_9_a_win_names_the_version_of_the_policy_that_it_was_decided_by() -> None:
    def version(number: int, process: UUID) -> Version[Winning]:
        return Version(
            number=number,
            valid_from=FRIDAY,
            document=Winning(needs="signed-contract"),
            team=None,
            process=process,
            set_on=FRIDAY,
            reason=None,
        )

    nothing = Winning(needs="nothing")
    own = InForce(default=nothing, on=TODAY, versions=[version(3, OPENED.process_id)])
    OPEN.knowing(winning=own).when(WinDeal()).then_rejected("contract-not-signed")
    signed = OPEN.knowing(winning=own, contract=ContractOfDeal(is_signed=True))
    signed.when(WinDeal()).then(replace(WON, winning_version=3))
    elsewhere = InForce(default=nothing, on=TODAY, versions=[version(3, OWNER)])
    OPEN.knowing(winning=elsewhere).when(WinDeal()).then(WON)


def test_deal_9_a_win_of_an_earlier_day_occurred_at_the_end_of_it() -> None:
    outcome = OPEN.when(WinDeal(on=FRIDAY)).then(replace(WON, on=FRIDAY))
    assert outcome.facts[0].at == Moment(END_OF_FRIDAY, by_day=True)


def test_deal_9_lost_and_abandoned_are_different_outcomes_with_reasons() -> None:
    assert isinstance(OPEN.when(LOSE).then(LOST).state, LostDeal)
    assert isinstance(OPEN.when(ABANDON).then(ABANDONED).state, AbandonedDeal)


@pytest.mark.parametrize("command", [WinDeal(), LOSE, ABANDON], ids=["win", "lose", "abandon"])
def test_deal_9_no_outcome_in_the_future_nor_before_the_deal_began(command: Any) -> None:
    OPEN.when(replace(command, on=date(2026, 3, 17))).then_rejected("in-the-future")
    OPEN.when(replace(command, on=date(2026, 3, 12))).then_rejected("before-it-began")
    assert OPEN.when(replace(command, on=FRIDAY)).rejected is None


def test_deal_9_the_same_outcome_again_records_nothing() -> None:
    OPEN.given(WON).when(WinDeal()).then()
    OPEN.given(WON).when(WinDeal(on=TODAY)).then()
    OPEN.given(LOST).when(LOSE).then()
    OPEN.given(ABANDONED).when(ABANDON).then()


@pytest.mark.parametrize(
    ("outcome", "command"),
    [
        (WON, WinDeal(on=FRIDAY)),
        (WON, LOSE),
        (WON, ABANDON),
        (LOST, WinDeal()),
        (LOST, LoseDeal(reason="timing")),
        (LOST, ABANDON),
        (ABANDONED, WinDeal()),
        (ABANDONED, LOSE),
        (ABANDONED, AbandonDeal(reason="no-budget")),
    ],
)
def test_deal_9_another_outcome_of_a_closed_deal_is_refused(outcome: Any, command: Any) -> None:
    OPEN.given(outcome).when(command).then_rejected("not-in-this-state")


@pytest.mark.parametrize(("outcome", "word"), [(WON, "won"), (LOST, "lost"), (ABANDONED, "abandoned")])
def test_deal_9_a_closed_deal_is_reopened_where_it_closed(outcome: Any, word: str) -> None:
    reopened = OPEN.given(TALKED, outcome).when(ReopenDeal(reason="They came back"))
    reopened.then(
        DealReopened(
            deal_id=ID,
            outcome_before=word,
            reason="They came back",
            stage="initial-contact",
            probability=Decimal("0.10"),
            category="pipeline",
            amount=eur("120000"),
            expected_close=date(2026, 6, 30),
            on=TODAY,
        )
    )
    state = reopened.state
    assert isinstance(state, OpenDeal)
    assert next(node for node in state.nodes if node.key == "first-conversation").evidence == "Minutes 118"


def test_deal_9_a_reopened_deal_is_not_closed_before_it_was_reopened() -> None:
    reopened = OPEN.given(WON).when(ReopenDeal(reason="x")).facts[0].event
    OPEN.given(WON, reopened).when(WinDeal(on=FRIDAY)).then_rejected("before-it-began")
    OPEN.given(WON, reopened).when(WinDeal()).then(WON)


def test_deal_9_an_open_deal_is_not_reopened() -> None:
    OPEN.when(ReopenDeal(reason="x")).then_rejected("not-in-this-state")


@pytest.mark.parametrize(
    "command", [WinDeal(), LOSE, ABANDON, ReopenDeal(reason="x")], ids=lambda each: type(each).__name__
)
def test_deal_9_what_does_not_exist_has_no_outcome(command: Any) -> None:
    THE_DEAL.when(command).then_rejected("does-not-exist")


def test_deal_9_the_states_have_plain_words() -> None:
    words = [status_of(deal, deal.fold([OPENED, *rest])) for rest in ((), (WON,), (LOST,), (ABANDONED,))]
    assert words == ["open", "won", "lost", "abandoned"]
