"""How a migration is worked off: started, step by step, stopped, completed (PROC-2).

A step is one append: what happens to its deals, and what is told of them here. So it says of every deal what became of
it, whatever dies in between, and no deal goes over twice: the last deal that was looked at is the checkpoint.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, ClassVar

from services.deals.domain.deal.approval import PendingApprovals
from services.deals.domain.deal.automation import goes_on
from services.deals.domain.deal.migration import has_migrated, migration_of
from services.deals.domain.deal.state import Deal, OpenDeal
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.process.state import Process, Version
from services.deals.domain.process_migration.state import (
    AnyProcessMigration,
    CompletedProcessMigration,
    PlannedProcessMigration,
    RunningProcessMigration,
    StoppedProcessMigration,
    become,
    process_migration,
)
from shared.domain.aggregate import Decision, Occurrence, occurrences
from shared.domain.context import Company, Context
from shared.domain.references import FoundDealId
from shared.domain.roles import ONLY_SERVICES, OPERATIONS
from shared.events.deals.deal_migration import DealMigrated
from shared.events.deals.process_migration import (
    MigratedDeal,
    ProcessMigrationAdvanced,
    ProcessMigrationCompleted,
    ProcessMigrationStarted,
    ProcessMigrationStopped,
)
from shared.events.definition import value

STEP = 20
"""The deals of a step. They change in one transaction, which others who work with one of them wait for."""


@value
class StartProcessMigration:
    """The deals go over from now on."""

    example: ClassVar[dict[str, Any]] = {}


@value
class StopProcessMigration:
    """No further deal goes over."""

    example: ClassVar[dict[str, Any]] = {}


@value
class TakeStep:
    """The next deals go over."""

    after: FoundDealId | None
    """The last deal before them; a step that was taken is not taken again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationStep:
    """The deals that come next, as a handler is given them, with what they are judged by."""

    deals: tuple[Deal, ...] = ()
    source: Mapping[int, Version] = field(default_factory=dict)
    target: Process | None = None
    conversion: Conversion
    pending: PendingApprovals = field(default_factory=PendingApprovals)
    """What the deals wait for."""
    has_more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What would become of a deal, or becomes of it: the fact, or why it stays as it is."""

    told: MigratedDeal
    fact: DealMigrated | None = None


@process_migration.decides(allow=OPERATIONS)
def start(
    state: PlannedProcessMigration | StoppedProcessMigration, command: StartProcessMigration, context: Context
) -> Decision:
    """Have the deals go over, some at a time; one that was stopped goes on where it was."""
    return [ProcessMigrationStarted(process_migration_id=state.id, after=state.after, on=context.today)]


@process_migration.decides(allow=OPERATIONS)
def stop(state: RunningProcessMigration, command: StopProcessMigration, context: Context) -> Decision:
    """Have no further deal go over. Those that went over stay there."""
    return [ProcessMigrationStopped(process_migration_id=state.id, cause="asked", on=context.today)]


@process_migration.decides(allow=ONLY_SERVICES)
def take_step(state: RunningProcessMigration, command: TakeStep, context: Context, step: MigrationStep) -> Decision:
    """Have the next deals go over, each by itself: one that is refused holds up no other."""
    if step.target is None:
        return [ProcessMigrationStopped(process_migration_id=state.id, cause="target-gone", on=context.today)]
    tried = [try_deal(state, each, step, context.today, context.company) for each in step.deals]
    told = tuple(each.told for each in tried)
    facts = [
        occurrence
        for known, each in zip(step.deals, tried, strict=True)
        if each.fact is not None
        for occurrence in _with_what_follows(known, each.fact, step, context)
    ]
    advanced = [
        ProcessMigrationAdvanced(process_migration_id=state.id, deals=told, after=last.deal_id) for last in told[-1:]
    ]
    if step.has_more:
        return [*advanced, *facts]
    migrated = sum(each.fact is not None for each in tried)
    completed = ProcessMigrationCompleted(
        process_migration_id=state.id,
        migrated=state.migrated + migrated,
        refused=state.refused + len(told) - migrated,
        on=context.today,
    )
    return [*advanced, completed, *facts]


@process_migration.decides(allow=ONLY_SERVICES)
def take_no_step(state: PlannedProcessMigration | StoppedProcessMigration, command: TakeStep) -> Decision:
    """Have no deal go over: it was stopped meanwhile."""
    return []


@process_migration.already
def is_started(state: RunningProcessMigration | CompletedProcessMigration, command: StartProcessMigration) -> bool:
    return True


@process_migration.already
def is_stopped(state: StoppedProcessMigration, command: StopProcessMigration) -> bool:
    return True


@process_migration.already
def is_taken(state: RunningProcessMigration | CompletedProcessMigration, command: TakeStep) -> bool:
    return isinstance(state, CompletedProcessMigration) or state.after != command.after


@process_migration.evolves
def started(
    state: PlannedProcessMigration | StoppedProcessMigration, event: ProcessMigrationStarted
) -> RunningProcessMigration:
    return become(RunningProcessMigration, state)


@process_migration.evolves
def advanced(state: RunningProcessMigration, event: ProcessMigrationAdvanced) -> RunningProcessMigration:
    migrated = sum(each.outcome == "migrated" for each in event.deals)
    return replace(
        state,
        after=event.after,
        migrated=state.migrated + migrated,
        refused=state.refused + len(event.deals) - migrated,
    )


@process_migration.evolves
def stopped(state: RunningProcessMigration, event: ProcessMigrationStopped) -> StoppedProcessMigration:
    return become(StoppedProcessMigration, state, cause=event.cause)


@process_migration.evolves
def completed(state: RunningProcessMigration, event: ProcessMigrationCompleted) -> CompletedProcessMigration:
    return become(CompletedProcessMigration, state, completed_on=event.on)


def _with_what_follows(state: Deal, fact: DealMigrated, step: MigrationStep, context: Context) -> Iterator[Occurrence]:
    """That a deal went over, and what follows at once from how it stands then, as it would had it been migrated alone:
    the kernel concludes for the stream that decides, which is the migration's."""
    assert step.target is not None
    assert isinstance(state, OpenDeal)  # no other goes over
    after = has_migrated(state, fact)
    assert isinstance(after, OpenDeal)
    follows = occurrences(goes_on(after, context, step.target, step.conversion, step.pending))
    yield Occurrence(event=fact, to=state.id)
    yield from (replace(each, to=each.to or state.id) for each in follows)


def try_deal(plan: AnyProcessMigration, state: Deal, step: MigrationStep, today: date, company: Company) -> Tried:
    """What becomes of a deal by a plan. Pure: the same whether it is tried or done."""
    assert step.target is not None
    becomes = {each.stage: each.becomes for each in plan.stages}.get(state.stage)
    refusal: str | None = None
    if not isinstance(state, OpenDeal):
        refusal = "deal-is-closed"
    elif state.process_id != plan.process_id or state.process_version not in plan.process_versions:
        refusal = "other-version"
    elif becomes is None:
        refusal = "stage-not-mapped"
    if refusal is not None or becomes is None or not isinstance(state, OpenDeal):
        return Tried(told=_stays(state, str(refusal)))
    fact = migration_of(
        state,
        becomes,
        source=Process(
            id=state.process_id,
            version=state.process_version,
            definition=step.source[state.process_version].definition,
        ),
        target=step.target,
        conversion=step.conversion,
        today=today,
        company=company,
        reason=plan.reason,
        process_migration_id=plan.id,
    )
    if plan.unmet == "refused" and fact.unmet:
        return Tried(told=replace(_stays(state, "criteria-unmet"), unmet=fact.unmet))
    return Tried(told=replace(_stays(state, None), outcome="migrated", stage=becomes, unmet=fact.unmet), fact=fact)


def _stays(state: Deal, reason: str | None) -> MigratedDeal:
    return MigratedDeal(
        deal_id=state.id,
        outcome="refused",
        reason=reason,
        process_version=state.process_version,
        stage_before=state.stage,
        owner=state.owner,
        team=state.team,
    )
