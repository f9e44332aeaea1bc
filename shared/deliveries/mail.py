"""E-mail over SMTP: one message to one person, and what a mail server's answer means.

The `Message-ID` is the id of the delivery, the same in every attempt, so that mail systems and people know a repeat.
The attempt ends in a minute, whatever the server does. Only what a server says of this recipient or of this message is
for good (55x after RCPT and DATA); whatever else it refuses, like our sign-in or our sender, is a matter of operation,
and tried again.
"""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

import aiosmtplib

from shared.deliveries.delivery import Delivered, Delivery, Failed, Outcome, Refused
from shared.ops.deadline import within
from shared.ops.mail_server import MailServer, mail_address

ATTEMPT_SECONDS = 60.0
ANSWER_SECONDS = 20.0
QUIT_SECONDS = 2.0

CODES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "timeout"),
    (ssl.SSLError, "tls"),
    (aiosmtplib.SMTPConnectError, "connect"),
    (ConnectionError, "disconnected"),
    (aiosmtplib.SMTPException, "smtp-not-supported"),  # of STARTTLS that is not offered the bare class (5.1.3)
    (OSError, "connect"),
)
"""What is written down of failures that are no answer; the first that fits."""
NOT_IN_A_HEADER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is said to whom, in the language in which it is said."""

    to: str
    subject: str
    text: str
    language: str


def header_text(text: str) -> str:
    """A text as it may stand in a header: on one line, and taken for nothing but text.

    Python's `email` (3.11) takes `=?utf-8?q?=0ABcc:_…?=` inside a text apart, and writes its line break out.
    """
    return NOT_IN_A_HEADER.sub(" ", text).replace("=?", "= ?").strip()


def message_of(letter: Letter, delivery: Delivery, *, sender: str, at: datetime) -> EmailMessage:
    """The message. Raises ValueError for an address that is none."""
    to = mail_address(letter.to)
    message = EmailMessage(policy=SMTP if to.isascii() else SMTPUTF8)
    message["From"] = Address("Throughline", addr_spec=sender)
    local_part, _, domain = to.rpartition("@")
    message["To"] = Address(username=local_part, domain=domain)  # an `addr_spec` has to be ASCII
    message["Subject"] = header_text(letter.subject)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{delivery.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Throughline-Delivery"] = str(delivery.id)
    message.set_content(letter.text, cte="quoted-printable")
    message["Content-Language"] = letter.language  # now: setting the content takes all `Content-…` out
    return message


class MailChannel:
    """Hands letters to a mail server, each over a connection of its own. `letter_of` writes one when it is sent; None
    when its receiver has no address any more."""

    def __init__(
        self,
        server: MailServer,
        letter_of: Callable[[Delivery], Awaitable[Letter | None]],
        *,
        sender: str,
        now: Callable[[], datetime],
        tls: ssl.SSLContext | None = None,
        seconds: float = ATTEMPT_SECONDS,
    ) -> None:
        self._server = server
        self._letter_of = letter_of
        self._sender = mail_address(sender)
        self._now = now
        self._tls = tls or ssl.create_default_context()
        self._seconds = seconds

    async def send(self, delivery: Delivery) -> Outcome:
        """Hand the letter over once."""
        letter = await self._letter_of(delivery)
        if letter is None:
            return Refused(code="no-address")
        try:
            message = message_of(letter, delivery, sender=self._sender, at=self._now())
        except ValueError:
            return Refused(code="no-address")
        client = self._client()
        try:
            async with asyncio.timeout(self._seconds):
                await client.connect()
                recipient = message["To"].addresses[0].addr_spec
                await client.send_message(message, sender=self._sender, recipients=[recipient])
        except (aiosmtplib.SMTPException, OSError) as error:
            return outcome_of(error)
        else:
            # It is taken: whatever becomes of the farewell is no matter of the delivery.
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await within(QUIT_SECONDS, client.quit())
            return Delivered()
        finally:
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=None if server.security == "none" else self._tls,
            local_hostname=self._sender.rpartition("@")[2],
            timeout=min(ANSWER_SECONDS, self._seconds),
        )


def outcome_of(error: aiosmtplib.SMTPException | OSError) -> Outcome:
    """What a failed attempt means."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=[refused, *_]):
            return _answered(refused.code, for_good=refused.code == 501 or _is_final(refused.code))
        case aiosmtplib.SMTPResponseException(code=code):
            return _answered(code, for_good=isinstance(error, aiosmtplib.SMTPDataError) and _is_final(code))
    return Failed(code=next(code for kind, code in CODES if isinstance(error, kind)))


def _is_final(code: int) -> bool:
    """5xx about a mailbox or a message; 50x and 53x are about commands and sign-in."""
    return 550 <= code <= 559


def _answered(code: int, *, for_good: bool) -> Outcome:
    said = f"smtp-{code}" if 100 <= code <= 999 else "smtp-unreadable"
    return Refused(code=said) if for_good else Failed(code=said)
