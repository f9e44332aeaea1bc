"""One process of the stack: how it is started, recorded, watched and stopped."""

import asyncio
import json
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from deploy.local.environment import composed
from deploy.local.fault import LocalError
from deploy.local.home import Home, read_json, write_atomically

LOOK_AGAIN_SECONDS = 0.05
MAX_END_BYTES = 256 << 10
"""How much of the end of a log is looked through for a reason."""
MAX_LOG_BYTES = 10 << 20
"""A log that grows beyond this is moved to `<name>.log.1`, which it replaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run, as data."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """What is its own; `environment.composed` adds the machine's."""
    user: str | None = None
    """Run as this user instead; only root can."""
    folder: Path | None = None
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 20.0
    """Killed when it has not stopped by then."""
    stop_order: int = 0
    """Left-overs with a lower number are stopped first."""


@dataclass(slots=True)
class Running:
    """A started process."""

    program: Program
    home: Home
    process: subprocess.Popen[bytes]
    said_before: int = 0
    """Bytes of its log that were there before it."""

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def send(self, number: int) -> None:
        if self.alive:
            self.process.send_signal(number)

    def detach(self) -> None:
        """Let it outlive this command, which must not look at it again: others find it by its record."""
        self.process.returncode = 0  # Popen has no other way to be told; else it warns of a child that still runs

    def kill(self) -> None:
        """As `kill -9` does; waits for the end of this process, not of its children."""
        self.send(signal.SIGKILL)
        self.process.wait()

    async def stop(self) -> None:
        """Ask it to stop, kill it when it does not in time, and forget it."""
        self.send(self.program.stop_signal)
        if not await until(lambda: not self.alive, self.program.stop_seconds):
            self.kill()
        record_of(self.home, self.program.name).unlink(missing_ok=True)

    async def until_ready(self, ready: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Wait for a condition of the program.

        Raises LocalError when the process ends before, or when `seconds` have passed.
        """
        log = log_of(self.home, self.program.name)
        deadline = time.monotonic() + seconds
        while not await ready():
            if not self.alive:
                raise LocalError(
                    f"{self.program.name} ended while it was starting: {reason(self)}", f"Its log is {log}."
                )
            if time.monotonic() > deadline:
                raise LocalError(f"{self.program.name} was not ready within {seconds:.0f} s.", f"Its log is {log}.")
            await asyncio.sleep(LOOK_AGAIN_SECONDS)


def start(program: Program, home: Home) -> Running:
    """Start a process in a session of its own, its output in the log of its name, and record it."""
    log = log_of(home, program.name)
    bound(log)
    try:
        # Appending, so that `bound` may empty the file under the process's hands.
        with log.open("ab") as output:
            said_before = output.tell()
            process = subprocess.Popen(  # noqa: S603 - the argument list is ours
                program.argv,
                env=composed(program.env),
                cwd=program.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=program.user,
                group=primary_group(program.user),
                extra_groups=no_groups(program.user),
            )
    except OSError as error:
        raise LocalError(
            f"{program.name} cannot be started: {error.strerror} ({error.filename or program.argv[0]}).",
            "Run `throughline doctor` to see what is missing.",
        ) from error
    record(program, home, process.pid)
    return Running(program, home, process, said_before)


def primary_group(user: str | None) -> int | None:
    return None if user is None else pwd.getpwnam(user).pw_gid


def no_groups(user: str | None) -> list[int] | None:
    """Root's own groups are not handed on to another user."""
    return None if user is None else []


def log_of(home: Home, name: str) -> Path:
    return home.logs / f"{name}.log"


def bound(log: Path) -> None:
    """Keep a log from filling the disk. What is written during the copy may be lost; a log can bear that."""
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.with_suffix(".log.1").write_bytes(log.read_bytes())
        os.truncate(log, 0)


def reason(running: Running) -> str:
    """Why a program ended, as it says itself: its last error event with a reason, else its newest line.

    A server that is told by its application not to start has the last word, and it is not the reason.
    """
    log = log_of(running.home, running.program.name)
    if not log.exists():
        return "it said nothing."
    with log.open("rb") as stream:
        size = log.stat().st_size
        stream.seek(max(size - MAX_END_BYTES, running.said_before if running.said_before <= size else 0))
        events = [event_in(line) for line in stream.read().splitlines()]
    reasons = [event["reason"] for event in events if event.get("level") == "error" and event.get("reason")]
    return str(reasons[-1])[:500] if reasons else last_line(log)


def event_in(line: bytes) -> Mapping[str, Any]:
    """What a line of a service's log says; nothing when it is no such line."""
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def last_line(log: Path) -> str:
    """The newest line of a log that says something; of the last few the one that says why a server gave up."""
    if not log.exists():
        return "it said nothing."
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 4096))
        lines = [line.strip() for line in stream.read().decode(errors="replace").splitlines() if line.strip()]
    fatal = [line for line in lines[-5:] if "FATAL:" in line or "PANIC:" in line]
    return (fatal or lines)[-1][:300] if lines else "it said nothing."


async def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; False when it has not come true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return True


# Records: a process id alone may belong to a stranger by the time somebody reads it, so the record holds the start
# time as well, and only a process that agrees in both is ever touched.


def record_of(home: Home, name: str) -> Path:
    return home.records / f"{name}.json"


def record(program: Program, home: Home, pid: int) -> None:
    with suppress(psutil.NoSuchProcess):
        entry = {
            "pid": pid,
            "started": psutil.Process(pid).create_time(),
            "stop_signal": int(program.stop_signal),
            "stop_seconds": program.stop_seconds,
            "stop_order": program.stop_order,
        }
        write_atomically(record_of(home, program.name), json.dumps(entry))


def recorded(file: Path) -> psutil.Process | None:
    """The process that a record speaks of, while it lives. Raises LocalError for a file that is no record."""
    entry = read_json(file)
    if not entry:
        return None
    try:
        process = psutil.Process(entry["pid"])
        same = abs(process.create_time() - entry["started"]) < 1.0
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None
    except (KeyError, TypeError, ValueError) as error:
        raise LocalError(f"The file {file} is no record of a process.", "Remove it, then try again.") from error


async def stop_left_overs(home: Home) -> list[str]:
    """Stop every recorded process that still lives, in stop order; gives their names."""
    stopped = []
    for file in sorted(home.records.glob("*.json"), key=lambda file: read_json(file).get("stop_order", 0)):
        process, entry = recorded(file), read_json(file)
        if process is not None:
            await stop_process(process, entry["stop_signal"], entry["stop_seconds"])
            stopped.append(file.stem)
        file.unlink(missing_ok=True)
    return stopped


async def stop_process(process: psutil.Process, number: int, seconds: float) -> None:
    """Stop a process that need not be our child."""
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
        if not await until(lambda: not lives(process), seconds):
            process.kill()
            await until(lambda: not lives(process), 5)


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
