"""REC-4, DATA-5: the books of a customer, in whatever order their history is told, and whatever is done meanwhile."""

import os
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest

from services.receivables.domain.invoicing import ImportInvoice
from services.receivables.domain.ledger import ledger
from services.receivables.domain.ledger.arrangement import ArrangeHistory
from services.receivables.domain.ledger.by_hand import AllocateReceipt, Elsewhere, ReAllocateReceipt, TakeBackAllocation
from services.receivables.domain.ledger.holdings import LedgerInvoice, LedgerReceipt
from services.receivables.domain.ledger.invoices import enter
from services.receivables.domain.ledger.receipts import ImportReceipt, RecordReceipt
from services.receivables.domain.ledger.state import (
    BY_HAND,
    NoLedger,
    OpenLedger,
    content,
    empty,
    ledger_of,
    movement,
)
from shared.domain.aggregate import Timer
from shared.domain.money import zero
from shared.domain.rejection import Rejected
from shared.events.money import Money
from shared.events.receivables.ledger import (
    AllocationReversed,
    InvoiceIssued,
    InvoiceOverdue,
    ReceiptAllocated,
    ReceiptHeld,
    ReceiptRecorded,
    ReceiptReleased,
)
from shared.testing.scenario import NOW
from tests.services.receivables.facts import ACCOUNT, THE_LEDGER, TODAY, eur, invoice, usd

STEPS = int(os.environ.get("BOOKS_STEPS", "500"))
"""Steps of random books; `make campaign` takes more."""
SEEDS = range(3)
CURRENCIES = ("EUR", "KWD", "USD")
"""The books of which seed are in which: none but the first is the company's."""


class Books:
    """A ledger, and everything that was recorded in it."""

    def __init__(self, currency: str = "EUR") -> None:
        self.currency = currency
        self.context = replace(THE_LEDGER.context, aggregate_id=ledger_of(ACCOUNT, currency))
        self.state: Any = NoLedger()
        self.history: list[Any] = []

    def do(self, command: Any) -> list[Any]:
        """Carry a command out; what happened. A refusal is raised."""
        return self._record(
            [fact.event for fact in ledger.decide(self.state, command, self.context, dict(THE_LEDGER.loaded))]
        )

    def issue(self, issued: InvoiceIssued) -> list[Any]:
        """Issue an invoice natively."""
        books = self.state if isinstance(self.state, OpenLedger) else empty(ACCOUNT, self.currency)
        return self._record([fact.event for fact in enter(books, issued, self.context)])

    def told(self, *commands: Any) -> "Books":
        """An import, with its end."""
        for command in commands:
            self.do(command)
        self.do(ArrangeHistory())
        return self

    def _record(self, events: list[Any]) -> list[Any]:
        for event in events:
            self.state = ledger.evolve(self.state, event)
            self.history.append(event)
            for entry in getattr(event, "entries", ()):
                assert entry.amount.currency == self.currency
            nothing = zero(self.currency)
            assert sum((each.amount for each in getattr(event, "entries", ())), nothing) == nothing
            if isinstance(event, ReceiptAllocated | AllocationReversed):
                assert event.open_after == self.invoice(event.invoice_id).open
            assert all(0 <= each.open.amount <= each.amount.amount for each in self.state.invoices)
            assert all(0 <= each.unapplied.amount <= each.amount.amount for each in self.state.receipts)
        return events

    def shares(self) -> dict[tuple[str, str], str]:
        """How much of which receipt settles which invoice."""
        found: dict[tuple[str, str], Decimal] = {}
        for each in self.state.allocations.values():
            pair = (self.receipt(each.receipt_id).bank_reference, self.invoice(each.invoice_id).number)
            found[pair] = found.get(pair, Decimal(0)) + each.amount.amount
        return {pair: f"{amount:.2f}" for pair, amount in sorted(found.items())}

    def invoice(self, invoice_id: UUID) -> LedgerInvoice:
        found = self.state.invoices.get(invoice_id)
        assert found is not None
        return found  # type: ignore[no-any-return]

    def receipt(self, receipt_id: UUID) -> LedgerReceipt:
        found = self.state.receipts.get(receipt_id)
        assert found is not None
        return found  # type: ignore[no-any-return]

    def ageing(self, as_of: date) -> dict[str, str]:
        """What of each invoice was open on a day."""
        opened = {e.number: e.amount.amount for e in self.history if isinstance(e, InvoiceIssued) and e.on <= as_of}
        for event in self.history:
            if isinstance(event, ReceiptAllocated | AllocationReversed) and event.on <= as_of:
                sign = -1 if isinstance(event, ReceiptAllocated) else 1
                opened[event.invoice_number] += sign * event.amount.amount
        return {number: str(amount) for number, amount in sorted(opened.items())}


def told_invoice(name: str, amount: str, on: date, due: date | None = None) -> ImportInvoice:
    return ImportInvoice(
        account_id=ACCOUNT,
        invoice_id=UUID(int=int.from_bytes(name.encode(), "big")),
        amount=eur(amount),
        on=on,
        due=due or on + timedelta(days=30),
        number=name,
        outside_id=name,
    )


def told_receipt(name: str, amount: str, on: date, reference: str | None = None) -> ImportReceipt:
    return ImportReceipt(
        account_id=ACCOUNT, bank_reference=name, amount=eur(amount), on=on, reference=reference, outside_id=name
    )


# -- by example -----------------------------------------------------------------------------------------------------

I1 = told_invoice("I1", "700.00", date(2024, 1, 10), date(2024, 2, 10))
I2 = told_invoice("I2", "500.00", date(2025, 6, 1), date(2025, 7, 1))
R1 = told_receipt("R1", "500.00", date(2024, 2, 1))


@pytest.mark.parametrize("order", [(I1, I2, R1), (R1, I2, I1), (I2, R1, I1), (R1, I1, I2)])
def test_money_settles_what_was_issued_by_its_day_whatever_is_told_first_rec_4(order: tuple[Any, ...]) -> None:
    """Fault 12: a receipt of 2024 paid an invoice of 2025, because that was open by exactly as much."""
    books = Books().told(*order)
    assert books.shares() == {("R1", "I1"): "500.00"}
    assert books.ageing(date(2024, 2, 15)) == {"I1": "200.00"}


def test_an_invoice_that_the_payer_names_before_its_day_is_paid_from_what_is_left_rec_4() -> None:
    """What was owed on the day of the receipt comes first, even if the text names what was issued later."""
    early = replace(R1, amount=eur("750.00"), reference="RE I2")
    expected = {("R1", "I1"): "700.00", ("R1", "I2"): "50.00"}
    assert Books().told(I1, I2, early).shares() == expected
    books = natively([I1, I2])
    books.do(RecordReceipt(account_id=ACCOUNT, bank_reference="R1", amount=early.amount, on=R1.on, reference="RE I2"))
    assert books.shares() == expected


def test_natively_too_money_settles_what_was_issued_by_its_day_rec_4() -> None:
    books = Books()
    books.issue(invoice(1, "700.00", TODAY, TODAY - timedelta(days=40)))
    books.issue(invoice(2, "500.00", TODAY, TODAY - timedelta(days=5)))
    pays = RecordReceipt(account_id=ACCOUNT, bank_reference="R", amount=eur("500.00"), on=TODAY - timedelta(days=20))
    books.do(pays)
    assert books.shares() == {("R", "MAIN-000001"): "500.00"}


def test_what_is_left_settles_what_was_issued_later_as_credit_from_that_day_on_rec_4() -> None:
    late = replace(invoice(2, "500.00", TODAY), on=TODAY - timedelta(days=5))
    early = RecordReceipt(account_id=ACCOUNT, bank_reference="R", amount=eur("600.00"), on=TODAY - timedelta(days=20))
    first, then = Books(), Books()
    first.issue(late)
    first.do(early)
    then.do(early)
    then.issue(late)
    for books in (first, then):
        [settled] = [event for event in books.history if isinstance(event, ReceiptAllocated)]
        assert (settled.rule, settled.on, settled.amount) == ("credit", late.on, eur("500.00"))


def test_the_difference_that_something_told_late_makes_is_booked_by_reversals_rec_4() -> None:
    books = Books().told(I2, told_receipt("R2", "500.00", date(2025, 8, 1)))
    assert books.shares() == {("R2", "I2"): "500.00"}
    before = len(books.history)
    books.told(I1)
    moved = [event for event in books.history[before:] if isinstance(event, AllocationReversed | ReceiptAllocated)]
    assert [(type(each).__name__, each.invoice_number, str(each.amount.amount), each.on) for each in moved] == []
    books.told(told_receipt("R0", "100.00", date(2025, 6, 20)))
    moved = [event for event in books.history[before:] if isinstance(event, AllocationReversed | ReceiptAllocated)]
    assert [(type(each).__name__, each.invoice_number, str(each.amount.amount), each.on) for each in moved] == [
        ("ReceiptAllocated", "I1", "100.00", date(2025, 6, 20))
    ]
    books.told(told_receipt("R00", "450.00", date(2025, 6, 2), "I2"))
    reversed_ = [event for event in books.history[before:] if isinstance(event, AllocationReversed)]
    assert [(each.invoice_number, str(each.amount.amount), each.on, each.allocated_on) for each in reversed_] == [
        ("I2", "500.00", date(2025, 8, 1), date(2025, 8, 1))
    ]
    in_order = Books().told(
        I1,
        I2,
        told_receipt("R00", "450.00", date(2025, 6, 2), "I2"),
        told_receipt("R0", "100.00", date(2025, 6, 20)),
        told_receipt("R2", "500.00", date(2025, 8, 1)),
    )
    assert books.shares() == in_order.shares()


def test_arranging_again_changes_nothing() -> None:
    books = Books().told(I1, I2, R1)
    assert books.do(ArrangeHistory()) == []
    books.do(R1)
    assert books.do(ArrangeHistory()) == []


def test_history_that_nobody_arranged_is_after_a_while() -> None:
    """An import that broke off: the timer arranges, and nothing is overdue before."""
    books = Books()
    [told] = books.do(I1)
    assert ledger.timers_of(books.state) == {
        "arrangement_due": Timer(due=NOW + timedelta(minutes=2), command=ArrangeHistory())
    }
    books.do(ArrangeHistory())
    [overdue] = [event for event in books.history if isinstance(event, InvoiceOverdue)]
    assert (overdue.invoice_id, overdue.open) == (told.invoice_id, I1.amount)
    assert ledger.timers_of(books.state) == {}


def test_what_was_allocated_natively_is_never_moved_and_says_that_it_would_be_rec_4() -> None:
    books = Books()
    books.issue(invoice(1, "500.00", TODAY, TODAY - timedelta(days=5)))
    books.do(RecordReceipt(account_id=ACCOUNT, bank_reference="R", amount=eur("500.00"), on=TODAY))
    books.told(I1)
    assert books.shares() == {("R", "MAIN-000001"): "500.00"}
    [receipt] = books.state.receipts
    # With the old invoice, exact amount still comes first: nothing is otherwise.
    assert receipt.waits is None
    books.told(told_receipt("R9", "500.00", TODAY - timedelta(days=1), "MAIN-000001"))
    receipt = books.state.receipts.of("R")
    assert (receipt.waits, [(share.invoice_number, str(share.amount.amount)) for share in receipt.shares]) == (
        "would-be-allocated-otherwise",
        [("I1", "500.00")],
    )
    assert books.shares() == {("R", "MAIN-000001"): "500.00", ("R9", "I1"): "500.00"}
    books.do(
        ReAllocateReceipt(
            receipt_id=receipt.id,
            from_invoice_id=UUID(int=1001),
            to_invoice_id=I1.invoice_id,
            reason="As it should be.",
            amount=eur("200.00"),
        )
    )
    assert books.state.receipts.of("R").waits is None


def test_a_tie_of_history_is_decided_by_what_is_told_later_rec_4() -> None:
    r77, same = told_invoice("R-77", "100.00", date(2025, 1, 1)), told_invoice("R 77", "100.00", date(2025, 1, 2))
    books = Books().told(r77, same, told_receipt("B", "100.00", date(2025, 2, 1), "RE R/77"))
    [held] = [event for event in books.history if isinstance(event, ReceiptHeld)]
    assert (held.waits, held.of_history, len(held.shares)) == ("tie", True, 2)
    assert books.shares() == {}
    books.told(told_receipt("A", "100.00", date(2025, 1, 15), "R-77"))
    assert any(isinstance(event, ReceiptReleased) for event in books.history)
    assert books.shares() == {("A", "R-77"): "100.00", ("B", "R 77"): "100.00"}


# -- by hand --------------------------------------------------------------------------------------------------------

OPEN = invoice(1, "100.00", date(2026, 4, 1))
ALSO = invoice(2, "100.00", date(2026, 4, 2))
PAID = RecordReceipt(account_id=ACCOUNT, bank_reference="R", amount=eur("100.00"), on=TODAY)


def paid() -> tuple[Books, UUID]:
    """Two invoices, of which the first is paid, and the receipt."""
    books = Books()
    books.issue(OPEN)
    books.issue(ALSO)
    books.do(PAID)
    [receipt] = books.state.receipts
    return books, receipt.id


def test_a_person_puts_money_to_another_invoice_with_the_reason_rec_4() -> None:
    books, receipt_id = paid()
    back, made = books.do(
        ReAllocateReceipt(
            receipt_id=receipt_id,
            from_invoice_id=OPEN.invoice_id,
            to_invoice_id=ALSO.invoice_id,
            reason="They said so.",
        )
    )
    assert (back.reason, back.on, back.open_after) == ("They said so.", TODAY, eur("100.00"))
    assert (made.reason, made.rule, made.open_after) == ("They said so.", BY_HAND, eur("0.00"))
    assert books.shares() == {("R", "MAIN-000002"): "100.00"}
    assert books.receipt(receipt_id).waits is None


def test_what_a_person_takes_back_waits_until_somebody_allocates_it_rec_4() -> None:
    books, receipt_id = paid()
    take_back = TakeBackAllocation(
        receipt_id=receipt_id, invoice_id=OPEN.invoice_id, reason="Wrong.", amount=eur("40.00")
    )
    books.do(take_back)
    assert books.receipt(receipt_id).waits == "taken-back"
    books.issue(invoice(3, "30.00", date(2026, 4, 3)))
    books.told(I1)
    assert books.shares() == {("R", "MAIN-000001"): "60.00"}
    some = AllocateReceipt(receipt_id=receipt_id, invoice_id=ALSO.invoice_id, reason="Theirs.", amount=eur("10.00"))
    books.do(some)
    assert books.receipt(receipt_id).waits == "taken-back"
    books.do(replace(some, amount=None))
    assert (books.receipt(receipt_id).waits, books.state.unapplied) == (None, eur("0.00"))


def test_what_was_taken_back_and_allocated_again_leaves_other_credit_free_rec_4() -> None:
    books = Books()
    books.issue(OPEN)
    books.do(replace(PAID, amount=eur("150.00")))
    [receipt] = books.state.receipts
    take_back = TakeBackAllocation(receipt_id=receipt.id, invoice_id=OPEN.invoice_id, reason="Wrong.", amount=eur("40"))
    books.do(take_back)
    # Only what was taken back waits: the other fifty settle what is issued next.
    books.issue(replace(ALSO, amount=eur("20.00")))
    assert books.shares() == {("R", "MAIN-000001"): "60.00", ("R", "MAIN-000002"): "20.00"}
    again = AllocateReceipt(receipt_id=receipt.id, invoice_id=OPEN.invoice_id, reason="Right.")
    books.do(again)
    assert (books.receipt(receipt.id).waits, books.receipt(receipt.id).credit) == (None, eur("30.00"))


def test_what_a_person_decided_is_never_questioned_again_rec_4() -> None:
    books = Books()
    books.issue(invoice(1, "500.00", TODAY, TODAY - timedelta(days=5)))
    books.do(RecordReceipt(account_id=ACCOUNT, bank_reference="R", amount=eur("500.00"), on=TODAY))
    books.told(I1, told_receipt("R9", "500.00", TODAY - timedelta(days=1), "MAIN-000001"))
    receipt = books.state.receipts.of("R")
    books.do(
        ReAllocateReceipt(
            receipt_id=receipt.id,
            from_invoice_id=UUID(int=1001),
            to_invoice_id=I1.invoice_id,
            reason="Some of it.",
            amount=eur("100.00"),
        )
    )
    before = books.shares()
    books.told(told_receipt("R8", "1.00", TODAY))
    assert books.state.receipts.of("R").waits is None
    assert {pair: amount for pair, amount in books.shares().items() if pair[0] == "R"} == {
        pair: amount for pair, amount in before.items() if pair[0] == "R"
    }


def test_a_part_that_is_taken_back_of_a_tie_leaves_it_one_rec_4() -> None:
    books = Books()
    first, second = replace(OPEN, number="R-77"), replace(ALSO, number="R 77")
    books.issue(first)
    books.issue(second)
    books.do(replace(PAID, reference="R/77"))
    [receipt] = books.state.receipts
    some = AllocateReceipt(receipt_id=receipt.id, invoice_id=first.invoice_id, reason="x", amount=eur("50"))
    books.do(some)
    books.do(TakeBackAllocation(receipt_id=receipt.id, invoice_id=first.invoice_id, reason="x", amount=eur("20")))
    assert (books.receipt(receipt.id).waits, books.receipt(receipt.id).unapplied) == ("tie", eur("70.00"))


def test_while_history_is_told_nothing_is_decided_rec_4() -> None:
    """Nobody knows yet what is open: money waits for the end of the import, and people are told to."""
    books, receipt_id = paid()
    books.do(I1)
    with pytest.raises(Rejected) as refused:
        books.do(TakeBackAllocation(receipt_id=receipt_id, invoice_id=OPEN.invoice_id, reason="x"))
    assert refused.value.code == "import-running"
    assert len(books.do(replace(PAID, bank_reference="S"))) == 1
    books.issue(invoice(3, "10.00", date(2026, 4, 3)))
    books.do(ArrangeHistory())
    assert books.state.unapplied == eur("0.00")


@pytest.mark.parametrize(
    ("command", "code", "fields"),
    [
        (AllocateReceipt(receipt_id=UUID(int=5), invoice_id=UUID(int=6), reason="x"), "invalid-allocation", 2),
        (TakeBackAllocation(receipt_id=UUID(int=1), invoice_id=ALSO.invoice_id, reason="x"), "not-allocated", 0),
        (AllocateReceipt(receipt_id=UUID(int=1), invoice_id=ALSO.invoice_id, reason="x"), "nothing-to-allocate", 0),
    ],
)
def test_what_cannot_be_allocated_is_refused(command: Any, code: str, fields: int) -> None:
    books, receipt_id = paid()
    known = replace(command, receipt_id=receipt_id) if command.receipt_id == UUID(int=1) else command
    with pytest.raises(Rejected) as refused:
        books.do(known)
    assert refused.value.code == code
    assert len([reason for reason in refused.value.reasons if reason.field]) == fields


@pytest.mark.parametrize(
    ("amount", "code"),
    [("0", "not-positive"), ("-1", "not-positive"), ("100.01", "exceeds-open-amount"), ("0.001", "too-many-decimals")],
)
def test_an_amount_that_cannot_be_names_the_field(amount: str, code: str) -> None:
    books, receipt_id = paid()
    for command in (
        TakeBackAllocation(receipt_id=receipt_id, invoice_id=OPEN.invoice_id, reason="x", amount=eur(amount)),
        ReAllocateReceipt(
            receipt_id=receipt_id,
            from_invoice_id=OPEN.invoice_id,
            to_invoice_id=ALSO.invoice_id,
            reason="x",
            amount=eur(amount),
        ),
    ):
        with pytest.raises(Rejected) as refused:
            books.do(command)
        assert (refused.value.code, refused.value.reasons[0].field) == (code, "amount.amount")


def test_money_pays_no_invoice_of_another_currency_rec_4() -> None:
    """Where the lists know it, it is said so: that the ledger has no such invoice would be true, and no help."""
    books, receipt_id = paid()
    foreign = UUID(int=77)
    known = {"elsewhere": Elsewhere(currencies={foreign: "USD"})}
    for command, field in (
        (AllocateReceipt(receipt_id=receipt_id, invoice_id=foreign, reason="x"), "invoice_id"),
        (AllocateReceipt(receipt_id=foreign, invoice_id=OPEN.invoice_id, reason="x"), "receipt_id"),
        (
            ReAllocateReceipt(
                receipt_id=receipt_id, from_invoice_id=OPEN.invoice_id, to_invoice_id=foreign, reason="x"
            ),
            "to_invoice_id",
        ),
    ):
        with pytest.raises(Rejected) as refused:
            ledger.decide(books.state, command, THE_LEDGER.context, dict(THE_LEDGER.loaded) | known)
        (reason,) = refused.value.reasons
        assert (reason.code, reason.field) == ("other-currency", field)
        assert "is in USD, the ledger in EUR" in reason.message
    with pytest.raises(Rejected, match="the ledger's currency, EUR") as refused:
        books.do(TakeBackAllocation(receipt_id=receipt_id, invoice_id=OPEN.invoice_id, reason="x", amount=usd("1.00")))
    assert (refused.value.code, refused.value.reasons[0].field) == ("other-currency", "amount.currency")


def test_an_invoice_is_not_put_to_itself_nor_to_a_settled_one() -> None:
    books, receipt_id = paid()
    same = ReAllocateReceipt(
        receipt_id=receipt_id, from_invoice_id=OPEN.invoice_id, to_invoice_id=OPEN.invoice_id, reason="x"
    )
    with pytest.raises(Rejected, match="already"):
        books.do(same)
    books.do(replace(PAID, bank_reference="S"))
    with pytest.raises(Rejected) as refused:
        books.do(replace(same, to_invoice_id=ALSO.invoice_id))
    assert refused.value.reasons[0].field == "to_invoice_id"


# -- whatever happens -----------------------------------------------------------------------------------------------


class Chance:
    """Random books: history that is told in any order, with work on it in between."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.currency = CURRENCIES[seed % len(CURRENCIES)]
        self.count = 0

    def books(self) -> Books:
        """A ledger of nothing."""
        return Books(self.currency)

    def name(self) -> str:
        self.count += 1
        return f"{self.random.choice('AB')}-{self.count}"

    def day(self) -> date:
        return TODAY - timedelta(days=self.random.randrange(40))

    def amount(self) -> Money:
        return Money(amount=Decimal(self.random.choice((100, 200, 300, 500))) / 100, currency=self.currency)

    def text(self) -> str | None:
        """What a payer writes: nothing, a number, a number in other words, two numbers."""
        one, other = (f"{self.random.choice('AB')}-{self.random.randrange(1, self.count + 3)}" for _ in range(2))
        return self.random.choice((None, None, one, f"re {one.lower().replace('-', ' ')}", f"{one}/{other}"))

    def history(self, length: int) -> list[Any]:
        """What history tells."""
        found: list[Any] = []
        for _ in range(length):
            name, amount, on = self.name(), self.amount(), self.day()
            if self.random.random() < 0.5:
                told: Any = told_invoice(name, "1", on, on + timedelta(days=self.random.randrange(9)))
            else:
                told = told_receipt(name, "1", on, self.text())
            found.append(replace(told, amount=amount))
        return found

    def work(self, books: Books) -> None:
        """Something that people do natively."""
        place = self.random.randrange(5)
        if place == 0:
            books.do(
                RecordReceipt(
                    account_id=ACCOUNT,
                    bank_reference=self.name(),
                    amount=self.amount(),
                    on=self.day(),
                    reference=self.text(),
                )
            )
        elif place == 1:
            self.count += 1
            issued = of_amount(invoice(self.count, "1", date(2026, 3, 20), self.day()), self.amount())
            books.issue(replace(issued, due=issued.on + timedelta(days=self.random.randrange(9))))
        elif isinstance(books.state, OpenLedger):
            self._by_hand(books, place)

    def _by_hand(self, books: Books, place: int) -> None:
        invoices, receipts = list(books.state.invoices), list(books.state.receipts)
        standing = sorted(books.state.allocations.values(), key=str)
        if place == 2 and invoices and receipts:
            command: Any = AllocateReceipt(
                receipt_id=self.random.choice(receipts).id, invoice_id=self.random.choice(invoices).id, reason="x"
            )
        elif standing and place == 3:
            one = self.random.choice(standing)
            command = TakeBackAllocation(receipt_id=one.receipt_id, invoice_id=one.invoice_id, reason="x")
        elif standing:
            one = self.random.choice(standing)
            command = ReAllocateReceipt(
                receipt_id=one.receipt_id,
                from_invoice_id=one.invoice_id,
                to_invoice_id=self.random.choice(invoices).id,
                reason="x",
            )
        else:
            return
        try:
            books.do(command)
        except Rejected as refused:
            assert refused.code in {"nothing-to-allocate", "same-invoice", "import-running"}  # noqa: PT017


def of_amount(issued: InvoiceIssued, amount: Money) -> InvoiceIssued:
    """An invoice of another amount, in the ledger of its currency."""
    ledger_id, entries = ledger_of(ACCOUNT, amount.currency), movement("receivable", "revenue", amount)
    return replace(issued, ledger_id=ledger_id, amount=amount, entries=entries)


def as_happened(told: Any) -> tuple[date, bool, str]:
    """The order in which history happened: by day, invoices before receipts, by outside id."""
    return told.on, isinstance(told, ImportReceipt), told.outside_id


def natively(history: list[Any]) -> Books:
    """The same, as if everything had been recorded on its day: the rules of native work, one step after the other."""
    books = Books(history[0].amount.currency)
    for told in sorted(history, key=as_happened):
        if isinstance(told, ImportReceipt):
            books.do(
                RecordReceipt(
                    account_id=ACCOUNT,
                    bank_reference=told.bank_reference,
                    amount=told.amount,
                    on=told.on,
                    reference=told.reference,
                )
            )
        else:
            issued = of_amount(invoice(1, "1", date(2026, 3, 20), told.on), told.amount)
            books.issue(replace(issued, number=told.number, invoice_id=told.invoice_id, due=told.due))
    return books


def waiting(books: Books) -> dict[str, Any]:
    """What waits for a person."""
    return {each.bank_reference: (each.waits, each.shares) for each in books.state.receipts}


@pytest.mark.parametrize("seed", SEEDS)
def test_history_comes_out_the_same_in_any_order_of_arrival_rec_4(seed: int) -> None:
    chance, steps = Chance(seed), 0
    while steps < STEPS:
        history = chance.history(chance.random.randrange(2, 25))
        in_order = chance.books().told(*sorted(history, key=as_happened))
        some = chance.books()
        chance.random.shuffle(history)
        for command in history:
            some.do(command)
            if chance.random.random() < 0.3:
                some.do(ArrangeHistory())
        some.do(ArrangeHistory())
        steps += len(history)
        assert some.shares() == in_order.shares() == natively(history).shares()
        assert waiting(some) == waiting(in_order)
        for back in range(0, 41, 4):
            assert some.ageing(TODAY - timedelta(days=back)) == in_order.ageing(TODAY - timedelta(days=back))
        assert_balanced(some)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_done_meanwhile_the_books_balance_and_native_work_stays_rec_4(seed: int) -> None:
    chance, steps = Chance(seed), 0
    while steps < STEPS:
        books = chance.books()
        for _ in range(chance.random.randrange(2, 20)):
            if chance.random.random() < 0.5:
                for command in chance.history(chance.random.randrange(1, 4)):
                    books.do(command)
                    steps += 1
            if chance.random.random() < 0.5:
                books.do(ArrangeHistory())
            chance.work(books)
            steps += 1
        books.do(ArrangeHistory())
        assert_balanced(books)
        by_itself = [event for event in books.history if isinstance(event, AllocationReversed) and not event.by_hand]
        assert all(event.of_history for event in by_itself)
        if isinstance(books.state, OpenLedger):
            # What is open and what is credited never stand side by side, unless a person took something back.
            by_hand = any(event.by_hand for event in books.history if isinstance(event, AllocationReversed))
            open_ = [each for each in books.state.invoices if each.open.amount]
            credit = [each for each in books.state.receipts if each.credit.amount]
            assert by_hand or not (open_ and credit)
            folded = ledger.fold(books.history)
            assert content(folded) == content(books.state)


def assert_balanced(books: Books) -> None:
    """Debit is credit, and each account says what the documents say."""
    if not isinstance(books.state, OpenLedger):
        return
    sums: dict[str, Decimal] = {}
    for event in books.history:
        for entry in getattr(event, "entries", ()):
            sums[entry.account] = sums.get(entry.account, Decimal(0)) + entry.amount.amount
    assert sum(sums.values()) == 0
    invoiced = sum(each.amount.amount for each in books.history if isinstance(each, InvoiceIssued))
    received = sum(each.amount.amount for each in books.history if isinstance(each, ReceiptRecorded))
    assert sums.get("receivable", 0) == books.state.outstanding.amount
    assert sums.get("unapplied-credit", 0) == -books.state.unapplied.amount
    assert books.state.outstanding.amount - books.state.unapplied.amount == invoiced - received
    assert sum(each.open.amount for each in books.state.invoices) == books.state.outstanding.amount
    assert sum(each.unapplied.amount for each in books.state.receipts) == books.state.unapplied.amount
