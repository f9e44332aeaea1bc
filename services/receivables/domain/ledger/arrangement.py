"""Retroactive allocation: history is allocated as if it had been told in the order in which it happened (REC-4).

Imports only record. Once they have ended, all that is known of a customer is gone through again by its day, invoices
before receipts, then by outside id. What of history was allocated otherwise so far is reversed and allocated anew, from
the same days on (DATA-5). What was allocated natively is never moved: where history would have it otherwise, the
receipt says so and waits for a person.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from services.receivables.domain.ledger.allocation import (
    Allocation,
    allocated,
    candidates,
    held_for,
    reversed_,
    settle,
    settled,
    spent,
    use_credit,
)
from services.receivables.domain.ledger.holdings import (
    NO_INVOICES,
    NO_RECEIPTS,
    OTHERWISE,
    TAKEN_BACK,
    TIE,
    Invoices,
    LedgerInvoice,
    LedgerReceipt,
    Receipts,
    order_of,
)
from services.receivables.domain.ledger.overdue import become_overdue
from services.receivables.domain.ledger.state import (
    BY_HAND,
    LedgerAllocation,
    NoLedger,
    OpenLedger,
    Standing,
    invoice_in,
    ledger,
    receipt_in,
    standing_of,
)
from shared.domain.aggregate import Decision, Occurrence, Timer
from shared.domain.context import Context
from shared.domain.roles import ONLY_SERVICES
from shared.events.definition import value
from shared.events.money import Money
from shared.events.receivables.ledger import HistoryArranged, ReceiptHeld, ReceiptReleased, Share

TOLD_LATER = "What history told later has it allocated otherwise."
MAX_WITHOUT_NEWS = timedelta(minutes=2)
"""So long after the last that was told of a customer, it is allocated even if the import broke off."""


@value
class ArrangeHistory:
    """Allocate what history tells of a customer."""


@dataclass(slots=True)
class Arrangement:
    """How everything would be allocated, document by document. Only what is left of each is kept: what settles what at
    once is never written down as open before."""

    invoices: Invoices = NO_INVOICES
    receipts: Receipts = NO_RECEIPTS
    allocations: dict[Standing, LedgerAllocation] = field(default_factory=dict)
    ties: dict[UUID, tuple[LedgerInvoice, ...]] = field(default_factory=dict)

    def issue(self, invoice: LedgerInvoice) -> None:
        """An invoice, which standing credit settles."""
        for each in use_credit(self.receipts, invoice):
            self._note(each)
            self.receipts = self.receipts.changed(spent(each.receipt, each.amount))
            invoice = settled(invoice, each.amount)
        # Nobody asks a replay what is overdue.
        self.invoices = self.invoices.with_(replace(invoice, overdue_from=None))

    def receive(self, receipt: LedgerReceipt) -> None:
        """A receipt, which settles what is open."""
        settlement = settle(receipt, self.invoices)
        for each in settlement.allocations:
            self._note(each)
            self.invoices = self.invoices.changed(settled(each.invoice, each.amount))
            receipt = spent(receipt, each.amount)
        if settlement.candidates:
            self.ties[receipt.id] = settlement.candidates
            receipt = replace(receipt, waits=TIE)
        self.receipts = self.receipts.with_(receipt)

    def _note(self, made: Allocation) -> None:
        noted = LedgerAllocation(
            receipt_id=made.receipt.id,
            invoice_id=made.invoice.id,
            amount=made.amount,
            on=made.on,
            rule=made.rule,
            of_history=True,
        )
        key = standing_of(noted)
        known = self.allocations.get(key)
        self.allocations[key] = replace(known, amount=known.amount + noted.amount) if known else noted


def arrangement(state: OpenLedger, manual: Set[UUID], is_fixed: Callable[[LedgerAllocation], bool]) -> Arrangement:
    """How everything would be allocated in the order in which it happened, with some allocations left as they are, and
    the `manual` receipts altogether."""
    fixed: defaultdict[UUID, Decimal] = defaultdict(Decimal)
    for each in state.allocations.values():
        if each.receipt_id in manual or is_fixed(each):
            fixed[each.receipt_id] += each.amount.amount
            fixed[each.invoice_id] += each.amount.amount
    found = Arrangement()
    for document in _as_happened(state):
        left = Money(amount=max(document.amount.amount - fixed[document.id], Decimal(0)), currency=state.currency)
        if isinstance(document, LedgerInvoice):
            found.issue(replace(document, open=left))
        elif document.id not in manual:
            found.receive(replace(document, unapplied=left, waits=None))
    return found


def arranged(state: OpenLedger, context: Context) -> tuple[OpenLedger, list[Occurrence]]:
    """The ledger with history allocated, and what that takes; nothing where it is.

    What is overdue by now is noted with it: deadlines of history ring no bell, and the timer waits for the next one.
    """
    if state.arrange_by is None:
        return state, []
    manual = set(_manual(state))
    wanted = arrangement(state, manual, lambda each: not each.of_history)
    facts = [
        *_moves(state, wanted.allocations, manual, context),
        *(Occurrence(event=event, to=state.id) for event in _holds(state, wanted.ties, manual)),
        Occurrence(event=HistoryArranged(ledger_id=state.id, account_id=state.account_id), to=state.id),
    ]
    state = _after(state, facts)
    late = list(become_overdue(state, context))
    return _after(state, late), [*facts, *late]


def _after(state: OpenLedger, facts: Iterable[Occurrence]) -> OpenLedger:
    for fact in facts:
        state = ledger.evolve(state, fact.event)
    return state


@ledger.decides(allow=ONLY_SERVICES)
def arrange_history(state: OpenLedger, command: ArrangeHistory, context: Context) -> Decision:
    """Allocate what history tells of a customer, as it happened."""
    return arranged(state, context)[1]


@ledger.decides(allow=ONLY_SERVICES)
def arrange_nothing(state: NoLedger, command: ArrangeHistory) -> Decision:
    """Nothing is told of the customer."""
    return []


@ledger.evolves
def receipt_held(state: OpenLedger, event: ReceiptHeld) -> OpenLedger:
    receipt = replace(
        receipt_in(state, event.receipt_id), waits=event.waits, waits_of_history=event.of_history, shares=event.shares
    )
    return replace(state, receipts=state.receipts.changed(receipt))


@ledger.evolves
def receipt_released(state: OpenLedger, event: ReceiptReleased) -> OpenLedger:
    receipt = replace(receipt_in(state, event.receipt_id), waits=None, waits_of_history=False, shares=())
    return replace(state, receipts=state.receipts.changed(receipt))


@ledger.evolves
def history_arranged(state: OpenLedger, event: HistoryArranged) -> OpenLedger:
    return replace(state, arrange_by=None)


@ledger.timer
def arrangement_due(state: OpenLedger) -> Timer | None:
    return Timer(due=state.arrange_by, command=ArrangeHistory()) if state.arrange_by else None


def _as_happened(state: OpenLedger) -> list[LedgerInvoice | LedgerReceipt]:
    documents: list[LedgerInvoice | LedgerReceipt] = [*state.invoices, *state.receipts]

    def place(document: LedgerInvoice | LedgerReceipt) -> tuple[object, ...]:
        on, name = order_of(document)
        return on, isinstance(document, LedgerReceipt), name

    return sorted(documents, key=place)


def _manual(state: OpenLedger) -> Iterator[UUID]:
    """The receipts about which a person has decided something, or has to that no history can decide."""
    yield from (each.receipt_id for each in state.allocations.values() if each.rule == BY_HAND)
    for receipt in state.receipts:
        if receipt.waits == TAKEN_BACK or (receipt.waits == TIE and not receipt.waits_of_history):
            yield receipt.id


def _moves(
    state: OpenLedger, wanted: Mapping[Standing, LedgerAllocation], manual: Set[UUID], context: Context
) -> Iterator[Occurrence]:
    """What of history is reversed, and then what is allocated instead."""
    books = state
    for key, known in state.allocations.items():
        if not known.of_history or known.receipt_id in manual:
            continue
        too_much = _beyond(known, wanted.get(key))
        if too_much.amount > 0:
            invoice = invoice_in(books, known.invoice_id)
            event = reversed_(state, invoice, known, too_much, on=known.on, reason=TOLD_LATER)
            books = _with_open(books, invoice, event.open_after)
            yield Occurrence(event=event, to=state.id, at=context.moment(event.on))
    for key, allocation in wanted.items():
        missing = _beyond(allocation, state.allocations.get(key))
        if missing.amount > 0:
            invoice = invoice_in(books, allocation.invoice_id)
            receipt = receipt_in(state, allocation.receipt_id)
            part = Allocation(receipt=receipt, invoice=invoice, amount=missing, rule=allocation.rule)
            made = allocated(state, part, on=allocation.on, of_history=True)
            books = _with_open(books, invoice, made.open_after)
            yield Occurrence(event=made, to=state.id, at=context.moment(made.on))


def _beyond(one: LedgerAllocation, other: LedgerAllocation | None) -> Money:
    """How much more one is than the other; less than nothing where it is less."""
    return one.amount - other.amount if other else one.amount


def _with_open(books: OpenLedger, invoice: LedgerInvoice, open_: Money) -> OpenLedger:
    return replace(books, invoices=books.invoices.changed(replace(invoice, open=open_)))


def _holds(
    state: OpenLedger, ties: Mapping[UUID, Sequence[LedgerInvoice]], manual: Set[UUID]
) -> Iterator[ReceiptHeld | ReceiptReleased]:
    """Which receipts wait for a person now, and which do so no more."""
    waiting = {receipt_id: (TIE, candidates(invoices)) for receipt_id, invoices in ties.items()}
    waiting |= {receipt_id: (OTHERWISE, shares) for receipt_id, shares in _otherwise(state, manual)}
    for receipt in state.receipts:
        if receipt.id in manual:
            continue
        now = waiting.get(receipt.id)
        if now and (receipt.waits, receipt.shares) != now:
            yield held_for(state, receipt, *now, of_history=True)
        elif receipt.waits and receipt.waits_of_history and not now:
            yield ReceiptReleased(ledger_id=state.id, account_id=state.account_id, receipt_id=receipt.id)


def _otherwise(state: OpenLedger, manual: Set[UUID]) -> Iterator[tuple[UUID, tuple[Share, ...]]]:
    """The receipts of which something was allocated natively that would go elsewhere, and how all of them would be."""

    native = [each for each in state.allocations.values() if not each.of_history and each.receipt_id not in manual]
    if not native:
        return
    would = _by_receipt(arrangement(state, manual, lambda _: False).allocations.values())
    for receipt_id, parts in _by_receipt(native).items():
        then = would.get(receipt_id, {})
        if any(then.get(invoice_id, Decimal(0)) < amount for invoice_id, amount in parts.items()):
            yield (
                receipt_id,
                tuple(
                    Share(
                        invoice_id=invoice_id,
                        invoice_number=invoice_in(state, invoice_id).number,
                        amount=Money(amount=amount, currency=state.currency),
                    )
                    for invoice_id, amount in sorted(then.items())
                ),
            )


def _by_receipt(allocations: Iterable[LedgerAllocation]) -> dict[UUID, dict[UUID, Decimal]]:
    found: dict[UUID, dict[UUID, Decimal]] = {}
    for each in allocations:
        parts = found.setdefault(each.receipt_id, {})
        parts[each.invoice_id] = parts.get(each.invoice_id, Decimal(0)) + each.amount.amount
    return found
