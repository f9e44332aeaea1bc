"""What stands in a ledger, and the double entries behind every movement (REC-4)."""

from dataclasses import dataclass
from uuid import UUID, uuid5

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
from shared.domain.money import Money
from shared.domain.roles import READING
from shared.events.definition import value
from shared.events.receivables import Entry


@value
class NoLedger:
    """Nothing was invoiced to the customer and nothing received from them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLedger:
    """A customer's account in one currency."""

    id: UUID
    account_id: UUID
    currency: str
    invoices: Invoices = NO_INVOICES
    receipts: Receipts = NO_RECEIPTS

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


ledger = Aggregate("ledger", plural="ledgers", start=NoLedger, readers=READING)
ledger.snapshots(version=1)


@ledger.shows
def content(state: OpenLedger) -> LedgerContent:
    return LedgerContent(
        id=state.id,
        account_id=state.account_id,
        currency=state.currency,
        invoices=tuple(state.invoices),
        receipts=tuple(state.receipts),
    )


@ledger.restores
def ledger_with(content: LedgerContent) -> OpenLedger:
    return OpenLedger(
        id=content.id,
        account_id=content.account_id,
        currency=content.currency,
        invoices=invoices_of(content.invoices),
        receipts=receipts_of(content.receipts),
    )


def ledger_of(account_id: UUID, currency: str) -> UUID:
    """The id of a customer's ledger in a currency."""
    return uuid5(account_id, f"ledger/{currency}")


def empty(account_id: UUID, currency: str) -> OpenLedger:
    """The ledger of a customer before anything stands in it."""
    return OpenLedger(id=ledger_of(account_id, currency), account_id=account_id, currency=currency)


def holding(state: OpenLedger, *, invoices: Invoices | None = None, receipts: Receipts | None = None) -> OpenLedger:
    """The ledger with other invoices or receipts."""
    return OpenLedger(
        id=state.id,
        account_id=state.account_id,
        currency=state.currency,
        invoices=state.invoices if invoices is None else invoices,
        receipts=state.receipts if receipts is None else receipts,
    )


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
