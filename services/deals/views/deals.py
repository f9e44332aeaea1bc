"""The list of deals."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, get_args
from uuid import UUID

from services.deals.domain.deal import deal
from services.deals.domain.deal.changes import Category
from shared.domain.aggregate import statuses
from shared.domain.money import Money
from shared.domain.roles import READING
from shared.events import deals
from shared.events.definition import Exact, value
from shared.events.envelope import Envelope
from shared.views.lists import Listing, at_least, at_most, contains, equals, one_of
from shared.views.tables import Change, Row, Table
from shared.views.view import View

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


def _opened(fact: Envelope[deals.DealOpened], row: Row) -> Row:
    event = fact.data
    return {
        "status": "open",
        "name": event.name,
        **_worth(fact, row),
        **_place(fact, row),
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


def _worth(fact: Envelope[Any], row: Row) -> Row:
    return {"amount": fact.data.amount.amount, "currency": fact.data.amount.currency}


def _place(fact: Envelope[Any], row: Row) -> Row:
    return {"stage": fact.data.stage, "probability": fact.data.probability, "category": fact.data.category}


def _closed(status: str) -> Change:
    return lambda fact, row: {"status": status, "closed_on": fact.data.on, **_worth(fact, row)}


def _reopened(fact: Envelope[deals.DealReopened], row: Row) -> Row:
    return {"status": "open", "closed_on": None, **_worth(fact, row), **_place(fact, row)}


def _dated(change: Change) -> Change:
    """The change, and when it was recorded."""
    return lambda fact, row: {**change(fact, row), "updated_at": fact.recorded_at}


CHANGES: Mapping[type, Change] = {
    deals.DealOpened: _opened,
    deals.DealMoved: _place,
    deals.DealAmountChanged: _worth,
    deals.DealCloseDateChanged: lambda fact, _: {"expected_close": fact.data.expected_close},
    deals.DealCategoryChanged: lambda fact, _: {"category": fact.data.category},
    deals.DealNextStepPlanned: lambda fact, _: {"next_step": fact.data.on},
    deals.DealHandedOver: lambda fact, _: {"owner": fact.data.owner, "team": fact.data.team},
    deals.DealWon: _closed("won"),
    deals.DealLost: _closed("lost"),
    deals.DealAbandoned: _closed("abandoned"),
    deals.DealReopened: _reopened,
    deals.DealNodeCompleted: lambda *_: {},
    deals.DealFactsNoted: lambda *_: {},
    deals.DealActivityLogged: lambda *_: {},
}
"""The columns that each event changes, besides version and time."""

DEAL = Table(
    name="deal",
    columns=COLUMNS,
    changes={event: _dated(change) for event, change in CHANGES.items()},
)

DDL = f"""
{DEAL.ddl}
create index on {{view}}.deal (opened_at, id);
create index on {{view}}.deal (updated_at, id);
create index on {{view}}.deal (expected_close, id);
create index on {{view}}.deal (amount, id);
create index on {{view}}.deal (owner);
create index on {{view}}.deal (team);
create index on {{view}}.deal (account_id);
"""

DEAL_VIEW = View(name="deals", version=1, ddl=DDL, apply=DEAL.apply, events=tuple(CHANGES))

DEALS = Listing(
    name="deals",
    view=DEAL_VIEW,
    table="deal",
    item=DealRow,
    key="id",
    filters={
        "status": one_of("status", statuses(deal)),
        "stage": equals("stage"),
        "category": one_of("category", get_args(Category)),
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
