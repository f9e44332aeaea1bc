"""How an invoice is issued: instalment, number and ledger in one command, all or nothing (REC-2)."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar
from uuid import UUID

from annotated_types import Ge, MaxLen, MinLen

from services.receivables.domain.ledger.holdings import LedgerInvoice
from services.receivables.domain.ledger.invoices import enter
from services.receivables.domain.ledger.state import NoLedger, OpenLedger, empty, ledger, ledger_of, movement
from services.receivables.domain.numbers import USUAL_ENTITY, LegalEntity, NextNumber, check_legal_entity
from services.receivables.domain.plan import DrawnUpPaymentPlan, payment_plan
from services.receivables.domain.roles import FINANCE_DESK
from shared.domain.aggregate import Fact
from shared.domain.calendar import Day
from shared.domain.context import Context
from shared.domain.money import Money, check_money
from shared.domain.rejection import Rejected, refuse_otherwise
from shared.domain.roles import ONLY_SERVICES
from shared.domain.text import NOT_BLANK
from shared.events.definition import value
from shared.events.receivables import InstalmentInvoiced, InvoiceIssued


@value
class IssueInvoice:
    """Issue the invoice of an instalment."""

    number: Annotated[int, Ge(1)]
    """The instalment's number in the plan."""
    on: Day | None = None
    """The day of the invoice; default: today."""
    legal_entity: LegalEntity = USUAL_ENTITY
    """Whose number series it takes its number from: capital letters and digits."""

    example: ClassVar[dict[str, object]] = {"number": 1}


@value
class ImportInvoice:
    """An invoice of the past that belongs to no plan here."""

    account_id: UUID
    invoice_id: UUID
    """Derived from its outside id, so that importing it again finds it."""
    amount: Money
    on: Day
    due: Day
    number: Annotated[str, MinLen(1), MaxLen(64), NOT_BLANK] | None = None
    """As it stands on the invoice; without one it takes the next of the series."""
    legal_entity: LegalEntity = USUAL_ENTITY
    contract_id: UUID | None = None
    deal_id: UUID | None = None
    owner: UUID | None = None
    team: UUID | None = None


@payment_plan.decides(allow=FINANCE_DESK)
def issue_invoice(
    state: DrawnUpPaymentPlan, command: IssueInvoice, context: Context, next_number: NextNumber, books: OpenLedger
) -> Sequence[Fact]:
    """Issue the invoice of an instalment.

    It takes the next number of the legal entity's series and enters the customer's ledger. It falls due with its
    instalment, and not before its own day.
    """
    check_legal_entity(command.legal_entity)
    instalment = state.instalment(command.number)
    if instalment is None:
        raise Rejected("no-such-instalment", f"The plan has no instalment {command.number}.", field="number")
    if instalment.invoice_number is not None:
        raise Rejected("already-invoiced", f"Instalment {command.number} has invoice {instalment.invoice_number}.")
    if instalment.amount.amount <= 0:
        raise Rejected("nothing-to-pay", f"Instalment {command.number} is zero.", field="number")
    on = command.on or context.today
    if on > context.today:
        raise Rejected("in-the-future", "An invoice is not issued in the future.", field="on")
    invoice_id = context.derived_id("invoice")
    plan_invoiced = InstalmentInvoiced(
        plan_id=state.id,
        number=command.number,
        invoice_id=invoice_id,
        invoice_number=next_number.text,
        on=on,
        legal_entity=command.legal_entity,
    )
    invoice = InvoiceIssued(
        ledger_id=books.id,
        account_id=state.account_id,
        invoice_id=invoice_id,
        number=next_number.text,
        legal_entity=command.legal_entity,
        amount=instalment.amount,
        on=on,
        due=max(instalment.due, on),
        contract_id=state.contract_id,
        plan_id=state.id,
        instalment=command.number,
        deal_id=state.deal_id,
        owner=state.owner,
        team=state.team,
        entries=movement("receivable", "revenue", instalment.amount),
    )
    return [
        Fact(event=plan_invoiced, at=context.moment(on)),
        next_number.taken(invoice_id, at=context.moment(on)),
        *enter(books, invoice, context),
    ]


@payment_plan.already
def is_issued(state: DrawnUpPaymentPlan, command: IssueInvoice) -> bool:
    instalment = state.instalment(command.number)
    return (
        instalment is not None
        and instalment.invoice_number is not None
        and instalment.legal_entity == command.legal_entity
        and command.on in (None, instalment.invoiced_on)
    )


@ledger.decides(allow=ONLY_SERVICES)
def import_invoice(
    state: NoLedger | OpenLedger, command: ImportInvoice, context: Context, next_number: NextNumber
) -> Sequence[Fact]:
    """Record an invoice of the past."""
    check_legal_entity(command.legal_entity)
    at = context.past_moment(command.on)
    amount = check_money(command.amount, context.company.currency, "amount")
    if amount.amount <= 0:
        raise Rejected("nothing-to-pay", "An invoice asks for money.", field="amount.amount")
    if context.aggregate_id != ledger_of(command.account_id, amount.currency):
        raise Rejected("other-ledger", "The invoice belongs into another customer's ledger.", field="account_id")
    if command.number is not None and re.fullmatch(r"[A-Z0-9]+-\d{6,}", command.number):
        raise Rejected("number-of-a-series", "This number is for a series to give.", field="number")
    number = command.number or next_number.text
    books = state if isinstance(state, OpenLedger) else empty(command.account_id, amount.currency)
    if known := books.invoices.get(command.invoice_id):
        refuse_otherwise(_known(known), {**_said(command), "number": command.number or known.number})
    if any(other.number == number for other in books.invoices.called(number)):
        raise Rejected("already-invoiced", "Another invoice has this number.", field="number")
    invoice = InvoiceIssued(
        ledger_id=books.id,
        account_id=command.account_id,
        invoice_id=command.invoice_id,
        number=number,
        legal_entity=command.legal_entity,
        amount=amount,
        on=command.on,
        due=command.due,
        contract_id=command.contract_id,
        deal_id=command.deal_id,
        owner=command.owner,
        team=command.team,
        entries=movement("receivable", "revenue", amount),
    )
    taken = [] if command.number else [next_number.taken(command.invoice_id, at=at)]
    return [*taken, *enter(books, invoice, context)]


@ledger.already
def is_imported(state: OpenLedger, command: ImportInvoice) -> bool:
    known = state.invoices.get(command.invoice_id)
    return known is not None and _known(known) == {**_said(command), "number": command.number or known.number}


def _known(invoice: LedgerInvoice) -> dict[str, Any]:
    return {"amount": invoice.amount, "on": invoice.on, "due": invoice.due, "number": invoice.number}


def _said(command: ImportInvoice) -> dict[str, Any]:
    return {"amount": command.amount, "on": command.on, "due": command.due}
