"""Recipient list and message translation of deliveries: who gets what goes outside, where it goes and what it says,
looked up when it is queued, and when it is sent."""

import json
from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.forecast.deliveries import ADDRESS_CONFIRMATION, MAIL, WEBHOOK, deliveries
from services.forecast.domain.address import (
    ConfirmationCode,
    StandingNoticeAddress,
    address_of,
    code_of,
    is_asked,
    is_sent,
    notice_address,
)
from services.forecast.domain.endpoint import PausedWebhookEndpoint, Standing, rotations_of, webhook_endpoint
from services.forecast.projections.webhook_endpoints import ENDPOINT_PROJECTION
from shared.deliveries.addresses import Resolver, networks_of
from shared.deliveries.delivery import Channel, Deliver, Delivery, Receivers
from shared.deliveries.mail import Letter, MailChannel
from shared.deliveries.webhooks import Endpoint, WebhookChannel, secret_of
from shared.eventstore.claims import ClaimHasher
from shared.http.context import ServiceContext
from shared.languages.catalogue import Catalogue
from shared.ops.clock import real_now
from shared.ops.mail_server import mail_server
from shared.service.definition import Outside

ASKED_FOR = "select id from {view}.endpoint where status <> 'removed' and (kind is null or kind = $1) order by id"


def receivers(service: ServiceContext) -> Receivers:
    """Whom a notice is sent to: its recipient, where they have confirmed an address, and the endpoints of its kind; and
    of a code the mailbox, unless it was confirmed or removed by now."""

    async def of(asked: Deliver) -> Collection[UUID]:
        if asked.to is not None:
            state = await _address(service, asked.data["member_id"])
            reached = is_asked(state, asked.to) if asked.kind == ADDRESS_CONFIRMATION else is_sent(state)
            return [asked.to] if reached else []
        rows = await service.projections.lookup(ENDPOINT_PROJECTION, ASKED_FOR, asked.kind)
        return [row["id"] for row in rows]

    return of


async def standing_endpoint(service: ServiceContext, endpoint_id: UUID) -> tuple[Standing, list[bytes]] | None:
    """An endpoint that was not removed, and the secrets by which its calls are signed, the present one first."""
    state = (await service.commands.state(webhook_endpoint, endpoint_id)).state
    if not isinstance(state, Standing):
        return None
    key = service.settings.claim_secret.encode()
    return state, [secret_of(key, state.id, each) for each in rotations_of(state, service.clock.now())]


def channels(service: ServiceContext) -> Mapping[str, Channel]:
    """The ways outside of this deployment; mail where there is a server for it."""
    settings = service.settings
    keyed_hash = ClaimHasher(settings.claim_secret.encode())

    async def endpoint_of(endpoint_id: UUID) -> Endpoint | None:
        found = await standing_endpoint(service, endpoint_id)
        if found is None:
            return None
        state, secrets = found
        return Endpoint(url=state.url, secrets=secrets, paused=isinstance(state, PausedWebhookEndpoint))

    async def letter_of(delivery: Delivery) -> Letter | None:
        content = json.loads(delivery.content)
        state = await _address(service, UUID(content["data"]["member_id"]))
        if state is None or state.email is None:
            return None
        words = (service.languages.named(state.language) if state.language else None) or service.languages.own
        if delivery.kind == ADDRESS_CONFIRMATION:
            code = code_of(keyed_hash, state.mailbox_id)
            asked = is_asked(state, delivery.receiver)
            return confirmation_letter(code, state.email, words, settings.origin) if asked else None
        sent = is_sent(state, raised_at=datetime.fromisoformat(content["timestamp"]))
        return letter(delivery, state.email, words, settings.origin) if sent else None

    resolver = Resolver(networks_of(settings.webhook_networks))
    ways: dict[str, Channel] = {
        WEBHOOK: WebhookChannel(endpoint_of, resolver, now=real_now, insecure=settings.development)
    }
    if settings.smtp_url:
        server = mail_server(settings.smtp_url)
        ways[MAIL] = MailChannel(server, letter_of, sender=settings.smtp_from, now=real_now)
    return ways


def letter(delivery: Delivery, to: str, words: Catalogue, origin: str) -> Letter:
    """What is written of a notice, in a language."""
    data: Mapping[str, Any] = json.loads(delivery.content)["data"]
    amount = data["amount"]
    said = {
        "reference": data["reference"] or "",
        "amount": words.say("mail.amount", amount=Decimal(amount["amount"]), currency=amount["currency"])
        if amount
        else "",
        "due": words.day(date.fromisoformat(data["due"])) if data["due"] else "",
    }
    text = "\n\n".join(
        (words.say(f"mail.{delivery.kind}.text", **said), words.say("mail.where", origin=origin), words.say("mail.why"))
    )
    subject = words.say(f"mail.{delivery.kind}.subject", reference=said["reference"])
    return Letter(to=to, subject=subject, text=f"{text}\n", language=words.language)


def confirmation_letter(code: ConfirmationCode, to: str, words: Catalogue, origin: str) -> Letter:
    """What is written to an address of which nobody knows yet whose it is: a code, and nothing of the company's
    business."""
    text = words.say("mail.address-confirmation.text", origin=origin, code=code.text)
    subject = words.say("mail.address-confirmation.subject")
    return Letter(to=to, subject=subject, text=f"{text}\n", language=words.language)


async def _address(service: ServiceContext, member_id: UUID) -> StandingNoticeAddress | None:
    """What somebody stated; asked of the stream, from which an erased address is gone."""
    state = (await service.commands.state(notice_address, address_of(member_id))).state
    return state if isinstance(state, StandingNoticeAddress) and state.email is not None else None


OUTSIDE = Outside(deliveries=deliveries, receivers=receivers, channels=channels, reads=(ENDPOINT_PROJECTION.name,))
