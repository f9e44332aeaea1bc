"""How an invoice is issued: instalment, number and ledger in one command, all or nothing (REC-2)."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, ClassVar
from uuid import UUID

from annotated_types import Ge, MaxLen, MinLen

from services.receivables.domain.ledger.arrangement import MAX_WITHOUT_NEWS, ArrangeHistory
from services.receivables.domain.ledger.holdings import LedgerInvoice
from services.receivables.domain.ledger.invoices import dated, enter
from services.receivables.domain.ledger.state import NoLedger, OpenLedger, empty, ledger, ledger_of, movement
from services.receivables.domain.numbers import (
    DEFAULT_ENTITY,
    INVOICE_NUMBER,
    LegalEntity,
    NextNumber,
    NumberHolder,
    check_legal_entity,
    number_key,
)
from services.receivables.domain.plan import (
    DrawnUpPaymentPlan,
    PlannedInstalment,
    counted,
    payment_plan,
    prior_invoice_counted,
    prior_invoices,
)
from services.receivables.domain.roles import FINANCE_DESK
from shared.domain.aggregate import Claim, Decision, Occurrence
from shared.domain.context import Context
from shared.domain.fields import NOT_BLANK, Day
from shared.domain.imports import ONCE
from shared.domain.money import check_money
from shared.domain.references import AccountId, ContractId, DealId, MemberId, OwnInvoiceId, TeamId
from shared.domain.rejection import Rejected, all_at_once, refuse_otherwise
from shared.events.chronology import Rank
from shared.events.definition import value
from shared.events.money import Money
from shared.events.receivables.ledger import InvoiceIssued
from shared.events.receivables.number_series import NumberSeriesLifted
from shared.events.receivables.payment_plan import InstalmentInvoiced, PriorInvoiceCounted

TOLD_INVOICE = "told-invoice"
"""The kind of claim by which an invoice of history stands in one ledger: not in those of two currencies."""
SERIES_LIFTED = "number-series-lifted"
"""What is assumed of an invoice whose number has the form of its legal entity's own series: that goes on above it."""


@value
class IssueInvoice:
    """Issue the invoice of an instalment."""

    number: Annotated[int, Ge(1)]
    """The instalment's number in the plan."""
    on: Day | None = None
    """The day of the invoice; default: today."""
    legal_entity: LegalEntity = DEFAULT_ENTITY
    """Whose number series it takes its number from: capital letters and digits."""

    example: ClassVar[dict[str, object]] = {"number": 1}


@value
class ImportInvoice:
    """An invoice of the past that belongs to no plan here."""

    account_id: AccountId
    invoice_id: OwnInvoiceId
    """Derived from its outside id, so that importing it again finds it."""
    amount: Money
    on: Day
    due: Day
    number: Annotated[str, MinLen(1), MaxLen(64), NOT_BLANK] | None = None
    """As it stands on the invoice, once in its legal entity; without one the invoice is shown by its outside id."""
    legal_entity: LegalEntity = DEFAULT_ENTITY
    contract_id: ContractId | None = None
    deal_id: DealId | None = None
    owner: MemberId | None = None
    team: TeamId | None = None
    outside_id: str | None = None
    """By what the system knows it that it comes from."""


@value
class ContractPlan:
    """The payment plan of an invoice's contract, as a handler is given it."""

    plan: DrawnUpPaymentPlan | None


@value
class ToldBefore:
    """The invoice as history told it before in another ledger: of another customer, or in another currency; as a
    handler is given it."""

    account_id: UUID | None = None
    amount: Money | None = None


@payment_plan.decides(allow=FINANCE_DESK)
def issue_invoice(
    state: DrawnUpPaymentPlan, command: IssueInvoice, context: Context, next_number: NextNumber, books: OpenLedger
) -> Decision:
    """Issue the invoice of an instalment, for what of it is left to invoice.

    It takes the next number of the legal entity's series and enters the customer's ledger. It falls due with its
    instalment, and not before its own day. Standing credit of the customer settles it, the oldest first.
    """
    prior = list(prior_invoices(state, books))
    for event in prior:
        state = prior_invoice_counted(state, event)
    plan, on = state, command.on or context.today
    all_at_once(
        lambda: check_legal_entity(command.legal_entity),
        lambda: _to_invoice(plan, command.number),
        lambda: _check_day(on, plan, next_number, context),
    )
    instalment = _to_invoice(plan, command.number)
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
        amount=instalment.left,
        on=on,
        due=max(instalment.due, on),
        contract_id=state.contract_id,
        plan_id=state.id,
        instalment=command.number,
        deal_id=state.deal_id,
        owner=state.owner,
        team=state.team,
        entries=movement("receivable", "revenue", instalment.left),
    )
    return [
        *(Occurrence(event=event) for event in prior),
        Occurrence(event=plan_invoiced, at=context.moment(on)),
        next_number.taken(invoice_id, on, at=context.moment(on)),
        *enter(books, invoice, context),
    ]


@ledger.imports(
    "invoice",
    InvoiceIssued,
    PriorInvoiceCounted,
    NumberSeriesLifted,
    about="invoice",
    rank=Rank.OPENING,
    again=ONCE,
    stream=lambda command: ledger_of(command.account_id, command.amount.currency),
    assumed=lambda events: [SERIES_LIFTED for event in events if isinstance(event, NumberSeriesLifted)],
    afterwards=ArrangeHistory(),
)
def import_invoice(  # noqa: PLR0917
    state: NoLedger | OpenLedger,
    command: ImportInvoice,
    context: Context,
    next_number: NextNumber,
    numbered: NumberHolder,
    contract: ContractPlan,
    before: ToldBefore,
) -> Decision:
    """Record an invoice of the past. What settles it is decided once everything is told (`ArrangeHistory`)."""
    check_legal_entity(command.legal_entity)
    at = context.past_moment(command.on)
    amount = check_money(command.amount, "amount")
    if amount.amount <= 0:
        raise Rejected("nothing-to-pay", "An invoice asks for money.", field="amount.amount")
    if context.aggregate_id != ledger_of(command.account_id, amount.currency):
        raise Rejected(
            "other-ledger", "It belongs into the ledger of another customer or currency.", field="account_id"
        )
    books = state if isinstance(state, OpenLedger) else empty(command.account_id, amount.currency)
    if before.amount is not None:
        said = {"account_id": command.account_id, "amount": amount}
        refuse_otherwise({"account_id": before.account_id, "amount": before.amount}, said)
    if known := books.invoices.get(command.invoice_id):
        refuse_otherwise(_known(known), _said(command))
    outside_id = command.outside_id or str(command.invoice_id)
    number = command.number.strip() if command.number else outside_id
    if command.number and (numbered.ledger_id not in (None, books.id) or _has(books, number, command.legal_entity)):
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
        outside_id=outside_id,
        unnumbered=command.number is None,
        arrange_by=context.now + MAX_WITHOUT_NEWS,
    )
    lifted = next_number.lifted_by(number, command.invoice_id, command.on, at) if command.number else []
    return [*lifted, Occurrence(event=dated(invoice, context), to=books.id, at=at), *_counted(contract.plan, invoice)]


@payment_plan.already
def is_issued(state: DrawnUpPaymentPlan, command: IssueInvoice) -> bool:
    instalment = state.instalment(command.number)
    return (
        instalment is not None
        and instalment.invoice_number is not None
        and instalment.legal_entity == command.legal_entity
        and command.on in (None, instalment.invoiced_on)
    )


@ledger.already
def is_imported(state: OpenLedger, command: ImportInvoice) -> bool:
    known = state.invoices.get(command.invoice_id)
    return known is not None and {**_known(known), **_said(command)} == _known(known)


@ledger.takes
def number_and_invoice(event: InvoiceIssued) -> Iterable[Claim]:
    if not event.unnumbered:
        yield Claim(kind=INVOICE_NUMBER, key=number_key(event.legal_entity, event.number))
    if event.outside_id is not None:
        yield Claim(kind=TOLD_INVOICE, key=str(event.invoice_id))


def _to_invoice(plan: DrawnUpPaymentPlan, number: int) -> PlannedInstalment:
    """The instalment of a number, of which there is something to invoice."""
    instalment = plan.instalment(number)
    if instalment is None:
        raise Rejected("unknown-instalment", f"The plan has no instalment {number}.", field="number")
    if instalment.invoice_number is not None:
        raise Rejected("already-invoiced", f"Instalment {number} has invoice {instalment.invoice_number}.")
    if instalment.left.amount <= 0:
        raise Rejected("nothing-to-pay", f"Nothing of instalment {number} is left to invoice.", field="number")
    return instalment


def _check_day(on: date, plan: DrawnUpPaymentPlan, next_number: NextNumber, context: Context) -> None:
    if on > context.today:
        raise Rejected("in-the-future", "An invoice is not issued in the future.", field="on")
    if plan.in_force_on and on < plan.in_force_on:
        raise Rejected("before-it-began", f"The contract is in force since {plan.in_force_on}.", field="on")
    if next_number.since and on < next_number.since:
        message = f"The number before is of {next_number.since}: numbers follow the days of their invoices."
        raise Rejected("before-the-last-number", message, field="on")


def _has(books: OpenLedger, number: str, legal_entity: str) -> bool:
    """Whether an invoice of the ledger has this number already; those without one have none."""
    return any(
        other.legal_entity in (None, legal_entity) and not other.unnumbered for other in books.invoices.called(number)
    )


def _counted(plan: DrawnUpPaymentPlan | None, invoice: InvoiceIssued) -> list[Occurrence]:
    """What of the contract's plan is not left to invoice any more. An invoice in another currency than the contract's
    takes nothing from it: nobody knows how much, and the plan looks into the ledger of its own currency alone."""
    if plan is None or plan.total.currency != invoice.amount.currency:
        return []
    event = counted(plan, invoice.invoice_id, invoice.number, invoice.amount, invoice.on)
    return [Occurrence(event=event, to=plan.id)]


def _known(invoice: LedgerInvoice) -> dict[str, Any]:
    return {"amount": invoice.amount, "on": invoice.on, "due": invoice.due, "number": invoice.number}


def _said(command: ImportInvoice) -> dict[str, Any]:
    """What a line of history says; the number only where it says one."""
    said = {"amount": command.amount, "on": command.on, "due": command.due}
    return said | ({"number": command.number.strip()} if command.number else {})
