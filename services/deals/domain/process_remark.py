"""Feedback on a step of a process, from whoever works with it or is worked with (PROC-5)."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from annotated_types import Ge, Le

from services.deals.domain.remarked_process import AnyProcessId, RemarkedProcess, VersionNumber, step_faults
from shared.domain.aggregate import Aggregate, Decision
from shared.domain.context import Context
from shared.domain.fields import LongText
from shared.domain.references import DealId
from shared.domain.rejection import Reason, refuse_all
from shared.domain.roles import EVERYBODY, OPERATIONS, READING
from shared.events.criteria import Key
from shared.events.deals.process_remark import ProcessRemarkNoted, ProcessRemarkTextErased
from shared.events.definition import value

RemarkKind = Literal["too-strict", "too-slow", "unclear", "tool", "other"]
SaidBy = Literal["staff", "customer"]


@value
class NoProcessRemark:
    """Nothing was noted under this id."""


@value
class NotedProcessRemark:
    """What hinders somebody in a step of a process."""

    id: UUID
    process_id: UUID
    process_version: int
    stage: str
    task: str | None
    deal_id: UUID | None
    said_by: str
    kind: str
    severity: int
    text: str
    on: date
    owner: UUID | None
    """The member who noted it."""
    team: UUID | None


process_remark = Aggregate("process-remark", plural="process-remarks", start=NoProcessRemark, readers=READING)


@value
class NoteProcessRemark:
    """What hinders somebody in a step of a process, said by staff or, as staff were told, by a customer."""

    process_id: AnyProcessId
    process_version: VersionNumber
    stage: Key
    task: Key | None = None
    """A task or deliverable of the stage; default: the stage as a whole."""
    deal_id: DealId | None = None
    """The deal on which it showed; it follows this version."""
    said_by: SaidBy = "staff"
    kind: RemarkKind
    severity: Annotated[int, Ge(1), Le(3)]
    """1: a nuisance; 2: it costs time; 3: it costs deals."""
    text: LongText

    example: ClassVar[dict[str, Any]] = {
        "process_id": "0199d3a4-5b7c-7d2e-9f10-3a4b5c6d7e8f",
        "process_version": 1,
        "stage": "needs-diagnosis",
        "kind": "too-slow",
        "severity": 2,
        "text": "The background record asks for what nobody knows before the second talk.",
    }


@value
class EraseTextOfRemark:
    """Delete what it says."""

    example: ClassVar[dict[str, Any]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class RemarkedDeal:
    """The version of a process that the deal of a remark follows, as a handler is given it; none of no deal."""

    follows: tuple[UUID, int] | None = None


@process_remark.decides(allow=EVERYBODY)
def note(
    state: NoProcessRemark, command: NoteProcessRemark, context: Context, process: RemarkedProcess, deal: RemarkedDeal
) -> Decision:
    """Note what hinders somebody in a step of a process."""
    reasons = list(step_faults(process, command.process_version, command.stage, command.task))
    if deal.follows not in (None, (command.process_id, command.process_version)):
        message = "The deal follows another process, or another version of it."
        reasons.append(Reason(code="other-process", message=message, field="deal_id"))
    refuse_all("unknown-step", "There is no such step.", reasons)
    return [
        ProcessRemarkNoted(
            process_remark_id=context.aggregate_id,
            process_id=command.process_id,
            process_version=command.process_version,
            stage=command.stage,
            task=command.task,
            deal_id=command.deal_id,
            said_by=command.said_by,
            kind=command.kind,
            severity=command.severity,
            text=command.text,
            on=context.today,
            owner=context.actor.member,
            team=context.actor.team,
        )
    ]


@process_remark.decides(allow=OPERATIONS)
def erase_text(state: NotedProcessRemark, command: EraseTextOfRemark) -> Decision:
    """Delete what it says; where and of which kind it was stays."""
    return [ProcessRemarkTextErased(process_remark_id=state.id)] if state.text else []


@process_remark.already
def is_noted(state: NotedProcessRemark, command: NoteProcessRemark) -> bool:
    names = ("process_id", "process_version", "stage", "task", "deal_id", "said_by", "kind", "severity", "text")
    return all(getattr(state, name) == getattr(command, name) for name in names)


@process_remark.evolves
def noted(state: NoProcessRemark, event: ProcessRemarkNoted) -> NotedProcessRemark:
    return NotedProcessRemark(
        id=event.process_remark_id,
        process_id=event.process_id,
        process_version=event.process_version,
        stage=event.stage,
        task=event.task,
        deal_id=event.deal_id,
        said_by=event.said_by,
        kind=event.kind,
        severity=event.severity,
        text=event.text,
        on=event.on,
        owner=event.owner,
        team=event.team,
    )


@process_remark.evolves
def text_was_erased(state: NotedProcessRemark, event: ProcessRemarkTextErased) -> NotedProcessRemark:
    return replace(state, text="")
