"""The routes of contracts that do not follow from a handler."""

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from services.contracts.domain.contract import contract
from services.contracts.domain.contract.drafting import DraftContract
from services.contracts.domain.contract.state import contract_of
from shared.domain.permission import reach_of
from shared.domain.roles import SELLING, Reach
from shared.ops.ids import new_id
from shared.store.errors import Forbidden
from shared.web.commands import carry_out
from shared.web.routes import Asking, body_of, operation

router = APIRouter()

DRAFT = TypeAdapter(DraftContract)


@router.post("/v1/contracts", **operation(roles=SELLING, body=DraftContract, example=DraftContract.example, status=201))
async def draft_contract(request: Request, asking: Asking) -> Response:
    """Draft a contract directly.

    A deal has one contract, whose id follows from the deal's: when it has one already that says something else, the
    answer is 409. Whoever drafts it for a deal reaches every deal, as direction and operations do; for others the
    draft comes with the deal's contract stage or its win. Without a deal, every request makes a contract of its own.
    """
    body = await body_of(request, DRAFT)
    deal_id = body.value.deal_id
    # Whose a deal is stands in the deals' service alone: only who reaches all of them is sure to reach this one.
    if deal_id and reach_of(asking, SELLING) is not Reach.ALL:
        raise Forbidden("Only who reaches every deal drafts for one; yours is drafted with its contract stage or win.")
    return await carry_out(
        request,
        asking,
        contract,
        contract_of(deal_id) if deal_id else new_id(),
        body.value,
        raw=body.raw,
        operation="draftContract",
        created=True,
    )
