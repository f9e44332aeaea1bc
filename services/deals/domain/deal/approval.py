"""Approvals of the exits of stages, tasks and deliverables, as aggregates of their own: by whoever the chain asks,
never by who submitted it (DEAL-2, CON-2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from uuid import UUID

from services.deals.domain.approvals import APPROVALS
from services.deals.domain.deal.facts import facts_of
from services.deals.domain.deal.gates import without_rate
from services.deals.domain.deal.helping import withdrawn_help
from services.deals.domain.deal.nodes import is_done, reached_node_of
from services.deals.domain.deal.state import AnyDeal, ClosedDeal, Deal, Kind, OpenDeal, deal, written
from services.deals.domain.deal.submission import (
    APPROVED,
    OVER,
    RECALLED,
    RETURNED,
    WAITING,
    GateName,
    Submission,
    asks_somebody,
    exit_of,
    exits_of,
    is_approved,
    is_judged,
    submission_of,
    with_submission,
)
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.facts import ApprovableExit
from services.deals.domain.process.state import Process
from shared.domain.aggregate import Decision, Occurrence
from shared.domain.approval.chain import Approvers, planned
from shared.domain.approval.requesting import (
    NO_STEP,
    Approvable,
    Outcome,
    handed_over,
    recalled,
    renamed,
    requested,
)
from shared.domain.approval.requesting import Submission as SubmissionOf
from shared.domain.approval.state import AnyApproval, WaitingApproval
from shared.domain.context import Actor, Context
from shared.domain.fields import Text
from shared.domain.policy import Counts, InForce
from shared.domain.rejection import Rejected, refuse_all
from shared.domain.roles import ONLY_SERVICES, SELLING
from shared.events.deals.deal_approval import (
    DealSubmissionApproved,
    DealSubmissionRecalled,
    DealSubmissionReturned,
    DealSubmittedForApproval,
)
from shared.events.definition import value
from shared.events.process import Node, Stage
from shared.events.working_hours import WorkingHours


@value
class SubmitForApproval:
    """Ask for the approval that a gate of the deal needs."""

    gate: GateName
    """The exit of the stage in which the deal stands, or that of a task or deliverable that is not completed: "exit of
    quotation", "exit of task situation"."""

    example: ClassVar[dict[str, Any]] = {"gate": "exit of quotation"}


@value
class RecallSubmission:
    """Take back what waits for an approval."""

    gate: GateName
    reason: Text | None = None

    example: ClassVar[dict[str, Any]] = {
        "gate": "exit of quotation",
        "reason": "The customer wants another scope.",
    }


@value
class RenameApprovals:
    """The deal is called otherwise: its approvals follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllApprovals:
    """Every approval of a deal, whatever came of it, as a handler is given them."""

    states: Sequence[AnyApproval] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingApprovals:
    """The approvals that submissions of deals wait for, by their ids, as a handler is given them."""

    states: Mapping[UUID, Any] = field(default_factory=dict)


def _waits(state: Deal, actor: Actor) -> None:
    """Refuse where nothing waits for an approval."""
    if not asks_somebody(state.submissions):
        raise Rejected("not-submitted", "Nothing of the deal waits for an approval.")


@deal.decides(allow=SELLING)
def submit_for_approval(
    state: OpenDeal,
    command: SubmitForApproval,
    context: Context,
    *,
    process: Process,
    conversion: Conversion,
    approvers: Approvers,
    hours: InForce[WorkingHours],
) -> Decision:
    """Ask for the approval that the deal goes on from its stage, or that a task or deliverable is completed.

    It counts for this stay in the stage or until the work is completed, and as long as the chain would ask nobody else.
    """
    found = _exit(state, command.gate, process)
    chain = found.chain
    facts = facts_of(state, process, conversion)
    if is_approved(state.submissions, command.gate, chain, facts):
        return []
    if not is_judged(chain, facts):
        message = "It cannot be said who has to approve this."
        refuse_all("invalid-submission", message, [without_rate(state, conversion)])
    steps = planned(chain, facts, context.actor, approvers)
    approval = requested(
        APPROVALS,
        context,
        SubmissionOf(
            kind=deal.name,
            id=state.id,
            part=command.gate,
            name=_name(state, found.of.name),
            amount=state.amount,
            owner=state.owner,
            team=state.team,
            account_id=state.account_id,
        ),
        chain=Counts(document=chain, version=process.version),
        steps=steps,
        hours=hours,
    )
    by, of = context.actor.subject, _of(state, command.gate, approval.id)
    submitted = DealSubmittedForApproval(
        **of,
        stage=state.stage,
        node=found.of.key if isinstance(found.of, Node) else None,
        submitter=by,
        steps=tuple(step.key for step in steps),
        on=context.today,
    )
    at_once = [DealSubmissionApproved(**of, approver=by, step=NO_STEP)] if approval.granted else []
    return [submitted, *approval.events, *at_once]


@deal.decides(allow=SELLING, guard=_waits)
def recall_submission(
    state: AnyDeal, command: RecallSubmission, context: Context, pending: PendingApprovals
) -> Decision:
    """Take back what waits for an approval; nobody is asked any more."""
    found = submission_of(state.submissions, command.gate)
    if found is None or found.status not in {WAITING, OVER}:
        message = f"Nothing waits for an approval at {command.gate!r}."
        raise Rejected("not-submitted", message, field="gate")
    return recall_of(state, found, pending, context, "asked", command.reason)


@deal.decides(allow=ONLY_SERVICES)
def rename_approvals(
    state: AnyDeal, command: RenameApprovals, context: Context, *, process: Process, every: AllApprovals
) -> Decision:
    """Have whatever was submitted for approval be called as the deal is, whether it waits or has ended.

    Of its name before nothing is kept: what is behind the gate is called as the deal's process calls it now, or as the
    gate, where the process has that no more.
    """
    exits = exits_of(process.definition)
    return [
        fact
        for each in every.states
        for fact in renamed(APPROVALS, each, context, name=_name(state, _called(exits, each.part)))
    ]


@deal.already
def is_submitted(state: OpenDeal, command: SubmitForApproval) -> bool:
    return any((each.gate, each.status) == (command.gate, WAITING) for each in state.submissions)


@deal.already
def is_recalled(state: AnyDeal, command: RecallSubmission) -> bool:
    found = submission_of(state.submissions, command.gate)
    return found is not None and (found.status, found.reason) == (RECALLED, command.reason)


@deal.evolves
def submitted(state: AnyDeal, event: DealSubmittedForApproval) -> AnyDeal:
    # History that is told later may have it that the deal had left the stage by then, that the work was done, or that
    # the deal had ended.
    stands = event.gate == exit_of(state.stage) if event.node is None else not is_done(state, event.node)
    new = Submission(
        gate=event.gate,
        node=event.node,
        status=WAITING if stands and isinstance(state, OpenDeal) else OVER,
        approval_id=event.approval_id,
        steps=event.steps,
        on=event.on,
    )
    submissions = with_submission(state.submissions, new)
    return replace(state, submissions=submissions, approvals=(*state.approvals, event.approval_id))


@deal.evolves
def submission_approved(state: AnyDeal, event: DealSubmissionApproved) -> AnyDeal:
    return _became(state, event.approval_id, APPROVED, event.reason)


@deal.evolves
def submission_returned(state: AnyDeal, event: DealSubmissionReturned) -> AnyDeal:
    return _became(state, event.approval_id, RETURNED, event.reason)


@deal.evolves
def submission_recalled(state: AnyDeal, event: DealSubmissionRecalled) -> AnyDeal:
    return _became(state, event.approval_id, RECALLED, event.reason)


@deal.concludes
def ends_what_waits(state: ClosedDeal, context: Context, pending: PendingApprovals) -> Decision:
    """What follows at once from the end of a deal: nobody is asked any more what was submitted, nor for help."""
    return [*recalls(state, pending, context), *withdrawn_help(state, context.today)]


def recalls(state: Deal, pending: PendingApprovals, context: Context) -> list[DealSubmissionRecalled | Occurrence]:
    """That what waited when the deal left is taken back, together with its approvals."""
    over = [each for each in state.submissions if each.status == OVER]
    return [event for each in over for event in recall_of(state, each, pending, context, "left", None)]


def recall_of(  # noqa: PLR0917
    state: Deal,
    submission: Submission,
    pending: PendingApprovals,
    context: Context,
    cause: str,
    reason: str | None,
) -> list[DealSubmissionRecalled | Occurrence]:
    """That a submission is taken back, together with its approval unless that has ended."""
    back = DealSubmissionRecalled(
        **_of(state, submission.gate, submission.approval_id),
        by=context.actor.subject,
        cause=cause,
        reason=reason,
    )
    approval = pending.states.get(submission.approval_id)
    if not isinstance(approval, WaitingApproval):
        return [back]
    return [back, recalled(APPROVALS, approval, context, reason)]


def handed_on(
    state: OpenDeal, pending: PendingApprovals, context: Context, owner: UUID | None, team: UUID | None
) -> list[Occurrence]:
    """That what waits for an approval is the new owner's too, when the deal is handed over. What is over is taken back
    along with it, as whose it was."""
    found = [pending.states.get(each.approval_id) for each in state.submissions if each.status == WAITING]
    waiting = [approval for approval in found if isinstance(approval, WaitingApproval)]
    return [fact for each in waiting for fact in handed_over(APPROVALS, each, context, owner=owner, team=team)]


def _exit(state: OpenDeal, gate: str, process: Process) -> ApprovableExit:
    """The exit behind which a gate is: of the stage in which a deal stands, or of work that it can complete. Refused
    where nobody has to approve it."""
    exits = exits_of(process.definition)
    if gate not in exits:
        message = f"The process asks for approvals at the gates {', '.join(exits) or 'none'}."
        raise Rejected("unknown-gate", message, field="gate")
    found = exits[gate]
    if isinstance(found.of, Stage):
        _refuse_other(state, found.of, process)
    else:
        _refuse_undue(state, found.of, process)
    return found


def _refuse_other(state: OpenDeal, stage: Stage, process: Process) -> None:
    if stage.key != state.stage:
        name = process.definition.stage(state.stage).name
        raise Rejected("other-stage", f"The deal stands in {name!r}: its gate is the one behind it.", field="gate")


def _refuse_undue(state: OpenDeal, node: Node, process: Process) -> None:
    reached_node_of(state, process, node.key, "gate")
    if is_done(state, node.key):
        message = f"{node.name!r} is completed: nobody has to approve that any more."
        raise Rejected("already-completed", message, field="gate")


def _name(state: Deal, behind: str) -> str:
    """What an approval of the deal is called: as the deal, and as what is behind the gate."""
    return f"{state.name}: {behind}"


def _called(exits: Mapping[str, ApprovableExit], gate: str | None) -> str:
    found = exits.get(gate or "")
    return found.of.name if found else gate or ""


def _of(state: Deal, gate: str, approval_id: UUID) -> dict[str, Any]:
    """What every event says of a submission."""
    return {"deal_id": state.id, "gate": gate, "approval_id": approval_id}


def _became(state: Kind, approval_id: UUID, status: str, reason: str | None) -> Kind:
    """The deal, with what came of a submission that waited."""
    submissions = tuple(
        replace(each, status=status, reason=reason) if _waits_for(each, approval_id) else each
        for each in state.submissions
    )
    return replace(state, submissions=submissions, written=written(state, reason))


def _waits_for(submission: Submission, approval_id: UUID) -> bool:
    return submission.approval_id == approval_id and submission.status in {WAITING, OVER}


def _granted(state: Any, outcome: Outcome) -> Sequence[Any]:
    told: dict[str, Any] = {"approver": outcome.by, "step": outcome.step, "reason": outcome.reason}
    return [
        DealSubmissionApproved(**_of(state, each.gate, each.approval_id), **told) for each in _waiting(state, outcome)
    ]


def _returned(state: Any, outcome: Outcome) -> Sequence[Any]:
    told: dict[str, Any] = {"approver": outcome.by, "step": outcome.step, "reason": outcome.reason}
    return [
        DealSubmissionReturned(**_of(state, each.gate, each.approval_id), **told) for each in _waiting(state, outcome)
    ]


def _waiting(state: Any, outcome: Outcome) -> list[Submission]:
    """What waits for an approval that has ended; nothing where the deal has left meanwhile."""
    return [each for each in state.submissions if (each.approval_id, each.status) == (outcome.approval_id, WAITING)]


APPROVALS.register(Approvable(aggregate=deal, granted=_granted, returned=_returned))
