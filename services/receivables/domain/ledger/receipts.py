"""How money enters a ledger: once per bank reference, and at once against what is open (REC-3, REC-4)."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Annotated, ClassVar
from uuid import UUID, uuid5

from annotated_types import MaxLen, MinLen

from services.receivables.domain.ledger.allocation import Settlement, allocated, candidates, held_for, settle
from services.receivables.domain.ledger.arrangement import MAX_WITHOUT_NEWS, ArrangeHistory
from services.receivables.domain.ledger.holdings import TIE, LedgerReceipt
from services.receivables.domain.ledger.state import (
    BY_HAND,
    LedgerAllocation,
    NoLedger,
    OpenLedger,
    empty,
    ledger,
    ledger_of,
    movement,
    receipt_in,
    settling,
)
from services.receivables.domain.roles import FINANCE_DESK
from shared.domain.aggregate import Claim, Decision, Occurrence
from shared.domain.context import Context
from shared.domain.fields import NOT_BLANK, Day
from shared.domain.imports import ONCE
from shared.domain.money import check_money, money_faults
from shared.domain.references import AccountId, CustomerId
from shared.domain.rejection import Reason, Rejected, refuse_all, refuse_otherwise
from shared.events.chronology import Rank
from shared.events.definition import value
from shared.events.money import Money
from shared.events.receivables.ledger import ReceiptAllocated, ReceiptRecorded

BANK_REFERENCE = "bank-reference"
"""The kind of claim by which a bank reference is accepted once in the whole company."""


@value
class RecordReceipt:
    """Record money that arrived at the bank."""

    account_id: CustomerId
    """The customer who paid: a known account."""
    bank_reference: Annotated[str, MinLen(1), MaxLen(140), NOT_BLANK]
    """The bank's own reference of the movement; accepted once."""
    amount: Money
    """In any currency; it pays invoices of its own alone."""
    on: Day
    """The day on which the money was there."""
    reference: Annotated[str, MinLen(1), MaxLen(140), NOT_BLANK] | None = None
    """What the payer wrote: invoice numbers are found in it."""

    example: ClassVar[dict[str, object]] = {
        "account_id": "01989f52-6d2c-7a51-9a44-0a4f5b1f7d11",
        "bank_reference": "2026-03-16/0042",
        "amount": {"amount": "36000.00", "currency": "EUR"},
        "on": "2026-03-16",
        "reference": "MAIN-000001",
    }


@value
class ImportReceipt:
    """Money of the past, from a customer of the same history."""

    account_id: AccountId
    bank_reference: Annotated[str, MinLen(1), MaxLen(140), NOT_BLANK]
    amount: Money
    on: Day
    reference: Annotated[str, MinLen(1), MaxLen(140), NOT_BLANK] | None = None
    outside_id: str | None = None
    """By what the system knows it that it comes from."""


@value
class ReferenceHolder:
    """The ledger in which a bank reference was recorded before, as a handler is given it."""

    ledger_id: UUID | None


@ledger.decides(allow=FINANCE_DESK, routed=False)
def record_receipt(
    state: NoLedger | OpenLedger,
    command: RecordReceipt,
    context: Context,
    *,
    holder: ReferenceHolder,
) -> Decision:
    """Record money that arrived, and settle what it pays."""
    refuse_all("invalid-receipt", "The receipt is invalid.", list(_faults(command, context)))
    books = _books(state, command)
    event = _recorded(books, command, context, holder)
    receipt = entered(event)
    # While history is told, nobody knows yet what is open.
    settlement = settle(receipt, books.invoices) if books.arrange_by is None else Settlement(())
    allocations = [allocated(books, allocation) for allocation in settlement.allocations]
    return [
        Occurrence(event=event, at=context.moment(event.on)),
        *(Occurrence(event=allocation, at=context.moment(allocation.on)) for allocation in allocations),
        *(
            [Occurrence(event=held_for(books, receipt, TIE, candidates(settlement.candidates), of_history=False))]
            if settlement.candidates
            else []
        ),
    ]


@ledger.imports(
    "receipt",
    ReceiptRecorded,
    about="receipt",
    rank=Rank.CHANGE,
    again=ONCE,
    stream=lambda command: ledger_of(command.account_id, command.amount.currency),
    afterwards=ArrangeHistory(),
)
def import_receipt(
    state: NoLedger | OpenLedger, command: ImportReceipt, context: Context, holder: ReferenceHolder
) -> Decision:
    """Record money of the past. What it settles is decided once everything is told (`ArrangeHistory`)."""
    refuse_all("invalid-receipt", "The receipt is invalid.", list(_faults(command, context)))
    books = _books(state, command)
    if known := books.receipts.of(command.bank_reference):
        told = ("amount", "on", "reference")
        refuse_otherwise({name: getattr(known, name) for name in told}, {name: getattr(command, name) for name in told})
    event = replace(
        _recorded(books, command, context, holder),
        outside_id=command.outside_id,
        arrange_by=context.now + MAX_WITHOUT_NEWS,
    )
    return [Occurrence(event=event, at=context.moment(event.on))]


@ledger.already
def is_recorded(state: OpenLedger, command: RecordReceipt | ImportReceipt) -> bool:
    known = state.receipts.of(command.bank_reference)
    return known is not None and all(
        getattr(known, field) == getattr(command, field) for field in ("amount", "on", "reference")
    )


@ledger.evolves
def recorded(state: NoLedger | OpenLedger, event: ReceiptRecorded) -> OpenLedger:
    before = state if isinstance(state, OpenLedger) else empty(event.account_id, event.amount.currency)
    arrange_by = event.arrange_by or before.arrange_by
    return replace(before, receipts=before.receipts.with_(entered(event)), arrange_by=arrange_by)


@ledger.evolves
def receipt_allocated(state: OpenLedger, event: ReceiptAllocated) -> OpenLedger:
    after = settling(
        state,
        LedgerAllocation(
            receipt_id=event.receipt_id,
            invoice_id=event.invoice_id,
            amount=event.amount,
            on=event.on,
            rule=event.rule,
            of_history=event.of_history,
        ),
    )
    if event.rule != BY_HAND:
        return after
    receipt = receipt_in(after, event.receipt_id)
    if receipt.taken_back and receipt.taken_back.amount > event.amount.amount:
        receipt = replace(receipt, taken_back=receipt.taken_back - event.amount)
    elif receipt.waits != TIE or receipt.unapplied.amount == 0:
        receipt = decided(receipt)
    return replace(after, receipts=after.receipts.changed(receipt))


@ledger.takes
def bank_reference(event: ReceiptRecorded) -> Iterable[Claim]:
    return [Claim(kind=BANK_REFERENCE, key=event.bank_reference)]


def _books(state: NoLedger | OpenLedger, command: RecordReceipt | ImportReceipt) -> OpenLedger:
    return state if isinstance(state, OpenLedger) else empty(command.account_id, command.amount.currency)


def _recorded(
    books: OpenLedger, command: RecordReceipt | ImportReceipt, context: Context, holder: ReferenceHolder
) -> ReceiptRecorded:
    if context.aggregate_id != ledger_of(command.account_id, command.amount.currency):
        raise Rejected(
            "other-ledger", "It belongs into the ledger of another customer or currency.", field="account_id"
        )
    if books.receipts.of(command.bank_reference) or holder.ledger_id not in (None, books.id):
        raise Rejected("bank-reference-used", "This bank reference was recorded with other content.")
    return ReceiptRecorded(
        ledger_id=books.id,
        account_id=books.account_id,
        receipt_id=uuid5(books.id, f"receipt/{command.bank_reference}"),
        bank_reference=command.bank_reference,
        amount=check_money(command.amount, "amount"),
        on=command.on,
        reference=command.reference,
        entries=movement("bank", "unapplied-credit", command.amount),
    )


def _faults(command: RecordReceipt | ImportReceipt, context: Context) -> Iterator[Reason]:
    faults = money_faults(command.amount, "amount")
    yield from faults
    if not faults and command.amount.amount <= 0:
        yield Reason(code="not-positive", message="Money that arrives is above zero.", field="amount.amount")
    if command.on > context.today:
        yield Reason(code="in-the-future", message="Money has not arrived in the future.", field="on")
    for field in ("bank_reference", "reference"):
        text = getattr(command, field)
        if text is not None and text != text.strip():
            message = "A reference neither begins nor ends with a space."
            yield Reason(code="surrounded-by-space", message=message, field=field)


def entered(event: ReceiptRecorded) -> LedgerReceipt:
    """Money as the ledger holds it."""
    return LedgerReceipt(
        id=event.receipt_id,
        bank_reference=event.bank_reference,
        amount=event.amount,
        unapplied=event.amount,
        on=event.on,
        reference=event.reference,
        outside_id=event.outside_id,
    )


def decided(receipt: LedgerReceipt) -> LedgerReceipt:
    """A receipt about which a person has nothing to decide any more."""
    return replace(receipt, waits=None, waits_of_history=False, shares=(), taken_back=None)
