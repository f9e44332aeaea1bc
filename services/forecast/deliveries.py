"""What goes outside of what forecast decides: notices, as e-mail to their recipients and as calls of webhooks, and the
codes by which addresses are confirmed. Pure."""

from collections.abc import Iterable

from shared.deliveries.delivery import Deliver, Deliveries
from shared.events.envelope import Envelope
from shared.events.forecast.notice import NoticeRaised
from shared.events.forecast.notice_address import NoticeAddressConfirmationAsked

deliveries = Deliveries("forecast")

MAIL, WEBHOOK = "mail", "webhook"
ADDRESS_CONFIRMATION = "address-confirmation"
"""The kind of a letter with a code, which no webhook gets."""


@deliveries.on
def tell_of_notice(event: NoticeRaised, fact: Envelope[NoticeRaised]) -> Iterable[Deliver]:
    """Its recipient, unless they had muted the kind; and whoever outside asked for it."""
    data = {
        "notice_id": event.notice_id,
        "member_id": event.member_id,
        "about": {"thing": event.about.thing, "id": event.about.id, "approval_id": event.about.approval_id},
        "account_id": event.account_id,
        "amount": {"amount": event.amount.amount, "currency": event.amount.currency} if event.amount else None,
        "due": event.due,
        "reference": event.reference,
        "cause": event.cause,
        "muted": event.muted,
    }
    if not event.muted:
        yield Deliver(channel=MAIL, kind=event.kind, data=data, to=event.member_id)
    yield Deliver(channel=WEBHOOK, kind=event.kind, data=data)


@deliveries.on
def ask_for_confirmation(
    event: NoticeAddressConfirmationAsked, fact: Envelope[NoticeAddressConfirmationAsked]
) -> Iterable[Deliver]:
    """Whoever reads what is sent to an address, be it its member or a stranger. The mailbox is the receiver: a letter
    to an address that was mistyped, and is tried for days, is in nobody's way."""
    yield Deliver(channel=MAIL, kind=ADDRESS_CONFIRMATION, data={"member_id": event.member_id}, to=event.mailbox_id)
