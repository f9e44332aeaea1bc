"""How a contract is approved: in one step, by somebody other than who submitted it (CON-2)."""

from typing import ClassVar

from services.contracts.domain.contract.state import (
    ApprovedContract,
    DraftedContract,
    SubmittedContract,
    carried,
    contract,
)
from shared.domain.aggregate import Decision
from shared.domain.context import Context
from shared.domain.fields import Text
from shared.domain.rejection import Rejected
from shared.domain.roles import SELLING, Reach, Role, permission
from shared.events.contracts.contract import ContractApproved, ContractReturned, ContractSubmitted
from shared.events.definition import value

APPROVING = permission({Role.SALES_DIRECTOR: Reach.ALL, Role.LEGAL: Reach.ALL, Role.EXECUTIVE: Reach.ALL})
"""Those who bind the company."""

STEP = "approval"


@value
class SubmitContract:
    """Ask for the approval of a draft."""

    example: ClassVar[dict[str, object]] = {}


@value
class ApproveContract:
    """Approve a submitted contract."""

    reason: Text | None = None

    example: ClassVar[dict[str, object]] = {"reason": "Standard terms"}


@value
class ReturnContract:
    """Send a submitted contract back for rework."""

    reason: Text
    """What is to be reworked."""

    example: ClassVar[dict[str, object]] = {"reason": "The retention is missing"}


@contract.decides(allow=SELLING)
def submit(state: DraftedContract, command: SubmitContract, context: Context) -> Decision:
    """Ask for the approval of a draft; its terms stand until it is decided."""
    if state.total.amount <= 0:
        raise Rejected("nothing-to-pay", "A contract that is submitted has a total above zero.")
    return [ContractSubmitted(contract_id=state.id, submitter=context.actor.subject, total=state.total)]


@contract.decides(allow=APPROVING)
def approve(state: SubmittedContract, command: ApproveContract, context: Context) -> Decision:
    """Approve a contract that somebody else submitted."""
    approver = _somebody_else(state, context)
    return [ContractApproved(contract_id=state.id, approver=approver, step=STEP, reason=command.reason)]


@contract.decides(allow=APPROVING)
def return_for_rework(state: SubmittedContract, command: ReturnContract, context: Context) -> Decision:
    """Send a contract that somebody else submitted back for rework."""
    approver = _somebody_else(state, context)
    return [ContractReturned(contract_id=state.id, approver=approver, step=STEP, reason=command.reason)]


@contract.already
def is_submitted(state: SubmittedContract, command: SubmitContract) -> bool:
    return True


@contract.already
def is_approved(state: ApprovedContract, command: ApproveContract) -> bool:
    return state.approval_reason == command.reason


@contract.already
def is_returned(state: DraftedContract, command: ReturnContract) -> bool:
    return state.returned_for == command.reason


@contract.evolves
def submitted(state: DraftedContract, event: ContractSubmitted) -> SubmittedContract:
    return SubmittedContract(**carried(state), submitter=event.submitter)


@contract.evolves
def approved(state: SubmittedContract, event: ContractApproved) -> ApprovedContract:
    return ApprovedContract(**carried(state), approver=event.approver, approval_reason=event.reason)


@contract.evolves
def returned(state: SubmittedContract, event: ContractReturned) -> DraftedContract:
    return DraftedContract(**carried(state), returned_for=event.reason)


def _somebody_else(state: SubmittedContract, context: Context) -> str:
    if context.actor.subject == state.submitter:
        raise Rejected("own-submission", "A contract is decided by somebody other than who submitted it.")
    return context.actor.subject
