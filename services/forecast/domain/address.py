"""Where notices are sent to somebody, beside their inbox (REC-5).

There is one for each member, in a stream that derives from theirs. The address itself is personal data: it stands
beside the log, and is erased with the mailbox (DATA-4).
"""

from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid5

from annotated_types import MaxLen, MinLen
from email_validator import EmailNotValidError, validate_email

from services.forecast.domain.notice import RECIPIENTS
from services.forecast.domain.preference import member_of
from shared.domain.aggregate import Aggregate, Decision
from shared.domain.context import Context
from shared.domain.rejection import Rejected
from shared.events.definition import value
from shared.events.forecast.notice_address import NoticeAddressRemoved, NoticeAddressStated


@value
class NoNoticeAddress:
    """Nothing is sent."""


@value
class StatedNoticeAddress:
    """Notices are sent there."""

    id: UUID
    member_id: UUID
    mailbox_id: UUID
    email: str | None
    language: str | None

    @property
    def owner(self) -> UUID:
        """Whose it is."""
        return self.member_id


@value
class RemovedNoticeAddress:
    """Nothing is sent any more."""

    id: UUID
    member_id: UUID

    @property
    def owner(self) -> UUID:
        """Whose it was."""
        return self.member_id


Unstated = NoNoticeAddress | RemovedNoticeAddress

notice_address = Aggregate("notice-address", plural="notice-addresses", start=NoNoticeAddress, readers=RECIPIENTS)

Email = Annotated[str, MinLen(3), MaxLen(254)]


@value
class SendNotices:
    """Have notices sent to oneself as e-mail."""

    email: Email
    language: Annotated[str, MinLen(2), MaxLen(35)] | None = None
    """In which language they are written (BCP 47), of those that there are; without one the company's."""

    example: ClassVar[dict[str, Any]] = {"email": "anna@example.com", "language": "de"}


@value
class StopSendingNotices:
    """Have nothing sent any more; the address is erased."""

    example: ClassVar[dict[str, Any]] = {}


@notice_address.decides(allow=RECIPIENTS, routed=False)
def send(state: Unstated | StatedNoticeAddress, command: SendNotices, context: Context) -> Decision:
    """Have notices sent to oneself as e-mail. Another address takes the place of the one before, which is erased."""
    stated = NoticeAddressStated(
        address_id=context.aggregate_id,
        member_id=member_of(context.actor),
        mailbox_id=uuid5(context.command_id, "mailbox"),
        email=_checked(command.email),
        language=command.language,
    )
    return [_removal(state), stated] if isinstance(state, StatedNoticeAddress) else [stated]


@notice_address.decides(allow=RECIPIENTS, routed=False)
def stop(state: Unstated | StatedNoticeAddress, command: StopSendingNotices) -> Decision:
    """Have nothing sent any more; the address is erased."""
    return [_removal(state)] if isinstance(state, StatedNoticeAddress) else []


@notice_address.already
def is_sent_there(state: StatedNoticeAddress, command: SendNotices) -> bool:
    return (state.email, state.language) == (_checked(command.email), command.language)


@notice_address.evolves
def stated(state: Unstated, event: NoticeAddressStated) -> StatedNoticeAddress:
    return StatedNoticeAddress(
        id=event.address_id,
        member_id=event.member_id,
        mailbox_id=event.mailbox_id,
        email=event.email,
        language=event.language,
    )


@notice_address.evolves
def removed(state: StatedNoticeAddress, event: NoticeAddressRemoved) -> RemovedNoticeAddress:
    return RemovedNoticeAddress(id=event.address_id, member_id=event.member_id)


def address_of(member_id: UUID) -> UUID:
    """The id of a member's notice address."""
    return uuid5(member_id, "notice-address")


def _removal(state: StatedNoticeAddress) -> NoticeAddressRemoved:
    return NoticeAddressRemoved(address_id=state.id, member_id=state.member_id, mailbox_id=state.mailbox_id)


def _checked(email: str) -> str:
    """An address as it is written. Raises Rejected."""
    try:
        return validate_email(email, check_deliverability=False).normalized
    except EmailNotValidError:
        raise Rejected("no-address", "That is no e-mail address.", field="email") from None
