"""What is agreed about money: the total, and when which share of it falls due."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Annotated

from annotated_types import MaxLen, MinLen

from shared.domain.money import check_money, money_faults
from shared.domain.rejection import Reason, refuse_all
from shared.events.contracts.contract import PaymentTerm
from shared.events.money import Money

PaymentTerms = Annotated[tuple[PaymentTerm, ...], MinLen(1), MaxLen(60)]

STANDARD_TERMS = (
    PaymentTerm(ratio=Decimal("0.30"), days=30, label="Advance"),
    PaymentTerm(ratio=Decimal("0.60"), days=60, label="Delivery"),
    PaymentTerm(ratio=Decimal("0.10"), days=90, label="Retention"),
)
"""What is agreed as long as neither a draft nor a policy says otherwise."""

MAX_TERM = 3650


def agreed(total: Money, terms: Sequence[PaymentTerm], *, currency: str | None = None) -> Money:
    """The total with the currency's decimals; refuses an amount or terms that cannot be, with every reason. A contract
    that has a currency keeps it."""
    reasons = list(_total_faults(total, currency)) + list(term_faults(terms))
    refuse_all("invalid-terms", "The contract's total or payment terms are invalid.", reasons)
    return check_money(total, "total")


def _total_faults(total: Money, currency: str | None) -> Iterator[Reason]:
    faults = money_faults(total, "total", currency=currency, whose="the contract's currency")
    yield from faults
    if not faults and total.amount < 0:
        yield Reason(code="negative", message="A contract's total is not below zero.", field="total.amount")


def term_faults(terms: Sequence[PaymentTerm]) -> Iterator[Reason]:
    """Every reason why terms are none."""
    for index, term in enumerate(terms):
        if not term.ratio.is_finite() or not 0 < term.ratio <= 1:
            message = "The share of an instalment is above 0 and at most 1."
            yield Reason(code="not-a-share", message=message, field=f"payment_terms.{index}.ratio")
        if not 0 <= term.days <= MAX_TERM:
            message = f"An instalment falls due 0 to {MAX_TERM} days after activation."
            yield Reason(code="out-of-range", message=message, field=f"payment_terms.{index}.days")
    if all(term.ratio.is_finite() for term in terms) and sum(term.ratio for term in terms) != 1:
        message = "The shares of all instalments add up to 1."
        yield Reason(code="does-not-add-up", message=message, field="payment_terms")
