"""Which invoices a receipt settles (REC-4): by reference, then exact amount, then oldest due first."""

from collections.abc import Iterator
from dataclasses import replace

from services.receivables.domain.ledger.holdings import Invoices, LedgerInvoice, LedgerReceipt
from services.receivables.domain.ledger.state import OpenLedger, movement
from shared.domain.money import Money
from shared.events.definition import value
from shared.events.receivables import ReceiptAllocated


@value
class Allocation:
    """A part of a receipt for an invoice, and the rule that chose it."""

    invoice: LedgerInvoice
    amount: Money
    rule: str


def allocate(receipt: LedgerReceipt, invoices: Invoices) -> Iterator[Allocation]:
    """What of a receipt goes to which open invoice. What is left over stays as the customer's credit."""
    left = receipt.unapplied
    while left.amount > 0 and (found := _next(receipt, left, invoices)):
        invoice, rule = found
        amount = min(left, invoice.open, key=lambda money: money.amount)
        left = left - amount
        invoices = invoices.changed(settled(invoice, amount))
        yield Allocation(invoice=invoice, amount=amount, rule=rule)


def _next(receipt: LedgerReceipt, left: Money, invoices: Invoices) -> tuple[LedgerInvoice, str] | None:
    if named := _named(receipt, invoices):
        return named, "reference"
    if exact := invoices.open_by(left.amount):
        return exact, "exact-amount"
    oldest = invoices.oldest()
    return (oldest, "oldest-due") if oldest else None


def _named(receipt: LedgerReceipt, invoices: Invoices) -> LedgerInvoice | None:
    if receipt.reference is None:
        return None
    waiting = (each for each in invoices.called(receipt.reference) if each.open.amount > 0)
    return min(waiting, key=lambda each: (each.due, each.number), default=None)


def use_credit(state: OpenLedger, invoice: LedgerInvoice) -> Iterator[ReceiptAllocated]:
    """What standing credit settles of a new invoice. Credit is the customer's: only a receipt that named the invoice
    before it was written settles it by itself; other credit waits until somebody allocates it."""
    for receipt in state.receipts.left_for(invoice.number):
        amount = min(receipt.unapplied, invoice.open, key=lambda money: money.amount)
        if amount.amount > 0:
            yield allocated(state, receipt, Allocation(invoice=invoice, amount=amount, rule="reference"))
            invoice = settled(invoice, amount)


def settled(invoice: LedgerInvoice, amount: Money) -> LedgerInvoice:
    """The invoice with less open."""
    return replace(invoice, open=invoice.open - amount)


def allocated(state: OpenLedger, receipt: LedgerReceipt, allocation: Allocation) -> ReceiptAllocated:
    """The fact that a part of a receipt settles an invoice: from the later day of the two on."""
    invoice = allocation.invoice
    return ReceiptAllocated(
        ledger_id=state.id,
        account_id=state.account_id,
        receipt_id=receipt.id,
        invoice_id=invoice.id,
        invoice_number=invoice.number,
        amount=allocation.amount,
        open_after=invoice.open - allocation.amount,
        rule=allocation.rule,
        on=max(receipt.on, invoice.on),
        owner=invoice.owner,
        team=invoice.team,
        contract_id=invoice.contract_id,
        deal_id=invoice.deal_id,
        entries=movement("unapplied-credit", "receivable", allocation.amount),
    )
