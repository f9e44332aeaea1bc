"""Notification (LISTEN/NOTIFY): wakes those who wait for something new, in this process and across processes."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress

import asyncpg
import structlog

from shared.eventstore.connecting import connect
from shared.eventstore.pool import DATABASE_ERRORS
from shared.ops.deadline import within

log = structlog.get_logger(__name__)

CHANNEL = "event_appended"
QUIET_SECONDS = 0.02
"""At most one notification in this time: each one takes a lock of the whole database at its commit."""
RECONNECT_SECONDS = 1.0
PROBE_SECONDS = 10.0
"""A connection that only receives cannot tell silence from a network that has forgotten it, so it is asked so often."""
TIMEOUT_SECONDS = 5.0
CLOSE_SECONDS = 1.0
PROCESS = secrets.token_hex(8)
"""Tells our own notifications from those of other processes."""


class Wakeup:
    """Something new may be there. Whoever waits says what it has seen, so that no wake-up is lost between a look and
    the wait, and any number may wait."""

    def __init__(self) -> None:
        self.count = 0
        self._next = asyncio.Event()

    def notify(self) -> None:
        """Wake everybody who waits."""
        self.count += 1
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, seen: int, seconds: float) -> bool:
        """Wait until more than `seen` wake-ups were notified, at most `seconds`; whether there were."""
        if self.count == seen:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._next.wait(), seconds)
        return self.count > seen


class NotifyPublisher:
    """Tells other processes that something was appended: debounced, outside the transaction that appended."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._task: asyncio.Task[None] | None = None
        self._again = False

    def announce(self) -> None:
        """Send a notification soon."""
        self._again = True
        if self._task is None:
            self._task = asyncio.create_task(self._send())

    async def close(self) -> None:
        """Wait for what is under way."""
        if self._task is not None:
            await self._task

    async def _send(self) -> None:
        try:
            while self._again:
                self._again = False
                await self._pool.execute("select pg_notify($1, $2)", CHANNEL, PROCESS)
                await asyncio.sleep(QUIET_SECONDS)
        except DATABASE_ERRORS as problem:
            # Readers poll as well; a lost notification costs them a moment.
            log.warning("notification-failed", error=type(problem).__name__)
        finally:
            self._task = None


Told = Callable[[Exception | None], None]
"""Told that the database answers (None), or how it fails."""


async def listen(url: str, signal: Wakeup, told: Told = lambda problem: None) -> None:
    """Pass on what other processes announce, until cancelled. Connects anew when the connection breaks."""
    while True:
        try:
            await _listen_once(url, signal, told)
        except DATABASE_ERRORS as problem:
            log.warning("listening-failed", error=type(problem).__name__)
            told(problem)
        await asyncio.sleep(RECONNECT_SECONDS)


async def _listen_once(url: str, signal: Wakeup, told: Told) -> None:
    ended = asyncio.Event()

    def heard(_connection: object, _pid: int, _channel: str, process: object) -> None:
        if process != PROCESS:
            signal.notify()

    connection = await connect(
        url, timeout=TIMEOUT_SECONDS, server_settings={"application_name": "throughline-signals"}
    )
    try:
        connection.add_termination_listener(lambda *_: ended.set())
        await within(TIMEOUT_SECONDS, connection.add_listener(CHANNEL, heard))
        signal.notify()  # something may have been announced while nobody listened
        while not ended.is_set():
            await within(TIMEOUT_SECONDS, connection.execute("select 1"))
            told(None)
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), PROBE_SECONDS)
    finally:
        try:
            with suppress(*DATABASE_ERRORS):
                await within(CLOSE_SECONDS, connection.close())
        finally:
            connection.terminate()
