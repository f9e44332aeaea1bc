"""Processes are killed under traffic: what was acknowledged is there exactly once, and everything agrees.

Ten services in the suite; `make faults` kills two hundred, PostgreSQL and Kafka among them.
"""

import os
import random
import signal
from typing import Any

import pytest

from deploy.local import program
from deploy.local.control import state
from deploy.services import SERVICES
from tests.faults.traffic import PATIENCE_SECONDS, nothing_lost_nothing_doubled, selling
from tests.whole_stack import WholeStack

KILLS = int(os.environ.get("FAULT_KILLS", "10"))
SERVERS = ("postgresql", "kafka") if os.environ.get("FAULT_SERVERS") == "1" else ()
SEED = 20261123
NEXT_KILL_SECONDS = 6.0
"""A process that has not come back by then does not hold up the next kill."""


async def kill(stack: WholeStack, chance: random.Random) -> None:
    """As `kill -9` does, to one of the processes that run; waits a little for another one in its place."""

    def alive() -> list[str]:
        return [service for service in (*SERVICES, *SERVERS) if seen(stack, service)["pid"]]

    assert await program.until(lambda: bool(alive()), PATIENCE_SECONDS), "nothing comes back"
    service = chance.choice(alive())
    killed = seen(stack, service)["pid"]
    os.kill(killed, signal.SIGKILL)

    def replaced() -> bool:
        now = seen(stack, service)
        return bool(now["ready"]) and now["pid"] != killed

    await program.until(replaced, NEXT_KILL_SECONDS)


def seen(stack: WholeStack, name: str) -> dict[str, Any]:
    now = state(stack.local.home)
    return dict({**now["services"], **now["servers"]}[name])


@pytest.mark.slow
async def test_kills_lose_nothing_and_double_nothing(stack: WholeStack) -> None:
    chance = random.Random(SEED)
    async with selling(stack) as traffic:
        for _ in range(KILLS):
            await kill(stack, chance)
            await traffic.moves()
    assert traffic.tries > len(traffic.done), "no command met a process that was killed"
    await nothing_lost_nothing_doubled(stack, traffic.done)
