"""The read model of tasks and deliverables: what was due when, and when it was done (FC-7, node completion)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.forecast.counting.cohorts import Cohort, Member, projection_of
from services.forecast.counting.lives import Lives, of_events
from shared.domain.context import Company
from shared.events.deals.deal import (
    DealAbandoned,
    DealHandedOver,
    DealLost,
    DealMoved,
    DealNodeCompleted,
    DealOpened,
    DealReopened,
    DealWon,
    DueNode,
)
from shared.events.deals.deal_automation import DealRuleFired
from shared.events.deals.deal_gates import DealFlexibleNodeAdded, DealFlexibleNodeRemoved
from shared.events.deals.deal_migration import CarriedNode, DealMigrated


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Work that was to be done at a stage. It fell due at the end of its day, or when the stage was left before."""

    stage: str
    kind: str
    key: str
    required: bool
    due: datetime
    done: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The work on a deal."""

    stage: str
    is_open: bool = True
    nodes: tuple[Node, ...]
    done: tuple[tuple[str, str, datetime], ...] = ()
    """Kind, key and time of what was done, whether it was due or not."""


FACTS = (
    DealOpened,
    DealHandedOver,
    DealMoved,
    DealMigrated,
    DealWon,
    DealLost,
    DealAbandoned,
    DealReopened,
    DealNodeCompleted,
    DealFlexibleNodeAdded,
    DealFlexibleNodeRemoved,
    DealRuleFired,
)


def follow(state: Work | None, event: Any, moment: datetime, company: Company) -> Work | None:
    """The work after one more fact: leaving a stage, or the end of the deal, makes due what is left of it."""
    if isinstance(event, DealOpened):
        return _entered(Work(stage=event.stage, nodes=()), event.stage, event.nodes, company)
    after = state
    match event:
        case _ if state is None:
            pass
        case DealReopened():
            after = replace(state, is_open=True)
        case DealWon() | DealLost() | DealAbandoned():
            after = replace(_left(state, moment), is_open=False)
        case DealMoved(stage=stage, nodes=nodes) if state.is_open and stage != state.stage:
            after = replace(_entered(_left(state, moment), stage, nodes, company), stage=stage)
        case DealMigrated(stage=stage) if state.is_open:
            after = replace(_migrated(state, event, moment, company), stage=stage)
        case DealFlexibleNodeAdded(stage=stage, nodes=nodes) | DealRuleFired(stage=stage, nodes=nodes) if state.is_open:
            after = _entered(state, stage, nodes, company)
        case DealFlexibleNodeRemoved(nodes=keys) if state.is_open:
            after = replace(state, nodes=tuple(node for node in state.nodes if node.done or node.key not in keys))
        case DealNodeCompleted(kind=kind, key=key) if state.is_open:
            after = _done(state, kind, key, moment)
    return after


def _done(state: Work, kind: str, key: str, moment: datetime) -> Work:
    nodes = (
        replace(node, done=moment) if (node.kind, node.key, node.done) == (kind, key, None) else node
        for node in state.nodes
    )
    return replace(state, nodes=tuple(nodes), done=(*state.done, (kind, key, moment)))


def _left(state: Work, moment: datetime) -> Work:
    nodes = (replace(node, due=min(node.due, moment)) if node.stage == state.stage else node for node in state.nodes)
    return replace(state, nodes=tuple(nodes))


def _entered(state: Work, stage: str, due: tuple[DueNode, ...], company: Company) -> Work:
    """What falls due in a stage; what fell due before does not again."""
    known = {(node.kind, node.key) for node in state.nodes}
    done = {(kind, key): moment for kind, key, moment in reversed(state.done)}
    new = (
        Node(
            stage=stage,
            kind=node.kind,
            key=node.key,
            required=node.required,
            due=company.end_of(node.due),
            done=done.get((node.kind, node.key)),
        )
        for node in due
        if (node.kind, node.key) not in known
    )
    return replace(state, nodes=(*state.nodes, *new))


def _migrated(state: Work, event: DealMigrated, moment: datetime, company: Company) -> Work:
    """The work of a deal that goes over to another version. What had fallen due before stays what it was; of the rest,
    what was dropped never falls due."""
    carried = {(each.kind, each.key): each for each in event.carried}
    dropped = {(each.kind, each.key) for each in event.dropped}
    kept = (
        node
        if node.due <= moment or (found := carried.get((node.kind, node.key))) is None
        else _as_carried(node, found)
        for node in state.nodes
        if node.due <= moment or (node.kind, node.key) not in dropped
    )
    return _entered(replace(state, nodes=tuple(kept)), event.stage, event.nodes, company)


def _as_carried(node: Node, carried: CarriedNode) -> Node:
    return replace(node, stage=carried.stage, required=carried.required)


def _members(state: Work) -> Iterator[Member]:
    for node in state.nodes:
        if node.required:
            yield Member(entered=node.due, reached=node.done)


def _whose(event: Any) -> tuple[UUID | None, UUID | None] | None:
    match event:
        case DealOpened(team=team, owner=owner) | DealHandedOver(team=team, owner=owner):
            return team, owner
    return None


COMPLETION = Cohort(
    projection="nodes",
    version=5,
    lives=Lives(aggregate="deal", events=FACTS, state=Work, follow=of_events(follow), whose=_whose),
    members=_members,
)
"""Required tasks and deliverables that fell due, and were done."""

PROJECTION = projection_of(COMPLETION)
