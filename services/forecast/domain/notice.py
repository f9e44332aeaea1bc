"""A notice: something waits for somebody, until they have read it, taken it on, or it waits no more (REC-5).

It is its recipient's alone. What it is about may settle it at any time, read or not.
"""

from dataclasses import replace
from datetime import date
from typing import Any, ClassVar, Literal, get_args
from uuid import UUID, uuid5

from shared.domain.aggregate import Aggregate, Decision, carried
from shared.domain.roles import Reach, Role, permission
from shared.events.definition import value
from shared.events.forecast.notice import (
    About,
    NoticeAcknowledged,
    NoticeRaised,
    NoticeRead,
    NoticeRenamed,
    NoticeSettled,
)
from shared.events.money import Money

NoticeKind = Literal[
    "invoice-overdue",
    "approval-waiting",
    "approval-granted",
    "approval-returned",
    "support-request-overdue",
    "stage-rule",
    "help-asked",
    "next-step-due",
    "follow-up-due",
    "review-missed",
    "measure-overdue",
    "assessment-waiting",
]
"""What somebody is told of."""
(
    INVOICE_OVERDUE,
    APPROVAL_WAITING,
    APPROVAL_GRANTED,
    APPROVAL_RETURNED,
    SUPPORT_REQUEST_OVERDUE,
    STAGE_RULE,
    HELP_ASKED,
    NEXT_STEP_DUE,
    FOLLOW_UP_DUE,
    REVIEW_MISSED,
    MEASURE_OVERDUE,
    ASSESSMENT_WAITING,
) = get_args(NoticeKind)
NoticeThing = Literal["invoice", "contract", "support-request", "deal", "lead", "account", "quote", "review", "measure"]
"""What a notice is about."""

RECIPIENTS = permission(dict.fromkeys(Role, Reach.OWN))
"""Everybody what is theirs, whatever their role; who administers reaches everything, as everywhere."""


@value
class NoNotice:
    """Nobody was told."""


@value
class Notice:
    """What every notice carries, whatever its state."""

    id: UUID
    member_id: UUID
    kind: str
    about: About
    cause: UUID
    muted: bool
    account_id: UUID | None = None
    amount: Money | None = None
    due: date | None = None
    reference: str | None = None

    @property
    def owner(self) -> UUID:
        """Whose it is."""
        return self.member_id


@value
class UnreadNotice(Notice):
    """Its recipient has not read it."""


@value
class ReadNotice(Notice):
    """Its recipient has read it."""


@value
class AcknowledgedNotice(Notice):
    """Its recipient has taken it on."""


@value
class SettledNotice(Notice):
    """It waits for nobody any more."""


Waiting = UnreadNotice | ReadNotice | AcknowledgedNotice
Told = Waiting | SettledNotice

notice = Aggregate("notice", plural="notices", start=NoNotice, readers=RECIPIENTS)


@value
class MarkRead:
    """Say that one has read a notice."""

    example: ClassVar[dict[str, Any]] = {}


@value
class AcknowledgeNotice:
    """Take a notice on."""

    example: ClassVar[dict[str, Any]] = {}


@notice.decides(allow=RECIPIENTS)
def read(state: UnreadNotice, command: MarkRead) -> Decision:
    """Say that one has read a notice."""
    return [NoticeRead(notice_id=state.id, member_id=state.member_id)]


@notice.decides(allow=RECIPIENTS)
def acknowledge(state: UnreadNotice | ReadNotice, command: AcknowledgeNotice) -> Decision:
    """Take a notice on: whoever does has read it."""
    return [NoticeAcknowledged(notice_id=state.id, member_id=state.member_id)]


@notice.already
def is_read(state: ReadNotice | AcknowledgedNotice | SettledNotice, command: MarkRead) -> bool:
    return True


@notice.already
def is_acknowledged(state: AcknowledgedNotice | SettledNotice, command: AcknowledgeNotice) -> bool:
    return True  # of what waits for nobody any more there is nothing to take on


@notice.evolves
def raised(state: NoNotice, event: NoticeRaised) -> UnreadNotice:
    return UnreadNotice(
        id=event.notice_id,
        member_id=event.member_id,
        kind=event.kind,
        about=event.about,
        cause=event.cause,
        muted=event.muted,
        account_id=event.account_id,
        amount=event.amount,
        due=event.due,
        reference=event.reference,
    )


@notice.evolves
def has_read(state: UnreadNotice, event: NoticeRead) -> ReadNotice:
    return ReadNotice(**carried(state, Notice))


@notice.evolves
def acknowledged(state: UnreadNotice | ReadNotice, event: NoticeAcknowledged) -> AcknowledgedNotice:
    return AcknowledgedNotice(**carried(state, Notice))


@notice.evolves
def settled(state: UnreadNotice | ReadNotice | AcknowledgedNotice, event: NoticeSettled) -> SettledNotice:
    return SettledNotice(**carried(state, Notice))


@notice.evolves
def renamed(state: Told, event: NoticeRenamed) -> Told:
    return replace(state, reference=event.reference)


def notice_of(cause: UUID, member_id: UUID) -> UUID:
    """The id of what somebody is told of an event: the same event told again is the same notice."""
    return uuid5(cause, f"notice to {member_id}")
