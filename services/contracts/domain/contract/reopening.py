"""What becomes of a contract whose deal is open again, or came to nothing (CON-1)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from services.contracts.domain.contract.approval import recall_of
from services.contracts.domain.contract.state import (
    ActiveContract,
    ApprovedContract,
    DraftedContract,
    NoContract,
    SignedContract,
    SubmittedContract,
    VoidedContract,
    contract,
)
from shared.domain.aggregate import Decision
from shared.domain.approval.requesting import OwnApproval
from shared.domain.context import Context
from shared.domain.roles import ONLY_SERVICES
from shared.events.contracts.contract import ContractFlagged, ContractVoided
from shared.events.definition import value

Cause = Literal["deal-reopened", "deal-lost", "deal-abandoned"]
WORDS: Mapping[Cause, str] = {
    "deal-reopened": "The deal was reopened",
    "deal-lost": "The deal was lost",
    "deal-abandoned": "The deal was abandoned",
}


@value
class ReconsiderContract:
    """The contract's deal was reopened, lost or abandoned: void a draft, flag what went further."""

    cause: Cause
    why: str | None = None
    """The code by which the deal was closed."""

    @property
    def reason(self) -> str:
        """The same in words."""
        return WORDS[self.cause] + (f": {self.why}" if self.why else ".")


@contract.decides(allow=ONLY_SERVICES)
def reconsider_draft(state: DraftedContract, command: ReconsiderContract) -> Decision:
    """An unsubmitted draft is not pursued."""
    return [_void(state, command)]


@contract.decides(allow=ONLY_SERVICES)
def reconsider_submitted(
    state: SubmittedContract, command: ReconsiderContract, context: Context, approval: OwnApproval
) -> Decision:
    """Nobody is asked any more about the contract of a deal that came to nothing: it is taken back, and not pursued, as
    if it never had been submitted. Of a deal that is open again somebody should look at it."""
    if command.cause == "deal-reopened":
        return [_flag(state, command)]
    return [*recall_of(state, approval, context, command.reason), _void(state, command)]


@contract.decides(allow=ONLY_SERVICES)
def reconsider(state: ApprovedContract | SignedContract | ActiveContract, command: ReconsiderContract) -> Decision:
    """Somebody should look at a contract that went further."""
    return [_flag(state, command)]


@contract.decides(allow=ONLY_SERVICES)
def reconsider_nothing(state: NoContract | VoidedContract, command: ReconsiderContract) -> Decision:
    """The deal has no live contract."""
    return []


@contract.evolves
def flagged(
    state: SubmittedContract | ApprovedContract | SignedContract | ActiveContract, event: ContractFlagged
) -> SubmittedContract | ApprovedContract | SignedContract | ActiveContract:
    return replace(state, flagged=event.reason)


def _void(state: DraftedContract | SubmittedContract, command: ReconsiderContract) -> ContractVoided:
    return ContractVoided(contract_id=state.id, reason=command.reason, cause=command.cause, deal_id=state.deal_id)


def _flag(
    state: SubmittedContract | ApprovedContract | SignedContract | ActiveContract, command: ReconsiderContract
) -> ContractFlagged:
    return ContractFlagged(contract_id=state.id, reason=command.reason, deal_id=state.deal_id)
