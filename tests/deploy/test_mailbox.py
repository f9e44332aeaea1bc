"""The mailbox of a development stack: what is sent outside arrives there and can be looked at."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
import uvicorn

from deploy.local.mailbox import KEPT, build_mailbox, read_mail
from deploy.local.ports import free_port
from shared.deliveries.addresses import Resolver, networks_of
from shared.deliveries.delivery import Delivered, Delivery
from shared.deliveries.mail import Letter, MailChannel
from shared.deliveries.webhooks import Endpoint, WebhookChannel, secret_of
from shared.ops.ids import new_id
from shared.ops.mail_server import MailServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    client: httpx.AsyncClient
    smtp: int


@asynccontextmanager
async def at_work() -> AsyncIterator[Place]:
    smtp = free_port(set())
    config = uvicorn.Config(build_mailbox("127.0.0.1", smtp), port=0, log_config=None)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        yield Place(client=client, smtp=smtp)
    server.should_exit = True
    await serving


def delivery(channel: str) -> Delivery:
    content = '{"type":"notice.raised","data":{"reference":"<b>INV-7</b>"}}'
    return Delivery(
        id=new_id(),
        channel=channel,
        receiver=new_id(),
        position=1,
        event_id=new_id(),
        kind="notice.raised",
        content=content,
    )


async def test_mail_and_calls_arrive_and_are_shown() -> None:
    async def letter_of(_: Delivery) -> Letter:
        return Letter(to="anna@example.com", subject="Überfällig <i>", text="Bitte.", language="de")

    async with at_work() as place:
        base = str(place.client.base_url).rstrip("/")

        async def endpoint_of(_: UUID) -> Endpoint:
            return Endpoint(url=f"{base}/mailbox/hooks/crm", secrets=[secret_of(b"k" * 32, UUID(int=1), 0)])

        def now() -> datetime:
            return datetime.now(UTC)

        server = MailServer(host="127.0.0.1", port=place.smtp, security="none")
        mail, call = delivery("mail"), delivery("webhook")
        assert await MailChannel(server, letter_of, sender="a@example.com", now=now).send(mail) == Delivered()
        resolver = Resolver(networks_of("127.0.0.1"))
        assert await WebhookChannel(endpoint_of, resolver, now=now, insecure=True).send(call) == Delivered()

        (arrived,) = (await place.client.get("/mailbox/mails")).json()
        assert (arrived["id"], arrived["recipients"]) == (f"<{mail.id}@example.com>", ["anna@example.com"])
        assert (arrived["subject"], arrived["text"].strip()) == ("Überfällig <i>", "Bitte.")
        (called,) = (await place.client.get("/mailbox/calls")).json()
        assert (called["id"], called["path"]) == (str(call.id), "crm")
        assert json.loads(called["body"]) == json.loads(call.content)
        assert called["headers"]["webhook-signature"].startswith("v1,")

        page = await place.client.get("/mailbox")
        assert "Überfällig &lt;i&gt;" in page.text
        assert "<b>" not in page.text
        assert "script" not in page.headers["Content-Security-Policy"]
        assert (await place.client.get("/mailbox/style.css")).status_code == 200


async def test_the_newest_are_remembered_and_nothing_is_too_large() -> None:
    async with at_work() as place:
        for number in range(KEPT + 5):
            await place.client.post("/mailbox/hooks/x", content=str(number))
        calls = (await place.client.get("/mailbox/calls")).json()
        assert [each["body"] for each in calls] == [str(number) for number in reversed(range(5, KEPT + 5))]
        assert (await place.client.post("/mailbox/hooks/x", content=b"a" * (2 << 20))).status_code == 413


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"Content-Type: text/plain; charset=none\r\n\r\nhello", b"Subject: =?x?q?=ff?=\r\n\r\n"],
)
def test_whatever_comes_in_is_read(content: bytes) -> None:
    assert read_mail(content, ["a@example.com"]).recipients == ("a@example.com",)
