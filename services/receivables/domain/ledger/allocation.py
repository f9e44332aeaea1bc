"""Cash application: which invoices a receipt settles (REC-4).

By the payer's text, then by exact amount, then the oldest due, among what was issued by the day of the receipt. What is
left over is the customer's credit: what is issued later is settled by it, the oldest first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from services.receivables.domain.ledger.holdings import (
    Invoices,
    LedgerInvoice,
    LedgerReceipt,
    Receipts,
    order_of,
)
from services.receivables.domain.ledger.state import LedgerAllocation, OpenLedger, movement
from shared.events.definition import value
from shared.events.money import Money
from shared.events.receivables.ledger import AllocationReversed, ReceiptAllocated, ReceiptHeld, Share

AllocationRule = Literal["reference", "exact-amount", "oldest-due", "credit", "by-hand"]
"""Why a receipt settles an invoice."""


@value
class Allocation:
    """A part of a receipt for an invoice, and the rule that chose it."""

    receipt: LedgerReceipt
    invoice: LedgerInvoice
    amount: Money
    rule: str

    @property
    def on(self) -> date:
        """It settles the invoice from the later day of the two on."""
        return max(self.receipt.on, self.invoice.on)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a receipt by itself."""

    allocations: tuple[Allocation, ...]
    candidates: tuple[LedgerInvoice, ...] = ()
    """The invoices between which the payer's text leaves open which is meant: a tie, and nothing is allocated."""


def settle(receipt: LedgerReceipt, invoices: Invoices) -> Settlement:
    """What of a receipt goes to which open invoice. What is left over stays as the customer's credit."""
    if receipt.unapplied.amount <= 0:
        return Settlement(())
    named = _named(receipt, invoices)
    if named.candidates:
        return Settlement((), named.candidates)
    return Settlement(tuple(_parts(receipt, named.chosen, invoices)))


@dataclass(frozen=True, slots=True)
class Named:
    """Which open invoices a payer's text names."""

    chosen: tuple[LedgerInvoice, ...] = ()
    candidates: tuple[LedgerInvoice, ...] = ()


def _named(receipt: LedgerReceipt, invoices: Invoices) -> Named:
    """The invoices that the text means."""
    left = receipt.unapplied
    if receipt.reference is None:
        return Named()
    open_ = [
        tuple(each for each in group if each.open.amount > 0 and each.on <= receipt.on)
        for group in invoices.named(receipt.reference)
    ]
    groups = [group for group in dict.fromkeys(open_) if group]
    every = tuple({each.id: each for group in groups for each in group}.values())
    if any(len(group) > 1 for group in groups):
        return Named(candidates=every)
    if len(every) < 2 or sum((each.open.amount for each in every), Decimal(0)) <= left.amount:
        return Named(chosen=every)
    exact = tuple(each for each in every if each.open == left)
    return Named(chosen=exact) if len(exact) == 1 else Named(candidates=every)


def _parts(receipt: LedgerReceipt, named: Sequence[LedgerInvoice], invoices: Invoices) -> Iterator[Allocation]:
    left, wanted = receipt.unapplied, list(named)
    while left.amount > 0 and (found := _next(receipt, left, wanted, invoices)):
        invoice, rule = found
        amount = least(left, invoice.open)
        left = left - amount
        invoices = invoices.changed(settled(invoice, amount))
        yield Allocation(receipt=receipt, invoice=invoice, amount=amount, rule=rule)


def _next(
    receipt: LedgerReceipt, left: Money, wanted: list[LedgerInvoice], invoices: Invoices
) -> tuple[LedgerInvoice, str] | None:
    if wanted:
        return wanted.pop(0), "reference"
    if exact := invoices.open_by(left.amount, receipt.on):
        return exact, "exact-amount"
    if oldest := invoices.oldest(receipt.on):
        return oldest, "oldest-due"
    later = invoices.after(receipt.on)
    return (later[0], "credit") if later else None


def use_credit(receipts: Receipts, invoice: LedgerInvoice) -> Iterator[Allocation]:
    """What standing credit settles of a new invoice: first what named it before it was issued, then the oldest."""
    named = receipts.credit_for(invoice.number)
    first = {receipt.id for receipt in named}
    for receipt, rule in (
        *((receipt, "reference") for receipt in named),
        *((receipt, "credit") for receipt in receipts.credit() if receipt.id not in first),
    ):
        amount = least(receipt.credit, invoice.open)
        if amount.amount <= 0:
            return
        yield Allocation(receipt=receipt, invoice=invoice, amount=amount, rule=rule)
        invoice = settled(invoice, amount)


def least(one: Money, other: Money) -> Money:
    """The smaller of two amounts."""
    return min(one, other, key=lambda money: money.amount)


def settled(invoice: LedgerInvoice, amount: Money) -> LedgerInvoice:
    """The invoice with less open."""
    return replace(invoice, open=invoice.open - amount)


def spent(receipt: LedgerReceipt, amount: Money) -> LedgerReceipt:
    """The receipt with less left."""
    return replace(receipt, unapplied=receipt.unapplied - amount)


def allocated(
    state: OpenLedger,
    allocation: Allocation,
    *,
    on: date | None = None,
    of_history: bool = False,
    reason: str | None = None,
) -> ReceiptAllocated:
    """The fact that a part of a receipt settles an invoice."""
    receipt, invoice = allocation.receipt, allocation.invoice
    return ReceiptAllocated(
        ledger_id=state.id,
        account_id=state.account_id,
        receipt_id=receipt.id,
        invoice_id=invoice.id,
        invoice_number=invoice.number,
        amount=allocation.amount,
        open_after=invoice.open - allocation.amount,
        rule=allocation.rule,
        on=on or allocation.on,
        owner=invoice.owner,
        team=invoice.team,
        contract_id=invoice.contract_id,
        deal_id=invoice.deal_id,
        entries=movement("unapplied-credit", "receivable", allocation.amount),
        of_history=of_history,
        reason=reason,
    )


def reversed_(
    state: OpenLedger, invoice: LedgerInvoice, allocation: LedgerAllocation, amount: Money, *, on: date, reason: str
) -> AllocationReversed:
    """The fact that a part of an allocation holds no more."""
    return AllocationReversed(
        ledger_id=state.id,
        account_id=state.account_id,
        receipt_id=allocation.receipt_id,
        invoice_id=invoice.id,
        invoice_number=invoice.number,
        amount=amount,
        open_after=invoice.open + amount,
        rule=allocation.rule,
        allocated_on=allocation.on,
        on=on,
        reason=reason,
        owner=invoice.owner,
        team=invoice.team,
        contract_id=invoice.contract_id,
        deal_id=invoice.deal_id,
        entries=movement("receivable", "unapplied-credit", amount),
        of_history=allocation.of_history,
    )


def candidates(invoices: Sequence[LedgerInvoice]) -> tuple[Share, ...]:
    """The invoices that a receipt may be for, each with what of it is open."""
    return tuple(
        Share(invoice_id=each.id, invoice_number=each.number, amount=each.open)
        for each in sorted(invoices, key=order_of)
    )


def held_for(
    state: OpenLedger, receipt: LedgerReceipt, waits: str, shares: Sequence[Share], *, of_history: bool
) -> ReceiptHeld:
    """The fact that a receipt waits for a person."""
    return ReceiptHeld(
        ledger_id=state.id,
        account_id=state.account_id,
        receipt_id=receipt.id,
        waits=waits,
        shares=tuple(shares),
        of_history=of_history,
    )
