"""`make bench`: the whole product beside its peers, in one run on one PostgreSQL.

The three servers take turns, round by round, so that a machine that slows down slows all of them; only ratios inside
one run say something. Before each turn everything that the last one caused has been published and folded.
"""

import asyncio
import json
import os
import platform
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import asyncpg

from deploy.local.ports import LOOPBACK
from deploy.local.stack import CHECKOUT
from tests.bench.figures import Measured, Round, Visible, report
from tests.bench.load import RESULT, TASK, Result, Task
from tests.bench.servers import Server, Stage, body, cpu, rest, stage
from tests.journey.company import known_everywhere, open_deal

PAGE = CHECKOUT / "docs" / "reference" / "bench.md"
INTRODUCTION = """# What one command costs

Written by `make bench` (`python -m tests.bench --write`). Absolute figures belong to the machine below; what carries
over is a ratio inside one run. The servers take turns on the same PostgreSQL (fsync on), one process each.

- **Throughline**: `POST /v1/deals` at the deals service as it runs in the stack. Bearer token, the asker's team (looked
  up once a second), validation, process and catalogue, `Idempotency-Key`, append with compare-and-set; beside it the
  same process publishes to Kafka and folds its own list, and the other services follow, on the same cores.
- **Throughline, nothing downstream**: the same, while the four other services stand still.
- **FastAPI + eventsourcing**: the same body and the same check of the token, the library's PostgreSQL recorder in its
  default mode, in threads. No idempotency, no team, nothing published.
- **FastAPI, no database**: the same body and check, and an answer. What the framework alone takes.

The load comes from a process of its own that writes prepared bytes and parses answers in C (see `tests/bench/load.py`).
It shares the machine with the servers; its share of a core is stated.
"""
CLIENTS = 32
CLIENTS_ON_TIME = 24
"""Enough that a command hardly ever waits for a free one."""
WARM_UP_SECONDS = 1.0
REST_SECONDS = 10.0


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds on each server")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a round")
    parser.add_argument("--visible", type=float, default=20.0, help="seconds of the run at a fixed rate")
    parser.add_argument("--rate", type=float, default=100.0, help="commands a second in that run")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(CHECKOUT)} as well")
    chosen = parser.parse_args()
    measured = asyncio.run(measure(chosen.rounds, chosen.seconds, chosen.visible, chosen.rate))
    page = report(measured)
    sys.stdout.write(page)
    if chosen.write:
        PAGE.write_text(f"{INTRODUCTION}\n{page}")


async def measure(rounds: int, seconds: float, visible: float, rate: float) -> Measured:
    """A whole run; about three minutes with the defaults."""
    load = os.getloadavg()[0]
    async with stage() as on:
        told(f"At {on.whole.origin}; the load of the machine was {load:.1f}.")
        await settled(on)
        idle = await rest(REST_SECONDS, on.processes)
        taken: dict[str, list[Round]] = {server.name: [] for server in on.servers}
        for number in range(rounds):
            for server in on.servers:
                one = await one_round(on, server, seconds)
                taken[server.name].append(one)
                told(f"Round {number + 1} of {rounds}, {server.name}: {one.rate:,.0f} commands/s.")
                await settled(on)
        seen = await visibility(on, visible, rate)
        about = await machine(on, load)
        resident = {name: process.memory_info().rss for name, process in on.processes.items()}
    return Measured(rounds=taken, visible=seen, idle=idle, resident=resident, clients=CLIENTS, about=about)


async def settled(on: Stage) -> None:
    """Wait until every service has seen what was done last."""
    await known_everywhere(on.company.operations, await open_deal(on.company))


async def one_round(on: Stage, server: Server, seconds: float) -> Round:
    """One turn of a server. Raises RuntimeError when its database does not hold what it acknowledged."""
    there, spent = await deals(server), {name: cpu(process) for name, process in on.processes.items()}
    own = cpu(server.process)
    with server.at_work():
        result = await load(
            Task(
                host=LOOPBACK,
                port=server.port,
                path=server.path,
                token=on.token,
                body=json.dumps(body(on.company)),
                clients=CLIENTS,
                warm_up=min(WARM_UP_SECONDS, seconds / 2),
                seconds=seconds,
            )
        )
        own = cpu(server.process) - own
        around = sum(cpu(process) - spent[name] for name, process in on.processes.items())
    kept = await deals(server) - there
    if server.count and kept != result.sent:
        raise RuntimeError(f"{server.name} acknowledged {result.sent} commands and kept {kept}.")
    # All that it answered took CPU, the warm-up as well.
    counted = len(result.answered) / result.sent
    return Round(
        times=result.answered,
        elapsed=result.elapsed,
        server_cpu=own * counted,
        whole_cpu=(around if server.process in on.processes.values() else around + own) * counted,
        client_cpu=result.cpu,
    )


async def visibility(on: Stage, seconds: float, rate: float) -> Visible:
    """Commands at a fixed rate through the gateway, until each is visible in forecast."""
    result = await load(
        Task(
            host=LOOPBACK,
            port=on.whole.local.origin_port,
            path="/v1/deals",
            token=on.token,
            body=json.dumps(body(on.company)),
            clients=CLIENTS_ON_TIME,
            warm_up=seconds / 2,
            seconds=seconds,
            rate=rate,
            watch="/v1/stream",
            ask="/v1/funnel",
        )
    )
    return Visible(
        rate=len(result.answered) / seconds,
        answered=result.answered,
        streamed=result.seen,
        asked=result.asked,
        unseen=result.unseen,
    )


async def load(task: Task) -> Result:
    """Run the load generator, in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.load"),
        cwd=CHECKOUT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    written, _ = await process.communicate(TASK.dump_json(task))
    if process.returncode != 0:
        raise RuntimeError(f"The load generator ended with {process.returncode}; it says why above.")
    return RESULT.validate_json(written)


async def deals(server: Server) -> int:
    """How many deals a server's database holds."""
    if not server.count:
        return 0
    connection = await asyncpg.connect(server.database)
    try:
        return int(await connection.fetchval(server.count))
    finally:
        await connection.close()


async def machine(on: Stage, load_before: float) -> Mapping[str, str]:
    """On what this was measured."""
    connection = await asyncpg.connect(on.whole.local.postgres.url)
    try:
        postgres = await connection.fetchval("show server_version")
    finally:
        await connection.close()
    libraries = ("fastapi", "starlette", "uvicorn", "pydantic", "asyncpg", "aiokafka", "eventsourcing", "psycopg")
    return {
        "Measured": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "Machine": f"{os.cpu_count()} cores, {processor()}, {platform.system()} {platform.machine()}",
        "Load of the machine": f"{load_before:.1f} before, {os.getloadavg()[0]:.1f} after (bench included)",
        "Python": platform.python_version(),
        "PostgreSQL": f"{postgres}, fsync on",
        "Kafka": "4.1, one node (KRaft), on the same machine",
        "Libraries": ", ".join(f"{name} {version(name)}" for name in libraries),
    }


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown processor")


def told(text: str) -> None:
    """Say how far it is."""
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
