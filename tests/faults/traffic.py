"""Traffic under faults, and the proof that each acknowledged command is there exactly once."""

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

import asyncpg
import httpx

from deploy.local.stack import throughline
from shared.ops.ids import new_id
from tests.whole_stack import WholeStack

SELLERS = 3
RETRY_SECONDS = 0.2
"""Between two tries of a command that was not acknowledged."""
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

    async def moves(self) -> None:
        """Wait until something more is acknowledged."""
        await self.reaches(len(self.done) + 1)

    async def reaches(self, count: int) -> None:
        """Wait until so many commands are acknowledged."""

        async def there() -> bool:
            return len(self.done) >= count

        await until(there, "nothing is acknowledged any more")

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
            await asyncio.sleep(RETRY_SECONDS)


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


@asynccontextmanager
async def selling(stack: WholeStack) -> AsyncIterator[Traffic]:
    """Several people sell until the block ends; then each ends the sale that they are at."""
    async with (
        stack.person("sales-operations").client as seller,
        stack.person("finance").client as finance,
        asyncio.TaskGroup() as tasks,
    ):
        traffic = Traffic(seller, finance)
        for _ in range(SELLERS):
            tasks.create_task(traffic.go_on())
        yield traffic
        traffic.enough.set()


async def nothing_lost_nothing_doubled(stack: WholeStack, done: Sequence[Done]) -> None:
    """Each command exactly once, each win with its one draft, and `throughline verify` clean."""
    await each_is_there_once(stack, done)
    await every_win_has_one_draft(stack, [one.id for one in done if one.type == "deals.deal-won"])
    await asyncio.to_thread(nothing_differs, stack)


async def each_is_there_once(stack: WholeStack, done: Sequence[Done]) -> None:
    """The event of each command, by its correlation id and at the version that was answered, and its key."""
    for service in {one.service for one in done}:
        await is_there_once(stack.local.database_url(service), [one for one in done if one.service == service])


async def is_there_once(url: str, done: Sequence[Done]) -> None:
    """The same of one service, in its database."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        """
        select w.key, e.events, e.answered, (select count(*) from idempotency i where i.key = w.key) as keys
          from unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[])
               as w(key, correlation_id, type, id, version),
               lateral (select count(*) as events,
                               bool_and(aggregate_id = w.id and sequence <= w.version) as answered
                          from event where correlation_id = w.correlation_id and type = w.type) e
        """,
        *zip(*((one.key, one.correlation_id, one.type, one.id, one.version) for one in done), strict=True),
    )
    await connection.close()
    wrong = [tuple(row) for row in rows if tuple(row)[1:] != (1, True, 1)]
    assert wrong == [], "key, events, at the answered place, keys"


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
    told = command_line(stack, "verify", "--patience", str(PATIENCE_SECONDS))
    assert told.stdout, told.stderr
    found = json.loads(told.stdout)
    assert [f"{one['where']}: {one['sentence']}" for one in found["differences"]] == []
    assert told.returncode == 0


def command_line(stack: WholeStack, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of `throughline` on a stack, as an operator does."""
    local = stack.local
    own = {"THROUGHLINE_HOME": str(local.home.path), "PORT": str(local.origin_port)}
    return subprocess.run(
        throughline(*words, "--json"),
        env={**local.environment, **own},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
