"""A company of realistic shape, as facts about its deals: 50 teams, 400 owners, five years, a fifth of them open.

The facts are the same on every run. Nothing of them is stored: they are given to the fold as a log would give them.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.events.deals.deal import DealCloseDateChanged, DealLost, DealOpened, DealWon
from shared.events.envelope import Envelope
from shared.events.money import Money

TEAMS, OWNERS, ACCOUNTS = 50, 400, 20_000
YEARS_DAYS = 5 * 365
OPEN_SHARE = 0.2
CURRENCIES = ("EUR", "EUR", "EUR", "USD", "CHF")
STAGES = ("qualification", "solution", "quotation", "negotiation")
BEGAN = datetime(2021, 3, 16, 9, 0, tzinfo=UTC)


@dataclass(slots=True)
class Deals:
    """Facts about deals, in the order of a log."""

    dice: random.Random = field(default_factory=lambda: random.Random(16))
    number: int = 0
    position: int = 0

    def opened(self, among: int) -> list[Envelope[Any]]:
        """The next deal of so many, and how it ended, if it did; its facts."""
        self.number += 1
        dice, number = self.dice, self.number
        deal_id = UUID(int=(1 << 100) + number)
        began = BEGAN + timedelta(days=YEARS_DAYS * number / among)
        owner = dice.randrange(OWNERS)
        closes = (began + timedelta(days=dice.randrange(20, 720))).date()
        amount = Money(amount=Decimal(dice.randrange(100, 90_000_000)) / 100, currency=dice.choice(CURRENCIES))
        opening = DealOpened(
            deal_id=deal_id,
            name=f"Line {number} for {dice.choice(('Acme', 'Northwind', 'Bolt', 'Carla'))}",
            amount=amount,
            expected_close=closes,
            owner=owner_of(owner),
            team=team_of(owner % TEAMS),
            process_id=UUID(int=1),
            process_name="Standard",
            process_version=1,
            process_rule="default",
            stage=dice.choice(STAGES),
            probability=Decimal("0.25"),
            category="pipeline",
            account_id=account_of(dice.randrange(ACCOUNTS)),
            source=dice.choice(("fair", "web", "referral")),
        )
        facts = [self.fact(deal_id, 1, opening, began)]
        if dice.random() >= OPEN_SHARE:
            ended = min(began + timedelta(days=dice.randrange(5, 200)), BEGAN + timedelta(days=YEARS_DAYS))
            on = ended.date()
            end: Any = (
                DealWon(deal_id=deal_id, on=on, amount=amount, stage=opening.stage, name=opening.name)
                if dice.random() < 0.3
                else DealLost(deal_id=deal_id, on=on, amount=amount, stage=opening.stage, reason="price")
            )
            facts.append(self.fact(deal_id, 2, end, ended))
        return facts

    def moved(self, number: int, sequence: int) -> Envelope[Any]:
        """A fact about one of them that is told on time: it is to close on another day."""
        deal_id, at = UUID(int=(1 << 100) + number), BEGAN + timedelta(days=YEARS_DAYS + sequence)
        closes = (at + timedelta(days=self.dice.randrange(700))).date()
        moved = DealCloseDateChanged(deal_id=deal_id, before=None, expected_close=closes)
        return self.fact(deal_id, sequence, moved, at)

    def pages(self, deals: int, size: int) -> Iterator[list[Envelope[Any]]]:
        """The facts about so many deals, in pages."""
        page: list[Envelope[Any]] = []
        for _ in range(deals):
            page += self.opened(deals)
            if len(page) >= size:
                yield page
                page = []
        if page:
            yield page

    def fact(self, deal_id: UUID, sequence: int, event: Any, at: datetime) -> Envelope[Any]:
        self.position += 1
        return Envelope(
            id=UUID(int=(2 << 100) + self.position),
            type=event.type,
            version=event.version,
            service="deals",
            aggregate="deal",
            aggregate_id=deal_id,
            sequence=sequence,
            partition=0,
            position=self.position,
            source_position=self.position,
            occurred_at=at,
            by_day=False,
            recorded_at=at,
            actor="bench",
            correlation_id=deal_id,
            causation_id=UUID(int=(3 << 100) + self.position),
            imported=False,
            fact=None,
            traceparent=None,
            data=event,
        )


def team_of(number: int) -> UUID:
    """The id of a team."""
    return UUID(int=1000 + number)


def owner_of(number: int) -> UUID:
    """The id of a member."""
    return UUID(int=2000 + number)


def account_of(number: int) -> UUID:
    """The id of an account."""
    return UUID(int=100_000 + number)
