"""What handlers of receivables need beyond their own state."""

from dataclasses import replace
from typing import Any

from services.receivables.domain.invoicing import ContractPlan, ImportInvoice, IssueInvoice
from services.receivables.domain.ledger import ledger
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
from shared.commands.loaders import LoaderContext
from shared.directory.references import references
from shared.domain.context import Context
from shared.domain.references import References


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
    """The ledger of the plan's customer."""
    account_id = command.account_id if isinstance(command, DrawUpPlan) else state.account_id  # type: ignore[union-attr]
    currency = context.company.currency
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


async def holder_of_reference(
    reader: LoaderContext, state: Any, command: RecordReceipt | ImportReceipt, context: Context
) -> ReferenceHolder:
    """Where the bank reference was recorded before."""
    return ReferenceHolder(ledger_id=await reader.claim_holder(BANK_REFERENCE, command.bank_reference))


async def payer(reader: LoaderContext, state: Any, command: RecordReceipt, context: Context) -> References:
    """Whether the account that paid is known here; whoever has a ledger is a customer already."""
    if isinstance(state, OpenLedger):
        return References()
    return await references(reader, state, command, context)
