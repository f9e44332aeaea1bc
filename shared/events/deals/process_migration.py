"""Events of a migration: open deals of some versions of a process go over to another version, step by step (PROC-2)."""

from datetime import date
from typing import Annotated
from uuid import UUID

from shared.events.deals.deal import UnmetCriterion
from shared.events.definition import FreeText, event, value, words

UNMET = ("recorded", "refused")
OUTCOMES = ("migrated", "refused")
STOPS = ("asked", "target-gone")


@value
class StageMapping:
    """Which stage of the new version a stage of the old ones becomes."""

    stage: str
    becomes: str


@value
class MigratedDeal:
    """What became of one deal."""

    deal_id: UUID
    outcome: Annotated[str, words(OUTCOMES)]
    reason: str | None = None
    """Why it stays as it was: criteria-unmet, deal-is-closed, other-version or stage-not-mapped."""
    process_version: int
    """The version that it followed before."""
    stage_before: str
    stage: str | None = None
    """The stage in which it stands now; none of one that was refused."""
    unmet: tuple[UnmetCriterion, ...] = ()
    owner: UUID | None = None
    team: UUID | None = None


@event("deals.process-migration-planned", aggregate="process-migration")
class ProcessMigrationPlanned:
    """Which open deals are to go over to which version. No deal has moved yet."""

    process_migration_id: UUID
    process_id: UUID
    process_versions: tuple[int, ...]
    """The versions that the deals follow."""
    to_process_id: UUID
    to_version: int
    stages: tuple[StageMapping, ...]
    """Every stage that deals of those versions stand in."""
    teams: tuple[UUID, ...] = ()
    """Deals of these teams, with those below them; none: of every team."""
    unmet: Annotated[str, words(UNMET)] = "recorded"
    """Of a deal that does not meet the entry of its new stage: recorded, it goes over and that is told; refused, it
    stays as it is."""
    reason: FreeText[str | None] = None
    on: date
    """The company's day on which it was planned."""


@event("deals.process-migration-started", aggregate="process-migration")
class ProcessMigrationStarted:
    """Its deals go over from now on, or further on after it was stopped."""

    process_migration_id: UUID
    after: UUID | None = None
    """The last deal that was looked at before; none at the beginning. Deals are gone through in the order of their
    ids."""
    on: date


@event("deals.process-migration-advanced", aggregate="process-migration")
class ProcessMigrationAdvanced:
    """Some deals went over, or stay as they were. Recorded in one transaction with what happened to these deals."""

    process_migration_id: UUID
    deals: tuple[MigratedDeal, ...]
    after: UUID
    """The last of them."""


@event("deals.process-migration-stopped", aggregate="process-migration")
class ProcessMigrationStopped:
    """No further deal goes over until it is started again. Those that went over stay there."""

    process_migration_id: UUID
    cause: Annotated[str, words(STOPS)]
    """asked: by somebody; target-gone: the process that the deals were to follow was retired meanwhile."""
    on: date


@event("deals.process-migration-completed", aggregate="process-migration")
class ProcessMigrationCompleted:
    """Every deal of the plan was looked at."""

    process_migration_id: UUID
    migrated: int
    refused: int
    on: date
