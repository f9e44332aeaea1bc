"""The list of targets."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.domain.money import Money
from shared.domain.roles import EVERYBODY
from shared.events import deals
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.views.lists import Listing, equals
from shared.views.view import View, ViewDatabase

DDL = """
create table {view}.target (
    id uuid primary key, version bigint not null, period text not null, kind text not null, level text not null,
    amount numeric not null, currency text not null, team uuid, member uuid
);
create index on {view}.target (period, id);
"""

WRITE = """
insert into {view}.target values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (id) do update set version = excluded.version, amount = excluded.amount, currency = excluded.currency
"""


@value
class TargetRow:
    """A target in the list."""

    id: UUID
    version: int
    period: str
    kind: str
    level: str
    amount: Money
    team: UUID | None
    member: UUID | None


async def apply(db: ViewDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Every event holds the whole target; the last one counts."""
    rows = {
        fact.aggregate_id: (
            fact.aggregate_id,
            fact.sequence,
            fact.data.period,
            fact.data.kind,
            fact.data.level,
            fact.data.amount.amount,
            fact.data.amount.currency,
            fact.data.team,
            fact.data.member,
        )
        for fact in events
    }
    await db.executemany(WRITE, rows.values())


TARGET_VIEW = View(name="targets", version=1, ddl=DDL, apply=apply, events=(deals.TargetSet,))

TARGETS = Listing(
    name="targets",
    view=TARGET_VIEW,
    table="target",
    item=TargetRow,
    key="id",
    filters={
        "period": equals("period"),
        "level": equals("level"),
        "team": equals("team", UUID),
        "member": equals("member", UUID),
    },
    sorts=("period", "amount"),
    default_sort="-period",
    readers=EVERYBODY,
    owner=None,
    team=None,
)
