"""The tasks and deliverables of a deal's stages (DEAL-2)."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, ClassVar

from annotated_types import MaxLen, MinLen

from services.deals.domain.deal.gates import gates_of_work, passage, refuse_passage, refused_before, without_attempts
from services.deals.domain.deal.state import AnyDeal, Deal, DealNode, OpenDeal, bound_by, deal, written
from services.deals.domain.deal.submission import after_completion
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.process.due import due_node, time_of
from services.deals.domain.process.state import Process
from shared.domain.aggregate import Decision
from shared.domain.context import Company, Context
from shared.domain.fields import LongText
from shared.domain.rejection import Reason, Rejected
from shared.domain.roles import SELLING
from shared.events.deals.deal import DealNodeCompleted, DueNode, PlannedRule
from shared.events.definition import value
from shared.events.process import FlexibleNode, Node, Stage, StageRule, work_of

Part = Stage | FlexibleNode
"""What work belongs to."""


@value
class CompleteNode:
    """A task is done, or a deliverable is there."""

    key: Annotated[str, MinLen(1), MaxLen(64)]
    """The task or deliverable, by its key in the deal's process."""
    evidence: LongText
    """What the action standard asks for: what was found out, or where the document is."""

    example: ClassVar[dict[str, Any]] = {
        "key": "first-conversation",
        "evidence": "Six open questions with the plant manager; minutes in CRM-DOC-118.",
    }


@deal.decides(allow=SELLING)
def complete_node(
    state: OpenDeal, command: CompleteNode, context: Context, process: Process, conversion: Conversion
) -> Decision:
    """Complete a task or deliverable of this stage or an earlier one, with its evidence.

    A key action has gates of its own: what has to be so before it is begun and once it is done, and its deliverable.
    Where the process says so, somebody has approved it. All that is unmet is named in one answer.
    """
    stage, kind, node, part = reached_node_of(state, process, command.key, "key")
    refuse_completed(state, node)
    passes = passage(state, process, conversion, context.today, *gates_of_work(part, kind, node))
    reasons = [*_missing(state, part, node), *passes.unmet]
    message = f"{node.name!r} cannot be completed yet."
    refuse_passage(state, kind, node.key, message, reasons, today=context.today)
    done = completed(state, stage, kind, node, command.evidence)
    return [replace(done, waived=passes.waived, refused_before=refused_before(state, kind, node.key))]


@deal.already
def is_completed(state: AnyDeal, command: CompleteNode) -> bool:
    return any(node.key == command.key and node.evidence == command.evidence for node in state.nodes)


@deal.evolves
def node_completed(state: OpenDeal, event: DealNodeCompleted) -> OpenDeal:
    known = next((node for node in state.nodes if node.key == event.key), None)
    done = DealNode(
        key=event.key,
        stage=event.stage,
        kind=event.kind,
        required=event.required,
        due=known.due if known else None,
        evidence=event.evidence,
        flexible_node=known.flexible_node if known else None,
        by_rule=known.by_rule if known else None,
    )
    if known is None:
        nodes = (*state.nodes, done)
    else:
        nodes = tuple(done if node.key == event.key else node for node in state.nodes)
    attempts = without_attempts(state, event.kind, event.key)
    submissions = after_completion(state.submissions, event.kind, event.key)
    return replace(
        state, nodes=nodes, attempts=attempts, submissions=submissions, written=written(state, event.evidence)
    )


def is_done(state: Deal, key: str) -> bool:
    """Whether a task or deliverable is completed."""
    return any(each.key == key and each.evidence is not None for each in state.nodes)


def refuse_completed(state: OpenDeal, node: Node) -> None:
    """Refuse to complete a node again, with other evidence."""
    if is_done(state, node.key):
        raise Rejected(
            "already-completed", f"{node.name!r} was completed before, with other evidence or such that was erased."
        )


def _missing(state: OpenDeal, part: Part, node: Node) -> list[Reason]:
    """Why a task is not done: what it brings about is not there."""
    if node.deliverable is None or any(
        (each.kind, each.key) == ("deliverable", node.deliverable) and each.evidence is not None for each in state.nodes
    ):
        return []
    name = next(each.name for each in part.deliverables if each.key == node.deliverable)
    details = {"deliverable": node.deliverable, "by": {f"deliverable.{node.deliverable}": "complete-node"}}
    return [Reason(code="deliverable-missing", message=f"{name} (deliverable of {node.key})", details=details)]


def completed(state: OpenDeal, stage: Stage, kind: str, node: Node, evidence: str) -> DealNodeCompleted:
    """The fact that a node of a stage is done."""
    known = next((each for each in state.nodes if each.key == node.key), None)
    return DealNodeCompleted(
        deal_id=state.id,
        stage=stage.key,
        key=node.key,
        kind=kind,
        required=node.required,
        evidence=evidence,
        due=known.due if known else None,
    )


def reached_node_of(state: Deal, process: Process, key: str, field: str) -> tuple[Stage, str, Node, Part]:
    """As `node_of`; of a later stage than the deal's, it is refused, too."""
    stage, kind, node, part = node_of(state, process, key, field)
    if process.definition.index(stage.key) > process.definition.index(state.stage):
        message = f"{node.name!r} belongs to the stage {stage.name!r}, which comes later."
        raise Rejected("not-yet-due", message, field=field)
    return stage, kind, node, part


def node_of(state: Deal, process: Process, key: str, field: str = "key") -> tuple[Stage, str, Node, Part]:
    """The stage, the kind (task or deliverable) and the node of a key, and the stage or flexible node that has it; or a
    refusal, of the field that names it, which tells the keys there are for the deal."""
    every = list(_work(state, process))
    for entry in every:
        if entry[2].key == key:
            return entry
    for part in process.definition.flexible_nodes:
        if any(node.key == key for _, node in work_of(part)):
            raise Rejected("not-added", f"{key} belongs to {part.name!r}, which is not part of this deal.", field=field)
    keys = ", ".join(node.key for _, _, node, _ in every)
    raise Rejected("unknown-node", f"The process has no task or deliverable {key!r}; it has {keys}.", field=field)


def _work(state: Deal, process: Process) -> Iterator[tuple[Stage, str, Node, Part]]:
    definition = process.definition
    for stage in definition.stages:
        yield from ((stage, kind, node, stage) for kind, node in work_of(stage))
    for added, part in bound_by(state, definition):
        yield from ((definition.stage(added.stage), kind, node, part) for kind, node in work_of(part))


def due_nodes(stage: Stage, entered: date, company: Company, known: Iterable[DealNode] = ()) -> tuple[DueNode, ...]:
    """The work that falls due because a stage is entered; what fell due at an earlier visit does not again, and what a
    rule of the stage calls for is due once that fires.

    Due the node's number of working days after the entry, by default the stage's max days (DEAL-2).
    """
    before = {node.key for node in known} | {rule.task for rule in stage.rules}
    return tuple(
        due_node(kind, node, stage.max_days, entered, company)
        for kind, node in work_of(stage)
        if node.key not in before
    )


def planned_rules(stage: Stage, entered: date, company: Company) -> tuple[PlannedRule, ...]:
    """What a stage does by itself once it is entered; the time of a timer has come when its working days are over."""
    return tuple(PlannedRule(key=rule.key, due=_due(rule, entered, company)) for rule in stage.rules)


def _due(rule: StageRule, entered: date, company: Company) -> datetime | None:
    return None if rule.after is None else time_of(rule.after, entered, company)


def with_due(
    known: tuple[DealNode, ...],
    stage: str,
    due: Iterable[DueNode],
    *,
    flexible_node: str | None = None,
    rule: str | None = None,
) -> tuple[DealNode, ...]:
    """The nodes of a deal with those that fell due in a stage; what was due before, or done before, stays as it is."""
    before = {node.key for node in known}
    new = (
        DealNode(
            key=node.key,
            stage=stage,
            kind=node.kind,
            required=node.required,
            due=node.due,
            flexible_node=flexible_node,
            by_rule=rule,
        )
        for node in due
        if node.key not in before
    )
    return (*known, *new)
