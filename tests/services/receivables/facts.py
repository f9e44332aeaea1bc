"""Facts about one customer's money that the tests start from."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.receivables.domain.invoicing import ContractPlan, ToldBefore
from services.receivables.domain.ledger import ledger
from services.receivables.domain.ledger.by_hand import Elsewhere
from services.receivables.domain.ledger.receipts import ReferenceHolder
from services.receivables.domain.ledger.state import OpenLedger, empty, ledger_of, movement
from services.receivables.domain.numbers import NextNumber, NumberHolder
from services.receivables.domain.plan import payment_plan, plan_of
from shared.events.money import Money
from shared.events.receivables.ledger import InvoiceIssued
from shared.events.receivables.payment_plan import Instalment, PlanDrawnUp
from shared.testing.scenario import CONTEXT, Outcome, Scenario

ACCOUNT, CONTRACT, DEAL = UUID(int=21), UUID(int=22), UUID(int=23)
OWNER, TEAM = UUID(int=13), UUID(int=14)
PLAN = plan_of(CONTRACT)
LEDGER = ledger_of(ACCOUNT, "EUR")
TODAY = date(2026, 3, 16)
FREE = ReferenceHolder(ledger_id=None)
FIRST = NextNumber(legal_entity="MAIN", number=1)


def eur(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


THE_PLAN = Scenario(aggregate=payment_plan, context=replace(CONTEXT, aggregate_id=PLAN)).knowing(
    books=empty(ACCOUNT, "EUR")
)
THE_LEDGER = Scenario(aggregate=ledger, context=replace(CONTEXT, aggregate_id=LEDGER)).knowing(
    holder=FREE,
    next_number=FIRST,
    numbered=NumberHolder(ledger_id=None),
    contract=ContractPlan(plan=None),
    before=ToldBefore(),
    elsewhere=Elsewhere(currencies={}),
)

DRAWN_UP = PlanDrawnUp(
    plan_id=PLAN,
    contract_id=CONTRACT,
    account_id=ACCOUNT,
    total=eur("1000.00"),
    instalments=(
        Instalment(number=1, amount=eur("300.00"), due=date(2026, 4, 15), label="Advance"),
        Instalment(number=2, amount=eur("600.00"), due=date(2026, 5, 15), label="Delivery"),
        Instalment(number=3, amount=eur("100.00"), due=date(2026, 3, 10), label="Retention"),
    ),
    deal_id=DEAL,
    owner=OWNER,
    team=TEAM,
)


def invoice(number: int, amount: str, due: date, on: date = date(2026, 3, 1)) -> InvoiceIssued:
    """An invoice that stands in the ledger."""
    return InvoiceIssued(
        ledger_id=LEDGER,
        account_id=ACCOUNT,
        invoice_id=UUID(int=1000 + number),
        number=f"MAIN-{number:06}",
        legal_entity="MAIN",
        amount=eur(amount),
        on=on,
        due=due,
        overdue_from=datetime(due.year, due.month, due.day + 1, tzinfo=UTC),
        owner=OWNER,
        team=TEAM,
        entries=movement("receivable", "revenue", eur(amount)),
    )


def events(outcome: Outcome) -> list[Any]:
    """What was decided."""
    assert outcome.rejected is None, outcome.rejected
    return [fact.event for fact in outcome.facts]


def books(*history: Any) -> OpenLedger:
    """The ledger after these events."""
    state = ledger.fold(history)
    assert isinstance(state, OpenLedger)
    return state
