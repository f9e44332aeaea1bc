"""Who sends is killed (SIGKILL) at every point of it: nothing is lost, nothing overtakes, repeats carry the same id.

The receiver kills the sender at the point in question, so the point is met for certain.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shared.ops.ids import new_id
from shared.testing.transactions import long_transaction
from tests.shared.deliveries.belfry import Belfry
from tests.shared.deliveries.receivers import raw
from tests.shared.projections.conftest import until

CHECKOUT = Path(__file__).parents[3]
KILLS = 2
"""How often each point is met by a process that dies there."""
BELLS = 4


@contextmanager
def delivering(database: str, webhooks: int, mail: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Both workers in a process of their own."""
    command = [sys.executable, "-m", "tests.shared.deliveries.delivery_process", database, str(webhooks), str(mail)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@dataclass(slots=True)
class Receiver:
    """Receives calls and mail, and kills the sender at one point, some times."""

    point: str
    kills: int = KILLS
    sender: "subprocess.Popen[bytes] | None" = None
    taken: list[tuple[str, int]] = field(default_factory=list)
    """What has arrived whole: id and number of the bell, in its order, repeats included."""

    def at(self, point: str) -> None:
        if point == self.point and self.kills and self.sender is not None:
            self.kills -= 1
            os.kill(self.sender.pid, signal.SIGKILL)
            self.sender.wait()
            raise ConnectionError("the sender is dead")

    async def call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.at("webhook: connected")
        head = await reader.readuntil(b"\r\n\r\n")
        self.at("webhook: in the middle of the request")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        message_id = re.search(rb"webhook-id: (\S+)", head, re.IGNORECASE)
        assert length is not None
        assert message_id is not None
        body = await reader.readexactly(int(length[1]))
        self.taken.append((message_id[1].decode(), json.loads(body)["data"]["number"]))
        self.at("webhook: sent, not answered")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        self.at("webhook: answered")

    async def mail(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        self.at("mail: connected")
        while line := await reader.readline():
            match line[:4].upper():
                case b"DATA":
                    writer.write(b"354 go on\r\n")
                    self.at("mail: before the message")
                    message = await reader.readexactly(100_000)
                    self.at("mail: in the middle of the message")
                    while not message.endswith(b"\r\n.\r\n"):
                        message += await reader.read(65_536)
                    message_id = re.search(rb"Message-ID: <([^@]+)@", message)
                    number = re.search(rb'"number":(\d+)', message.replace(b"=\r\n", b"").replace(b"=3D", b"="))
                    assert message_id is not None
                    assert number is not None
                    self.taken.append((message_id[1].decode(), int(number[1])))
                    self.at("mail: sent, not answered")
                    writer.write(b"250 taken\r\n")
                    await writer.drain()
                    self.at("mail: answered")
                case b"QUIT":
                    writer.write(b"221 bye\r\n")
                    return
                case b"RCPT":
                    self.at("mail: recipient named")
                    writer.write(b"250 ok\r\n")
                case _:
                    writer.write(b"250 ok\r\n")


POINTS = (
    *("webhook: connected", "webhook: in the middle of the request", "webhook: sent, not answered"),
    *("webhook: answered", "mail: connected", "mail: recipient named", "mail: before the message"),
    *("mail: in the middle of the message", "mail: sent, not answered", "mail: answered"),
)


@pytest.mark.usefixtures("processes")
@pytest.mark.parametrize("point", POINTS)
async def test_nothing_is_lost_and_a_repeat_is_known_by_its_id(database: str, belfry: Belfry, point: str) -> None:
    receiver = Receiver(point)
    await belfry.ring(*range(BELLS), receiver=new_id())
    async with raw(receiver.call) as webhooks, raw(receiver.mail) as mail:
        while receiver.kills:
            with delivering(database, webhooks, mail) as receiver.sender:
                left = receiver.kills

                async def killed(left: int = left) -> bool:
                    return receiver.kills < left

                await until(killed)
        with delivering(database, webhooks, mail) as receiver.sender:
            await until(belfry.settled)
    assert await belfry.states() == {"delivered": 2 * BELLS}
    rows = await belfry.pool.fetch("select id, channel from delivery order by channel, position")
    way = point.partition(":")[0]
    for channel in ("mail", "webhook"):
        ids = [str(row["id"]) for row in rows if row["channel"] == channel]
        arrived = [each for each in receiver.taken if each[0] in ids]
        assert list(dict.fromkeys(arrived)) == list(zip(ids, range(BELLS), strict=True)), "each, in order, under its id"
        repeats = len(arrived) - BELLS
        if channel == way and point.endswith("sent, not answered"):
            assert repeats == KILLS
        elif channel == way and point.endswith("answered"):
            assert repeats <= KILLS
    assert {each for each, _ in receiver.taken} == {str(row["id"]) for row in rows}


@pytest.mark.usefixtures("processes")
@pytest.mark.parametrize("step", ["before what follows is queued", "before the checkpoint moves"])
async def test_killed_while_it_queues_it_queues_once(database: str, belfry: Belfry, step: str) -> None:
    """Whoever follows the log waits for a lock of ours in the middle of its transaction, and dies there."""
    receiver = Receiver("never")
    named = new_id()
    await belfry.ring(*range(BELLS), receiver=named)
    if step == "before the checkpoint moves":
        await belfry.pool.execute(SLOW_CHECKPOINT)
    async with raw(receiver.call) as webhooks, raw(receiver.mail) as mail:
        async with belfry.pool.acquire() as connection, long_transaction(connection):
            await connection.execute("select pg_advisory_xact_lock(4711)")
            if step == "before what follows is queued":
                await connection.execute("lock table delivery in exclusive mode")
            with delivering(database, webhooks, mail) as follower:
                await until(waits_for_us(belfry))
                follower.kill()
                follower.wait()
        await belfry.pool.execute("drop trigger if exists slow on mark")
        assert await belfry.pool.fetchval("select position from mark where name = 'deliveries'") == 0
        assert await belfry.states() == {}
        with delivering(database, webhooks, mail):
            await until(belfry.settled)
    assert await belfry.states() == {"delivered": 2 * BELLS}
    assert len(receiver.taken) == 2 * BELLS


SLOW_CHECKPOINT = """
    create function wait_here() returns trigger language plpgsql as $$
    begin
        if new.position > old.position then
            perform pg_advisory_xact_lock(4711);
        end if;
        return new;
    end $$;
    create trigger slow before update on mark for each row execute function wait_here()
"""
WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


def waits_for_us(belfry: Belfry) -> Callable[[], Awaitable[bool]]:
    async def waits() -> bool:
        return bool(await belfry.pool.fetchval(WAITING))

    return waits
