"""The section of ledgers: a command beside the number of open invoices, and long streams after a restart."""

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import psutil

from deploy.demo.company import company_of
from deploy.local.control import state, take_down
from deploy.local.home import Home
from deploy.local.ports import LOOPBACK
from deploy.local.stack import CHECKOUT, Stack
from tests.bench import builds
from tests.bench.builds import Build
from tests.bench.clients import cpu, measure, visited
from tests.bench.figures import Cold, Measured, Steady, percentile
from tests.bench.fill.streams import QUEUE, SERIES, Books, settle, write_books, write_queue, write_series
from tests.bench.folding import folded
from tests.bench.load import UNIQUE, Task
from tests.bench.machine import machine
from tests.bench.plan import Plan, told
from tests.bench.servers import processes
from tests.bench.visitor import Request, Visit
from tests.bench.wire import Place
from tests.whole_stack import WholeStack

HOME = CHECKOUT / ".throughline" / "bench-ledgers"
FEW = 20
"""Open invoices of the small ledger."""
SECONDS, WARM_UP_SECONDS = 6.0, 1.0
TURNS, MAX_TURNS, REQUESTS = 2, 10, 500
"""The ledgers take turns, and get more of them while either has answered fewer requests."""
COLD_LEDGERS = 3
AFTER_SECONDS = 1.5
WARM_REQUESTS = 20
PATIENCE_SECONDS = 240.0
QUIET = 0.15
"""A process that takes less of a core is at rest."""
OWNERS = LEADS, RECEIVABLES = ("leads", "receivables")
HAS_SNAPSHOTS = "select to_regclass('snapshot') is not null"


async def long_streams(build: Build, plan: Plan, into: Measured) -> None:
    """Measure one build in a new home."""
    home, load = Home(HOME), os.getloadavg()[0]
    await take_down(home)
    home.remove()
    try:
        on = Ledgers(build, await builds.up(build, home), plan)
        await on.fill()
        await on.commands(into)
        await on.cold(into)
        into.about = into.about or await machine(on.local.postgres.url, load)
    finally:
        await take_down(home)
        home.remove()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A long stream, and a request that loads it."""

    name: str
    owner: str
    length: int
    request: Request


class Ledgers:
    """One build with its long streams."""

    def __init__(self, build: Build, local: Stack, plan: Plan) -> None:
        self.build, self.local, self.plan = build, local, plan
        self._company = company_of(local)
        self.few, self.many = self._books("few", waiting=FEW), self._books("many", waiting=plan.invoices)
        self.settled = [self._books(f"settled-{one}", settled=plan.settled) for one in range(COLD_LEDGERS)]
        self.both = self._books("both", credits=plan.invoices, waiting=plan.invoices)

    def _books(self, name: str, **numbers: int) -> Books:
        today = self._company.day(datetime.now(UTC))
        return Books(name=name, currency=self._company.currency, today=today, **numbers)

    async def fill(self) -> None:
        """Write everything while the owners stand still, and start them anew."""
        now, length = datetime.now(UTC), self.plan.numbers
        for name in OWNERS:
            processes(self.local)[name].suspend()
        async with _store(self.local, RECEIVABLES) as connection:
            await write_books(connection, [self.few, self.many, *self.settled, self.both], now)
            await write_series(connection, length)
            await settle(connection)
        async with _store(self.local, LEADS) as connection:
            await write_queue(connection, length)
            await settle(connection)
        told(f"{self.build.label}: ledgers of {self.plan.invoices:,} invoices, streams of {length:,} events.")
        await self.restarted()

    async def restarted(self) -> None:
        """New processes of the owners, which have folded their projections and are at rest."""
        for name in OWNERS:
            await restart(self.local, name)
        for name in OWNERS:
            await folded(self.local, name, "log")
            await at_rest(processes(self.local)[name])

    # -- a command ----------------------------------------------------------------------------------------------------

    async def commands(self, into: Measured) -> None:
        """Receipts in a ledger of few and in one of many open invoices, in turns."""
        answered: Counter[int] = Counter()
        for turn in range(MAX_TURNS):
            if turn >= TURNS and min(answered.values()) >= REQUESTS:
                break
            for books in (self.few, self.many):
                process = processes(self.local)[RECEIVABLES]
                window = await measure(self._task(books), {RECEIVABLES: process})
                into.steady.append(
                    Steady(
                        build=self.build.label,
                        invoices=books.waiting,
                        times=window.result.times,
                        cpu=window.cpu[RECEIVABLES] / max(window.result.arrived, 1),
                    )
                )
                answered[books.waiting] += len(window.result.times)
                median = percentile(window.result.times, 0.5) * 1e3
                told(f"{self.build.label}: a receipt at {books.waiting:,} open invoices: {median:.1f} ms.")

    def _task(self, books: Books) -> Task:
        receipt = self._receipt(books)
        return Task(
            place=self._place(RECEIVABLES),
            path=receipt.path,
            body=receipt.body,
            clients=1,
            warm_up=WARM_UP_SECONDS,
            seconds=SECONDS,
        )

    def _receipt(self, books: Books) -> Request:
        """Money that settles a cent of the oldest invoice, so that as many stay open."""
        body = {
            "account_id": str(books.account_id),
            "bank_reference": UNIQUE,
            "amount": {"amount": "0.01", "currency": books.currency},
            "on": str(books.today),
        }
        return Request(method="POST", path="/v1/receipts", body=json.dumps(body))

    def _place(self, service: str) -> Place:
        role = {RECEIVABLES: "finance", LEADS: "sales-operations"}[service]
        return Place(host=LOOPBACK, port=self.local.ports[service], token=WholeStack(self.local).token(role))

    # -- after a restart ----------------------------------------------------------------------------------------------

    async def cold(self, into: Measured) -> None:
        """The first answer on each long stream after a restart, with no snapshot to begin at and with one."""
        if kept := await self._forget_snapshots():
            await self.restarted()
        await self._visits(into, from_snapshot=False)
        if kept:
            await self.restarted()
            await self._visits(into, from_snapshot=True)

    async def _forget_snapshots(self) -> bool:
        """Whether the build has any at all."""
        kept = False
        for name in OWNERS:
            async with _store(self.local, name) as connection:
                if kept := await connection.fetchval(HAS_SNAPSHOTS):
                    await connection.execute("delete from snapshot")
        return kept

    async def _visits(self, into: Measured, *, from_snapshot: bool) -> None:
        for stream in self._streams():
            process, place = processes(self.local)[stream.owner], self._place(stream.owner)
            warm = [self._receipt(self.few) if stream.owner == RECEIVABLES else _show("/v1/me")] * WARM_REQUESTS
            seen = await visited(
                Visit(place=place, process=process.pid, request=stream.request, warm=warm, after=AFTER_SECONDS)
            )
            into.cold.append(
                Cold(
                    build=self.build.label,
                    stream=stream.name,
                    events=stream.length,
                    from_snapshot=from_snapshot,
                    answered=seen.answered,
                    cpu=seen.cpu,
                    stall=seen.stall,
                )
            )
            how = "from its snapshot" if from_snapshot else "folded"
            told(f"{self.build.label}: {stream.name}, {how}: {seen.answered * 1e3:.0f} ms.")
            await at_rest(process)  # with a snapshot of it written

    def _streams(self) -> Iterator[Stream]:
        all_, part, numbers = self.plan.invoices, self.plan.settled, self.plan.numbers
        for name, books in (
            *((f"ledger, {part:,} invoices and {part:,} receipts that settle them", one) for one in self.settled),
            (f"ledger, {all_:,} open invoices and {all_:,} receipts", self.both),
        ):
            yield Stream(name=name, owner=RECEIVABLES, length=books.length, request=self._receipt(books))
        for name, owner, path in (
            ("number series", RECEIVABLES, f"/v1/number-series/{SERIES}"),
            ("assignment queue", LEADS, f"/v1/assignment-queues/{QUEUE}"),
        ):
            yield Stream(name=name, owner=owner, length=numbers, request=_show(path))


@asynccontextmanager
async def _store(local: Stack, service: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(local.database_url(service))
    try:
        yield connection
    finally:
        await connection.close()


def _show(path: str) -> Request:
    return Request(method="GET", path=path)


async def restart(local: Stack, service: str) -> None:
    """Kill a service, and wait until its next process is ready."""
    before = processes(local)[service].pid
    psutil.Process(before).kill()

    def is_new() -> bool:
        now = state(local.home)["services"][service]
        return bool(now["pid"] != before and now["ready"])

    await _until(is_new)


async def at_rest(process: psutil.Process) -> None:
    """Wait until a process has nothing more to do."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        before = cpu(process)
        await asyncio.sleep(1)
        if cpu(process) - before < QUIET:
            return
    raise TimeoutError("The service does not come to rest.")


async def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("The service does not come back.")
        await asyncio.sleep(0.1)
