"""The section of rebuilding: read models built anew by the product's own runner, and in the same run the projection
runner of the library `eventsourcing` over events of its own, on one PostgreSQL; nobody serves meanwhile."""

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg
import msgspec
import psutil

from deploy.local import postgres
from deploy.local.control import take_down
from deploy.local.home import Home
from deploy.local.stack import CHECKOUT, Stack
from deploy.services import definition_of
from shared.events.codec import Codec
from shared.service.definition import registry_for
from shared.testing.servers import DatabaseServer
from tests.bench.builds import THIS
from tests.bench.clients import ClientEnded
from tests.bench.figures import Measured, Rebuilt
from tests.bench.fill.lives import EVENTS, write_journal, write_store
from tests.bench.machine import machine
from tests.bench.plan import LIBRARY_RUNNER, told
from tests.bench.rebuilder import Rebuilding
from tests.bench.servers import PROJECT, library_environment

HOME = CHECKOUT / ".throughline" / "bench-rebuild"
Write = Callable[[Any, Codec, int], Awaitable[None]]
VIEWS: Sequence[tuple[str, str, Write]] = (("forecast", "deals", write_journal), ("deals", "deals", write_store))
"""Service, projection, and who writes what it folds."""
FOLDED = "select coalesce(max(notification_id), 0) from funnelprojection_tracking"
FILL = "import sys; from tests.bench.peers import fill; fill(int(sys.argv[1]))"
LOOK_SECONDS = 0.1


async def rebuild(deals: int, of_library: int, into: Measured) -> None:
    """Build each view over so many deals, and let the library fold so many of its events."""
    home, load = Home(HOME), os.getloadavg()[0]
    await take_down(home)
    home.remove()
    local = Stack.at(HOME, environment={})
    running = await postgres.launch(local.postgres)
    try:
        server = DatabaseServer(local.postgres.url)
        database = psutil.Process(running.pid)
        for service, projection, write in VIEWS:
            url = await _filled(server, service, write, deals)
            task = Rebuilding(database=url, service=service, projection=projection)
            into.rebuilt.append(await _rebuilt(task, deals * EVENTS, database))
            await server.drop_database(url)
        into.rebuilt.append(await _library(server, of_library, database))
        into.about = into.about or await machine(local.postgres.url, load)
    finally:
        await running.stop()
        home.remove()


async def _filled(server: DatabaseServer, service: str, write: Write, deals: int) -> str:
    """A database of a service with the events that it folds."""
    url = await server.create_database(service, await server.migrated())
    connection = await asyncpg.connect(url)
    try:
        await write(connection, Codec(registry_for(definition_of(service))), deals)
        await connection.execute("checkpoint")
    finally:
        await connection.close()
    told(f"{deals * EVENTS:,} events of {deals:,} deals stand in the database of {service}.")
    return url


async def _rebuilt(task: Rebuilding, events: int, database: psutil.Process) -> Rebuilt:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.rebuilder"), cwd=CHECKOUT, stdin=PIPE, stdout=PIPE
    )
    try:
        await _tell(process, msgspec.json.encode(task))
        await _said(process, b"ready")
        measuring = Measuring(psutil.Process(process.pid), database)
        await _tell(process, b"")
        await _said(process, b"serves")
        return measuring.end(f"{task.service}: {task.projection}", events)
    finally:
        await _tell(process, b"")
        await process.wait()


async def _library(server: DatabaseServer, events: int, database: psutil.Process) -> Rebuilt:
    """The library's runner from its start until it has folded all; without the second or so that it takes to import."""
    url = await server.create_database("eventsourcing")
    environment = {**os.environ, **library_environment(url)}
    filling = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", FILL, str(events)), cwd=CHECKOUT, env=environment
    )
    if await filling.wait() != 0:
        raise ClientEnded("The events of the library were not written; it says why above.")
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROJECT, cwd=CHECKOUT, env=environment)
    connection = await asyncpg.connect(url)
    try:
        begun = await _reached(connection, 1)
        measuring = Measuring(psutil.Process(process.pid), database)
        await _reached(connection, events)
        return measuring.end(LIBRARY_RUNNER, events - begun)
    finally:
        await connection.close()
        process.terminate()
        await process.wait()
        await server.drop_database(url)


async def _reached(connection: Any, wanted: int) -> int:
    """Wait until the library has folded so many events; gives how many it has."""
    while True:
        there = await connection.fetchval("select to_regclass('funnelprojection_tracking') is not null")
        if there and (folded := await connection.fetchval(FOLDED)) >= wanted:
            return int(folded)
        await asyncio.sleep(LOOK_SECONDS)


class Measuring:
    """What time and CPU pass from here on, of a process and of PostgreSQL with all that it started."""

    def __init__(self, process: psutil.Process, database: psutil.Process) -> None:
        self._process, self._database = process, database
        self._python, self._postgres = _cpu(process), _cpu(database)
        self._began = time.monotonic()

    def end(self, name: str, events: int) -> Rebuilt:
        """What it took."""
        found = Rebuilt(
            build=THIS.label,
            name=name,
            events=events,
            seconds=time.monotonic() - self._began,
            python=_cpu(self._process) - self._python,
            postgres=_cpu(self._database) - self._postgres,
        )
        told(f"{name}: {found.rate:,.0f} events/s, {found.cost * 1e6:.0f} µs of CPU each.")
        return found


def _cpu(process: psutil.Process) -> float:
    """CPU seconds of a process, of those that it started, and of those of them that have ended."""
    own = process.cpu_times()
    spent = own.user + own.system + own.children_user + own.children_system
    for child in process.children():
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:  # it ended just now
            continue
        spent += times.user + times.system
    return float(spent)


async def _tell(process: Process, line: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(line + b"\n")
    await process.stdin.drain()


async def _said(process: Process, word: bytes) -> None:
    """Wait until a process says a word; others are its log."""
    assert process.stdout is not None
    while (line := await process.stdout.readline()).strip() != word:
        if not line:
            raise ClientEnded("The rebuilding ended too early; it says why above.")
