"""What clients see of families that services have alike: of an approval, each state's published fields
(`GET /v1/<thing>-approvals/{id}`)."""

from datetime import datetime
from uuid import UUID

from shared.domain.approval.requesting import Approvals
from shared.events.approvals import PlannedStep, Slot
from shared.events.definition import value
from shared.events.money import Money
from shared.http.resources import Resource


@value
class Decided:
    """A decision that was taken, or what became of a step."""

    what: str
    """approved, delegated, taken-back, escalated, returned or recalled."""
    step: str | None
    """The key of the step."""
    by: str | None
    """The subject of the tokens of whoever did it; None: the clock."""
    member: UUID | None
    """The same as a member, where they are one."""
    at: datetime
    reason: str | None


@value
class Approval:
    """What is published of an approval, whatever its state."""

    subject_kind: str
    """What is to be approved, like contract or deal."""
    subject_id: UUID
    name: str
    part: str | None
    """What of it, where that is not all of it: a gate, like `exit of quotation`."""
    amount: Money | None
    account_id: UUID | None
    owner: UUID | None
    team: UUID | None
    submitter: str
    submitter_member: UUID | None
    chain: int
    """The version of the policy (0 is the default) or process that the chain is of."""
    steps: tuple[PlannedStep, ...]
    decisions: tuple[Decided, ...]
    """What was decided, in its order."""


@value
class WaitingApproval(Approval):
    """Somebody has to decide."""

    step_key: str
    """The step that waits."""
    waits_for: tuple[Slot, ...]
    """Those who are still asked in it, and whoever may decide too because it is overdue."""
    due: datetime | None
    """When it is overdue."""
    escalated: bool
    """Whether it is."""


@value
class GrantedApproval(Approval):
    """Every step was approved, or passed over."""


@value
class ReturnedApproval(Approval):
    """It was sent back for rework."""


@value
class RecalledApproval(Approval):
    """It was taken back before it was decided."""


def approval_resource(approvals: Approvals) -> Resource:
    """What clients see of the approvals of a service."""
    return Resource(approvals.family, WaitingApproval, GrantedApproval, ReturnedApproval, RecalledApproval)
