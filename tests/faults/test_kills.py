"""Processes are killed under traffic: what was acknowledged is there exactly once, and everything agrees.

Ten services in the suite; `make faults` kills two hundred, PostgreSQL and Kafka among them.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

import asyncpg
import httpx
import pytest

from deploy.local import program
from deploy.local.control import state
from deploy.local.stack import SERVICES, throughline
from shared.ops.ids import new_id
from tests.whole_stack import WholeStack

KILLS = int(os.environ.get("FAULT_KILLS", "10"))
SERVERS = ("postgresql", "kafka") if os.environ.get("FAULT_SERVERS") == "1" else ()
SEED = 20261123
AGAIN_SECONDS = 0.2
"""Between two tries of a command that was not acknowledged."""
NEXT_KILL_SECONDS = 6.0
"""A process that has not come back by then does not hold up the next kill."""
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Done:
    """A command that was acknowledged, and the type of the one event that it records."""

    key: str
    correlation_id: UUID
    type: str
    id: UUID
    version: int
    token: str

    @property
    def service(self) -> str:
        return self.type.split(".", 1)[0]


@dataclass(slots=True)
class Traffic:
    """Somebody who sells, and does not give up before they are answered."""

    seller: httpx.AsyncClient
    finance: httpx.AsyncClient
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    done: list[Done] = field(default_factory=list)
    tries: int = 0

    async def go_on(self) -> None:
        """One small sale after the other."""
        while not self.enough.is_set():
            name = f"Killed {new_id()}"
            account = await self.command(self.seller, "/v1/accounts", {"name": name}, "leads.account-opened")
            named = {"account_id": str(account.id)}
            body = {"name": name, "amount": euros(1000), **named, "account_name": name}
            deal = (await self.command(self.seller, "/v1/deals", body, "deals.deal-opened", account.token)).id
            changed = f"/v1/deals/{deal}/change-amount"
            await self.command(self.seller, changed, {"amount": euros(1200)}, "deals.deal-amount-changed")
            await self.command(self.seller, f"/v1/deals/{deal}/win", {}, "deals.deal-won")
            receipt = {**named, "bank_reference": name, "amount": euros(10), "on": "2026-01-05"}
            await self.command(self.finance, "/v1/receipts", receipt, "receivables.receipt-recorded", account.token)

    async def command(
        self, client: httpx.AsyncClient, path: str, body: Any, event: str, after: str | None = None
    ) -> Done:
        """Ask with the same key until there is an answer; `after` is the token of what the body names."""
        key, correlation_id, deadline = str(new_id()), new_id(), time.monotonic() + PATIENCE_SECONDS
        headers = {"Idempotency-Key": key, "X-Correlation-Id": str(correlation_id)}
        if after is not None:
            headers["Consistency-Token"] = after
        while True:
            assert time.monotonic() < deadline, f"{path} is never answered"
            self.tries += 1
            try:
                answer = await client.post(path, json=body, headers=headers)
            except httpx.TransportError:
                answer = None
            if answer is not None and not is_passing(answer):
                assert answer.status_code in (200, 201), (path, answer.text)
                told = answer.json()
                token = answer.headers["Consistency-Token"]
                self.done.append(Done(key, correlation_id, event, UUID(told["id"]), told["version"], token))
                return self.done[-1]
            await asyncio.sleep(AGAIN_SECONDS)


def is_passing(answer: httpx.Response) -> bool:
    """Whether an answer only says: not now."""
    return answer.status_code >= 500 or (answer.status_code == 409 and answer.json()["code"] in ("in-flight", "busy"))


def euros(amount: int) -> dict[str, str]:
    return {"amount": f"{amount}.00", "currency": "EUR"}


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not await condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.1)


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
    async with (
        stack.person("sales-operations").client as seller,
        stack.person("finance").client as finance,
    ):
        traffic = Traffic(seller, finance)
        selling = [asyncio.create_task(traffic.go_on()) for _ in range(3)]
        chance = random.Random(SEED)
        for _ in range(KILLS):
            before = len(traffic.done)
            await kill(stack, chance)

            async def moved(before: int = before) -> bool:
                return len(traffic.done) > before or any(task.done() for task in selling)

            await until(moved, "nothing is acknowledged any more")
        traffic.enough.set()
        await asyncio.gather(*selling)
    assert traffic.tries > len(traffic.done), "no command met a process that was killed"
    await each_is_there_once(stack, traffic.done)
    await every_win_has_one_draft(stack, [done.id for done in traffic.done if done.type == "deals.deal-won"])
    nothing_differs(stack)


async def each_is_there_once(stack: WholeStack, done: list[Done]) -> None:
    """The event of each command, by its correlation id and at the version that was answered, and its key."""
    for service in {one.service for one in done}:
        of_service = [one for one in done if one.service == service]
        connection = await asyncpg.connect(stack.local.database_url(service))
        rows = await connection.fetch(
            """
            select w.key, e.events, e.answered, (select count(*) from idempotency i where i.key = w.key) as keys
              from unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[])
                   as w(key, correlation_id, type, id, version),
                   lateral (select count(*) as events,
                                   bool_and(aggregate_id = w.id and sequence <= w.version) as answered
                              from event where correlation_id = w.correlation_id and type = w.type) e
            """,
            *zip(*((one.key, one.correlation_id, one.type, one.id, one.version) for one in of_service), strict=True),
        )
        await connection.close()
        wrong = [tuple(row) for row in rows if tuple(row)[1:] != (1, True, 1)]
        assert wrong == [], f"key, events, at the answered place, keys in {service}"


async def every_win_has_one_draft(stack: WholeStack, deals: list[UUID]) -> None:
    """CON-1: the reaction happens exactly once, whoever was killed in between."""
    contracts = [uuid5(deal, "contract") for deal in deals]
    connection = await asyncpg.connect(stack.local.database_url("contracts"))

    async def drafted() -> bool:
        found = await connection.fetchval(
            "select count(*) from event where type = 'contracts.contract-drafted' and aggregate_id = any($1)", contracts
        )
        assert found <= len(contracts), "a deal was drafted for twice"
        return bool(found == len(contracts))

    await until(drafted, "a won deal has no contract")
    await connection.close()


def nothing_differs(stack: WholeStack) -> None:
    """What `throughline verify` says."""
    told = subprocess.run(
        throughline("verify", "--json", "--patience", str(PATIENCE_SECONDS)),
        env={**os.environ, "THROUGHLINE_HOME": str(stack.local.home.path), "PORT": str(stack.local.origin_port)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert told.stdout, told.stderr
    found = json.loads(told.stdout)
    assert [f"{one['where']}: {one['sentence']}" for one in found["differences"]] == []
    assert told.returncode == 0
