"""Flexible nodes: optional parts of a process that somebody adds to one deal, and that bind it from then on
(DEAL-4)."""

from dataclasses import replace
from datetime import date
from typing import Any, ClassVar

from services.deals.domain.deal.nodes import with_due
from services.deals.domain.deal.state import AddedNode, AnyDeal, Deal, OpenDeal, bound_by, deal, written
from services.deals.domain.deal.submission import without_work
from services.deals.domain.process.due import due_node
from services.deals.domain.process.state import Process
from shared.domain.aggregate import Decision
from shared.domain.context import Actor, Company, Context
from shared.domain.fields import Text
from shared.domain.rejection import Reason, Rejected, refuse_all
from shared.domain.roles import SELLING, Role
from shared.events.criteria import Key
from shared.events.deals.deal_gates import DealFlexibleNodeAdded, DealFlexibleNodeRemoved
from shared.events.definition import value
from shared.events.process import FlexibleNode, work_of

IN_ANY_CASE = (Role.SALES_DIRECTOR, Role.SALES_OPERATIONS, Role.ADMIN, Role.SERVICE)
"""Who adds nodes whatever role the process names; of several the first is the one by which it was done."""


@value
class AddFlexibleNode:
    """A flexible node of the process is part of this deal."""

    key: Key
    """The flexible node, by its key in the deal's process."""
    reason: Text

    example: ClassVar[dict[str, Any]] = {
        "key": "custom-solution-approval",
        "reason": "The customer wants the line controlled by their own system, which we have never done.",
    }


@value
class RemoveFlexibleNode:
    """A flexible node is no part of the deal any more."""

    key: Key
    reason: Text

    example: ClassVar[dict[str, Any]] = {
        "key": "custom-solution-approval",
        "reason": "They take our standard controller.",
    }


def _is_begun(state: Deal, key: str) -> list[str]:
    """The work of a flexible node that is done on a deal, by its keys."""
    return [node.key for node in state.nodes if node.flexible_node == key and node.evidence is not None]


def _is_removable(state: OpenDeal, actor: Actor) -> None:
    """Refuse where no flexible node binds the deal of which nothing is done."""
    if all(_is_begun(state, added.key) for added in state.flexible_nodes):
        raise Rejected("no-flexible-node", "No flexible node binds the deal of which nothing is done.")


@deal.decides(allow=SELLING)
def add_flexible_node(state: OpenDeal, command: AddFlexibleNode, context: Context, process: Process) -> Decision:
    """Add a flexible node of the process: from now on its tasks are due, and its criteria bind this deal.

    It belongs to the stage in which the deal stands, which is not left before the node's exit criteria are met.
    """
    node = _known(process, command.key)
    role = _role(node, context.actor)
    refuse_all("invalid-flexible-node", f"{node.name!r} cannot be added now.", _faults(state, node, role, process))
    return [added(state, node, process, context.company, role=str(role), on=context.today, reason=command.reason)]


@deal.decides(allow=SELLING, guard=_is_removable)
def remove_flexible_node(state: OpenDeal, command: RemoveFlexibleNode, context: Context, process: Process) -> Decision:
    """Take a flexible node back, as long as nothing of it is completed."""
    node = next((node for _, node in bound_by(state, process.definition) if node.key == command.key), None)
    if node is None:
        bound = ", ".join(each.key for each in state.flexible_nodes)
        raise Rejected("not-added", f"The deal has the flexible nodes {bound or 'none'}.", field="key")
    reasons = _not_by(node) if _role(node, context.actor) is None else []
    if done := _is_begun(state, node.key):
        message = f"{', '.join(done)} of {node.name!r} is completed."
        reasons.append(Reason(code="already-begun", message=message, field="key"))
    refuse_all("invalid-flexible-node", f"{node.name!r} cannot be taken back.", reasons)
    return [
        DealFlexibleNodeRemoved(
            deal_id=state.id,
            key=node.key,
            nodes=tuple(each.key for _, each in work_of(node)),
            on=context.today,
            reason=command.reason,
        )
    ]


@deal.already
def is_added(state: AnyDeal, command: AddFlexibleNode) -> bool:
    return any(added.key == command.key for added in state.flexible_nodes)


@deal.already
def is_removed(state: AnyDeal, command: RemoveFlexibleNode) -> bool:
    return command.key in state.removed_nodes


@deal.evolves
def node_added(state: OpenDeal, event: DealFlexibleNodeAdded) -> OpenDeal:
    node = AddedNode(key=event.key, stage=event.stage, role=event.role, on=event.on, by_rule=event.rule)
    return replace(
        state,
        flexible_nodes=(*_others(state, event.key), node),
        removed_nodes=tuple(key for key in state.removed_nodes if key != event.key),
        nodes=with_due(state.nodes, event.stage, event.nodes, flexible_node=event.key, rule=event.rule),
        written=written(state, event.reason),
    )


@deal.evolves
def node_removed(state: OpenDeal, event: DealFlexibleNodeRemoved) -> OpenDeal:
    return replace(
        state,
        flexible_nodes=_others(state, event.key),
        removed_nodes=(*state.removed_nodes, event.key),
        nodes=tuple(node for node in state.nodes if node.flexible_node != event.key),
        submissions=without_work(state.submissions, event.nodes),
        written=written(state, event.reason),
    )


def added(
    state: OpenDeal,
    node: FlexibleNode,
    process: Process,
    company: Company,
    *,
    role: str,
    on: date,
    reason: str | None = None,
) -> DealFlexibleNodeAdded:
    """The fact that a flexible node binds a deal; the days of its work run from this day on."""
    stage = process.definition.stage(state.stage)
    return DealFlexibleNodeAdded(
        deal_id=state.id,
        key=node.key,
        name=node.name,
        stage=state.stage,
        role=role,
        nodes=tuple(due_node(kind, each, stage.max_days, on, company) for kind, each in work_of(node)),
        on=on,
        reason=reason,
    )


def _others(state: Deal, key: str) -> tuple[AddedNode, ...]:
    return tuple(each for each in state.flexible_nodes if each.key != key)


def _known(process: Process, key: str) -> FlexibleNode:
    nodes = {node.key: node for node in process.definition.flexible_nodes}
    if key not in nodes:
        message = f"The process has the flexible nodes {', '.join(nodes) or 'none'}."
        raise Rejected("unknown-flexible-node", message, field="key")
    return nodes[key]


def _role(node: FlexibleNode, actor: Actor) -> Role | None:
    """The role by which somebody adds a node, or takes it back; None where they may not."""
    return next((role for role in (Role(node.added_by), *IN_ANY_CASE) if role in actor.roles), None)


def _faults(state: OpenDeal, node: FlexibleNode, role: Role | None, process: Process) -> list[Reason]:
    reasons = _not_by(node) if role is None else []
    if state.stage not in node.stages:
        names = ", ".join(process.definition.stage(key).name for key in node.stages)
        message = f"{node.name!r} belongs to the stages {names}."
        reasons.append(Reason(code="other-stage", message=message, field="key"))
    return reasons


def _not_by(node: FlexibleNode) -> list[Reason]:
    message = f"{node.name!r} is added and taken back by the role {node.added_by}."
    return [Reason(code="other-role", message=message, field="key")]
