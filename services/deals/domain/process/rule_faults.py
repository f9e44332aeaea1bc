"""Validation of what stages do by themselves: everything that is wrong with their rules, each with its position
(PROC-1)."""

from collections.abc import Iterator, Mapping, Sequence

from shared.domain.criteria import blank, faults, misspelt, predicate_faults, repeated
from shared.domain.rejection import Reason
from shared.events.process import (
    CONTRACT_MILESTONES,
    LEAD_MILESTONES,
    Node,
    OutsideRule,
    OutsideStage,
    ProcessDefinition,
    Stage,
    StageOutline,
    StageRule,
    work_of,
)

OWNER, MANAGER = "owner", "manager"
PERSONAL = ("rep", MANAGER)
"""Roles of whom one answers for a deal: not everybody who has them is told of it."""


def rule_faults(stage: Stage, where: str, definition: ProcessDefinition, known: Mapping[str, str]) -> Iterator[Reason]:
    """What is wrong with the rules of a stage; `known` has the kinds of the facts that they may ask for."""
    placed = [(f"{where}.rules.{index}", rule) for index, rule in enumerate(stage.rules)]
    yield from _wording_faults(placed)
    for at, rule in placed:
        yield from _trigger_faults(rule, at, known)
        yield from _action_faults(rule, at, stage, definition)


def outside_faults(definition: ProcessDefinition, root: str) -> Iterator[Reason]:
    """What is wrong with what stages of leads and contracts begin with, and with their rules."""
    for name, milestones in (("lead_stages", LEAD_MILESTONES), ("contract_stages", CONTRACT_MILESTONES)):
        before = -1
        stages: tuple[OutsideStage, ...] = getattr(definition, name)
        for index, stage in enumerate(stages):
            where = f"{root}.{name}.{index}"
            if stage.begins is None and stage.rules:
                message = f"Its rules apply once it has begun: say with which of {', '.join(milestones)}."
                yield Reason(code="never-begins", message=message, field=f"{where}.begins")
            elif stage.begins is not None and stage.begins not in milestones:
                message = f"A stage here begins with one of {', '.join(milestones)}."
                yield Reason(code="unknown-begin", message=message, field=f"{where}.begins")
            elif stage.begins is not None:
                place = milestones.index(stage.begins)
                if place <= before:
                    message = f"Each stage begins with another one of {', '.join(milestones)}, in this order."
                    yield Reason(code="out-of-order", message=message, field=f"{where}.begins")
                before = max(place, before)
            yield from _outside_rule_faults(stage, where)


def recipients(stage: StageOutline) -> tuple[str, ...]:
    """Who may be notified in a stage: whose the deal is, who leads them, and the other roles that the stage names."""
    named = (stage.responsible, stage.accountable, *stage.supporting, *stage.informed)
    return (OWNER, MANAGER, *dict.fromkeys(role for role in named if role and role not in PERSONAL))


def _timer_faults(rule: StageRule | OutsideRule, where: str) -> Iterator[Reason]:
    if (rule.after is not None) != (rule.on == "timer"):
        message = "A timer, and nothing else, says after how many working days."
        yield Reason(code="invalid-trigger", message=message, field=f"{where}.after")


def _trigger_faults(rule: StageRule, where: str, known: Mapping[str, str]) -> Iterator[Reason]:
    yield from _timer_faults(rule, where)
    if rule.when is None and rule.on == "fact":
        message = "A fact is awaited: say which."
        yield Reason(code="invalid-trigger", message=message, field=f"{where}.when")
    if rule.when is not None and rule.on == "entry":
        message = "What happens on entry waits for nothing: else it happens on a fact."
        yield Reason(code="invalid-trigger", message=message, field=f"{where}.when")
    if rule.when is not None:
        place = f"{where}.when"
        yield from list(faults(rule.when, place)) or predicate_faults(rule.when, known, place)


def _action_faults(rule: StageRule, where: str, stage: Stage, definition: ProcessDefinition) -> Iterator[Reason]:
    if [bool(rule.task), bool(rule.support), bool(rule.notify)].count(True) != 1:
        message = "A rule has exactly one of task, support and notify."
        yield Reason(code="not-one-action", message=message, field=where)
    if rule.task is not None:
        yield from _task_faults(rule.task, f"{where}.task", stage, definition)
    types = [each.key for each in stage.support]
    if rule.support is not None and rule.support not in types:
        message = f"The stage has no support type {rule.support!r}; it has {', '.join(types) or 'none'}."
        yield Reason(code="unknown-support-type", message=message, field=f"{where}.support")
    yield from _notice_faults(rule, where, stage)


def _notice_faults(rule: StageRule | OutsideRule, where: str, stage: StageOutline) -> Iterator[Reason]:
    if rule.template is not None and not rule.notify:
        message = "A template is told in a notice: say who is notified."
        yield Reason(code="template-for-nobody", message=message, field=f"{where}.template")
    for index, each in enumerate(rule.notify):
        if each not in recipients(stage):
            message = f"Nobody is told as {each!r} in this stage; there are {', '.join(recipients(stage))}."
            yield Reason(code="unknown-recipient", message=message, field=f"{where}.notify.{index}")
    yield from repeated([(f"{where}.notify.{index}", each) for index, each in enumerate(rule.notify)])


def _task_faults(key: str, where: str, stage: Stage, definition: ProcessDefinition) -> Iterator[Reason]:
    own = [node.key for _, node in work_of(stage)]
    flexible = [node.key for node in definition.flexible_nodes if stage.key in node.stages]
    if key not in (*own, *flexible):
        message = f"The stage has no work {key!r}; it has {', '.join((*own, *flexible)) or 'none'}."
        yield Reason(code="unknown-task", message=message, field=where)


def _wording_faults(placed: Sequence[tuple[str, StageRule | OutsideRule]]) -> Iterator[Reason]:
    """What is wrong with the keys and names of rules, and with those of their templates."""
    templates = [(f"{at}.template", rule.template) for at, rule in placed if rule.template is not None]
    keys = [(f"{at}.key", rule.key) for at, rule in placed]
    yield from misspelt([*keys, *((f"{at}.key", template.key) for at, template in templates)])
    yield from repeated(keys)
    names = [(f"{at}.name", rule.name) for at, rule in placed]
    yield from blank([*names, *((f"{at}.name", template.name) for at, template in templates)])


def _outside_rule_faults(stage: OutsideStage, where: str) -> Iterator[Reason]:
    placed = [(f"{where}.rules.{index}", rule) for index, rule in enumerate(stage.rules)]
    yield from _wording_faults(placed)
    work = {node.key: node for _, node in work_of(stage)}
    for at, rule in placed:
        yield from _timer_faults(rule, at)
        if rule.unless is not None and rule.on != "timer":
            message = "What happens on entry waits for nothing: only a timer asks whether work is done."
            yield Reason(code="invalid-trigger", message=message, field=f"{at}.unless")
        if bool(rule.task) == bool(rule.notify):
            yield Reason(code="not-one-action", message="A rule has exactly one of task and notify.", field=at)
        for name, key in (("task", rule.task), ("unless", rule.unless)):
            if key is not None and key not in work:
                message = f"The stage has no work {key!r}; it has {', '.join(work) or 'none'}."
                yield Reason(code="unknown-task", message=message, field=f"{at}.{name}")
        if rule.task in work and _is_never_due(stage, work[rule.task]):
            message = f"{rule.task} has no days, and neither has its stage: say when it is due."
            yield Reason(code="never-due", message=message, field=f"{at}.task")
        yield from _notice_faults(rule, at, stage)
        if stage.begins == "captured" and rule.on == "entry":
            yield from _nobodys_faults(rule, at)


def _nobodys_faults(rule: OutsideRule, where: str) -> Iterator[Reason]:
    """A lead that was captured a moment ago is nobody's yet."""
    for index, each in enumerate(rule.notify):
        if each in (OWNER, MANAGER):
            message = (
                f"A lead that is just captured is nobody's yet, so no {each} is told: name a role, or use a timer."
            )
            yield Reason(code="nobody-yet", message=message, field=f"{where}.notify.{index}")


def _is_never_due(stage: OutsideStage, node: Node) -> bool:
    return node.due_days is None and stage.max_days is None
