"""Whoever receives may be an attacker: what goes to others goes on, by both ways, and nothing is said of anybody."""

from datetime import UTC, datetime
from uuid import UUID

import structlog

from shared.deliveries.addresses import Resolver, networks_of
from shared.deliveries.delivery import Channel, Delivery
from shared.deliveries.mail import Letter, MailChannel
from shared.deliveries.sender import AT_ONCE
from shared.deliveries.webhooks import Endpoint, WebhookChannel
from shared.ops.ids import new_id
from shared.ops.mail_server import MailServer
from tests.shared.deliveries.belfry import Belfry, working
from tests.shared.deliveries.receivers import HttpReceiver, raw, receiving
from tests.shared.deliveries.test_mail import drips as drips_mail
from tests.shared.deliveries.test_webhooks import drips as drips_http
from tests.shared.deliveries.test_webhooks import floods_headers
from tests.shared.projections.conftest import until


def now() -> datetime:
    return datetime.now(UTC)


async def test_receivers_that_attack_hold_up_nobody_but_themselves(belfry: Belfry) -> None:
    """More of them than there are places, and a mail server that takes nothing: everybody else gets everything."""
    fine, slow, flooding = new_id(), [new_id() for _ in range(AT_ONCE)], [new_id() for _ in range(4)]

    async with (
        raw(drips_http) as dripping,
        raw(floods_headers) as flood,
        raw(drips_mail) as mail,
        receiving(HttpReceiver()) as receiver,
    ):
        ports = {fine: receiver.port, **dict.fromkeys(slow, dripping), **dict.fromkeys(flooding, flood)}

        async def endpoint_of(endpoint: UUID) -> Endpoint:
            return Endpoint(url=f"http://127.0.0.1:{ports[endpoint]}/", secrets=[b"k" * 32])

        async def letter_of(_: Delivery) -> Letter:
            return Letter(to="anna@example.com", subject="s", text="t", language="en")

        server = MailServer(host="127.0.0.1", port=mail, security="none")
        resolver = Resolver(networks_of("127.0.0.1"))
        channels: dict[str, Channel] = {
            "webhook": WebhookChannel(endpoint_of, resolver, now=now, insecure=True, seconds=1.0),
            "mail": MailChannel(server, letter_of, sender="bells@example.com", now=now, seconds=1.0),
        }
        for attacker in (*slow, *flooding):
            await belfry.ring(*range(2), receiver=attacker)
        await belfry.ring(*range(10), receiver=fine)
        with structlog.testing.capture_logs() as lines:
            sender = belfry.sender(channels, dice=lambda: 1.0)
            async with working(belfry.follower(channels=tuple(channels)), sender):

                async def served() -> bool:
                    rows = "select count(*) from delivery where state = 'delivered' and receiver = $1"
                    return bool(await belfry.pool.fetchval(rows, fine) == 10)

                await until(served)
    assert [call.headers["webhook-id"] for call in receiver.calls] == [
        str(row["id"])
        for row in await belfry.pool.fetch(
            "select id from delivery where receiver = $1 and channel = 'webhook' order by position", fine
        )
    ]
    assert (await belfry.states())["delivered"] == 10
    errors = {row["error"] for row in await belfry.pool.fetch("select distinct error from delivery")}
    assert errors <= {None, "timeout", "protocol"}
    assert "anna" not in str(lines)
