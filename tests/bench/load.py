"""The load generator, in a process of its own.

Closed loop: each client sends its next command once it has the answer to the one before. Open loop: commands are due at
fixed moments whatever became of those before, and are timed from the moment at which they were due, not from when a
client was free to send them (else the time that they waited would be omitted).

It reads its task from standard input, writes the moment at which counting begins, and at the end its result: one line
of JSON each. Moments are those of the system's monotonic clock, which all processes share.
"""

import asyncio
import gc
import os
import sys
import time
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import uvloop

from shared.kafka.partitioning import PARTITIONS
from shared.ops.ids import new_id
from shared.projections.tokens import decode
from tests.bench.wire import Answer, Connection, Place

OVERTIME_SECONDS = 5.0
"""A server that cannot keep up is given so long after the end; what was due and not sent by then is counted."""
EVERY = 10
"""Each command of this number is asked for by the questioner."""
UNIQUE = "{unique}"
"""Stands in a body for what no two commands may share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to send where. `clients` send as fast as they get answers, or `rate` a second in all, when it is given."""

    place: Place
    path: str
    body: str
    clients: int
    warm_up: float
    """Seconds of sending before what is sent counts."""
    seconds: float
    rate: float = 0.0
    note: bool = False
    """Whether to tell which command made what."""
    questions: int | None = None
    """The file descriptor that gets the moment and the Consistency-Token of each command to be asked for."""


@dataclass(slots=True, kw_only=True)
class Result:
    """What happened."""

    times: list[float] = field(default_factory=list)
    """Seconds to the answer of each command that was due while it counted; of an unsent one until it was given up."""
    arrived: int = 0
    """How many answers came while it counted."""
    sent: int = 0
    """Every command that was acknowledged, in the warm-up as well."""
    unsent: int = 0
    ends: float = 0.0
    """When counting ended."""
    last: str = ""
    """The highest Consistency-Token: answers do not come in the order of what they tell."""
    made: dict[str, float] = field(default_factory=dict)
    """By the id of what each command made, when it was due."""

    def note(self, token: str) -> None:
        """Keep the highest token; a server that stands alone gives none."""
        if not self.last or (token and decode(token, PARTITIONS).position > decode(self.last, PARTITIONS).position):
            self.last = token


@dataclass(slots=True)
class Run:
    """One run of a task."""

    task: Task
    starts: float
    result: Result = field(default_factory=Result)

    @property
    def begins(self) -> float:
        return self.starts + self.task.warm_up

    @property
    def ends(self) -> float:
        return self.begins + self.task.seconds

    def counts(self, moment: float) -> bool:
        return self.begins <= moment < self.ends

    def command(self) -> bytes:
        """A new command as it goes over the wire."""
        task, key = self.task, str(new_id())
        body = task.body.replace(UNIQUE, key)
        return task.place.request("POST", task.path, body, f"Idempotency-Key: {key}\r\n")

    async def send(self, connection: Connection, due: float) -> Answer:
        """Send one command that was due at a moment, and note what became of it."""
        answer = await connection.ask(self.command())
        now = time.monotonic()
        if answer.status != 201:
            raise RuntimeError(f"{self.task.path} answered {answer.status}: {answer.body[:500]!r}")
        self.result.sent += 1
        self.result.arrived += self.counts(now)
        self.result.note(answer.header("consistency-token"))
        if self.counts(due):
            self.result.times.append(now - due)
            if self.task.note:
                self.result.made[msgspec.json.decode(answer.body)["id"]] = due
        return answer


async def carry_out(task: Task) -> Result:
    """Run a task."""
    connections = [await task.place.connect() for _ in range(task.clients)]
    run = Run(task, starts=time.monotonic())
    run.result.ends = run.ends
    sys.stdout.write(f"{run.begins!r}\n")
    sys.stdout.flush()
    work = on_time if task.rate else as_fast_as_answered
    await work(run, connections)
    for connection in connections:
        connection.close()
    return run.result


async def as_fast_as_answered(run: Run, connections: Sequence[Connection]) -> None:
    """The closed loop."""

    async def work(connection: Connection) -> None:
        while (now := time.monotonic()) < run.ends:
            await run.send(connection, now)

    await all_of(work(connection) for connection in connections)


async def on_time(run: Run, connections: Sequence[Connection]) -> None:
    """The open loop."""
    dues, last = moments(run), run.ends + OVERTIME_SECONDS

    async def work(connection: Connection) -> None:
        for number, due in dues:
            await asyncio.sleep(due - time.monotonic())
            if time.monotonic() < last:
                answer = await run.send(connection, due)
                if run.task.questions is not None and number % EVERY == 0 and run.counts(due):
                    os.write(run.task.questions, f"{due!r} {answer.header('consistency-token')}\n".encode())
            elif run.counts(due):
                run.result.unsent += 1
                run.result.times.append(last - due)

    await all_of(work(connection) for connection in connections)


def moments(run: Run) -> Iterator[tuple[int, float]]:
    """When each command is due."""
    for number in range(int((run.ends - run.starts) * run.task.rate)):
        yield number, run.starts + number / run.task.rate


async def all_of(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    await asyncio.gather(*work)


if __name__ == "__main__":
    given = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    gc.disable()  # it holds little, and a pause of its own would count as the server's
    result = uvloop.run(carry_out(given))
    sys.stdin.buffer.read()  # until somebody has looked what CPU it took
    sys.stdout.buffer.write(msgspec.json.encode(result))
