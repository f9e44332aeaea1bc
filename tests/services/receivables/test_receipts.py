"""REC-3, REC-4: money arrives once, settles what is open, and never more."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.receivables.domain.ledger import ledger
from services.receivables.domain.ledger.invoices import enter
from services.receivables.domain.ledger.overdue import MarkOverdue
from services.receivables.domain.ledger.receipts import ImportReceipt, RecordReceipt, ReferenceHolder
from services.receivables.domain.ledger.state import OpenLedger, empty, ledger_of, movement
from services.receivables.domain.roles import FINANCE_DESK
from shared.domain.aggregate import Claim, Timer
from shared.domain.context import Moment
from shared.domain.money import zero
from shared.domain.roles import ONLY_SERVICES
from shared.events.money import Money
from shared.events.receivables.ledger import InvoiceIssued, InvoiceOverdue, ReceiptAllocated, ReceiptRecorded
from tests.services.receivables.facts import (
    ACCOUNT,
    FREE,
    LEDGER,
    OWNER,
    TEAM,
    THE_LEDGER,
    TODAY,
    books,
    eur,
    events,
    invoice,
    usd,
)

EARLY = invoice(2, "300.00", date(2026, 3, 20))
LATE = invoice(1, "200.00", date(2026, 4, 20))
TWO_OPEN = THE_LEDGER.given(LATE, EARLY)
PAY = RecordReceipt(account_id=ACCOUNT, bank_reference="B1", amount=eur("300.00"), on=TODAY)
RECORDED = ReceiptRecorded(
    ledger_id=LEDGER,
    account_id=ACCOUNT,
    receipt_id=uuid5(LEDGER, "receipt/B1"),
    bank_reference="B1",
    amount=eur("300.00"),
    on=TODAY,
    entries=movement("bank", "unapplied-credit", eur("300.00")),
)


def allocated(invoice: InvoiceIssued, amount: str, open_after: str, rule: str) -> ReceiptAllocated:
    return ReceiptAllocated(
        ledger_id=LEDGER,
        account_id=ACCOUNT,
        receipt_id=RECORDED.receipt_id,
        invoice_id=invoice.invoice_id,
        invoice_number=invoice.number,
        amount=eur(amount),
        open_after=eur(open_after),
        rule=rule,
        on=TODAY,
        owner=OWNER,
        team=TEAM,
        entries=movement("unapplied-credit", "receivable", eur(amount)),
    )


# -- REC-3: once ----------------------------------------------------------------------------------------------------


def test_money_may_arrive_before_anything_was_invoiced_rec_3() -> None:
    outcome = THE_LEDGER.when(PAY).then(RECORDED)
    assert outcome.state.unapplied == eur("300.00")


def test_the_same_reference_with_equal_content_records_nothing_rec_3() -> None:
    THE_LEDGER.given(RECORDED).when(PAY).then()


@pytest.mark.parametrize(
    "other", [replace(PAY, amount=eur("301.00")), replace(PAY, on=date(2026, 3, 15)), replace(PAY, reference="X")]
)
def test_the_same_reference_with_other_content_is_refused_rec_3(other: RecordReceipt) -> None:
    THE_LEDGER.given(RECORDED).when(other).then_rejected("bank-reference-used")


def test_a_reference_of_another_customers_ledger_is_refused_rec_3() -> None:
    THE_LEDGER.knowing(holder=ReferenceHolder(ledger_id=UUID(int=9))).when(PAY).then_rejected("bank-reference-used")


def test_a_ledger_holds_its_bank_references_rec_3() -> None:
    assert ledger.taken_by(RECORDED) == {Claim(kind="bank-reference", key="B1")}


@pytest.mark.parametrize(
    ("command", "reasons"),
    [
        (replace(PAY, amount=eur("0")), ("not-positive",)),
        (replace(PAY, amount=eur("-5"), on=date(2026, 3, 17)), ("not-positive", "in-the-future")),
        (replace(PAY, amount=Money(amount=Decimal(5), currency="XAU")), ("unknown-currency",)),
        (replace(PAY, amount=Money(amount=Decimal("0.5"), currency="JPY")), ("too-many-decimals",)),
        (replace(PAY, amount=eur("0.001")), ("too-many-decimals",)),
        (replace(PAY, bank_reference=" B1", reference="X "), ("surrounded-by-space", "surrounded-by-space")),
    ],
)
def test_money_that_cannot_be_is_refused_with_every_reason(command: RecordReceipt, reasons: tuple[str, ...]) -> None:
    THE_LEDGER.when(command).then_rejected("invalid-receipt", *reasons)


def test_money_of_another_customer_or_currency_is_refused() -> None:
    THE_LEDGER.when(replace(PAY, account_id=UUID(int=99))).then_rejected("other-ledger")
    THE_LEDGER.when(replace(PAY, amount=usd("5"))).then_rejected("other-ledger")


def test_money_enters_the_ledger_of_its_currency_and_one_bank_reference_is_one_movement_rec_3() -> None:
    """REC-3: the reference is the bank's, whatever the currency."""
    here = ledger_of(ACCOUNT, "USD")
    in_dollars = replace(THE_LEDGER, context=replace(THE_LEDGER.context, aggregate_id=here))
    pays = replace(PAY, amount=usd("300"))
    (recorded,) = events(in_dollars.when(pays))
    assert (recorded.ledger_id, recorded.amount) == (here, usd("300.00"))
    assert in_dollars.when(pays).state.currency == "USD"
    in_dollars.knowing(holder=ReferenceHolder(ledger_id=LEDGER)).when(pays).then_rejected("bank-reference-used")


def test_money_of_the_past_is_booked_the_same_way_rec_3() -> None:
    """REC-3, DATA-5: history names its own customers."""
    past = ImportReceipt(account_id=ACCOUNT, bank_reference="B1", amount=eur("300.00"), on=TODAY)
    [told] = events(THE_LEDGER.when(past))
    assert replace(told, arrange_by=None) == RECORDED
    THE_LEDGER.given(RECORDED).when(past).then()
    THE_LEDGER.when(replace(past, amount=eur("0"))).then_rejected("invalid-receipt", "not-positive")
    assert ledger.handlers[ImportReceipt][0].allow == ONLY_SERVICES


def test_finance_books_receipts_api_4() -> None:
    assert ledger.handlers[RecordReceipt][0].allow == FINANCE_DESK


# -- REC-4: what it settles -----------------------------------------------------------------------------------------


def test_the_stated_invoice_comes_first_rec_4() -> None:
    named = replace(PAY, reference="MAIN-000001")
    TWO_OPEN.when(named).then(
        replace(RECORDED, reference="MAIN-000001"),
        allocated(LATE, "200.00", "0.00", "reference"),
        allocated(EARLY, "100.00", "200.00", "oldest-due"),
    )


def test_then_the_one_that_is_open_by_exactly_this_rec_4() -> None:
    exact = replace(PAY, amount=eur("200.00"))
    recorded = replace(RECORDED, amount=eur("200.00"), entries=movement("bank", "unapplied-credit", eur("200.00")))
    TWO_OPEN.when(exact).then(recorded, allocated(LATE, "200.00", "0.00", "exact-amount"))


def test_then_the_oldest_due_rec_4() -> None:
    some = replace(PAY, amount=eur("50.00"))
    recorded = replace(RECORDED, amount=eur("50.00"), entries=movement("bank", "unapplied-credit", eur("50.00")))
    TWO_OPEN.when(some).then(recorded, allocated(EARLY, "50.00", "250.00", "oldest-due"))


def test_an_over_payment_stays_as_credit_rec_4() -> None:
    outcome = TWO_OPEN.when(replace(PAY, amount=eur("620.00")))
    assert (outcome.state.outstanding, outcome.state.unapplied) == (eur("0.00"), eur("120.00"))


def test_a_settled_invoice_takes_nothing_more_rec_4() -> None:
    paid = events(THE_LEDGER.given(EARLY).when(PAY))
    again = replace(PAY, bank_reference="B2", reference=EARLY.number)
    outcome = THE_LEDGER.given(EARLY, *paid).when(again)
    assert [type(fact.event) for fact in outcome.facts] == [ReceiptRecorded]


def test_money_settles_an_invoice_from_the_later_day_of_the_two_rec_4() -> None:
    early_money = replace(PAY, on=date(2026, 2, 1))
    outcome = THE_LEDGER.given(EARLY).when(early_money)
    assert [fact.event.on for fact in outcome.facts] == [date(2026, 2, 1), date(2026, 3, 1)]
    assert outcome.facts[1].at == Moment(datetime(2026, 3, 1, 23, 59, 59, 999999, tzinfo=UTC), by_day=True)


DAYS = st.dates(min_value=date(2026, 1, 1), max_value=TODAY)
AMOUNTS = st.integers(min_value=1, max_value=500).map(lambda cents: Money(amount=Decimal(cents) / 100, currency="EUR"))
INVOICES = st.tuples(st.just("invoice"), AMOUNTS, DAYS, st.integers(min_value=0, max_value=40))
RECEIPTS = st.tuples(
    st.just("receipt"), AMOUNTS, DAYS, st.none() | st.integers(min_value=1, max_value=12).map("MAIN-{:06}".format)
)


def movements(steps: list[tuple[Any, ...]]) -> list[Any]:
    """All events of a ledger to which these things happen, one after the other."""
    history: list[Any] = []
    numbers = 0
    for index, (kind, amount, on, more) in enumerate(steps):
        if kind == "invoice":
            numbers += 1
            state = ledger.fold(history)
            before = state if isinstance(state, OpenLedger) else empty(ACCOUNT, "EUR")
            asked = replace(
                invoice(numbers, str(amount.amount), date(2026, 3, 20), on), due=date.fromordinal(on.toordinal() + more)
            )
            history += [fact.event for fact in enter(before, asked, THE_LEDGER.context)]
        else:
            receipt = RecordReceipt(
                account_id=ACCOUNT, bank_reference=f"B{index}", amount=amount, on=on, reference=more
            )
            history += events(THE_LEDGER.given(*history).knowing(holder=FREE).when(receipt))
    return history


@given(st.lists(INVOICES | RECEIPTS, min_size=1, max_size=14))
def test_whatever_the_order_the_books_balance_and_nothing_falls_below_zero_rec_4(steps: list[tuple[Any, ...]]) -> None:
    history = movements(steps)
    for event in history:
        assert sum((entry.amount for entry in event.entries), zero("EUR")) == zero("EUR")
        assert len(event.entries) == 2
    for length in range(1, len(history) + 1):
        state = books(*history[:length])
        assert all(each.open.amount >= 0 for each in state.invoices)
        assert all(each.unapplied.amount >= 0 for each in state.receipts)
    state = books(*history)
    invoiced = sum((each.amount for each in history if isinstance(each, InvoiceIssued)), zero("EUR"))
    received = sum((each.amount for each in history if isinstance(each, ReceiptRecorded)), zero("EUR"))
    settled = sum((each.amount for each in history if isinstance(each, ReceiptAllocated)), zero("EUR"))
    assert settled.amount <= min(received.amount, invoiced.amount)
    assert state.outstanding == invoiced - settled
    assert state.unapplied == received - settled
    for account, figure in (("receivable", state.outstanding), ("unapplied-credit", -state.unapplied)):
        entries = [entry.amount for event in history for entry in event.entries if entry.account == account]
        assert sum(entries, zero("EUR")) == figure


# -- overdue --------------------------------------------------------------------------------------------------------

DAY_AFTER = datetime(2026, 3, 21, tzinfo=UTC)
OVERDUE = InvoiceOverdue(
    ledger_id=LEDGER,
    account_id=ACCOUNT,
    invoice_id=EARLY.invoice_id,
    invoice_number=EARLY.number,
    due=EARLY.due,
    open=eur("300.00"),
    owner=OWNER,
    team=TEAM,
)


def test_the_timer_waits_for_the_day_after_the_oldest_due_date() -> None:
    assert ledger.timers_of(books(LATE, EARLY)) == {"overdue": Timer(due=DAY_AFTER, command=MarkOverdue())}


def test_an_invoice_is_overdue_from_the_day_after_it_was_due() -> None:
    outcome = TWO_OPEN.at(datetime(2026, 3, 25, 9, 0, tzinfo=UTC)).when(MarkOverdue()).then(OVERDUE)
    assert outcome.facts[0].at == Moment(DAY_AFTER)
    [timer] = ledger.timers_of(outcome.state).values()
    assert timer.due == datetime(2026, 4, 21, tzinfo=UTC)


def test_nothing_is_overdue_on_its_due_date() -> None:
    TWO_OPEN.at(datetime(2026, 3, 20, 23, 59, tzinfo=UTC)).when(MarkOverdue()).then()


def test_it_is_noted_once_that_an_invoice_is_overdue() -> None:
    TWO_OPEN.given(OVERDUE).at(DAY_AFTER).when(MarkOverdue()).then()


def test_a_settled_invoice_is_never_overdue() -> None:
    paid = events(THE_LEDGER.given(EARLY).when(PAY))
    THE_LEDGER.given(EARLY, *paid).at(DAY_AFTER).when(MarkOverdue()).then()
    assert ledger.timers_of(books(EARLY, *paid)) == {}


def test_the_day_ends_where_the_company_is() -> None:
    context = replace(THE_LEDGER.context, company=replace(THE_LEDGER.context.company, timezone="Asia/Tokyo"))
    [issued] = enter(books(LATE), replace(EARLY, overdue_from=None), context)
    assert issued.event.overdue_from == datetime(2026, 3, 20, 15, 0, tzinfo=UTC)
    assert issued.at == Moment(context.company.end_of(EARLY.on), by_day=True)
