"""What handlers of receivables need beyond their own state."""

from dataclasses import replace
from typing import Any

from services.receivables.domain.invoicing import (
    TOLD_INVOICE,
    ContractPlan,
    ImportInvoice,
    IssueInvoice,
    ToldBefore,
)
from services.receivables.domain.ledger import ledger
from services.receivables.domain.ledger.by_hand import (
    AllocateReceipt,
    Elsewhere,
    ReAllocateReceipt,
    TakeBackAllocation,
)
from services.receivables.domain.ledger.receipts import (
    BANK_REFERENCE,
    ImportReceipt,
    RecordReceipt,
    ReferenceHolder,
)
from services.receivables.domain.ledger.state import OpenLedger, empty, ledger_of
from services.receivables.domain.numbers import (
    INVOICE_NUMBER,
    NextNumber,
    NumberHolder,
    next_number,
    number_key,
    number_series,
    series_of,
)
from services.receivables.domain.plan import DrawnUpPaymentPlan, DrawUpPlan, NoPlan, payment_plan, plan_of
from services.receivables.projections.books import BOOKS_PROJECTION
from shared.commands.loaders import LoaderContext, reads
from shared.domain.context import Context


async def number_in_series(
    reader: LoaderContext, state: Any, command: IssueInvoice | ImportInvoice, context: Context
) -> NextNumber:
    """The next number of the legal entity; whoever takes it appends at the version that was read here. One that an
    invoice of history has is passed over."""
    series, _ = await reader.state(number_series, series_of(command.legal_entity))
    free = next_number(series, command.legal_entity)
    if isinstance(command, IssueInvoice):
        while await reader.claim_holder(INVOICE_NUMBER, number_key(free.legal_entity, free.text)):
            free = replace(free, number=free.number + 1)
    return free


async def books_of_plan(
    reader: LoaderContext, state: NoPlan | DrawnUpPaymentPlan, command: IssueInvoice | DrawUpPlan, context: Context
) -> OpenLedger:
    """The ledger of the plan's customer, in the currency of the plan."""
    plan = command if isinstance(command, DrawUpPlan) else state
    account_id, currency = plan.account_id, plan.total.currency  # type: ignore[union-attr]
    books, _ = await reader.state(ledger, ledger_of(account_id, currency))
    if isinstance(command, DrawUpPlan):
        # An invoice of history that comes in meanwhile counts: it finds the plan, or the plan finds it.
        reader.rest_on(ledger, ledger_of(account_id, currency))
    return books if isinstance(books, OpenLedger) else empty(account_id, currency)


async def plan_of_contract(reader: LoaderContext, state: Any, command: ImportInvoice, context: Context) -> ContractPlan:
    """The payment plan of an invoice's contract, if there is one."""
    if command.contract_id is None:
        return ContractPlan(plan=None)
    plan, _ = await reader.state(payment_plan, plan_of(command.contract_id))
    reader.rest_on(payment_plan, plan_of(command.contract_id))
    return ContractPlan(plan=plan if isinstance(plan, DrawnUpPaymentPlan) else None)


async def holder_of_number(reader: LoaderContext, state: Any, command: ImportInvoice, context: Context) -> NumberHolder:
    """Where an invoice of this number stands already."""
    if command.number is None:
        return NumberHolder(ledger_id=None)
    key = number_key(command.legal_entity, command.number)
    return NumberHolder(ledger_id=await reader.claim_holder(INVOICE_NUMBER, key))


async def told_before(reader: LoaderContext, state: Any, command: ImportInvoice, context: Context) -> ToldBefore:
    """The invoice in another ledger than this one."""
    holder = await reader.claim_holder(TOLD_INVOICE, str(command.invoice_id))
    if holder in (None, context.aggregate_id):
        return ToldBefore()
    books, _ = await reader.state(ledger, holder)
    known = books.invoices.get(command.invoice_id)
    return ToldBefore(account_id=books.account_id, amount=known.amount)


NAMED = """
select id, currency from {view}.invoice where id = any($1) and account_id = $2 and ledger_id <> $3
union all
select id, currency from {view}.receipt where id = any($1) and account_id = $2 and ledger_id <> $3
"""


@reads(BOOKS_PROJECTION.name)
async def elsewhere(
    reader: LoaderContext,
    state: OpenLedger,
    command: AllocateReceipt | TakeBackAllocation | ReAllocateReceipt,
    context: Context,
) -> Elsewhere:
    """Where what is named and is not in the ledger stands, as far as the lists know it by now."""
    invoices = (
        (command.from_invoice_id, command.to_invoice_id)
        if isinstance(command, ReAllocateReceipt)
        else (command.invoice_id,)
    )
    missing = [each for each in invoices if state.invoices.get(each) is None]
    missing += [] if state.receipts.get(command.receipt_id) else [command.receipt_id]
    rows = await reader.fetch(BOOKS_PROJECTION, NAMED, missing, state.account_id, state.id) if missing else []
    return Elsewhere(currencies={row["id"]: row["currency"] for row in rows})


async def holder_of_reference(
    reader: LoaderContext, state: Any, command: RecordReceipt | ImportReceipt, context: Context
) -> ReferenceHolder:
    """Where the bank reference was recorded before."""
    return ReferenceHolder(ledger_id=await reader.claim_holder(BANK_REFERENCE, command.bank_reference))
