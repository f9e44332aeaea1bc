"""The servers under test, on the PostgreSQL of one stack, which is the bench's own."""

import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import psutil

from deploy.local.control import state, take_down
from deploy.local.home import Home
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.program import Program, Running, start
from deploy.local.stack import CHECKOUT, Stack
from shared.testing.servers import DatabaseServer
from tests.bench import builds, peers
from tests.bench.builds import Build
from tests.bench.plan import ALONE, FRAMEWORK, FUNCTIONS, LIBRARY, PRODUCT, PROJECTING
from tests.bench.wire import Place
from tests.journey.company import AMOUNT, Company, found, known_everywhere, open_deal
from tests.whole_stack import Answer, WholeStack

HOME = CHECKOUT / ".throughline" / "bench"
READY_SECONDS = 60
PATIENCE_SECONDS = 60
DOWNSTREAM = ("leads", "contracts", "receivables", "forecast")
FOLDED = "select max(notification_id) from {table}"
PROJECT = "from tests.bench.peers import project; project()"
"""Not as a program: the library finds events by the name of their module."""
DATABASE_FUNCTION = {"POSTGRES_ENABLE_DB_FUNCTIONS": "yes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that takes the command."""

    name: str
    port: int
    path: str
    processes: Mapping[str, psutil.Process]
    """What serves, beside the product's processes; those go on idle while a peer is measured."""
    count: str = ""
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

    async def deals(self) -> int:
        """How many deals its database holds."""
        return await number(self.database, self.count) if self.count else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One build of the product and the peers beside it."""

    build: Build
    whole: WholeStack
    company: Company
    token: str
    """Of a rep in a team."""
    servers: tuple[Server, ...]
    processes: Mapping[str, psutil.Process]
    """Those of the product, by name."""

    def place(self, port: int) -> Place:
        return Place(host=LOOPBACK, port=port, token=self.token)

    def body(self) -> dict[str, object]:
        """The command, the same for all."""
        return {
            "name": f"Servers for the new plant {self.company.mark}",
            "amount": AMOUNT,
            "expected_close": str(self.company.today),
            "source": "referral",
        }

    async def settled(self) -> None:
        """Wait until every service has seen what was done last."""
        await known_everywhere(self.company.operations, await open_deal(self.company))

    async def lag(self, server: Server, last: str, ended: float) -> float:
        """Seconds from when a round `ended` (monotonic) until everything that follows from a server's commands is
        folded, or until patience is over; `last` is their highest token. Nothing follows a server that stands alone."""
        if server.name not in (PRODUCT, PROJECTING):
            return 0.0
        if server.name == PRODUCT:
            await known_everywhere(self.company.operations, Answer(201, {}, {"consistency-token": last}))
        elif server.name == PROJECTING:
            end = await number(server.database, FOLDED.format(table="deals_events"))
            while await number(server.database, FOLDED.format(table="funnelprojection_tracking")) < end:
                if time.monotonic() - ended > PATIENCE_SECONDS:
                    break
        return time.monotonic() - ended


@asynccontextmanager
async def stage(build: Build, path: Path = HOME) -> AsyncIterator[Stage]:
    """The whole product, durable, with nothing in it but one company; the peers beside it."""
    home = Home(path)
    await take_down(home)
    home.remove()
    async with AsyncExitStack() as ending:
        ending.push_async_callback(take_down, home)
        local = await builds.up(build, home)
        whole, running = WholeStack(local), processes(local)
        company = await found(whole)
        product = Server(
            name=PRODUCT,
            port=local.ports["deals"],
            path="/v1/deals",
            processes={},
            count="select count(*) from event where type = 'deals.deal-opened'",
            database=local.database_url("deals"),
        )
        beside = [
            await ending.enter_async_context(peer(local, LIBRARY, "with_eventsourcing")),
            await ending.enter_async_context(peer(local, FUNCTIONS, "with_eventsourcing", DATABASE_FUNCTION)),
            await ending.enter_async_context(peer(local, PROJECTING, "with_eventsourcing")),
            await ending.enter_async_context(peer(local, FRAMEWORK, "without_database")),
        ]
        yield Stage(
            build=build,
            whole=whole,
            company=company,
            token=whole.token("rep", f"rosa.{company.mark}"),
            servers=(
                product,
                replace(product, name=ALONE, without=tuple(running[name] for name in DOWNSTREAM)),
                *beside,
            ),
            processes=running,
        )


@asynccontextmanager
async def peer(local: Stack, name: str, factory: str, more: Mapping[str, str] | None = None) -> AsyncIterator[Server]:
    """One of the peers, in one process of uvicorn with its fastest parts, and its projection runner in another."""
    url = await DatabaseServer(local.postgres.url).create_database("eventsourcing")
    port = free_port(set())
    environment = {
        "OIDC_ISSUER": local.settings()["OIDC_ISSUER"],
        "OIDC_JWKS_URL": local.settings()["OIDC_JWKS_URL"],
        **library_environment(url),
        **(more or {}),
    }
    served = (
        *(f"tests.bench.peers:{factory}", "--factory", "--host", LOOPBACK, "--port", str(port)),
        *("--loop", "uvloop", "--http", "httptools", "--no-access-log"),
    )
    running = [start(_program(f"peer-{port}", ("-m", "uvicorn", *served), environment), local.home)]
    try:
        await running[0].until_ready(lambda: answers(f"http://{LOOPBACK}:{port}/openapi.json"), READY_SECONDS)
        if name == PROJECTING:
            running.append(await _projection(local, port, environment, url))
        yield Server(
            name=name,
            port=port,
            path=peers.PATH,
            processes=dict(zip(("peer", "projection"), (psutil.Process(one.pid) for one in running), strict=False)),
            count="select count(*) from deals_events" if name != FRAMEWORK else "",
            database=url,
        )
    finally:
        for one in running:
            await one.stop()


def library_environment(url: str) -> Mapping[str, str]:
    """What tells the library in which database it works."""
    place = urlsplit(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": place.path.removeprefix("/"),
        "POSTGRES_HOST": str(place.hostname),
        "POSTGRES_PORT": str(place.port),
        "POSTGRES_USER": str(place.username),
        "POSTGRES_PASSWORD": str(place.password),
    }


async def _projection(local: Stack, port: int, environment: Mapping[str, str], url: str) -> Running:
    running = start(_program(f"projection-{port}", ("-c", PROJECT), environment), local.home)

    async def there() -> bool:
        return await number(url, "select count(*) from pg_tables where tablename = 'funnelprojection_tracking'") > 0

    await running.until_ready(there, READY_SECONDS)
    return running


def _program(name: str, words: tuple[str, ...], environment: Mapping[str, str]) -> Program:
    return Program(name=name, argv=(sys.executable, *words), env=environment, folder=CHECKOUT, stop_seconds=5)


async def number(database: str, question: str) -> int:
    """A number that a database knows."""
    connection = await asyncpg.connect(database)
    try:
        return int(await connection.fetchval(question) or 0)
    finally:
        await connection.close()


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
