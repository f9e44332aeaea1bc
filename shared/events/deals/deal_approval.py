"""Events of what a deal waits for others to approve: that it goes on from a stage, or that a task or deliverable is
completed (DEAL-2)."""

from datetime import date
from uuid import UUID

from shared.events.chronology import Rank
from shared.events.definition import AsKnown, FreeText, event


@event("deals.deal-submitted-for-approval", aggregate="deal", rank=Rank.CHANGE)
class DealSubmittedForApproval:
    """Somebody asks for the approval that a gate of the deal needs; the deal goes on, or the work is completed, only
    once it is there (DEAL-2)."""

    deal_id: UUID
    stage: AsKnown[str]
    """Where the deal stands."""
    gate: str
    """Like "exit of quotation" or "exit of task situation"."""
    node: str | None = None
    """The task or deliverable whose exit it is, by its key; none where it is that of a stage."""
    approval_id: UUID
    """What decides it, told in `deals.approval.v1`."""
    submitter: str
    """The subject of the tokens of whoever submitted it."""
    steps: tuple[str, ...] = ()
    """The keys of the steps that are taken of the chain; of none it is approved at once."""
    on: date | None = None
    """The company's day."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-submission-approved", aggregate="deal", rank=Rank.CHANGE)
class DealSubmissionApproved:
    """Every step approved it: the gate asks for no approval any more; that of a stage as long as the deal stays."""

    deal_id: UUID
    gate: str
    approval_id: UUID
    approver: str
    """The subject of the tokens of whoever decided last."""
    step: str
    """The key of the step that they decided; none where nobody had to."""
    reason: FreeText[str | None] = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-submission-returned", aggregate="deal", rank=Rank.CHANGE)
class DealSubmissionReturned:
    """An approver sent it back for rework; it may be submitted again."""

    deal_id: UUID
    gate: str
    approval_id: UUID
    approver: str
    step: str
    reason: FreeText[str | None] = None
    """What is to be reworked."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("deals.deal-submission-recalled", aggregate="deal", rank=Rank.CHANGE)
class DealSubmissionRecalled:
    """It was taken back before it was decided."""

    deal_id: UUID
    gate: str
    approval_id: UUID
    by: str
    """The subject of the tokens of whoever did."""
    cause: str
    """asked, or left: the deal left its stage, ended, or follows a version that asks otherwise, or the work was
    completed or is no part of the deal any more."""
    reason: FreeText[str | None] = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
