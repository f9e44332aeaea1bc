"""The read model of tasks and deliverables: what was due when and where, and when it was done (FC-7, DEAL-2)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.forecast.counting.lives import Lives, of_events
from services.forecast.counting.marks import Mark, Marked, Place, projection_of
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

DUE, COMPLETED = "nodes-due", "nodes-completed"
"""Required work that fell due, and what of it is done, in time or later."""
PROPOSAL_DUE, PROPOSAL_ON_TIME = "proposals-due", "proposals-on-time"
"""Work that is a proposal and fell due, and what of it was done by then."""
SORTS = (DUE, COMPLETED, PROPOSAL_DUE, PROPOSAL_ON_TIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Work that was to be done at a stage. It fell due at the end of its day, or when the stage was left before."""

    place: Place
    kind: str
    key: str
    required: bool
    proposal: bool = False
    due: datetime
    done: datetime | None = None
    ended: datetime | None = None
    """When it was taken back, where it had fallen due before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The work on a deal."""

    place: Place
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
        place = Place(process_id=event.process_id, version=event.process_version, stage=event.stage)
        return _entered(Work(place=place, nodes=()), event.stage, event.nodes, company)
    after = state
    match event:
        case _ if state is None:
            pass
        case DealReopened():
            after = replace(state, is_open=True)
        case DealWon() | DealLost() | DealAbandoned():
            after = replace(_left(state, moment), is_open=False)
        case DealMoved(stage=stage, nodes=nodes) if state.is_open and stage != state.place.stage:
            left = _left(state, moment)
            after = _entered(replace(left, place=replace(state.place, stage=stage)), stage, nodes, company)
        case DealMigrated() if state.is_open:
            after = _migrated(state, event, moment, company)
        case DealFlexibleNodeAdded(stage=stage, nodes=nodes) | DealRuleFired(stage=stage, nodes=nodes) if state.is_open:
            after = _entered(state, stage, nodes, company)
        case DealFlexibleNodeRemoved(nodes=keys) if state.is_open:
            after = replace(state, nodes=tuple(_removed(state, keys, moment)))
        case DealNodeCompleted(kind=kind, key=key) if state.is_open:
            after = _done(state, kind, key, moment)
    return after


def _removed(state: Work, keys: tuple[str, ...], moment: datetime) -> Iterator[Node]:
    """The work that stays. What was not done never falls due, and what had fallen due before counts until then."""
    for node in state.nodes:
        if node.key not in keys or node.done or node.ended:
            yield node
        elif node.due <= moment:
            yield replace(node, ended=moment)


def _done(state: Work, kind: str, key: str, moment: datetime) -> Work:
    nodes = (
        replace(node, done=moment) if (node.kind, node.key, node.done, node.ended) == (kind, key, None, None) else node
        for node in state.nodes
    )
    return replace(state, nodes=tuple(nodes), done=(*state.done, (kind, key, moment)))


def _left(state: Work, moment: datetime) -> Work:
    stage = state.place.stage
    nodes = (replace(node, due=min(node.due, moment)) if node.place.stage == stage else node for node in state.nodes)
    return replace(state, nodes=tuple(nodes))


def _entered(state: Work, stage: str, due: tuple[DueNode, ...], company: Company) -> Work:
    """What falls due in a stage; what fell due before does not again."""
    known = {(node.kind, node.key) for node in state.nodes if node.ended is None}
    done = {(kind, key): moment for kind, key, moment in reversed(state.done)}
    new = (
        Node(
            place=replace(state.place, stage=stage),
            kind=node.kind,
            key=node.key,
            required=node.required,
            proposal=node.proposal,
            due=company.end_of(node.due),
            done=done.get((node.kind, node.key)),
        )
        for node in due
        if (node.kind, node.key) not in known
    )
    return replace(state, nodes=(*state.nodes, *new))


def _migrated(state: Work, event: DealMigrated, moment: datetime, company: Company) -> Work:
    """The work of a deal that goes over to another version. What had fallen due before stays what it was; of the rest,
    what was dropped never falls due, and where a later version has it, it is to be done anew."""
    place = Place(process_id=event.process_id, version=event.process_version, stage=event.stage)
    carried = {(each.kind, each.key): each for each in event.carried}
    dropped = {(each.kind, each.key) for each in event.dropped}
    kept = (
        node
        if node.due <= moment or (found := carried.get((node.kind, node.key))) is None
        else _as_carried(node, found, place)
        for node in state.nodes
        if node.due <= moment or (node.kind, node.key) not in dropped
    )
    done = tuple(each for each in state.done if each[:2] not in dropped)
    return _entered(replace(state, place=place, nodes=tuple(kept), done=done), event.stage, event.nodes, company)


def _as_carried(node: Node, carried: CarriedNode, place: Place) -> Node:
    there = replace(place, stage=carried.stage)
    return replace(node, place=there, required=carried.required, proposal=carried.proposal)


def marks(state: Work) -> Iterator[Mark]:
    """What fell due, or will; and what of it is done, which counts from then on where it fell due."""
    for node in state.nodes:
        if node.required:
            yield _mark(DUE, node, node.due)
        if node.required and node.done:
            yield _mark(COMPLETED, node, max(node.due, node.done))
        if node.proposal:
            yield _mark(PROPOSAL_DUE, node, node.due)
        if node.proposal and node.done and node.done <= node.due:
            yield _mark(PROPOSAL_ON_TIME, node, node.due)


def _mark(sort: str, node: Node, start: datetime) -> Mark:
    return Mark(sort=sort, place=node.place, of=node.due, start=start, end=node.ended)


def _whose(event: Any) -> tuple[UUID | None, UUID | None] | None:
    match event:
        case DealOpened(team=team, owner=owner) | DealHandedOver(team=team, owner=owner):
            return team, owner
    return None


EXECUTION = Marked(
    projection="nodes",
    version=6,
    lives=Lives(aggregate="deal", events=FACTS, state=Work, follow=of_events(follow), whose=_whose),
    marks=marks,
)
"""Tasks and deliverables that fell due, and were done."""

PROJECTION = projection_of(EXECUTION)
