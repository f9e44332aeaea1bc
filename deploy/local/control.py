"""Bring a local stack up, look at it, take it down."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.local import kafka
from deploy.local.fault import LocalError
from deploy.local.home import Home, cache, read_json
from deploy.local.plan import write_plan
from deploy.local.program import (
    LOOK_AGAIN_SECONDS,
    Program,
    log_of,
    record_of,
    recorded,
    start,
    stop_left_overs,
    until,
)
from deploy.local.stack import CHECKOUT, Stack
from deploy.services import SERVICES

SUPERVISOR = "supervisor"
READY_SECONDS = 180
HELD_SECONDS = 40.0
"""A service is killed when it has not stopped after 25 s."""
TELL_SECONDS = 2.0
DEATHS_THAT_ARE_ENOUGH = 3
"""A program that dies this often while the stack starts is not going to live."""

Say = Callable[[str], None]
"""Tells a person what happens: one line."""


def is_supervised(home: Home) -> bool:
    """Whether the supervisor of a home lives."""
    return recorded(record_of(home, SUPERVISOR)) is not None


def state(home: Home) -> Mapping[str, Any]:
    """What the supervisor saw last; empty while nothing runs."""
    return read_json(home.state)


async def bring_up(stack: Stack, say: Say) -> Mapping[str, Any]:
    """Start everything and wait until it is ready; gives the state. Harmless when it runs already.

    Raises LocalError. What was started until then goes on, for a look at it; `take_down` stops it.
    """
    with stack.home.claim() as mine:
        if not mine:
            raise LocalError("Another command is starting or stopping this stack.", "Wait for it, then try again.")
        if not is_supervised(stack.home):
            await prepare(stack, say)
        return await until_ready(stack.home, say)


async def prepare(stack: Stack, say: Say) -> None:
    """Everything that must be there before the first program of the plan starts, and the supervisor itself."""
    from deploy.local.owners import owned_segments  # imports all services, which only starting them needs

    left = await stop_left_overs(stack.home)
    if left:
        say(f"Stopped what an earlier run had left: {', '.join(left)}.")
    stack.home.state.unlink(missing_ok=True)
    for held in stack.home.held.glob("*"):
        held.unlink()
    write_plan(stack.plan(jars(stack, say), owned_segments(SERVICES)), stack.home)
    program = Program(
        name=SUPERVISOR,
        argv=(sys.executable, "-m", "deploy.local.supervisor", str(stack.home.path)),
        folder=CHECKOUT,
        stop_seconds=90,
        stop_order=-1,  # first: it would start the others again
    )
    start(program, stack.home).detach()


def jars(stack: Stack, say: Say) -> Path:
    """Kafka's artefacts, fetched when they are missing; says how far it is every two seconds."""
    if not stack.runs_kafka:
        return cache()
    told = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            say(f"Fetching Apache Kafka: {done} of {total} artefacts.")

    return kafka.verified_jars(progress)


async def until_ready(home: Home, say: Say) -> Mapping[str, Any]:
    began = told = time.monotonic()
    ready: set[str] = set()
    while True:
        now = state(home)
        programs = {**now.get("servers", {}), **now.get("services", {})}
        for name, program in programs.items():
            if program["ready"] and name not in ready:
                ready.add(name)
                say(f"{name} is ready ({time.monotonic() - began:.1f} s).")
                told = time.monotonic()
        if now.get("phase") == "running":
            return now
        refuse_the_hopeless(home, now, programs)
        if time.monotonic() - began > READY_SECONDS:
            waiting = ", ".join(sorted(set(programs) - ready)) or "the supervisor"
            raise LocalError(f"Not ready within {READY_SECONDS} s: {waiting}.", f"Their logs are in {home.logs}.")
        if time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            say(f"Waiting for {', '.join(sorted(set(programs) - ready)) or 'the supervisor'} …")
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


def refuse_the_hopeless(home: Home, now: Mapping[str, Any], programs: Mapping[str, Any]) -> None:
    """Raises LocalError for a task that failed, a program that dies again and again, a supervisor that died."""
    for name, task in now.get("tasks", {}).items():
        if task["restarts"] and not task["done"]:
            raise LocalError(f"{name} failed: {task['failure']}", f"Its log is {log_of(home, name)}.")
    for name, program in programs.items():
        if program["restarts"] >= DEATHS_THAT_ARE_ENOUGH:
            raise LocalError(f"{name} does not stay up: {program['failure']}", f"Its log is {log_of(home, name)}.")
    if not is_supervised(home):
        raise LocalError("The supervisor has died.", f"Its log is {log_of(home, SUPERVISOR)}; `make stop` cleans up.")


async def hold(home: Home, service: str) -> bool:
    """Stop one service of a stack that runs, until `let_go`; False when it was held already. Raises LocalError."""
    with alone_with_running(home):
        file = home.held / service
        was_held = file.exists()
        home.held.mkdir(exist_ok=True, mode=0o700)
        file.touch()
        if not await until(lambda: is_down(home, service), HELD_SECONDS):
            raise LocalError(f"{service} has not stopped.", f"See `throughline status` and the logs in {home.logs}.")
        return not was_held


async def let_go(home: Home, service: str) -> None:
    """Have a service that was held started again, and wait until it is ready. Raises LocalError."""
    with alone_with_running(home):
        (home.held / service).unlink(missing_ok=True)
        if not await until(lambda: state(home).get("services", {}).get(service, {}).get("ready", False), READY_SECONDS):
            raise LocalError(
                f"{service} is not ready within {READY_SECONDS} s.", f"Its log is {log_of(home, service)}."
            )


@contextmanager
def alone_with_running(home: Home) -> Iterator[None]:
    """Hold a stack that runs against other commands. Raises LocalError."""
    if not is_supervised(home):
        raise LocalError("Nothing is running.", "Start it with `throughline up`.")
    with home.claim() as mine:
        if not mine:
            raise LocalError("Another command is starting or stopping this stack.", "Wait for it, then try again.")
        yield


def is_down(home: Home, service: str) -> bool:
    """Whether the supervisor holds a service and has seen the end of its process."""
    seen = state(home).get("services", {}).get(service, {})
    return bool(seen.get("held")) and seen.get("pid") is None


async def take_down(home: Home) -> list[str]:
    """Stop everything, whether or not its supervisor lives; gives the names of what ran."""
    names = [file.stem for file in home.records.glob("*.json") if recorded(file) is not None]
    await stop_left_overs(home)
    home.state.unlink(missing_ok=True)
    return names
