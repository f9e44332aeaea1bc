"""Which invoices a receipt settles (REC-4): by reference, then exact amount, then oldest due first."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from services.receivables.domain.ledger.state import LedgerInvoice, LedgerReceipt, OpenLedger, movement
from shared.domain.money import Money
from shared.events.definition import value
from shared.events.receivables import ReceiptAllocated


@value
class Allocation:
    """A part of a receipt for an invoice, and the rule that chose it."""

    invoice: LedgerInvoice
    amount: Money
    rule: str


def allocate(receipt: LedgerReceipt, invoices: Sequence[LedgerInvoice]) -> Iterator[Allocation]:
    """What of a receipt goes to which open invoice. What is left over stays as the customer's credit."""
    left = receipt.unapplied
    waiting = sorted((each for each in invoices if each.open.amount > 0), key=lambda each: (each.due, each.number))
    while left.amount > 0 and waiting:
        invoice, rule = _next(receipt, left, waiting)
        waiting.remove(invoice)
        amount = min(left, invoice.open, key=lambda money: money.amount)
        left = left - amount
        yield Allocation(invoice=invoice, amount=amount, rule=rule)


def _next(receipt: LedgerReceipt, left: Money, waiting: Sequence[LedgerInvoice]) -> tuple[LedgerInvoice, str]:
    for invoice in waiting:
        if names(receipt, invoice.number):
            return invoice, "reference"
    for invoice in waiting:
        if invoice.open == left:
            return invoice, "exact-amount"
    return waiting[0], "oldest-due"


def use_credit(state: OpenLedger, invoice: LedgerInvoice) -> Iterator[ReceiptAllocated]:
    """What standing credit settles of a new invoice. Credit is the customer's: only a receipt that named the invoice
    before it was written settles it by itself; other credit waits until somebody allocates it."""
    for receipt in state.receipts:
        if names(receipt, invoice.number):
            amount = min(receipt.unapplied, invoice.open, key=lambda money: money.amount)
            if amount.amount > 0:
                yield allocated(state, receipt, Allocation(invoice=invoice, amount=amount, rule="reference"))
                invoice = settled(invoice, amount)


def names(receipt: LedgerReceipt, number: str) -> bool:
    """Whether the payer stated this invoice number."""
    return receipt.reference is not None and receipt.reference.casefold() == number.casefold()


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
