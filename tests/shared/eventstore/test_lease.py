"""One worker at a time, and a successor when it is gone (OPS-2)."""

import asyncio
import contextlib
from typing import Any

import pytest
import structlog

from shared.eventstore.lease import NONE, Held, Lease, Leases
from shared.eventstore.pool import create_pool
from shared.testing.transactions import long_transaction
from tests.shared.eventstore.conftest import Process


async def test_one_holder_at_a_time(process: Process, other: Process) -> None:
    first, second = Lease(process.pool, "relay"), Lease(other.pool, "relay")
    assert await first.take() == 1
    assert await second.take() is None
    assert await Lease(other.pool, "views").take() == 1
    assert await first.renew(1)
    await first.release(1)
    assert await second.take() == 2
    assert not await first.renew(1)


async def test_who_stops_renewing_is_followed(process: Process, other: Process) -> None:
    first, second = Lease(process.pool, "relay", seconds=0.1), Lease(other.pool, "relay")
    await first.take()
    async with asyncio.timeout(5):
        while (fencing_token := await second.take()) is None:
            await process.pool.execute("select pg_sleep(0.02)")
    assert fencing_token == 2
    await first.release(1)
    assert await second.renew(2)


async def test_work_ends_when_the_lease_is_lost_and_begins_again_with_a_higher_epoch(process: Process) -> None:
    fencing_tokens: list[int] = []
    begun = asyncio.Event()

    async def work(fencing_token: int) -> None:
        fencing_tokens.append(fencing_token)
        begun.set()
        if len(fencing_tokens) < 2:
            await asyncio.Event().wait()

    holding = asyncio.create_task(Lease(process.pool, "relay").hold(work))
    await begun.wait()
    await process.pool.execute(
        "update lease set owner = gen_random_uuid(), epoch = epoch + 1, until = clock_timestamp()"
    )
    async with asyncio.timeout(10):
        await holding
    assert fencing_tokens == [1, 3]


async def test_a_cancelled_holder_lets_the_next_one_in_at_once(process: Process, other: Process) -> None:
    begun = asyncio.Event()

    async def work(fencing_token: int) -> None:
        begun.set()
        await asyncio.Event().wait()

    holding = asyncio.create_task(Lease(process.pool, "relay").hold(work))
    await begun.wait()
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert await Lease(other.pool, "relay").take() == 2


async def test_who_is_done_lets_the_next_one_in_at_once(process: Process, other: Process) -> None:
    async def work(fencing_token: int) -> None:
        return

    await Lease(process.pool, "relay", seconds=60).hold(work)
    assert await Lease(other.pool, "relay").take() == 2


async def test_a_database_that_fails_is_asked_again(process: Process, other: Process) -> None:
    """For the first time, and while there is time for it to be renewed; the work goes on meanwhile."""
    name, fencing_tokens = "asked again", list[int]()
    begun, enough = asyncio.Event(), asyncio.Event()

    async def work(fencing_token: int) -> None:
        fencing_tokens.append(fencing_token)
        begun.set()
        await enough.wait()

    async def failed(times: int) -> None:
        async with asyncio.timeout(10):
            while sum(line["event"] == "lease-unreachable" and line["names"] == [name] for line in told) < times:
                await other.pool.execute("select pg_sleep(0.01)")

    with structlog.testing.capture_logs() as told:
        await other.pool.execute("alter table lease rename to away")
        holding = asyncio.create_task(Lease(process.pool, name, seconds=60).hold(work))
        await failed(1)
        await other.pool.execute("alter table away rename to lease")
        async with asyncio.timeout(10):
            await begun.wait()
        await other.pool.execute("alter table lease rename to away")
        await failed(2)
        await other.pool.execute("alter table away rename to lease")
        await renewed(other, [name])
        enough.set()
        await holding
    assert fencing_tokens == [1]


async def test_what_the_work_raises_is_raised(process: Process) -> None:
    async def work(fencing_token: int) -> None:
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        await Lease(process.pool, "relay").hold(work)


async def test_who_waits_for_the_lease_can_be_stopped(process: Process, other: Process) -> None:
    await Lease(process.pool, "relay", seconds=60).take()
    stopping = asyncio.Event()

    async def work(fencing_token: int) -> None:
        raise AssertionError("somebody else holds it")

    waiting = asyncio.create_task(Lease(other.pool, "relay").hold(work, stopping))
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    assert not done
    stopping.set()
    async with asyncio.timeout(5):
        await waiting


async def test_who_waits_for_the_lease_is_told_why(
    process: Process, other: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing while another one holds it, and the error while the database does not answer."""
    away, stopping = ConnectionRefusedError("away"), asyncio.Event()
    told: list[Exception | None] = []

    def waiting(problem: Exception | None) -> None:
        told.append(problem)
        stopping.set()

    async def refused(*_: object, **_named: object) -> Held:
        raise away

    async def work(_held: Held) -> None:
        raise AssertionError

    await Lease(other.pool, "relay").take()
    leases = Leases(process.pool, ["relay"])
    async with asyncio.timeout(5):
        await leases.hold(work, stopping, waiting)
        stopping.clear()
        monkeypatch.setattr(leases, "take", refused)
        await leases.hold(work, stopping, waiting)
    assert told == [None, away]


async def test_several_leases_are_held_by_different_processes(process: Process, other: Process) -> None:
    first, second = Leases(process.pool, ["both", "old"]), Leases(other.pool, ["both", "new"])
    held = await first.take()
    assert held == {"both": 1, "old": 1}
    assert await second.take() == {"new": 1}
    assert await first.take(held) == held, "renewed in the same epochs"
    await first.release(held)
    assert await second.take({"new": 1}) == {"both": 2, "new": 1}
    assert await first.take(held) == {"old": 1}, "what another process has taken is lost"


async def test_work_begins_again_when_a_lease_becomes_free(process: Process, other: Process) -> None:
    """And the leases that were held all the while are held in the same fencing tokens."""
    first, second = Leases(process.pool, ["both"]), Leases(other.pool, ["both", "new"])
    held = await first.take()
    seen: list[Held] = []
    begun = asyncio.Event()

    async def work(now: Held) -> None:
        seen.append(now)
        begun.set()
        if len(seen) < 2:
            await asyncio.Event().wait()

    holding = asyncio.create_task(second.hold(work))
    await begun.wait()
    await first.release(held)
    async with asyncio.timeout(10):
        await holding
    assert seen == [{"new": 1}, {"both": 2, "new": 1}]


async def test_work_that_does_not_end_is_fenced_by_what_begins_beside_it(process: Process, other: Process) -> None:
    """It may hang in a query: nothing goes on under its fencing token, not even what was held before and is held
    now."""
    second = Leases(other.pool, ["views"])
    await second.take()
    works: list[Held] = []
    begun, free = asyncio.Event(), asyncio.Event()

    async def work(held: Held) -> None:
        works.append(held)
        begun.set()
        while len(works) == 1 and not free.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await free.wait()

    holding = asyncio.create_task(Leases(process.pool, ["relay", "views"]).hold(work))
    async with asyncio.timeout(10):
        await begun.wait()
        await second.release({"views": 1})
        await holding
        free.set()
    assert works == [{"relay": 1}, {"relay": 2, "views": 3}]


async def test_a_lease_that_is_granted_after_its_end_is_not_worked_under(process: Process) -> None:
    """The answer was held up on its way for longer than the lease lasts."""
    began: list[float] = []
    loop = asyncio.get_running_loop()

    class Slow(Leases):
        async def take(self, held: Held = NONE, connection: Any = None) -> Held:
            taken = await super().take(held, connection)
            asked.append(loop.time())
            if len(asked) == 1:
                await asyncio.sleep(0.3)
            return taken

    async def work(_held: Held) -> None:
        began.append(loop.time())

    asked: list[float] = []
    async with asyncio.timeout(10):
        await Slow(process.pool, ["relay"], seconds=0.2).hold(work)
    assert began[0] < asked[-1] + 0.2
    assert len(asked) > 1


async def test_who_takes_anew_what_it_had_gets_a_higher_epoch(process: Process) -> None:
    """Its work of before may still be at something: nothing of that shall look like the new one's."""
    leases = Leases(process.pool, ["relay"])
    assert await leases.take() == {"relay": 1}
    assert await leases.take({"relay": 1}) == {"relay": 1}
    assert await leases.take() == {"relay": 2}


async def test_only_the_holder_lets_go_and_only_of_the_epoch_that_it_has(process: Process, other: Process) -> None:
    first, second = Leases(process.pool, ["relay"], seconds=60), Leases(other.pool, ["relay"])
    await first.take()
    held = await first.take()
    await first.release({"relay": 1})
    await second.release(held)
    assert await second.take() == {}
    await first.release(held)
    assert await second.take() == {"relay": 3}


WAITING = "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')"


async def test_two_processes_never_wait_for_each_other(process: Process, other: Process) -> None:
    """Whatever the order in which they name their leases: who waits for the first has not taken the last one yet."""
    await Leases(process.pool, ["first", "last"], seconds=0).take()
    async with other.pool.acquire() as holder, long_transaction(holder):
        await holder.execute("select from lease where name = 'first' for update")
        taking = asyncio.create_task(Leases(process.pool, ["last", "first"]).take())
        async with asyncio.timeout(5):
            while not await other.pool.fetchval(WAITING):
                await other.pool.execute("select pg_sleep(0.01)")
        await holder.execute("select from lease where name = 'last' for update nowait")
    assert await taking == {"first": 2, "last": 2}


LOST = "update lease set owner = gen_random_uuid(), epoch = epoch + 1, until = clock_timestamp() where name = $1"


async def test_work_begins_again_after_it_has_ended(process: Process) -> None:
    told: list[str] = []
    begun = asyncio.Event()

    async def work(fencing_token: int) -> None:
        told.append("begins")
        begun.set()
        try:
            if len(told) == 1:
                await asyncio.Event().wait()
        finally:
            await process.pool.execute("select pg_sleep(0.1)")
            told.append("ended")

    holding = asyncio.create_task(Lease(process.pool, "relay").hold(work))
    await begun.wait()
    await process.pool.execute(LOST, "relay")
    async with asyncio.timeout(10):
        await holding
    assert told == ["begins", "ended", "begins", "ended"]


async def test_work_that_does_not_end_is_not_waited_for_for_ever(process: Process) -> None:
    """And what was held all the while, but ran out while it was waited for, is taken anew."""
    seen: list[Held] = []
    begun, again = asyncio.Event(), asyncio.Event()

    async def work(held: Held) -> None:
        seen.append(held)
        if len(seen) > 1:
            again.set()
            return
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await again.wait()

    holding = asyncio.create_task(Leases(process.pool, ["kept", "lost"], seconds=0.9).hold(work))
    await begun.wait()
    await process.pool.execute(LOST, "lost")
    async with asyncio.timeout(10):
        await holding
    assert seen[0] == {"kept": 1, "lost": 1}
    assert seen[1]["kept"] == 2


LET_GO = """
create table let_go (name text);
create function note() returns trigger language plpgsql as
    'begin insert into let_go values (new.name); return new; end';
create trigger note after update on lease for each row when (new.until < old.until) execute function note();
"""


async def test_only_what_is_lost_is_let_go_when_work_begins_again(process: Process) -> None:
    await process.pool.execute(LET_GO)
    seen: list[Held] = []
    begun = asyncio.Event()

    async def work(held: Held) -> None:
        seen.append(held)
        begun.set()
        if len(seen) < 2:
            await asyncio.Event().wait()
        else:
            assert [row["name"] for row in await process.pool.fetch("select name from let_go")] == ["lost"]

    holding = asyncio.create_task(Leases(process.pool, ["kept", "lost"]).hold(work))
    await begun.wait()
    await process.pool.execute(LOST, "lost")
    async with asyncio.timeout(10):
        await holding
    assert seen == [{"kept": 1, "lost": 1}, {"kept": 1, "lost": 3}]


async def test_many_leases_take_one_connection(process: Process, database: str) -> None:
    pool = await create_pool(database, name="narrow", size=2)
    names = [f"view-{number}" for number in range(50)]
    fencing_tokens: list[Held] = []

    async def work(held: Held) -> None:
        fencing_tokens.append(held)
        async with asyncio.timeout(10):
            async with pool.acquire():  # the other connection
                await renewed(process, names)

    await Leases(pool, names).hold(work)
    assert fencing_tokens == [dict.fromkeys(names, 1)]
    await pool.close()


async def renewed(process: Process, names: list[str]) -> None:
    """Wait until all leases have been renewed."""
    ends = "select min(until) from lease where name = any($1::text[])"
    first = await process.pool.fetchval(ends, names)
    while await process.pool.fetchval(ends, names) == first:
        await process.pool.execute("select pg_sleep(0.02)")
