"""PROC-2: a deal goes over to another version in a stage of its own choosing, what it takes along, and what is told."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.deals.domain.deal import deal
from services.deals.domain.deal.closing import deal_reopened
from services.deals.domain.deal.migration import MIGRATED, MigrateDeal, TargetProcess
from services.deals.domain.deal.nodes import CompleteNode
from services.deals.domain.deal.opening import OpenNewDeal
from services.deals.domain.deal.state import NoDeal, OpenDeal
from services.deals.domain.process.short import SHORT, SHORT_ID
from services.deals.domain.process.state import Process, Version
from shared.domain.history import Recorded
from shared.domain.roles import Role
from shared.events.criteria import Criterion, Predicate
from shared.events.deals.deal import (
    DealFactsNoted,
    DealLine,
    DealLost,
    DealMoved,
    DealNodeCompleted,
    DealQuote,
    DueNode,
    PlannedRule,
    UnmetCriterion,
    WaivedCriterion,
)
from shared.events.deals.deal_automation import DealReadyToMoveOn, DealRuleFired, DealRuleLapsed
from shared.events.deals.deal_edit import DealQuoteAccepted
from shared.events.deals.deal_gates import (
    DealCriterionWaived,
    DealFlexibleNodeAdded,
    DealGateRefused,
)
from shared.events.deals.deal_migration import CarriedFlexibleNode, CarriedNode, DealMigrated, DroppedNode
from shared.events.process import FactDefinition, FlexibleNode, Node, ProcessDefinition, Stage, StageRule
from tests.services.deals.facts import FRIDAY, ID, OPENED, TALKED, THE_DEAL, TODAY, eur

OTHER_PROCESS = UUID(int=90)
BUDGET = Criterion(key="budget-known", name="The budget is known", when=Predicate(fact="budget", operator="known"))
SPOKEN = Criterion(
    key="spoken", name="Spoken", when=Predicate(fact="task.first-conversation", operator="is", value=True)
)


def stage(key: str, probability: str = "0.20", **more: Any) -> Stage:
    return Stage(
        key=key, name=key, purpose="Go on.", probability=Decimal(probability), **{"category": "pipeline", **more}
    )


TWO = ProcessDefinition(
    key="short",
    name="Short, second",
    facts=(FactDefinition(key="budget", name="Budget", kind="number"),),
    stages=(
        stage("initial-contact", "0.15", tasks=(Node(key="first-conversation", name="Talk"),)),
        stage(
            "case",
            "0.40",
            category="best-case",
            entry=(BUDGET, SPOKEN),
            tasks=(Node(key="background-research", name="Research"), Node(key="write", name="Write", due_days=2)),
            idle_days=7,
        ),
        stage("contract", "0.90", deliverables=(Node(key="contact-record", name="Record"),), drafts_contract=True),
    ),
)
TARGET = TargetProcess(
    id=SHORT_ID,
    versions=(
        Version(number=1, definition=SHORT, published=True),
        Version(number=2, definition=TWO, published=True),
        Version(number=3, definition=TWO, published=False),
    ),
)
A_DEAL = THE_DEAL.knowing(target=TARGET)
MIGRATE = MigrateDeal(process_version=2, stage="case", reason="The budget comes first.")


def decided(*history: Any, command: MigrateDeal = MIGRATE, **loaded: Any) -> DealMigrated:
    outcome = A_DEAL.knowing(**loaded).given(*history).when(command)
    assert outcome.rejected is None, outcome.rejected.reasons
    (fact,) = outcome.facts
    assert isinstance(fact.event, DealMigrated)
    return fact.event


def after(*history: Any) -> OpenDeal:
    state = deal.fold(history)
    assert isinstance(state, OpenDeal)
    return state


def test_proc_2_a_migration_says_from_where_to_where_and_what_the_stage_says() -> None:
    event = decided(OPENED)
    assert (event.process_id_before, event.process_version_before, event.stage_before) == (
        SHORT_ID,
        1,
        "initial-contact",
    )
    assert (event.process_id, event.process_version, event.stage) == (SHORT_ID, 2, "case")
    assert (event.process_name, event.on, event.reason) == ("Short, second", TODAY, "The budget comes first.")
    assert (event.probability_before, event.probability) == (Decimal("0.10"), Decimal("0.40"))
    assert (event.category, event.category_of_stage, event.idle_days) == ("best-case", "best-case", 7)
    state = after(OPENED, event)
    assert (state.process_version, state.stage, state.stage_since) == (2, "case", TODAY)
    assert (state.probability, state.category) == (Decimal("0.40"), "best-case")
    assert [visit.stage for visit in state.trail] == ["initial-contact", "case"]


def test_proc_2_work_under_the_same_key_goes_along_the_rest_is_dropped_and_new_work_falls_due() -> None:
    """Done: first-conversation. Due and open: background-research, in the stage entered; contact-record, in a later
    one, which falls due when that is entered."""
    event = decided(OPENED, TALKED)
    assert event.carried == (
        CarriedNode(key="first-conversation", kind="task", stage="initial-contact", required=True),
        CarriedNode(key="background-research", kind="task", stage="case", required=True),
    )
    assert event.dropped == (DroppedNode(key="contact-record", kind="deliverable"),)
    assert event.nodes == (DueNode(key="write", kind="task", required=True, due=date(2026, 3, 18)),)
    nodes = {node.key: node for node in after(OPENED, TALKED, event).nodes}
    assert nodes.keys() == {"first-conversation", "background-research", "write"}
    assert nodes["first-conversation"].evidence == "Minutes 118"
    assert (nodes["background-research"].stage, nodes["background-research"].due) == ("case", date(2026, 3, 23))
    assert nodes["background-research"].required
    assert nodes["write"].stage == "case"


def test_proc_2_what_is_done_goes_along_also_into_a_later_stage() -> None:
    recorded = DealNodeCompleted(
        deal_id=ID, stage="initial-contact", key="contact-record", kind="deliverable", required=False, evidence="DOC-1"
    )
    event = decided(OPENED, recorded)
    assert CarriedNode(key="contact-record", kind="deliverable", stage="contract", required=True) in event.carried


def test_deal_2_what_is_a_proposal_in_the_new_version_is_said_of_what_goes_along() -> None:
    case = TWO.stages[1]
    research = replace(case.tasks[0], proposal=True)
    called = replace(TWO, stages=(TWO.stages[0], replace(case, tasks=(research, case.tasks[1])), TWO.stages[2]))
    target = replace(TARGET, versions=(TARGET.versions[0], replace(TARGET.versions[1], definition=called)))
    event = decided(OPENED, TALKED, target=target)
    assert [(each.key, each.proposal) for each in event.carried] == [
        ("first-conversation", False),
        ("background-research", True),
    ]


def test_proc_2_a_stage_of_the_same_key_was_not_left() -> None:
    """Who migrates deals does not make those that stand too long look fresh."""
    earlier = replace(OPENED, on=FRIDAY)
    event = decided(earlier, command=replace(MIGRATE, stage="initial-contact"))
    state = after(earlier, event)
    assert (state.process_version, state.stage, state.stage_since) == (2, "initial-contact", FRIDAY)
    assert [visit.stage for visit in state.trail] == ["initial-contact"]
    assert state.probability == Decimal("0.15")


def test_proc_2_another_process_is_another_stage_whatever_its_key() -> None:
    elsewhere = replace(TARGET, id=OTHER_PROCESS)
    command = replace(MIGRATE, process_id=OTHER_PROCESS, stage="initial-contact")
    earlier = replace(OPENED, on=FRIDAY)
    state = after(earlier, decided(earlier, command=command, target=elsewhere))
    assert (state.process_id, state.process_rule, state.stage_since) == (OTHER_PROCESS, MIGRATED, TODAY)


def test_proc_2_nobody_gets_round_a_gate_unrecorded() -> None:
    event = decided(OPENED)
    assert event.unmet == (
        UnmetCriterion(gate="entry of case", criterion="budget-known"),
        UnmetCriterion(gate="entry of case", criterion="spoken"),
    )
    assert decided(OPENED, TALKED).unmet == event.unmet[:1]
    assert decided(OPENED, TALKED, command=replace(MIGRATE, stage="contract")).unmet == ()


def test_proc_2_what_is_judged_is_the_deal_as_it_stands_there() -> None:
    """A fact that ends with the migration meets nothing any more."""
    text = replace(SHORT, facts=(FactDefinition(key="budget", name="Budget", kind="text"),))
    noted = DealFactsNoted(deal_id=ID, facts={"budget": "500000"})
    known = decided(OPENED, noted, process=Process(id=SHORT_ID, version=1, definition=text))
    assert (known.facts_ended, known.unmet[0].criterion) == (("budget",), "budget-known")


def test_proc_2_facts_stay_where_they_mean_the_same_and_end_otherwise() -> None:
    noted = DealFactsNoted(deal_id=ID, facts={"budget": "500000", "need_stated": True})
    event = decided(OPENED, noted)
    assert event.facts_ended == ("need_stated",)
    assert after(OPENED, noted, event).facts == {"budget": "500000"}
    assert [each.criterion for each in event.unmet] == ["spoken"]


def test_proc_2_a_waiver_stays_where_the_very_same_is_asked_and_ends_otherwise() -> None:
    def waived(gate: str, criterion: str) -> DealCriterionWaived:
        return DealCriterionWaived(
            deal_id=ID, gate=gate, criterion=criterion, until=date(2026, 4, 30), role="manager", on=TODAY
        )

    old = replace(SHORT, stages=(*SHORT.stages, stage("case", entry=(BUDGET, replace(SPOKEN, when=BUDGET.when)))))
    source = Process(id=SHORT_ID, version=1, definition=old)
    same, other = waived("entry of case", "budget-known"), waived("entry of case", "spoken")
    gone = waived("exit of initial-contact", "next-step-planned")
    event = decided(OPENED, same, other, gone, process=source)
    assert set(event.waivers_ended) == {
        WaivedCriterion(gate="entry of case", criterion="spoken"),
        WaivedCriterion(gate="exit of initial-contact", criterion="next-step-planned"),
    }
    assert event.waived == (WaivedCriterion(gate="entry of case", criterion="budget-known"),)
    assert [each.criterion for each in event.unmet] == ["spoken"]
    assert [each.criterion for each in after(OPENED, same, other, gone, event).waivers] == ["budget-known"]


def test_deal_2_refused_attempts_stay_with_the_work_that_goes_along() -> None:
    def refused(kind: str, key: str) -> DealGateRefused:
        return DealGateRefused(deal_id=ID, stage="initial-contact", kind=kind, key=key, attempt=1, unmet=(), on=TODAY)

    tried = [
        refused("stage", "needs-confirmed"),
        refused("task", "first-conversation"),
        refused("deliverable", "contact-record"),
    ]
    state = after(OPENED, TALKED, *tried, decided(OPENED, TALKED, *tried))
    assert [(each.kind, each.key) for each in state.attempts] == [("task", "first-conversation")]


def test_proc_2_what_is_known_of_the_customer_stays() -> None:
    before, event = after(OPENED, TALKED), decided(OPENED, TALKED)
    state = after(OPENED, TALKED, event)
    for name in ("amount", "owner", "team", "activities", "qualification", "contacts", "expected_close", "opening"):
        assert getattr(state, name) == getattr(before, name), name


def test_con_1_a_migration_into_the_contract_stage_says_so_once() -> None:
    into = replace(MIGRATE, stage="contract")
    assert decided(OPENED, command=into).drafts_contract
    line = DealLine(product_id=ID, quantity=Decimal(2), price=eur("5.00"))
    agreed = DealQuoteAccepted(deal_id=ID, quote_id=ID, amount=OPENED.amount, lines=(line,), quote_version=3, on=TODAY)
    told = decided(replace(OPENED, lines=(line,)), agreed, command=into)
    assert (told.lines, told.quote) == ((line,), DealQuote(quote_id=ID, quote_version=3))
    elsewhere = decided(replace(OPENED, lines=(line,)), agreed)
    assert (elsewhere.lines, elsewhere.quote) == ((), None)
    there = DealMoved(
        deal_id=ID,
        before="quotation",
        stage="contract-drafting",
        direction="forward",
        skipped=(),
        probability=Decimal("0.80"),
        probability_before=Decimal("0.50"),
        category="commit",
        amount=eur("1"),
        on=TODAY,
    )
    assert not decided(OPENED, there, command=into).drafts_contract


@pytest.mark.parametrize(
    ("changes", "loaded", "codes", "fields"),
    [
        ({"process_version": 3}, {}, ["unknown-version"], ["process_version"]),
        ({"process_version": 4}, {}, ["unknown-version"], ["process_version"]),
        ({"process_version": 1}, {}, ["same-version", "unknown-stage"], ["process_version", "stage"]),
        ({"stage": "quotation"}, {}, ["unknown-stage"], ["stage"]),
        ({}, {"target": TargetProcess()}, ["process-retired"], ["process_id"]),
    ],
)
def test_proc_2_where_a_deal_cannot_go_is_named(
    changes: dict[str, Any], loaded: dict[str, Any], codes: list[str], fields: list[str]
) -> None:
    outcome = A_DEAL.knowing(**loaded).given(OPENED).when(replace(MIGRATE, **changes))
    outcome.then_rejected("invalid-migration", *codes)
    assert outcome.rejected is not None
    assert [reason.field for reason in outcome.rejected.reasons] == fields


def test_proc_2_asked_again_nothing_happens_and_a_closed_deal_stays() -> None:
    A_DEAL.given(OPENED, decided(OPENED)).when(MIGRATE).then()
    lost = DealLost(deal_id=ID, on=TODAY, amount=eur("1"), stage="initial-contact", reason="price")
    A_DEAL.given(OPENED, lost).when(MIGRATE).then_rejected("not-in-this-state")


def test_api_4_only_sales_operations_migrate() -> None:
    (handler,) = deal.handlers[MigrateDeal]
    assert {role for role in Role if role in handler.allow} == {Role.SALES_OPERATIONS, Role.ADMIN, Role.SERVICE}


def test_proc_2_the_deal_goes_on_by_its_new_version() -> None:
    new = Process(id=SHORT_ID, version=2, definition=TWO)
    event = decided(OPENED)
    done = A_DEAL.knowing(process=new).given(OPENED, event).when(CompleteNode(key="write", evidence="DOC-1"))
    assert done.rejected is None
    A_DEAL.knowing(process=new).given(OPENED, event).when(CompleteNode(key="quote", evidence="x")).then_rejected(
        "unknown-node"
    )


def test_deal_1_an_opening_that_is_repeated_is_known_again_after_the_deal_went_elsewhere() -> None:
    elsewhere = replace(TARGET, id=OTHER_PROCESS)
    opening = OpenNewDeal(name=OPENED.name, amount=OPENED.amount, process_id=SHORT_ID)
    begun = THE_DEAL.when(opening).facts[0].event
    event = decided(begun, command=replace(MIGRATE, process_id=OTHER_PROCESS), target=elsewhere)
    A_DEAL.given(begun, event).when(opening).then()
    assert isinstance(deal.fold(()), NoDeal)


# -- whatever the order in which things are told ----------------------------------------------------------------------


def recorded(data: Any, at: datetime, sequence: int) -> Recorded:
    return Recorded(
        data=data, occurred_at=at, by_day=False, sequence=sequence, fact=None, causation_id=UUID(int=sequence)
    )


def test_data_5_a_move_that_is_told_late_stands_before_the_migration() -> None:
    begun = datetime(2026, 3, 16, 8, tzinfo=UTC)
    move = DealMoved(
        deal_id=ID,
        before="initial-contact",
        stage="needs-confirmed",
        direction="forward",
        skipped=(),
        probability=Decimal("0.30"),
        probability_before=Decimal("0.10"),
        category="pipeline",
        amount=eur("1"),
        on=date(2026, 3, 17),
    )
    migrated = replace(decided(OPENED), on=date(2026, 3, 18))
    state = deal.of(
        [
            recorded(OPENED, begun, 1),
            recorded(migrated, begun + timedelta(days=2), 2),
            recorded(move, begun + timedelta(days=1), 3),
        ]
    )
    assert isinstance(state, OpenDeal)
    assert (state.stage, state.process_version, state.stage_since) == ("case", 2, date(2026, 3, 18))
    assert [visit.stage for visit in state.trail] == ["initial-contact", "needs-confirmed", "case"]


def test_data_5_a_deal_whose_end_is_told_late_goes_over_and_is_reopened_in_what_it_went_over_to() -> None:
    begun = datetime(2026, 3, 16, 8, tzinfo=UTC)
    lost = DealLost(deal_id=ID, on=date(2026, 3, 17), amount=eur("1"), stage="initial-contact", reason="price")
    history = [
        recorded(OPENED, begun, 1),
        recorded(decided(OPENED), begun + timedelta(days=2), 2),
        recorded(lost, begun + timedelta(days=1), 3),
    ]
    state = deal.of(history)
    assert not isinstance(state, OpenDeal | NoDeal)
    assert (state.process_version, state.stage) == (2, "case")
    reopened = deal_reopened(state, date(2026, 3, 19), "They called.")
    again = deal.of([*history, recorded(reopened, begun + timedelta(days=3), 4)])
    assert isinstance(again, OpenDeal)
    assert (again.process_version, again.stage, again.rules) == (2, "case", ())


APPROVAL = FlexibleNode(
    key="approval", name="Approval", stages=("initial-contact",), tasks=(Node(key="check", name="Check it"),)
)
RULES = (
    StageRule(key="nudge", name="Nobody has called", on="timer", after=3, notify=("manager",)),
    StageRule(key="guide", name="How to begin", on="entry", notify=("owner",)),
)
NUDGE = PlannedRule(key="nudge", due=datetime(2026, 3, 20, tzinfo=UTC))
"""After three working days from Monday."""


def with_rules(definition: ProcessDefinition, at: int = 0) -> ProcessDefinition:
    stages = list(definition.stages)
    stages[at] = replace(stages[at], rules=RULES)
    return replace(definition, stages=tuple(stages), flexible_nodes=(APPROVAL,))


def to(definition: ProcessDefinition) -> TargetProcess:
    versions = tuple(
        Version(number=number, definition=each, published=True)
        for number, each in enumerate((ONE, definition), start=1)
    )
    return TargetProcess(id=SHORT_ID, versions=versions)


ONE = with_rules(SHORT)
BEGUN = replace(OPENED, rules=(NUDGE, PlannedRule(key="guide")))
GUIDED = DealRuleFired(
    deal_id=ID,
    stage="initial-contact",
    rule="guide",
    firing_id=UUID(int=95),
    name="How to begin",
    trigger="entry",
    on=TODAY,
    notify=("owner",),
)
ADDED = DealFlexibleNodeAdded(
    deal_id=ID,
    key="approval",
    name="Approval",
    stage="initial-contact",
    role="manager",
    on=TODAY,
    nodes=(DueNode(key="check", kind="task", required=True, due=date(2026, 3, 30)),),
)
FROM_ONE: dict[str, Any] = {"process": Process(id=SHORT_ID, version=1, definition=ONE)}


def test_proc_2_in_a_stage_that_stays_what_fired_does_not_fire_again_and_what_waits_keeps_its_time() -> None:
    stays = replace(MIGRATE, stage="initial-contact")
    event = decided(BEGUN, GUIDED, command=stays, target=to(with_rules(TWO)), **FROM_ONE)
    assert event.rules == (NUDGE,)
    state = after(BEGUN, GUIDED, event)
    assert (state.rules, [fired.key for fired in state.fired_rules]) == ((NUDGE,), ["guide"])
    assert decided(BEGUN, GUIDED, command=stays, target=to(TWO), **FROM_ONE).rules == ()


def test_proc_2_in_a_stage_that_stays_what_lapsed_does_not_come_again_and_what_is_new_does() -> None:
    lapsed = DealRuleLapsed(deal_id=ID, stage="initial-contact", rule="nudge", on=TODAY)
    stays = replace(MIGRATE, stage="initial-contact")
    further = StageRule(key="further", name="Further", on="entry", notify=("owner",))
    two = with_rules(TWO)
    more = replace(two, stages=(replace(two.stages[0], rules=(*RULES, further)), *two.stages[1:]))
    event = decided(BEGUN, GUIDED, lapsed, command=stays, target=to(more), **FROM_ONE)
    assert event.rules == (PlannedRule(key="further"),)


def test_proc_2_in_another_stage_its_rules_begin_today() -> None:
    event = decided(BEGUN, GUIDED, target=to(with_rules(TWO, at=1)), **FROM_ONE)
    assert event.rules == (NUDGE, PlannedRule(key="guide"))
    assert after(BEGUN, GUIDED, event).rules == event.rules


def test_proc_2_a_flexible_node_that_the_version_has_goes_along_and_binds_there() -> None:
    """DEAL-4: what a manager added to one deal is not lost by a further version."""
    event = decided(BEGUN, ADDED, target=to(with_rules(TWO)), **FROM_ONE)
    assert event.flexible_nodes == (CarriedFlexibleNode(key="approval", stage="case"),)
    assert event.flexible_nodes_ended == ()
    assert CarriedNode(key="check", kind="task", stage="case", required=True) in event.carried
    state = after(BEGUN, ADDED, event)
    assert [(each.key, each.stage) for each in state.flexible_nodes] == [("approval", "case")]
    assert next(node for node in state.nodes if node.key == "check").due == date(2026, 3, 30)


def test_proc_2_a_flexible_node_that_the_version_does_not_have_ends_with_its_work() -> None:
    event = decided(BEGUN, ADDED, target=to(TWO), **FROM_ONE)
    assert (event.flexible_nodes, event.flexible_nodes_ended) == ((), ("approval",))
    assert DroppedNode(key="check", kind="task") in event.dropped
    state = after(BEGUN, ADDED, event)
    assert (state.flexible_nodes, [node for node in state.nodes if node.key == "check"]) == ((), [])


def test_proc_2_a_flexible_node_whose_gate_the_version_does_not_have_ends_too() -> None:
    before = replace(ADDED, stage="needs-confirmed")
    event = decided(BEGUN, before, target=to(with_rules(TWO)), **FROM_ONE)
    assert (event.flexible_nodes, event.flexible_nodes_ended) == ((), ("approval",))
    assert after(BEGUN, before, event).flexible_nodes == ()


def test_proc_2_what_was_ready_to_move_on_is_not_so_in_another_version() -> None:
    ready = DealReadyToMoveOn(
        deal_id=ID, stage="initial-contact", next_stage="needs-confirmed", by_itself=False, on=TODAY
    )
    assert after(BEGUN, ready).ready_on == TODAY
    assert after(BEGUN, ready, decided(BEGUN, ready)).ready_on is None
