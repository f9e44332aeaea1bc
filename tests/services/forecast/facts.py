"""Facts of deals for tests: short words for long events."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from shared.events.deals.deal import (
    DealAmountChanged,
    DealCloseDateChanged,
    DealHandedOver,
    DealLost,
    DealMoved,
    DealNextStepPlanned,
    DealOpened,
    DealRenamed,
    DealReopened,
    DealWon,
)
from shared.events.envelope import Envelope
from shared.events.money import Money
from shared.kafka.partitioning import PARTITIONS, partition_of

DEAL = UUID(int=1)
NORTH, SOUTH = UUID(int=100), UUID(int=200)
SHORT, TENDER = UUID(int=3), UUID(int=4)
"""Two processes."""
ANNA, BEN = UUID(int=101), UUID(int=201)
OWN = {
    "/v1/notices",
    "/v1/notices/{id}",
    "/v1/notices/address",
    "/v1/notices/{id}/history",
    "/v1/muted-kinds",
    "/v1/muted-kinds/{id}",
    "/v1/notice-preferences/{id}",
    "/v1/notice-preferences/{id}/history",
    "/v1/occasions/{id}",
    "/v1/occasions/{id}/history",
    "/v1/notice-addresses/{id}",
    "/v1/notice-addresses/{id}/history",
    "/v1/webhook-endpoints",
    "/v1/webhook-endpoints/{id}",
    "/v1/webhook-endpoints/{id}/history",
    "/v1/webhook-endpoints/{endpoint_id}/secret",
    "/v1/measures",
    "/v1/measures/{id}",
    "/v1/measures/{id}/history",
    "/v1/measures/{measure_id}/effect",
    "/v1/reviews",
    "/v1/reviews/{id}",
    "/v1/reviews/{id}/history",
    "/v1/reviews/{review_id}/recount",
    "/v1/forecast-policies",
    "/v1/forecast-policies/dangers",
    "/v1/forecast-policies/health-limits",
}
"""The addresses of what forecast owns itself, and does not work out from what others tell."""
PROBABILITIES = {"contact": "0.1", "needs": "0.3", "quotation": "0.5", "drafting": "0.8"}


def day(text: str) -> datetime:
    """Noon of a day, UTC."""
    return datetime.fromisoformat(f"{text}T12:00:00+00:00").astimezone(UTC)


def eur(amount: str | int | Decimal) -> Money:
    """An amount in euro."""
    return Money(amount=Decimal(amount), currency="EUR")


def fact(
    sequence: int, data: Any, occurred: datetime, recorded: datetime | None = None, deal: UUID = DEAL
) -> Envelope[Any]:
    """An event in its envelope."""
    return Envelope(
        id=uuid5(deal, str(sequence)),
        type=data.type,
        version=1,
        service="deals",
        aggregate="deal",
        aggregate_id=deal,
        sequence=sequence,
        partition=partition_of(deal, PARTITIONS),
        position=sequence,
        source_position=sequence,
        occurred_at=occurred,
        recorded_at=recorded or occurred,
        actor="anna",
        correlation_id=UUID(int=9),
        causation_id=UUID(int=9),
        imported=False,
        traceparent=None,
        data=data,
    )


def opened(
    amount: str | int = 1000,
    stage: str = "contact",
    close: date | None = date(2026, 3, 31),
    deal: UUID = DEAL,
    team: UUID = NORTH,
    owner: UUID = ANNA,
    process: UUID = SHORT,
    version: int = 1,
    currency: str = "EUR",
) -> DealOpened:
    """A deal begins."""
    return DealOpened(
        deal_id=deal,
        name="Press line",
        amount=replace(eur(amount), currency=currency),
        expected_close=close,
        owner=owner,
        team=team,
        process_id=process,
        process_name="short",
        process_version=version,
        process_rule="default",
        stage=stage,
        probability=Decimal(PROBABILITIES[stage]),
        category="pipeline",
    )


def moved(stage: str, before: str = "contact", amount: str | int = 1000, deal: UUID = DEAL) -> DealMoved:
    """A deal enters another stage."""
    return DealMoved(
        deal_id=deal,
        before=before,
        stage=stage,
        direction="forward",
        skipped=(),
        probability=Decimal(PROBABILITIES[stage]),
        probability_before=Decimal(PROBABILITIES[before]),
        category="pipeline",
        amount=eur(amount),
    )


def repriced(
    amount: str | int, before: str | int = 1000, deal: UUID = DEAL, currency: str = "EUR"
) -> DealAmountChanged:
    """A deal is worth another amount."""
    return DealAmountChanged(deal_id=deal, before=eur(before), amount=replace(eur(amount), currency=currency))


def renamed(name: str, deal: UUID = DEAL) -> DealRenamed:
    """A deal is called otherwise."""
    return DealRenamed(deal_id=deal, name=name)


def rescheduled(close: date | None, deal: UUID = DEAL) -> DealCloseDateChanged:
    """A deal is expected on another day."""
    return DealCloseDateChanged(deal_id=deal, before=None, expected_close=close)


def planned(on: date | None, deal: UUID = DEAL) -> DealNextStepPlanned:
    """A next step is agreed, or that there is none."""
    return DealNextStepPlanned(deal_id=deal, on=on, what="Workshop" if on else None)


def handed_over(team: UUID, owner: UUID, deal: UUID = DEAL) -> DealHandedOver:
    """A deal goes to somebody else."""
    return DealHandedOver(deal_id=deal, owner_before=ANNA, team_before=NORTH, owner=owner, team=team)


def won(on: date, amount: str | int = 1000, deal: UUID = DEAL) -> DealWon:
    """A deal is won."""
    return DealWon(deal_id=deal, on=on, amount=eur(amount), stage="drafting", name="Press line")


def lost(on: date, amount: str | int = 1000, deal: UUID = DEAL) -> DealLost:
    """A deal is lost."""
    return DealLost(deal_id=deal, on=on, amount=eur(amount), stage="drafting", reason="price")


def reopened(
    stage: str = "drafting",
    amount: str | int = 1000,
    deal: UUID = DEAL,
    close: date | None = date(2026, 3, 31),
) -> DealReopened:
    """A closed deal is open again."""
    return DealReopened(
        deal_id=deal,
        outcome_before="won",
        reason="mistake",
        stage=stage,
        probability=Decimal(PROBABILITIES[stage]),
        category="pipeline",
        amount=eur(amount),
        expected_close=close,
    )
