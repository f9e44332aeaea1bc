"""One client that asks the same questions again and again, in a process of its own.

It reads its task from standard input and writes the times, both as JSON.
"""

import gc
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import uvloop

from tests.bench.wire import Connection, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What to ask where."""

    place: Place
    requests: Sequence[tuple[str, str]]
    """Name and path."""
    number: int
    """How often each is asked, after the warm-up."""
    seconds: float
    """What takes so long all together is asked no further."""
    warm_up: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How one question was answered."""

    name: str
    times: Sequence[float]
    """Seconds."""
    size: int
    """Bytes of an answer."""


async def ask_all(task: Asking) -> list[Asked]:
    """Ask one question after the other."""
    connection = await task.place.connect()
    found = [await _ask(task, connection, name, path) for name, path in task.requests]
    connection.close()
    return found


async def _ask(task: Asking, connection: Connection, name: str, path: str) -> Asked:
    request, size = task.place.request("GET", path), 0
    times: list[float] = []
    began = time.monotonic()
    for turn in range(task.warm_up + task.number):
        sent = time.monotonic()
        if times and sent - began > task.seconds:
            break
        answer = await connection.ask(request)
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {answer.body[:500]!r}")
        # A question that takes seconds is warm after one answer.
        if turn >= task.warm_up or (turn and sent - began > task.seconds / 4):
            times.append(time.monotonic() - sent)
        size = len(answer.body)
    return Asked(name=name, times=times, size=size)


if __name__ == "__main__":
    given = msgspec.json.decode(sys.stdin.buffer.readline(), type=Asking)
    gc.disable()
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(ask_all(given))))
