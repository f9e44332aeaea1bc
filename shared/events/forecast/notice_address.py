"""Events of a notice address: where notices are sent to, beside the inbox."""

from datetime import datetime
from uuid import UUID

from shared.events.definition import Personal, event


@event("forecast.notice-address-stated", aggregate="notice-address", person="mailbox_id")
class NoticeAddressStated:
    """A member wants notices sent as e-mail (REC-5)."""

    address_id: UUID
    member_id: UUID
    mailbox_id: UUID
    """This very mailbox: what is erased with it. Another address is another mailbox."""
    email: Personal[str] = None
    language: str | None = None
    """In which language they are written (BCP 47); none: the company's."""
    needs_confirmation: bool = False
    """Whether nothing is sent there until its owner has confirmed it. What was stated before there were codes does
    not."""


@event("forecast.notice-address-confirmation-asked", aggregate="notice-address")
class NoticeAddressConfirmationAsked:
    """A letter with a code goes to an address, whose owner is to confirm it (REC-5). The code is in no event."""

    address_id: UUID
    member_id: UUID
    mailbox_id: UUID
    at: datetime


@event("forecast.notice-address-confirmed", aggregate="notice-address")
class NoticeAddressConfirmed:
    """Whoever reads what is sent there wants notices: from now on they are sent (REC-5)."""

    address_id: UUID
    member_id: UUID
    mailbox_id: UUID
    at: datetime


@event("forecast.notice-address-removed", aggregate="notice-address", erases="mailbox_id")
class NoticeAddressRemoved:
    """Nothing is sent there any more, and the address is erased."""

    address_id: UUID
    member_id: UUID
    mailbox_id: UUID
