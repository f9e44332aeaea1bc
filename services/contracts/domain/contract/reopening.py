"""What becomes of a contract whose deal is open again, or came to nothing (CON-1)."""

from dataclasses import replace
from typing import Literal

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
from shared.domain.fields import Text
from shared.domain.roles import ONLY_SERVICES
from shared.events.contracts.contract import ContractFlagged, ContractVoided
from shared.events.definition import value


@value
class ReconsiderContract:
    """The contract's deal was reopened, lost or abandoned: void a draft, flag what went further."""

    reason: Text
    cause: Literal["deal-reopened", "deal-lost", "deal-abandoned"]
    """The same as a word, which is published."""


@contract.decides(allow=ONLY_SERVICES)
def reconsider_draft(state: DraftedContract, command: ReconsiderContract) -> Decision:
    """An unsubmitted draft is not pursued."""
    return [ContractVoided(contract_id=state.id, reason=command.reason, cause=command.cause, deal_id=state.deal_id)]


@contract.decides(allow=ONLY_SERVICES)
def reconsider(
    state: SubmittedContract | ApprovedContract | SignedContract | ActiveContract, command: ReconsiderContract
) -> Decision:
    """Somebody should look at a contract that went further."""
    return [ContractFlagged(contract_id=state.id, reason=command.reason, deal_id=state.deal_id)]


@contract.decides(allow=ONLY_SERVICES)
def reconsider_nothing(state: NoContract | VoidedContract, command: ReconsiderContract) -> Decision:
    """The deal has no live contract."""
    return []


@contract.evolves
def flagged(
    state: SubmittedContract | ApprovedContract | SignedContract | ActiveContract, event: ContractFlagged
) -> SubmittedContract | ApprovedContract | SignedContract | ActiveContract:
    return replace(state, flagged=event.reason)
