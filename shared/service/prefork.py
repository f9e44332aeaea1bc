"""Pre-fork: several processes of a service answer on one port, whose socket their parent holds.

The parent opens the socket, forks and waits; it serves nothing itself. Each child builds and opens everything for
itself, so they share nothing but the socket. One that dies is followed by another, later each time. Until the first of
them has started, one that cannot ends all, because the others could not either. Children whose parent has died end by
themselves.
"""

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)

FIRST_PAUSE = 0.5
MAX_PAUSE = 10.0
STEADY_SECONDS = 60.0
"""A process that lived this long is replaced at the first pause again."""
STARTUP_FAILURE = 3
"""How uvicorn ends a process whose application could not start."""


@dataclass(frozen=True, slots=True)
class Parent:
    """What a child has of its parent: descriptors."""

    gone: int
    """At its end once the parent is gone."""
    started: int
    """Takes a byte once the child serves."""


Serve = Callable[[int, Parent], None]
"""`serve(number, parent)`: serve as the child of this number until told to stop."""


@dataclass(slots=True)
class _Child:
    pid: int
    since: float
    pause: float


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that is bound to an address, to be inherited and listened on. Port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    bound.set_inheritable(True)
    return bound


def prefork(count: int, serve: Serve) -> int:
    """Keep `count` processes at `serve` until SIGTERM or SIGINT, which is passed on to them once and waited for; the
    second one kills. Gives the exit code: 0, or that of a process that could not start."""
    gone, held = os.pipe()
    heard, started = os.pipe()
    woken, waking = os.pipe()
    for end in (heard, woken, waking):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    for awaited in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(awaited, lambda *_: None)  # what came is read from the descriptor
    children: dict[int, _Child] = {}
    due = dict.fromkeys(range(count), 0.0)
    pauses = dict.fromkeys(range(count), FIRST_PAUSE)
    code, stopping, has_served = 0, False, False
    while children or not stopping:
        now = time.monotonic()
        for number in [number for number, at in due.items() if at <= now and not stopping]:
            del due[number]
            pid = _forked(number, Parent(gone, started), (held, heard, woken, waking), serve)
            children[number] = _Child(pid=pid, since=now, pause=pauses[number])
        for sent in _signals(woken, min(due.values(), default=now + 1) - now):
            if sent == signal.SIGCHLD:
                continue
            _send(children, signal.SIGKILL if stopping else signal.SIGTERM)
            stopping = True
        for number, status in _ended(children):
            child = children.pop(number)
            if stopping:
                continue
            log.error("process-ended", process=number, pid=child.pid, status=status)
            has_served = has_served or bool(_read(heard))
            if status == STARTUP_FAILURE and not has_served:
                code, stopping = status, True
                _send(children, signal.SIGTERM)
                continue
            steady = now - child.since > STEADY_SECONDS
            due[number] = now + (FIRST_PAUSE if steady else child.pause)
            pauses[number] = min(2 * child.pause, MAX_PAUSE) if not steady else FIRST_PAUSE
    os.close(held)
    return code


def _forked(number: int, parent: Parent, own: tuple[int, ...], serve: Serve) -> int:
    """Start a child, which closes what is the parent's `own`; gives its process id. In the child it never returns."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for sent in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(sent, signal.SIG_DFL)
        for end in own:
            os.close(end)
        serve(number, parent)
        code = 0
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 1
    except BaseException:
        log.exception("process-failed", process=number)
    finally:
        os._exit(code)


def _signals(woken: int, seconds: float) -> list[int]:
    """The signals that came, or that come within some time."""
    select.select([woken], [], [], max(seconds, 0))
    return list(_read(woken))


def _read(end: int) -> bytes:
    """What has come at a descriptor so far."""
    try:
        return os.read(end, 100)
    except BlockingIOError:
        return b""


def _ended(children: dict[int, _Child]) -> list[tuple[int, int]]:
    """The children that have ended, and how: an exit code, or minus the signal that killed them."""
    found = []
    for number, child in children.items():
        pid, status = os.waitpid(child.pid, os.WNOHANG)
        if pid:
            found.append((number, os.waitstatus_to_exitcode(status)))
    return found


def _send(children: dict[int, _Child], sent: signal.Signals) -> None:
    for child in children.values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, sent)
