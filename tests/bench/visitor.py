"""A visitor, in a process of its own: asks a server one thing once, and another client of it meanwhile asks the server
whether it lives, again and again: how long it waits is how long the server's event loop stood still.

It reads its task from standard input and writes what it saw, both as JSON.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import psutil
import uvloop

from shared.ops.ids import new_id
from tests.bench.load import UNIQUE
from tests.bench.wire import Answer, Connection, Place

LIVE = "/health/live"
BETWEEN_SECONDS = 0.002
"""From one answer to the next question whether it lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask."""

    method: str
    path: str
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What to ask where."""

    place: Place
    process: int
    """The server's process id."""
    request: Request
    warm: Sequence[Request]
    """Asked first, whatever is answered."""
    after: float
    """Seconds of looking how the server lives after the answer: it may have more to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How it went, in seconds."""

    answered: float
    cpu: float
    """Of the server until the answer."""
    stall: float
    """The longest that the server did not say whether it lives."""


async def visit(task: Visit) -> Seen:
    """Ask once."""
    asking, beating = await task.place.connect(), await task.place.connect()
    for request in task.warm:
        await _ask(task, asking, request)
    waits: list[float] = []
    beats = asyncio.create_task(_beat(task.place.request("GET", LIVE), beating, waits))
    await asyncio.sleep(0.1)
    process = psutil.Process(task.process)
    before, sent = process.cpu_times(), time.monotonic()
    answer = await _ask(task, asking, task.request)
    answered, spent = time.monotonic() - sent, process.cpu_times()
    if answer.status not in (200, 201):
        raise RuntimeError(f"{task.request.path} answered {answer.status}: {answer.body[:500]!r}")
    await asyncio.sleep(task.after)
    beats.cancel()
    await asyncio.wait([beats])
    cpu = spent.user + spent.system - before.user - before.system
    return Seen(answered=answered, cpu=cpu, stall=max(waits))


async def _ask(task: Visit, connection: Connection, request: Request) -> Answer:
    key = str(new_id())
    body, more = request.body.replace(UNIQUE, key), f"Idempotency-Key: {key}\r\n"
    return await connection.ask(task.place.request(request.method, request.path, body, more))


async def _beat(request: bytes, connection: Connection, waits: list[float]) -> None:
    while True:
        sent = time.monotonic()
        await connection.ask(request)
        waits.append(time.monotonic() - sent)
        await asyncio.sleep(BETWEEN_SECONDS)


if __name__ == "__main__":
    given = msgspec.json.decode(sys.stdin.buffer.readline(), type=Visit)
    gc.disable()
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(visit(given))))
