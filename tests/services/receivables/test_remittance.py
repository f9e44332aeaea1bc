"""REC-4: invoice numbers in the text of a payer."""

from dataclasses import replace
from datetime import date

import pytest

from services.receivables.domain.ledger.receipts import RecordReceipt
from services.receivables.domain.ledger.remittance import mentions
from shared.events.receivables.ledger import InvoiceIssued, ReceiptAllocated, ReceiptHeld
from tests.services.receivables.facts import ACCOUNT, THE_LEDGER, TODAY, books, eur, events, invoice

OLD = replace(invoice(1, "100.00", date(2026, 3, 2)), number="N1")


def other(number: str, place: int = 2, amount: str = "100.00") -> InvoiceIssued:
    """A younger invoice."""
    return replace(invoice(place, amount, date(2026, 4, 10)), number=number)


def paid(text: str | None, *invoices: InvoiceIssued, amount: str = "100.00") -> list[str]:
    """The numbers of the invoices that a receipt with this text settles; "waits" where a person has to decide."""
    pays = RecordReceipt(account_id=ACCOUNT, bank_reference="B", amount=eur(amount), on=TODAY, reference=text)
    found = events(THE_LEDGER.given(OLD, *invoices).when(pays))[1:]
    return ["waits" if isinstance(each, ReceiptHeld) else each.invoice_number for each in found]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("RE MAIN-000016 vom 3.3.", "MAIN-000016"),
        ("RE: MAIN-000016", "MAIN-000016"),
        ("Invoice MAIN-000016, thanks", "MAIN-000016"),
        ("MAIN 000016", "MAIN-000016"),
        ("MAIN000016", "MAIN-000016"),
        ("MAIN-00000016", "MAIN-000016"),
        ("main-000016", "MAIN-000016"),
        ("ＭＡＩＮ－０００１６", "MAIN-000016"),
        ("RE 000016", "MAIN-000016"),
        ("Rechnung r 77, danke", "R-77"),
        ("RE2024001", "2024001"),
        ("RE-2024001/Kd 4711", "2024001"),
        ("Zahlung 16 vom 01.02.2026", "16"),
        ("inv. 2024/000123 of 2026-03-01", "2024/000123"),
        ("MAIN-000016/2", "MAIN-000016/2"),
        ("№ 5-Ä/9", "5-ä/9"),
        ("٣٤٥٦٧٨", "345678"),
    ],
)
def test_the_invoice_that_the_text_names_is_paid_rec_4(text: str, number: str) -> None:
    """Fault 13: only a text that was the number itself named it, and an older invoice was paid."""
    assert paid(text, other(number)) == [number]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (None, "MAIN-000016"),
        ("thanks", "MAIN-000016"),
        ("MAIN-000017", "MAIN-000016"),
        ("DOMAIN-000016", "MAIN-000016"),
        ("SOUTH-000016", "MAIN-000016"),
        ("R-77b", "R-77"),
        ("paid on 16.03.", "16"),
        ("100.00 EUR of 2026-03-01", "100"),
        ("2026-03-01", "3"),
    ],
)
def test_what_the_text_does_not_name_is_not_paid_before_what_is_older_rec_4(text: str | None, number: str) -> None:
    assert paid(text, other(number, amount="99.00"), amount="98.00") == ["N1"]


def test_several_named_invoices_are_paid_where_the_money_is_enough_for_all_rec_4() -> None:
    both = [other("N2", 2), other("N3", 3)]
    assert paid("N2/N3", *both, amount="200.00") == ["N2", "N3"]
    assert paid("N3 + N2", *both, amount="250.00") == ["N3", "N2", "N1"]
    assert paid("N2/N3", other("N2", 2), other("N3", 3, "60.00"), amount="60.00") == ["N3"]


@pytest.mark.parametrize(
    ("text", "numbers", "amount"),
    [
        ("N2/N3", ("N2", "N3"), "100.00"),
        ("N2, N3", ("N2", "N3"), "150.00"),
        ("RE 000016", ("MAIN-000016", "SOUTH-000016"), "100.00"),
        ("R 77", ("R-77", "r/77"), "100.00"),
    ],
)
def test_a_tie_is_left_unapplied_and_waits_for_a_person_rec_4(text: str, numbers: tuple[str, str], amount: str) -> None:
    invoices = [other(number, place) for place, number in enumerate(numbers, start=2)]
    assert paid(text, *invoices, amount=amount) == ["waits"]
    pays = RecordReceipt(account_id=ACCOUNT, bank_reference="B", amount=eur(amount), on=TODAY, reference=text)
    outcome = THE_LEDGER.given(OLD, *invoices).when(pays)
    [receipt] = outcome.state.receipts
    assert (receipt.waits, receipt.unapplied, receipt.credit) == ("tie", eur(amount), eur("0.00"))
    assert [share.invoice_number for share in receipt.shares] == sorted(numbers)


def test_what_a_stranger_writes_keeps_nobody_busy_rec_4() -> None:
    """One character became eighteen, and a text of 140 of them three thousand stretches."""
    for text in ("\ufdfa" * 140, "\ufdfa1" * 70, "12 " * 46, "a1" * 70):
        assert len(mentions(text)) <= 32 * 6 + 32


def test_an_exact_text_decides_between_numbers_that_read_alike_rec_4() -> None:
    assert paid("r/77", other("R-77", 2), other("r/77", 3)) == ["r/77"]


def test_what_is_paid_already_is_no_candidate_and_hides_no_shorter_number_rec_4() -> None:
    long_, short = other("MAIN-000016/2", 2), other("MAIN-000016", 3)
    pays = RecordReceipt(account_id=ACCOUNT, bank_reference="A", amount=eur("100.00"), on=TODAY, reference=long_.number)
    before = events(THE_LEDGER.given(OLD, long_, short).when(pays))
    again = replace(pays, bank_reference="B")
    settled = [
        each.invoice_number
        for each in events(THE_LEDGER.given(OLD, long_, short, *before).when(again))
        if isinstance(each, ReceiptAllocated)
    ]
    assert settled == ["N1"]
    assert books(OLD, long_, short, *before).invoices.named("MAIN-000016/2")[0][0].number == long_.number
