"""How an approval begins and is taken back: by commands of its subject, which append its events beside their own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.domain.aggregate import Aggregate, Occurrence
from shared.domain.approval.state import Approval, WaitingApproval, asked_in, next_open
from shared.domain.context import Context
from shared.domain.policy import Counts, InForce
from shared.domain.working_time.reckoning import working_time_of
from shared.events.approval_chain import ApprovalChain
from shared.events.approvals import ApprovalEvents, PlannedStep
from shared.events.definition import value
from shared.events.money import Money
from shared.events.working_hours import WorkingHours


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an approval, for the events of its subject."""

    approval_id: UUID
    step: str
    by: str
    reason: str | None
    on: date
    """The company's day of the decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvable:
    """Something that is approved: its family, and the events that tell it the outcome, from its state."""

    aggregate: Aggregate
    granted: Callable[[Any, Outcome], Sequence[Any]]
    returned: Callable[[Any, Outcome], Sequence[Any]]


NO_STEP = "none"
"""The step of what nobody had to approve, where that is told."""


@value
class Subject:
    """What an approval is about, as a handler is given it."""

    state: Any


@value
class OwnApproval:
    """The approval that something waits for, as a handler is given it; None where there is none, as in history."""

    state: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """The approvals of a service: their family, its events, and what is approved, by the name of its family. Filled
    while modules are imported, then only read."""

    family: Aggregate
    told: ApprovalEvents
    subjects: dict[str, Approvable]

    def register(self, subject: Approvable) -> None:
        """Have one kind of thing more approved: of several each says so in its own module."""
        self.subjects[subject.aggregate.name] = subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What is submitted: of which family and id, which part of it, what it is called and worth, and whose it is."""

    kind: str
    id: UUID
    name: str
    amount: Money | None
    part: str | None = None
    owner: UUID | None = None
    team: UUID | None = None
    account_id: UUID | None = None
    authors: frozenset[UUID] = frozenset()
    """The members who wrote it, where that is known: they do not decide it, whoever submits it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """An approval that begins, with its events; `granted` at once where nobody has to decide."""

    id: UUID
    events: tuple[Occurrence, ...]
    granted: bool


def requested(
    approvals: Approvals,
    context: Context,
    submission: Submission,
    *,
    chain: Counts[ApprovalChain],
    steps: tuple[PlannedStep, ...],
    hours: InForce[WorkingHours],
) -> Requested:
    """Ask for the approval of something, by the steps that are taken of a chain (`planned`)."""
    approval_id, told = context.derived_id("approval"), approvals.told
    first = next_open(steps, frozenset())
    of = {
        "approval_id": approval_id,
        "subject_kind": submission.kind,
        "subject_id": submission.id,
        "name": submission.name,
        "part": submission.part,
        "amount": submission.amount,
        "submitter": context.actor.subject,
        "owner": submission.owner,
        "team": submission.team,
        "account_id": submission.account_id,
    }
    begun = told.requested(
        **of,
        submitter_member=context.actor.member,
        authors=tuple(sorted(submission.authors)),
        chain=chain.version,
        self_approval=chain.document.self_approval,
        repeated_approver=chain.document.repeated_approver,
        steps=steps,
        next_step=first,
        due=due_of(steps, first, context, hours.of(team=submission.team).document),
        asks=asked_in(steps, first, frozenset()),
        at=context.now,
    )
    events = [begun]
    if first is None:
        events.append(told.granted(**of, **decided_by(context), step=None, reason=None))
    occurrences = tuple(Occurrence(event=each, to=approval_id) for each in events)
    return Requested(id=approval_id, events=occurrences, granted=first is None)


def recalled(approvals: Approvals, state: WaitingApproval, context: Context, reason: str | None) -> Occurrence:
    """The approval of something that is taken back."""
    return Occurrence(event=approvals.told.recalled(**about(state), **decided_by(context), reason=reason), to=state.id)


def handed_over(
    approvals: Approvals, state: WaitingApproval, context: Context, *, owner: UUID | None, team: UUID | None
) -> list[Occurrence]:
    """That the approval of something which is handed over is the new owner's too, and of their team. Nobody else is
    asked by that, and the step that waits is due as before."""
    told = approvals.told.handed_over
    if told is None or (owner, team) == (state.owner, state.team):
        return []
    whose = {"owner_before": state.owner, "team_before": state.team, "owner": owner, "team": team}
    return [Occurrence(event=told(**about(state) | whose, **decided_by(context)), to=state.id)]


def renamed(approvals: Approvals, state: Approval, context: Context, *, name: str) -> list[Occurrence]:
    """That the approval of something which is called otherwise is called so, too: what has ended is read."""
    told = approvals.told.renamed
    if told is None or name == state.name:
        return []
    return [Occurrence(event=told(**about(state) | {"name": name}, **decided_by(context)), to=state.id)]


def due_of(steps: Sequence[PlannedStep], index: int | None, context: Context, hours: WorkingHours) -> datetime | None:
    """When a step that begins now is overdue, in working time; None for never."""
    if index is None:
        return None
    step, working = steps[index], working_time_of(context.company, hours)
    try:
        if step.within_minutes is not None:
            return working.due(context.now, step.within_minutes)
        if step.within_days is not None:
            return working.end_of(working.due_day(context.now, step.within_days))
    except ValueError:  # so few hours that it lies beyond a century
        return None
    return None


def about(state: Approval) -> dict[str, Any]:
    """What every event of an approval says of it."""
    return {
        "approval_id": state.id,
        "subject_kind": state.subject_kind,
        "subject_id": state.subject_id,
        "name": state.name,
        "part": state.part,
        "amount": state.amount,
        "submitter": state.submitter,
        "owner": state.owner,
        "team": state.team,
        "account_id": state.account_id,
    }


def decided_by(context: Context) -> dict[str, Any]:
    """What an event of a decision says of who took it, and when."""
    return {"by": context.actor.subject, "member": context.actor.member, "at": context.now}
