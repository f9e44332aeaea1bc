"""REC-2: instalment, number and ledger in one command."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.receivables.domain.invoicing import ContractPlan, ImportInvoice, IssueInvoice, ToldBefore
from services.receivables.domain.ledger import ledger
from services.receivables.domain.ledger.state import empty, ledger_of, movement
from services.receivables.domain.numbers import (
    NextNumber,
    NumberHolder,
    RunningNumberSeries,
    UnusedNumberSeries,
    next_number,
    number_series,
    series_of,
)
from services.receivables.domain.plan import payment_plan
from services.receivables.domain.roles import FINANCE_DESK
from shared.domain.aggregate import Claim
from shared.domain.context import Moment
from shared.domain.roles import Role
from shared.events.money import Money
from shared.events.receivables.ledger import InvoiceIssued, ReceiptAllocated, ReceiptHeld, ReceiptRecorded
from shared.events.receivables.number_series import InvoiceNumberTaken
from shared.events.receivables.payment_plan import InstalmentInvoiced, InstalmentLeft, PriorInvoiceCounted
from shared.testing.scenario import CONTEXT, NOW
from tests.services.receivables.facts import (
    ACCOUNT,
    CONTRACT,
    DEAL,
    DRAWN_UP,
    FIRST,
    LEDGER,
    OWNER,
    PLAN,
    TEAM,
    THE_LEDGER,
    THE_PLAN,
    TODAY,
    books,
    eur,
    events,
    usd,
)

INVOICE = CONTEXT.derived_id("invoice")
NOTHING_YET = THE_PLAN.given(DRAWN_UP).knowing(next_number=FIRST, books=empty(ACCOUNT, "EUR"))
INVOICED = InstalmentInvoiced(
    plan_id=PLAN, number=1, invoice_id=INVOICE, invoice_number="MAIN-000001", on=TODAY, legal_entity="MAIN"
)
ISSUED = InvoiceIssued(
    ledger_id=LEDGER,
    account_id=ACCOUNT,
    invoice_id=INVOICE,
    number="MAIN-000001",
    legal_entity="MAIN",
    amount=eur("300.00"),
    on=TODAY,
    due=date(2026, 4, 15),
    overdue_from=datetime(2026, 4, 16, tzinfo=UTC),
    contract_id=CONTRACT,
    plan_id=PLAN,
    instalment=1,
    deal_id=DEAL,
    owner=OWNER,
    team=TEAM,
    entries=movement("receivable", "revenue", eur("300.00")),
)


def test_an_invoice_changes_plan_series_and_ledger_at_once_rec_2() -> None:
    outcome = NOTHING_YET.when(IssueInvoice(number=1))
    outcome.then(
        INVOICED,
        InvoiceNumberTaken(series_id=series_of("MAIN"), legal_entity="MAIN", number=1, invoice_id=INVOICE, on=TODAY),
        ISSUED,
    )
    assert [fact.to for fact in outcome.facts] == [None, series_of("MAIN"), LEDGER]
    assert {fact.at for fact in outcome.facts} == {Moment(NOW)}


def test_invoicing_an_instalment_again_records_nothing() -> None:
    NOTHING_YET.given(INVOICED).when(IssueInvoice(number=1)).then()
    NOTHING_YET.given(INVOICED).when(IssueInvoice(number=1, on=TODAY)).then()


@pytest.mark.parametrize(
    "command", [IssueInvoice(number=1, on=date(2026, 3, 1)), IssueInvoice(number=1, legal_entity="SOUTH")]
)
def test_an_instalment_has_one_invoice_rec_2(command: IssueInvoice) -> None:
    NOTHING_YET.given(INVOICED).when(command).then_rejected("already-invoiced")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (IssueInvoice(number=9), "unknown-instalment"),
        (IssueInvoice(number=1, on=date(2026, 3, 17)), "in-the-future"),
        (IssueInvoice(number=1, legal_entity="main"), "not-a-legal-entity"),
        (IssueInvoice(number=1, legal_entity="A-1"), "not-a-legal-entity"),
    ],
)
def test_what_cannot_be_invoiced_is_refused(command: IssueInvoice, code: str) -> None:
    NOTHING_YET.when(command).then_rejected(code)


def test_all_that_is_wrong_with_an_invoice_is_told_at_once() -> None:
    wrong = IssueInvoice(number=9, on=date(2026, 3, 17), legal_entity="main")
    NOTHING_YET.when(wrong).then_rejected(
        "not-a-legal-entity", "not-a-legal-entity", "unknown-instalment", "in-the-future"
    )


def test_an_instalment_of_nothing_is_not_invoiced() -> None:
    nothing = replace(DRAWN_UP, instalments=(replace(DRAWN_UP.instalments[0], amount=eur("0")),))
    scene = THE_PLAN.given(nothing).knowing(next_number=FIRST, books=empty(ACCOUNT, "EUR"))
    scene.when(IssueInvoice(number=1)).then_rejected("nothing-to-pay")


def test_there_is_no_plan_to_invoice() -> None:
    THE_PLAN.when(IssueInvoice(number=1)).then_rejected("does-not-exist")


def test_an_invoice_is_not_due_before_its_own_day() -> None:
    issued = events(NOTHING_YET.when(IssueInvoice(number=3)))[2]
    assert (issued.on, issued.due) == (TODAY, TODAY)


def test_an_invoice_is_dated_neither_before_its_contract_nor_before_the_last_number_rec_2() -> None:
    """Fault 33: MAIN-000049 could be of a day before MAIN-000048."""
    day = date(2026, 3, 10)
    running = THE_PLAN.given(replace(DRAWN_UP, on=day)).knowing(next_number=FIRST, books=empty(ACCOUNT, "EUR"))
    running.when(IssueInvoice(number=1, on=date(2026, 3, 9))).then_rejected("before-it-began")
    assert events(running.when(IssueInvoice(number=1, on=day)))
    after = NOTHING_YET.knowing(next_number=NextNumber(legal_entity="MAIN", number=7, since=day))
    outcome = after.when(IssueInvoice(number=1, on=date(2026, 3, 9))).then_rejected("before-the-last-number")
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].field == "on"
    assert events(after.when(IssueInvoice(number=1, on=day)))


def test_an_invoice_may_be_dated_back() -> None:
    outcome = NOTHING_YET.when(IssueInvoice(number=3, on=date(2026, 3, 1)))
    assert outcome.facts[2].event.due == date(2026, 3, 10)
    assert {fact.at for fact in outcome.facts} == {
        Moment(datetime(2026, 3, 1, 23, 59, 59, 999999, tzinfo=UTC), by_day=True)
    }


def test_finance_issues_invoices_api_4() -> None:
    assert payment_plan.handlers[IssueInvoice][0].allow == FINANCE_DESK
    assert set(FINANCE_DESK) == {Role.FINANCE, Role.ADMIN, Role.SERVICE}


# -- standing credit ------------------------------------------------------------------------------------------------


def received(amount: str, reference: str | None) -> ReceiptRecorded:
    return ReceiptRecorded(
        ledger_id=LEDGER,
        account_id=ACCOUNT,
        receipt_id=UUID(int=5),
        bank_reference="B1",
        amount=eur(amount),
        on=date(2026, 3, 2),
        reference=reference,
    )


def test_money_that_named_the_invoice_before_it_was_written_settles_it_rec_4() -> None:
    scene = NOTHING_YET.knowing(books=books(received("500.00", "main-000001")))
    allocated = events(scene.when(IssueInvoice(number=1)))[3]
    assert isinstance(allocated, ReceiptAllocated)
    assert (allocated.amount, allocated.open_after, allocated.rule) == (eur("300.00"), eur("0.00"), "reference")
    assert allocated.on == TODAY


@pytest.mark.parametrize("reference", [None, "MAIN-000009"])
def test_other_standing_credit_settles_it_too_the_oldest_first_rec_4(reference: str | None) -> None:
    """Fault 14: what was owed and what was credit stood side by side for ever."""
    old = replace(received("100.00", reference), receipt_id=UUID(int=6), bank_reference="B0", on=date(2026, 2, 1))
    named = replace(received("50.00", "RE MAIN-000001"), receipt_id=UUID(int=7), bank_reference="B2")
    scene = NOTHING_YET.knowing(books=books(received("300.00", reference), old, named))
    parts = events(scene.when(IssueInvoice(number=1)))[3:]
    assert [(each.receipt_id.int, str(each.amount.amount), each.rule) for each in parts] == [
        (7, "50.00", "reference"),
        (6, "100.00", "credit"),
        (5, "150.00", "credit"),
    ]


def test_credit_that_waits_for_a_person_settles_nothing_by_itself_rec_4() -> None:
    held = ReceiptHeld(ledger_id=LEDGER, account_id=ACCOUNT, receipt_id=UUID(int=5), waits="tie")
    scene = NOTHING_YET.knowing(books=books(received("300.00", None), held))
    assert len(events(scene.when(IssueInvoice(number=1)))) == 3


# -- numbers --------------------------------------------------------------------------------------------------------


def test_numbers_follow_one_another_for_each_legal_entity_rec_2() -> None:
    taken: list[Any] = [
        InvoiceNumberTaken(
            series_id=series_of("SOUTH"), legal_entity="SOUTH", number=number, invoice_id=UUID(int=number)
        )
        for number in (1, 2, 3)
    ]
    series = number_series.fold(taken)
    assert series == RunningNumberSeries(id=series_of("SOUTH"), legal_entity="SOUTH", last=3)
    assert next_number(series, "SOUTH").text == "SOUTH-000004"
    assert next_number(UnusedNumberSeries(), "MAIN").text == "MAIN-000001"
    assert NextNumber(legal_entity="MAIN", number=1234567).text == "MAIN-1234567"


# -- history --------------------------------------------------------------------------------------------------------

OLD = ImportInvoice(
    account_id=ACCOUNT,
    invoice_id=UUID(int=77),
    amount=eur("50"),
    on=date(2025, 2, 1),
    due=date(2025, 3, 1),
    number="2025/17",
)


def test_an_invoice_of_the_past_keeps_its_number_data_5() -> None:
    outcome = THE_LEDGER.when(OLD)
    [issued] = events(outcome)
    assert (issued.number, issued.amount, issued.due) == ("2025/17", eur("50.00"), date(2025, 3, 1))
    assert outcome.facts[0].at == Moment(datetime(2025, 2, 1, 23, 59, 59, 999999, tzinfo=UTC), by_day=True)
    THE_LEDGER.given(issued).when(OLD).then()
    THE_LEDGER.given(issued).when(replace(OLD, amount=eur("51"))).then_rejected("says-otherwise")
    THE_LEDGER.given(issued).when(replace(OLD, invoice_id=UUID(int=78))).then_rejected("already-invoiced")


def test_an_invoice_of_the_past_without_number_takes_none_of_the_series_and_is_shown_by_its_outside_id_data_5() -> None:
    nameless = replace(OLD, number=None, outside_id="A/5")
    [issued] = events(THE_LEDGER.when(nameless))
    assert (issued.number, issued.unnumbered) == ("A/5", True)
    assert {claim.kind for claim in ledger.taken_by(issued)} == {"told-invoice"}
    THE_LEDGER.given(issued).when(nameless).then()
    # Another one may be known outside as this one is numbered; two without number may have one outside id.
    numbered = replace(OLD, number="A/5", invoice_id=UUID(int=78))
    assert len(events(THE_LEDGER.given(issued).when(numbered))) == 1
    assert len(events(THE_LEDGER.given(issued).when(replace(nameless, invoice_id=UUID(int=79))))) == 1


@pytest.mark.parametrize("number", ["RE-2024001", "INV-000001", "2024-000123", "SOUTH-000007", "MAIN-7", "MAIN-00000A"])
def test_numbers_of_the_past_are_kept_data_5(number: str) -> None:
    """Fault 32: a number that looked like one of any series was refused."""
    [issued] = events(THE_LEDGER.when(replace(OLD, number=number)))
    assert (issued.number, issued.unnumbered) == (number, False)


def test_a_number_of_the_past_stands_once_in_its_legal_entity_data_5() -> None:
    [issued] = events(THE_LEDGER.when(replace(OLD, number=" r-77 ")))
    assert issued.number == "r-77"
    told = Claim(kind="told-invoice", key=str(OLD.invoice_id))
    assert ledger.taken_by(issued) == {Claim(kind="invoice-number", key="MAIN/r-77"), told}
    again = replace(OLD, invoice_id=UUID(int=78), number="R-77")
    THE_LEDGER.given(issued).when(again).then_rejected("already-invoiced")
    THE_LEDGER.knowing(numbered=NumberHolder(ledger_id=UUID(int=9))).when(again).then_rejected("already-invoiced")
    [other] = events(THE_LEDGER.given(issued).when(replace(again, legal_entity="SOUTH")))
    assert Claim(kind="invoice-number", key="SOUTH/r-77") in ledger.taken_by(other)


def test_a_number_of_the_past_in_the_form_of_the_series_lifts_it_data_5() -> None:
    lifted, issued = events(THE_LEDGER.when(replace(OLD, number="main-000041")))
    assert (lifted.number, lifted.on, issued.number) == (41, OLD.on, "main-000041")
    series = number_series.fold([lifted])
    assert next_number(series, "MAIN") == NextNumber(legal_entity="MAIN", number=42, since=OLD.on)
    above = THE_LEDGER.knowing(next_number=next_number(series, "MAIN"))
    assert len(events(above.when(replace(OLD, number="MAIN-000017")))) == 1


def test_an_invoice_of_the_past_that_is_told_in_another_currency_is_refused_with_both_data_5() -> None:
    """It would stand in two ledgers: that of a customer in each currency is one of its own."""
    before = ToldBefore(account_id=ACCOUNT, amount=usd("50.00"))
    outcome = THE_LEDGER.knowing(before=before).when(OLD).then_rejected("says-otherwise")
    assert outcome.rejected is not None
    (reason,) = outcome.rejected.reasons
    assert (reason.field, reason.message) == ("amount", "It is known with 50.00 USD; this says 50.00 EUR.")
    moved = replace(before, account_id=UUID(int=99), amount=eur("50"))
    THE_LEDGER.knowing(before=moved).when(OLD).then_rejected("says-otherwise")


def test_an_invoice_in_another_currency_than_its_contract_takes_nothing_from_the_plan_data_5() -> None:
    plan = payment_plan.fold([DRAWN_UP])
    here = replace(THE_LEDGER.context, aggregate_id=ledger_of(ACCOUNT, "USD"))
    told = replace(OLD, contract_id=CONTRACT, amount=usd("50"))
    in_dollars = replace(THE_LEDGER, context=here).knowing(contract=ContractPlan(plan=plan))
    (issued,) = events(in_dollars.when(told))
    assert (issued.ledger_id, issued.amount) == (here.aggregate_id, usd("50.00"))


def test_an_invoice_counts_against_the_plan_of_its_contract_data_5() -> None:
    plan = payment_plan.fold([DRAWN_UP])
    told = replace(OLD, contract_id=CONTRACT)
    issued, less = THE_LEDGER.knowing(contract=ContractPlan(plan=plan)).when(told).facts
    assert (less.to, less.event.instalments) == (PLAN, (InstalmentLeft(number=1, left=eur("250.00")),))
    assert issued.event.number == "2025/17"


def test_what_is_left_of_an_instalment_is_invoiced_and_what_was_not_counted_yet_is_rec_2() -> None:
    """Counted already, or told in the moment in which the plan was drawn up: either way nothing is asked for twice."""
    counted = PriorInvoiceCounted(
        plan_id=PLAN,
        invoice_id=UUID(int=77),
        invoice_number="2025/17",
        amount=eur("50.00"),
        on=OLD.on,
        instalments=(InstalmentLeft(number=1, left=eur("250.00")),),
    )
    [issued] = events(THE_LEDGER.when(replace(OLD, contract_id=CONTRACT)))
    after = NOTHING_YET.given(counted).knowing(books=books(issued))
    assert events(after.when(IssueInvoice(number=1)))[-1].amount == eur("250.00")
    uncounted = NOTHING_YET.knowing(books=books(issued))
    first, *rest = events(uncounted.when(IssueInvoice(number=1)))
    assert (first, rest[-1].amount) == (counted, eur("250.00"))
    all_of_it = replace(counted, instalments=(InstalmentLeft(number=1, left=eur("0.00")),))
    NOTHING_YET.given(all_of_it).knowing(books=books(issued)).when(IssueInvoice(number=1)).then_rejected(
        "nothing-to-pay"
    )


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (replace(OLD, on=date(2026, 3, 17)), "in-the-future"),
        (replace(OLD, due=date.max), "out-of-range"),
        (replace(OLD, amount=eur("0")), "nothing-to-pay"),
        (replace(OLD, account_id=UUID(int=99)), "other-ledger"),
        (replace(OLD, amount=Money(amount=Decimal(1), currency="XAU")), "unknown-currency"),
        (replace(OLD, amount=usd("1")), "other-ledger"),
        (replace(OLD, legal_entity="x"), "not-a-legal-entity"),
    ],
)
def test_an_invoice_of_the_past_that_cannot_be_is_refused(command: ImportInvoice, code: str) -> None:
    THE_LEDGER.when(command).then_rejected(code)
