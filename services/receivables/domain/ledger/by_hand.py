"""Manual cash application: a person allocates money, takes it back or puts it elsewhere, each with the reason (REC-4).

What a person decided is never changed by itself: money that was taken back waits until somebody allocates it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import ClassVar
from uuid import UUID

from services.receivables.domain.ledger.allocation import Allocation, allocated, least, reversed_, settled
from services.receivables.domain.ledger.holdings import TAKEN_BACK, TIE, LedgerInvoice, LedgerReceipt
from services.receivables.domain.ledger.receipts import decided
from services.receivables.domain.ledger.state import (
    BY_HAND,
    LedgerAllocation,
    OpenLedger,
    allocations_between,
    ledger,
    receipt_in,
    settling,
)
from services.receivables.domain.roles import FINANCE_DESK
from shared.domain.aggregate import Decision, Occurrence
from shared.domain.context import Context
from shared.domain.fields import Text
from shared.domain.money import check_money
from shared.domain.references import OwnInvoiceId, OwnReceiptId
from shared.domain.rejection import Reason, Rejected, refuse_all
from shared.events.definition import value
from shared.events.money import Money
from shared.events.receivables.ledger import AllocationReversed, ReceiptAllocated


@value
class AllocateReceipt:
    """Allocate money that is left of a receipt to an invoice."""

    receipt_id: OwnReceiptId
    invoice_id: OwnInvoiceId
    reason: Text
    amount: Money | None = None
    """Default: as much as is left of the one and open of the other."""

    example: ClassVar[dict[str, object]] = {
        "receipt_id": "01989f52-6d2c-7a51-9a44-0a4f5b1f7d11",
        "invoice_id": "01989f52-6d2c-7a51-9a44-0a4f5b1f7d12",
        "reason": "The customer says on the phone which one they meant.",
    }


@value
class TakeBackAllocation:
    """Take back what a receipt settles of an invoice."""

    receipt_id: OwnReceiptId
    invoice_id: OwnInvoiceId
    reason: Text
    amount: Money | None = None
    """Default: all of it."""

    example: ClassVar[dict[str, object]] = {
        "receipt_id": "01989f52-6d2c-7a51-9a44-0a4f5b1f7d11",
        "invoice_id": "01989f52-6d2c-7a51-9a44-0a4f5b1f7d12",
        "reason": "The customer meant another invoice.",
    }


@value
class ReAllocateReceipt:
    """Put what a receipt settles of one invoice to another one."""

    receipt_id: OwnReceiptId
    from_invoice_id: OwnInvoiceId
    to_invoice_id: OwnInvoiceId
    reason: Text
    amount: Money | None = None
    """Default: as much as the receipt settles of the one and is open of the other."""

    example: ClassVar[dict[str, object]] = {
        "receipt_id": "01989f52-6d2c-7a51-9a44-0a4f5b1f7d11",
        "from_invoice_id": "01989f52-6d2c-7a51-9a44-0a4f5b1f7d12",
        "to_invoice_id": "01989f52-6d2c-7a51-9a44-0a4f5b1f7d13",
        "reason": "The payer wrote the wrong number.",
    }


@value
class Elsewhere:
    """What a command names and stands in a ledger of the customer in another currency: in which, by its id, as a
    handler is given it."""

    currencies: Mapping[UUID, str]


@ledger.decides(allow=FINANCE_DESK)
def allocate(state: OpenLedger, command: AllocateReceipt, context: Context, elsewhere: Elsewhere) -> Decision:
    """Allocate what is left of a receipt to an invoice, from today on."""
    receipt, invoice = _both(state, elsewhere, command.receipt_id, ("invoice_id", command.invoice_id))
    most = least(receipt.unapplied, invoice.open)
    if most.amount <= 0:
        what = "Nothing is left of the receipt." if receipt.unapplied.amount <= 0 else "Nothing of the invoice is open."
        raise Rejected("nothing-to-allocate", what)
    amount = _amount(command.amount, most)
    return _today(context, _by_hand(state, receipt, invoice, amount, command.reason, context.today))


@ledger.decides(allow=FINANCE_DESK)
def take_back(state: OpenLedger, command: TakeBackAllocation, context: Context, elsewhere: Elsewhere) -> Decision:
    """Take back what a receipt settles of an invoice, from today on: it is open again, and the money waits."""
    receipt, invoice = _both(state, elsewhere, command.receipt_id, ("invoice_id", command.invoice_id))
    amount = _amount(command.amount, _settles(state, receipt, invoice))
    return _today(context, *_reversals(state, receipt, invoice, amount, command.reason, context.today))


@ledger.decides(allow=FINANCE_DESK)
def re_allocate(state: OpenLedger, command: ReAllocateReceipt, context: Context, elsewhere: Elsewhere) -> Decision:
    """Put what a receipt settles of one invoice to another one, from today on."""
    receipt, invoice = _both(state, elsewhere, command.receipt_id, ("from_invoice_id", command.from_invoice_id))
    _, other = _both(state, elsewhere, command.receipt_id, ("to_invoice_id", command.to_invoice_id))
    if other.id == invoice.id:
        raise Rejected("same-invoice", "It settles this invoice already.", field="to_invoice_id")
    if other.open.amount <= 0:
        raise Rejected("nothing-to-allocate", "Nothing of the invoice is open.", field="to_invoice_id")
    amount = _amount(command.amount, least(_settles(state, receipt, invoice), other.open))
    reversals = _reversals(state, receipt, invoice, amount, command.reason, context.today)
    made = _by_hand(state, receipt, other, amount, command.reason, context.today)
    return _today(context, *reversals, made)


@ledger.evolves
def allocation_reversed(state: OpenLedger, event: AllocationReversed) -> OpenLedger:
    after = settling(
        state,
        LedgerAllocation(
            receipt_id=event.receipt_id,
            invoice_id=event.invoice_id,
            amount=-event.amount,
            on=event.allocated_on,
            rule=event.rule,
            of_history=event.of_history,
        ),
    )
    if not event.by_hand:
        return after
    receipt = receipt_in(after, event.receipt_id)
    if receipt.waits != TIE:
        waiting = event.amount + receipt.taken_back if receipt.taken_back else event.amount
        receipt = replace(decided(receipt), waits=TAKEN_BACK, taken_back=waiting)
    return replace(after, receipts=after.receipts.changed(receipt))


def _both(
    books: OpenLedger, elsewhere: Elsewhere, receipt_id: UUID, named: tuple[str, UUID]
) -> tuple[LedgerReceipt, LedgerInvoice]:
    if books.arrange_by is not None:
        raise Rejected("import-running", "An import tells of this customer just now. Try again once it has ended.")
    field, invoice_id = named
    receipt, invoice = books.receipts.get(receipt_id), books.invoices.get(invoice_id)
    faults = []
    if receipt is None:
        faults.append(_missing(books, elsewhere, "receipt", receipt_id, "receipt_id"))
    if invoice is None:
        faults.append(_missing(books, elsewhere, "invoice", invoice_id, field))
    refuse_all("invalid-allocation", "The allocation is invalid.", faults)
    assert receipt is not None
    assert invoice is not None
    return receipt, invoice


def _missing(books: OpenLedger, elsewhere: Elsewhere, what: str, document_id: UUID, field: str) -> Reason:
    """Why a receipt or an invoice is none of the ledger."""
    if (currency := elsewhere.currencies.get(document_id)) is None:
        return Reason(code=f"unknown-{what}", message=f"This {what} is not in the ledger.", field=field)
    message = f"This {what} is in {currency}, the ledger in {books.currency}: money pays invoices of its own currency."
    return Reason(code="other-currency", message=message, field=field)


def _settles(books: OpenLedger, receipt: LedgerReceipt, invoice: LedgerInvoice) -> Money:
    """How much of the invoice the receipt settles."""
    parts = list(allocations_between(books, receipt.id, invoice.id))
    if not parts:
        raise Rejected("not-allocated", "The receipt settles nothing of this invoice.")
    first, *rest = parts
    return sum((each.amount for each in rest), first.amount)


def _amount(asked: Money | None, most: Money) -> Money:
    if asked is None:
        return most
    amount = check_money(asked, "amount", currency=most.currency, whose="the ledger's currency")
    if amount.amount <= 0:
        raise Rejected("not-positive", "The amount is above zero.", field="amount.amount")
    if amount.amount > most.amount:
        raise Rejected("exceeds-open-amount", f"It can be at most {most}.", field="amount.amount")
    return amount


def _by_hand(  # noqa: PLR0917
    books: OpenLedger, receipt: LedgerReceipt, invoice: LedgerInvoice, amount: Money, reason: str, on: date
) -> ReceiptAllocated:
    part = Allocation(receipt=receipt, invoice=invoice, amount=amount, rule=BY_HAND)
    return allocated(books, part, on=on, reason=reason)


def _reversals(  # noqa: PLR0917
    books: OpenLedger, receipt: LedgerReceipt, invoice: LedgerInvoice, amount: Money, reason: str, on: date
) -> Iterator[AllocationReversed]:
    """What is taken back of what the receipt settles of the invoice, the newest first."""
    left = amount
    for each in allocations_between(books, receipt.id, invoice.id):
        part = least(left, each.amount)
        if part.amount > 0:
            yield replace(reversed_(books, invoice, each, part, on=on, reason=reason), by_hand=True)
            invoice, left = settled(invoice, -part), left - part


def _today(context: Context, *events: ReceiptAllocated | AllocationReversed) -> list[Occurrence]:
    return [Occurrence(event=event, at=context.moment(event.on)) for event in events]
