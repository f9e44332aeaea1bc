"""How an approval begins and is taken back: by commands of its subject, which append its events beside their own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.domain.aggregate import Aggregate, Occurrence
from shared.domain.approval.state import Approval, WaitingApproval, asked_in, next_open
from shared.domain.context import Context
from shared.domain.policy import InForce
from shared.domain.working_time.reckoning import working_time_of
from shared.events.approvals import ApprovalEvents, PlannedStep
from shared.events.definition import value
from shared.events.money import Money
from shared.events.working_hours import WorkingHours


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an approval, for the events of its subject."""

    approval_id: UUID
    step: str | None
    by: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvable:
    """Something that is approved: its family, and the events that tell it the outcome, from its state."""

    aggregate: Aggregate
    granted: Callable[[Any, Outcome], Sequence[Any]]
    returned: Callable[[Any, Outcome], Sequence[Any]]


@value
class Subject:
    """What an approval is about, as a handler is given it."""

    state: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """The approvals of a service: their family, its events, and what is approved, by the name of its family."""

    family: Aggregate
    told: ApprovalEvents
    subjects: Mapping[str, Approvable]


def requested(
    approvals: Approvals,
    context: Context,
    *,
    subject: tuple[str, UUID],
    name: str,
    amount: Money | None,
    rules: tuple[int, str, str],
    steps: tuple[PlannedStep, ...],
    hours: InForce[WorkingHours],
    owner: UUID | None = None,
    team: UUID | None = None,
    account_id: UUID | None = None,
) -> tuple[UUID, list[Occurrence], bool]:
    """An approval that begins: its id, its events, and whether it is granted at once, for nobody has to decide.
    `rules` are the chain's version, `self_approval` and `repeated_approver`."""
    approval_id, told = context.derived_id("approval"), approvals.told
    first = next_open(steps, frozenset())
    whose = {"owner": owner, "team": team, "account_id": account_id}
    of = {
        "approval_id": approval_id,
        "subject_kind": subject[0],
        "subject_id": subject[1],
        "name": name,
        "amount": amount,
        "submitter": context.actor.subject,
        **whose,
    }
    chain, self_approval, repeated_approver = rules
    begun = told.requested(
        **of,
        submitter_member=context.actor.member,
        chain=chain,
        self_approval=self_approval,
        repeated_approver=repeated_approver,
        steps=steps,
        next_step=first,
        due=due_of(steps, first, context, hours.of(team=team).document),
        asks=asked_in(steps, first, frozenset()),
        at=context.now,
    )
    events = [begun]
    if first is None:
        events.append(told.granted(**of, **decided_by(context), step=None, reason=None))
    return approval_id, [Occurrence(event=each, to=approval_id) for each in events], first is None


def recalled(approvals: Approvals, state: WaitingApproval, context: Context, reason: str | None) -> Occurrence:
    """The approval of something that is taken back."""
    return Occurrence(event=approvals.told.recalled(**about(state), **decided_by(context), reason=reason), to=state.id)


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
    return {
        "approval_id": state.id,
        "subject_kind": state.subject_kind,
        "subject_id": state.subject_id,
        "name": state.name,
        "amount": state.amount,
        "submitter": state.submitter,
        "owner": state.owner,
        "team": state.team,
        "account_id": state.account_id,
    }


def decided_by(context: Context) -> dict[str, Any]:
    return {"by": context.actor.subject, "member": context.actor.member, "at": context.now}
