"""How a migration is planned: from which versions, to which one, and what becomes of each stage (PROC-2)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import MaxLen, MinLen

from services.deals.domain.deal.migration import TargetProcess
from services.deals.domain.process.state import Version
from services.deals.domain.process_migration.state import (
    AnyProcessMigration,
    NoProcessMigration,
    PlannedProcessMigration,
    process_migration,
)
from services.deals.domain.remarked_process import AnyProcessId, VersionNumber
from shared.domain.aggregate import Decision
from shared.domain.context import Context
from shared.domain.fields import Text
from shared.domain.references import AnyTeamId, ProcessId
from shared.domain.rejection import Reason, refuse_all
from shared.domain.roles import OPERATIONS
from shared.events.criteria import Key
from shared.events.deals.process_migration import ProcessMigrationPlanned, StageMapping
from shared.events.definition import value


@value
class BecomesStage:
    """Which stage a deal stands in that stood in this one."""

    stage: Key
    """By its key in the versions that the deals follow."""
    becomes: Key
    """By its key in the version that they are to follow."""


@value
class PlanProcessMigration:
    """Which open deals are to follow which version, and in which stages."""

    process_id: AnyProcessId
    """The process that the deals follow, retired or not."""
    process_versions: Annotated[tuple[VersionNumber, ...], MinLen(1), MaxLen(50)]
    """Its versions."""
    to_process_id: ProcessId | None = None
    """Default: the same process."""
    to_version: VersionNumber
    """A version that was published."""
    stages: Annotated[tuple[BecomesStage, ...], MinLen(1), MaxLen(200)]
    """Every stage that deals of those versions may stand in, once."""
    teams: Annotated[tuple[AnyTeamId, ...], MaxLen(200)] = ()
    """Deals of these teams, with those below them; default: of every team."""
    unmet: Literal["recorded", "refused"] = "recorded"
    """Of a deal that does not meet what the entry of its new stage asks: recorded, it goes over, and that is told;
    refused, it stays as it is."""
    reason: Text

    example: ClassVar[dict[str, Any]] = {
        "process_id": "0199d3a4-5b7c-7d2e-9f10-3a4b5c6d7e8f",
        "process_versions": [1],
        "to_version": 2,
        "stages": [{"stage": "review", "becomes": "review"}, {"stage": "offer", "becomes": "quotation"}],
        "reason": "Version 2 asks for the budget one stage earlier.",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationEnds:
    """The processes at both ends of a plan, as a handler is given them."""

    source: Mapping[int, Version] = field(default_factory=dict)
    """The versions of the process that the deals follow, by number."""
    target: TargetProcess = field(default_factory=TargetProcess)


@process_migration.decides(allow=OPERATIONS)
def plan(state: NoProcessMigration, command: PlanProcessMigration, context: Context, ends: MigrationEnds) -> Decision:
    """Plan which open deals go over to another version, and in which stages they stand there. No deal moves yet."""
    reasons = [*_version_faults(command, ends), *_stage_faults(command, ends)]
    refuse_all("invalid-migration", "Deals cannot go over like this.", reasons)
    return [
        ProcessMigrationPlanned(
            process_migration_id=context.aggregate_id,
            process_id=command.process_id,
            process_versions=command.process_versions,
            to_process_id=command.to_process_id or command.process_id,
            to_version=command.to_version,
            stages=tuple(StageMapping(stage=each.stage, becomes=each.becomes) for each in command.stages),
            teams=command.teams,
            unmet=command.unmet,
            reason=command.reason,
            on=context.today,
        )
    ]


@process_migration.already
def is_planned(state: AnyProcessMigration, command: PlanProcessMigration) -> bool:
    mapping = tuple(StageMapping(stage=each.stage, becomes=each.becomes) for each in command.stages)
    known = (state.process_id, state.process_versions, state.to_process_id, state.to_version, state.stages, state.teams)
    target = command.to_process_id or command.process_id
    asked = (command.process_id, command.process_versions, target, command.to_version, mapping, command.teams)
    return known == asked and (state.unmet, state.reason) == (command.unmet, command.reason)


@process_migration.evolves
def planned(state: NoProcessMigration, event: ProcessMigrationPlanned) -> PlannedProcessMigration:
    return PlannedProcessMigration(
        id=event.process_migration_id,
        process_id=event.process_id,
        process_versions=event.process_versions,
        to_process_id=event.to_process_id,
        to_version=event.to_version,
        stages=event.stages,
        teams=event.teams,
        unmet=event.unmet,
        reason=event.reason,
        planned_on=event.on,
    )


def _version_faults(command: PlanProcessMigration, ends: MigrationEnds) -> Iterator[Reason]:
    """What is wrong with the versions at both ends."""
    if not ends.source:
        yield Reason(code="unknown-process", message="No such process was ever published.", field="process_id")
        return
    for place, number in enumerate(command.process_versions):
        where = f"process_versions.{place}"
        if number not in ends.source:
            message = f"The process has versions up to {max(ends.source)}."
            yield Reason(code="unknown-version", message=message, field=where)
        elif number in command.process_versions[:place]:
            yield Reason(code="named-twice", message="This version is named before.", field=where)
        elif (command.to_process_id or command.process_id, command.to_version) == (command.process_id, number):
            yield Reason(code="same-version", message="The deals follow this version.", field=where)
    if ends.target.id is None:
        if command.to_process_id is None:
            message = "The process was retired: name another one for its deals to follow."
            yield Reason(code="process-retired", message=message, field="to_process_id")
    elif ends.target.published(command.to_version) is None:
        message = f"Version {command.to_version} of this process was not published."
        yield Reason(code="unknown-version", message=message, field="to_version")


def _stage_faults(command: PlanProcessMigration, ends: MigrationEnds) -> Iterator[Reason]:
    """What is wrong with the mapping: every stage of the old versions once, each to one that the new version has."""
    of_old = [ends.source[number].definition for number in command.process_versions if number in ends.source]
    old = list(dict.fromkeys(stage.key for definition in of_old for stage in definition.stages))
    followed = ends.target.published(command.to_version)
    new = [stage.key for stage in followed.definition.stages] if followed else None
    named = [each.stage for each in command.stages]
    for place, each in enumerate(command.stages):
        where = f"stages.{place}"
        if old and each.stage not in old:
            message = f"Deals of these versions stand in the stages {', '.join(old)}."
            yield Reason(code="unknown-stage", message=message, field=f"{where}.stage")
        elif each.stage in named[:place]:
            yield Reason(code="named-twice", message="This stage is mapped before.", field=f"{where}.stage")
        if new is not None and each.becomes not in new:
            message = f"The new version has the stages {', '.join(new)}."
            yield Reason(code="unknown-stage", message=message, field=f"{where}.becomes")
    for key in old:
        if key not in named:
            yield Reason(code="stage-not-mapped", message=f"Deals may stand in the stage {key!r}.", field="stages")
