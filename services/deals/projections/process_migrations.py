"""The lists of migrations, and of what became of each of their deals (PROC-2)."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated
from uuid import UUID, uuid5

from services.deals.domain.process_migration import process_migration
from shared.domain.aggregate import statuses
from shared.domain.roles import OPERATIONS, READING
from shared.events.deals.process_migration import (
    OUTCOMES,
    MigratedDeal,
    ProcessMigrationAdvanced,
    ProcessMigrationCompleted,
    ProcessMigrationPlanned,
    ProcessMigrationStarted,
    ProcessMigrationStopped,
)
from shared.events.definition import value, words
from shared.events.envelope import Envelope
from shared.projections.lists import Listing, equals, in_team, one_of
from shared.projections.projection import Projection
from shared.projections.tables import Row, Table


@value
class ProcessMigrationRow:
    """A migration in the list."""

    id: UUID
    version: int
    status: Annotated[str, words(statuses(process_migration))]
    process_id: UUID
    to_process_id: UUID
    to_version: int
    migrated: int
    """How many deals went over so far."""
    refused: int
    """How many stay as they were."""
    planned_on: date
    ended_on: date | None
    """The day on which it was completed, or stopped."""
    updated_at: datetime


@value
class MigratedDealRow:
    """What became of a deal in a migration."""

    id: UUID
    """Of the row: it follows from migration and deal."""
    process_migration_id: UUID
    deal_id: UUID
    outcome: Annotated[str, words(OUTCOMES)]
    reason: str | None
    """Why it stays as it was: criteria-unmet, deal-is-closed, other-version or stage-not-mapped."""
    process_version: int
    """The version that it followed before."""
    stage_before: str
    stage: str | None
    """The stage that it was put in; none of one that was refused."""
    unmet: list[str]
    """The criteria of the entry of the new stage that it did not meet, by their keys."""
    owner: UUID | None
    """Whose it was then."""
    team: UUID | None
    updated_at: datetime


def _planned(fact: Envelope[ProcessMigrationPlanned], row: Row) -> Row:
    names = ("process_id", "to_process_id", "to_version")
    told = {name: getattr(fact.data, name) for name in names}
    return {"status": "planned", "migrated": 0, "refused": 0, "planned_on": fact.data.on, **told}


def _advanced(fact: Envelope[ProcessMigrationAdvanced], row: Row) -> Row:
    migrated = sum(each.outcome == "migrated" for each in fact.data.deals)
    return {"migrated": row["migrated"] + migrated, "refused": row["refused"] + len(fact.data.deals) - migrated}


PROCESS_MIGRATION = Table(
    name="process_migration",
    row=ProcessMigrationRow,
    events=process_migration.events,
    changes={
        ProcessMigrationPlanned: _planned,
        ProcessMigrationStarted: lambda *_: {"status": "running", "ended_on": None},
        ProcessMigrationAdvanced: _advanced,
        ProcessMigrationStopped: lambda fact, _: {"status": "stopped", "ended_on": fact.data.on},
        ProcessMigrationCompleted: lambda fact, _: {"status": "completed", "ended_on": fact.data.on},
    },
    indices=("(planned_on, id)",),
)

PROCESS_MIGRATION_PROJECTION = Projection(
    name="process_migrations",
    version=1,
    ddl=PROCESS_MIGRATION.ddl,
    indices=PROCESS_MIGRATION.index_ddl,
    apply=PROCESS_MIGRATION.apply,
    events=tuple(PROCESS_MIGRATION.events),
)

PROCESS_MIGRATIONS = Listing(
    name="process-migrations",
    projection=PROCESS_MIGRATION_PROJECTION,
    table="process_migration",
    item=ProcessMigrationRow,
    key="id",
    filters={
        "status": one_of("status", statuses(process_migration)),
        "process": equals("process_id", UUID),
        "to_process": equals("to_process_id", UUID),
    },
    sorts=("planned_on",),
    default_sort="-planned_on",
    readers=OPERATIONS,
    owner=None,
    team=None,
)


def _by_row(fact: Envelope[ProcessMigrationAdvanced]) -> dict[UUID, MigratedDeal]:
    return {uuid5(fact.aggregate_id, str(each.deal_id)): each for each in fact.data.deals}


def _rows(fact: Envelope[ProcessMigrationAdvanced]) -> Iterator[UUID]:
    yield from _by_row(fact)


def _what_became(fact: Envelope[ProcessMigrationAdvanced], row: Row) -> Row:
    told = _by_row(fact)[row["id"]]
    names = ("deal_id", "outcome", "reason", "process_version", "stage_before", "stage", "owner", "team")
    return {
        "process_migration_id": fact.aggregate_id,
        "unmet": [each.criterion for each in told.unmet],
        **{name: getattr(told, name) for name in names},
    }


MIGRATED_DEAL = Table(
    name="migrated_deal",
    row=MigratedDealRow,
    events=(ProcessMigrationAdvanced,),
    changes={ProcessMigrationAdvanced: _what_became},
    keys=_rows,
    indices=("(process_migration_id, deal_id)", "(deal_id)"),
)

MIGRATED_DEAL_PROJECTION = Projection(
    name="migrated_deals",
    version=1,
    ddl=MIGRATED_DEAL.ddl,
    indices=MIGRATED_DEAL.index_ddl,
    apply=MIGRATED_DEAL.apply,
    events=tuple(MIGRATED_DEAL.events),
)

MIGRATED_DEALS = Listing(
    name="migrated-deals",
    projection=MIGRATED_DEAL_PROJECTION,
    table="migrated_deal",
    item=MigratedDealRow,
    key="id",
    filters={
        "migration": equals("process_migration_id", UUID),
        "deal": equals("deal_id", UUID),
        "outcome": one_of("outcome", OUTCOMES),
        "reason": equals("reason"),
        "stage": equals("stage"),
        "stage_before": equals("stage_before"),
        "owner": equals("owner", UUID),
        "team": in_team(),
    },
    sorts=("deal_id",),
    default_sort="deal_id",
    readers=READING,
)
