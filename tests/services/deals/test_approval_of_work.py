"""DEAL-2: a task or deliverable is completed once whoever its chain asks has approved that."""

from dataclasses import replace
from typing import Any

import pytest

from services.deals.domain.approvals import APPROVALS
from services.deals.domain.deal import deal
from services.deals.domain.deal.approval import PendingApprovals, RecallSubmission, SubmitForApproval
from services.deals.domain.deal.automation import Reevaluate
from services.deals.domain.deal.closing import ReopenDeal, WinDeal
from services.deals.domain.deal.flexible import RemoveFlexibleNode
from services.deals.domain.deal.gates import gates_of_work, judged
from services.deals.domain.deal.history import ImportDealNode
from services.deals.domain.deal.migration import MigrateDeal, TargetProcess
from services.deals.domain.deal.next_actions import actions_of
from services.deals.domain.deal.nodes import CompleteNode
from services.deals.domain.deal.stages import MoveDeal
from services.deals.domain.deal.state import OpenDeal
from services.deals.domain.deal.waivers import WaiveCriterion
from services.deals.domain.process.comparison import differences
from services.deals.domain.process.full import CUSTOM_SOLUTION, FULL, FULL_ID
from services.deals.domain.process.short import SHORT, SHORT_ID
from services.deals.domain.process.state import Process, Version
from services.deals.domain.process.writing import done
from shared.domain.approval.family import Approve, ReturnForRework
from shared.domain.approval.state import RecalledApproval, WaitingApproval
from shared.domain.context import service_actor
from shared.events.approval_chain import ApprovalChain, ApprovalStep
from shared.events.criteria import Criterion, Predicate
from shared.events.deals.deal import DealAmountChanged
from shared.events.deals.deal_approval import (
    DealSubmissionApproved,
    DealSubmissionRecalled,
    DealSubmittedForApproval,
)
from shared.events.deals.deal_automation import DealReadyToMoveOn
from shared.events.process import Node, OutsideStage, ProcessDefinition, Stage
from shared.testing.scenario import Outcome, Scenario
from tests.services.deals.facts import FRIDAY, ID, LOADED, OPENED, TALKED, THE_DEAL, TODAY, eur
from tests.services.deals.test_approval import (
    APPROVAL,
    BIG,
    CHAIN,
    DIRECTION,
    DIRECTOR,
    PLANNED,
    THERE,
    facts,
    follows,
    of_deal,
    told,
    waiting,
)
from tests.services.deals.test_flexible_nodes import ADDED, IN_SOLUTION, REMOVED
from tests.services.deals.test_flexible_nodes import completed as completed_in_solution
from tests.services.deals.test_key_actions import THE_FULL_DEAL
from tests.services.deals.test_next_actions import given as circumstances
from tests.services.deals.test_waivers import MANAGER

GATE = "exit of task first-conversation"
RECORD_GATE = "exit of deliverable contact-record"
LATER_GATE = "exit of task explore-pains"
FACT = "approved.task.first-conversation"


def asking_about(part: Any, key: str, chain: ApprovalChain | None = CHAIN, /, **changes: Any) -> Any:
    """A stage or flexible node whose task or deliverable of a key needs an approval."""

    def changed(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        return tuple(replace(each, exit_approval=chain, **changes) if each.key == key else each for each in nodes)

    return replace(part, tasks=changed(part.tasks), deliverables=changed(part.deliverables))


def with_chain(
    key: str = "first-conversation", chain: ApprovalChain | None = CHAIN, place: int = 0, **changes: Any
) -> ProcessDefinition:
    stages = list(SHORT.stages)
    stages[place] = asking_about(stages[place], key, chain, **changes)
    return replace(SHORT, stages=tuple(stages))


def process_of(definition: ProcessDefinition) -> Process:
    return Process(id=SHORT_ID, version=1, definition=definition)


PROCESS = process_of(with_chain())
SUBMITTED = DealSubmittedForApproval(
    deal_id=ID,
    stage="initial-contact",
    gate=GATE,
    node="first-conversation",
    approval_id=APPROVAL,
    submitter="somebody",
    steps=("direction",),
    on=TODAY,
)
APPROVED = DealSubmissionApproved(deal_id=ID, gate=GATE, approval_id=APPROVAL, approver="dora", step="direction")
RECALLED = DealSubmissionRecalled(deal_id=ID, gate=GATE, approval_id=APPROVAL, by="somebody", cause="left")
DEAL = THE_DEAL.knowing(process=PROCESS)
SUBMIT, TALK = SubmitForApproval(gate=GATE), CompleteNode(key="first-conversation", evidence="Minutes 118")
GROWN = DealAmountChanged(deal_id=ID, before=OPENED.amount, amount=eur("600000.00"), on=TODAY)


def about(gate: str, event: Any, node: str | None = None) -> Any:
    """A fact of a submission, told of another gate."""
    return replace(event, gate=gate, **({"node": node} if node else {}))


def recalled_in(state: Any, pending: Any = None, process: Process = PROCESS) -> list[Any]:
    """What is taken back along with what happened last."""
    return [event for _, event in follows(state, pending or {}, process) if isinstance(event, DealSubmissionRecalled)]


def events_of(outcome: Outcome) -> list[Any]:
    assert outcome.rejected is None, outcome.rejected
    return [fact.event for fact in outcome.facts if fact.to == APPROVAL]


# -- submitting, and what comes of it ----------------------------------------------------------------------------------


def test_deal_2_a_task_is_completed_once_the_chain_has_approved_it() -> None:
    refused = DEAL.given(OPENED).when(TALK).then_rejected("gate-closed", "criterion-unmet")
    assert refused.rejected is not None
    (unmet,) = refused.rejected.reasons
    assert (unmet.details["gate"], unmet.details["criterion"]) == (GATE, "approved")
    assert unmet.details["by"] == {FACT: "submit-for-approval"}
    assert unmet.details["approvals"] == {FACT: {"gate": GATE, "status": None, "approval_id": None}}
    (tried,) = refused.rejected.on_record
    assert [(each.gate, each.criterion) for each in tried.unmet] == [(GATE, "approved")]

    submitted = DEAL.given(OPENED).when(SUBMIT)
    assert [fact.event for fact in submitted.facts if fact.to is None] == [SUBMITTED]
    approval = APPROVALS.family.fold(events_of(submitted))
    assert isinstance(approval, WaitingApproval)
    assert (approval.name, approval.part) == ("Servers for the new plant: Hold a first conversation", GATE)
    assert (approval.subject_id, approval.amount, approval.owner) == (ID, OPENED.amount, OPENED.owner)
    waits = DEAL.given(OPENED, SUBMITTED).when(TALK).then_rejected("gate-closed", "criterion-unmet")
    assert waits.rejected is not None
    (unmet,) = waits.rejected.reasons
    assert unmet.details["by"] == {}, "others have to decide"
    assert unmet.details["approvals"] == {FACT: {"gate": GATE, "status": "waiting", "approval_id": APPROVAL}}

    granted = waiting(events_of(submitted), submitted.state).by(DIRECTOR).when(Approve())
    assert of_deal(granted) == [APPROVED]
    DEAL.given(OPENED, SUBMITTED, APPROVED).when(TALK).then(TALKED)


def test_deal_2_a_deliverable_needs_an_approval_the_same_way() -> None:
    known = DEAL.knowing(process=process_of(with_chain("contact-record"))).given(OPENED)
    write = CompleteNode(key="contact-record", evidence="DOC-1")
    known.when(write).then_rejected("gate-closed", "criterion-unmet")
    outcome = known.when(SubmitForApproval(gate=RECORD_GATE))
    (submitted,) = [fact.event for fact in outcome.facts if fact.to is None]
    assert submitted == about(RECORD_GATE, SUBMITTED, "contact-record")
    assert known.given(submitted, about(RECORD_GATE, APPROVED)).when(write).rejected is None


def test_deal_2_that_work_is_approved_is_a_fact_for_gates_further_on() -> None:
    asks = done("talk-approved", "The talk is approved", FACT)
    definition = with_chain()
    stages = (replace(definition.stages[0], exit=(asks,)), *definition.stages[1:])
    process = process_of(replace(definition, stages=stages))
    assert told(process.definition) == []
    assert facts(OPENED, SUBMITTED, process=process)[FACT] is False
    assert facts(OPENED, SUBMITTED, APPROVED, process=process)[FACT] is True
    known, on = DEAL.knowing(process=process).given(OPENED, PLANNED), MoveDeal(stage="needs-confirmed")
    refused = known.given(SUBMITTED).when(on).then_rejected("gate-closed", "criterion-unmet")
    assert refused.rejected is not None
    assert known.given(SUBMITTED, APPROVED).when(on).rejected is None
    assert known.given(SUBMITTED, APPROVED, TALKED, GROWN).when(on).rejected is None, "what is done was approved"
    known.given(SUBMITTED, APPROVED, GROWN).when(on).then_rejected("gate-closed", "criterion-unmet")


def test_deal_2_a_deal_that_has_grown_beyond_what_was_approved_is_asked_about_anew() -> None:
    known = DEAL.given(OPENED, SUBMITTED, APPROVED, GROWN)
    known.when(TALK).then_rejected("gate-closed", "criterion-unmet")
    assert known.when(SUBMIT).facts[0].event.steps == ("direction", "executive")


def test_deal_2_what_was_returned_is_submitted_again() -> None:
    first = DEAL.given(OPENED).when(SUBMIT)
    back = waiting(events_of(first), first.state).by(DIRECTOR).when(ReturnForRework(reason="Who was there?"))
    known = DEAL.given(OPENED, SUBMITTED, *of_deal(back))
    known.when(TALK).then_rejected("gate-closed", "criterion-unmet")
    assert events_of(known.when(SUBMIT))


def test_deal_2_submitting_again_while_it_waits_or_once_it_is_approved_records_nothing() -> None:
    DEAL.given(OPENED, SUBMITTED).when(SUBMIT).then()
    DEAL.given(OPENED, SUBMITTED, APPROVED).when(SUBMIT).then()


def test_deal_2_where_no_step_is_taken_it_is_approved_at_once() -> None:
    process = process_of(with_chain(chain=ApprovalChain(steps=(BIG,))))
    outcome = DEAL.knowing(process=process).given(OPENED).when(SUBMIT)
    ours = [fact.event for fact in outcome.facts if fact.to is None]
    assert ours == [replace(SUBMITTED, steps=()), replace(APPROVED, approver="somebody", step="none")]
    assert DEAL.knowing(process=process).given(OPENED, *ours).when(TALK).rejected is None


@pytest.mark.parametrize(
    ("gate", "history", "code"),
    [
        ("exit of task nothing", (), "unknown-gate"),
        ("entry of task first-conversation", (), "unknown-gate"),
        ("exit of task background-research", (), "unknown-gate"),
        (LATER_GATE, (), "not-yet-due"),
        (GATE, (TALKED,), "already-completed"),
        (GATE, (SUBMITTED, APPROVED, TALKED), "already-completed"),
    ],
)
def test_deal_2_only_work_that_can_be_completed_and_has_a_chain_is_submitted(
    gate: str, history: tuple[Any, ...], code: str
) -> None:
    definition = with_chain()
    both = replace(
        definition,
        stages=(definition.stages[0], asking_about(SHORT.stages[1], "explore-pains"), *SHORT.stages[2:]),
    )
    known = DEAL.knowing(process=process_of(both)).given(OPENED, *history)
    outcome = known.when(SubmitForApproval(gate=gate)).then_rejected(code)
    assert outcome.rejected is not None
    assert [each.field for each in outcome.rejected.reasons] == ["gate"]
    if code == "unknown-gate":
        assert f"{GATE}, {LATER_GATE}" in outcome.rejected.message


def test_deal_2_work_of_a_stage_that_was_left_is_approved_late_as_it_is_completed_late() -> None:
    left = DEAL.given(OPENED, PLANNED, THERE)
    assert events_of(left.when(SUBMIT))
    stays = DEAL.given(OPENED, PLANNED, SUBMITTED, THERE)
    assert [each.status for each in stays.when(SUBMIT).state.submissions] == ["waiting"]
    assert recalled_in(deal.fold(stays.history)) == []
    assert stays.given(APPROVED).when(TALK).rejected is None


def test_deal_4_the_approval_is_waived_as_any_criterion_is_and_what_waits_is_taken_back_along_with_it() -> None:
    waive = WaiveCriterion(gate=GATE, criterion="approved", until=TODAY, reason="The director was there.")
    (waived,) = DEAL.given(OPENED).when(waive).facts
    first = DEAL.given(OPENED).when(SUBMIT)
    approval = APPROVALS.family.fold(events_of(first))
    outcome = DEAL.given(OPENED, SUBMITTED, waived.event).when(TALK)
    (talked,) = outcome.facts
    assert [(each.gate, each.criterion) for each in talked.event.waived] == [(GATE, "approved")]
    assert [each.status for each in outcome.state.submissions] == ["over"]
    found = follows(outcome.state, {APPROVAL: approval}, PROCESS)
    assert RECALLED in [event for _, event in found]
    (theirs,) = [event for to, event in found if to == APPROVAL]
    assert isinstance(APPROVALS.family.evolve(approval, theirs), RecalledApproval)
    assert recalled_in(deal.evolve(outcome.state, RECALLED)) == []
    assert of_deal(waiting(events_of(first), outcome.state).by(DIRECTOR).when(Approve())) == []


def test_deal_2_whoever_carries_the_deal_takes_it_back() -> None:
    approval = APPROVALS.family.fold(events_of(DEAL.given(OPENED).when(SUBMIT)))
    known = DEAL.knowing(pending=PendingApprovals(states={APPROVAL: approval})).given(OPENED, SUBMITTED)
    ours, _ = known.when(RecallSubmission(gate=GATE)).facts
    assert ours.event == replace(RECALLED, cause="asked")
    assert events_of(known.given(ours.event).when(SUBMIT))


def test_deal_2_what_waits_when_the_deal_ends_is_taken_back_and_what_was_approved_stays_so() -> None:
    won = DEAL.given(OPENED, SUBMITTED).when(WinDeal())
    assert recalled_in(won.state) == [RECALLED]
    ended = DEAL.given(OPENED, SUBMITTED, APPROVED)
    won_event = ended.when(WinDeal()).facts[0].event
    reopened = ended.given(won_event).when(ReopenDeal(reason="They came back."))
    assert isinstance(reopened.state, OpenDeal)
    assert [each.status for each in reopened.state.submissions] == ["approved"]


def test_data_5_told_late_work_that_was_done_when_it_was_submitted_is_taken_back() -> None:
    late = deal.fold([OPENED, TALKED, SUBMITTED])
    assert [each.status for each in late.submissions] == ["over"]
    imported = DEAL.given(replace(OPENED, on=FRIDAY), SUBMITTED).when(
        ImportDealNode(on=FRIDAY, key="first-conversation", evidence="Minutes")
    )
    assert [each.status for each in imported.state.submissions] == ["over"]


# -- flexible nodes ----------------------------------------------------------------------------------------------------

FLEXIBLE_GATE = "exit of deliverable custom-solution-assessment"
ASSESSMENT = "custom-solution-assessment"
FLEXIBLE = Process(
    id=FULL_ID,
    version=1,
    definition=replace(FULL, flexible_nodes=(asking_about(CUSTOM_SOLUTION, ASSESSMENT),)),
)
BOUND = THE_FULL_DEAL.knowing(process=FLEXIBLE).by(MANAGER).given(IN_SOLUTION)
ASSESS = CompleteNode(key=ASSESSMENT, evidence="DOC-1")
FLEXIBLE_SUBMITTED = replace(about(FLEXIBLE_GATE, SUBMITTED, ASSESSMENT), stage="solution", submitter="manager")


def test_deal_4_work_of_a_flexible_node_needs_an_approval_once_it_binds_the_deal() -> None:
    submit = SubmitForApproval(gate=FLEXIBLE_GATE)
    refused = BOUND.when(submit).then_rejected("not-added")
    assert refused.rejected is not None
    assert [each.field for each in refused.rejected.reasons] == ["gate"]
    known = BOUND.given(ADDED)
    known.when(ASSESS).then_rejected("gate-closed", "criterion-unmet")
    outcome = known.when(submit)
    assert outcome.rejected is None, outcome.rejected
    (submitted,) = [fact.event for fact in outcome.facts if fact.to is None]
    assert (submitted.gate, submitted.node) == (FLEXIBLE_GATE, ASSESSMENT)
    done_now = known.given(submitted, about(FLEXIBLE_GATE, APPROVED)).when(ASSESS)
    assert [fact.event.key for fact in done_now.facts] == [ASSESSMENT]


def test_deal_4_what_waits_is_taken_back_along_with_the_flexible_node() -> None:
    known = BOUND.given(ADDED, FLEXIBLE_SUBMITTED)
    outcome = known.when(RemoveFlexibleNode(key=CUSTOM_SOLUTION.key, reason="They take our standard controller."))
    assert [each.status for each in outcome.state.submissions] == ["over"]
    assert [each.gate for each in recalled_in(outcome.state, process=FLEXIBLE)] == [FLEXIBLE_GATE]
    again = BOUND.given(ADDED, FLEXIBLE_SUBMITTED, about(FLEXIBLE_GATE, APPROVED), REMOVED, ADDED)
    again.when(ASSESS).then_rejected("gate-closed", "criterion-unmet")


def test_deal_4_its_own_gates_may_ask_whether_its_work_was_approved() -> None:
    fact = f"approved.deliverable.{ASSESSMENT}"
    node = replace(asking_about(CUSTOM_SOLUTION, ASSESSMENT), exit=(done("x", "X", fact),))
    process = replace(FLEXIBLE, definition=replace(FULL, flexible_nodes=(node,)))
    assert told(process.definition) == []
    known = BOUND.knowing(process=process).given(ADDED, completed_in_solution(ASSESSMENT, "deliverable"))
    outcome = known.when(MoveDeal(stage="negotiation"))
    assert outcome.rejected is not None
    assert "x" in [each.details.get("criterion") for each in outcome.rejected.reasons]
    assert fact not in facts(IN_SOLUTION, process=process), "it does not bind the deal"


# -- another version ---------------------------------------------------------------------------------------------------


def migrated(
    definition: ProcessDefinition,
    *history: Any,
    stage: str = "initial-contact",
    scenario: Scenario = DEAL,
    process: Process = PROCESS,
) -> Outcome:
    versions = (
        Version(number=1, definition=process.definition, published=True),
        Version(number=2, definition=definition, published=True),
    )
    command = MigrateDeal(process_version=2, stage=stage, reason="Version 2 asks the executive.")
    return scenario.knowing(target=TargetProcess(id=process.id, versions=versions)).given(*history).when(command)


@pytest.mark.parametrize("status", ["waiting", "approved"])
def test_proc_2_an_approval_of_work_stays_where_the_new_version_has_the_very_same_chain(status: str) -> None:
    history = (OPENED, SUBMITTED, APPROVED) if status == "approved" else (OPENED, SUBMITTED)
    for stage in ("initial-contact", "needs-confirmed"):
        same = migrated(with_chain(name="First talk"), *history, stage=stage)
        assert same.facts[0].event.submissions_ended == ()
        assert [each.status for each in same.state.submissions] == [status]
    for other in (with_chain(chain=ApprovalChain(steps=(BIG,))), SHORT):
        ended = migrated(other, *history)
        assert ended.facts[0].event.submissions_ended == (GATE,)
        assert [each.status for each in ended.state.submissions] == (["over"] if status == "waiting" else [])
        assert [each.gate for each in recalled_in(ended.state)] == ([GATE] if status == "waiting" else [])


def test_proc_2_an_approval_of_work_that_is_dropped_ends_and_that_of_work_done_stays() -> None:
    two = asking_about(SHORT.stages[1], "explore-pains")
    definition = replace(SHORT, stages=(SHORT.stages[0], two, *SHORT.stages[2:]))
    process = process_of(definition)
    submitted = replace(about(LATER_GATE, SUBMITTED, "explore-pains"), stage="needs-confirmed")
    approved = about(LATER_GATE, APPROVED)
    explored = replace(TALKED, stage="needs-confirmed", key="explore-pains")
    there = replace(OPENED, stage="needs-confirmed")
    known = DEAL.knowing(process=process)
    back = migrated(definition, there, submitted, approved, scenario=known, process=process)
    assert back.facts[0].event.submissions_ended == (LATER_GATE,)
    finished = migrated(definition, there, submitted, approved, explored, scenario=known, process=process)
    assert finished.facts[0].event.submissions_ended == ()
    assert [each.status for each in finished.state.submissions] == ["approved"]
    other = with_chain("explore-pains", ApprovalChain(steps=(BIG,)), place=1)
    asked = migrated(other, there, submitted, approved, explored, scenario=known, process=process)
    assert asked.facts[0].event.submissions_ended == (), "nobody is asked about what is done, whoever would be now"
    gone = migrated(SHORT, there, submitted, approved, explored, scenario=known, process=process)
    assert gone.facts[0].event.submissions_ended == (LATER_GATE,), "nothing asks for it any more"


def test_proc_2_an_approval_of_a_flexible_node_that_ends_ends_with_it() -> None:
    history = (ADDED, FLEXIBLE_SUBMITTED)
    same = migrated(FLEXIBLE.definition, *history, stage="solution", scenario=BOUND, process=FLEXIBLE)
    assert same.facts[0].event.submissions_ended == ()
    gone = replace(FULL, flexible_nodes=())
    ended = migrated(gone, *history, stage="solution", scenario=BOUND, process=FLEXIBLE)
    assert ended.facts[0].event.submissions_ended == (FLEXIBLE_GATE,)


# -- what a rep is shown, and what follows -----------------------------------------------------------------------------


def test_deal_7_work_that_waits_for_others_is_not_to_be_done_next() -> None:
    def asked_next(*history: Any) -> list[tuple[str, str | None, tuple[str, ...]]]:
        found = actions_of(deal.fold(history), replace(circumstances(), process=PROCESS))
        return [(each.reason, each.criterion, each.commands) for each in found if each.reason != "no-decision-maker"]

    talk = ("criterion-unmet", "conversation-held", ("complete-node",))
    assert asked_next(OPENED, PLANNED) == [talk]
    assert asked_next(OPENED, PLANNED, SUBMITTED) == []
    assert asked_next(OPENED, PLANNED, SUBMITTED, APPROVED) == [talk]
    waive = WaiveCriterion(gate=GATE, criterion="approved", until=TODAY, reason="The director was there.")
    (waived,) = DEAL.given(OPENED).when(waive).facts
    assert asked_next(OPENED, PLANNED, SUBMITTED, waived.event) == [talk], "it is completed without"


def test_deal_3_no_command_is_named_for_the_approval_of_work_that_was_done_without() -> None:
    definition = with_chain()
    asks = done("talk-approved", "Approved", FACT)
    stages = (replace(definition.stages[0], exit=(asks,)), *definition.stages[1:])
    process = process_of(replace(definition, stages=stages))
    for history, by in (((), {FACT: "submit-for-approval"}), ((TALKED,), {})):
        refused = DEAL.knowing(process=process).given(OPENED, *history).when(MoveDeal(stage="needs-confirmed"))
        assert refused.rejected is not None
        told_by = {each.details["criterion"]: each.details["by"] for each in refused.rejected.reasons}
        assert told_by["talk-approved"] == by


def test_deal_3_a_page_shows_the_approval_among_the_criteria_of_the_work() -> None:
    stage = PROCESS.definition.stages[0]
    gates = gates_of_work(stage, "task", stage.tasks[0])
    for history, by in (((), {FACT: "submit-for-approval"}), ((SUBMITTED,), {})):
        state = deal.fold([OPENED, *history])
        shown = judged(state, PROCESS, LOADED["conversion"], TODAY, *gates)
        assert [(each.gate, each.criterion, each.is_met, each.by) for each in shown] == [(GATE, "approved", False, by)]


def test_proc_1_a_deal_is_ready_once_the_approval_that_its_gate_asks_for_is_there() -> None:
    definition = with_chain()
    stages = (replace(definition.stages[0], exit=(done("talk-approved", "Approved", FACT),)), *definition.stages[1:])
    looking = DEAL.knowing(process=process_of(replace(definition, stages=stages))).by(service_actor("deals"))
    looking.given(OPENED, SUBMITTED).when(Reevaluate()).then()
    looking.given(OPENED, SUBMITTED, APPROVED).when(Reevaluate()).then(
        DealReadyToMoveOn(deal_id=ID, stage="initial-contact", next_stage="needs-confirmed", by_itself=False, on=TODAY)
    )


# -- the chain as data -------------------------------------------------------------------------------------------------


def test_proc_1_a_process_with_such_chains_is_valid() -> None:
    assert told(with_chain()) == []
    assert told(with_chain("contact-record")) == []
    assert told(FLEXIBLE.definition) == []


@pytest.mark.parametrize(
    ("definition", "at"),
    [
        (lambda chain, exit_: with_chain(chain=chain, exit=exit_), "stages.0.tasks.0"),
        (lambda chain, exit_: with_chain("contact-record", chain, exit=exit_), "stages.0.deliverables.0"),
        (
            lambda chain, exit_: replace(
                SHORT, flexible_nodes=(flexible(Node(key="t", name="T", exit_approval=chain, exit=exit_)),)
            ),
            "flexible_nodes.0.tasks.0",
        ),
    ],
)
def test_proc_3_what_is_wrong_with_a_chain_is_told_with_its_position(definition: Any, at: str) -> None:
    where = f"definition.{at}.exit_approval"
    asks = Predicate(fact=FACT, operator="is", value=True)
    wrong = ApprovalStep(key="a b", name=" ", approvers=(), when=asks)
    assert told(definition(ApprovalChain(steps=(wrong,), self_approval="allow"), ())) == [
        ("invalid-key", f"{where}.steps.0.key"),
        ("blank", f"{where}.steps.0.name"),
        ("no-approvers", f"{where}.steps.0.approvers"),
        ("unknown-fact", f"{where}.steps.0.when.fact"),
        ("own-submission", f"{where}.self_approval"),
    ]
    assert told(definition(ApprovalChain(steps=()), ())) == [("empty", f"{where}.steps")]
    named = Criterion(key="approved", name="Approved", when=Predicate(fact="lines", operator="above", value=0))
    assert told(definition(CHAIN, (named,))) == [("reserved-name", f"definition.{at}.exit.0.key")]


def flexible(*tasks: Node, **changes: Any) -> Any:
    return replace(CUSTOM_SOLUTION, stages=("quotation",), tasks=tasks, deliverables=(), exit=(), **changes)


def test_proc_3_the_conditions_of_a_chain_may_ask_for_the_work_of_their_flexible_node() -> None:
    own = Predicate(fact="task.first", operator="is", value=True)
    chain = ApprovalChain(steps=(replace(DIRECTION, when=own),))
    node = flexible(Node(key="first", name="First"), Node(key="t", name="T", exit_approval=chain))
    assert told(replace(SHORT, flexible_nodes=(node,))) == []
    assert [code for code, _ in told(with_chain(chain=chain))] == ["unknown-fact"]


def test_proc_3_work_does_not_ask_whether_it_is_approved_nor_a_flexible_node_before_it_is_begun() -> None:
    asks = (done("x", "X", FACT),)
    at = "definition.stages.0.tasks.0"
    for gate, definition in (("entry", with_chain(entry=asks)), ("exit", with_chain(exit=asks))):
        assert told(definition) == [("asks-for-itself", f"{at}.{gate}.0.when.fact")]
    node = flexible(Node(key="t", name="T", exit_approval=CHAIN), entry=(done("x", "X", "approved.task.t"),))
    assert told(replace(SHORT, flexible_nodes=(node,))) == [
        ("asks-for-itself", "definition.flexible_nodes.0.entry.0.when.fact")
    ]


def asking(place: int, fact: str) -> ProcessDefinition:
    """A process in which one gate asks whether the work of its second stage was approved."""
    definition = with_chain("explore-pains", place=1)
    stages: list[Stage] = list(definition.stages)
    stages[place] = replace(stages[place], exit=(*stages[place].exit, done("approved-there", "Approved", fact)))
    return replace(definition, stages=tuple(stages))


def test_proc_3_a_gate_may_ask_whether_work_was_approved_up_to_its_stage_and_of_none_without_a_chain() -> None:
    assert told(asking(1, "approved.task.explore-pains")) == []
    assert told(asking(2, "approved.task.explore-pains")) == []
    assert [code for code, _ in told(asking(0, "approved.task.explore-pains"))] == ["comes-later"]
    for unknown in ("approved.task.clarify-decision", "approved.explore-pains", "approved.deliverable.explore-pains"):
        assert [code for code, _ in told(asking(1, unknown))] == ["unknown-fact"]


def test_proc_3_the_approval_of_a_stage_and_of_a_task_of_the_same_key_are_told_apart() -> None:
    first = asking_about(SHORT.stages[0], "background-research", key="initial-contact")
    definition = replace(SHORT, stages=(replace(first, exit_approval=CHAIN), *SHORT.stages[1:]))
    assert told(definition) == []
    gate, stage_gate = "exit of task initial-contact", "exit of initial-contact"
    process = process_of(definition)
    of_task = (about(gate, SUBMITTED, "initial-contact"), about(gate, APPROVED))
    known = facts(OPENED, *of_task, process=process)
    assert (known["approved.task.initial-contact"], known["approved.initial-contact"]) == (True, False)
    of_stage = (replace(SUBMITTED, gate=stage_gate, node=None), about(stage_gate, APPROVED))
    known = facts(OPENED, *of_stage, process=process)
    assert (known["approved.task.initial-contact"], known["approved.initial-contact"]) == (False, True)


def test_proc_1_work_in_stages_that_no_deal_stands_in_is_not_approved() -> None:
    outside = OutsideStage(
        key="lead-in", name="Lead-in", purpose="Know it.", tasks=(Node(key="t", name="T", exit_approval=CHAIN),)
    )
    assert told(replace(SHORT, lead_stages=(outside,))) == [
        ("no-deal-here", "definition.lead_stages.0.tasks.0.exit_approval")
    ]


def test_proc_1_two_versions_differ_in_whom_they_ask() -> None:
    dearer = replace(CHAIN, steps=(DIRECTION, replace(BIG, name="Executive")))
    at = "stages/initial-contact/tasks/first-conversation/exit_approval"
    (named,) = differences(with_chain(), with_chain(chain=dearer))
    assert (named.path, named.kind) == (f"{at}/steps/executive/name", "changed")
    (new,) = differences(SHORT, with_chain())
    assert (new.path, new.before) == (at, None)
