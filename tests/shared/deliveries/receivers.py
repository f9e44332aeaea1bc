"""The other side, for tests of both ways outside: an HTTP server and a mail server that are real, and raw ones that are
whatever an attacker likes."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Serving = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HANGING = 60.0
"""Seconds after which an attempt that should end does not."""


def patience(code: str = "") -> float:
    """How long a channel may try: short where the attempt is to run out of time, else so long that a busy machine does
    not end it before the other side has."""
    return 1.0 if code == "timeout" else HANGING / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that came in."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class HttpReceiver:
    """An HTTP server that keeps what it is sent, and answers as it is told."""

    answer: Callable[[Call], Response] = lambda call: Response(status_code=204)
    calls: list[Call] = field(default_factory=list)
    port: int = 0

    async def take(self, request: Request) -> Response:
        call = Call(path=request.url.path, headers=dict(request.headers), body=await request.body())
        self.calls.append(call)
        return self.answer(call)


@asynccontextmanager
async def receiving(receiver: HttpReceiver, certificate: Path | None = None) -> AsyncIterator[HttpReceiver]:
    """An HTTP server at work on a free port of this machine; with a certificate over TLS."""
    app = Starlette(routes=[Route("/{path:path}", receiver.take, methods=["GET", "POST"])])
    files = {} if certificate is None else {"ssl_certfile": certificate, "ssl_keyfile": certificate}
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off", **cast("Any", files))
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    receiver.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.should_exit = True
        await serving


@dataclass(slots=True)
class MailReceiver:
    """A mail server that keeps what it is sent, and answers as it is told."""

    rcpt: Callable[[str], str] = lambda address: "250 OK"
    data: Callable[[EmailMessage], str] = lambda message: "250 OK"
    tls: ssl.SSLContext | None = None
    auth_required: bool = False
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    over_tls: list[bool] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - so aiosmtpd finds it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.rcpt(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        message = message_from_bytes(cast("bytes", envelope.content), policy=default)
        self.messages.append(message)
        self.recipients += envelope.rcpt_tos
        self.over_tls.append(session.ssl is not None)
        return self.data(message)


@asynccontextmanager
async def taking_mail(receiver: MailReceiver) -> AsyncIterator[MailReceiver]:
    """A mail server at work on a free port of this machine."""

    def protocol() -> SMTP:
        return SMTP(receiver, enable_SMTPUTF8=True, tls_context=receiver.tls, require_starttls=receiver.tls is not None)

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


@asynccontextmanager
async def raw(serve: Serving) -> AsyncIterator[int]:
    """A server that does anything with each connection; its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(guarded(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def certificate(folder: Path, *names: str) -> Path:
    """A file with a self-signed certificate for these names of hosts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    alternatives = [x509.IPAddress(ip_address(n)) if n[0].isdigit() else x509.DNSName(n) for n in names]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


def server_side(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
