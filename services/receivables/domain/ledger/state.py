"""What stands in a ledger, and the double entries behind every movement (REC-4)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID, uuid5

from rpds import HashTrieMap

from services.receivables.domain.ledger.holdings import (
    NO_INVOICES,
    NO_RECEIPTS,
    Invoices,
    LedgerInvoice,
    LedgerReceipt,
    Receipts,
    invoices_of,
    receipts_of,
)
from shared.domain.aggregate import Aggregate
from shared.domain.roles import READING
from shared.events.definition import value
from shared.events.money import Money
from shared.events.receivables.ledger import Entry


@value
class NoLedger:
    """Nothing was invoiced to the customer and nothing received from them."""


BY_HAND = "by-hand"
"""The rule of what a person allocated."""


@value
class LedgerAllocation:
    """How much of a receipt settles an invoice, since when, and why."""

    receipt_id: UUID
    invoice_id: UUID
    amount: Money
    on: date
    rule: str
    of_history: bool = False
    """Decided on what history tells: what is told of it later may have it allocated otherwise."""


Standing = tuple[UUID, UUID, date, bool, str]
"""By what an allocation is known: receipt, invoice, day, whether of history, rule."""
NO_ALLOCATIONS: "HashTrieMap[Standing, LedgerAllocation]" = HashTrieMap()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLedger:
    """A customer's account in one currency."""

    id: UUID
    account_id: UUID
    currency: str
    invoices: Invoices = NO_INVOICES
    receipts: Receipts = NO_RECEIPTS
    allocations: "HashTrieMap[Standing, LedgerAllocation]" = NO_ALLOCATIONS
    arrange_by: datetime | None = None
    """While history is told that is not allocated yet: by when, at the latest, it is."""

    @property
    def outstanding(self) -> Money:
        """What the customer owes."""
        return Money(amount=self.invoices.outstanding, currency=self.currency)

    @property
    def unapplied(self) -> Money:
        """The customer's credit: money that arrived and settles nothing yet."""
        return Money(amount=self.receipts.unapplied, currency=self.currency)


@value
class LedgerContent:
    """A customer's account in one currency."""

    id: UUID
    account_id: UUID
    currency: str
    invoices: tuple[LedgerInvoice, ...] = ()
    receipts: tuple[LedgerReceipt, ...] = ()
    allocations: tuple[LedgerAllocation, ...] = ()
    arrange_by: datetime | None = None
    """While history is told that is not allocated yet: by when, at the latest, it is."""


ledger = Aggregate("ledger", plural="ledgers", start=NoLedger, readers=READING)
ledger.snapshots(version=2)


@ledger.shows
def content(state: OpenLedger) -> LedgerContent:
    return LedgerContent(
        id=state.id,
        account_id=state.account_id,
        currency=state.currency,
        invoices=tuple(state.invoices),
        receipts=tuple(state.receipts),
        allocations=tuple(sorted(state.allocations.values(), key=_shown_order)),
        arrange_by=state.arrange_by,
    )


@ledger.restores
def ledger_with(content: LedgerContent) -> OpenLedger:
    return OpenLedger(
        id=content.id,
        account_id=content.account_id,
        currency=content.currency,
        invoices=invoices_of(content.invoices),
        receipts=receipts_of(content.receipts),
        allocations=HashTrieMap((standing_of(each), each) for each in content.allocations),
        arrange_by=content.arrange_by,
    )


def _shown_order(allocation: LedgerAllocation) -> tuple[date, UUID, UUID, bool, str]:
    own = allocation
    return own.on, own.invoice_id, own.receipt_id, own.of_history, own.rule


def standing_of(allocation: LedgerAllocation) -> Standing:
    """By what an allocation is known."""
    own = allocation
    return own.receipt_id, own.invoice_id, own.on, own.of_history, own.rule


def ledger_of(account_id: UUID, currency: str) -> UUID:
    """The id of a customer's ledger in a currency."""
    return uuid5(account_id, f"ledger/{currency}")


def empty(account_id: UUID, currency: str) -> OpenLedger:
    """The ledger of a customer before anything stands in it."""
    return OpenLedger(id=ledger_of(account_id, currency), account_id=account_id, currency=currency)


def settling(state: OpenLedger, allocation: LedgerAllocation) -> OpenLedger:
    """The ledger with an allocation more; one of less than nothing takes as much back."""
    receipt, invoice = receipt_in(state, allocation.receipt_id), invoice_in(state, allocation.invoice_id)
    key = standing_of(allocation)
    before = state.allocations.get(key)
    after = replace(before, amount=before.amount + allocation.amount) if before else allocation
    kept = state.allocations.insert(key, after) if after.amount.amount else state.allocations.discard(key)
    return replace(
        state,
        invoices=state.invoices.changed(replace(invoice, open=invoice.open - allocation.amount)),
        receipts=state.receipts.changed(replace(receipt, unapplied=receipt.unapplied - allocation.amount)),
        allocations=kept,
    )


def allocations_between(state: OpenLedger, receipt_id: UUID, invoice_id: UUID) -> Iterator[LedgerAllocation]:
    """How a receipt settles an invoice, the newest first."""
    pair = (receipt_id, invoice_id)
    both = (each for each in state.allocations.values() if (each.receipt_id, each.invoice_id) == pair)
    return iter(sorted(both, key=_shown_order, reverse=True))


def movement(debit: str, credit: str, amount: Money) -> tuple[Entry, Entry]:
    """A balanced double entry: `debit` goes up by the amount, `credit` down; together they are zero (REC-4)."""
    return Entry(account=debit, amount=amount), Entry(account=credit, amount=-amount)


def invoice_in(state: OpenLedger, invoice_id: UUID) -> LedgerInvoice:
    """The invoice of an id, which is in the ledger."""
    if (invoice := state.invoices.get(invoice_id)) is None:
        raise LookupError(f"{invoice_id} is not in the ledger")
    return invoice


def receipt_in(state: OpenLedger, receipt_id: UUID) -> LedgerReceipt:
    """The receipt of an id, which is in the ledger."""
    if (receipt := state.receipts.get(receipt_id)) is None:
        raise LookupError(f"{receipt_id} is not in the ledger")
    return receipt
