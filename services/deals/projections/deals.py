"""The list of deals."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, get_args
from uuid import UUID

from services.deals.domain.deal import deal
from services.deals.domain.deal.changes import Category
from shared.domain.aggregate import statuses
from shared.domain.roles import READING
from shared.events.chronology import ORDER_OF_DAY
from shared.events.deals.deal import (
    DealAbandoned,
    DealAmountChanged,
    DealCategoryChanged,
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
from shared.events.deals.deal_migration import DealMigrated
from shared.events.deals.process_migration import ProcessMigrationStarted
from shared.events.definition import Exact, value, words
from shared.events.envelope import Envelope
from shared.events.money import Money
from shared.projections.columns import BY_LANGUAGE, SEARCHED
from shared.projections.lists import Listing, at_least, at_most, equals, in_currency, in_team, one_of, search
from shared.projections.projection import Projection, ProjectionDatabase
from shared.projections.tables import Change, Row, Table


@value
class DealRow:
    """A deal in the list."""

    id: UUID
    version: int
    status: Annotated[str, words(statuses(deal))]
    name: Annotated[str, BY_LANGUAGE, SEARCHED]
    amount: Money
    stage: str
    probability: Exact
    category: Category
    expected_close: date | None
    next_step: date | None
    owner: UUID | None
    team: UUID | None
    account_id: UUID | None
    account_name: Annotated[str | None, SEARCHED]
    source: str | None
    industry: str | None
    process_id: UUID
    process_version: int
    opened_at: datetime
    closed_on: date | None
    assumptions: tuple[str, ...]
    """What had to be assumed, like "list-price", "undated" or "order-of-day"."""
    updated_at: datetime


@value
class DealJudgements:
    """Who judged a deal how (DEAL-10)."""

    category_of_stage: str
    category_by_rep: str | None
    category_by_manager: str | None


def _opened(fact: Envelope[DealOpened], row: Row) -> Row:
    event = fact.data
    return {
        "status": "open",
        "name": event.name,
        **_worth(fact, row),
        "stage": event.stage,
        "probability": event.probability,
        **_counting({**row, "category_of_stage": event.category}),
        "expected_close": event.expected_close,
        "owner": event.owner,
        "team": event.team,
        "account_id": event.account_id,
        "account_name": event.account_name,
        "source": event.source,
        "industry": event.industry,
        "process_id": event.process_id,
        "process_version": event.process_version,
        "opened_at": fact.occurred_at,
        "assumptions": event.assumptions,
    }


def _worth(fact: Envelope[Any], row: Row) -> Row:
    return {"amount": fact.data.amount.amount, "currency": fact.data.amount.currency}


def _closed(status: str) -> Change:
    return lambda fact, row: {"status": status, "closed_on": fact.data.on}


def _while_open(change: Change) -> Change:
    """As the deal itself: what is told of the time after its end changes nothing about it."""
    return lambda fact, row: change(fact, row) if row["status"] == "open" else {}


def _judged(fact: Envelope[DealCategoryChanged], row: Row) -> Row:
    return _counting({**row, f"category_by_{fact.data.judged_by}": fact.data.category})


def _moved(fact: Envelope[DealMoved], row: Row) -> Row:
    event = fact.data
    standing = {"stage": event.stage, "probability": event.probability}
    return {**standing, **_counting({**row, "category_of_stage": event.category_of_stage or event.category})}


def _migrated(fact: Envelope[DealMigrated], row: Row) -> Row:
    event = fact.data
    followed = {"process_id": event.process_id, "process_version": event.process_version}
    standing = {"stage": event.stage, "probability": event.probability}
    return {**followed, **standing, **_counting({**row, "category_of_stage": event.category_of_stage})}


def _counting(row: Row) -> Row:
    """The judgements of a deal, and the one that counts (DEAL-10)."""
    judgements = {name: row[name] for name in ("category_by_manager", "category_by_rep", "category_of_stage")}
    return {**judgements, "category": next(filter(None, judgements.values()))}


DEAL = Table(
    name="deal",
    row=DealRow,
    kept=DealJudgements,
    events=deal.events,
    changes={
        DealOpened: _opened,
        DealMoved: _while_open(_moved),
        DealMigrated: _while_open(_migrated),
        DealAmountChanged: _while_open(_worth),
        DealCloseDateChanged: _while_open(lambda fact, _: {"expected_close": fact.data.expected_close}),
        DealCategoryChanged: _while_open(_judged),
        DealNextStepPlanned: _while_open(lambda fact, _: {"next_step": fact.data.on}),
        DealRenamed: lambda fact, _: {"name": fact.data.name},
        DealHandedOver: _while_open(lambda fact, _: {"owner": fact.data.owner, "team": fact.data.team}),
        DealWon: _closed("won"),
        DealLost: _closed("lost"),
        DealAbandoned: _closed("abandoned"),
        DealReopened: lambda *_: {"status": "open", "closed_on": None},
    },
    assumes=lambda _, row: {"assumptions": [*row["assumptions"], ORDER_OF_DAY]},
    indices=(
        "(opened_at, id)",
        "(expected_close, id)",
        "(amount, id)",
        # What a board asks, of a team or of one rep, and what it comes to.
        "(owner, status, expected_close)",
        "(team, status, expected_close)",
        "(account_id)",
        # What a migration asks.
        "(process_id, process_version, id) where status = 'open'",
    ),
)

MIGRATION = "create table {view}.migration (id uuid primary key);\n"
"""Migrations that were started before what stands here: whoever finds one here finds every deal that was open then."""
BEGUN = "insert into {view}.migration select unnest($1::uuid[]) on conflict do nothing"


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """The rows of deals, and which migrations were started up to here."""
    await DEAL.apply(db, events)
    begun = {fact.aggregate_id for fact in events if isinstance(fact.data, ProcessMigrationStarted)}
    if begun:
        await db.execute(BEGUN, sorted(begun))


DEAL_PROJECTION = Projection(
    name="deals",
    version=12,
    ddl=DEAL.ddl + MIGRATION,
    indices=DEAL.index_ddl,
    apply=apply,
    events=(*DEAL.events, ProcessMigrationStarted),
)

DEALS = Listing(
    name="deals",
    projection=DEAL_PROJECTION,
    table="deal",
    item=DealRow,
    key="id",
    filters={
        "status": one_of("status", statuses(deal)),
        "process": equals("process_id", UUID),
        "process_version": equals("process_version", int),
        "stage": equals("stage"),
        "category": one_of("category", get_args(Category)),
        "owner": equals("owner", UUID),
        "team": in_team(),
        "account": equals("account_id", UUID),
        "currency": in_currency(),
        "source": equals("source"),
        "closes_from": at_least("expected_close", date),
        "closes_to": at_most("expected_close", date),
        "closed_from": at_least("closed_on", date),
        "closed_to": at_most("closed_on", date),
        "q": search(),
    },
    sorts=("opened_at", "expected_close", "amount", "name"),
    default_sort="-opened_at",
    readers=READING,
)
