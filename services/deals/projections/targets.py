"""The list of targets."""

from datetime import datetime
from decimal import Decimal
from typing import get_args
from uuid import UUID

from services.deals.domain.target import Level
from shared.domain.roles import READING_TARGETS
from shared.events.deals.target import ReviewCycle, TargetKind, TargetNumberSet, TargetSet, TargetSource
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.events.money import Money
from shared.projections.lists import Listing, equals, in_team, one_of
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class TargetRow:
    """A target in the list."""

    id: UUID
    version: int
    period: str
    kind: TargetKind
    level: Level
    amount: Money | None
    """Of what is an amount of money."""
    number: Decimal | None
    """Of what is counted, or a share."""
    team: UUID | None
    member: UUID | None
    responsible: UUID | None
    source: TargetSource | None
    review: ReviewCycle | None
    updated_at: datetime


def _set(fact: Envelope[TargetSet | TargetNumberSet], row: Row) -> Row:
    """Every event holds the whole target; the one that happened last counts."""
    event = fact.data
    amount = event.amount if isinstance(event, TargetSet) else None
    return {
        "period": event.period,
        "kind": event.kind,
        "level": event.level,
        "amount": amount and amount.amount,
        "currency": amount and amount.currency,
        "number": event.number if isinstance(event, TargetNumberSet) else None,
        "team": event.team,
        "member": event.member,
        "responsible": event.responsible,
        "source": event.source,
        "review": event.review,
    }


EVENTS = (TargetSet, TargetNumberSet)
"""What changes a row. A part that is noted in its whole changes nothing of that, and would be left alone where what was
told of the whole is taken back."""

TARGET = Table(
    name="target",
    row=TargetRow,
    events=EVENTS,
    changes={TargetSet: _set, TargetNumberSet: _set},
    indices=("(period, id)",),
)

TARGET_PROJECTION = Projection(
    name="targets", version=5, ddl=TARGET.ddl, indices=TARGET.index_ddl, apply=TARGET.apply, events=EVENTS
)

TARGETS = Listing(
    name="targets",
    projection=TARGET_PROJECTION,
    table="target",
    item=TargetRow,
    key="id",
    filters={
        "period": equals("period"),
        "kind": one_of("kind", get_args(TargetKind)),
        "level": one_of("level", get_args(Level)),
        "team": in_team(),
        "member": equals("member", UUID),
    },
    sorts=("period", "amount"),
    default_sort="-period",
    readers=READING_TARGETS,
    owner="member",
)
