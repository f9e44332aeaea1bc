"""How the work of a stage outside of deals is done: by whoever has the lead or the deal, or by the roles of the stage
(PROC-1)."""

from dataclasses import replace
from typing import Annotated, Any, ClassVar

from annotated_types import MaxLen, MinLen

from services.deals.domain.stage_visit.state import (
    AnyStageVisit,
    OpenStageVisit,
    OutsideProcess,
    StageVisit,
    VisitNode,
    is_done,
    stage_of,
    stage_visit,
    with_done,
)
from services.deals.domain.stage_visit.visiting import ending
from shared.domain.aggregate import Decision
from shared.domain.context import Actor, Context
from shared.domain.fields import LongText
from shared.domain.rejection import Rejected
from shared.domain.roles import MANAGING, READING
from shared.events.deals.stage_visit import StageWorkCompleted
from shared.events.definition import value
from shared.events.process import Node, OutsideStage, work_of


@value
class CompleteStageWork:
    """A task is done, or a deliverable is there."""

    key: Annotated[str, MinLen(1), MaxLen(64)]
    """The task or deliverable, by its key in the stage."""
    evidence: LongText
    """What the action standard asks for: what was found out, or where the document is."""

    example: ClassVar[dict[str, Any]] = {
        "key": "start-meeting",
        "evidence": "Held with the plant manager and delivery; minutes in CRM-DOC-311.",
    }


def of_the_stage(state: StageVisit, actor: Actor) -> None:
    """Refuse whoever has no part in the stage."""
    owns = actor.member is not None and actor.member == state.owner
    if not owns and actor.roles.isdisjoint({*state.roles, *MANAGING}):
        named = ", ".join(state.roles)
        raise Rejected("other-role", f"This is done by whose it is, who leads them, or one of the roles {named}.")


@stage_visit.decides(allow=READING, guard=of_the_stage)
def complete_work(
    state: OpenStageVisit, command: CompleteStageWork, context: Context, outside: OutsideProcess
) -> Decision:
    """Complete a task or deliverable of the stage, with its evidence; also before it is due.

    A contract leaves the stage with the last of what it requires.
    """
    assert outside.process is not None
    stage = stage_of(state, outside.process)
    kind, node = _node_of(stage, command.key)
    if is_done(state, node.key):
        message = f"{node.name!r} was completed before, with other evidence or such that was erased."
        raise Rejected("already-completed", message)
    if node.deliverable is not None and not is_done(state, node.deliverable):
        message = f"{node.name!r} brings about the deliverable {node.deliverable}, which is not there yet."
        raise Rejected("deliverable-missing", message, field="key")
    known = next((each for each in state.nodes if each.key == node.key), None)
    done = StageWorkCompleted(
        stage_visit_id=state.id,
        stage=state.stage,
        key=node.key,
        kind=kind,
        required=node.required,
        due=known.due if known else None,
        on=context.today,
        by=context.actor.member,
        evidence=command.evidence,
    )
    return [done, *ending(state, [done], stage, context)]


@stage_visit.already
def is_completed(state: AnyStageVisit, command: CompleteStageWork) -> bool:
    return any(node.key == command.key and node.evidence == command.evidence for node in state.nodes)


@stage_visit.evolves
def work_completed(state: OpenStageVisit, event: StageWorkCompleted) -> OpenStageVisit:
    done = VisitNode(
        key=event.key,
        kind=event.kind,
        required=event.required,
        due=event.due,
        done_on=event.on,
        done_by=event.by,
        evidence=event.evidence,
    )
    return replace(state, nodes=with_done(state.nodes, done), written=state.written or bool(event.evidence))


def _node_of(stage: OutsideStage, key: str) -> tuple[str, Node]:
    """What a piece of work is, and the work; or a refusal that tells the keys there are."""
    every = list(work_of(stage))
    for kind, node in every:
        if node.key == key:
            return kind, node
    keys = ", ".join(node.key for _, node in every) or "none"
    raise Rejected("unknown-work", f"The stage has no task or deliverable {key!r}; it has {keys}.", field="key")
