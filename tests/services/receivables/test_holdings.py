"""The ledger beside a plain one that goes through everything for each question: same books, same answers (REC-4)."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.receivables.domain.ledger import ledger
from services.receivables.domain.ledger.holdings import LedgerInvoice, LedgerReceipt
from services.receivables.domain.ledger.invoices import enter
from services.receivables.domain.ledger.overdue import MarkOverdue
from services.receivables.domain.ledger.receipts import RecordReceipt
from services.receivables.domain.ledger.state import (
    LedgerAllocation,
    LedgerContent,
    OpenLedger,
    content,
    empty,
    standing_of,
)
from shared.domain.aggregate import Timer
from shared.events.money import Money
from shared.events.receivables.ledger import (
    InvoiceIssued,
    InvoiceOverdue,
    ReceiptAllocated,
    ReceiptHeld,
    ReceiptRecorded,
)
from tests.services.receivables.facts import ACCOUNT, FREE, LEDGER, THE_LEDGER, TODAY, books, eur, events, invoice


@dataclass
class Plain:
    """Two lists, and every question answered by going through them."""

    invoices: list[LedgerInvoice] = field(default_factory=list)
    receipts: list[LedgerReceipt] = field(default_factory=list)
    allocations_made: list[LedgerAllocation] = field(default_factory=list)

    def apply(self, event: Any) -> None:
        match event:
            case InvoiceIssued():
                same = {name: getattr(event, name) for name in ("number", "amount", "on", "due", "overdue_from")}
                about = {
                    name: getattr(event, name) for name in ("contract_id", "deal_id", "owner", "team", "legal_entity")
                }
                self.invoices.append(LedgerInvoice(id=event.invoice_id, open=event.amount, **same, **about))
            case ReceiptRecorded():
                same = {name: getattr(event, name) for name in ("bank_reference", "amount", "on", "reference")}
                self.receipts.append(LedgerReceipt(id=event.receipt_id, unapplied=event.amount, **same))
            case ReceiptAllocated():
                for place, each in enumerate(self.invoices):
                    if each.id == event.invoice_id:
                        self.invoices[place] = replace(each, open=each.open - event.amount)
                for place, receipt in enumerate(self.receipts):
                    if receipt.id == event.receipt_id:
                        self.receipts[place] = replace(receipt, unapplied=receipt.unapplied - event.amount)
                self.allocations_made.append(
                    LedgerAllocation(
                        receipt_id=event.receipt_id,
                        invoice_id=event.invoice_id,
                        amount=event.amount,
                        on=event.on,
                        rule=event.rule,
                    )
                )
            case ReceiptHeld():
                for place, receipt in enumerate(self.receipts):
                    if receipt.id == event.receipt_id:
                        self.receipts[place] = replace(receipt, waits=event.waits, shares=event.shares)
            case InvoiceOverdue():
                for place, each in enumerate(self.invoices):
                    if each.id == event.invoice_id:
                        self.invoices[place] = replace(each, overdue=True)

    def waiting(self) -> list[LedgerInvoice]:
        return sorted(
            (each for each in self.invoices if each.open.amount > 0), key=lambda each: (each.due, each.number)
        )

    def allocations(self, amount: Money, reference: str | None, on: date) -> list[tuple[UUID, Money, str]]:
        """What a receipt settles: the rules of REC-4, word for word. Nothing where the payer's text fits several."""
        left, found = amount, list[tuple[UUID, Money, str]]()
        waiting = [each for each in self.waiting() if each.on <= on]
        later = sorted((each for each in self.waiting() if each.on > on), key=lambda each: (each.on, each.number))
        while left.amount > 0 and (waiting or later):
            named = [each for each in waiting if reference and each.number.casefold() == reference.casefold()]
            if len(named) > 1:
                return []
            exact = [each for each in waiting if each.open == left]
            chosen = (named or exact or waiting or later)[0]
            rule = "reference" if named else "exact-amount" if exact else "oldest-due" if waiting else "credit"
            part = min(left, chosen.open, key=lambda money: money.amount)
            (waiting or later).remove(chosen)
            left = left - part
            found.append((chosen.id, part, rule))
        return found

    def credit(self, number: str, amount: Money) -> list[tuple[UUID, Money]]:
        """What standing credit settles of a new invoice: what named it, then the oldest."""
        found = []

        def order(each: LedgerReceipt) -> tuple[bool, date, str]:
            return (each.reference or "").casefold() != number.casefold(), each.on, each.bank_reference

        for each in sorted((each for each in self.receipts if each.waits is None), key=order):
            part = min(each.unapplied, amount, key=lambda money: money.amount)
            if part.amount > 0:
                found.append((each.id, part))
                amount = amount - part
        return found

    def late(self, now: datetime) -> list[UUID]:
        return [each.id for each in self._awaited() if each.overdue_from and each.overdue_from <= now]

    def timers(self) -> dict[str, Timer]:
        due = [each.overdue_from for each in self._awaited() if each.overdue_from]
        return {"overdue": Timer(due=min(due), command=MarkOverdue())} if due else {}

    def _awaited(self) -> list[LedgerInvoice]:
        return [each for each in self.invoices if each.open.amount > 0 and not each.overdue]


# Few amounts, days and names, so that they fall together; names that differ in their case only.
CENTS = st.sampled_from([100, 200, 300, 500])
NAMES = st.sampled_from(["A-1", "a-1", "B-2", "b-2", "C-3"])
STEPS = st.lists(
    st.tuples(st.just("invoice"), CENTS, st.integers(min_value=0, max_value=4), NAMES)
    | st.tuples(st.just("receipt"), CENTS, st.integers(min_value=0, max_value=4), NAMES | st.none())
    | st.tuples(st.just("overdue"), st.just(0), st.integers(min_value=0, max_value=12), st.none()),
    max_size=20,
)


def decided(history: list[Any], plain: Plain, number: int, step: tuple[str, int, int, str | None]) -> list[Any]:
    """What follows from one step on the ledger; the plain one says the same."""
    kind, cents, days, name = step
    amount = Money(amount=Decimal(cents) / 100, currency="EUR")
    now = datetime(2026, 3, 16, 10, tzinfo=UTC) + timedelta(days=days)
    if kind == "invoice":
        state = ledger.fold(history)
        on = TODAY - timedelta(days=days % 3)
        asked = replace(invoice(number, str(amount.amount), TODAY + timedelta(days=days), on), number=name or "")
        before = state if isinstance(state, OpenLedger) else empty(ACCOUNT, "EUR")
        found = [fact.event for fact in enter(before, asked, THE_LEDGER.context)]
        assert [(each.receipt_id, each.amount) for each in found[1:]] == plain.credit(asked.number, amount)
    elif kind == "receipt":
        on = TODAY - timedelta(days=days)
        pays = RecordReceipt(account_id=ACCOUNT, bank_reference=f"B{number}", amount=amount, on=on, reference=name)
        found = events(THE_LEDGER.given(*history).knowing(holder=FREE).when(pays))
        parts = [(each.invoice_id, each.amount, each.rule) for each in found[1:] if isinstance(each, ReceiptAllocated)]
        assert parts == plain.allocations(amount, name, on)
    elif not history:
        return []
    else:
        found = events(THE_LEDGER.given(*history).at(now).when(MarkOverdue()))
        assert [each.invoice_id for each in found] == plain.late(now)
    return found


@given(STEPS)
def test_the_ledger_says_what_a_plain_one_says_rec_4(steps: list[tuple[str, int, int, str | None]]) -> None:
    history: list[Any] = []
    plain, carried = Plain(), empty(ACCOUNT, "EUR")
    for number, step in enumerate(steps):
        for event in decided(history, plain, number, step):
            history.append(event)
            plain.apply(event)
            # Asked after each event, the index is carried along; of a fold it is made at the end.
            carried.invoices.oldest(TODAY), carried.receipts.credit_for("a-1")
            carried = ledger.evolve(carried, event)
    if not history:
        return
    kept = msgspec.json.Encoder(decimal_format="string").encode(content(carried))  # as a snapshot is
    again = ledger.restored(msgspec.json.decode(kept, type=ledger.shown_type(OpenLedger)))
    for state in (carried, books(*history), again):
        assert content(state) == LedgerContent(
            id=LEDGER,
            account_id=ACCOUNT,
            currency="EUR",
            invoices=tuple(plain.invoices),
            receipts=tuple(plain.receipts),
            allocations=content(state).allocations,
        )
        made = {standing_of(each): each for each in plain.allocations_made}
        assert (len(made), made) == (len(plain.allocations_made), dict(state.allocations))
        assert state.outstanding == sum((each.open for each in plain.invoices), eur("0"))
        assert state.unapplied == sum((each.unapplied for each in plain.receipts), eur("0"))
        assert ledger.timers_of(state) == plain.timers()
        assert list(state.invoices.waiting()) == plain.waiting()
        credit = [each for each in plain.receipts if each.waits is None and each.unapplied.amount > 0]
        assert list(state.receipts.credit()) == sorted(credit, key=lambda each: (each.on, each.bank_reference))
        for each in plain.receipts:
            assert state.receipts.of(each.bank_reference) == each
        for name in ("a-1", "B-2", "c-3"):
            called = [each for each in plain.invoices if each.number.casefold() == name.casefold()]
            assert state.invoices.called(name) == called
            named = [each for each in credit if each.reference and each.reference.casefold() == name.casefold()]
            assert {each.id for each in state.receipts.credit_for(name)} == {each.id for each in named}


def test_a_changed_ledger_leaves_the_one_before_as_it_was() -> None:
    before = books(invoice(1, "10.00", date(2026, 4, 1)))
    assert before.invoices.oldest(TODAY) is not None
    after = ledger.evolve(before, invoice(2, "5.00", date(2026, 3, 20)))
    assert ([each.number for each in before.invoices], before.outstanding) == (["MAIN-000001"], eur("10.00"))
    assert (before.invoices.oldest(TODAY), after.invoices.oldest(TODAY)) == (*before.invoices, list(after.invoices)[1])


def test_two_invoices_with_one_id_from_before_ids_were_fresh_both_stand() -> None:
    one, other = invoice(1, "10.00", date(2026, 4, 1)), invoice(2, "5.00", date(2026, 3, 20))
    same = replace(other, invoice_id=one.invoice_id)
    paid = ReceiptAllocated(
        ledger_id=LEDGER,
        account_id=ACCOUNT,
        receipt_id=uuid5(LEDGER, "receipt/B1"),
        invoice_id=one.invoice_id,
        invoice_number=same.number,
        amount=eur("5.00"),
        open_after=eur("0.00"),
        rule="oldest-due",
        on=TODAY,
    )
    received = ReceiptRecorded(
        ledger_id=LEDGER,
        account_id=ACCOUNT,
        receipt_id=paid.receipt_id,
        bank_reference="B1",
        amount=eur("5.00"),
        on=TODAY,
    )
    state = books(one, same, received, paid)
    assert [(each.number, each.open) for each in state.invoices] == [
        ("MAIN-000001", eur("10.00")),
        ("MAIN-000002", eur("0.00")),
    ]
    assert state.outstanding == eur("10.00")
