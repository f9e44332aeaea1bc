"""The mailbox of a development stack: a mail catcher and a receiver of webhooks, to look at what was sent outside.

It takes every mail for everybody, and every call to /mailbox/hooks/…, and shows the newest of them at /mailbox; nothing
goes any further. What it has is kept in memory. Its pages carry no script.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import MessageError
from email.policy import default
from html import escape
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from deploy.local.identity import PAGE_HEADERS, STYLE
from shared.http.failures import answer_failures
from shared.http.middleware import RequestMiddleware
from shared.ops.metrics import Metrics

KEPT = 200
"""So many mails, and so many calls, are remembered."""
BODY_LIMIT = 1 << 20
SHOWN_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "user-agent")
MAIL_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail that came in."""

    arrived_at: datetime
    recipients: Sequence[str]
    id: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that came in."""

    arrived_at: datetime
    path: str
    id: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Mailbox:
    """What has arrived, the newest first. Real time."""

    mails: deque[Mail] = field(default_factory=lambda: deque(maxlen=KEPT))
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=KEPT))

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - by aiosmtpd
        content = envelope.content or b""
        self.mails.appendleft(read_mail(content if isinstance(content, bytes) else content.encode(), envelope.rcpt_tos))
        return "250 OK"


def read_mail(content: bytes, recipients: Sequence[str]) -> Mail:
    """What stands in a mail, whatever it is."""
    message = message_from_bytes(content, policy=default)
    text = ""
    try:
        part = message.get_body(preferencelist=("plain", "html"))
        text = part.get_content() if part is not None else ""
    except (LookupError, MessageError, ValueError):
        text = content.decode("utf-8", "replace")
    return Mail(
        arrived_at=datetime.now(UTC),
        recipients=tuple(recipients),
        id=str(message["Message-ID"] or ""),
        subject=str(message["Subject"] or ""),
        text=str(text),
    )


def build_mailbox(smtp_host: str, smtp_port: int, mailbox: Mailbox | None = None) -> FastAPI:
    """The application; while it runs, mail is taken on the given port."""
    held = mailbox or Mailbox()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(held, enable_SMTPUTF8=True, data_size_limit=MAIL_LIMIT), smtp_host, smtp_port
        )
        async with server:
            yield

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
    answer_failures(app)
    app.add_middleware(RequestMiddleware, metrics=Metrics.of("mailbox"), patterns={}, body_limit=BODY_LIMIT)

    @app.get("/mailbox/ready")
    async def ready() -> Response:
        return Response(status_code=204)

    @app.get("/mailbox")
    async def page() -> HTMLResponse:
        return HTMLResponse(mailbox_page(held), headers=PAGE_HEADERS)

    @app.get("/mailbox/style.css")
    async def style() -> Response:
        return Response(STYLE.read_bytes(), media_type="text/css", headers={"Cache-Control": "max-age=300"})

    @app.get("/mailbox/mails")
    async def mails() -> list[dict[str, Any]]:
        return [_told(mail) for mail in held.mails]

    @app.get("/mailbox/calls")
    async def calls() -> list[dict[str, Any]]:
        return [_told(call) for call in held.calls]

    @app.post("/mailbox/hooks/{path:path}")
    async def hook(path: str, request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > BODY_LIMIT:
                return Response(status_code=413)
        headers = {name: request.headers[name] for name in SHOWN_HEADERS if name in request.headers}
        text = body.decode("utf-8", "replace")
        message_id = headers.get("webhook-id", "")
        held.calls.appendleft(Call(arrived_at=datetime.now(UTC), path=path, id=message_id, headers=headers, body=text))
        return Response(status_code=204)

    return app


def _told(each: Mail | Call) -> dict[str, Any]:
    return {name: getattr(each, name) for name in each.__slots__}


def mailbox_page(mailbox: Mailbox) -> str:
    """What arrived, the newest first."""
    mails = "".join(_entry(m.arrived_at, ", ".join(m.recipients), m.subject, m.text) for m in mailbox.mails)
    calls = "".join(_entry(c.arrived_at, c.path, c.id, c.body) for c in mailbox.calls)
    return PAGE.format(mails=mails or "<p>No mail yet.</p>", calls=calls or "<p>No call yet.</p>")


def _entry(at: datetime, whom: str, title: str, text: str) -> str:
    return (
        f"<details><summary><strong>{escape(title)}</strong> <small>{escape(whom)}, {at:%Y-%m-%d %H:%M:%S}Z</small>"
        f"</summary><pre>{escape(text)}</pre></details>"
    )


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Mailbox · Throughline</title>
<link rel="stylesheet" href="/mailbox/style.css">
</head>
<body>
<main>
<header>
<p class="mark">Throughline</p><h1>What was sent outside</h1><p>The newest first; nothing went any further.</p>
</header>
<section><h2>Mail</h2>{mails}</section>
<section><h2>Webhooks</h2>{calls}</section>
<footer>A development stack: whatever is sent, to whomever, arrives here.</footer>
</main>
</body>
</html>
"""
