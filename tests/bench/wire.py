"""HTTP/1.1 on kept connections, written for the bench alone.

A general client costs more per request than the servers under test, and would be what is measured. This one writes
prepared bytes and parses answers in C (httptools).
"""

import asyncio
from dataclasses import dataclass, field
from typing import cast

import httptools


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to ask, and as whom."""

    host: str
    port: int
    token: str
    """A bearer token."""

    def request(self, method: str, path: str, body: str = "", more: str = "") -> bytes:
        """A request as it goes over the wire; `more` are further header lines."""
        return (
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n{more}\r\n{body}"
        ).encode()

    async def connect(self) -> "Connection":
        """A new connection."""
        connection = Connection(self.host, self.port)
        await connection.open()
        return connection


@dataclass(slots=True)
class Answer:
    """One response."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str:
        """The value of a header; empty without it."""
        wanted = name.encode().lower()
        return next((value.decode() for found, value in self.headers if found.lower() == wanted), "")


class Connection(asyncio.Protocol):
    """One kept connection, one request at a time."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._start_over()

    def _start_over(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._answer = Answer()

    async def open(self) -> None:
        """Connect."""
        await asyncio.get_running_loop().create_connection(lambda: self, self._host, self._port)

    async def ask(self, request: bytes) -> Answer:
        """Send a request and wait for the answer to it; connect again when the server has hung up meanwhile, or does so
        in the very moment of sending: a command is the same one under its key."""
        try:
            return await self._ask(request)
        except ConnectionError:
            return await self._ask(request)

    async def _ask(self, request: bytes) -> Answer:
        if self._transport is None or self._transport.is_closing():
            self._start_over()
            await self.open()
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # -- asyncio ------------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class derives from nothing

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionError("the server closed the connection"))

    # -- httptools ----------------------------------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self._answer.body += body

    def on_message_complete(self) -> None:
        answer, waiting = self._answer, self._waiting
        answer.status = self._parser.get_status_code()
        self._start_over()
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)
