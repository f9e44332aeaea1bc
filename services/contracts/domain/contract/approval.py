"""How a contract is approved: by whoever its chain asks, never by who submitted it (CON-2)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from services.contracts.domain.contract.state import (
    ApprovedContract,
    Contract,
    DraftedContract,
    SubmittedContract,
    contract,
)
from shared.domain.aggregate import Decision, Occurrence, carried
from shared.domain.approval.chain import Approvers, planned
from shared.domain.approval.family import approvals
from shared.domain.approval.requesting import NO_STEP, Approvable, Outcome, OwnApproval, Submission, recalled, requested
from shared.domain.approval.state import WaitingApproval
from shared.domain.context import Context
from shared.domain.criteria import Facts
from shared.domain.fields import Text
from shared.domain.policy import Counts, InForce
from shared.domain.rejection import Rejected
from shared.domain.roles import READING, SELLING
from shared.events.contracts.contract import ContractApproved, ContractRecalled, ContractReturned, ContractSubmitted
from shared.events.contracts.policy import ContractChain, StandardTerms
from shared.events.definition import value
from shared.events.working_hours import WorkingHours


@value
class SubmitContract:
    """Ask for the approval of a draft."""

    example: ClassVar[dict[str, object]] = {}


@value
class RecallContract:
    """Take a submitted contract back before it is decided."""

    reason: Text | None = None

    example: ClassVar[dict[str, object]] = {"reason": "The customer wants another scope"}


@contract.decides(allow=SELLING)
def submit(
    state: DraftedContract,
    command: SubmitContract,
    context: Context,
    *,
    chains: InForce[ContractChain],
    standard: InForce[StandardTerms],
    approvers: Approvers,
    hours: InForce[WorkingHours],
) -> Decision:
    """Ask for the approval of a draft; its terms stand until it is decided."""
    if state.total.amount <= 0:
        raise Rejected("nothing-to-pay", "A contract that is submitted has a total above zero.")
    policy = chains.of(team=state.team)
    chain = Counts(document=policy.document.chain, version=policy.version)
    approval = requested(
        APPROVALS,
        context,
        Submission(
            kind=contract.name,
            id=state.id,
            name=state.name,
            amount=state.total,
            owner=state.owner,
            team=state.team,
            account_id=state.account_id,
        ),
        chain=chain,
        steps=planned(chain.document, facts_about(state, standard, context), context.actor, approvers),
        hours=hours,
    )
    by = context.actor.subject
    submitted = ContractSubmitted(contract_id=state.id, submitter=by, total=state.total, approval_id=approval.id)
    approved = [ContractApproved(contract_id=state.id, approver=by, step=NO_STEP)] if approval.granted else []
    return [submitted, *approval.events, *approved]


@contract.decides(allow=SELLING)
def recall(state: SubmittedContract, command: RecallContract, context: Context, approval: OwnApproval) -> Decision:
    """Take a submitted contract back; nobody is asked any more, and its terms can change."""
    return recall_of(state, approval, context, command.reason)


@contract.already
def is_submitted(state: SubmittedContract, command: SubmitContract) -> bool:
    return True


@contract.evolves
def submitted(state: DraftedContract, event: ContractSubmitted) -> SubmittedContract:
    return SubmittedContract(**carried(state, Contract), submitter=event.submitter, approval_id=event.approval_id)


@contract.evolves
def approved(state: SubmittedContract, event: ContractApproved) -> ApprovedContract:
    return ApprovedContract(**carried(state, Contract), approver=event.approver, approval_reason=event.reason)


@contract.evolves
def returned(state: SubmittedContract, event: ContractReturned) -> DraftedContract:
    return DraftedContract(**carried(state, Contract), returned_for=event.reason)


@contract.evolves
def was_recalled(state: SubmittedContract, event: ContractRecalled) -> DraftedContract:
    return DraftedContract(**carried(state, Contract))


def recall_of(
    state: SubmittedContract, approval: OwnApproval, context: Context, reason: str | None
) -> list[ContractRecalled | Occurrence]:
    """That a submitted contract is a draft again, together with its approval, of which history has none."""
    back = ContractRecalled(contract_id=state.id, by=context.actor.subject, reason=reason)
    if not isinstance(approval.state, WaitingApproval):
        return [back]
    return [back, recalled(APPROVALS, approval.state, context, reason)]


def facts_about(state: DraftedContract, standard: InForce[StandardTerms], context: Context) -> Facts:
    """What conditions of the chain ask of a contract."""
    days = [term.days for term in state.payment_terms]
    return {
        "amount": state.total.amount,
        "currency": state.total.currency,
        "foreign_currency": state.total.currency != context.company.currency,
        "instalments": Decimal(len(days)),
        "longest_days": Decimal(max(days)),
        "standard_terms": state.payment_terms == standard.of(team=state.team).document.payment_terms,
        "for_deal": state.deal_id is not None,
    }


def _granted(state: Any, outcome: Outcome) -> Sequence[Any]:
    if not isinstance(state, SubmittedContract):
        return []  # history told meanwhile that it was approved
    return [ContractApproved(contract_id=state.id, approver=outcome.by, step=outcome.step, reason=outcome.reason)]


def _returned(state: Any, outcome: Outcome) -> Sequence[Any]:
    if not isinstance(state, SubmittedContract):
        return []
    reason = outcome.reason or ""  # there is one: whoever returns it has to say why
    return [ContractReturned(contract_id=state.id, approver=outcome.by, step=outcome.step, reason=reason)]


APPROVALS = approvals(
    "contract", "contracts", Approvable(aggregate=contract, granted=_granted, returned=_returned), readers=READING
)
