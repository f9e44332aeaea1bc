"""DEAL-2: a stage is left once whoever its chain asks has approved that, never by who submitted it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from services.deals.domain.approvals import APPROVALS
from services.deals.domain.deal import deal
from services.deals.domain.deal.approval import (
    AllApprovals,
    PendingApprovals,
    RecallSubmission,
    RenameApprovals,
    SubmitForApproval,
)
from services.deals.domain.deal.automation import Reevaluate
from services.deals.domain.deal.changes import HandOver
from services.deals.domain.deal.closing import AbandonDeal, LoseDeal, ReopenDeal, WinDeal
from services.deals.domain.deal.facts import facts_of
from services.deals.domain.deal.gates import gates_ahead, judged
from services.deals.domain.deal.history import DealToday, ImportDealLoss, ImportDealMove, ImportDealNode
from services.deals.domain.deal.migration import MigrateDeal, TargetProcess
from services.deals.domain.deal.next_actions import actions_of
from services.deals.domain.deal.stages import MoveDeal
from services.deals.domain.deal.state import OpenDeal
from services.deals.domain.deal.submission import Submission, submission_of, with_submission
from services.deals.domain.deal.waivers import WaiveCriterion
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.process.comparison import differences
from services.deals.domain.process.faults import faults
from services.deals.domain.process.short import SHORT, SHORT_ID
from services.deals.domain.process.state import Process, Version
from services.deals.domain.process_migration.running import MigrationStep, TakeStep
from services.deals.domain.support_request import support_request
from services.deals.domain.support_request.following import SupportOfDeal
from shared.domain.aggregate import occurrences
from shared.domain.approval.chain import Approvers
from shared.domain.approval.family import Approve, Escalate, ReturnForRework
from shared.domain.approval.requesting import Subject
from shared.domain.approval.state import GrantedApproval, RecalledApproval, WaitingApproval
from shared.domain.context import Actor, service_actor
from shared.domain.policy import Version as Counted
from shared.domain.roles import Role
from shared.events.approval_chain import ApprovalChain, ApprovalStep, Approver
from shared.events.criteria import Criterion, Predicate
from shared.events.deals.deal import (
    DealAmountChanged,
    DealHandedOver,
    DealLost,
    DealMoved,
    DealNextStepPlanned,
    DealRenamed,
)
from shared.events.deals.deal_approval import (
    DealSubmissionApproved,
    DealSubmissionRecalled,
    DealSubmissionReturned,
    DealSubmittedForApproval,
)
from shared.events.deals.deal_automation import DealReadyToMoveOn
from shared.events.deals.deal_gates import DealCriterionWaived
from shared.events.process import ProcessDefinition, Stage
from shared.events.working_hours import WEEKDAYS, Shift, WorkingHours
from shared.testing.scenario import SOMEBODY, Outcome, Scenario
from tests.services.deals.facts import (
    ID,
    LOADED,
    OPENED,
    OTHER,
    OTHER_TEAM,
    OWNER,
    TALKED,
    TEAM,
    THE_DEAL,
    TODAY,
    eur,
    usd,
)
from tests.services.deals.test_next_actions import given as circumstances
from tests.services.deals.test_process_migration import A_MIGRATION, STARTED, STEP, planned
from tests.services.deals.test_support_requests import ASKED as SUPPORT_ASKED
from tests.services.deals.test_support_requests import asked_of_deal

GATE = "exit of initial-contact"
DIRECTION = ApprovalStep(
    key="direction",
    name="Sales direction",
    approvers=(Approver(role="sales-director"),),
    within_days=2,
    escalates_to=Approver(role="executive"),
)
BIG = ApprovalStep(
    key="executive",
    name="Executive, above 500 000",
    approvers=(Approver(role="executive"),),
    when=Predicate(fact="amount", operator="above", value="500000"),
)
CHAIN = ApprovalChain(steps=(DIRECTION, BIG))
DIRECTOR = Actor(subject="dora", roles=frozenset({Role.SALES_DIRECTOR}), member=UUID(int=101))
EXECUTIVE = Actor(subject="eva", roles=frozenset({Role.EXECUTIVE}), member=UUID(int=102))


def with_chain(chain: ApprovalChain | None = CHAIN, place: int = 0, **changes: Any) -> ProcessDefinition:
    stages = list(SHORT.stages)
    stages[place] = replace(stages[place], exit_approval=chain, **changes)
    return replace(SHORT, stages=tuple(stages))


PROCESS = Process(id=SHORT_ID, version=1, definition=with_chain())
APPROVAL = THE_DEAL.context.derived_id("approval")
PLANNED = DealNextStepPlanned(deal_id=ID, on=date(2026, 3, 20), planned_on=TODAY)
MET = (OPENED, TALKED, PLANNED)
"""A deal that meets all that its gate asks, but for the approval."""
SUBMITTED = DealSubmittedForApproval(
    deal_id=ID,
    stage="initial-contact",
    gate=GATE,
    approval_id=APPROVAL,
    submitter="somebody",
    steps=("direction",),
    on=TODAY,
)
APPROVED = DealSubmissionApproved(deal_id=ID, gate=GATE, approval_id=APPROVAL, approver="dora", step="direction")
RETURNED = DealSubmissionReturned(
    deal_id=ID, gate=GATE, approval_id=APPROVAL, approver="dora", step="direction", reason="Who decides there?"
)
RECALLED = DealSubmissionRecalled(deal_id=ID, gate=GATE, approval_id=APPROVAL, by="somebody", cause="asked")
DEAL = THE_DEAL.knowing(process=PROCESS)
DEALS = service_actor("deals")
SUBMIT, ON = SubmitForApproval(gate=GATE), MoveDeal(stage="needs-confirmed")


def asked(*history: Any, scenario: Scenario = DEAL) -> tuple[Any, list[Any]]:
    """The deal after its submission, and the events of the approval."""
    outcome = scenario.given(*(history or MET)).when(SUBMIT)
    assert outcome.rejected is None, outcome.rejected
    return outcome.state, [fact.event for fact in outcome.facts if fact.to == APPROVAL]


def waiting(events: list[Any], state: Any) -> Scenario:
    """The approval as it waits, with the deal that it is about."""
    context = replace(DEAL.context, aggregate_id=APPROVAL)
    family = Scenario(aggregate=APPROVALS.family, context=context, history=tuple(events))
    return family.knowing(subject=Subject(state=state), hours=LOADED["hours"])


def of_deal(outcome: Outcome) -> list[Any]:
    return [fact.event for fact in outcome.facts if fact.to == ID]


def follows(state: Any, pending: Any, process: Process = PROCESS) -> list[Any]:
    """What follows at once from how a deal stands."""
    conclusion = deal.conclusion_of(state)
    assert conclusion is not None
    loaded = {"process": process, "conversion": LOADED["conversion"], "pending": PendingApprovals(states=pending)}
    decided = conclusion.run(state, DEAL.context, {name: loaded[name] for name in conclusion.parameters})
    return [(each.to, each.event) for each in occurrences(decided)]


def facts(*history: Any, process: Process = PROCESS) -> dict[str, Any]:
    return dict(facts_of(deal.fold(history), process, LOADED["conversion"]))


# -- submitting, and what comes of it ----------------------------------------------------------------------------------


def test_deal_2_a_submission_waits_for_whom_the_chain_asks_and_tells_the_gate_and_the_deal() -> None:
    outcome = DEAL.given(*MET).when(SUBMIT)
    assert [fact.event for fact in outcome.facts if fact.to is None] == [SUBMITTED]
    _, events = asked()
    approval = APPROVALS.family.fold(events)
    assert isinstance(approval, WaitingApproval)
    assert (approval.subject_kind, approval.subject_id, approval.part) == ("deal", ID, GATE)
    assert (approval.name, approval.amount) == ("Servers for the new plant: Initial contact", OPENED.amount)
    assert [slot.role for slot in approval.waits_for] == ["sales-director"]
    assert approval.due is not None
    assert approval.due.date() == date(2026, 3, 18)
    assert (approval.owner, approval.team, approval.chain) == (OPENED.owner, OPENED.team, 1)


def test_deal_2_the_steps_are_taken_by_what_is_known_of_the_deal() -> None:
    big = replace(OPENED, amount=eur("500000.01"))
    _, events = asked(big, TALKED, PLANNED)
    assert [step.key for step in APPROVALS.family.fold(events).steps] == ["direction", "executive"]


def test_deal_2_approved_is_a_fact_that_opens_the_gate() -> None:
    state, events = asked()
    DEAL.given(*MET, SUBMITTED).when(ON).then_rejected("gate-closed", "criterion-unmet")
    outcome = waiting(events, state).by(DIRECTOR).when(Approve(reason="Good"))
    assert of_deal(outcome) == [replace(APPROVED, reason="Good")]
    assert isinstance(outcome.state, GrantedApproval)
    assert facts(*MET, SUBMITTED)["approved.initial-contact"] is False
    assert facts(*MET, SUBMITTED, APPROVED)["approved.initial-contact"] is True
    moved = DEAL.given(*MET, SUBMITTED, APPROVED).when(ON)
    assert [type(fact.event) for fact in moved.facts] == [DealMoved]


def test_deal_2_the_gate_names_the_missing_approval_beside_all_else_in_one_answer() -> None:
    outcome = DEAL.given(OPENED).when(ON).then_rejected("gate-closed", *["criterion-unmet"] * 3)
    assert outcome.rejected is not None
    told = [(each.details["criterion"], each.details["by"]) for each in outcome.rejected.reasons]
    assert told[-1] == ("approved", {"approved.initial-contact": "submit-for-approval"})
    waits = DEAL.given(OPENED, SUBMITTED).when(ON).rejected
    assert waits is not None
    assert waits.reasons[-1].details["by"] == {}, "others have to decide"
    (refused,) = outcome.rejected.on_record
    assert [each.criterion for each in refused.unmet][-1] == "approved"


def test_con_2_whoever_submitted_does_not_decide() -> None:
    state, events = asked()
    own = replace(SOMEBODY, roles=frozenset({Role.SALES_DIRECTOR}))
    for command in (Approve(), ReturnForRework(reason="Hm")):
        waiting(events, state).by(own).when(command).then_rejected("own-submission")
    waiting(events, state).by(EXECUTIVE).when(Approve()).then_rejected("not-an-approver")


def test_con_2_an_overdue_step_escalates_by_its_timer() -> None:
    state, events = asked()
    approval = APPROVALS.family.fold(events)
    timer = APPROVALS.family.timers_of(approval)["overdue"]
    assert timer.command == Escalate(step=0)
    over = waiting(events, state).at(timer.due).by(service_actor("deals")).when(timer.command)
    late = waiting([*events, *(fact.event for fact in over.facts)], state)
    assert of_deal(late.by(EXECUTIVE).when(Approve())) == [replace(APPROVED, approver="eva")]


def test_deal_2_what_is_returned_is_told_with_its_reason_and_submitted_again() -> None:
    state, events = asked()
    outcome = waiting(events, state).by(DIRECTOR).when(ReturnForRework(reason="Who decides there?"))
    assert of_deal(outcome) == [RETURNED]
    back = deal.fold([*MET, SUBMITTED, RETURNED])
    assert [(each.status, each.reason) for each in back.submissions] == [("returned", "Who decides there?")]
    assert back.written
    DEAL.given(*MET, SUBMITTED, RETURNED).when(ON).then_rejected("gate-closed", "criterion-unmet")
    assert asked(*MET, SUBMITTED, RETURNED)[1]


def test_deal_2_whoever_carries_the_deal_takes_it_back() -> None:
    _, events = asked()
    approval = APPROVALS.family.fold(events)
    known = DEAL.knowing(pending=PendingApprovals(states={APPROVAL: approval})).given(*MET, SUBMITTED)
    outcome = known.when(RecallSubmission(gate=GATE, reason="Another scope"))
    ours, theirs = outcome.facts
    assert ours.event == replace(RECALLED, reason="Another scope")
    assert isinstance(APPROVALS.family.evolve(approval, theirs.event), RecalledApproval)
    known.given(ours.event).when(RecallSubmission(gate=GATE, reason="Another scope")).then()
    known.given(ours.event).when(RecallSubmission(gate=GATE)).then_rejected("not-submitted")
    DEAL.given(*MET).when(RecallSubmission(gate=GATE)).then_rejected("not-submitted")


def test_deal_2_submitting_again_while_it_waits_or_once_it_is_approved_records_nothing() -> None:
    DEAL.given(*MET, SUBMITTED).when(SUBMIT).then()
    DEAL.given(*MET, SUBMITTED, APPROVED).when(SUBMIT).then()


def test_deal_2_where_no_step_is_taken_it_is_approved_at_once() -> None:
    process = replace(PROCESS, definition=with_chain(ApprovalChain(steps=(BIG,))))
    outcome = DEAL.knowing(process=process).given(*MET).when(SUBMIT)
    ours = [fact.event for fact in outcome.facts if fact.to is None]
    assert ours == [replace(SUBMITTED, steps=()), replace(APPROVED, approver="somebody", step="none")]
    grown = DealAmountChanged(deal_id=ID, before=OPENED.amount, amount=eur("500000.01"), on=TODAY)
    assert facts(*MET, *ours, process=process)["approved.initial-contact"] is True
    assert facts(*MET, *ours, grown, process=process)["approved.initial-contact"] is False


def test_deal_2_a_deal_that_has_grown_beyond_what_was_approved_is_asked_about_anew() -> None:
    grown = DealAmountChanged(deal_id=ID, before=OPENED.amount, amount=eur("600000.00"), on=TODAY)
    known = DEAL.given(*MET, SUBMITTED, APPROVED, grown)
    known.when(ON).then_rejected("gate-closed", "criterion-unmet")
    again = known.when(SUBMIT)
    assert again.facts[0].event.steps == ("direction", "executive")
    shrunk = DealAmountChanged(deal_id=ID, before=grown.amount, amount=eur("400000.00"), on=TODAY)
    assert known.given(shrunk).when(ON).rejected is None


def test_deal_2_who_has_to_approve_an_amount_that_no_rate_makes_comparable_is_not_known() -> None:
    """Else an amount in such a currency would pass those who have to see it, asked before or after the approval."""
    elsewhere = DealAmountChanged(deal_id=ID, before=OPENED.amount, amount=usd("9000000.00"), on=TODAY)
    known = DEAL.knowing(conversion=Conversion(currency="EUR", factors={"USD": None}))
    unknown = known.given(*MET, elsewhere).when(SUBMIT).then_rejected("invalid-submission", "no-exchange-rate")
    assert unknown.facts == ()
    known.given(*MET, SUBMITTED, APPROVED, elsewhere).when(ON).then_rejected("gate-closed", "criterion-unmet")
    whatever = known.knowing(process=replace(PROCESS, definition=with_chain(ApprovalChain(steps=(DIRECTION,)))))
    assert whatever.given(*MET, elsewhere).when(SUBMIT).rejected is None
    assert whatever.given(*MET, elsewhere, SUBMITTED, APPROVED).when(ON).rejected is None


def test_deal_2_of_several_submissions_at_a_gate_the_last_one_counts() -> None:
    """One that is over may stand before it, until its approval is taken back."""
    over = Submission(gate=GATE, status="over", approval_id=UUID(int=1), steps=(), on=TODAY)
    new = replace(over, status="waiting", approval_id=UUID(int=2))
    assert submission_of(with_submission((over,), new), GATE) == new


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        ("exit of nowhere", "unknown-gate"),
        ("entry of initial-contact", "unknown-gate"),
        ("exit of quotation", "other-stage"),
    ],
)
def test_deal_2_only_the_exit_of_its_stage_is_submitted_and_only_where_it_has_a_chain(gate: str, code: str) -> None:
    definition = with_chain()
    both = replace(
        definition, stages=(*definition.stages[:2], replace(SHORT.stages[2], exit_approval=CHAIN), *SHORT.stages[3:])
    )
    known = DEAL.knowing(process=replace(PROCESS, definition=both)).given(*MET)
    outcome = known.when(SubmitForApproval(gate=gate)).then_rejected(code)
    assert outcome.rejected is not None
    assert [each.field for each in outcome.rejected.reasons] == ["gate"]
    THE_DEAL.given(*MET).when(SUBMIT).then_rejected("unknown-gate")


def test_con_2_where_nobody_could_approve_nothing_is_submitted() -> None:
    gone = ApprovalStep(key="mia", name="Mia", approvers=(Approver(member=UUID(int=104)),))
    process = replace(PROCESS, definition=with_chain(ApprovalChain(steps=(gone,))))
    known = DEAL.knowing(process=process).given(*MET)
    known.when(SUBMIT).then_rejected("nobody-to-approve")
    there = known.knowing(approvers=Approvers(active=frozenset({UUID(int=104)})))
    assert there.when(SUBMIT).rejected is None


# -- waivers, skipping, going back, the end ----------------------------------------------------------------------------


def test_deal_4_an_approval_is_waived_as_any_criterion_is() -> None:
    waive = WaiveCriterion(gate=GATE, criterion="approved", until=TODAY, reason="The board has decided.")
    (waived,) = DEAL.given(*MET).when(waive).facts
    (moved,) = DEAL.given(*MET, waived.event).when(ON).facts
    assert [(each.gate, each.criterion) for each in moved.event.waived] == [(GATE, "approved")]
    THE_DEAL.given(*MET).when(waive).then_rejected("unknown-criterion")


def test_deal_2_whoever_passes_a_stage_by_skipping_it_is_not_asked_for_its_approval() -> None:
    skippable = with_chain(None)
    stages = (SHORT.stages[0], replace(SHORT.stages[1], exit_approval=CHAIN, skippable=True), *SHORT.stages[2:])
    process = replace(PROCESS, definition=replace(skippable, stages=stages))
    outcome = DEAL.knowing(process=process).given(*MET).when(MoveDeal(stage="quotation"))
    assert outcome.facts[0].event.direction == "skip"


def moved(before: str, stage: str) -> DealMoved:
    first, second = (SHORT.index(key) for key in (before, stage))
    return DealMoved(
        deal_id=ID,
        before=before,
        stage=stage,
        direction="back" if second < first else "forward",
        skipped=(),
        probability=SHORT.stages[second].probability,
        probability_before=SHORT.stages[first].probability,
        category="pipeline",
        amount=OPENED.amount,
        on=TODAY,
    )


THERE, BACK = moved("initial-contact", "needs-confirmed"), moved("needs-confirmed", "initial-contact")


def test_deal_2_an_approval_is_good_for_one_stay_in_the_stage() -> None:
    assert facts(*MET, SUBMITTED, APPROVED, THERE)["approved.initial-contact"] is True, "later gates may ask for it"
    assert facts(*MET, SUBMITTED, APPROVED, THERE, BACK)["approved.initial-contact"] is False
    DEAL.given(*MET, SUBMITTED, APPROVED, THERE, BACK).when(ON).then_rejected("gate-closed", "criterion-unmet")


@pytest.mark.parametrize("command", [WinDeal(), LoseDeal(reason="price"), AbandonDeal(reason="no-decision"), ON])
def test_deal_2_what_waits_when_the_deal_leaves_is_taken_back_along_with_it(command: Any) -> None:
    waive = WaiveCriterion(gate=GATE, criterion="approved", until=TODAY, reason="The board has decided.")
    _, events = asked()
    approval = APPROVALS.family.fold(events)
    outcome = DEAL.given(*MET, SUBMITTED, DEAL.given(*MET).when(waive).facts[0].event).when(command)
    assert [each.status for each in outcome.state.submissions] == ["over"]
    found = follows(outcome.state, {APPROVAL: approval})
    left = replace(RECALLED, cause="left")
    assert [event for _, event in found if isinstance(event, DealSubmissionRecalled)] == [left]
    (theirs,) = [event for to, event in found if to == APPROVAL]
    assert isinstance(APPROVALS.family.evolve(approval, theirs), RecalledApproval)
    after = deal.evolve(outcome.state, left)
    assert not [event for _, event in follows(after, {}) if isinstance(event, DealSubmissionRecalled)]


@pytest.mark.parametrize("command", [Approve(), ReturnForRework(reason="Hm")])
def test_deal_2_what_is_decided_once_the_deal_has_left_changes_nothing_about_it(command: Any) -> None:
    """History may tell an end, and what waits is taken back only by what follows from that."""
    _, events = asked()
    for left in (deal.fold([*MET, SUBMITTED, THERE]), THE_DEAL.given(*MET, SUBMITTED).when(WinDeal()).state):
        assert of_deal(waiting(events, left).by(DIRECTOR).when(command)) == []


def test_deal_2_a_deal_that_comes_back_asks_anew() -> None:
    won = DEAL.given(*MET, SUBMITTED, APPROVED).when(WinDeal())
    reopened = DEAL.given(*MET, SUBMITTED, APPROVED, won.facts[0].event).when(ReopenDeal(reason="They came back."))
    assert isinstance(reopened.state, OpenDeal)
    assert reopened.state.submissions == ()


def test_deal_2_what_waits_stays_when_the_deal_is_handed_over() -> None:
    handed = DEAL.given(*MET, SUBMITTED).when(HandOver(owner=OTHER))
    assert [each.status for each in handed.state.submissions] == ["waiting"]
    assert not [event for _, event in follows(handed.state, {}) if isinstance(event, DealSubmissionRecalled)]


HANDED_OVER = APPROVALS.told.handed_over


def handed(*history: Any, approval: Any, **whose: Any) -> list[tuple[UUID | None, Any]]:
    """What is told when a deal is handed over while an approval is known so."""
    known = DEAL.knowing(pending=PendingApprovals(states={APPROVAL: approval})).given(*history)
    outcome = known.when(HandOver(**whose))
    assert outcome.rejected is None, outcome.rejected
    return [(fact.to, fact.event) for fact in outcome.facts]


def test_acct_4_what_waits_goes_to_the_new_owner_and_team_with_the_deal() -> None:
    _, events = asked()
    approval = APPROVALS.family.fold(events)
    deal_told, (to, told) = handed(*MET, SUBMITTED, approval=approval, owner=OTHER, team=OTHER_TEAM)
    assert (deal_told[0], type(deal_told[1])) == (None, DealHandedOver)
    assert (to, type(told)) == (APPROVAL, HANDED_OVER)
    assert (told.owner_before, told.team_before, told.owner, told.team) == (OWNER, TEAM, OTHER, OTHER_TEAM)
    assert (told.by, told.member, told.at) == (SOMEBODY.subject, SOMEBODY.member, DEAL.context.now)
    assert (told.subject_kind, told.subject_id, told.part) == ("deal", ID, GATE)
    after = APPROVALS.family.fold([*events, told])
    assert after == replace(approval, owner=OTHER, team=OTHER_TEAM), "the same are asked, by the same time"
    assert after.known_to == approval.known_to


def test_acct_4_what_is_decided_or_taken_back_afterwards_says_the_new_owner() -> None:
    state, events = asked()
    _, (_, told) = handed(*MET, SUBMITTED, approval=APPROVALS.family.fold(events), owner=OTHER, team=OTHER_TEAM)
    outcome = waiting([*events, told], state).by(DIRECTOR).when(Approve())
    of_approval = [fact.event for fact in outcome.facts if fact.to is None]
    assert [(each.owner, each.team) for each in of_approval] == [(OTHER, OTHER_TEAM)] * 2


def test_acct_4_a_step_that_begins_afterwards_is_due_by_the_hours_of_the_new_team() -> None:
    legal = ApprovalStep(key="legal", name="Legal", approvers=(Approver(role="legal"),), within_days=2)
    two = Process(id=SHORT_ID, version=1, definition=with_chain(ApprovalChain(steps=(DIRECTION, legal))))
    state, events = asked(scenario=DEAL.knowing(process=two))
    _, (_, told) = handed(*MET, SUBMITTED, approval=APPROVALS.family.fold(events), owner=OTHER, team=OTHER_TEAM)
    mornings = WorkingHours(shifts=tuple(Shift(weekday=day, start="08:00", end="12:00") for day in WEEKDAYS[:5]))
    version = Counted(
        number=1, valid_from=TODAY, document=mornings, team=OTHER_TEAM, process=None, set_on=TODAY, reason=None
    )
    hours = replace(LOADED["hours"], versions=(version,))

    def due_after(*known: Any) -> datetime:
        after = waiting(list(known), state).knowing(hours=hours).by(DIRECTOR).when(Approve()).state
        assert after.step_key == "legal"
        assert isinstance(after.due, datetime)
        return after.due

    assert due_after(*events) == datetime(2026, 3, 18, 17, tzinfo=UTC)
    assert due_after(*events, told) == datetime(2026, 3, 18, 12, tzinfo=UTC)


def test_acct_4_what_has_ended_stays_with_whose_it_was_when_it_ended() -> None:
    state, events = asked()
    granted = waiting(events, state).by(DIRECTOR).when(Approve()).state
    assert isinstance(granted, GrantedApproval)
    told = handed(*MET, SUBMITTED, APPROVED, approval=granted, owner=OTHER)
    assert [type(event) for _, event in told] == [DealHandedOver]
    late = handed(*MET, SUBMITTED, approval=granted, owner=OTHER)
    assert [type(event) for _, event in late] == [DealHandedOver], "decided meanwhile"


def test_acct_4_what_is_over_is_taken_back_and_not_handed_over() -> None:
    _, events = asked()
    approval = APPROVALS.family.fold(events)
    left = (*MET, SUBMITTED, moved("initial-contact", "needs-confirmed"))
    assert deal.fold(left).submissions[0].status == "over"
    told = handed(*left, approval=approval, owner=OTHER)
    assert [type(event) for _, event in told] == [DealHandedOver]
    after = deal.fold([*left, told[0][1]])
    assert [(to, event.type) for to, event in follows(after, {APPROVAL: approval}) if to == APPROVAL] == [
        (APPROVAL, "deals.approval-recalled")
    ]


def test_acct_4_nothing_is_handed_over_where_the_deal_is_not() -> None:
    _, events = asked()
    assert handed(*MET, SUBMITTED, approval=APPROVALS.family.fold(events), owner=OWNER, team=TEAM) == []


# -- another name ------------------------------------------------------------------------------------------------------

RENAMED = DealRenamed(deal_id=ID, name="Line for …")


def called(*history: Any, known: list[Any], process: Process = PROCESS) -> list[tuple[UUID | None, Any]]:
    """What is told when the approvals of a deal follow its name while one is known so."""
    every = AllApprovals(states=(APPROVALS.family.fold(known),))
    outcome = DEAL.knowing(process=process, every=every).given(*history).by(DEALS).when(RenameApprovals())
    assert outcome.rejected is None, outcome.rejected
    return [(fact.to, fact.event) for fact in outcome.facts]


def test_data_4_an_approval_is_called_as_its_deal_while_it_waits_and_once_it_has_ended() -> None:
    state, events = asked()
    given = [fact.event for fact in waiting(events, state).by(DIRECTOR).when(Approve()).facts if fact.to is None]
    back = waiting(events, state).by(DIRECTOR).when(ReturnForRework(reason="Why?")).facts[0].event
    taken = DEAL.knowing(pending=PendingApprovals(states={APPROVAL: APPROVALS.family.fold(events)}))
    taken_back = taken.given(*MET, SUBMITTED).when(RecallSubmission(gate=GATE)).facts[1].event
    for ended, as_of_deal in (([], ()), (given, (APPROVED,)), ([back], (RETURNED,)), ([taken_back], (RECALLED,))):
        known = [*events, *ended]
        before = APPROVALS.family.fold(known)
        ((to, told),) = called(*MET, SUBMITTED, *as_of_deal, RENAMED, known=known)
        assert (to, told.type, told.name) == (APPROVAL, "deals.approval-renamed", "Line for …: Initial contact")
        assert (told.subject_kind, told.subject_id, told.part) == ("deal", ID, GATE)
        assert (told.by, told.member, told.at) == (DEALS.subject, None, DEAL.context.now)
        assert APPROVALS.family.fold([*known, told]) == replace(before, name=told.name), "nothing else becomes of it"
        assert called(*MET, SUBMITTED, *as_of_deal, RENAMED, known=[*known, told]) == [], "it is called so already"


def test_data_4_what_is_decided_afterwards_tells_the_new_name() -> None:
    state, events = asked()
    ((_, told),) = called(*MET, SUBMITTED, RENAMED, known=events)
    outcome = waiting([*events, told], state).by(DIRECTOR).when(Approve())
    assert {fact.event.name for fact in outcome.facts if fact.to is None} == {"Line for …: Initial contact"}


def test_data_4_an_approval_of_a_gate_that_the_process_has_no_more_is_called_as_the_gate() -> None:
    _, events = asked()
    without = Process(id=SHORT_ID, version=2, definition=SHORT)
    ((_, told),) = called(*MET, SUBMITTED, RENAMED, known=events, process=without)
    assert told.name == f"Line for …: {GATE}"


def test_data_4_a_deal_knows_its_approvals_whatever_became_of_them_and_of_it() -> None:
    second = replace(SUBMITTED, approval_id=UUID(int=77))
    state = deal.fold([*MET, SUBMITTED, RETURNED, second, replace(RECALLED, approval_id=UUID(int=77))])
    assert [each.approval_id for each in state.submissions] == [UUID(int=77)]
    assert state.approvals == (APPROVAL, UUID(int=77))
    lost = DEAL.given(*MET, SUBMITTED, APPROVED).when(LoseDeal(reason="price"))
    reopened = DEAL.given(*MET, SUBMITTED, APPROVED, lost.facts[0].event).when(ReopenDeal(reason="They came back."))
    assert (reopened.state.submissions, reopened.state.approvals) == ((), (APPROVAL,))


def test_data_4_approvals_follow_whenever_a_deal_is_renamed() -> None:
    assert (ID, RenameApprovals()) in asked_of_deal(RENAMED)


# -- another version ---------------------------------------------------------------------------------------------------


def migrated(definition: ProcessDefinition, *history: Any, stage: str = "initial-contact") -> Outcome:
    target = TargetProcess(
        id=SHORT_ID,
        versions=(
            Version(number=1, definition=PROCESS.definition, published=True),
            Version(number=2, definition=definition, published=True),
        ),
    )
    command = MigrateDeal(process_version=2, stage=stage, reason="Version 2 asks the executive.")
    return DEAL.knowing(target=target).given(*history).when(command)


@pytest.mark.parametrize("status", ["waiting", "approved"])
def test_proc_2_an_approval_stays_where_the_new_version_has_the_very_same_chain(status: str) -> None:
    history = (*MET, SUBMITTED, APPROVED) if status == "approved" else (*MET, SUBMITTED)
    same = migrated(with_chain(name="First contact"), *history)
    assert same.facts[0].event.submissions_ended == ()
    assert [each.status for each in same.state.submissions] == [status]
    for other in (with_chain(ApprovalChain(steps=(BIG,))), with_chain(None)):
        ended = migrated(other, *history)
        assert ended.facts[0].event.submissions_ended == (GATE,)
        assert [each.status for each in ended.state.submissions] == (["over"] if status == "waiting" else [])
    elsewhere = migrated(with_chain(), *history, stage="needs-confirmed")
    assert elsewhere.facts[0].event.submissions_ended == (GATE,)


def test_proc_2_who_is_asked_in_place_of_others_was_not_waived() -> None:
    waived = DealCriterionWaived(
        deal_id=ID, gate=GATE, criterion="approved", until=TODAY, role="manager", reason="On leave", on=TODAY
    )
    same, other = migrated(with_chain(), *MET, waived), migrated(with_chain(ApprovalChain(steps=(BIG,))), *MET, waived)
    assert same.facts[0].event.waivers_ended == ()
    assert [each.criterion for each in other.facts[0].event.waivers_ended] == ["approved"]


def test_proc_2_a_migration_of_many_deals_takes_back_what_waits_as_that_of_one_does() -> None:
    _, events = asked()
    known = deal.fold([*MET, SUBMITTED])
    step = replace(
        STEP,
        deals=(known,),
        source={1: Version(number=1, definition=PROCESS.definition, published=True)},
        target=Process(id=SHORT_ID, version=2, definition=SHORT),
        pending=PendingApprovals(states={APPROVAL: APPROVALS.family.fold(events)}),
    )
    assert isinstance(step, MigrationStep)
    outcome = A_MIGRATION.knowing(step=step).given(planned(), STARTED).when(TakeStep(after=None))
    assert outcome.rejected is None
    assert [fact.event.type for fact in outcome.facts if fact.to == ID][-1] == "deals.deal-submission-recalled"
    assert [fact.event.type for fact in outcome.facts if fact.to == APPROVAL] == ["deals.approval-recalled"]


# -- what a rep is shown, and what follows -----------------------------------------------------------------------------


def test_deal_7_what_waits_for_others_is_not_to_be_done_next() -> None:
    def reasons(*history: Any) -> list[tuple[str, str | None, tuple[str, ...]]]:
        found = actions_of(deal.fold(history), replace(circumstances(), process=PROCESS))
        return [(each.reason, each.criterion, each.commands) for each in found if each.reason != "no-decision-maker"]

    assert reasons(*MET) == [("criterion-unmet", "approved", ("submit-for-approval",))]
    assert reasons(*MET, SUBMITTED) == []
    assert reasons(*MET, SUBMITTED, RETURNED) == [("criterion-unmet", "approved", ("submit-for-approval",))]
    assert reasons(*MET, SUBMITTED, APPROVED) == [("ready-to-move", None, ("move",))]


def test_deal_3_a_page_shows_the_approval_among_the_criteria_of_the_gate() -> None:
    state = deal.fold([*MET, SUBMITTED])
    gates = gates_ahead(state, PROCESS.definition)
    shown = [
        each for each in judged(state, PROCESS, LOADED["conversion"], TODAY, *gates) if each.criterion == "approved"
    ]
    assert [(each.gate, each.name, each.is_met, each.by) for each in shown] == [
        (GATE, "Approved by Sales direction, Executive, above 500 000", False, {})
    ]


def test_proc_1_a_deal_is_ready_once_the_approval_is_there() -> None:
    ready = DealReadyToMoveOn(
        deal_id=ID, stage="initial-contact", next_stage="needs-confirmed", by_itself=False, on=TODAY
    )
    looking = DEAL.by(service_actor("deals"))
    looking.given(*MET, SUBMITTED).when(Reevaluate()).then()
    looking.given(*MET, SUBMITTED, APPROVED).when(Reevaluate()).then(ready)
    looking.given(*MET, SUBMITTED, APPROVED, ready).when(Reevaluate()).then()
    won = DEAL.given(*MET).when(WinDeal()).facts[0].event
    looking.given(*MET, won).when(Reevaluate()).then()


# -- the chain as data -------------------------------------------------------------------------------------------------


def told(definition: ProcessDefinition) -> list[tuple[str, str | None]]:
    return [(reason.code, reason.field) for reason in faults(definition)]


def test_proc_1_a_process_without_a_chain_is_what_it_was() -> None:
    assert SHORT.stages[0].exit_approval is None
    assert told(with_chain()) == []


def test_proc_3_what_is_wrong_with_a_chain_is_told_with_its_position() -> None:
    asks = Predicate(fact="approved.initial-contact", operator="is", value=True)
    wrong = ApprovalStep(key="a b", name=" ", approvers=(), when=asks, escalates_to=Approver(role="executive"))
    at = "definition.stages.0.exit_approval"
    chain = ApprovalChain(steps=(wrong,), self_approval="allow", fallback=Approver(role="legal"))
    assert told(with_chain(chain)) == [
        ("invalid-key", f"{at}.steps.0.key"),
        ("blank", f"{at}.steps.0.name"),
        ("no-approvers", f"{at}.steps.0.approvers"),
        ("unknown-fact", f"{at}.steps.0.when.fact"),
        ("never-overdue", f"{at}.steps.0.within_days"),
        ("fallback-and-rule", f"{at}.fallback"),
        ("own-submission", f"{at}.self_approval"),
    ]
    assert told(with_chain(ApprovalChain(steps=()))) == [("empty", f"{at}.steps")]
    named = Criterion(key="approved", name="Approved", when=Predicate(fact="lines", operator="above", value=0))
    assert told(with_chain(exit=(named,))) == [("reserved-name", "definition.stages.0.exit.0.key")]


def asking(place: int, stage: str) -> ProcessDefinition:
    """A process in which one gate asks whether the exit of a stage is approved."""
    definition = with_chain(place=1)
    when = Predicate(fact=f"approved.{stage}", operator="is", value=True)
    stages: list[Stage] = list(definition.stages)
    stages[place] = replace(stages[place], entry=(Criterion(key="approved-there", name="Approved", when=when),))
    return replace(definition, stages=tuple(stages))


def test_proc_3_a_gate_may_ask_whether_an_earlier_exit_was_approved_and_no_later_one() -> None:
    assert told(asking(2, "needs-confirmed")) == []
    assert [code for code, _ in told(asking(1, "needs-confirmed"))] == ["comes-later"]
    assert [code for code, _ in told(asking(2, "initial-contact"))] == ["unknown-fact"]


def test_proc_1_two_versions_differ_in_whom_they_ask() -> None:
    dearer = replace(CHAIN, steps=(DIRECTION, replace(BIG, name="Executive")))
    (named,) = differences(with_chain(), with_chain(dearer))
    assert (named.path, named.kind) == ("stages/initial-contact/exit_approval/steps/executive/name", "changed")
    (new,) = differences(SHORT, with_chain())
    assert (new.path, new.before) == ("stages/initial-contact/exit_approval", None)


def test_data_5_told_late_a_submission_in_a_stage_that_the_deal_had_left_is_taken_back() -> None:
    late = deal.fold([*MET, THERE, SUBMITTED])
    assert [each.status for each in late.submissions] == ["over"]


def test_data_5_told_late_a_submission_of_a_deal_that_had_ended_is_taken_back() -> None:
    """What follows at once does not follow history: a reaction asks for it, as often as it likes."""
    lost = DealLost(deal_id=ID, on=TODAY, amount=OPENED.amount, stage=OPENED.stage, reason="price")
    late = DEAL.given(*MET, lost, SUBMITTED)
    assert [each.status for each in deal.fold(late.history).submissions] == ["over"]
    taken_back = (
        late.by(service_actor("deals")).when(Reevaluate()).then(replace(RECALLED, by="service:deals", cause="left"))
    )
    late.given(*(fact.event for fact in taken_back.facts)).by(service_actor("deals")).when(Reevaluate()).then()
    for decided, status in ((APPROVED, "approved"), (RETURNED, "returned")):
        assert [each.status for each in deal.fold(late.given(decided).history).submissions] == [status]


def test_data_5_history_that_takes_something_back_says_so() -> None:
    waiting = DEAL.given(*MET, SUBMITTED).history
    known = DEAL.given(*MET).knowing(today=DealToday(state=deal.fold(waiting)))
    node = ImportDealNode(on=TODAY, key="contact-record", evidence="Done")
    told = [ImportDealLoss(on=TODAY), ImportDealMove(on=TODAY, stage="needs-confirmed"), node]
    assert [known.when(each).facts[0].event.ends_what_waits for each in told] == [True, True, True]
    assert [DEAL.given(*MET).when(each).facts[0].event.ends_what_waits for each in told] == [False, False, False]
    helped = SupportOfDeal(requests=(support_request.fold([SUPPORT_ASKED]),))
    assert DEAL.given(*MET).knowing(support=helped).when(told[0]).facts[0].event.ends_what_waits is True
