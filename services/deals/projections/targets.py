"""The list of targets."""

from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

from services.deals.domain.target import Level, target
from shared.domain.roles import READING_TARGETS
from shared.events.deals.target import TargetSet
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
    kind: Literal["revenue"]
    level: Level
    amount: Money
    team: UUID | None
    member: UUID | None
    updated_at: datetime


def _set(fact: Envelope[TargetSet], row: Row) -> Row:
    """Every event holds the whole target; the one that happened last counts."""
    event = fact.data
    return {
        "period": event.period,
        "kind": event.kind,
        "level": event.level,
        "amount": event.amount.amount,
        "currency": event.amount.currency,
        "team": event.team,
        "member": event.member,
    }


TARGET = Table(
    name="target",
    row=TargetRow,
    events=target.events,
    changes={TargetSet: _set},
    indices=("(period, id)",),
)

TARGET_PROJECTION = Projection(
    name="targets", version=4, ddl=TARGET.ddl, indices=TARGET.index_ddl, apply=TARGET.apply, events=tuple(TARGET.events)
)

TARGETS = Listing(
    name="targets",
    projection=TARGET_PROJECTION,
    table="target",
    item=TargetRow,
    key="id",
    filters={
        "period": equals("period"),
        "level": one_of("level", get_args(Level)),
        "team": in_team(),
        "member": equals("member", UUID),
    },
    sorts=("period", "amount"),
    default_sort="-period",
    readers=READING_TARGETS,
    owner="member",
)
