"""What all answers share: when they are about, and amounts in the company's currency."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from services.forecast.timeline import DealState
from shared.domain.money import Money, half_up, rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedMoney:
    """How many deals, worth how much."""

    count: int
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class DealRow:
    """A deal in a drill-down, as it stood at the instant asked about."""

    id: UUID
    name: str
    amount: Money
    weighted: Money
    stage: str
    category: str
    outcome: str
    expected_close: date | None
    closed_on: date | None
    owner: UUID | None
    team: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DealRows:
    """The deals behind a figure, and what they add up to."""

    as_of: datetime
    currency: str
    count: int
    amount: Money
    weighted: Money
    deals: list[DealRow]


def money(amount: Decimal, currency: str) -> Money:
    """An amount for an answer, with the currency's decimals."""
    return Money(amount=rounded(amount, currency), currency=currency)


def ratio(part: Decimal | int, whole: Decimal | int | None) -> Decimal | None:
    """A share with four decimals; None when there is nothing to divide by."""
    if not whole:
        return None
    return half_up(Decimal(part) / Decimal(whole), Decimal("0.0001"))


def deal_rows(states: Iterable[DealState], as_of: datetime, currency: str) -> DealRows:
    """A drill-down: the deals, the largest first, and their sums."""
    ordered = sorted(states, key=lambda state: (-state.amount, str(state.deal_id)))
    return DealRows(
        as_of=as_of,
        currency=currency,
        count=len(ordered),
        amount=money(sum((state.amount for state in ordered), Decimal(0)), currency),
        weighted=money(sum((state.weighted for state in ordered), Decimal(0)), currency),
        deals=[_row(state, currency) for state in ordered],
    )


def _row(state: DealState, currency: str) -> DealRow:
    return DealRow(
        id=state.deal_id,
        name=state.name,
        amount=money(state.amount, currency),
        weighted=money(state.weighted, currency),
        stage=state.stage,
        category=state.category,
        outcome=state.outcome,
        expected_close=state.expected_close,
        closed_on=state.closed_on,
        owner=state.owner,
        team=state.team,
    )
