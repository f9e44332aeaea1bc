"""The servers under test, on the PostgreSQL of one stack, which is the bench's own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from deploy.local.control import bring_up, state, take_down
from deploy.local.home import Home
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.program import Program, start
from deploy.local.stack import CHECKOUT, Stack
from shared.testing.servers import DatabaseServer
from tests.bench import peers
from tests.conftest import names_a_server
from tests.journey.company import AMOUNT, Company, found
from tests.whole_stack import WholeStack

HOME = CHECKOUT / ".throughline" / "bench"
READY_SECONDS = 60
PRODUCT, LIBRARY, FRAMEWORK = "Throughline", "FastAPI + eventsourcing", "FastAPI, no database"
ALONE = "Throughline, nothing downstream"
DOWNSTREAM = ("leads", "contracts", "receivables", "forecast")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that takes the command."""

    name: str
    port: int
    path: str
    process: psutil.Process
    count: str
    """What its database is asked for the number of deals; empty without one."""
    database: str = field(default="", repr=False)
    without: tuple[psutil.Process, ...] = ()
    """What stands still while it is measured."""

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """It alone, without what stands still meanwhile."""
        try:
            for process in self.without:
                process.suspend()
            yield
        finally:
            for process in self.without:
                process.resume()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that is measured."""

    whole: WholeStack
    company: Company
    token: str
    """Of a rep in a team."""
    servers: tuple[Server, ...]
    processes: dict[str, psutil.Process]
    """Those of the product, by name."""


@asynccontextmanager
async def stage(home: Path = HOME) -> AsyncIterator[Stage]:
    """The whole product, durable, with nothing in it but one company; the two peers beside it."""
    environment = {name: value for name, value in os.environ.items() if not names_a_server(name)}
    os.environ["RATE_LIMIT"] = ""  # One caller sends everything.
    await take_down(Home(home))
    Home(home).remove()
    local = Stack.at(home, environment={**environment, "PORT": str(free_port(set()))})
    async with AsyncExitStack() as ending:
        ending.push_async_callback(take_down, local.home)
        await bring_up(local, lambda line: None)
        whole = WholeStack(local)
        company = await found(whole)
        whole_product, running = product(local), processes(local)
        servers = [
            whole_product,
            replace(whole_product, name=ALONE, without=tuple(running[name] for name in DOWNSTREAM)),
            await ending.enter_async_context(peer(local, LIBRARY, "with_eventsourcing")),
            await ending.enter_async_context(peer(local, FRAMEWORK, "without_database")),
        ]
        yield Stage(
            whole=whole,
            company=company,
            token=whole.token("rep", f"rosa.{company.mark}"),
            servers=tuple(servers),
            processes=running,
        )


def product(local: Stack) -> Server:
    """The deals service as it runs in the stack: a whole process, with its relay, views and timers at work."""
    return Server(
        name=PRODUCT,
        port=local.ports["deals"],
        path="/v1/deals",
        process=processes(local)["deals"],
        count="select count(*) from event where type = 'deals.deal-opened'",
        database=local.database_url("deals"),
    )


@asynccontextmanager
async def peer(local: Stack, name: str, factory: str) -> AsyncIterator[Server]:
    """One of the peers, in one process of uvicorn with its fastest parts."""
    url = await DatabaseServer(local.postgres.url).create_database("eventsourcing")
    port, place = free_port(set()), urlsplit(url)
    program = Program(
        name=factory,
        argv=(
            *(sys.executable, "-m", "uvicorn", f"tests.bench.peers:{factory}", "--factory"),
            *("--host", LOOPBACK, "--port", str(port), "--loop", "uvloop", "--http", "httptools", "--no-access-log"),
        ),
        env={
            "OIDC_ISSUER": local.settings()["OIDC_ISSUER"],
            "OIDC_JWKS_URL": local.settings()["OIDC_JWKS_URL"],
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": place.path.removeprefix("/"),
            "POSTGRES_HOST": str(place.hostname),
            "POSTGRES_PORT": str(place.port),
            "POSTGRES_USER": str(place.username),
            "POSTGRES_PASSWORD": str(place.password),
        },
        folder=CHECKOUT,
    )
    running = start(program, local.home)
    try:
        await running.until_ready(lambda: answers(f"http://{LOOPBACK}:{port}/openapi.json"), READY_SECONDS)
        yield Server(
            name=name,
            port=port,
            path=peers.PATH,
            process=psutil.Process(running.pid),
            count="select count(*) from deals_events" if name == LIBRARY else "",
            database=url,
        )
    finally:
        await running.stop()


async def answers(address: str) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(address)).status_code == 200
        except httpx.HTTPError:
            return False


def processes(local: Stack) -> dict[str, psutil.Process]:
    """The processes of a running stack, by name."""
    now = state(local.home)
    programs = {**now["services"], **now["servers"]}
    return {name: psutil.Process(program["pid"]) for name, program in programs.items()}


def body(company: Company) -> dict[str, object]:
    """The command, the same for all."""
    return {
        "name": f"Servers for the new plant {company.mark}",
        "amount": AMOUNT,
        "expected_close": str(company.today),
        "source": "referral",
    }


def cpu(process: psutil.Process) -> float:
    """CPU seconds of a process and those that it started."""
    family = [process, *process.children(recursive=True)]
    return float(sum(times.user + times.system for times in (one.cpu_times() for one in family)))


async def rest(seconds: float, looked_at: dict[str, psutil.Process]) -> dict[str, float]:
    """The share of a core that each process takes while nobody asks anything."""
    before = {name: cpu(process) for name, process in looked_at.items()}
    await asyncio.sleep(seconds)
    return {name: (cpu(process) - before[name]) / seconds for name, process in looked_at.items()}
