"""Where notices are sent to somebody, beside their inbox, once its owner has confirmed it: double opt-in (REC-5).

There is one for each member, in a stream that derives from theirs. The address itself is personal data: it stands
beside the log, and is erased with the mailbox (DATA-4). The code that confirms it stands nowhere: it derives from the
deployment's secret and the mailbox, and whoever has it reads what is sent there.
"""

import hmac
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid5

from annotated_types import MaxLen, MinLen
from email_validator import EmailNotValidError, validate_email

from services.forecast.domain.notice import RECIPIENTS
from services.forecast.domain.preference import member_of
from shared.domain.aggregate import Aggregate, Decision, carried
from shared.domain.context import Context
from shared.domain.rejection import Rejected
from shared.events.definition import value
from shared.events.forecast.notice_address import (
    NoticeAddressConfirmationAsked,
    NoticeAddressConfirmed,
    NoticeAddressRemoved,
    NoticeAddressStated,
)

ASKED_AGAIN_AFTER = timedelta(hours=1)
"""No sooner another letter with a code goes to the same address."""
ASKED_AT_MOST = 5
"""So many letters with codes one member has sent within an hour, to whatever addresses: somebody who states one after
the other would have strangers written to."""
SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Of codes: Crockford's base 32, without I, L, O and U."""
ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
"""What people read for others of them, or set between them."""
CODE_LENGTH = 10


@value
class NoNoticeAddress:
    """Nothing is sent."""


@value
class NoticeAddress:
    """What is known once one was stated, whatever became of it."""

    id: UUID
    member_id: UUID
    asked: tuple[datetime, ...] = ()
    """When the last letters with codes were asked for, of this address and those before it."""

    @property
    def owner(self) -> UUID:
        """Whose it is."""
        return self.member_id


@value
class StandingNoticeAddress(NoticeAddress):
    """What is known of an address that was not removed."""

    mailbox_id: UUID
    email: str | None
    language: str | None


@value
class UnconfirmedNoticeAddress(StandingNoticeAddress):
    """Nothing is sent there but the code by which its owner confirms it."""


@value
class ConfirmedNoticeAddress(StandingNoticeAddress):
    """Notices are sent there."""

    confirmed_at: datetime | None = None
    """None of what was stated before there were codes."""


@value
class RemovedNoticeAddress(NoticeAddress):
    """Nothing is sent any more."""


Unstated = NoNoticeAddress | RemovedNoticeAddress
Standing = UnconfirmedNoticeAddress | ConfirmedNoticeAddress

notice_address = Aggregate("notice-address", plural="notice-addresses", start=NoNoticeAddress, readers=RECIPIENTS)

Email = Annotated[str, MinLen(3), MaxLen(254)]


@value
class ConfirmationCode:
    """By which the owner of an address confirms it."""

    text: str


@value
class SendNotices:
    """Have notices sent to oneself as e-mail."""

    email: Email
    language: Annotated[str, MinLen(2), MaxLen(35)] | None = None
    """In which language they are written (BCP 47), of those that there are; without one the company's."""

    example: ClassVar[dict[str, Any]] = {"email": "anna@example.com", "language": "de"}


@value
class ConfirmNoticeAddress:
    """Confirm the address to which notices are to be sent, by the code that was sent there."""

    code: Annotated[str, MinLen(1), MaxLen(40)]
    """As it stands in the letter; case, dashes and spaces do not matter."""

    example: ClassVar[dict[str, Any]] = {"code": "7K3QD-9XW2M"}


@value
class StopSendingNotices:
    """Have nothing sent any more; the address is erased."""

    example: ClassVar[dict[str, Any]] = {}


@notice_address.decides(allow=RECIPIENTS, routed=False)
def send(state: Unstated | Standing, command: SendNotices, context: Context) -> Decision:
    """Have notices sent to oneself as e-mail, once the address is confirmed. Another address takes the place of the one
    before, which is erased; the same one is asked anew, an hour after the last letter."""
    email = _checked(command.email)
    if isinstance(state, StandingNoticeAddress) and state.email == email:
        return _stated_again(state, command, context)
    _check_letters(state, context.now)
    stated = NoticeAddressStated(
        address_id=context.aggregate_id,
        member_id=member_of(context.actor),
        mailbox_id=uuid5(context.command_id, "mailbox"),
        email=email,
        language=command.language,
        needs_confirmation=True,
    )
    before = [_removal(state)] if isinstance(state, StandingNoticeAddress) else []
    return [*before, stated, _asked(stated, context)]


@notice_address.decides(allow=RECIPIENTS, routed=False)
def confirm(state: Standing, command: ConfirmNoticeAddress, code: ConfirmationCode, context: Context) -> Decision:
    """Have notices sent to the address that was stated: whoever has the code reads what is sent there."""
    # Wrong codes are not counted, for a refusal records nothing, and a dry run tells as much: 50 bits are enough. At a
    # million tries a second they last for some seventeen years, and another address has another code.
    if not hmac.compare_digest(_plain(command.code).encode(), _plain(code.text).encode()):
        raise Rejected("wrong-code", "That is not the code that was sent to this address.", field="code")
    if isinstance(state, ConfirmedNoticeAddress):
        return []
    confirmed = NoticeAddressConfirmed(
        address_id=state.id, member_id=state.member_id, mailbox_id=state.mailbox_id, at=context.now
    )
    return [confirmed]


@notice_address.decides(allow=RECIPIENTS, routed=False)
def stop(state: Unstated | Standing, command: StopSendingNotices) -> Decision:
    """Have nothing sent any more; the address is erased."""
    return [_removal(state)] if isinstance(state, StandingNoticeAddress) else []


@notice_address.evolves
def stated(state: Unstated, event: NoticeAddressStated) -> Standing:
    kind = UnconfirmedNoticeAddress if event.needs_confirmation else ConfirmedNoticeAddress
    return kind(
        id=event.address_id,
        member_id=event.member_id,
        asked=state.asked if isinstance(state, RemovedNoticeAddress) else (),
        mailbox_id=event.mailbox_id,
        email=event.email,
        language=event.language,
    )


@notice_address.evolves
def stated_again(state: Standing, event: NoticeAddressStated) -> Standing:
    return replace(state, email=event.email, language=event.language)


@notice_address.evolves
def confirmation_asked(
    state: UnconfirmedNoticeAddress, event: NoticeAddressConfirmationAsked
) -> UnconfirmedNoticeAddress:
    return replace(state, asked=(*state.asked, event.at)[-ASKED_AT_MOST:])


@notice_address.evolves
def confirmed(state: UnconfirmedNoticeAddress, event: NoticeAddressConfirmed) -> ConfirmedNoticeAddress:
    return ConfirmedNoticeAddress(**carried(state, StandingNoticeAddress), confirmed_at=event.at)


@notice_address.evolves
def removed(state: Standing, event: NoticeAddressRemoved) -> RemovedNoticeAddress:
    return RemovedNoticeAddress(**carried(state, NoticeAddress))


def address_of(member_id: UUID) -> UUID:
    """The id of a member's notice address."""
    return uuid5(member_id, "notice-address")


def code_of(keyed_hash: Callable[[str, str], bytes], mailbox_id: UUID) -> ConfirmationCode:
    """The code of a mailbox, 50 bits of a hash (kind, key) under the deployment's secret: nothing has to be kept, and
    nobody can tell it without the secret."""
    number = int.from_bytes(keyed_hash("notice-address-code", str(mailbox_id)))
    symbols = "".join(SYMBOLS[number >> 5 * place & 31] for place in range(CODE_LENGTH))
    return ConfirmationCode(text=f"{symbols[:5]}-{symbols[5:]}")


def asked_again_from(state: UnconfirmedNoticeAddress) -> datetime:
    """From when on stating the same address sends another letter with the code."""
    return state.asked[-1] + ASKED_AGAIN_AFTER


def is_asked(state: object, mailbox_id: UUID) -> bool:
    """Whether the code of a mailbox is still to be sent there."""
    return isinstance(state, UnconfirmedNoticeAddress) and state.mailbox_id == mailbox_id


def is_sent(state: object, raised_at: datetime | None = None) -> bool:
    """Whether a notice is sent there, if it was raised then: what was raised before the address was confirmed is not
    sent later."""
    if not isinstance(state, ConfirmedNoticeAddress):
        return False
    return raised_at is None or state.confirmed_at is None or state.confirmed_at <= raised_at


def _stated_again(state: Standing, command: SendNotices, context: Context) -> Decision:
    """The same address, which is confirmed as far as it was; maybe in another language."""
    stated = NoticeAddressStated(
        address_id=state.id,
        member_id=state.member_id,
        mailbox_id=state.mailbox_id,
        email=state.email,
        language=command.language,
        needs_confirmation=isinstance(state, UnconfirmedNoticeAddress),
    )
    again = [stated] if command.language != state.language else []
    asks = isinstance(state, UnconfirmedNoticeAddress) and context.now >= asked_again_from(state)
    return [*again, _asked(stated, context)] if asks else again


def _asked(stated: NoticeAddressStated, context: Context) -> NoticeAddressConfirmationAsked:
    return NoticeAddressConfirmationAsked(
        address_id=stated.address_id, member_id=stated.member_id, mailbox_id=stated.mailbox_id, at=context.now
    )


def _removal(state: Standing) -> NoticeAddressRemoved:
    return NoticeAddressRemoved(address_id=state.id, member_id=state.member_id, mailbox_id=state.mailbox_id)


def _check_letters(state: Unstated | Standing, now: datetime) -> None:
    """Raises Rejected for whoever had so many letters sent within the hour."""
    asked = state.asked if isinstance(state, NoticeAddress) else ()
    if sum(now - at < ASKED_AGAIN_AFTER for at in asked) >= ASKED_AT_MOST:
        message = f"Codes were sent to {ASKED_AT_MOST} addresses within an hour: try again in an hour."
        raise Rejected("too-many-letters", message, field="email")


def _plain(code: str) -> str:
    """A code without what does not matter."""
    return code.upper().translate(ALIKE)


def _checked(email: str) -> str:
    """An address as it is written. Raises Rejected."""
    try:
        return validate_email(email, check_deliverability=False).normalized
    except EmailNotValidError:
        raise Rejected("no-address", "That is no e-mail address.", field="email") from None
