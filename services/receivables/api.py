"""The routes of receivables that do not follow from a handler."""

from fastapi import Request, Response
from pydantic import TypeAdapter

from services.receivables.domain.ledger import ledger
from services.receivables.domain.ledger.receipts import RecordReceipt
from services.receivables.domain.ledger.state import ledger_of
from services.receivables.domain.roles import FINANCE_DESK
from shared.http.command_routes import execute_command
from shared.http.handwritten import CurrentActor, body_of, handwritten, operation

router = handwritten()

RECEIPT = TypeAdapter(RecordReceipt)


@router.post(
    "/v1/receipts", **operation(roles=FINANCE_DESK, body=RecordReceipt, example=RecordReceipt.example, status=201)
)
async def record_receipt(request: Request, asking: CurrentActor) -> Response:
    """Record money that arrived at the bank.

    It enters the customer's ledger (the answer's `id`) and settles open invoices: the one whose number the payer
    stated, then one that is open by exactly what is left, then the oldest due. What is left over stays as the
    customer's credit.
    The customer is a known account. A bank reference is accepted once: again with equal content records nothing, with
    other content is 409.
    """
    body = await body_of(request, RECEIPT)
    receipt = body.value
    return await execute_command(
        request,
        asking,
        ledger,
        ledger_of(receipt.account_id, receipt.amount.currency),
        receipt,
        raw=body.raw,
        operation="recordReceipt",
        created=True,
    )
