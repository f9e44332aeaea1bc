"""REC-1: a plan by ratio adds up to the total, to the cent."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.receivables.domain.plan import DrawUpPlan, counted, instalments_of, payment_plan, prior_invoice_counted
from services.receivables.reactions import reactions
from shared.domain.context import Moment
from shared.domain.money import minor_unit
from shared.events.contracts.contract import ContractActivated, PaymentTerm
from shared.events.envelope import Envelope
from shared.events.money import Money
from shared.events.receivables.ledger import InvoiceIssued
from shared.events.receivables.payment_plan import PlanDrawnUp, PriorInvoiceCounted
from shared.testing.scenario import NOW
from tests.services.receivables.facts import (
    ACCOUNT,
    CONTRACT,
    DEAL,
    DRAWN_UP,
    OWNER,
    PLAN,
    TEAM,
    THE_PLAN,
    TODAY,
    books,
    eur,
    events,
    invoice,
)

TERMS = (
    PaymentTerm(ratio=Decimal("0.3"), days=30, label="Advance"),
    PaymentTerm(ratio=Decimal("0.6"), days=60, label="Delivery"),
    PaymentTerm(ratio=Decimal("0.1"), days=0, label="Retention"),
)
DRAW_UP = DrawUpPlan(
    contract_id=CONTRACT,
    account_id=ACCOUNT,
    total=eur("1000"),
    payment_terms=TERMS,
    on=TODAY,
    deal_id=DEAL,
    owner=OWNER,
    team=TEAM,
)
FROM_TODAY = replace(
    DRAWN_UP,
    instalments=tuple(
        replace(part, due=due)
        for part, due in zip(DRAWN_UP.instalments, (date(2026, 4, 15), date(2026, 5, 15), TODAY), strict=True)
    ),
    on=TODAY,
)


def test_a_plan_divides_the_total_by_ratio_rec_1() -> None:
    THE_PLAN.when(DRAW_UP).then(FROM_TODAY)


def test_the_vector_of_30_30_30_10_rec_1() -> None:
    ratios = ("0.3", "0.3", "0.3", "0.1")
    parts = instalments_of(eur("100000.01"), [PaymentTerm(ratio=Decimal(ratio)) for ratio in ratios], TODAY)
    assert [part.amount for part in parts] == [eur("30000.00")] * 3 + [eur("10000.01")]


@given(
    units=st.integers(min_value=0, max_value=10**15),
    cuts=st.sets(st.integers(min_value=1, max_value=9999), max_size=20),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
)
def test_instalments_add_up_whatever_total_and_ratios_rec_1(units: int, cuts: set[int], currency: str) -> None:
    marks = [0, *sorted(cuts), 10000]
    terms = [PaymentTerm(ratio=Decimal(after - before) / 10000) for before, after in pairwise(marks)]
    total = Money(amount=units * minor_unit(currency), currency=currency)
    parts = instalments_of(total, terms, TODAY)
    assert sum(part.amount.amount for part in parts) == total.amount
    for part, term in zip(parts, terms, strict=True):
        assert part.amount.amount >= 0
        assert abs(part.amount.amount - total.amount * term.ratio) < minor_unit(currency)


def test_drawing_it_up_again_records_nothing() -> None:
    THE_PLAN.given(FROM_TODAY).when(DRAW_UP).then()


def test_drawing_up_another_plan_is_refused() -> None:
    THE_PLAN.given(FROM_TODAY).when(replace(DRAW_UP, total=eur("999"))).then_rejected("not-in-this-state")


@pytest.mark.parametrize("ratios", [("0.5",), ("0.5", "0.6"), ("1.5", "-0.5"), ("NaN",), ("1", "0")])
def test_shares_that_do_not_add_up_are_refused_rec_1(ratios: tuple[str, ...]) -> None:
    terms = tuple(PaymentTerm(ratio=Decimal(ratio)) for ratio in ratios)
    command = replace(DRAW_UP, payment_terms=terms)
    THE_PLAN.when(command).then_rejected("invalid-payment-plan", "does-not-add-up")
    THE_PLAN.given(FROM_TODAY).when(command).then_rejected("not-in-this-state")


def test_a_plan_below_zero_is_refused() -> None:
    THE_PLAN.when(replace(DRAW_UP, total=eur("-1"))).then_rejected("invalid-payment-plan", "negative")


@pytest.mark.parametrize(("currency", "parts"), [("USD", ["3.00", "6.00", "1.00"]), ("JPY", ["3", "6", "1"])])
def test_a_plan_is_in_the_currency_of_its_contract_rec_1(currency: str, parts: list[str]) -> None:
    (fact,) = THE_PLAN.when(replace(DRAW_UP, total=Money(amount=Decimal(10), currency=currency))).facts
    assert [str(part.amount) for part in fact.event.instalments] == [f"{part} {currency}" for part in parts]
    again = THE_PLAN.given(FROM_TODAY).when(replace(DRAW_UP, total=replace(DRAW_UP.total, currency=currency)))
    again.then_rejected("not-in-this-state")
    THE_PLAN.given(FROM_TODAY).when(replace(DRAW_UP, total=replace(DRAW_UP.total, currency="XAU"))).then_rejected(
        "not-in-this-state"
    )


def test_what_is_no_currency_is_refused_naming_the_field() -> None:
    outcome = THE_PLAN.when(replace(DRAW_UP, total=Money(amount=Decimal(1), currency="XAU")))
    outcome.then_rejected("unknown-currency")
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].field == "total.currency"


def test_a_plan_of_the_past_stands_at_its_day() -> None:
    outcome = THE_PLAN.when(replace(DRAW_UP, on=date(2025, 1, 31)))
    assert outcome.facts[0].at == Moment(datetime(2025, 1, 31, 23, 59, 59, 999999, tzinfo=UTC), by_day=True)


def activated(*, imported: bool) -> Envelope[ContractActivated]:
    return Envelope(
        id=UUID(int=1),
        type=ContractActivated.type,  # type: ignore[attr-defined]
        version=1,
        service="contracts",
        aggregate="contract",
        aggregate_id=CONTRACT,
        sequence=5,
        partition=0,
        position=1,
        source_position=1,
        occurred_at=NOW,
        recorded_at=NOW,
        actor="rita",
        correlation_id=UUID(int=2),
        causation_id=UUID(int=3),
        imported=imported,
        traceparent=None,
        data=ContractActivated(
            contract_id=CONTRACT,
            on=TODAY,
            total=eur("1000"),
            payment_terms=TERMS,
            account_id=ACCOUNT,
            name="Packaging line",
            deal_id=DEAL,
            owner=OWNER,
            team=TEAM,
        ),
    )


def test_a_contract_in_force_has_its_plan_drawn_up_rec_1() -> None:
    [reaction] = reactions.of("journal")
    [do] = reaction.to(activated(imported=False))
    assert (do.aggregate_id, do.command) == (PLAN, DRAW_UP)


def test_a_contract_of_history_that_runs_has_one_as_well_data_5() -> None:
    """Fault 6: an imported contract in force had no plan, and nothing of it could be invoiced."""
    [reaction] = reactions.of("journal")
    [do] = reaction.to(activated(imported=True))
    assert (do.aggregate_id, do.command) == (PLAN, DRAW_UP)


def prior(number: int, amount: str, contract: UUID = CONTRACT) -> InvoiceIssued:
    """An invoice that history tells."""
    return replace(
        invoice(number, amount, date(2026, 3, 30)),
        number=f"OLD-{number}",
        contract_id=contract,
        outside_id=f"o{number}",
    )


def left(*plan: Any) -> list[str]:
    """What of each instalment is left to invoice."""
    state = payment_plan.fold(plan)
    return [str(part.left.amount) for part in state.instalments]


def test_what_history_says_was_invoiced_is_not_left_to_invoice_data_5() -> None:
    """REC-1: in the order of the instalments, whichever of plan and invoices is told first."""
    others = [prior(3, "1.00", UUID(int=99)), invoice(4, "9.00", date(2026, 3, 30))]
    both = [prior(1, "350.00"), prior(2, "20.00")]
    drawn = events(THE_PLAN.knowing(books=books(*both, *others)).when(DRAW_UP))
    assert [type(event) for event in drawn] == [PlanDrawnUp, PriorInvoiceCounted, PriorInvoiceCounted]
    assert left(*drawn) == ["0.00", "530.00", "100.00"]
    plan = payment_plan.fold([FROM_TODAY])
    told = list[Any]()
    for each in both:
        event = counted(plan, each.invoice_id, each.number, each.amount, each.on)
        plan, told = prior_invoice_counted(plan, event), [*told, event]
    assert left(FROM_TODAY, *told) == left(*drawn)
    assert told == drawn[1:]


def test_more_than_the_total_leaves_nothing_to_invoice_data_5() -> None:
    drawn = events(THE_PLAN.knowing(books=books(prior(1, "5000.00"))).when(DRAW_UP))
    assert left(*drawn) == ["0.00", "0.00", "0.00"]
