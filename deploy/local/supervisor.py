"""Keeps the programs of a plan running: `python -m deploy.local.supervisor <home>`.

It starts each when those before it are ready, starts what dies again after a pause that grows, keeps down what
somebody holds (a file in the folder `held`), writes what it sees into `state.json`, and stops everything in the plan's
order when it is told to stop. Programs live in sessions of their own and are recorded, so that they can still be found
and stopped after the supervisor itself has died.
"""

import asyncio
import json
import math
import signal
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx

from deploy.local import kafka, postgres
from deploy.local.home import Home, write_atomically
from deploy.local.plan import ALIVE, Plan, Step, read_plan
from deploy.local.program import Running, bound, log_of, reason, start, until

FIRST_PAUSE_SECONDS = 0.2
MAX_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A program that has lived this long starts again with the first pause."""
LOOK_SECONDS = 0.25
HEALTH_SECONDS = 2.0


@dataclass(slots=True)
class Kept:
    """What the supervisor knows of one step."""

    step: Step
    running: Running | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    restarts: int = 0
    failure: str = ""
    """The last thing it said before it died or failed; empty while it runs well."""


class Supervisor:
    """Runs one plan until it is told to stop."""

    def __init__(self, plan: Plan, home: Home) -> None:
        self.plan = plan
        self.home = home
        self.kept = {step.program.name: Kept(step) for step in plan.steps}
        self.stopping = asyncio.Event()
        self.phase = "starting"
        self._client = httpx.AsyncClient(timeout=2, trust_env=False)

    async def run(self) -> None:
        """Start everything, and keep it until `stopping` is set; then stop everything."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        stop = asyncio.create_task(self.stopping.wait())
        working = [stop, asyncio.create_task(self._report())]
        working += [asyncio.create_task(self._keep(kept)) for kept in self.kept.values()]
        try:
            await until_done(stop, working)
        finally:
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
            await self._stop_all()
            await self._client.aclose()

    async def _keep(self, kept: Kept) -> None:
        for name in kept.step.after:
            await self.kept[name].ready.wait()
        pause = FIRST_PAUSE_SECONDS
        while True:
            while self._is_held(kept):
                kept.failure, pause = "", FIRST_PAUSE_SECONDS
                await asyncio.sleep(LOOK_SECONDS)
            since = time.monotonic()
            kept.running = start(kept.step.program, self.home)
            await (self._finish(kept) if kept.step.is_task else self._watch(kept))
            if kept.step.is_task and kept.ready.is_set():
                return
            if self._is_held(kept):
                continue
            kept.failure = ended(kept.running)
            if time.monotonic() - since > STEADY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(2 * pause, MAX_PAUSE_SECONDS)
            kept.restarts += 1

    def _is_held(self, kept: Kept) -> bool:
        return (self.home.held / kept.step.program.name).exists()

    async def _finish(self, kept: Kept) -> None:
        """Wait for the end of a task."""
        assert kept.running is not None
        running = kept.running
        await until(lambda: not running.alive, math.inf)
        if running.process.returncode == 0:
            kept.failure = ""
            kept.ready.set()
            await running.stop()

    async def _watch(self, kept: Kept) -> None:
        """Ask a server whether it is ready, until it has died."""
        running, asked = kept.running, 0.0
        assert running is not None
        while running.alive:
            if self._is_held(kept):
                kept.ready.clear()
                await running.stop()
                return
            if time.monotonic() - asked > (HEALTH_SECONDS if kept.ready.is_set() else LOOK_SECONDS):
                if await self._is_ready(kept.step.ready):
                    kept.ready.set()
                    kept.failure = ""
                else:
                    kept.ready.clear()
                asked = time.monotonic()
                bound(log_of(self.home, kept.step.program.name))
            await asyncio.sleep(LOOK_SECONDS)
        kept.ready.clear()

    async def _is_ready(self, address: str) -> bool:
        if address == ALIVE:
            return True
        if address.startswith("postgresql://"):
            return await postgres.answers(address)
        if address.startswith("kafka://"):
            return await kafka.answers(address.removeprefix("kafka://"))
        try:
            answer = await self._client.get(address)
        except httpx.HTTPError:
            return False
        return answer.status_code in (200, 204)

    async def _report(self) -> None:
        """Write the state whenever it has changed."""
        written = ""
        while True:
            if self.phase == "starting" and all(kept.ready.is_set() for kept in self.kept.values()):
                self.phase = "running"
            now = json.dumps(self.state(), indent=1)
            if now != written:
                write_atomically(self.home.state, now)
                written = now
            await asyncio.sleep(LOOK_SECONDS)

    def state(self) -> dict[str, object]:
        """What `status` reads: no password, no token."""
        programs = {name: seen(kept) for name, kept in self.kept.items() if not kept.step.is_task}
        services = self.plan.services
        return {
            "phase": self.phase,
            "origin": self.plan.origin,
            "kafka": self.plan.kafka,
            "services": {
                name: {
                    "url": service.url,
                    "database": service.database,
                    **programs[name],
                    "held": self._is_held(self.kept[name]),
                }
                for name, service in services.items()
            },
            "servers": {name: entry for name, entry in programs.items() if name not in services},
            "tasks": {
                name: {"done": kept.ready.is_set(), "restarts": kept.restarts, "failure": kept.failure}
                for name, kept in self.kept.items()
                if kept.step.is_task
            },
        }

    async def _stop_all(self) -> None:
        self.phase = "stopping"
        write_atomically(self.home.state, json.dumps(self.state(), indent=1))
        alive = [kept.running for kept in self.kept.values() if kept.running is not None]
        alive.sort(key=lambda running: running.program.stop_order)
        for _, together in groupby(alive, key=lambda running: running.program.stop_order):
            await asyncio.gather(*(running.stop() for running in together))
        self.home.state.unlink(missing_ok=True)


async def until_done(last: asyncio.Task[Any], working: Iterable[asyncio.Task[Any]]) -> None:
    """Wait for one task; a fault in any other comes out at once instead of going unseen."""
    pending = set(working)
    while not last.done():
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


def ended(running: Running) -> str:
    """How a program ended, and why."""
    code = running.process.returncode
    how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
    return f"{how}: {reason(running)}"


def seen(kept: Kept) -> dict[str, object]:
    alive = kept.running is not None and kept.running.alive
    return {
        "pid": kept.running.pid if kept.running is not None and alive else None,
        "ready": alive and kept.ready.is_set(),
        "restarts": kept.restarts,
        "failure": kept.failure,
    }


async def supervise(home: Home) -> None:
    await Supervisor(read_plan(home), home).run()


if __name__ == "__main__":
    asyncio.run(supervise(Home(Path(sys.argv[1]))))
