"""Validation of a process as data: everything that is wrong with it, each with its position (PROC-3)."""

from collections.abc import Iterator, Mapping, Sequence

from services.deals.domain.facts import (
    APPROVAL_CRITERION,
    DERIVED,
    approvable_exits,
    approved_fact,
    chain_vocabulary,
    vocabulary,
)
from services.deals.domain.process.journey_faults import journey_faults, unknown_buyer_stage, unknown_role
from services.deals.domain.process.rule_faults import outside_faults, rule_faults
from shared.domain.approval.chain import four_eyes_faults
from shared.domain.criteria import blank, comparisons, criteria_faults, misspelt, repeated, required
from shared.domain.rejection import Reason
from shared.domain.roles import MACHINERY, SELLING, Role
from shared.events.criteria import Criterion
from shared.events.process import FlexibleNode, Node, ProcessDefinition, Stage, StageOutline, work_of

CATEGORIES = ("omitted", "pipeline", "best-case", "commit")
"""The forecast categories that a stage or a judgement can have (DEAL-10)."""

ADDING = tuple(role.value for role in Role if role in SELLING and role not in MACHINERY)
"""The roles that may add a flexible node: those who carry a sale."""

ROOT = "definition"
Placed = tuple[str, str]
"""A position in the command, and what stands there."""


def faults(definition: ProcessDefinition) -> Iterator[Reason]:
    """What is wrong with a process as data."""
    stages = list(_stages(definition))
    flexible = [(f"{ROOT}.flexible_nodes.{index}", node) for index, node in enumerate(definition.flexible_nodes)]
    parts: list[tuple[str, StageOutline | FlexibleNode]] = [*stages, *flexible]
    nodes = [placed for where, part in parts for placed in _nodes(part, where)]
    facts = [(f"{ROOT}.facts.{index}.key", fact.key) for index, fact in enumerate(definition.facts)]
    groups = (
        [(f"{where}.key", stage.key) for where, stage in stages],
        [*((f"{at}.key", key) for at, key in nodes), *((f"{where}.key", node.key) for where, node in flexible)],
        facts,
    )
    yield from misspelt([(f"{ROOT}.key", definition.key), *(placed for group in groups for placed in group)])
    for group in groups:
        yield from repeated(group)
    yield from blank(_names(definition, stages, flexible))
    for index, fact in enumerate(definition.facts):
        if fact.key in DERIVED or "." in fact.key:
            message = f"{fact.key} is the name of a derived fact."
            yield Reason(code="reserved-name", message=message, field=f"{ROOT}.facts.{index}.key")
    for where, stage in stages:
        yield from _outline_faults(stage, where)
    known = vocabulary(definition)
    places = {key: index for index, stage in enumerate(definition.stages) for key in _asked_of(stage)}
    for index in range(len(definition.stages)):
        yield from _stage_faults(definition, index, known, places)
    for where, stage in stages:
        if not isinstance(stage, Stage):
            yield from _ungated(stage, where)
    yield from outside_faults(definition, ROOT)
    yield from journey_faults(definition, ROOT)
    for where, node in flexible:
        yield from _flexible_faults(node, where, definition, known, places)


def _stages(definition: ProcessDefinition) -> Iterator[tuple[str, StageOutline]]:
    """Every stage in order, with its position."""
    for name in ("lead_stages", "stages", "contract_stages"):
        group: Sequence[StageOutline] = getattr(definition, name)
        yield from ((f"{ROOT}.{name}.{index}", stage) for index, stage in enumerate(group))


def _nodes(stage: StageOutline | FlexibleNode, where: str) -> Iterator[Placed]:
    """Where the tasks and deliverables of a stage or a flexible node stand, and their keys."""
    for kind, group in (("tasks", stage.tasks), ("deliverables", stage.deliverables)):
        yield from ((f"{where}.{kind}.{index}", node.key) for index, node in enumerate(group))


def _asked_of(part: StageOutline | FlexibleNode) -> Iterator[str]:
    """The derived facts that follow from the work of a stage or a flexible node, and from the approvals of both."""
    yield from (f"{kind}.{node.key}" for kind, node in work_of(part))
    yield from (each.fact for each in approvable_exits(part))


def _names(
    definition: ProcessDefinition,
    stages: Sequence[tuple[str, StageOutline]],
    flexible: Sequence[tuple[str, FlexibleNode]],
) -> Iterator[Placed]:
    """Every name in a process, with its position."""
    yield f"{ROOT}.name", definition.name
    yield from ((f"{ROOT}.facts.{index}.name", fact.name) for index, fact in enumerate(definition.facts))
    for where, stage in stages:
        yield f"{where}.name", stage.name
        for kind in ("tasks", "deliverables", "support"):
            yield from ((f"{where}.{kind}.{place}.name", each.name) for place, each in enumerate(getattr(stage, kind)))
    for where, part in flexible:
        yield f"{where}.name", part.name
        for kind in ("tasks", "deliverables"):
            yield from ((f"{where}.{kind}.{place}.name", each.name) for place, each in enumerate(getattr(part, kind)))


def _outline_faults(stage: StageOutline, where: str) -> Iterator[Reason]:
    """Roles that nobody has, support that is said twice, a stage of the buyer that there is not, and deliverables of
    tasks that the stage does not have."""
    keys = [(f"{where}.support.{index}.key", each.key) for index, each in enumerate(stage.support)]
    yield from misspelt(keys)
    yield from repeated(keys)
    for at, role in _roles(stage, where):
        yield from unknown_role(role, at)
    if stage.buyer_stage is not None:
        yield from unknown_buyer_stage(stage.buyer_stage, f"{where}.buyer_stage")
    yield from _deliverable_faults(stage, where)


def _deliverable_faults(part: StageOutline | FlexibleNode, where: str) -> Iterator[Reason]:
    known = [node.key for node in part.deliverables]
    what = "flexible node" if isinstance(part, FlexibleNode) else "stage"
    for index, task in enumerate(part.tasks):
        if task.deliverable is not None and task.deliverable not in known:
            message = f"The {what} has no deliverable {task.deliverable!r}; it has {', '.join(known) or 'none'}."
            yield Reason(code="unknown-deliverable", message=message, field=f"{where}.tasks.{index}.deliverable")
    for index, node in enumerate(part.deliverables):
        if node.deliverable is not None:
            message = "Only a task brings a deliverable about."
            yield Reason(code="not-a-task", message=message, field=f"{where}.deliverables.{index}.deliverable")


def _roles(stage: StageOutline, where: str) -> Iterator[Placed]:
    yield f"{where}.responsible", stage.responsible
    if stage.accountable is not None:
        yield f"{where}.accountable", stage.accountable
    for part in ("supporting", "informed"):
        yield from ((f"{where}.{part}.{index}", role) for index, role in enumerate(getattr(stage, part)))
    yield from ((f"{where}.support.{index}.department", each.department) for index, each in enumerate(stage.support))


def _stage_faults(
    definition: ProcessDefinition, index: int, known: Mapping[str, str], places: Mapping[str, int]
) -> Iterator[Reason]:
    """What is wrong with what a stage of deals asks for and does by itself; `places` has the stage in which each
    derived fact of work can come true."""
    where, stage = f"{ROOT}.stages.{index}", definition.stages[index]
    if stage.category not in CATEGORIES:
        message = f"The forecast category is one of {', '.join(CATEGORIES)}."
        yield Reason(code="unknown-category", message=message, field=f"{where}.category")
    yield from _gate_faults(stage.entry, f"{where}.entry", known, places, before=index)
    yield from _gate_faults(stage.exit, f"{where}.exit", known, places, before=index + 1)
    yield from _work_faults(stage, where, known, places, before=index + 1)
    yield from rule_faults(stage, where, definition, known)
    yield from _approval_faults(stage, where, known)


def _approval_faults(of: Stage | Node, where: str, known: Mapping[str, str]) -> Iterator[Reason]:
    """What is wrong with the chain of an exit, and with criteria that are called like what it adds to them."""
    if of.exit_approval is None:
        return
    yield from four_eyes_faults(of.exit_approval, chain_vocabulary(known), f"{where}.exit_approval")
    if not of.exit_approval.steps:
        message = "A chain asks somebody: without one, nobody has to approve."
        yield Reason(code="empty", message=message, field=f"{where}.exit_approval.steps")
    for index, criterion in enumerate(of.exit):
        if criterion.key == APPROVAL_CRITERION:
            message = f"{APPROVAL_CRITERION!r} is the criterion that the exit is approved."
            yield Reason(code="reserved-name", message=message, field=f"{where}.exit.{index}.key")


def _work_faults(
    part: Stage | FlexibleNode, where: str, known: Mapping[str, str], places: Mapping[str, int], *, before: int
) -> Iterator[Reason]:
    for kind, group in (("task", part.tasks), ("deliverable", part.deliverables)):
        for place, node in enumerate(group):
            at = f"{where}.{kind}s.{place}"
            yield from _node_faults(node, f"{kind}.{node.key}", at, known, places, before=before)


def _flexible_faults(
    node: FlexibleNode,
    where: str,
    definition: ProcessDefinition,
    known: Mapping[str, str],
    places: Mapping[str, int],
) -> Iterator[Reason]:
    """What is wrong with a flexible node. Its criteria may ask for its own work, too, and for that of stages up to the
    first in which it may be added: whoever adds it there must be able to go on."""
    keys = [stage.key for stage in definition.stages]
    for place, stage in enumerate(node.stages):
        if stage not in keys:
            message = f"Deals stand in no stage {stage!r}; there are {', '.join(keys)}."
            yield Reason(code="unknown-stage", message=message, field=f"{where}.stages.{place}")
    yield from repeated([(f"{where}.stages.{place}", stage) for place, stage in enumerate(node.stages)])
    if not node.stages:
        message = "It belongs to at least one stage."
        yield Reason(code="empty", message=message, field=f"{where}.stages")
    if node.added_by not in ADDING:
        message = f"A flexible node is added by one of {', '.join(ADDING)}."
        yield Reason(code="unknown-role", message=message, field=f"{where}.added_by")
    if not (node.tasks or node.deliverables or node.exit):
        yield Reason(code="binds-nothing", message="It has neither work nor exit criteria.", field=where)
    yield from _deliverable_faults(node, where)
    own = dict.fromkeys(_asked_of(node), "yes-no")
    facts = {**known, **own}
    before = min((keys.index(stage) for stage in node.stages if stage in keys), default=len(keys)) + 1
    for gate, criteria in (("entry", node.entry), ("exit", node.exit)):
        yield from _gate_faults(criteria, f"{where}.{gate}", facts, places, before=before)
    for index, criterion in enumerate(node.entry):
        for at, comparison in required(criterion.when, f"{where}.entry.{index}.when"):
            if comparison.fact in own and comparison.operator == "is" and comparison.value is True:
                message = f"{comparison.fact} follows from what is begun only once this is so."
                yield Reason(code="asks-for-itself", message=message, field=f"{at}.fact")
    yield from _work_faults(node, where, facts, places, before=before)


def _node_faults(
    node: Node, fact: str, where: str, known: Mapping[str, str], places: Mapping[str, int], *, before: int
) -> Iterator[Reason]:
    for gate, criteria in (("entry", node.entry), ("exit", node.exit)):
        yield from _gate_faults(criteria, f"{where}.{gate}", known, places, before=before)
        for index, criterion in enumerate(criteria):
            for at, comparison in comparisons(criterion.when, f"{where}.{gate}.{index}.when"):
                if comparison.fact in {fact, approved_fact(fact)}:
                    message = f"{comparison.fact} can be so only once this gate is open."
                    yield Reason(code="asks-for-itself", message=message, field=f"{at}.fact")
    yield from _approval_faults(node, where, known)


def _gate_faults(
    criteria: tuple[Criterion, ...], where: str, known: Mapping[str, str], places: Mapping[str, int], *, before: int
) -> Iterator[Reason]:
    """What is wrong with a gate; also that it asks for work of a stage that does not come `before` that index, and so
    could never open."""
    yield from criteria_faults(criteria, known, where)
    for index, criterion in enumerate(criteria):
        for at, comparison in required(criterion.when, f"{where}.{index}.when"):
            wants_it_done = comparison.operator == "is" and comparison.value is True
            if wants_it_done and places.get(str(comparison.fact), -1) >= before:
                message = f"{comparison.fact} is work of a later stage: the gate could never open."
                yield Reason(code="comes-later", message=message, field=f"{at}.fact")


def _ungated(stage: StageOutline, where: str) -> Iterator[Reason]:
    """Gates of work in stages that no deal stands in, and approvals of it: nobody would ever judge them."""
    for kind in ("tasks", "deliverables"):
        for index, node in enumerate(getattr(stage, kind)):
            for gate in ("entry", "exit", "exit_approval"):
                if getattr(node, gate):
                    message = "Only work in the stages of a deal has gates and approvals."
                    yield Reason(code="no-deal-here", message=message, field=f"{where}.{kind}.{index}.{gate}")
