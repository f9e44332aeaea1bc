"""Webhooks are signed as Standard Webhooks says, and nothing that a receiver or its name server does gets further."""

import asyncio
import base64
import ipaddress
import json
import socket
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.responses import Response

from shared.deliveries.addresses import NotAllowed, Resolver, is_allowed, is_outside, networks_of
from shared.deliveries.delivery import Delivered, Delivery, Failed, Outcome, Refused, Withheld
from shared.deliveries.webhooks import Endpoint, WebhookChannel, headers_of, secret_of, shown, signature
from shared.ops.ids import new_id
from tests.shared.deliveries.receivers import HANGING, HttpReceiver, Serving, certificate, patience, raw, receiving

HERE = networks_of("127.0.0.0/8, ::1/128")
SECRET = secret_of(b"only for these tests, long enough", UUID(int=7), 0)


def delivery(content: str = '{"type":"notice.raised","data":{"amount":"12.50","who":"Ärger"}}') -> Delivery:
    return Delivery(
        id=new_id(),
        channel="webhook",
        receiver=new_id(),
        position=1,
        event_id=new_id(),
        kind="notice.raised",
        content=content,
    )


def channel(url: str, *, secrets: Sequence[bytes] = (SECRET,), paused: bool = False, **other: Any) -> WebhookChannel:
    async def endpoint_of(_: UUID) -> Endpoint:
        return Endpoint(url=url, secrets=secrets, paused=paused)

    resolver = other.pop("resolver", Resolver(HERE))
    return WebhookChannel(
        endpoint_of, resolver, now=lambda: datetime.now(UTC), **{"insecure": True, "seconds": 3.0, **other}
    )


def test_the_signature_is_that_of_the_published_vector() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_who_knows_one_of_the_secrets_can_verify_a_call() -> None:
    old, new = (secret_of(b"k" * 32, UUID(int=7), rotation) for rotation in (0, 1))
    body = '{"type":"notice.raised","data":{"who":"Ärger"}}'
    headers = dict(headers_of("2b1e", datetime.now(UTC), body.encode(), [new, old]))
    for secret in (old, new):
        assert Webhook(shown(secret)).verify(body, headers) == json.loads(body)
    for stranger in (secret_of(b"k" * 32, UUID(int=8), 0), secret_of(b"q" * 32, UUID(int=7), 0)):
        with pytest.raises(WebhookVerificationError):
            Webhook(shown(stranger)).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(shown(new)).verify(body.replace("Ä", "A"), headers)


@pytest.mark.parametrize(
    "inside",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *("255.255.255.255", "192.0.0.170", "198.18.0.1", "240.0.0.1", "::", "::1", "fe80::1", "fec0::1", "ff02::1"),
        *("fd00:ec2::254", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1"),
        *("64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "ff0e::1"),
    ],
)
def test_an_address_of_the_inside_is_none_of_the_outside(inside: str) -> None:
    assert not is_outside(ipaddress.ip_address(inside))


@pytest.mark.parametrize("outside", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_an_address_of_the_internet_is_outside(outside: str) -> None:
    assert is_outside(ipaddress.ip_address(outside))


def test_networks_of_the_inside_may_be_allowed() -> None:
    networks = networks_of("10.1.0.0/16,fd00::/8")
    allowed = [
        each
        for each in ("10.1.2.3", "10.2.0.1", "::ffff:10.1.0.9", "fd00::1")
        if is_allowed(ipaddress.ip_address(each), networks)
    ]
    assert allowed == ["10.1.2.3", "::ffff:10.1.0.9", "fd00::1"]
    assert networks_of("") == ()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "localhost", "::1", "0"])
async def test_no_way_of_writing_it_leads_inside(host: str) -> None:
    with pytest.raises(NotAllowed):
        await Resolver(()).addresses(host, 443)


async def test_a_call_arrives_whole_and_signed() -> None:
    sent = delivery()
    async with receiving(HttpReceiver()) as receiver:
        outcome = await channel(f"http://127.0.0.1:{receiver.port}/hooks/1?a=b").send(sent)
    assert outcome == Delivered()
    (call,) = receiver.calls
    assert (call.path, call.headers["content-type"]) == ("/hooks/1", "application/json")
    assert call.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert call.headers["webhook-id"] == str(sent.id)
    assert Webhook(shown(SECRET)).verify(call.body, call.headers) == json.loads(sent.content)


async def test_over_tls_the_name_is_checked_and_not_the_address(tmp_path: Path) -> None:
    """The connection is made to the address that was judged; the certificate is that of the host."""
    file = certificate(tmp_path, "localhost")
    trusting = ssl.create_default_context(cafile=str(file))
    async with receiving(HttpReceiver(), file) as receiver:
        url = f"https://localhost:{receiver.port}/"
        assert await channel(url, tls=trusting, insecure=False).send(delivery()) == Delivered()
        by_address = f"https://127.0.0.1:{receiver.port}/"
        assert await channel(by_address, tls=trusting, insecure=False).send(delivery()) == Failed(code="tls")
        assert await channel(url, insecure=False).send(delivery()) == Failed(code="tls"), "nobody vouches for it"
    assert [call.headers["host"] for call in receiver.calls] == [f"localhost:{receiver.port}"]


async def test_a_host_is_looked_up_once_and_what_was_judged_is_what_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: at the second look-up the name would lead elsewhere."""
    lookups: list[str] = []

    def once(host: str, port: int, **_: Any) -> list[Any]:
        lookups.append(host)
        address = "127.0.0.1" if len(lookups) == 1 else "127.0.0.99"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", once)
    async with receiving(HttpReceiver()) as receiver:
        outcome = await channel(f"http://rebinding.example:{receiver.port}/").send(delivery())
    assert outcome == Delivered()
    assert lookups == ["rebinding.example"]
    assert receiver.calls[0].headers["host"] == f"rebinding.example:{receiver.port}"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Response(status_code=200), Delivered()),
        (Response("x" * 100_000, status_code=202), Delivered()),
        (Response(status_code=410), Refused(code="http-410")),
        (Response(status_code=404), Failed(code="http-404")),
        (Response(status_code=500), Failed(code="http-500")),
        (Response(status_code=503, headers={"Retry-After": "90"}), Failed(code="http-503", retry_after=90.0)),
        (Response(status_code=429, headers={"Retry-After": "never"}), Failed(code="http-429")),
    ],
)
async def test_what_an_answer_means(answer: Response, expected: Outcome) -> None:
    async with receiving(HttpReceiver(lambda call: answer)) as receiver:
        assert await channel(f"http://127.0.0.1:{receiver.port}/").send(delivery()) == expected


async def test_no_redirect_is_followed() -> None:
    async with receiving(HttpReceiver()) as elsewhere:
        away = Response(status_code=307, headers={"Location": f"http://127.0.0.1:{elsewhere.port}/"})
        async with receiving(HttpReceiver(lambda call: away)) as receiver:
            assert await channel(f"http://127.0.0.1:{receiver.port}/").send(delivery()) == Failed(code="http-307")
    assert elsewhere.calls == []


async def test_what_may_not_be_called_is_not_called() -> None:
    async with receiving(HttpReceiver()) as receiver:
        url = f"http://127.0.0.1:{receiver.port}/"
        assert await channel(url, insecure=False).send(delivery()) == Failed(code="scheme-not-allowed")
        nowhere = channel(url, resolver=Resolver(()))
        assert await nowhere.send(delivery()) == Failed(code="address-not-allowed")
        assert await channel(url, paused=True).send(delivery()) == Withheld(code="paused")
        assert await channel("file:///etc/passwd").send(delivery()) == Failed(code="scheme-not-allowed")
        assert await channel("http://nowhere.invalid/").send(delivery()) == Failed(code="host-unknown")
    assert receiver.calls == []


async def test_an_endpoint_that_was_removed_gets_nothing() -> None:
    async def none(_: UUID) -> None:
        return None

    removed = WebhookChannel(none, Resolver(HERE), now=lambda: datetime.now(UTC))
    assert await removed.send(delivery()) == Refused(code="endpoint-removed")


async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A header a byte at a time: no single read ever takes long."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 10_000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


async def floods_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: " + b"a" * 60_000 + b"\r\n")
        await writer.drain()


async def says_it_goes_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
        await writer.drain()
        await asyncio.sleep(0.01)


async def speaks_something_else(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\xff\xfe220 mail.example ESMTP\r\n")
    await writer.drain()
    await asyncio.sleep(0.2)


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        (never, "timeout"),
        (drips, "timeout"),
        (floods_headers, "protocol"),
        (says_it_goes_on, "timeout"),
        (speaks_something_else, "protocol"),
        (hangs_up, "protocol"),
    ],
)
async def test_whatever_a_receiver_does_the_attempt_ends_in_time(attack: Serving, code: str) -> None:
    async with raw(attack) as port, asyncio.timeout(HANGING):
        calling = channel(f"http://127.0.0.1:{port}/", seconds=patience(code))
        assert await calling.send(delivery()) == Failed(code=code)


async def test_a_body_without_end_is_not_read() -> None:
    written = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"a" * 0x10000 + b"\r\n")
            written += 0x10000
            await writer.drain()

    async with raw(endless) as port:
        assert await channel(f"http://127.0.0.1:{port}/", seconds=patience()).send(delivery()) == Delivered()
    assert written < 50_000_000
