"""The load generator, in a process of its own: HTTP/1.1 on kept connections, written for this alone.

A general client costs more per request than the servers under test, and would be what is measured. This one writes
prepared bytes and parses answers in C (httptools); its own CPU time is part of each result.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import httptools
import uvloop
from pydantic import TypeAdapter

from deploy.local.program import until
from shared.ops.ids import new_id

PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to send where. `clients` send as fast as they get answers, or `rate` a second in all, when it is given."""

    host: str
    port: int
    path: str
    token: str
    body: str
    clients: int
    warm_up: float
    """Seconds of sending before what is sent counts."""
    seconds: float
    rate: float = 0.0
    watch: str = ""
    """A path of event streams at the same place: each command is timed until its event is there."""
    ask: str = ""
    """A path that every tenth command is asked for at with its Consistency-Token, timed until the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What happened. Times are in seconds, since the moment at which a command was to be sent."""

    answered: list[float]
    elapsed: float
    cpu: float
    """Seconds of CPU that this process took while it counted."""
    sent: int
    """Every command that was acknowledged, in the warm-up as well."""
    seen: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    unseen: int = 0


TASK = TypeAdapter(Task)
RESULT = TypeAdapter(Result)


@dataclass(slots=True)
class Answer:
    """One response."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Connection(asyncio.Protocol):
    """One kept connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._start_over()

    def _start_over(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._answer = Answer()

    async def ask(self, request: bytes) -> Answer:
        """Send a request and wait for the answer to it."""
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
        self._answer.headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self._answer.body += body

    def on_message_complete(self) -> None:
        answer, waiting = self._answer, self._waiting
        answer.status = self._parser.get_status_code()
        self._start_over()
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)


@dataclass(slots=True)
class Run:
    """One run of a task; `began` is when counting begins."""

    task: Task
    began: float = 0.0
    cpu: float = 0.0
    sent: int = 0
    answered: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    opened: dict[str, float] = field(default_factory=dict)
    """When each command that counts was to be sent, by the id of what it made."""
    seen: dict[str, float] = field(default_factory=dict)

    @property
    def ends(self) -> float:
        return self.began + self.task.seconds

    def command(self) -> bytes:
        """A new command as it goes over the wire."""
        return self.request("POST", self.task.path, self.task.body, f"Idempotency-Key: {new_id()}\r\n")

    def request(self, method: str, path: str, body: str = "", more: str = "") -> bytes:
        task = self.task
        return (
            f"{method} {path} HTTP/1.1\r\nHost: {task.host}:{task.port}\r\nAuthorization: Bearer {task.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n{more}\r\n{body}"
        ).encode()

    async def send(self, connection: Connection, due: float) -> Answer:
        """Send one command that was due at a moment; noted when it counts."""
        answer = await connection.ask(self.command())
        now = time.perf_counter()
        if answer.status != 201:
            raise RuntimeError(f"{self.task.path} answered {answer.status}: {answer.body[:500]!r}")
        self.sent += 1
        if self.began <= due < self.ends:
            self.answered.append(now - due)
            if self.task.watch:
                self.opened[json.loads(answer.body)["id"]] = due
        return answer

    async def connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, self.task.host, self.task.port)
        return connection


async def carry_out(task: Task) -> Result:
    """Run a task."""
    run = Run(task)
    connections = [await run.connect() for _ in range(task.clients)]
    watching = asyncio.create_task(watch(run)) if task.watch else None
    run.began = time.perf_counter() + task.warm_up
    counting = asyncio.create_task(note_cpu(run))
    work = on_time if task.rate else as_fast_as_answered
    await work(run, connections)
    await counting
    elapsed, cpu = time.perf_counter() - run.began, time.process_time() - run.cpu
    if watching is not None:
        # What is still missing after that is counted.
        await until(lambda: run.opened.keys() <= run.seen.keys(), PATIENCE_SECONDS)
        watching.cancel()
    for connection in connections:
        connection.close()
    return Result(
        answered=run.answered,
        elapsed=elapsed,
        cpu=cpu,
        sent=run.sent,
        seen=[run.seen[made] - due for made, due in run.opened.items() if made in run.seen],
        asked=run.asked,
        unseen=len(run.opened.keys() - run.seen.keys()),
    )


async def note_cpu(run: Run) -> None:
    await asyncio.sleep(run.began - time.perf_counter())
    run.cpu = time.process_time()


async def as_fast_as_answered(run: Run, connections: Sequence[Connection]) -> None:
    """Each client sends its next command once it has the answer to the one before."""

    async def work(connection: Connection) -> None:
        while (now := time.perf_counter()) < run.ends:
            await run.send(connection, now)

    await all_of(work(connection) for connection in connections)


async def on_time(run: Run, connections: Sequence[Connection]) -> None:
    """Commands are due at fixed moments, whatever became of those before; one that has to wait for a free client has
    waited all the same."""
    dues = moments(run)

    async def work(connection: Connection) -> None:
        for number, due in dues:
            await asyncio.sleep(due - time.perf_counter())
            answer = await run.send(connection, due)
            if run.task.ask and number % 10 == 0:
                await ask(run, connection, due, answer.headers["consistency-token"])

    await all_of(work(connection) for connection in connections)


def moments(run: Run) -> Iterator[tuple[int, float]]:
    start = run.began - run.task.warm_up
    for number in range(int((run.task.warm_up + run.task.seconds) * run.task.rate)):
        yield number, start + number / run.task.rate


async def ask(run: Run, connection: Connection, due: float, token: str) -> None:
    """Read an answer that holds the effect of a command."""
    answer = await connection.ask(run.request("GET", run.task.ask, more=f"Consistency-Token: {token}\r\n"))
    if answer.status not in (200, 503):
        raise RuntimeError(f"{run.task.ask} answered {answer.status}: {answer.body[:500]!r}")
    if run.began <= due < run.ends:
        # 503 says that it took longer than two seconds.
        run.asked.append(time.perf_counter() - due)


class EventStream(asyncio.Protocol):
    """Notes when the first event of each thing comes over a stream of server-sent events."""

    def __init__(self, request: bytes, seen: dict[str, float]) -> None:
        self._request = request
        self._seen = seen
        self._parser = httptools.HttpResponseParser(self)
        self._line = b""
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        now = time.perf_counter()
        *lines, self._line = (self._line + body).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._seen.setdefault(json.loads(line.removeprefix(b"data:"))["id"], now)


async def watch(run: Run) -> None:
    """Note when the event of each opened deal comes over the event stream."""
    loop, request = asyncio.get_running_loop(), run.request("GET", run.task.watch)
    transport, stream = await loop.create_connection(
        lambda: EventStream(request, run.seen), run.task.host, run.task.port
    )
    try:
        await stream.ended.wait()
    finally:
        transport.close()


async def all_of(work: Iterator[Awaitable[None]]) -> None:
    await asyncio.gather(*work)


if __name__ == "__main__":
    given = TASK.validate_json(sys.stdin.buffer.read())
    sys.stdout.buffer.write(RESULT.dump_json(uvloop.run(carry_out(given))))
