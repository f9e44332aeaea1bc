"""A rolling update across a migration: both releases answer all the time, and nothing is lost (OPS-3)."""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from deploy.local.identity import Issuer, Person
from shared.domain.roles import Role
from shared.eventstore.migrate import migrate
from shared.ops.ids import new_id
from shared.ops.settings import Settings
from shared.testing.servers import DatabaseServer
from tests.conftest import CHECKOUT
from tests.faults.releases import END_SECONDS, HELD_UP, MIGRATIONS, Served, newer_release, served
from tests.faults.traffic import Done, is_there_once, until
from tests.shared.eventstore.releases import NEWEST
from tests.shared.kafka.stage import records_of

COMMANDERS = 2
SOME = 20
"""So many commands are acknowledged between two steps of the update, at least."""
BUILDS = "select version, state from view_build where view = 'errands' order by build"


@dataclass(slots=True)
class Customers:
    """People who open and finish errands at whichever release takes part, and read from each.

    A request that fails ends the test. Only a process that was told to stop may hang up: then the same is asked, with
    the same key, of the other one.
    """

    headers: dict[str, str]
    taking_part: list[Served] = field(default_factory=list)
    told_to_stop: set[str] = field(default_factory=set)
    done: list[Done] = field(default_factory=list)
    reads: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    ready: dict[str, list[int]] = field(default_factory=dict)
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    _turns: "itertools.count[int]" = field(default_factory=itertools.count)
    _clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    def client(self, of: Served) -> httpx.AsyncClient:
        if of.name not in self._clients:
            self._clients[of.name] = of.client(self.headers)
        return self._clients[of.name]

    async def run_errands(self) -> None:
        """One after the other; each command of one goes to the next process."""
        body = {"name": "Bread", "price": {"amount": "3.50", "currency": "EUR"}}
        while not self.enough.is_set():
            opened = await self.command("/v1/errands", body, "errands.errand-opened")
            await self.command(f"/v1/errands/{opened.id}/finish-it", {}, "errands.errand-finished")

    async def command(self, path: str, body: Any, event: str) -> Done:
        key, correlation_id = str(new_id()), new_id()
        headers = {"Idempotency-Key": key, "X-Correlation-Id": str(correlation_id)}
        while True:
            at = self.taking_part[next(self._turns) % len(self.taking_part)]
            try:
                answer = await self.client(at).post(path, json=body, headers=headers)
            except httpx.TransportError:
                assert at.name in self.told_to_stop, f"{at.name} hung up"
                continue
            if answer.status_code == 409 and answer.json()["code"] == "in-flight":
                continue  # the process that stops is at it still
            assert answer.status_code in (200, 201), (at.name, path, answer.text)
            told, token = answer.json(), answer.headers["Consistency-Token"]
            self.done.append(Done(key, correlation_id, event, UUID(told["id"]), told["version"], token))
            return self.done[-1]

    async def read(self, at: Served) -> None:
        """Lists, counts and states of one process, until it was told to stop. What a list says never goes back."""
        while not self.enough.is_set():
            try:
                count = await self.answered(at, "/v1/errand-count")
                await self.answered(at, "/v1/errands?limit=5")
                if self.done:
                    await self.answered(at, f"/v1/errands/{self.done[-1].id}")
            except httpx.TransportError:
                assert at.name in self.told_to_stop, f"{at.name} hung up"
                return
            assert count["count"] >= self.counts.get(at.name, 0), f"{at.name} went back"
            self.counts[at.name] = count["count"]

    async def answered(self, at: Served, path: str) -> Any:
        answer = await self.client(at).get(path)
        assert answer.status_code == 200, (at.name, path, answer.text)
        self.reads[at.name] = self.reads.get(at.name, 0) + 1
        return answer.json()

    async def watch(self, at: Served) -> None:
        """Note how readiness changes."""
        seen = self.ready.setdefault(at.name, [])
        while not self.enough.is_set():
            try:
                answer = await self.client(at).get("/health/ready")
            except httpx.TransportError:
                if at.name in self.told_to_stop:
                    return
                await asyncio.sleep(0.05)  # it starts
                continue
            assert at.process.returncode is None, at.log.read_text()
            if seen[-1:] != [answer.status_code]:
                seen.append(answer.status_code)
            await asyncio.sleep(0.05)

    async def go_on(self, more: int = SOME) -> None:
        """Wait until so much more is acknowledged, and read from everybody who takes part."""
        enough, reads = len(self.done) + more, dict(self.reads)

        async def there() -> bool:
            return len(self.done) >= enough and all(
                self.reads.get(one.name, 0) > reads.get(one.name, 0) for one in self.taking_part
            )

        await until(there, "nothing is answered any more")

    async def meet(self, one: Served, asking: asyncio.TaskGroup) -> None:
        """Take a process in once it is ready."""
        asking.create_task(self.watch(one))
        await self.sees(one, 200)
        self.taking_part.append(one)
        asking.create_task(self.read(one))
        if len(self.taking_part) == 1:
            for _ in range(COMMANDERS):
                asking.create_task(self.run_errands())

    async def sees(self, one: Served, status: int) -> None:
        """Wait for a process to say whether it is ready."""

        async def said() -> bool:
            assert one.process.returncode is None, one.log.read_text()
            return self.ready.get(one.name, [])[-1:] == [status]

        await until(said, f"{one.name} does not say {status}")

    async def leave(self, one: Served) -> None:
        """A process is taken out and told to stop, and ends well."""
        self.taking_part.remove(one)
        self.told_to_stop.add(one.name)
        one.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(END_SECONDS):
            assert await one.process.wait() == 0

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()


@asynccontextmanager
async def at_work(customers: Customers) -> AsyncIterator[asyncio.TaskGroup]:
    """They ask until the block ends; whatever one of them does not expect ends it at once."""
    try:
        async with asyncio.TaskGroup() as asking:
            yield asking
            customers.enough.set()
    finally:
        await customers.close()


@pytest.mark.xdist_group("errands")  # two at once would write the topics of errands from two logs
@pytest.mark.slow
async def test_a_rolling_update_across_a_migration_fails_no_request(
    postgres: DatabaseServer, kafka: str, issuer: Issuer, tmp_path: Path
) -> None:
    """The database is migrated under the old process, which ends once that of the new release is ready."""
    url = await postgres.create_database("rolling", await postgres.migrated())
    settings = replace(
        Settings(service="errands", database_url=url, claim_secret="c" * 32),
        oidc_issuer=issuer.address,
        oidc_jwks_url=f"{issuer.address}/jwks",
        kafka_bootstrap=kafka,
        rate_limit="",
    )
    token = issuer.token(Person(subject="ops", name="ops", role=Role.SALES_OPERATIONS), 600)
    customers = Customers({"Authorization": f"Bearer {token}"})
    sources = newer_release(tmp_path / "newer")
    database = await asyncpg.connect(url)
    await database.execute("select pg_advisory_lock($1)", HELD_UP)
    async with AsyncExitStack() as stack:
        old = await stack.enter_async_context(served("old", CHECKOUT, settings, tmp_path / "old.log"))
        asking = await stack.enter_async_context(at_work(customers))
        await customers.meet(old, asking)
        await customers.go_on()

        assert await migrate(url, sources / MIGRATIONS) == [f"{NEWEST + 1:04}_expanded"]
        await customers.go_on()

        new = await stack.enter_async_context(served("new", sources, settings, tmp_path / "new.log"))
        meeting = asking.create_task(customers.meet(new, asking))
        await customers.sees(new, 503)
        await customers.go_on()
        assert await builds(database) == [(1, "serving"), (2, "building")]
        assert not meeting.done()
        await database.execute("select pg_advisory_unlock($1)", HELD_UP)
        await meeting
        assert await builds(database) == [(1, "serving"), (2, "serving")]
        await customers.go_on()

        await customers.leave(old)
        await customers.go_on()
        customers.enough.set()
        await everything_is_there_once(customers, new, database, url, kafka)
    assert customers.ready["old"] == [200], "the old one was ready all the time"
    assert customers.ready["new"][-2:] == [503, 200]
    assert old.faults() + new.faults() == []
    await database.close()
    await postgres.drop_database(url)


async def builds(database: Any) -> list[tuple[int, str]]:
    return [(row["version"], row["state"]) for row in await database.fetch(BUILDS)]


async def everything_is_there_once(customers: Customers, new: Served, database: Any, url: str, kafka: str) -> None:
    """In the log, in the projection of the new release, and in the topic."""
    await is_there_once(url, customers.done)
    opened = await database.fetchval("select count(*) from event where type = 'errands.errand-opened'")
    logged = {str(row["event_id"]) for row in await database.fetch("select event_id from event")}

    async def listed() -> bool:
        return bool((await customers.answered(new, "/v1/errand-count"))["count"] == opened)

    async def published() -> bool:
        records = await records_of(kafka, "errands.errand.v1")
        return {dict(record.headers)["ce_id"].decode() for record in records} == logged

    await until(listed, "the list of the new release lacks some")
    await until(published, "the topic and the log differ")
    assert await database.fetchval("select count(*) from parked_event") == 0
