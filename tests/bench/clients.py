"""One measured window: the load, and who listens and asks meanwhile, each in a process of its own."""

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import msgspec
import psutil

from deploy.local.stack import CHECKOUT
from tests.bench.asker import Asked, Asking
from tests.bench.load import Result, Task
from tests.bench.visitor import Seen, Visit
from tests.bench.wire import Place

LOAD, LISTENER, QUESTIONER, ASKER, VISITOR = "load", "listener", "questioner", "asker", "visitor"

T = TypeVar("T")


class ClientEnded(Exception):
    """A client of the bench ended before it had told what it saw; what it measured is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Where to listen and to ask for what commands did."""

    place: Place
    stream: str
    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What was measured."""

    result: Result
    cpu: Mapping[str, float]
    """Seconds of CPU while it counted, by process; those of the clients as well."""
    streamed: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    unseen: int = 0


async def measure(task: Task, processes: Mapping[str, psutil.Process]) -> Window:
    """Carry out a task, and look what CPU each process takes while it counts."""
    load = await _start(LOAD, task)
    result, cpu = await _counted(load, task, {**processes, LOAD: psutil.Process(load.pid)})
    return Window(result=result, cpu=cpu)


async def measure_until_visible(task: Task, processes: Mapping[str, psutil.Process], watched: Watched) -> Window:
    """The same, with a listener and a questioner."""
    reading, writing = os.pipe()
    os.write(writing, msgspec.json.encode((watched.place, watched.question)) + b"\n")
    listener = await _start(LISTENER, (watched.place, watched.stream))
    await _line(listener)
    questioner = await _start(QUESTIONER, None, stdin=reading)
    load = await _start(LOAD, replace(task, note=True, questions=writing), keep=(writing,))
    for end in (reading, writing):
        os.close(end)
    clients = {LOAD: load, LISTENER: listener, QUESTIONER: questioner}
    named = {name: psutil.Process(process.pid) for name, process in clients.items()}
    try:
        result, cpu = await _counted(load, task, {**processes, **named})
        seen = await _rest(listener, dict[str, float], msgspec.json.encode(list(result.made)) + b"\n")
        asked = await _rest(questioner, list[float])
    finally:
        for process in clients.values():
            if process.returncode is None:
                process.kill()
    return Window(
        result=result,
        cpu=cpu,
        streamed=[seen[one] - due for one, due in result.made.items() if one in seen],
        asked=asked,
        unseen=len(result.made.keys() - seen.keys()),
    )


async def asked(task: Asking) -> list[Asked]:
    """Ask questions with one client."""
    return await _rest(await _start(ASKER, task), list[Asked])


async def visited(task: Visit) -> Seen:
    """Ask one thing once, and whether the server lives meanwhile."""
    return await _rest(await _start(VISITOR, task), Seen)


async def _counted(
    load: Process, task: Task, processes: Mapping[str, psutil.Process]
) -> tuple[Result, dict[str, float]]:
    begins = float(await _line(load))
    await asyncio.sleep(begins - time.monotonic())
    before = {name: cpu(process) for name, process in processes.items()}
    await asyncio.sleep(begins + task.seconds - time.monotonic())
    spent = {name: cpu(process) - before[name] for name, process in processes.items()}
    return await _rest(load, Result), spent


def cpu(process: psutil.Process) -> float:
    """CPU seconds of a process and those that it started, also of those that have ended."""
    spent = 0.0
    for one in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # it ended just now, and is counted where it was waited for
            times = one.cpu_times()
            spent += times.user + times.system + times.children_user + times.children_system
    return spent


async def _start(name: str, given: Any, *, stdin: int = PIPE, keep: tuple[int, ...] = ()) -> Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tests.bench.{name}"), cwd=CHECKOUT, stdin=stdin, stdout=PIPE, pass_fds=keep
    )
    if process.stdin is not None:
        process.stdin.write(msgspec.json.encode(given) + b"\n")
        await process.stdin.drain()
    return process


async def _line(process: Process) -> str:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise ClientEnded("A client of the bench ended too early; it says why above.")
    return line.decode()


async def _rest(process: Process, kind: type[T], given: bytes | None = None) -> T:
    """What a client says at the end."""
    # With anything at all given, what it reads from is closed.
    written, _ = await process.communicate(given if process.stdin is None else given or b"")
    if process.returncode != 0 or not written:
        raise ClientEnded(f"A client of the bench ended with {process.returncode}; it says why above.")
    return msgspec.json.decode(written, type=kind)
