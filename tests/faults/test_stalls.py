"""While the network stalls, leases end at their deadline, and waits for a token end in time (OPS-4, API-2)."""

import asyncio
from typing import Any

import pytest

from shared.domain.context import Company
from shared.eventstore.lease import NONE, Held, Lease, Leases
from shared.eventstore.pool import create_pool
from shared.eventstore.wakeup import Wakeup, listen
from shared.ops.health import Health
from shared.ops.metrics import Metrics
from shared.projections.consistency import ConsistencyGate, ReadModelBehind
from shared.projections.tokens import PartitionPosition, token_for
from shared.testing.transactions import long_transaction
from tests.faults.stalling import network
from tests.shared.eventstore.conftest import Process

HELD_SECONDS = 1.5
LONGER_SECONDS = 3.0
WAITING = "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')"
PATIENCE_SECONDS = 10


async def test_two_never_hold_one_lease_while_the_network_of_the_first_stalls(process: Process, database: str) -> None:
    """The first one's work is over before the second one's begins, and does not wait for the network to come back."""
    loop = asyncio.get_running_loop()
    begun, ended, followed = asyncio.Event(), asyncio.Event(), asyncio.Event()
    times: dict[str, float] = {}

    async def first(_fencing_token: int) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            times["ended"] = loop.time()
            ended.set()

    async def second(_fencing_token: int) -> None:
        times["began"] = loop.time()
        followed.set()

    async with network(database) as way:
        pool = await create_pool(way.url, name="stalled", size=2)
        holding = asyncio.create_task(Lease(pool, "relay", seconds=HELD_SECONDS).hold(first))
        await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
        way.stall()
        following = asyncio.create_task(Lease(process.pool, "relay", seconds=HELD_SECONDS).hold(second))
        await asyncio.wait_for(followed.wait(), PATIENCE_SECONDS)
        assert ended.is_set(), "the first one still works"
        assert times["ended"] < times["began"]
        assert not holding.done()
        holding.cancel()
        await asyncio.wait([holding], timeout=PATIENCE_SECONDS)
        await following
        way.flow()
        pool.terminate()


@pytest.mark.parametrize("late", ["the first answer", "a renewal"])
async def test_a_lease_counts_from_before_it_was_asked_for(
    process: Process, database: str, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    """The answer comes late, and nothing more is heard of the database: the work is over before another one begins."""
    begun, ended, answered = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(_held: Held) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with network(database) as way:
        pool = await create_pool(way.url, name="stalled", size=2)
        leases = Leases(pool, ["relay"], seconds=LONGER_SECONDS)
        taken = leases.take

        async def take(held: Held = NONE, connection: Any = None) -> Held:
            found = await taken(held, connection)
            if slow.is_set():
                way.stall()
                answered.set()
            return found

        slow = asyncio.Event()
        monkeypatch.setattr(leases, "take", take)
        await Lease(process.pool, "relay", seconds=0).take()
        holding: asyncio.Future[None] | None = None
        if late == "a renewal":
            holding = asyncio.create_task(leases.hold(work))
            await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
        async with process.pool.acquire() as other, long_transaction(other):
            await other.execute("select from lease where name = 'relay' for update")
            holding = holding or asyncio.create_task(leases.hold(work))
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not await process.pool.fetchval(WAITING):
                    await process.pool.execute("select pg_sleep(0.01)")
            slow.set()
            await other.execute("select pg_sleep($1)", LONGER_SECONDS / 2)
        await asyncio.wait_for(answered.wait(), PATIENCE_SECONDS)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await Lease(process.pool, "relay").take() is None:
                await process.pool.execute("select pg_sleep(0.01)")
        assert ended.is_set(), "it still works"
        holding.cancel()
        await asyncio.wait([holding], timeout=PATIENCE_SECONDS)
        way.flow()
        pool.terminate()


async def test_a_listener_that_the_network_has_forgotten_connects_anew(
    process: Process, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing comes through, and no end of the connection is seen: what a router does that drops its state."""
    monkeypatch.setattr("shared.eventstore.wakeup.PROBE_SECONDS", 0.1)
    monkeypatch.setattr("shared.eventstore.wakeup.TIMEOUT_SECONDS", 0.5)
    heard = Wakeup()
    async with network(database) as way:
        listening = asyncio.create_task(listen(way.url, heard))
        assert await heard.wait(0, PATIENCE_SECONDS)
        seen = heard.count
        way.forget()
        assert await heard.wait(seen, PATIENCE_SECONDS), "it has not connected anew"
        seen = heard.count
        await process.pool.execute("select pg_notify('event_appended', 'another process')")
        assert await heard.wait(seen, PATIENCE_SECONDS)
        listening.cancel()
        await asyncio.wait([listening], timeout=PATIENCE_SECONDS)
        assert listening.done()


async def test_a_wait_for_a_token_ends_in_time_while_the_network_stalls(process: Process, database: str) -> None:
    loop = asyncio.get_running_loop()
    async with network(database) as way:
        pool = await create_pool(way.url, name="stalled", size=2)
        arrival = ConsistencyGate(
            pool,
            "tickets",
            projections=(),
            company=Company(),
            reactions=(),
            topics=(),
            log=process.log,
            journal=process.log,
            advanced=Wakeup(),
        )
        token = token_for("tickets", [PartitionPosition("tickets.ticket.v1", 0, 7)])
        health = Health(Metrics.of("tickets"))

        async def database_answers() -> None:
            await pool.fetchval("select 1")

        health.ready("database", database_answers)
        way.stall()
        began = loop.time()
        with pytest.raises(ReadModelBehind):
            await asyncio.wait_for(arrival.wait_for(token, (), 0.3), PATIENCE_SECONDS)
        (report,) = await asyncio.wait_for(health.readiness(), PATIENCE_SECONDS)
        assert (report.ok, report.detail) == (False, "no answer in 1 s")
        assert loop.time() - began < 5, "the deadline waited for the network"
        way.flow()
        pool.terminate()
