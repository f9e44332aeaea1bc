"""PROC-2: many deals go over to another version: the plan and its faults, and the steps in which it is worked off."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.deals.domain.deal import deal
from services.deals.domain.deal.approval import PendingApprovals
from services.deals.domain.deal.automation import goes_on
from services.deals.domain.deal.migration import TargetProcess
from services.deals.domain.deal.state import Deal
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.process.short import SHORT, SHORT_ID
from services.deals.domain.process.state import Process, Version
from services.deals.domain.process_migration import process_migration
from services.deals.domain.process_migration.planning import BecomesStage, MigrationEnds, PlanProcessMigration
from services.deals.domain.process_migration.running import (
    MigrationStep,
    StartProcessMigration,
    StopProcessMigration,
    TakeStep,
)
from services.deals.domain.process_migration.state import (
    CompletedProcessMigration,
    RunningProcessMigration,
    StoppedProcessMigration,
)
from shared.events.deals.deal import DealLost, UnmetCriterion
from shared.events.deals.deal_automation import DealRuleFired
from shared.events.deals.deal_migration import DealMigrated
from shared.events.deals.process_migration import (
    ProcessMigrationAdvanced,
    ProcessMigrationCompleted,
    ProcessMigrationPlanned,
    ProcessMigrationStarted,
    ProcessMigrationStopped,
)
from shared.testing.scenario import CONTEXT, Outcome, Scenario
from tests.services.deals.facts import OPENED, TODAY, eur
from tests.services.deals.test_migration import OTHER_PROCESS, TARGET, TWO, with_rules

ID = CONTEXT.aggregate_id
FIRST, SECOND, THIRD = UUID(int=101), UUID(int=102), UUID(int=103)
MAPPING = (
    BecomesStage(stage="initial-contact", becomes="initial-contact"),
    BecomesStage(stage="needs-confirmed", becomes="case"),
    BecomesStage(stage="quotation", becomes="case"),
    BecomesStage(stage="contract-drafting", becomes="contract"),
)
PLAN = PlanProcessMigration(
    process_id=SHORT_ID, process_versions=(1,), to_version=2, stages=MAPPING, reason="The budget comes first."
)
SOURCE = {version.number: version for version in TARGET.versions}
ENDS = MigrationEnds(source=SOURCE, target=TARGET)
STEP = MigrationStep(
    source=SOURCE,
    target=Process(id=SHORT_ID, version=2, definition=TWO),
    conversion=Conversion(currency="EUR", factors={}),
)
A_MIGRATION = Scenario(aggregate=process_migration, loaded=(("ends", ENDS), ("step", STEP)))
STARTED = ProcessMigrationStarted(process_migration_id=ID, on=TODAY)
COMPLETED = ProcessMigrationCompleted(process_migration_id=ID, migrated=1, refused=0, on=TODAY)


def planned(command: PlanProcessMigration = PLAN) -> ProcessMigrationPlanned:
    event = A_MIGRATION.when(command).facts[0].event
    assert isinstance(event, ProcessMigrationPlanned)
    return event


def a_deal(deal_id: UUID, stage: str = "initial-contact", version: int = 1, *more: Any) -> Deal:
    state = deal.fold((replace(OPENED, deal_id=deal_id, stage=stage, process_version=version), *more))
    assert isinstance(state, Deal)
    return state


def taken(*deals: Deal, has_more: bool = False, plan: PlanProcessMigration = PLAN, **step: Any) -> Outcome:
    given = A_MIGRATION.knowing(step=replace(STEP, deals=deals, has_more=has_more, **step))
    return given.given(planned(plan), STARTED).when(TakeStep(after=None))


# -- the plan ---------------------------------------------------------------------------------------------------------


def test_proc_2_a_plan_names_versions_stages_and_whose_deals() -> None:
    event = planned()
    assert (event.process_versions, event.to_process_id, event.to_version, event.unmet) == (
        (1,),
        SHORT_ID,
        2,
        "recorded",
    )
    assert [(each.stage, each.becomes) for each in event.stages][1] == ("needs-confirmed", "case")
    A_MIGRATION.given(event).when(PLAN).then()
    A_MIGRATION.given(event).when(replace(PLAN, unmet="refused")).then_rejected("not-in-this-state")


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"process_versions": (1, 9)}, [("unknown-version", "process_versions.1")]),
        ({"process_versions": (1, 1)}, [("named-twice", "process_versions.1")]),
        ({"to_version": 3}, [("unknown-version", "to_version")]),
        (
            {"to_version": 1},
            [("same-version", "process_versions.0"), *[("unknown-stage", f"stages.{n}.becomes") for n in (1, 2, 3)]],
        ),
        ({"stages": MAPPING[:3]}, [("stage-not-mapped", "stages")]),
        (
            {"stages": (*MAPPING, BecomesStage(stage="case", becomes="case"))},
            [("unknown-stage", "stages.4.stage")],
        ),
        ({"stages": (*MAPPING, MAPPING[0])}, [("named-twice", "stages.4.stage")]),
        (
            {"stages": (*MAPPING[:3], BecomesStage(stage="contract-drafting", becomes="won"))},
            [("unknown-stage", "stages.3.becomes")],
        ),
        (
            {"to_version": 4, "stages": MAPPING[1:]},
            [("unknown-version", "to_version"), ("stage-not-mapped", "stages")],
        ),
    ],
)
def test_proc_2_what_is_wrong_with_a_plan_is_named_with_its_place(
    changes: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    outcome = A_MIGRATION.when(replace(PLAN, **changes)).then_rejected("invalid-migration")
    assert outcome.rejected is not None
    assert [(reason.code, reason.field) for reason in outcome.rejected.reasons] == faults


def test_proc_2_deals_leave_a_retired_process_for_another_one_only() -> None:
    retired = replace(ENDS, target=TargetProcess())
    refused = A_MIGRATION.knowing(ends=retired).when(PLAN).then_rejected("invalid-migration", "process-retired")
    assert refused.rejected is not None
    elsewhere = replace(ENDS, target=replace(TARGET, id=OTHER_PROCESS))
    outcome = A_MIGRATION.knowing(ends=elsewhere).when(replace(PLAN, to_process_id=OTHER_PROCESS))
    assert outcome.facts[0].event.to_process_id == OTHER_PROCESS
    nowhere = MigrationEnds(source={}, target=TARGET)
    A_MIGRATION.knowing(ends=nowhere).when(PLAN).then_rejected("invalid-migration", "unknown-process")


# -- the run ----------------------------------------------------------------------------------------------------------


def test_proc_2_a_step_says_of_every_deal_what_became_of_it_in_one_decision() -> None:
    outcome = taken(a_deal(FIRST), a_deal(SECOND, "quotation"), has_more=True)
    advanced, *facts = outcome.facts
    assert isinstance(advanced.event, ProcessMigrationAdvanced)
    assert [(each.deal_id, each.outcome, each.stage_before, each.stage) for each in advanced.event.deals] == [
        (FIRST, "migrated", "initial-contact", "initial-contact"),
        (SECOND, "migrated", "quotation", "case"),
    ]
    assert [(fact.to, fact.event.deal_id, fact.event.stage) for fact in facts] == [
        (FIRST, FIRST, "initial-contact"),
        (SECOND, SECOND, "case"),
    ]
    assert all(isinstance(fact.event, DealMigrated) for fact in facts)
    assert {fact.event.process_migration_id for fact in facts} == {ID}
    assert facts[0].event.reason == PLAN.reason
    assert isinstance(outcome.state, RunningProcessMigration)
    assert (outcome.state.after, outcome.state.migrated, outcome.state.refused) == (SECOND, 2, 0)


def test_proc_2_what_cannot_go_over_stays_is_named_and_holds_up_nobody() -> None:
    lost = DealLost(deal_id=SECOND, on=TODAY, amount=eur("1"), stage="quotation", reason="price")
    outcome = taken(a_deal(FIRST, version=2), a_deal(SECOND, "quotation", 1, lost), a_deal(THIRD), has_more=True)
    advanced, fact = outcome.facts
    assert [(each.outcome, each.reason, each.stage) for each in advanced.event.deals] == [
        ("refused", "other-version", None),
        ("refused", "deal-is-closed", None),
        ("migrated", None, "initial-contact"),
    ]
    assert fact.to == THIRD
    assert (outcome.state.migrated, outcome.state.refused) == (1, 2)


def test_proc_2_unmet_criteria_are_recorded_or_keep_a_deal_where_it_is() -> None:
    unmet = (
        UnmetCriterion(gate="entry of case", criterion="budget-known"),
        UnmetCriterion(gate="entry of case", criterion="spoken"),
    )
    recorded = taken(a_deal(FIRST, "quotation"))
    assert (recorded.facts[0].event.deals[0].outcome, recorded.facts[0].event.deals[0].unmet) == ("migrated", unmet)
    refused = taken(a_deal(FIRST, "quotation"), plan=replace(PLAN, unmet="refused"))
    (told,) = refused.facts[0].event.deals
    assert (told.outcome, told.reason, told.stage, told.unmet) == ("refused", "criteria-unmet", None, unmet)
    assert len(refused.facts) == 2, "the step and the end, and nothing of the deal"


def test_proc_2_the_last_step_completes_it_and_counts() -> None:
    outcome = taken(a_deal(FIRST), a_deal(SECOND, version=2))
    completed = outcome.facts[1].event
    assert completed == replace(COMPLETED, migrated=1, refused=1)
    assert isinstance(outcome.state, CompletedProcessMigration)
    empty = taken()
    empty.then(replace(COMPLETED, migrated=0))


def test_proc_2_a_step_is_taken_once() -> None:
    """The same event is reacted to again after a crash; and two starts make two chains, of which one goes on."""
    advanced = taken(a_deal(FIRST), has_more=True).facts[0].event
    again = A_MIGRATION.knowing(step=replace(STEP, deals=(a_deal(FIRST),))).given(planned(), STARTED, advanced)
    again.when(TakeStep(after=None)).then()
    assert again.when(TakeStep(after=FIRST)).facts
    again.given(COMPLETED).when(TakeStep(after=FIRST)).then()


def test_proc_2_it_is_stopped_and_goes_on_where_it_was() -> None:
    advanced = taken(a_deal(FIRST), has_more=True).facts[0].event
    stopped = ProcessMigrationStopped(process_migration_id=ID, cause="asked", on=TODAY)
    running = A_MIGRATION.given(planned(), STARTED, advanced)
    outcome = running.when(StopProcessMigration()).then(stopped)
    assert isinstance(outcome.state, StoppedProcessMigration)
    halted = running.given(stopped)
    halted.when(StopProcessMigration()).then()
    halted.when(TakeStep(after=FIRST)).then()
    started = halted.when(StartProcessMigration()).then(replace(STARTED, after=FIRST))
    assert (started.state.after, started.state.migrated) == (FIRST, 1)
    halted.given(replace(STARTED, after=FIRST)).when(StartProcessMigration()).then()
    A_MIGRATION.given(planned()).when(StopProcessMigration()).then_rejected("not-in-this-state")


def test_proc_2_it_stops_when_there_is_nothing_to_follow_any_more() -> None:
    outcome = taken(a_deal(FIRST), target=None)
    outcome.then(ProcessMigrationStopped(process_migration_id=ID, cause="target-gone", on=TODAY))


def test_proc_2_several_versions_go_over_by_one_mapping() -> None:
    second = replace(SHORT, stages=SHORT.stages[:2])
    versions = (
        Version(number=1, definition=SHORT, published=True),
        Version(number=2, definition=second, published=True),
        Version(number=3, definition=TWO, published=True),
    )
    target = TargetProcess(id=SHORT_ID, versions=versions)
    source = {each.number: each for each in versions}
    command = replace(PLAN, process_versions=(1, 2), to_version=3)
    plan = A_MIGRATION.knowing(ends=MigrationEnds(source=source, target=target)).when(command).facts[0].event
    step = MigrationStep(
        deals=(a_deal(FIRST, "needs-confirmed", 2),),
        source=source,
        target=target.published(3),
        conversion=STEP.conversion,
    )
    outcome = A_MIGRATION.knowing(step=step).given(plan, STARTED).when(TakeStep(after=None))
    assert outcome.facts[0].event.deals[0].process_version == 2
    assert outcome.facts[-1].event.process_version == 3


def test_proc_2_the_day_of_a_migration_is_the_companys() -> None:
    assert planned().on == date(2026, 3, 16)


def test_proc_1_what_follows_from_the_new_stage_follows_as_for_a_deal_that_is_migrated_alone() -> None:
    """A rule on entry fires, and a deal that meets what the stage asks is ready to move on."""
    target = Process(id=SHORT_ID, version=2, definition=with_rules(TWO))
    known = a_deal(FIRST)
    outcome = taken(known, target=target)
    of_deal = [fact.event for fact in outcome.facts if fact.to == FIRST]
    assert [event.type for event in of_deal] == ["deals.deal-migrated", "deals.deal-rule-fired"]
    alone = deal.evolve(known, of_deal[0])
    assert list(goes_on(alone, CONTEXT, target, STEP.conversion, PendingApprovals())) == of_deal[1:]
    (completed,) = [fact.event for fact in outcome.facts if isinstance(fact.event, ProcessMigrationCompleted)]
    assert (completed.migrated, completed.refused) == (1, 0), "deals are counted, and not what is told of them"
    both = taken(known, a_deal(SECOND), target=target)
    firings = {fact.event.firing_id for fact in both.facts if isinstance(fact.event, DealRuleFired)}
    assert len(firings) == 2, "one command has rules fire for several deals, each for itself"
