"""The routes of contracts that do not follow from a handler."""

from fastapi import Request, Response
from pydantic import TypeAdapter

from services.contracts.domain.contract import contract
from services.contracts.domain.contract.drafting import DraftContract
from services.contracts.domain.contract.state import contract_of
from shared.domain.roles import SELLING
from shared.http.command_routes import execute_command
from shared.http.handwritten import CurrentActor, body_of, handwritten, operation
from shared.ops.ids import new_id

router = handwritten()

DRAFT = TypeAdapter(DraftContract)


@router.post(
    "/v1/contracts",
    **operation(roles=SELLING, body=DraftContract, example=DraftContract.example, status=201),
)
async def draft_contract(request: Request, asking: CurrentActor) -> Response:
    """Draft a contract directly.

    A deal has one contract, whose id follows from the deal's: when it has one already that says something else, the
    answer is 409. A rep drafts for a deal of their own, a manager for those of their teams; the contract is whose the
    deal is. A deal that one does not see is refused like one that is not there. Without a deal, every request makes a
    contract of its own.
    """
    body = await body_of(request, DRAFT)
    deal_id = body.value.deal_id
    return await execute_command(
        request,
        asking,
        contract,
        contract_of(deal_id) if deal_id else new_id(),
        body.value,
        raw=body.raw,
        operation="draftContract",
        created=True,
    )
