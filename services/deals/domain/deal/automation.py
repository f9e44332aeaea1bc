"""What a deal's process does by itself: the rules of its stage, and moving on once it is ready (PROC-1).

What follows at once is decided along with what it follows from, so it happens once however often anything is tried
again. History is left alone: nothing is planned for a stage that was entered in the past.
"""

from dataclasses import replace
from datetime import date
from typing import Any

from services.deals.domain.deal.approval import PendingApprovals, ends_what_waits, recalls
from services.deals.domain.deal.facts import facts_of
from services.deals.domain.deal.flexible import added
from services.deals.domain.deal.gates import ask_for_something, gates_ahead, passes
from services.deals.domain.deal.nodes import with_due
from services.deals.domain.deal.stages import moved
from services.deals.domain.deal.state import AnyDeal, FiredRule, OpenDeal, deal
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.process.due import due_node
from services.deals.domain.process.state import Process
from shared.domain.aggregate import Decision, Timer
from shared.domain.context import Context
from shared.domain.criteria import meets
from shared.domain.roles import ONLY_SERVICES, Role
from shared.events.deals.deal import PlannedRule
from shared.events.deals.deal_automation import (
    DealReadinessWithdrawn,
    DealReadyToMoveOn,
    DealRuleFired,
    DealRuleLapsed,
)
from shared.events.definition import value
from shared.events.process import StageRule, work_of


@value
class RunDueRules:
    """Do what the timers of the stage say whose time has come."""


@value
class Reevaluate:
    """Something was decided elsewhere that may make the deal ready, or told of its past by which nothing waits."""


@value
class MoveOn:
    """Enter the next stage by itself, as the deal is ready."""

    stage: str
    """The stage that it was ready to leave."""


@deal.decides(allow=ONLY_SERVICES)
def run_due_rules(
    state: OpenDeal, command: RunDueRules, context: Context, process: Process, conversion: Conversion
) -> Decision:
    """Do what the timers of the stage say whose time has come, where what they wait for is so; else they lapse."""
    facts = facts_of(state, process, conversion)
    decided: list[Any] = []
    for planned, rule in _planned(state, process):
        if planned.due is None or planned.due > context.now:
            continue
        if rule.when is None or meets(rule.when, facts):
            decided += _fired(state, rule, process, context)
        else:
            decided.append(DealRuleLapsed(deal_id=state.id, stage=state.stage, rule=rule.key, on=context.today))
    return decided


@deal.decides(allow=ONLY_SERVICES)
def reevaluate(
    state: AnyDeal,
    command: Reevaluate,
    context: Context,
    *,
    process: Process,
    conversion: Conversion,
    pending: PendingApprovals,
) -> Decision:
    """Decide what follows from how the deal stands, where another aggregate has written to it."""
    if isinstance(state, OpenDeal):
        return goes_on(state, context, process, conversion, pending)
    return ends_what_waits(state, context, pending)


@deal.decides(allow=ONLY_SERVICES)
def move_on(state: AnyDeal, command: MoveOn, context: Context, process: Process, conversion: Conversion) -> Decision:
    """Enter the next stage by itself; a deal that has moved meanwhile, or is not ready any more, stays where it is."""
    if not isinstance(state, OpenDeal) or state.stage != command.stage or state.ready_on is None:
        return []
    following = process.definition.stages[process.definition.index(state.stage) + 1 :]
    if not following or not _is_ready(state, process, conversion, context.today):
        return []
    return [replace(each, automatic=True) for each in moved(state, following[0].key, context, process, conversion)]


@deal.evolves
def rule_fired(state: OpenDeal, event: DealRuleFired) -> OpenDeal:
    if event.stage != state.stage:
        return state
    fired = FiredRule(
        key=event.rule,
        name=event.name,
        stage=event.stage,
        trigger=event.trigger,
        on=event.on,
        notified=bool(event.notify),
    )
    return replace(
        state,
        rules=_without(state, event.rule),
        fired_rules=(*state.fired_rules, fired),
        nodes=with_due(state.nodes, event.stage, event.nodes, rule=event.rule),
    )


@deal.evolves
def rule_lapsed(state: OpenDeal, event: DealRuleLapsed) -> OpenDeal:
    return replace(state, rules=_without(state, event.rule)) if event.stage == state.stage else state


@deal.evolves
def became_ready(state: OpenDeal, event: DealReadyToMoveOn) -> OpenDeal:
    return replace(state, ready_on=event.on) if event.stage == state.stage else state


@deal.evolves
def was_ready_too_early(state: OpenDeal, event: DealReadinessWithdrawn) -> OpenDeal:
    return replace(state, ready_on=None) if event.stage == state.stage else state


@deal.timer
def stage_rule(state: OpenDeal) -> Timer | None:
    """One for whichever rule of the stage has its time first."""
    due = [rule.due for rule in state.rules if rule.due is not None]
    return Timer(due=min(due), command=RunDueRules()) if due else None


@deal.concludes
def goes_on(
    state: OpenDeal, context: Context, process: Process, conversion: Conversion, pending: PendingApprovals
) -> Decision:
    """What follows at once from how a deal stands: rules that wait for no time, whether it is ready to move on, and
    that nobody is asked any more what was submitted in a stage that it left."""
    facts = facts_of(state, process, conversion)
    decided: list[Any] = []
    for planned, rule in _planned(state, process):
        if planned.due is None and (rule.when is None or meets(rule.when, facts)):
            decided += _fired(state, rule, process, context)
    for event in decided:
        state = deal.evolve(state, event)
    ready = _readiness(state, process, conversion, context.today)
    return [*decided, *ready, *recalls(state, pending, context)]


def _planned(state: OpenDeal, process: Process) -> list[tuple[PlannedRule, StageRule]]:
    """The rules of the stage that have not come to anything in this visit."""
    known = {rule.key: rule for rule in process.definition.stage(state.stage).rules}
    return [(planned, known[planned.key]) for planned in state.rules if planned.key in known]


def _without(state: OpenDeal, rule: str) -> tuple[PlannedRule, ...]:
    return tuple(each for each in state.rules if each.key != rule)


def _fired(state: OpenDeal, rule: StageRule, process: Process, context: Context) -> list[Any]:
    """The fact that a rule fired, with the work that is due by it, and the flexible node that it adds."""
    stage = process.definition.stage(state.stage)
    known = {node.key for node in state.nodes}
    bound = {node.key for node in state.flexible_nodes}
    flexible = next((node for node in process.definition.flexible_nodes if node.key == rule.task), None)
    nodes = tuple(
        due_node(kind, node, stage.max_days, context.today, context.company)
        for kind, node in work_of(stage)
        if node.key == rule.task and node.key not in known
    )
    fired = DealRuleFired(
        deal_id=state.id,
        stage=stage.key,
        rule=rule.key,
        firing_id=context.derived_id(f"rule {state.id} {stage.key} {rule.key}"),
        name=rule.name,
        trigger=rule.on,
        on=context.today,
        nodes=nodes,
        flexible_node=flexible.key if flexible else None,
        support_type=rule.support,
        notify=rule.notify or None,
        template=rule.template,
    )
    if flexible is None or flexible.key in bound:
        return [fired]
    node = added(state, flexible, process, context.company, role=str(Role.SERVICE), on=context.today)
    return [fired, replace(node, rule=rule.key)]


def _readiness(
    state: OpenDeal, process: Process, conversion: Conversion, today: date
) -> list[DealReadyToMoveOn | DealReadinessWithdrawn]:
    """The fact that a deal became ready to move on, or is it no more; nothing where that is known."""
    is_ready = _is_ready(state, process, conversion, today)
    if is_ready == (state.ready_on is not None):
        return []
    if not is_ready:
        return [DealReadinessWithdrawn(deal_id=state.id, stage=state.stage, on=today)]
    index = process.definition.index(state.stage)
    stage, *following = process.definition.stages[index:]
    return [
        DealReadyToMoveOn(
            deal_id=state.id,
            stage=state.stage,
            next_stage=following[0].key if following else None,
            by_itself=stage.moves == "by-itself" and bool(following) and not state.brought_back,
            on=today,
        )
    ]


def _is_ready(state: OpenDeal, process: Process, conversion: Conversion, today: date) -> bool:
    """Whether the gates ahead ask for something, and all of that is met or waived."""
    gates = gates_ahead(state, process.definition)
    return ask_for_something(gates) and passes(state, facts_of(state, process, conversion), today, *gates)
