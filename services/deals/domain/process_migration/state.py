"""What is known of a migration, and the states that it can stand in."""

from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from shared.domain.aggregate import Aggregate, carried
from shared.domain.roles import OPERATIONS
from shared.events.deals.process_migration import StageMapping
from shared.events.definition import value


@value
class NoProcessMigration:
    """Nothing was planned under this id."""


@value
class ProcessMigration:
    """What is known of a migration, whatever its state."""

    id: UUID
    process_id: UUID
    process_versions: tuple[int, ...]
    to_process_id: UUID
    to_version: int
    stages: tuple[StageMapping, ...]
    teams: tuple[UUID, ...]
    unmet: str
    reason: str | None
    planned_on: date
    after: UUID | None = None
    """The last deal that was looked at."""
    migrated: int = 0
    refused: int = 0


@value
class PlannedProcessMigration(ProcessMigration):
    """No deal has gone over."""


@value
class RunningProcessMigration(ProcessMigration):
    """Deals go over."""


@value
class StoppedProcessMigration(ProcessMigration):
    """No further deal goes over until it is started again."""

    cause: str


@value
class CompletedProcessMigration(ProcessMigration):
    """Every deal was looked at."""

    completed_on: date


AnyProcessMigration = (
    PlannedProcessMigration | RunningProcessMigration | StoppedProcessMigration | CompletedProcessMigration
)

process_migration = Aggregate(
    "process-migration", plural="process-migrations", start=NoProcessMigration, readers=OPERATIONS
)

Kind = TypeVar("Kind", bound=ProcessMigration)


def become(kind: type[Kind], state: ProcessMigration, **changes: Any) -> Kind:
    """The migration in another state, with what changes on the way."""
    return kind(**(carried(state, ProcessMigration) | changes))
