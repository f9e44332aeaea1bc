"""PROC-1, ACCT-6: leads and contracts in stages of their process that do something by themselves: the rules. NOW is a
Monday morning."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from services.deals.domain.deal.changes import HandOver
from services.deals.domain.deal.erasure import EraseTexts
from services.deals.domain.deal.following import BringInLine
from services.deals.domain.process.faults import faults
from services.deals.domain.process.full import AFTER_SALES, DELIVERY, FULL, FULL_ID, LEAD_IN, NURTURE
from services.deals.domain.process.short import SHORT, SHORT_ID
from services.deals.domain.process.state import Process
from services.deals.domain.stage_visit import stage_visit
from services.deals.domain.stage_visit.following import EraseVisitTexts, HandOverVisit, VisitsOfDeal
from services.deals.domain.stage_visit.handing_over import HandOverStage
from services.deals.domain.stage_visit.state import OutsideProcess, visit_of
from services.deals.domain.stage_visit.visiting import (
    BeginContractStage,
    BeginLeadStage,
    EndVisit,
    LeaveForNext,
    RunDueRules,
)
from services.deals.domain.stage_visit.working import CompleteStageWork
from services.deals.reactions import reactions
from shared.commands.as_known import with_whose
from shared.domain.context import Actor
from shared.domain.roles import Role
from shared.events.contracts.contract import ContractActivated, ContractSigned, ContractVoided
from shared.events.deals.deal import DealHandedOver, DealRenamed, DealTextsErased, DueNode, PlannedRule
from shared.events.deals.deal_edit import DealAccountChanged
from shared.events.deals.stage_visit import (
    StageVisitBegun,
    StageVisitDealChanged,
    StageVisitEnded,
    StageVisitHandedOver,
    StageVisitRuleFired,
    StageVisitRuleLapsed,
    StageVisitTextsErased,
    StageWorkCompleted,
)
from shared.events.leads.lead import (
    LeadActivityLogged,
    LeadAssigned,
    LeadCaptured,
    LeadDisqualified,
    LeadErased,
    LeadLeftUnassigned,
)
from shared.events.process import Node, OutsideRule, OutsideStage, ProcessDefinition, Template
from shared.testing.scenario import CONTEXT, scenario
from tests.services.deals.facts import (
    ACCOUNT,
    LEAD,
    OPENED,
    OTHER,
    OTHER_TEAM,
    OWNER,
    REP,
    TEAM,
    THE_DEAL,
    TODAY,
    eur,
)
from tests.services.deals.test_reactions import fact
from tests.services.deals.test_support_requests import ABANDONED, LOST, OTHER_ACCOUNT, WON

VISIT, DEAL, CONTRACT = CONTEXT.aggregate_id, UUID(int=90), UUID(int=92)
FOLLOWS = Process(id=FULL_ID, version=1, definition=FULL)
THE_CONTRACTS = OutsideProcess(process=FOLLOWS, name="Servers", owner=OWNER, team=TEAM, account_id=ACCOUNT)
SIGN = BeginContractStage(contract_id=CONTRACT, deal_id=DEAL, begins="signed")
CAPTURE = BeginLeadStage(lead_id=LEAD, begins="captured", name="Acme")
START_MEETING = DueNode(key="start-meeting", kind="task", required=True, due=date(2026, 3, 23))
OVER = datetime(2026, 3, 24, tzinfo=UTC)
"""The first moment after five working days."""
BEGUN = StageVisitBegun(
    stage_visit_id=VISIT,
    subject="contract",
    begins="signed",
    lead_id=None,
    contract_id=CONTRACT,
    deal_id=DEAL,
    name="Servers",
    process_id=FULL_ID,
    process_version=1,
    stage="delivery",
    roles=("delivery", "rep", "finance"),
    on=TODAY,
    nodes=(START_MEETING,),
    rules=(PlannedRule(key="no-start", due=OVER),),
    owner=OWNER,
    team=TEAM,
    account_id=ACCOUNT,
)
DONE = StageWorkCompleted(
    stage_visit_id=VISIT,
    stage="delivery",
    key="start-meeting",
    kind="task",
    required=True,
    due=START_MEETING.due,
    on=TODAY,
    by=OWNER,
    evidence="DOC-1",
)
ACCEPTED = replace(DONE, key="acceptance", due=None)
RECORD = replace(ACCEPTED, key="acceptance-record", kind="deliverable")
LEAD_BEGUN = replace(
    BEGUN,
    subject="lead",
    begins="captured",
    lead_id=LEAD,
    contract_id=None,
    deal_id=None,
    name="Acme",
    stage="lead-in",
    roles=("rep", "marketing"),
    nodes=(
        DueNode(key="first-answer", kind="task", required=True, due=TODAY),
        DueNode(key="check-fit", kind="task", required=True, due=date(2026, 3, 19)),
        DueNode(key="lead-record", kind="deliverable", required=True, due=date(2026, 3, 19)),
    ),
    rules=(PlannedRule(key="unanswered", due=datetime(2026, 3, 18, tzinfo=UTC)),),
    owner=None,
    team=None,
    account_id=None,
)
ENDED = StageVisitEnded(stage_visit_id=VISIT, stage="delivery", cause="done", on=TODAY)
COMPLETE = CompleteStageWork(key="start-meeting", evidence="DOC-1")
DELIVERING = Actor(subject="dan", roles=frozenset({Role.DELIVERY}), member=UUID(int=64))
NOTHING = scenario(stage_visit).knowing(outside=THE_CONTRACTS)
STANDS = NOTHING.given(BEGUN)


def fired(stage: str, rule: OutsideRule, context: Any = CONTEXT, **more: Any) -> StageVisitRuleFired:
    return StageVisitRuleFired(
        stage_visit_id=VISIT,
        **{
            "subject": "contract",
            "subject_id": CONTRACT,
            "stage": stage,
            "rule": rule.key,
            "firing_id": context.derived_id(f"rule {VISIT} {rule.key}"),
            "name": rule.name,
            "trigger": rule.on,
            "on": TODAY,
            "notify": rule.notify or None,
            **more,
        },
    )


# -- entering ---------------------------------------------------------------------------------------------------------


def test_acct_6_a_signed_contract_enters_delivery_its_work_is_due_and_whoever_has_to_know_is_told() -> None:
    NOTHING.when(SIGN).then(BEGUN, fired("delivery", DELIVERY.rules[0]))


def test_acct_6_a_contract_in_force_enters_after_sales_whose_call_is_due_after_a_quarter() -> None:
    outcome = NOTHING.when(replace(SIGN, begins="in-force"))
    (begun,) = (each.event for each in outcome.facts)
    assert (begun.stage, begun.begins, begun.nodes) == ("after-sales", "in-force", ())
    assert begun.rules == (PlannedRule(key="first-call-back", due=datetime(2026, 6, 9, tzinfo=UTC)),)
    # The quarter is over.
    after = replace(CONTEXT, now=datetime(2026, 6, 9, 8, tzinfo=UTC))
    told = NOTHING.given(begun).at(after.now).when(RunDueRules())
    due = DueNode(key="call-back", kind="task", required=True, due=date(2026, 6, 16))
    told.then(
        fired("after-sales", AFTER_SALES.rules[0], notify=None, on=date(2026, 6, 9), nodes=(due,)),
    )
    assert [(node.key, node.due, node.by_rule) for node in told.state.nodes] == [
        ("call-back", date(2026, 6, 16), "first-call-back")
    ]


def test_proc_1_a_captured_lead_enters_the_first_stage_of_the_process() -> None:
    lead = scenario(stage_visit).knowing(outside=OutsideProcess(process=FOLLOWS))
    lead.when(CAPTURE).then(LEAD_BEGUN)


def test_proc_1_the_first_activity_has_a_lead_nurtured_and_it_is_called_as_before() -> None:
    knowing = OutsideProcess(process=FOLLOWS, name="Acme", begun=frozenset({"captured"}))
    command = BeginLeadStage(lead_id=LEAD, begins="worked-on", owner=OWNER, team=TEAM)
    (begun,) = (each.event for each in scenario(stage_visit).knowing(outside=knowing).when(command).facts)
    assert (begun.stage, begun.name, begun.owner, begun.team) == ("nurture", "Acme", OWNER, TEAM)
    assert [rule.key for rule in begun.rules] == ["no-contact"]


def test_proc_1_a_lead_that_was_in_a_later_stage_does_not_go_back() -> None:
    knowing = OutsideProcess(process=FOLLOWS, begun=frozenset({"worked-on"}))
    scenario(stage_visit).knowing(outside=knowing).when(CAPTURE).then()


@pytest.mark.parametrize(
    "follows",
    [
        None,
        Process(id=SHORT_ID, version=1, definition=SHORT),
        # As the full process was published before: said, and nothing by itself.
        replace(FOLLOWS, definition=replace(FULL, contract_stages=(replace(DELIVERY, begins=None, rules=()),))),
        # Neither days nor rules: nothing would come of it.
        replace(
            FOLLOWS,
            definition=replace(FULL, contract_stages=(replace(DELIVERY, tasks=DELIVERY.tasks[1:], rules=()),)),
        ),
    ],
    ids=["no-deal", "short", "said", "undated"],
)
def test_proc_1_nothing_is_recorded_of_a_stage_of_which_nothing_comes(follows: Process | None) -> None:
    scenario(stage_visit).knowing(outside=replace(THE_CONTRACTS, process=follows)).when(SIGN).then()


def test_proc_1_a_stage_is_entered_once_however_often_that_is_told() -> None:
    STANDS.when(SIGN).then()
    STANDS.given(ENDED).when(SIGN).then()


# -- timers -----------------------------------------------------------------------------------------------------------


def test_proc_1_a_timer_fires_once_its_working_days_are_over() -> None:
    state = stage_visit.fold([BEGUN])
    assert stage_visit.timers_of(state)["stage_rule"].due == OVER
    STANDS.when(RunDueRules()).then()
    told = STANDS.at(OVER).when(RunDueRules())
    told.then(fired("delivery", DELIVERY.rules[1], on=date(2026, 3, 24)))
    assert stage_visit.timers_of(told.state) == {}


def test_proc_1_a_timer_lapses_where_the_work_is_done_that_it_asks_about() -> None:
    lapsed = StageVisitRuleLapsed(stage_visit_id=VISIT, stage="delivery", rule="no-start", on=date(2026, 3, 24))
    STANDS.given(DONE).at(OVER).when(RunDueRules()).then(lapsed)
    ended = replace(ENDED, on=date(2026, 3, 24))
    STANDS.given(DONE, ACCEPTED, RECORD).at(OVER).when(RunDueRules()).then(lapsed, ended)


def test_proc_1_a_timer_lapses_where_the_work_was_done_that_it_calls_for() -> None:
    (begun,) = (each.event for each in NOTHING.when(replace(SIGN, begins="in-force")).facts)
    called = replace(DONE, stage="after-sales", key="call-back", due=None)
    given = NOTHING.given(begun, called).at(datetime(2026, 6, 9, 8, tzinfo=UTC))
    kinds = [type(each.event).__name__ for each in given.when(RunDueRules()).facts]
    assert kinds == ["StageVisitRuleLapsed"]


def test_acct_6_a_stage_of_a_contract_that_only_tells_somebody_is_left_at_once() -> None:
    telling = replace(DELIVERY, tasks=(), deliverables=(), rules=DELIVERY.rules[:1])
    definition = replace(FULL, contract_stages=(telling, AFTER_SALES))
    knowing = replace(THE_CONTRACTS, process=replace(FOLLOWS, definition=definition))
    told = scenario(stage_visit).knowing(outside=knowing).when(SIGN)
    told.then(
        replace(BEGUN, nodes=(), rules=()), fired("delivery", DELIVERY.rules[0]), replace(ENDED, ends_notices=False)
    )


# -- work -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("actor", [REP, DELIVERING], ids=["owner", "role of the stage"])
def test_acct_6_whose_it_is_or_whoever_does_the_work_completes_it(actor: Actor) -> None:
    STANDS.by(actor).when(COMPLETE).then(replace(DONE, by=actor.member))


@pytest.mark.parametrize(
    "actor",
    [
        replace(DELIVERING, roles=frozenset({Role.LEGAL})),
        replace(DELIVERING, roles=frozenset({Role.MARKETING})),
    ],
    ids=["legal", "marketing"],
)
def test_acct_6_who_has_no_part_in_the_stage_completes_nothing(actor: Actor) -> None:
    STANDS.by(actor).when(COMPLETE).then_rejected("other-role")


def test_acct_6_a_contract_leaves_a_stage_with_the_last_of_its_work_and_a_lead_does_not() -> None:
    given = STANDS.given(fired("delivery", DELIVERY.rules[1]))
    given.when(COMPLETE).then(replace(DONE, by=UUID(int=7)))
    last = given.given(DONE, ACCEPTED).when(replace(COMPLETE, key="acceptance-record"))
    last.then(replace(RECORD, by=UUID(int=7)), ENDED)
    lead = replace(LEAD_BEGUN, nodes=LEAD_BEGUN.nodes[:1], rules=())
    answered = NOTHING.given(lead).when(replace(COMPLETE, key="first-answer"))
    assert [each.event.key for each in answered.facts] == ["first-answer"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (replace(COMPLETE, key="tea"), "unknown-work"),
        (replace(COMPLETE, evidence="DOC-2"), "already-completed"),
    ],
)
def test_acct_6_what_cannot_be_completed_is_refused(command: CompleteStageWork, code: str) -> None:
    STANDS.given(DONE).when(command).then_rejected(code)
    STANDS.given(DONE).when(COMPLETE).then()


def test_acct_6_a_task_waits_for_what_it_brings_about() -> None:
    tasks = (replace(DELIVERY.tasks[0], deliverable="acceptance-record"), *DELIVERY.tasks[1:])
    definition = replace(FULL, contract_stages=(replace(DELIVERY, tasks=tasks), AFTER_SALES))
    knowing = replace(THE_CONTRACTS, process=replace(FOLLOWS, definition=definition))
    given = scenario(stage_visit).knowing(outside=knowing).given(BEGUN)
    given.when(COMPLETE).then_rejected("deliverable-missing")
    there = replace(DONE, key="acceptance-record", kind="deliverable", due=None)
    assert given.given(there).when(COMPLETE).rejected is None


def test_acct_6_nothing_is_completed_in_a_stage_that_was_left() -> None:
    STANDS.given(ENDED).when(COMPLETE).then_rejected("not-in-this-state")


# -- leaving ----------------------------------------------------------------------------------------------------------


def test_proc_1_a_lead_leaves_a_stage_for_one_that_its_process_has_and_stays_without() -> None:
    given = NOTHING.given(LEAD_BEGUN)
    given.when(LeaveForNext(begins="worked-on")).then(replace(ENDED, stage="lead-in", cause="next-stage"))
    given.when(LeaveForNext(begins="assigned")).then()
    given.given(replace(ENDED, stage="lead-in")).when(LeaveForNext(begins="worked-on")).then()
    NOTHING.when(LeaveForNext(begins="worked-on")).then()


def test_proc_1_a_visit_ends_with_its_lead_and_no_timer_is_left() -> None:
    outcome = NOTHING.given(LEAD_BEGUN).when(EndVisit(cause="converted"))
    outcome.then(replace(ENDED, stage="lead-in", cause="converted"))
    assert stage_visit.timers_of(outcome.state) == {}
    NOTHING.given(LEAD_BEGUN, replace(ENDED, stage="lead-in")).when(EndVisit(cause="erased")).then()
    NOTHING.when(EndVisit(cause="erased")).then()


def test_proc_1_a_visit_is_whose_its_lead_or_deal_is() -> None:
    command = HandOverVisit(owner=OTHER, team=OTHER_TEAM)
    given = StageVisitHandedOver(stage_visit_id=VISIT, owner=OTHER, team=OTHER_TEAM)
    STANDS.when(command).then(given)
    STANDS.given(given).when(command).then()
    NOTHING.when(command).then()


def test_acct_4_managers_hand_the_stage_of_a_contract_over_which_stays_with_its_team_unless_said() -> None:
    handed = StageVisitHandedOver(stage_visit_id=VISIT, owner=OTHER, team=TEAM)
    told = STANDS.when(HandOverStage(owner=OTHER))
    told.then(handed)
    assert (told.state.owner, told.state.team) == (OTHER, TEAM)
    STANDS.given(handed).when(HandOverStage(owner=OTHER)).then()
    STANDS.when(HandOverStage(owner=OWNER, team=OTHER_TEAM)).then(replace(handed, owner=OWNER, team=OTHER_TEAM))
    STANDS.given(ENDED).when(HandOverStage(owner=OTHER)).then_rejected("not-in-this-state")
    NOTHING.given(LEAD_BEGUN).when(HandOverStage(owner=OTHER)).then_rejected("of-a-lead")


def test_lead_4_what_fires_for_a_lead_in_the_pool_says_its_team() -> None:
    given = NOTHING.given(LEAD_BEGUN).when(HandOverVisit(owner=None, team=TEAM)).facts
    assert [fact.event for fact in given] == [StageVisitHandedOver(stage_visit_id=VISIT, owner=None, team=TEAM)]
    late = NOTHING.given(LEAD_BEGUN, given[0].event).at(datetime(2026, 3, 18, tzinfo=UTC)).when(RunDueRules())
    (told,) = [with_whose(fact.event, late.state) for fact in late.facts]
    assert (told.notify, told.owner, told.team) == (("owner", "manager"), None, TEAM)


def test_data_4_what_was_written_in_a_visit_is_erased_and_what_was_done_stays() -> None:
    erased = StageVisitTextsErased(stage_visit_id=VISIT)
    outcome = STANDS.given(DONE).when(EraseVisitTexts())
    outcome.then(erased)
    state = stage_visit.fold(STANDS.given(DONE, erased).history)
    for each in (state, outcome.state):
        assert [(node.key, node.done_on, node.evidence) for node in each.nodes] == [("start-meeting", TODAY, "")]
        assert each.written is False, "there is nothing to erase again"
    for untold in (STANDS, NOTHING, STANDS.given(DONE, erased)):
        untold.when(EraseVisitTexts()).then()


# -- with the deal ----------------------------------------------------------------------------------------------------

STAGE = UUID(int=95)
"""The visit, as another thing than the deal that decides."""
OF_DEAL = replace(BEGUN, stage_visit_id=STAGE, name=OPENED.name, account_id=OPENED.account_id)
ITS_DEAL = THE_DEAL.given(OPENED)


def visits(*history: Any) -> VisitsOfDeal:
    return VisitsOfDeal(visits=(stage_visit.fold([OF_DEAL, *history]),))


def test_acct_4_stages_of_a_contract_are_handed_over_with_its_deal_by_one_decision() -> None:
    handed = StageVisitHandedOver(stage_visit_id=STAGE, owner=OTHER, team=OTHER_TEAM)
    whose = HandOver(owner=OTHER, team=OTHER_TEAM)
    (_, told) = ITS_DEAL.knowing(visits=visits()).when(whose).facts
    assert (told.event, told.to) == (handed, STAGE)
    assert len(ITS_DEAL.knowing(visits=visits(handed)).when(whose).facts) == 1, "it is theirs already"


def test_data_4_what_was_written_in_stages_of_a_contract_goes_with_what_was_written_about_the_deal() -> None:
    erased = StageVisitTextsErased(stage_visit_id=STAGE)
    first = ITS_DEAL.knowing(visits=visits(DONE)).when(EraseTexts())
    first.then(DealTextsErased(deal_id=OPENED.deal_id), erased)
    assert [each.to for each in first.facts] == [None, STAGE]
    # The deal's own texts are gone by then, and nothing was written about it since.
    once = ITS_DEAL.given(DealTextsErased(deal_id=OPENED.deal_id))
    again = once.knowing(visits=visits(DONE)).when(EraseTexts())
    again.then(erased)
    assert [each.to for each in again.facts] == [STAGE]
    for nothing in (visits(), visits(DONE, erased)):
        once.knowing(visits=nothing).when(EraseTexts()).then()


@pytest.mark.parametrize(
    ("end", "cause"),
    [(LOST, "deal-lost"), (ABANDONED, "deal-abandoned"), (WON, None)],
    ids=["lost", "abandoned", "won"],
)
def test_acct_6_a_visit_of_a_contract_ends_with_a_deal_that_comes_to_nothing(end: Any, cause: str | None) -> None:
    after = ITS_DEAL.given(end)
    told = after.knowing(visits=visits()).when(BringInLine())
    left = replace(ENDED, stage_visit_id=STAGE, cause=cause or "")
    told.then(*([left] if cause else []))
    assert [each.to for each in told.facts] == ([STAGE] if cause else [])
    after.knowing(visits=visits(left)).when(BringInLine()).then()


@pytest.mark.parametrize("status", ["lost", "abandoned"])
def test_acct_6_no_stage_begins_for_a_deal_that_came_to_nothing(status: str) -> None:
    scenario(stage_visit).knowing(outside=replace(THE_CONTRACTS, status=status)).when(SIGN).then()
    scenario(stage_visit).knowing(outside=replace(THE_CONTRACTS, status="won")).when(SIGN).then(
        BEGUN, fired("delivery", DELIVERY.rules[0])
    )


def test_data_4_a_visit_of_a_contract_is_called_as_its_deal_is_and_of_its_customer_also_once_it_has_ended() -> None:
    changed = StageVisitDealChanged(stage_visit_id=STAGE, name="Plant", account_id=OPENED.account_id)
    renamed = ITS_DEAL.given(DealRenamed(deal_id=OPENED.deal_id, name="Plant"))
    for history in ((), (ENDED,)):
        told = renamed.knowing(visits=visits(*history)).when(BringInLine())
        told.then(changed)
        assert [each.to for each in told.facts] == [STAGE]
        renamed.knowing(visits=visits(*history, changed)).when(BringInLine()).then()
        after = stage_visit.fold([OF_DEAL, *history, changed])
        assert (after.name, after.account_id, after.owner) == ("Plant", OPENED.account_id, OWNER)
    elsewhere = DealAccountChanged(
        deal_id=OPENED.deal_id, account_before=None, account_id=OTHER_ACCOUNT, account_name=None
    )
    sold = ITS_DEAL.given(elsewhere).knowing(visits=visits()).when(BringInLine())
    sold.then(replace(changed, name=OPENED.name, account_id=OTHER_ACCOUNT))


# -- what brings it about ---------------------------------------------------------------------------------------------


def commands_for(event: Any, *, imported: bool = False) -> list[tuple[UUID, Any]]:
    told = fact(event, imported=imported)
    done = [do for reaction in reactions.every for do in reaction.to(told) if do.aggregate is stage_visit]
    return [(do.aggregate_id, do.command) for do in done]


CAPTURED = LeadCaptured(lead_id=LEAD, source="web", company_name="Acme", industry="machinery")
ASSIGNED = LeadAssigned(lead_id=LEAD, team_id=TEAM, member_id=OWNER, rule="turn")
POOLED = LeadLeftUnassigned(lead_id=LEAD, team_id=TEAM, rule="askers-team")
WORKED = LeadActivityLogged(lead_id=LEAD, activity_id=UUID(int=3), kind="call", owner=OWNER, team=TEAM)
SIGNED = ContractSigned(
    contract_id=CONTRACT, signed_by_us=TODAY, signed_by_customer=TODAY, evidence_hash="a" * 64, deal_id=DEAL
)
IN_FORCE = ContractActivated(
    contract_id=CONTRACT, on=TODAY, total=eur("1"), payment_terms=(), account_id=ACCOUNT, name="Servers", deal_id=DEAL
)
OF_LEAD = [visit_of(LEAD, "captured"), visit_of(LEAD, "assigned"), visit_of(LEAD, "worked-on")]
OF_CONTRACT = [visit_of(DEAL, "signed"), visit_of(DEAL, "in-force")]


def test_proc_1_what_happens_to_a_lead_has_it_enter_and_leave_stages() -> None:
    assert commands_for(CAPTURED) == [
        (OF_LEAD[0], BeginLeadStage(lead_id=LEAD, begins="captured", name="Acme", industry="machinery"))
    ]
    assert commands_for(ASSIGNED) == [
        (OF_LEAD[0], LeaveForNext(begins="assigned")),
        (OF_LEAD[1], BeginLeadStage(lead_id=LEAD, begins="assigned", owner=OWNER, team=TEAM)),
        *((visit, HandOverVisit(owner=OWNER, team=TEAM)) for visit in OF_LEAD),
    ]
    assert commands_for(POOLED) == [(OF_LEAD[0], HandOverVisit(owner=None, team=TEAM))]
    assert commands_for(replace(POOLED, team_id=None)) == [], "it stays nobody's"
    assert commands_for(WORKED) == [
        (OF_LEAD[0], LeaveForNext(begins="worked-on")),
        (OF_LEAD[1], LeaveForNext(begins="worked-on")),
        (OF_LEAD[2], BeginLeadStage(lead_id=LEAD, begins="worked-on", owner=OWNER, team=TEAM)),
    ]
    lost = LeadDisqualified(lead_id=LEAD, reason="no-budget")
    assert commands_for(lost) == [(visit, EndVisit(cause="disqualified")) for visit in OF_LEAD]
    gone = [command for _, command in commands_for(LeadErased(lead_id=LEAD))]
    assert gone == [EndVisit(cause="erased"), EraseVisitTexts()] * 3


def test_acct_6_what_happens_to_a_contract_has_it_enter_and_leave_stages() -> None:
    assert commands_for(SIGNED) == [(OF_CONTRACT[0], SIGN)]
    assert commands_for(IN_FORCE) == [(OF_CONTRACT[1], replace(SIGN, begins="in-force"))]
    # What is voided was never signed: no stage began with it, and another contract of the deal may stand in one.
    assert commands_for(ContractVoided(contract_id=CONTRACT, deal_id=DEAL)) == []
    assert commands_for(replace(SIGNED, deal_id=None)) == []
    handed = DealHandedOver(
        deal_id=DEAL, owner_before=OWNER, team_before=TEAM, owner=OTHER, team=OTHER_TEAM, reason="Leave"
    )
    # They go with the deal by the decision about it: later, what was decided or written since would go, too.
    assert [commands_for(each) for each in (handed, DealTextsErased(deal_id=DEAL))] == [[], []]


@pytest.mark.parametrize("event", [CAPTURED, ASSIGNED, POOLED, WORKED, SIGNED, IN_FORCE])
def test_proc_1_nothing_happens_by_itself_for_history(event: Any) -> None:
    assert commands_for(event, imported=True) == []


# -- what is wrong with a stage ---------------------------------------------------------------------------------------

RULE = OutsideRule(key="late", name="Late", on="timer", after=2, notify=("owner",))
TEMPLATE = Template(key="guide", name="Guide")


def with_delivery(**changes: Any) -> ProcessDefinition:
    return replace(FULL, contract_stages=(replace(DELIVERY, rules=(), **changes),))


def ruled(**changes: Any) -> ProcessDefinition:
    return replace(FULL, contract_stages=(replace(DELIVERY, rules=(replace(RULE, **changes),)),))


def captured(**changes: Any) -> ProcessDefinition:
    return replace(FULL, lead_stages=(replace(LEAD_IN, rules=(replace(RULE, **changes),)), NURTURE))


AT, AT_RULE = "definition.contract_stages.0", "definition.contract_stages.0.rules.0"
AT_CAPTURED = "definition.lead_stages.0.rules.0"


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        (FULL, []),
        (ruled(), []),
        (ruled(after=None), [("invalid-trigger", f"{AT_RULE}.after")]),
        (ruled(on="entry"), [("invalid-trigger", f"{AT_RULE}.after")]),
        (ruled(on="entry", after=None, unless="acceptance"), [("invalid-trigger", f"{AT_RULE}.unless")]),
        (ruled(unless="tea"), [("unknown-task", f"{AT_RULE}.unless")]),
        (ruled(notify=()), [("not-one-action", AT_RULE)]),
        (ruled(task="start-meeting"), [("not-one-action", AT_RULE)]),
        (ruled(task="tea", notify=()), [("unknown-task", f"{AT_RULE}.task")]),
        (ruled(task="acceptance", notify=()), [("never-due", f"{AT_RULE}.task")]),
        (ruled(task="start-meeting", notify=(), template=TEMPLATE), [("template-for-nobody", f"{AT_RULE}.template")]),
        (ruled(notify=("legal",)), [("unknown-recipient", f"{AT_RULE}.notify.0")]),
        (ruled(notify=("owner", "owner")), [("repeated-key", f"{AT_RULE}.notify.1")]),
        (ruled(name=" "), [("blank", f"{AT_RULE}.name")]),
        (
            captured(on="entry", after=None, notify=("owner", "marketing", "manager")),
            [("nobody-yet", f"{AT_CAPTURED}.notify.0"), ("nobody-yet", f"{AT_CAPTURED}.notify.2")],
        ),
        (captured(on="entry", after=None, notify=("marketing",)), []),
        (captured(notify=("owner", "manager")), []),
        (ruled(on="entry", after=None, notify=("owner", "manager")), []),
        (with_delivery(begins="captured"), [("unknown-begin", f"{AT}.begins")]),
        (
            replace(FULL, contract_stages=(replace(DELIVERY, begins=None),)),
            [("never-begins", f"{AT}.begins")],
        ),
        (
            replace(FULL, lead_stages=(NURTURE, LEAD_IN)),
            [("out-of-order", "definition.lead_stages.1.begins")],
        ),
        (
            replace(FULL, contract_stages=(DELIVERY, replace(AFTER_SALES, begins="signed"))),
            [("out-of-order", "definition.contract_stages.1.begins")],
        ),
    ],
)
def test_proc_1_what_is_wrong_with_a_stage_is_told_with_its_position(
    definition: ProcessDefinition, told: list[tuple[str, str]]
) -> None:
    assert [(reason.code, reason.field) for reason in faults(definition)] == told


def test_proc_1_a_stage_of_an_older_document_does_nothing_by_itself() -> None:
    stage = OutsideStage(key="delivery", name="Delivery", purpose="Deliver", tasks=(Node(key="call", name="Call"),))
    assert (stage.begins, stage.rules) == (None, ())
