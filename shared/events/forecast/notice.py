"""Events of a notice: what somebody has to know of, and what came of it."""

from datetime import date
from uuid import UUID

from shared.events.definition import AsKnown, event, value
from shared.events.money import Money


@value
class About:
    """What something is about."""

    thing: str
    """What it is, like invoice or contract: an aggregate, or what stands inside of one."""
    id: UUID
    approval_id: UUID | None = None
    """The approval of it that waits or has ended, where that is what it is about."""


@event("forecast.notice-raised", aggregate="notice")
class NoticeRaised:
    """Somebody is to know of something that waits for them (REC-5). There is one for each cause and each recipient."""

    notice_id: UUID
    member_id: UUID
    """The recipient: whose notice it is."""
    kind: str
    """invoice-overdue, approval-waiting, approval-granted, approval-returned, support-request-overdue, stage-rule,
    help-asked, next-step-due, follow-up-due, review-missed, measure-overdue or assessment-waiting."""
    about: About
    cause: UUID
    """The event that it follows from."""
    muted: bool
    """Whether the recipient had muted the kind when it was raised: it stands in the inbox and is not sent."""
    account_id: UUID | None = None
    amount: Money | None = None
    """What it is about, in its own currency: what is open of an invoice, the total of a contract."""
    due: date | None = None
    reference: str | None = None
    """How people call what it is about, like the invoice's number."""


@event("forecast.notice-read", aggregate="notice")
class NoticeRead:
    """Its recipient has read it."""

    notice_id: UUID
    member_id: UUID
    account_id: AsKnown[UUID | None] = None


@event("forecast.notice-acknowledged", aggregate="notice")
class NoticeAcknowledged:
    """Its recipient has taken it on."""

    notice_id: UUID
    member_id: UUID
    account_id: AsKnown[UUID | None] = None


@event("forecast.notice-renamed", aggregate="notice")
class NoticeRenamed:
    """What it is about is called otherwise, whether it waits or is settled. What it was called before is not told: it
    may name somebody who is to be forgotten (DATA-4)."""

    notice_id: UUID
    member_id: UUID
    reference: str
    """How people call what it is about, from now on."""
    cause: UUID
    """The event that renamed it."""
    account_id: AsKnown[UUID | None] = None


@event("forecast.notice-settled", aggregate="notice")
class NoticeSettled:
    """What it is about waits for nobody any more: the invoice is paid, the contract decided."""

    notice_id: UUID
    member_id: UUID
    cause: UUID
    """The event that settled it."""
    account_id: AsKnown[UUID | None] = None
