"""What stands in a ledger, and the double entries behind every movement (REC-4)."""

from dataclasses import replace
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID, uuid5

from shared.domain.aggregate import Aggregate
from shared.domain.money import Money, zero
from shared.domain.roles import READING
from shared.events.definition import value
from shared.events.receivables import Entry


@value
class NoLedger:
    """Nothing was invoiced to the customer and nothing received from them."""


@value
class LedgerInvoice:
    """An invoice and what of it is open."""

    id: UUID
    number: str
    amount: Money
    open: Money
    on: date
    due: date
    overdue_from: datetime | None = None
    overdue: bool = False
    contract_id: UUID | None = None
    deal_id: UUID | None = None
    owner: UUID | None = None
    team: UUID | None = None


@value
class LedgerReceipt:
    """Money that arrived, and what of it settles no invoice yet."""

    id: UUID
    bank_reference: str
    amount: Money
    unapplied: Money
    on: date
    reference: str | None = None


@value
class OpenLedger:
    """A customer's account in one currency."""

    id: UUID
    account_id: UUID
    currency: str
    invoices: tuple[LedgerInvoice, ...] = ()
    receipts: tuple[LedgerReceipt, ...] = ()

    @property
    def outstanding(self) -> Money:
        """What the customer owes."""
        return sum((invoice.open for invoice in self.invoices), zero(self.currency))

    @property
    def unapplied(self) -> Money:
        """The customer's credit: money that arrived and settles nothing yet."""
        return sum((receipt.unapplied for receipt in self.receipts), zero(self.currency))

    def receipt(self, bank_reference: str) -> LedgerReceipt | None:
        """The receipt of a bank reference."""
        return next((receipt for receipt in self.receipts if receipt.bank_reference == bank_reference), None)


ledger = Aggregate("ledger", plural="ledgers", start=NoLedger, readers=READING)


def ledger_of(account_id: UUID, currency: str) -> UUID:
    """The id of a customer's ledger in a currency."""
    return uuid5(account_id, f"ledger/{currency}")


def empty(account_id: UUID, currency: str) -> OpenLedger:
    """The ledger of a customer before anything stands in it."""
    return OpenLedger(id=ledger_of(account_id, currency), account_id=account_id, currency=currency)


def movement(debit: str, credit: str, amount: Money) -> tuple[Entry, Entry]:
    """A balanced double entry: `debit` goes up by the amount, `credit` down; together they are zero (REC-4)."""
    return Entry(account=debit, amount=amount), Entry(account=credit, amount=-amount)


def invoice_in(state: OpenLedger, invoice_id: UUID) -> LedgerInvoice:
    """The invoice of an id, which is in the ledger."""
    return state.invoices[_place(state.invoices, invoice_id)]


def receipt_in(state: OpenLedger, receipt_id: UUID) -> LedgerReceipt:
    """The receipt of an id, which is in the ledger."""
    return state.receipts[_place(state.receipts, receipt_id)]


def with_invoice(state: OpenLedger, changed: LedgerInvoice) -> OpenLedger:
    """The ledger with one invoice changed."""
    return replace(state, invoices=_changed(state.invoices, changed))


def with_receipt(state: OpenLedger, changed: LedgerReceipt) -> OpenLedger:
    """The ledger with one receipt changed."""
    return replace(state, receipts=_changed(state.receipts, changed))


Item = TypeVar("Item", bound=LedgerInvoice | LedgerReceipt)


def _changed(items: tuple[Item, ...], changed: Item) -> tuple[Item, ...]:
    # Slices copy at the speed of memory; a loop over thousands of invoices for each event made the fold take seconds.
    place = _place(items, changed.id)
    return (*items[:place], changed, *items[place + 1 :])


def _place(items: tuple[Item, ...], wanted: UUID) -> int:
    number = wanted.int
    for place in range(len(items) - 1, -1, -1):
        if items[place].id.int == number:
            return place
    raise LookupError(f"{wanted} is not in the ledger")
