"""PROC-1: what a stage does by itself, on entry, on a fact and by timer; and that a deal is ready to move on."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid5

import pytest

from services.deals.domain.deal import deal
from services.deals.domain.deal.approval import PendingApprovals
from services.deals.domain.deal.automation import MoveOn, RunDueRules
from services.deals.domain.deal.closing import deal_reopened
from services.deals.domain.deal.history import ImportDeal, ImportDealMove
from services.deals.domain.deal.migration import MigrateDeal, TargetProcess
from services.deals.domain.deal.opening import OpenNewDeal
from services.deals.domain.deal.stages import MoveDeal
from services.deals.domain.deal.state import is_of_visit
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.process.faults import faults
from services.deals.domain.process.full import CUSTOM_SOLUTION, FULL
from services.deals.domain.process.short import SHORT, SHORT_ID
from services.deals.domain.process.state import Process, Version
from services.deals.domain.support_request.asking import AskForSupport
from services.deals.reactions import reactions
from shared.domain.aggregate import occurrences
from shared.domain.context import Company, service_actor
from shared.domain.working_days import BusinessCalendar
from shared.events.criteria import Predicate
from shared.events.deals.deal import (
    DealActivityLogged,
    DealFactsNoted,
    DealLost,
    DealMoved,
    DealNextStepPlanned,
    DealNodeCompleted,
    DealReopened,
    DealWon,
    DueNode,
    PlannedRule,
)
from shared.events.deals.deal_automation import (
    DealReadinessWithdrawn,
    DealReadyToMoveOn,
    DealRuleFired,
    DealRuleLapsed,
)
from shared.events.deals.deal_gates import DealCriterionWaived, DealFlexibleNodeAdded
from shared.events.process import Stage, StageRule, SupportType, Template
from shared.testing.scenario import Scenario
from tests.services.deals.facts import FRIDAY, ID, OPENED, TALKED, THE_DEAL, TODAY, eur
from tests.services.deals.test_flexible_nodes import ADDED
from tests.services.deals.test_waivers import UNTIL
from tests.services.forecast.facts import fact

SYSTEM = THE_DEAL.by(service_actor("deals"))
NEEDED = Predicate(fact="need_stated", operator="is", value=True)
UNTOUCHED = Predicate(fact="activities_in_stage", operator="at-most", value=0)
GREET = StageRule(key="greet", name="A deal began", on="entry", notify=("owner",))
RESEARCH = StageRule(key="research", name="They need something", on="fact", when=NEEDED, task="background-research")
ALERT = StageRule(key="alert", name="Untouched", on="timer", after=3, when=UNTOUCHED, notify=("manager",))
OVER = datetime(2026, 3, 20, tzinfo=UTC)
"""The third working day after Monday, the 16th, is over."""


def process_with(*rules: StageRule, **changes: Any) -> Process:
    first = replace(SHORT.stages[0], rules=rules, **changes)
    return Process(id=SHORT_ID, version=1, definition=replace(SHORT, stages=(first, *SHORT.stages[1:])))


def opened(*rules: StageRule, due: datetime | None = OVER) -> Any:
    planned = tuple(PlannedRule(key=rule.key, due=due if rule.on == "timer" else None) for rule in rules)
    return replace(OPENED, rules=planned)


def follows(process: Process, *events: Any, on: Scenario = THE_DEAL) -> list[Any]:
    """What follows at once from these events."""
    state = deal.fold(events)
    conclusion = deal.conclusion_of(state)
    if conclusion is None:
        return []
    conversion = Conversion(currency="EUR", factors={})
    loaded = {"process": process, "conversion": conversion, "pending": PendingApprovals()}
    decided = conclusion.run(state, on.context, {name: loaded[name] for name in conclusion.parameters})
    return [each.event for each in occurrences(decided)]


def fired(rule: StageRule, **more: Any) -> DealRuleFired:
    told = {"notify": rule.notify or None, "template": rule.template, "on": TODAY} | more
    return DealRuleFired(
        deal_id=ID,
        stage="initial-contact",
        rule=rule.key,
        firing_id=THE_DEAL.context.derived_id(f"rule {ID} initial-contact {rule.key}"),
        name=rule.name,
        trigger=rule.on,
        **told,
    )


STATED = DealFactsNoted(deal_id=ID, facts={"need_stated": True})


def test_proc_1_entering_a_stage_plans_what_it_does_by_itself_and_history_plans_nothing() -> None:
    process = process_with(GREET, ALERT)
    chosen = replace(dict(THE_DEAL.loaded)["chosen"], process=process)
    new = OpenNewDeal(name="Servers", amount=eur("1"))
    begun = THE_DEAL.knowing(chosen=chosen).when(new).facts[0].event
    assert begun.rules == (PlannedRule(key="greet"), PlannedRule(key="alert", due=OVER))
    told = ImportDeal(name="Servers", amount=eur("1"), on=TODAY, tracked=True)
    assert THE_DEAL.knowing(chosen=chosen).when(told).facts[0].event.rules == ()
    back = replace(OPENED, stage="needs-confirmed")
    known = THE_DEAL.knowing(process=process).given(back)
    assert known.when(MoveDeal(stage="initial-contact")).facts[0].event.rules == begun.rules
    assert known.when(ImportDealMove(stage="initial-contact", on=TODAY)).facts[0].event.rules == ()


def test_proc_1_a_timer_counts_the_working_days_of_the_company() -> None:
    chosen = replace(dict(THE_DEAL.loaded)["chosen"], process=process_with(ALERT))
    japan = Company(calendar=BusinessCalendar("JP"), timezone="Asia/Tokyo")  # 20 March is the equinox
    context = replace(THE_DEAL.context, company=japan, now=datetime(2026, 3, 17, 1, tzinfo=UTC))
    begun = replace(THE_DEAL, context=context).knowing(chosen=chosen).when(OpenNewDeal(name="S", amount=eur("1")))
    assert begun.facts[0].event.rules[0].due == datetime(2026, 3, 23, 15, tzinfo=UTC)


def test_proc_1_what_happens_on_entry_happens_once() -> None:
    process = process_with(GREET)
    assert follows(process, opened(GREET)) == [fired(GREET)]
    assert follows(process, opened(GREET), fired(GREET)) == []
    assert follows(process, OPENED) == [], "history planned nothing"


def test_proc_1_who_leaves_a_stage_whose_rules_notified_somebody_says_so() -> None:
    """What they were told need not be known any more; of history nobody was told."""
    for rule, ends in ((GREET, True), (RESEARCH, False)):
        process = process_with(rule)
        known = THE_DEAL.knowing(process=process).given(opened(rule), fired(rule), TALKED, PLANNED)
        assert known.when(MoveDeal(stage="needs-confirmed")).facts[0].event.ends_notices is ends
        assert known.when(ImportDealMove(stage="needs-confirmed", on=TODAY)).facts[0].event.ends_notices is False
        versions = tuple(Version(number=number, definition=process.definition, published=True) for number in (1, 2))
        migrating = known.knowing(target=TargetProcess(id=process.id, versions=versions))
        for stage, leaves in (("needs-confirmed", ends), ("initial-contact", False)):
            command = MigrateDeal(process_version=2, stage=stage, reason="Revised")
            assert migrating.when(command).facts[0].event.ends_notices is leaves


def test_proc_1_what_waits_for_a_fact_happens_as_soon_as_that_is_so_and_once_in_a_visit() -> None:
    process = process_with(RESEARCH)
    begun = replace(opened(RESEARCH), nodes=())
    due = DueNode(key="background-research", kind="task", required=False, due=date(2026, 3, 23))
    done = fired(RESEARCH, nodes=(due,))
    assert follows(process, begun) == []
    assert follows(process, begun, STATED) == [done]
    withdrawn = DealFactsNoted(deal_id=ID, facts={"need_stated": False})
    assert follows(process, begun, STATED, done, withdrawn, STATED) == []
    state = deal.fold([begun, STATED, done])
    assert [(node.key, node.by_rule) for node in state.nodes] == [("background-research", "research")]
    assert [(each.key, each.trigger) for each in state.fired_rules] == [("research", "fact")]


def test_proc_1_work_that_a_rule_calls_for_is_not_due_before_it_fires() -> None:
    chosen = replace(dict(THE_DEAL.loaded)["chosen"], process=process_with(RESEARCH))
    begun = THE_DEAL.knowing(chosen=chosen).when(OpenNewDeal(name="S", amount=eur("1"))).facts[0].event
    assert [node.key for node in begun.nodes] == ["first-conversation", "contact-record"]


def test_proc_1_every_visit_of_a_stage_has_its_rules_anew() -> None:
    process = process_with(GREET)
    there = DealMoved(
        deal_id=ID,
        before="initial-contact",
        stage="needs-confirmed",
        direction="forward",
        skipped=(),
        probability=SHORT.stages[1].probability,
        probability_before=SHORT.stages[0].probability,
        category="pipeline",
        amount=eur("1"),
        on=TODAY,
    )
    back = replace(there, before="needs-confirmed", stage="initial-contact", rules=(PlannedRule(key="greet"),))
    assert follows(process, opened(GREET), there, back) == [fired(GREET)], "it did not fire before it was left"
    assert follows(process, opened(GREET), fired(GREET), there) == []
    assert follows(process, opened(GREET), fired(GREET), there, back) == [fired(GREET)]


@pytest.mark.parametrize(
    ("on", "since", "belongs"),
    [(TODAY, TODAY, True), (FRIDAY, TODAY, False), (None, TODAY, True), (TODAY, None, True)],
)
def test_proc_1_a_visit_of_a_stage_has_what_happened_since_it_began_and_what_is_known_by_no_day(
    on: date | None, since: date | None, belongs: bool
) -> None:
    assert is_of_visit(on, since) == belongs


def test_proc_1_a_timer_alerts_where_nothing_was_done_and_lapses_else() -> None:
    known = SYSTEM.knowing(process=process_with(ALERT)).at(OVER).given(opened(ALERT))
    on = date(2026, 3, 20)
    known.when(RunDueRules()).then(fired(ALERT, on=on))
    called = DealActivityLogged(deal_id=ID, activity_id=UUID(int=5), kind="call", on=date(2026, 3, 17))
    lapsed = DealRuleLapsed(deal_id=ID, stage="initial-contact", rule="alert", on=on)
    known.given(called).when(RunDueRules()).then(lapsed)
    before = replace(called, on=date(2026, 3, 13))
    known.given(before).when(RunDueRules()).then(fired(ALERT, on=on))
    for event in (fired(ALERT), lapsed):
        known.given(event).when(RunDueRules()).then()
        assert deal.timers_of(deal.fold([opened(ALERT), event])) == {}


def test_proc_1_a_timer_runs_when_its_time_has_come_and_while_the_deal_stands_there() -> None:
    assert deal.timers_of(deal.fold([opened(ALERT)]))["stage_rule"].due == OVER
    SYSTEM.knowing(process=process_with(ALERT)).given(opened(ALERT)).when(RunDueRules()).then()
    won = DealWon(deal_id=ID, on=TODAY, amount=eur("1"), stage="initial-contact", name="x")
    again = DealReopened(
        deal_id=ID,
        outcome_before="won",
        stage="initial-contact",
        probability=OPENED.probability,
        category="pipeline",
        amount=eur("1"),
    )
    assert deal.timers_of(deal.fold([opened(ALERT), won])) == {}
    assert deal.timers_of(deal.fold([opened(ALERT), won, again])) == {}, "a year later nobody is alerted"


def test_proc_1_a_rule_adds_a_flexible_node_and_one_that_binds_already_stays() -> None:
    process = Process(id=SHORT_ID, version=1, definition=FULL)
    (rule,) = FULL.stages[1].rules
    begun = replace(OPENED, stage="solution", nodes=(), rules=(PlannedRule(key=rule.key),))
    custom = DealFactsNoted(deal_id=ID, facts={"custom_solution": True})
    done, node = follows(process, begun, custom)
    assert (done.rule, done.flexible_node) == ("custom-solution", CUSTOM_SOLUTION.key)
    assert node == replace(ADDED, role="service", rule="custom-solution", reason=None)
    (alone,) = follows(process, begun, ADDED, custom)
    assert alone == done


def test_proc_1_a_rule_asks_for_support_and_history_asks_for_none() -> None:
    asked = fired(replace(GREET, notify=()), support_type="market-report")
    told = replace(fact(1, asked, OVER, deal=ID), service="deals")
    (do,) = [do for reaction in reactions.of("log") for do in reaction.to(told)]
    assert do.command == AskForSupport(deal_id=ID, type="market-report", what="A deal began")
    assert do.aggregate_id == uuid5(asked.firing_id, "support request")
    (again,) = [do for reaction in reactions.of("log") for do in reaction.to(replace(told, id=UUID(int=77)))]
    assert again == do, "that the fact is told anew, when another of its request is corrected, asks for nothing more"
    imported = replace(told, imported=True)
    silent = replace(told, data=fired(GREET))
    assert [do for each in (imported, silent) for reaction in reactions.of("log") for do in reaction.to(each)] == []


PLANNED = DealNextStepPlanned(deal_id=ID, on=date(2026, 3, 20), planned_on=TODAY)
READY = DealReadyToMoveOn(deal_id=ID, stage="initial-contact", next_stage="needs-confirmed", by_itself=False, on=TODAY)
GONE = DealReadinessWithdrawn(deal_id=ID, stage="initial-contact", on=TODAY)
UNPLANNED = replace(PLANNED, on=None)


def test_proc_1_a_deal_is_ready_once_every_criterion_is_met_and_that_is_withdrawn() -> None:
    process = process_with()
    assert follows(process, OPENED, TALKED) == []
    assert follows(process, OPENED, TALKED, PLANNED) == [READY]
    assert follows(process, OPENED, TALKED, PLANNED, READY) == []
    assert follows(process, OPENED, TALKED, PLANNED, READY, UNPLANNED) == [GONE]
    assert follows(process, OPENED, TALKED, PLANNED, READY, UNPLANNED, GONE) == []
    assert deal.fold([OPENED, TALKED, PLANNED, READY]).ready_on == TODAY


def test_proc_1_what_the_next_stage_asks_for_counts_and_so_does_a_waiver() -> None:
    entry = (replace(SHORT.stages[0].exit[0], when=NEEDED),)
    next_stage = replace(SHORT.stages[1], entry=entry)
    definition = replace(SHORT, stages=(SHORT.stages[0], next_stage, *SHORT.stages[2:]))
    process = Process(id=SHORT_ID, version=1, definition=definition)
    assert follows(process, OPENED, TALKED, PLANNED) == []
    assert follows(process, OPENED, TALKED, PLANNED, STATED) == [READY]
    waived = DealCriterionWaived(
        deal_id=ID, gate="entry of needs-confirmed", criterion=entry[0].key, until=UNTIL, role="manager"
    )
    assert follows(process, OPENED, TALKED, PLANNED, waived) == [READY]


def test_proc_1_a_stage_that_asks_for_nothing_makes_nobody_ready() -> None:
    assert follows(process_with(exit=()), OPENED) == []


def test_proc_1_a_flexible_node_that_binds_keeps_a_deal_from_being_ready() -> None:
    added = DealFlexibleNodeAdded(deal_id=ID, key="custom", name="C", stage="initial-contact", role="manager")
    exit_ = (replace(SHORT.stages[0].exit[0], when=NEEDED),)
    custom = replace(CUSTOM_SOLUTION, key="custom", stages=("initial-contact",), exit=exit_)
    process = Process(id=SHORT_ID, version=1, definition=replace(SHORT, flexible_nodes=(custom,)))
    assert follows(process, OPENED, TALKED, PLANNED, added) == []
    assert follows(process, OPENED, TALKED, PLANNED, READY, added) == [GONE]
    assert follows(process, OPENED, TALKED, PLANNED, added, STATED) == [READY]


def test_proc_1_before_the_outcome_there_is_no_next_stage() -> None:
    last = replace(OPENED, stage="contract-drafting", nodes=())
    done = [
        DealNodeCompleted(deal_id=ID, stage="contract-drafting", key=key, kind=kind, required=True)
        for key, kind in (("agree-terms", "task"), ("contract-draft", "deliverable"))
    ]
    told = [replace(each, evidence="DOC-1") for each in done]
    assert follows(process_with(), last, *told) == [replace(READY, stage="contract-drafting", next_stage=None)]


def test_proc_1_a_deal_moves_by_itself_where_the_stage_says_so() -> None:
    process = process_with(moves="by-itself")
    ready = replace(READY, by_itself=True)
    assert follows(process, OPENED, TALKED, PLANNED) == [ready]
    (do,) = [do for reaction in reactions.of("log") for do in reaction.to(fact(1, ready, OVER, deal=ID))]
    assert do.command == MoveOn(stage="initial-contact")
    assert [do for reaction in reactions.of("log") for do in reaction.to(fact(1, READY, OVER, deal=ID))] == []
    outcome = SYSTEM.knowing(process=process).given(OPENED, TALKED, PLANNED, ready).when(do.command)
    (moved,) = [each.event for each in outcome.facts]
    assert (moved.stage, moved.automatic, moved.before) == ("needs-confirmed", True, "initial-contact")
    assert [visit.automatic for visit in outcome.state.trail] == [False, True]
    assert outcome.state.ready_on is None


def test_proc_1_a_deal_that_is_not_ready_any_more_or_was_moved_stays_where_it_is() -> None:
    process = process_with(moves="by-itself")
    known, command = SYSTEM.knowing(process=process), MoveOn(stage="initial-contact")
    known.given(OPENED, TALKED, PLANNED, READY, UNPLANNED).when(command).then()
    known.given(OPENED, TALKED, PLANNED).when(command).then()
    known.given(OPENED, TALKED, PLANNED, READY).when(MoveOn(stage="needs-confirmed")).then()
    won = DealWon(deal_id=ID, on=TODAY, amount=eur("1"), stage="initial-contact", name="x")
    known.given(OPENED, TALKED, PLANNED, READY, won).when(command).then()


BARE = StageRule(key="r", name="R", on="entry", notify=("owner",))
HELP = SupportType(key="report", name="Report", department="marketing")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (BARE, []),
        (replace(BARE, notify=("owner", "manager", "marketing")), []),
        (replace(BARE, notify=(), support="report"), []),
        (replace(BARE, notify=(), task="contact-record"), []),
        (replace(BARE, key="a b"), [("invalid-key", ".key")]),
        (replace(BARE, name=" "), [("blank", ".name")]),
        (replace(BARE, after=3), [("invalid-trigger", ".after")]),
        (replace(BARE, when=NEEDED), [("invalid-trigger", ".when")]),
        (replace(BARE, on="fact"), [("invalid-trigger", ".when")]),
        (replace(BARE, on="timer"), [("invalid-trigger", ".after")]),
        (replace(BARE, on="fact", when=Predicate()), [("not-one-shape", ".when")]),
        (
            replace(BARE, on="fact", when=Predicate(fact="mood", operator="known")),
            [("unknown-fact", ".when.fact")],
        ),
        (replace(BARE, notify=()), [("not-one-action", "")]),
        (replace(BARE, task="contact-record"), [("not-one-action", "")]),
        (replace(BARE, notify=(), task="quotation"), [("unknown-task", ".task")]),
        (replace(BARE, notify=(), task="custom-solution-approval"), [("unknown-task", ".task")]),
        (replace(BARE, notify=(), support="tea"), [("unknown-support-type", ".support")]),
        (replace(BARE, notify=("legal",)), [("unknown-recipient", ".notify.0")]),
        (replace(BARE, notify=("rep",)), [("unknown-recipient", ".notify.0")]),
        (replace(BARE, notify=("owner", "owner")), [("repeated-key", ".notify.1")]),
        (
            replace(BARE, notify=(), support="report", template=Template(key="t", name="T")),
            [("template-for-nobody", ".template")],
        ),
        (
            replace(BARE, template=Template(key="t t", name=" ")),
            [("invalid-key", ".template.key"), ("blank", ".template.name")],
        ),
    ],
)
def test_proc_3_what_is_wrong_with_a_rule_is_told_with_its_position(
    rule: StageRule, expected: list[tuple[str, str]]
) -> None:
    first: Stage = replace(SHORT.stages[0], rules=(rule,), support=(HELP,))
    definition = replace(SHORT, stages=(first, *SHORT.stages[1:]), flexible_nodes=(CUSTOM,))
    found = [(reason.code, reason.field) for reason in faults(definition)]
    assert found == [(code, f"definition.stages.0.rules.0{where}") for code, where in expected]


CUSTOM = replace(CUSTOM_SOLUTION, stages=("quotation",))


def test_proc_3_the_keys_of_the_rules_of_a_stage_differ() -> None:
    first = replace(SHORT.stages[0], rules=(BARE, BARE))
    found = [(each.code, each.field) for each in faults(replace(SHORT, stages=(first, *SHORT.stages[1:])))]
    assert found == [("repeated-key", "definition.stages.0.rules.1.key")]


def test_proc_1_a_needs_analysis_untouched_for_three_days_alerts_the_manager() -> None:
    (rule,) = [each for each in FULL.stages[0].rules if each.on == "timer"]
    assert (rule.after, rule.notify) == (3, ("manager",))
    known = SYSTEM.knowing(process=Process(id=SHORT_ID, version=1, definition=FULL)).at(OVER)
    begun = replace(OPENED, stage="needs-diagnosis", nodes=(), rules=(PlannedRule(key=rule.key, due=OVER),))
    assert isinstance(known.given(begun).when(RunDueRules()).facts[0].event, DealRuleFired)
    situation = DealNodeCompleted(
        deal_id=ID, stage="needs-diagnosis", key="situation", kind="task", required=True, evidence="M"
    )
    assert isinstance(known.given(begun, situation).when(RunDueRules()).facts[0].event, DealRuleLapsed)


def test_proc_1_the_full_process_has_a_rule_of_each_kind() -> None:
    rules = [rule for stage in FULL.stages for rule in stage.rules]
    assert {rule.on for rule in rules} == {"entry", "fact", "timer"}
    assert all(any(getattr(rule, kind) for rule in rules) for kind in ("task", "support", "notify", "template"))


def test_proc_1_who_comes_back_to_a_stage_or_is_reopened_in_it_is_moved_on_by_people_alone() -> None:
    """Else nobody could have a deal go back, and each try would do again what the stage does on entry."""
    process = process_with(moves="by-itself")
    away = THE_DEAL.knowing(process=process).given(OPENED, TALKED, PLANNED).when(MoveDeal(stage="needs-confirmed"))
    went = [each.event for each in away.facts]
    back = THE_DEAL.given(OPENED, TALKED, PLANNED, *went).when(MoveDeal(stage="initial-contact"))
    came = [each.event for each in back.facts]
    assert follows(process, OPENED, TALKED, PLANNED, *went, *came) == [READY]
    lost = DealLost(deal_id=ID, on=TODAY, amount=eur("1"), stage="initial-contact", reason="price")
    reopened = deal_reopened(deal.fold([OPENED, TALKED, PLANNED, lost]), TODAY, "They called.")
    assert follows(process, OPENED, TALKED, PLANNED, lost, reopened) == [READY]
