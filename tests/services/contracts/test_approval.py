"""CON-2: approved by whoever the chain asks, never by who submitted it."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.contracts.domain.contract.approval import (
    APPROVALS,
    RecallContract,
    SubmitContract,
)
from services.contracts.domain.contract.history import ImportContract
from services.contracts.domain.contract.reopening import ReconsiderContract
from services.contracts.domain.contract.state import (
    ApprovedContract,
    DraftedContract,
    SubmittedContract,
    VoidedContract,
)
from services.contracts.domain.policies import CONTRACT_APPROVAL
from shared.domain.approval.chain import Approvers
from shared.domain.approval.family import Approve, ReturnForRework
from shared.domain.approval.requesting import OwnApproval, Subject
from shared.domain.approval.state import GrantedApproval, RecalledApproval, ReturnedApproval, WaitingApproval
from shared.domain.context import Actor
from shared.domain.money import zero
from shared.domain.policy import InForce
from shared.domain.roles import SELLING, Role
from shared.domain.working_days import WEEKENDS_ONLY
from shared.domain.working_time.hours import usual_hours
from shared.events.approval_chain import ApprovalChain
from shared.events.contracts.contract import ContractApproved, ContractRecalled, ContractReturned
from shared.events.contracts.policy import ContractChain
from shared.testing.scenario import CONTEXT, SOMEBODY, Scenario
from tests.services.contracts.facts import (
    DRAFTED,
    ID,
    RECALLED,
    RETURNED,
    STANDARD,
    SUBMITTED,
    THE_CONTRACT,
    VOIDED,
    eur,
)

APPROVAL = CONTEXT.derived_id("approval")
HOURS = InForce(default=usual_hours(WEEKENDS_ONLY), on=CONTEXT.today)
CHAINS = InForce(default=CONTRACT_APPROVAL.default_of(CONTEXT.company), on=CONTEXT.today)
SUBMITTING = THE_CONTRACT.knowing(chains=CHAINS, standard=STANDARD, approvers=Approvers(), hours=HOURS)


def person(role: Role, member: int) -> Actor:
    return Actor(subject=f"{role}-{member}", roles=frozenset({role}), member=UUID(int=member))


DIRECTOR, LEGAL, EXECUTIVE = person(Role.SALES_DIRECTOR, 101), person(Role.LEGAL, 102), person(Role.EXECUTIVE, 103)


def submitted(*history: Any, scenario: Scenario = SUBMITTING) -> tuple[Any, list[Any], list[Any]]:
    """The contract after its submission, and the events of the contract and of the approval."""
    outcome = scenario.given(*(history or (DRAFTED,))).when(SubmitContract())
    assert outcome.rejected is None, outcome.rejected
    ours = [fact.event for fact in outcome.facts if fact.to in (None, ID)]
    return outcome.state, ours, [fact.event for fact in outcome.facts if fact.to == APPROVAL]


def waiting(events: list[Any], contract: Any) -> Scenario:
    """The approval as it waits, with what it is about."""
    context = replace(CONTEXT, aggregate_id=APPROVAL)
    return Scenario(aggregate=APPROVALS.family, context=context, history=tuple(events)).knowing(
        subject=Subject(state=contract), hours=HOURS
    )


def test_a_draft_is_submitted_and_an_approval_waits_con_2() -> None:
    state, ours, asked = submitted()
    assert ours == [replace(SUBMITTED, approval_id=APPROVAL)]
    approval = APPROVALS.family.fold(asked)
    assert isinstance(state, SubmittedContract)
    assert isinstance(approval, WaitingApproval)
    assert (approval.name, approval.amount, approval.submitter) == ("Packaging line", eur("120000.00"), "somebody")
    assert [slot.role for slot in approval.waits_for] == [Role.SALES_DIRECTOR, Role.LEGAL]
    assert approval.due is not None
    assert approval.due.date().isoformat() == "2026-03-18"  # two working days after the Monday


def test_direction_and_legal_approve_in_any_order_and_then_the_contract_is_approved_con_2() -> None:
    state, _, asked = submitted()
    first = waiting(asked, state).by(LEGAL).when(Approve())
    assert [type(fact.event).__name__ for fact in first.facts] == ["ContractsApprovalGiven"]
    second = first_then(first, asked, state).by(DIRECTOR).when(Approve(reason="Good"))
    contract_events = [fact.event for fact in second.facts if fact.to == ID]
    approved = ContractApproved(contract_id=ID, approver=DIRECTOR.subject, step="direction-and-legal", reason="Good")
    assert contract_events == [approved]
    assert isinstance(second.state, GrantedApproval)
    assert isinstance(THE_CONTRACT.aggregate.evolve(state, approved), ApprovedContract)


def first_then(outcome: Any, asked: list[Any], state: Any) -> Scenario:
    return waiting([*asked, *(fact.event for fact in outcome.facts if fact.to in (None, APPROVAL))], state)


def test_an_executive_decides_above_the_limit_con_2() -> None:
    state, _, asked = submitted(replace(DRAFTED, total=eur("1000000.01")))
    met = waiting(asked, state)
    for actor in (DIRECTOR, LEGAL):
        met = first_then(met.by(actor).when(Approve()), list(met.history), state)
    approval = APPROVALS.family.fold(met.history)
    assert isinstance(approval, WaitingApproval)
    assert [slot.role for slot in approval.waits_for] == [Role.EXECUTIVE]
    assert isinstance(met.by(EXECUTIVE).when(Approve()).state, GrantedApproval)


def test_up_to_the_limit_no_executive_is_asked_con_2() -> None:
    _, _, asked = submitted(replace(DRAFTED, total=eur("1000000.00")))
    assert len(APPROVALS.family.fold(asked).steps) == 1


def test_whoever_submitted_does_not_decide_con_2() -> None:
    state, _, asked = submitted()
    own = replace(SOMEBODY, roles=frozenset({Role.SALES_DIRECTOR}))
    for command in (Approve(), ReturnForRework(reason="Hm")):
        waiting(asked, state).by(own).when(command).then_rejected("own-submission")
    other_token = replace(own, subject="another-token")  # the same member
    waiting(asked, state).by(other_token).when(Approve()).then_rejected("own-submission")


def test_it_is_returned_for_rework_with_the_reason_and_submitted_again_con_2() -> None:
    state, _, asked = submitted()
    outcome = waiting(asked, state).by(LEGAL).when(ReturnForRework(reason="Retention is missing"))
    returned = ContractReturned(
        contract_id=ID, approver=LEGAL.subject, step="direction-and-legal", reason="Retention is missing"
    )
    assert [fact.event for fact in outcome.facts if fact.to == ID] == [returned]
    assert isinstance(outcome.state, ReturnedApproval)
    back = THE_CONTRACT.aggregate.evolve(state, returned)
    assert isinstance(back, DraftedContract)
    assert back.returned_for == "Retention is missing"
    _, _, again = submitted(DRAFTED, SUBMITTED, RETURNED)
    assert again


def test_submitting_again_records_nothing() -> None:
    SUBMITTING.given(DRAFTED, SUBMITTED).when(SubmitContract()).then()


def test_a_contract_over_nothing_is_not_submitted() -> None:
    SUBMITTING.given(replace(DRAFTED, total=zero("EUR"))).when(SubmitContract()).then_rejected("nothing-to-pay")


@pytest.mark.parametrize("history", [(DRAFTED, VOIDED)])
def test_only_a_draft_is_submitted(history: tuple[object, ...]) -> None:
    SUBMITTING.given(*history).when(SubmitContract()).then_rejected("not-in-this-state")


def test_there_is_nothing_to_submit() -> None:
    SUBMITTING.when(SubmitContract()).then_rejected("does-not-exist")


def test_without_a_step_it_is_approved_at_once_con_2() -> None:
    nobody = InForce(default=ContractChain(chain=ApprovalChain(steps=())), on=CONTEXT.today)
    state, ours, asked = submitted(scenario=SUBMITTING.knowing(chains=nobody))
    assert isinstance(state, ApprovedContract)
    assert ours[-1] == ContractApproved(contract_id=ID, approver="somebody", step="none")
    assert isinstance(APPROVALS.family.fold(asked), GrantedApproval)


def test_what_was_submitted_is_taken_back_together_with_its_approval_con_2() -> None:
    _, ours, asked = submitted()
    approval = APPROVALS.family.fold(asked)
    met = THE_CONTRACT.given(DRAFTED, *ours).knowing(approval=OwnApproval(state=approval))
    outcome = met.when(RecallContract(reason="Another scope"))
    assert outcome.facts[0].event == ContractRecalled(contract_id=ID, by="somebody", reason="Another scope")
    (ended,) = [fact.event for fact in outcome.facts if fact.to == APPROVAL]
    assert isinstance(APPROVALS.family.evolve(approval, ended), RecalledApproval)
    assert isinstance(outcome.state, DraftedContract)


LOST = ReconsiderContract(cause="deal-lost", why="price")
VOIDED_WITH_IT = replace(VOIDED, reason=LOST.reason, cause="deal-lost")


def test_what_waits_is_taken_back_and_voided_once_its_deal_came_to_nothing_con_2() -> None:
    """CON-1: as if it never had been submitted."""
    _, ours, asked = submitted()
    approval = APPROVALS.family.fold(asked)
    met = THE_CONTRACT.given(DRAFTED, *ours).knowing(approval=OwnApproval(state=approval))
    outcome = met.when(LOST)
    (ended,) = [fact.event for fact in outcome.facts if fact.to == APPROVAL]
    assert isinstance(APPROVALS.family.evolve(approval, ended), RecalledApproval)
    assert ended.reason == LOST.reason
    recalled = ContractRecalled(contract_id=ID, by="somebody", reason=LOST.reason)
    outcome.then(recalled, ended, VOIDED_WITH_IT)
    assert isinstance(outcome.state, VoidedContract)


def test_what_history_submitted_is_voided_with_its_deal_without_an_approval_con_1() -> None:
    met = THE_CONTRACT.given(DRAFTED, SUBMITTED).knowing(approval=OwnApproval())
    met.when(LOST).then(replace(RECALLED, reason=LOST.reason), VOIDED_WITH_IT)


def test_what_history_submitted_is_taken_back_without_one_con_2() -> None:
    met = THE_CONTRACT.given(DRAFTED, SUBMITTED).knowing(approval=OwnApproval())
    met.when(RecallContract()).then(RECALLED)


def test_an_approval_that_ends_after_history_approved_the_contract_leaves_it_con_2() -> None:
    state, _, asked = submitted()
    approved = THE_CONTRACT.aggregate.evolve(
        state, ContractApproved(contract_id=ID, approver="imported", step="approval")
    )
    met = waiting(asked, approved)
    met = first_then(met.by(DIRECTOR).when(Approve()), asked, approved)
    outcome = met.by(LEGAL).when(Approve())
    assert [fact for fact in outcome.facts if fact.to == ID] == []
    assert isinstance(outcome.state, GrantedApproval)


def test_what_history_tells_of_a_waiting_contract_ends_its_approval_con_2() -> None:
    state, ours, asked = submitted()
    approval = APPROVALS.family.fold(asked)
    told = ImportContract(
        name="Packaging line",
        total=eur("120000.00"),
        drafted_on=date(2026, 3, 2),
        submitted_on=date(2026, 3, 3),
        approved_on=date(2026, 3, 4),
        deal_id=state.deal_id,
        account_id=state.account_id,
    )
    outcome = THE_CONTRACT.given(DRAFTED, *ours).knowing(approval=OwnApproval(state=approval)).when(told)
    (ended,) = [fact.event for fact in outcome.facts if fact.to == APPROVAL]
    assert isinstance(outcome.state, ApprovedContract)
    assert isinstance(APPROVALS.family.evolve(approval, ended), RecalledApproval)


def test_those_who_sell_submit_con_2() -> None:
    assert THE_CONTRACT.aggregate.handlers[SubmitContract][0].allow == SELLING
