"""CON-2: approved in one step, by somebody other than who submitted it."""

from dataclasses import replace

import pytest

from services.contracts.domain.contract.approval import APPROVING, ApproveContract, ReturnContract, SubmitContract
from shared.domain.money import zero
from shared.domain.roles import SELLING, Role
from shared.testing.scenario import SOMEBODY
from tests.services.contracts.facts import APPROVED, DIRECTOR, DRAFTED, RETURNED, SUBMITTED, THE_CONTRACT, VOIDED


def test_a_draft_is_submitted_con_2() -> None:
    THE_CONTRACT.given(DRAFTED).when(SubmitContract()).then(SUBMITTED)


def test_submitting_again_records_nothing() -> None:
    THE_CONTRACT.given(DRAFTED, SUBMITTED).when(SubmitContract()).then()


def test_a_contract_over_nothing_is_not_submitted() -> None:
    THE_CONTRACT.given(replace(DRAFTED, total=zero("EUR"))).when(SubmitContract()).then_rejected("nothing-to-pay")


@pytest.mark.parametrize("history", [(DRAFTED, VOIDED), (DRAFTED, SUBMITTED, APPROVED)])
def test_only_a_draft_is_submitted(history: tuple[object, ...]) -> None:
    THE_CONTRACT.given(*history).when(SubmitContract()).then_rejected("not-in-this-state")


def test_there_is_nothing_to_submit() -> None:
    THE_CONTRACT.when(SubmitContract()).then_rejected("does-not-exist")


def test_somebody_else_approves_con_2() -> None:
    THE_CONTRACT.given(DRAFTED, SUBMITTED).by(DIRECTOR).when(ApproveContract()).then(APPROVED)


def test_the_reason_of_an_approval_is_kept_con_2() -> None:
    outcome = THE_CONTRACT.given(DRAFTED, SUBMITTED).by(DIRECTOR).when(ApproveContract(reason="Standard"))
    outcome.then(replace(APPROVED, reason="Standard"))
    assert outcome.state.approval_reason == "Standard"


def test_the_submitter_does_not_approve_con_2() -> None:
    THE_CONTRACT.given(DRAFTED, SUBMITTED).by(SOMEBODY).when(ApproveContract()).then_rejected("own-submission")


def test_the_submitter_does_not_return_con_2() -> None:
    command = ReturnContract(reason="Hm")
    THE_CONTRACT.given(DRAFTED, SUBMITTED).by(SOMEBODY).when(command).then_rejected("own-submission")


def test_approving_again_records_nothing() -> None:
    THE_CONTRACT.given(DRAFTED, SUBMITTED, APPROVED).by(DIRECTOR).when(ApproveContract()).then()


def test_approving_again_for_another_reason_is_refused() -> None:
    history = THE_CONTRACT.given(DRAFTED, SUBMITTED, APPROVED).by(DIRECTOR)
    history.when(ApproveContract(reason="Other")).then_rejected("not-in-this-state")


def test_a_draft_is_not_approved_con_2() -> None:
    THE_CONTRACT.given(DRAFTED).by(DIRECTOR).when(ApproveContract()).then_rejected("not-in-this-state")


def test_it_is_returned_for_rework_with_the_reason_con_2() -> None:
    command = ReturnContract(reason="Retention is missing")
    outcome = THE_CONTRACT.given(DRAFTED, SUBMITTED).by(DIRECTOR).when(command).then(RETURNED)
    assert outcome.state.returned_for == "Retention is missing"


def test_returning_again_for_the_same_reason_records_nothing() -> None:
    history = THE_CONTRACT.given(DRAFTED, SUBMITTED, RETURNED).by(DIRECTOR)
    history.when(ReturnContract(reason="Retention is missing")).then()
    history.when(ReturnContract(reason="Other")).then_rejected("not-in-this-state")


def test_what_was_returned_is_submitted_again_con_2() -> None:
    THE_CONTRACT.given(DRAFTED, SUBMITTED, RETURNED).when(SubmitContract()).then(SUBMITTED)


def test_direction_legal_and_executives_approve_those_who_sell_submit_con_2() -> None:
    assert set(APPROVING) - {Role.ADMIN, Role.SERVICE} == {Role.SALES_DIRECTOR, Role.LEGAL, Role.EXECUTIVE}
    assert THE_CONTRACT.aggregate.handlers[SubmitContract][0].allow == SELLING
    for command in (ApproveContract, ReturnContract):
        assert THE_CONTRACT.aggregate.handlers[command][0].allow == APPROVING
