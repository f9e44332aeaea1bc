"""While the network stalls, leases end at their deadline, and waits for a token end in time (OPS-4, API-2)."""

import asyncio

import pytest

from shared.domain.context import Company
from shared.ops.health import Health
from shared.ops.metrics import Metrics
from shared.store.lease import Lease
from shared.store.pool import create_pool
from shared.store.signal import Signal
from shared.views.arrival import Arrival, ReadModelBehind
from shared.views.tokens import ConsistencyToken
from tests.faults.stalling import network
from tests.shared.store.conftest import Process

HELD_SECONDS = 1.5
PATIENCE_SECONDS = 10


async def test_two_never_hold_one_lease_while_the_network_of_the_first_stalls(process: Process, database: str) -> None:
    """The first one's work is over before the second one's begins, and does not wait for the network to come back."""
    loop = asyncio.get_running_loop()
    begun, ended, followed = asyncio.Event(), asyncio.Event(), asyncio.Event()
    times: dict[str, float] = {}

    async def first(_epoch: int) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            times["ended"] = loop.time()
            ended.set()

    async def second(_epoch: int) -> None:
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


async def test_a_wait_for_a_token_ends_in_time_while_the_network_stalls(process: Process, database: str) -> None:
    loop = asyncio.get_running_loop()
    async with network(database) as way:
        pool = await create_pool(way.url, name="stalled", size=2)
        arrival = Arrival(
            pool,
            "tickets",
            views=(),
            company=Company(),
            reactions=(),
            topics=(),
            log=process.log,
            journal=process.log,
            advanced=Signal(),
        )
        token = ConsistencyToken(service="tickets", topic="tickets.ticket.v1", partition=0, position=7)
        health = Health(Metrics.of("tickets"))

        async def database_answers() -> None:
            await pool.fetchval("select 1")

        health.ready("database", database_answers)
        way.stall()
        began = loop.time()
        with pytest.raises(ReadModelBehind):
            await asyncio.wait_for(arrival.wait_for(token, 0.3), PATIENCE_SECONDS)
        (report,) = await asyncio.wait_for(health.readiness(), PATIENCE_SECONDS)
        assert (report.ok, report.detail) == (False, "no answer in 1 s")
        assert loop.time() - began < 5, "the deadline waited for the network"
        way.flow()
        pool.terminate()
