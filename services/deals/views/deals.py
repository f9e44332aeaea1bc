"""The list of deals."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.domain.money import Money
from shared.domain.roles import READING
from shared.events import deals
from shared.events.definition import Exact, value
from shared.events.envelope import Envelope
from shared.views.lists import Listing, at_least, at_most, contains, equals
from shared.views.view import View, ViewDatabase

COLUMNS = {
    "id": "uuid primary key",
    "version": "bigint not null",
    "status": "text not null",
    "name": "text not null",
    "amount": "numeric not null",
    "currency": "text not null",
    "stage": "text not null",
    "probability": "numeric not null",
    "category": "text not null",
    "expected_close": "date",
    "next_step": "date",
    "owner": "uuid",
    "team": "uuid",
    "account_id": "uuid",
    "account_name": "text",
    "source": "text",
    "industry": "text",
    "process_id": "uuid not null",
    "opened_at": "timestamptz not null",
    "closed_on": "date",
    "updated_at": "timestamptz not null",
}

DDL = f"""
create table {{view}}.deal ({", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())});
create index on {{view}}.deal (opened_at, id);
create index on {{view}}.deal (updated_at, id);
create index on {{view}}.deal (expected_close, id);
create index on {{view}}.deal (amount, id);
create index on {{view}}.deal (owner);
create index on {{view}}.deal (team);
create index on {{view}}.deal (account_id);
"""

WRITE = f"""
insert into {{view}}.deal ({", ".join(COLUMNS)})
values ({", ".join(f"${place}" for place in range(1, len(COLUMNS) + 1))})
on conflict (id) do update set {", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name != "id")}
"""  # noqa: S608 — names of our own columns


@value
class DealRow:
    """A deal in the list."""

    id: UUID
    version: int
    status: str
    """open, won, lost or abandoned."""
    name: str
    amount: Money
    stage: str
    probability: Exact
    category: str
    expected_close: date | None
    next_step: date | None
    owner: UUID | None
    team: UUID | None
    account_id: UUID | None
    account_name: str | None
    source: str | None
    industry: str | None
    process_id: UUID
    opened_at: datetime
    closed_on: date | None
    updated_at: datetime


async def apply(db: ViewDatabase, events: Sequence[Envelope[Any]]) -> None:
    """Rows of the page's deals are read once, changed, and written once."""
    found = await db.fetch("select * from {view}.deal where id = any($1)", list({fact.aggregate_id for fact in events}))
    rows: dict[UUID, dict[str, Any]] = {row["id"]: dict(row) for row in found}
    for fact in events:
        row = rows.setdefault(fact.aggregate_id, dict.fromkeys(COLUMNS))
        row.update(CHANGES[type(fact.data)](fact), version=fact.sequence, updated_at=fact.recorded_at)
    await db.executemany(WRITE, [tuple(row[name] for name in COLUMNS) for row in rows.values()])


def _opened(fact: Envelope[deals.DealOpened]) -> dict[str, Any]:
    event = fact.data
    return {
        "id": event.deal_id,
        "status": "open",
        "name": event.name,
        **_worth(fact),
        **_place(fact),
        "expected_close": event.expected_close,
        "owner": event.owner,
        "team": event.team,
        "account_id": event.account_id,
        "account_name": event.account_name,
        "source": event.source,
        "industry": event.industry,
        "process_id": event.process_id,
        "opened_at": fact.occurred_at,
    }


def _worth(fact: Envelope[Any]) -> dict[str, Any]:
    return {"amount": fact.data.amount.amount, "currency": fact.data.amount.currency}


def _place(fact: Envelope[Any]) -> dict[str, Any]:
    return {"stage": fact.data.stage, "probability": fact.data.probability, "category": fact.data.category}


def _closed(fact: Envelope[Any], status: str) -> dict[str, Any]:
    return {"status": status, "closed_on": fact.data.on, **_worth(fact)}


CHANGES: Mapping[type, Callable[[Envelope[Any]], dict[str, Any]]] = {
    deals.DealOpened: _opened,
    deals.DealMoved: _place,
    deals.DealAmountChanged: _worth,
    deals.DealCloseDateChanged: lambda fact: {"expected_close": fact.data.expected_close},
    deals.DealCategoryChanged: lambda fact: {"category": fact.data.category},
    deals.DealNextStepPlanned: lambda fact: {"next_step": fact.data.on},
    deals.DealHandedOver: lambda fact: {"owner": fact.data.owner, "team": fact.data.team},
    deals.DealWon: lambda fact: _closed(fact, "won"),
    deals.DealLost: lambda fact: _closed(fact, "lost"),
    deals.DealAbandoned: lambda fact: _closed(fact, "abandoned"),
    deals.DealReopened: lambda fact: {"status": "open", "closed_on": None, **_worth(fact), **_place(fact)},
    deals.DealNodeCompleted: lambda _: {},
    deals.DealFactsNoted: lambda _: {},
    deals.DealActivityLogged: lambda _: {},
}
"""The columns that each event changes, besides version and time."""

DEAL_VIEW = View(name="deals", version=1, ddl=DDL, apply=apply, events=tuple(CHANGES))

DEALS = Listing(
    name="deals",
    view=DEAL_VIEW,
    table="deal",
    item=DealRow,
    key="id",
    filters={
        "status": equals("status"),
        "stage": equals("stage"),
        "category": equals("category"),
        "owner": equals("owner", UUID),
        "team": equals("team", UUID),
        "account": equals("account_id", UUID),
        "source": equals("source"),
        "closes_from": at_least("expected_close", date),
        "closes_to": at_most("expected_close", date),
        "closed_from": at_least("closed_on", date),
        "closed_to": at_most("closed_on", date),
        "q": contains("name"),
    },
    sorts=("opened_at", "updated_at", "expected_close", "amount", "name"),
    default_sort="-opened_at",
    readers=READING,
)
