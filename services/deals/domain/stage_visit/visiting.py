"""How a lead or a contract enters a stage outside of deals, what its process does there by itself, and how it leaves it
(PROC-1).

Nothing is recorded of a stage that does nothing by itself: a visit is there for what comes of it.
"""

from dataclasses import replace
from typing import Any

from services.deals.domain.process.due import due_node, time_of
from services.deals.domain.process.state import Process
from services.deals.domain.stage_visit.state import (
    AnyStageVisit,
    EndedStageVisit,
    FiredVisitRule,
    NoStageVisit,
    OpenStageVisit,
    OutsideProcess,
    StageVisit,
    is_done,
    stage_of,
    stage_visit,
    with_due,
)
from shared.domain.aggregate import Decision, Timer, carried
from shared.domain.context import Context
from shared.domain.references import ContractId, DealId, LeadId, MemberId, TeamId
from shared.domain.roles import ONLY_SERVICES
from shared.events.deals.deal import DueNode, PlannedRule
from shared.events.deals.stage_visit import (
    StageVisitBegun,
    StageVisitEnded,
    StageVisitRuleFired,
    StageVisitRuleLapsed,
)
from shared.events.definition import value
from shared.events.process import (
    LEAD_MILESTONES,
    ContractMilestone,
    LeadMilestone,
    OutsideRule,
    OutsideStage,
    work_of,
)


@value
class BeginLeadStage:
    """Something happened to a lead by which it may enter a stage."""

    lead_id: LeadId
    begins: LeadMilestone
    name: str = ""
    owner: MemberId | None = None
    team: TeamId | None = None
    industry: str | None = None


@value
class BeginContractStage:
    """Something happened to a contract by which it may enter a stage."""

    contract_id: ContractId
    deal_id: DealId
    begins: ContractMilestone


@value
class RunDueRules:
    """Do what the timers of the stage say whose time has come."""


@value
class LeaveForNext:
    """Something happened to the lead by which it may enter a later stage."""

    begins: LeadMilestone


@value
class EndVisit:
    """The lead has ended."""

    cause: str


@stage_visit.decides(allow=ONLY_SERVICES)
def begin_lead_stage(
    state: NoStageVisit, command: BeginLeadStage, context: Context, outside: OutsideProcess
) -> Decision:
    """Have a lead enter the stage that begins with what happened; one that was in a later stage stays there."""
    later = LEAD_MILESTONES[LEAD_MILESTONES.index(command.begins) + 1 :]
    if outside.process is None or outside.begun.intersection(later):
        return []
    stage = _beginning(outside.process.definition.lead_stages, command.begins)
    if stage is None:
        return []
    told: dict[str, Any] = {
        "subject": "lead",
        "lead_id": command.lead_id,
        "contract_id": None,
        "deal_id": None,
        "name": command.name or outside.name,
        "owner": command.owner,
        "team": command.team,
        "account_id": None,
    }
    return _entered(stage, outside.process, command.begins, context, told)


@stage_visit.decides(allow=ONLY_SERVICES)
def begin_contract_stage(
    state: NoStageVisit, command: BeginContractStage, context: Context, outside: OutsideProcess
) -> Decision:
    """Have a contract enter the stage that begins with what happened; it may stand in another one, too."""
    if outside.process is None or came_to_nothing(outside.status):
        return []
    stage = _beginning(outside.process.definition.contract_stages, command.begins)
    if stage is None:
        return []
    told: dict[str, Any] = {
        "subject": "contract",
        "lead_id": None,
        "contract_id": command.contract_id,
        "deal_id": command.deal_id,
        "name": outside.name,
        "owner": outside.owner,
        "team": outside.team,
        "account_id": outside.account_id,
    }
    entered = _entered(stage, outside.process, command.begins, context, told)
    return [*entered, *ending(state, entered, stage, context)]


@stage_visit.decides(allow=ONLY_SERVICES)
def run_due_rules(state: OpenStageVisit, command: RunDueRules, context: Context, outside: OutsideProcess) -> Decision:
    """Do what the timers of the stage say whose time has come; where the work is done that they ask about or call for,
    they lapse."""
    assert outside.process is not None
    stage = stage_of(state, outside.process)
    rules = {rule.key: rule for rule in stage.rules}
    decided: list[Any] = []
    for planned in state.rules:
        rule = rules[planned.key]
        if planned.due is None or planned.due > context.now:
            continue
        if is_done(state, rule.unless) or is_done(state, rule.task):
            decided.append(
                StageVisitRuleLapsed(stage_visit_id=state.id, stage=state.stage, rule=rule.key, on=context.today)
            )
        else:
            decided.append(_fired(state, stage, rule, context))
    return [*decided, *ending(state, decided, stage, context)]


@stage_visit.decides(allow=ONLY_SERVICES)
def leave_for_next(
    state: NoStageVisit | AnyStageVisit, command: LeaveForNext, context: Context, outside: OutsideProcess
) -> Decision:
    """End the visit of a lead whose process has a stage that begins with what happened."""
    if not isinstance(state, OpenStageVisit) or outside.process is None:
        return []
    goes_on = _beginning(outside.process.definition.lead_stages, command.begins) is not None
    return [left(state, "next-stage", context)] if goes_on else []


@stage_visit.decides(allow=ONLY_SERVICES)
def end_visit(state: NoStageVisit | AnyStageVisit, command: EndVisit, context: Context) -> Decision:
    """End a visit with its lead."""
    return [left(state, command.cause, context)] if isinstance(state, OpenStageVisit) else []


@stage_visit.already
def is_begun(state: AnyStageVisit, command: BeginLeadStage | BeginContractStage) -> bool:
    return True


@stage_visit.evolves
def begun(state: NoStageVisit, event: StageVisitBegun) -> OpenStageVisit:
    return OpenStageVisit(
        id=event.stage_visit_id,
        subject=event.subject,
        begins=event.begins,
        lead_id=event.lead_id,
        contract_id=event.contract_id,
        deal_id=event.deal_id,
        name=event.name,
        process_id=event.process_id,
        process_version=event.process_version,
        stage=event.stage,
        roles=event.roles,
        begun_on=event.on,
        nodes=with_due((), event.nodes),
        rules=event.rules,
        fired_rules=(),
        written=False,
        owner=event.owner,
        team=event.team,
        account_id=event.account_id,
    )


@stage_visit.evolves
def rule_fired(state: OpenStageVisit, event: StageVisitRuleFired) -> OpenStageVisit:
    told = FiredVisitRule(
        key=event.rule, name=event.name, trigger=event.trigger, on=event.on, notified=bool(event.notify)
    )
    return replace(
        state,
        rules=_without(state, event.rule),
        fired_rules=(*state.fired_rules, told),
        nodes=with_due(state.nodes, event.nodes, event.rule),
    )


@stage_visit.evolves
def rule_lapsed(state: OpenStageVisit, event: StageVisitRuleLapsed) -> OpenStageVisit:
    return replace(state, rules=_without(state, event.rule))


@stage_visit.evolves
def ended(state: OpenStageVisit, event: StageVisitEnded) -> EndedStageVisit:
    held = carried(state, StageVisit) | {"rules": ()}
    return EndedStageVisit(**held, cause=event.cause, ended_on=event.on)


@stage_visit.timer
def stage_rule(state: OpenStageVisit) -> Timer | None:
    """One for whichever rule of the stage has its time first."""
    due = [rule.due for rule in state.rules if rule.due is not None]
    return Timer(due=min(due), command=RunDueRules()) if due else None


def came_to_nothing(status: str) -> bool:
    """Whether a deal has ended without being won: nothing is done in the stages of its contract."""
    return status in {"lost", "abandoned"}


def _fired(state: OpenStageVisit, stage: OutsideStage, rule: OutsideRule, context: Context) -> StageVisitRuleFired:
    """The fact that a rule fired, with the work that is due by it."""
    return StageVisitRuleFired(
        stage_visit_id=state.id,
        subject=state.subject,
        subject_id=state.subject_id,
        stage=stage.key,
        rule=rule.key,
        firing_id=context.derived_id(f"rule {state.id} {rule.key}"),
        name=rule.name,
        trigger=rule.on,
        on=context.today,
        nodes=tuple(each for each in _due(stage, context) if each.key == rule.task),
        notify=rule.notify or None,
        template=rule.template,
    )


def ending(
    state: NoStageVisit | OpenStageVisit, decided: list[Any], stage: OutsideStage, context: Context
) -> list[StageVisitEnded]:
    """That a contract has left the stage, once what was decided leaves nothing to do there: no timer waits, what fell
    due is done, and so is whatever the stage requires, be it due by a day or not. A lead leaves it for the next one, or
    with its end.

    What a rule tells along with that stays to be read; it would be gone as it comes.
    """
    for event in decided:
        state = stage_visit.evolve(state, event)
    if not decided or not isinstance(state, OpenStageVisit) or state.subject != "contract":
        return []
    asked_for = {node.key for _, node in work_of(stage) if node.required} | {node.key for node in state.nodes}
    is_over = not state.rules and all(is_done(state, key) for key in asked_for)
    told = any(isinstance(each, StageVisitRuleFired) for each in decided)
    return [left(state, "done", context, ends_notices=not told)] if is_over else []


def _entered(stage: OutsideStage, process: Process, begins: str, context: Context, told: dict[str, Any]) -> list[Any]:
    """The fact that a stage was entered, and what happens on entry; nothing where nothing comes of it."""
    visit = context.aggregate_id
    called_for = {rule.task for rule in stage.rules}
    nodes = tuple(each for each in _due(stage, context) if each.key not in called_for)
    if not nodes and not stage.rules:
        return []
    timers = tuple(
        PlannedRule(key=rule.key, due=time_of(rule.after, context.today, context.company))
        for rule in stage.rules
        if rule.after is not None
    )
    first = StageVisitBegun(
        stage_visit_id=visit,
        begins=begins,
        process_id=process.id,
        process_version=process.version,
        stage=stage.key,
        roles=_roles(stage),
        on=context.today,
        nodes=nodes,
        rules=timers,
        **told,
    )
    state = begun(NoStageVisit(), first)
    return [first, *(_fired(state, stage, rule, context) for rule in stage.rules if rule.on == "entry")]


def _beginning(stages: tuple[OutsideStage, ...], begins: str) -> OutsideStage | None:
    return next((stage for stage in stages if stage.begins == begins), None)


def _roles(stage: OutsideStage) -> tuple[str, ...]:
    named = (stage.responsible, stage.accountable, *stage.supporting)
    return tuple(dict.fromkeys(role for role in named if role))


def _due(stage: OutsideStage, context: Context) -> tuple[DueNode, ...]:
    """The work of a stage that has days, as it is due where these run from today on."""
    return tuple(
        due_node(kind, node, stage.max_days, context.today, context.company)
        for kind, node in work_of(stage)
        if node.due_days is not None or stage.max_days is not None
    )


def _without(state: StageVisit, rule: str) -> tuple[PlannedRule, ...]:
    return tuple(each for each in state.rules if each.key != rule)


def left(state: OpenStageVisit, cause: str, context: Context, *, ends_notices: bool = True) -> StageVisitEnded:
    """The fact that a stage was left."""
    return StageVisitEnded(
        stage_visit_id=state.id, stage=state.stage, cause=cause, on=context.today, ends_notices=ends_notices
    )
