"""Letters arrive as they were written, under the id of the delivery, and nothing that a mail server does gets on."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from shared.deliveries.delivery import Delivered, Delivery, Failed, Outcome, Refused
from shared.deliveries.mail import (
    Letter,
    MailChannel,
    header_text,
    message_of,
)
from shared.ops.mail_server import MailServer, mail_address
from tests.shared.deliveries.receivers import (
    HANGING,
    MailReceiver,
    Serving,
    certificate,
    patience,
    raw,
    server_side,
    taking_mail,
)
from tests.shared.deliveries.test_webhooks import delivery

SENDER = "no-reply@throughline.example"
LETTER = Letter(
    to="anna@example.com", subject="Overdue: 12,50 €", text="Äpfel\n.\n.. ein Punkt\n" + "x" * 2000, language="de"
)
AT = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)


def channel(port: int, letter: Letter | None = LETTER, **other: Any) -> MailChannel:
    async def letter_of(_: Delivery) -> Letter | None:
        return letter

    server = other.pop("server", MailServer(host="127.0.0.1", port=port, security="none"))
    return MailChannel(server, letter_of, sender=SENDER, now=lambda: AT, **{"seconds": patience(), **other})


def read_again(message: EmailMessage) -> EmailMessage:
    """What stands in the bytes."""
    return message_from_bytes(message.as_bytes(), policy=default)


async def test_a_letter_arrives_whole_and_under_its_id() -> None:
    sent = delivery()
    async with taking_mail(MailReceiver()) as receiver:
        assert await channel(receiver.port).send(sent) == Delivered()
        assert await channel(receiver.port).send(sent) == Delivered()
    first, again = receiver.messages
    assert first["Message-ID"] == again["Message-ID"] == f"<{sent.id}@throughline.example>"
    assert first["X-Throughline-Delivery"] == str(sent.id)
    assert (first["Subject"], first["To"], first["From"]) == (LETTER.subject, LETTER.to, f"Throughline <{SENDER}>")
    assert (first["Auto-Submitted"], first["Content-Language"]) == ("auto-generated", "de")
    assert first["Date"].datetime == AT
    assert first.get_content().splitlines() == LETTER.text.splitlines()
    assert receiver.recipients == ["anna@example.com"] * 2


@pytest.mark.parametrize(
    "subject",
    [
        "a\r\nBcc: evil@example.com",
        "a\nBcc: evil@example.com",
        "=?utf-8?q?hi=0ABcc:_evil=40example.com?=",
        "=?utf-8?q?hi=0D=0ABcc=3A_evil=40example.com?= " + "ü" * 80,
        "a\u2028Bcc: evil@example.com",
        "a\x85Bcc: evil@example.com",
        "a\x00b",
    ],
)
def test_no_subject_makes_another_header(subject: str) -> None:
    message = message_of(
        Letter(to="anna@example.com", subject=subject, text="t", language="en"), delivery(), sender=SENDER, at=AT
    )
    arrived = read_again(message)
    assert arrived["Bcc"] is None
    assert len(arrived.keys()) == len(message.keys())
    assert b"\nBcc" not in message.as_bytes()


@given(st.text())
def test_no_text_does(text: str) -> None:
    letter = Letter(to="anna@example.com", subject=text, text=text, language="en")
    message = message_of(letter, delivery(), sender=SENDER, at=AT)
    arrived = read_again(message)
    assert arrived.keys() == message.keys()
    assert " ".join(arrived["Subject"].split()) == " ".join(header_text(text).split())


@pytest.mark.parametrize(
    "address",
    [
        "x",
        "a@b",
        "a@example.com, b@example.com",
        "Anna <a@example.com>",
        "a@example.com\r\nRCPT TO:<b@example.com>",
        "a@[127.0.0.1]",
    ],
)
async def test_what_is_no_address_gets_no_letter(address: str) -> None:
    async with taking_mail(MailReceiver()) as receiver:
        letter = Letter(to=address, subject="s", text="t", language="en")
        assert await channel(receiver.port, letter).send(delivery()) == Refused(code="no-address")
        assert await channel(receiver.port, None).send(delivery()) == Refused(code="no-address")
    assert receiver.messages == []


async def test_addresses_in_every_script_are_written_as_servers_take_them() -> None:
    assert mail_address("Anna@Exämple.com") == "Anna@xn--exmple-cua.com"
    async with taking_mail(MailReceiver()) as receiver:
        letter = Letter(to="ännä@exämple.com", subject="s", text="t", language="en")
        assert await channel(receiver.port, letter).send(delivery()) == Delivered()
    assert receiver.recipients == ["ännä@xn--exmple-cua.com"]


@pytest.mark.parametrize(
    ("rcpt", "data", "expected"),
    [
        ("550 5.1.1 no such user", "250 OK", Refused(code="smtp-550")),
        ("501 5.1.3 bad address", "250 OK", Refused(code="smtp-501")),
        ("450 4.2.1 later", "250 OK", Failed(code="smtp-450")),
        ("530 5.7.0 sign in first", "250 OK", Failed(code="smtp-530")),
        ("250 OK", "554 5.7.1 no", Refused(code="smtp-554")),
        ("250 OK", "451 4.3.0 later", Failed(code="smtp-451")),
    ],
)
async def test_what_an_answer_means(rcpt: str, data: str, expected: Outcome) -> None:
    receiver = MailReceiver(rcpt=lambda address: rcpt, data=lambda message: data)
    async with taking_mail(receiver):
        assert await channel(receiver.port).send(delivery()) == expected


async def test_a_server_that_does_not_speak_tls_gets_no_letter(tmp_path: Path) -> None:
    """No silent fall-back: without STARTTLS, or under a certificate that nobody vouches for, nothing is said."""
    file = certificate(tmp_path, "127.0.0.1")
    trusting = ssl.create_default_context(cafile=str(file))
    async with taking_mail(MailReceiver()) as plain, taking_mail(MailReceiver(tls=server_side(file))) as secure:
        starttls = {
            each.port: MailServer(host="127.0.0.1", port=each.port, security="starttls") for each in (plain, secure)
        }
        sent = await channel(plain.port, server=starttls[plain.port], tls=trusting).send(delivery())
        assert sent == Failed(code="smtp-not-supported")
        assert await channel(secure.port, server=starttls[secure.port]).send(delivery()) == Failed(code="tls")
        sent = await channel(secure.port, server=starttls[secure.port], tls=trusting).send(delivery())
        assert sent == Delivered()
    assert (plain.messages, secure.over_tls) == ([], [True])


async def test_nobody_there_is_a_failure_that_passes() -> None:
    async with raw(never) as port:
        pass
    assert await channel(port).send(delivery()) == Failed(code="connect")


def speaking(*answers: bytes) -> Serving:
    """A server that has an answer for each line that it gets, the greeting first."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            writer.write(answer)
            await writer.drain()
            await reader.readline()

    return serve


async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"2")
        await writer.drain()
        await asyncio.sleep(0.02)


async def greets_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"220-welcome\r\n" * 1000)
        await writer.drain()


async def greets_slowly_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Each line in time, and never the last one."""
    while True:
        writer.write(b"220-welcome\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def sends_a_huge_line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"220 " + b"a" * 1_000_000)
        await writer.drain()


async def answers_each_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Each answer in time, and all of them too late."""
    for answer in (b"220 here\r\n", *[b"250 ok\r\n"] * 3, b"354 go\r\n", b"250 ok\r\n"):
        await asyncio.sleep(0.6)
        writer.write(answer)
        await reader.readline()


def drops_after_data() -> Serving:
    """It takes the whole message and hangs up before it says so."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await up_to_data(reader, writer)
        await reader.readuntil(b"\r\n.\r\n")

    return serve


async def up_to_data(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 here\r\n")
    for answer in (b"250 here\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
        await reader.readline()
        writer.write(answer)


async def stops_reading_in_data(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await up_to_data(reader, writer)
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        (never, "timeout"),
        (drips, "timeout"),
        (greets_for_ever, "smtp-unreadable"),
        (greets_slowly_for_ever, "timeout"),
        (sends_a_huge_line, "smtp-unreadable"),
        (answers_each_late, "timeout"),
        (speaking(b"\xff\xfe\xfa anna@example.com\r\n"), "smtp-unreadable"),
        (speaking(b"554 anna@example.com is not welcome \xff\r\n"), "smtp-554"),
        (speaking(b"220 here\r\n", b"421 later\r\n", b"421 later\r\n"), "smtp-421"),
        (speaking(b"220 here\r\n", b"250 ok\r\n", b"550 you are not welcome\r\n"), "smtp-550"),
        (drops_after_data(), "disconnected"),
        (stops_reading_in_data, "timeout"),
    ],
)
async def test_whatever_a_mail_server_does_the_attempt_ends_in_time(attack: Serving, code: str) -> None:
    """It is tried again each time: nothing of this is about the recipient."""
    with structlog.testing.capture_logs() as lines:
        async with raw(attack) as port, asyncio.timeout(HANGING):
            assert await channel(port, seconds=patience(code)).send(delivery()) == Failed(code=code)
    assert "anna" not in str(lines)


async def test_a_sign_in_that_is_refused_kills_no_letter() -> None:
    """A password that was changed is a matter of operation, and passes."""
    refusing = speaking(b"220 here\r\n", b"250-here\r\n250 AUTH PLAIN\r\n", b"535 5.7.8 anna, no\r\n", b"221 bye\r\n")
    async with raw(refusing) as port:
        server = MailServer(host="127.0.0.1", port=port, security="none", user="us", password="pw")
        assert await channel(port, server=server).send(delivery()) == Failed(code="smtp-535")


async def test_what_was_taken_is_delivered_whatever_comes_of_the_farewell() -> None:
    """A server that hangs, or hangs up, once it has taken a letter makes no repeat."""

    def after(end: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> Serving:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await up_to_data(reader, writer)
            await reader.readuntil(b"\r\n.\r\n")
            writer.write(b"250 taken\r\n")
            await writer.drain()
            await end(writer)

        return serve

    async def hang(_: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def hang_up(writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def insult(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(b"\xff" * 100_000 + b"\r\n")
        await writer.drain()

    for end in (hang, hang_up, insult):
        async with raw(after(end)) as port:
            assert await channel(port).send(delivery()) == Delivered()
