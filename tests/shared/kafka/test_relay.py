"""The relay publishes everything at least once, each aggregate in order, whoever dies, freezes or goes away."""

import asyncio
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import structlog
from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import InvalidTimestampError, KafkaTimeoutError

from deploy.local import kafka as local_kafka
from deploy.local.home import Home
from deploy.local.kafka import KafkaPlace
from deploy.local.ports import remembered
from deploy.local.program import Running
from shared.events.codec import Codec
from shared.events.registry import Registry, topic_of
from shared.eventstore.append import Append, Appended, NewEvent, StreamAppend
from shared.eventstore.group_commit import GroupCommit
from shared.eventstore.lease import Lease
from shared.eventstore.log import Log
from shared.eventstore.wakeup import Wakeup
from shared.kafka.chain import Place, sift
from shared.kafka.consumer import JournalConsumer
from shared.kafka.outage import interruption
from shared.kafka.partitioning import PARTITIONS, partition_of
from shared.kafka.producer import producing
from shared.kafka.record import read
from shared.kafka.relay import FILLING, RECREATING, Fenced, Relay
from shared.kafka.republishing import begin_anew, seal
from shared.kafka.topics import empty, provision
from shared.ops.health import Health
from shared.ops.metrics import Metrics
from tests.shared.kafka.stage import eventually, new_aggregate, new_health, records_of, running, said
from tests.shared.kafka.test_record import EVENT

CHECKOUT = Path(__file__).parents[3]
TAKEOVER_SECONDS = 15.0
"""A lease that runs out, a poll, and room for a busy machine; a session of the database that stays lasts longer."""
NOTICED_SECONDS = 15.0
"""A probe, its answer's time limit, and room for a busy machine."""


@dataclass(slots=True)
class Shop:
    """A service's log, and some deals in it that go on."""

    pool: "asyncpg.Pool[Any]"
    database: str
    bootstrap: str
    aggregate: str
    appender: GroupCommit
    deals: dict[UUID, int] = field(default_factory=dict)

    @property
    def topic(self) -> str:
        return topic_of("deals", self.aggregate)

    async def append(self, deal: UUID, count: int = 1) -> None:
        """Let some things happen to one deal."""
        first = self.deals.get(deal, 0)
        events = tuple(
            NewEvent(
                id=uuid.uuid4(),
                type="deals.deal-won",
                version=1,
                occurred_at=EVENT.occurred_at,
                data=b'{ "n":%d, "price": "1.50" }' % number,
            )
            for number in range(first, first + count)
        )
        stream = StreamAppend(aggregate=self.aggregate, aggregate_id=deal, expected=first, events=events)
        outcome = await self.appender.append(
            Append(
                command_id=UUID(int=2),
                streams=(stream,),
                actor="rep-1",
                correlation_id=UUID(int=1),
                causation_id=UUID(int=2),
                recorded_at=EVENT.recorded_at,
            )
        )
        assert isinstance(outcome, Appended)
        self.deals[deal] = first + count

    async def trade(self, deals: int, rounds: int) -> None:
        """Many deals at once, each in steps of one to three events."""

        async def one(deal: UUID) -> None:
            for number in range(rounds):
                await self.append(deal, number % 3 + 1)

        await asyncio.gather(*(one(uuid.uuid4()) for _ in range(deals)))

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """Trade goes on all the time."""
        closing = asyncio.Event()

        async def trade() -> None:
            while not closing.is_set():
                await self.trade(deals=5, rounds=2)
                await asyncio.sleep(0.05)

        trading = asyncio.create_task(trade())
        try:
            yield
        finally:
            closing.set()
            await trading

    def relay(self, health: Health | None = None, *, page: int = 1000) -> Relay:
        """A relay of this service, as each of its processes has one."""
        return Relay(
            "deals",
            self.pool,
            Log(self.pool, Codec(Registry([])), service="deals"),
            Lease(self.pool, "relay"),
            [self.topic],
            bootstrap=self.bootstrap,
            health=health or new_health(),
            appended=self.appender.appended,
            partitions=PARTITIONS,
            page=page,
        )

    async def published(self) -> bool:
        """Whether the stored checkpoint has reached the end of the log."""
        query = "select (select position from relay) >= (select coalesce(max(position), 0) from event)"
        return bool(await self.pool.fetchval(query))

    async def replaced(self, position: int, fencing_token: int) -> float:
        """Wait until a later holder than that of `fencing token` has published beyond `position`; gives the seconds."""

        async def moved() -> bool:
            now, holder = await self.checkpoint()
            return holder > fencing_token and now > position

        return await eventually(moved)

    async def put_back(self, position: int) -> None:
        """What a restore does: the later events are gone, and the relay's checkpoint is the one of then."""
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute("alter table event disable trigger append_only")
            await connection.execute("delete from event where position > $1", position)
            await connection.execute("alter table event enable trigger append_only")
            await connection.execute("update relay set position = $1, previous = '{}'", position)

    async def catches_up(self) -> None:
        """Append something and wait until it is published."""
        await self.append(uuid.uuid4())
        head = await self.pool.fetchval("select max(position) from event")

        async def reached() -> bool:
            return bool((await self.checkpoint())[0] >= head)

        await eventually(reached)

    async def checkpoint(self) -> tuple[int, int]:
        """The stored checkpoint and the fencing token of who moved it."""
        row = await self.pool.fetchrow("select position, epoch from relay")
        assert row is not None
        return row["position"], row["epoch"]

    async def check(self) -> list[ConsumerRecord]:
        """The topic says all that the log says, in order and without a gap; gives the records."""
        records = await records_of(self.bootstrap, self.topic)
        received = [(Place(record.topic, record.partition), read(record)) for record in records]
        sifted = sift(received, dict.fromkeys((place for place, _ in received), 0))
        assert not sifted.gaps
        reached: dict[Place, int] = {}
        for place, one in received:
            if one.event.source_position > reached.get(place, 0):
                assert one.previous == reached.get(place, 0)
                reached[place] = one.event.source_position
        rows = await self.pool.fetch("select *, data::text as raw from event order by position")
        by_position = {row["position"]: row for row in rows}
        assert sorted(event.source_position for _, event in sifted.new) == sorted(by_position)
        sequences: dict[UUID, int] = {}
        for _, event in sifted.new:
            row = by_position[event.source_position]
            assert event.data == row["raw"].encode()
            assert (event.id, event.aggregate_id, event.partition) == (
                row["event_id"],
                row["aggregate_id"],
                partition_of(row["aggregate_id"], PARTITIONS),
            )
            assert event.sequence == sequences.get(event.aggregate_id, 0) + 1
            sequences[event.aggregate_id] = event.sequence
        assert sequences == self.deals
        return records


@pytest.fixture
async def shop(pool: "asyncpg.Pool[Any]", database: str, kafka: str) -> AsyncIterator[Shop]:
    """An empty log and nobody who publishes it."""
    appender = GroupCommit(pool)
    yield Shop(pool=pool, database=database, bootstrap=kafka, aggregate=new_aggregate(), appender=appender)
    await appender.close()


@contextmanager
def relay_process(shop: Shop) -> Iterator["subprocess.Popen[bytes]"]:
    """A relay in another process; killed at the end at the latest."""
    command = [sys.executable, "-m", "tests.shared.kafka.relay_process", shop.database, shop.bootstrap, shop.aggregate]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def repeated(records: list[ConsumerRecord]) -> list[list[ConsumerRecord]]:
    """The records of each event that was published more than once."""
    by_id: dict[bytes, list[ConsumerRecord]] = {}
    for record in records:
        by_id.setdefault(dict(record.headers)["ce_id"], []).append(record)
    return [same for same in by_id.values() if len(same) > 1]


async def test_the_log_is_published_in_order_over_restarts(shop: Shop) -> None:
    trading = asyncio.create_task(shop.trade(deals=60, rounds=15))
    while not trading.done():
        async with running(shop.relay(page=40)):
            await asyncio.wait([trading], timeout=0.3)
    await trading
    async with running(shop.relay()):
        await eventually(shop.published)
    records = await shop.check()
    assert len(records) == sum(shop.deals.values())  # who stops in order stores the checkpoint before


async def test_health_says_how_far_behind_it_is(shop: Shop) -> None:
    await shop.trade(deals=3, rounds=2)
    health = new_health()
    relay = shop.relay(health)
    other = Lease(shop.pool, "relay")
    fencing_token = await other.take()
    assert fencing_token is not None
    async with running(relay):

        async def behind() -> bool:
            return [(lag.kind, lag.name, lag.events) for lag in health.lags] == [("relay", "deals", 9)]

        await eventually(behind)
        await eventually(lambda: another_publishes(health))
        await other.release(fencing_token)
        await eventually(shop.published)

        async def caught_up() -> bool:
            return [(lag.events, lag.seconds) for lag in health.lags] == [(0, 0)]

        await eventually(caught_up)
        assert said(health, "relay").ok


async def test_a_killed_relay_is_replaced_by_a_second_replica(shop: Shop) -> None:
    with relay_process(shop) as process:
        async with shop.busy():
            await shop.catches_up()
            async with running(shop.relay()):
                process.kill()
                process.wait()
                assert await shop.replaced(*await shop.checkpoint()) <= TAKEOVER_SECONDS
    async with running(shop.relay()):
        await eventually(shop.published)
    await shop.check()


async def test_a_killed_relay_is_replaced_by_its_restart(shop: Shop) -> None:
    async with shop.busy():
        with relay_process(shop) as process:
            await shop.catches_up()
            process.kill()
            process.wait()
        killed = await shop.checkpoint()
        async with running(shop.relay()):
            assert await shop.replaced(*killed) <= TAKEOVER_SECONDS
    async with running(shop.relay()):
        await eventually(shop.published)
    await shop.check()


async def test_a_holder_that_was_frozen_and_wakes_harms_nothing(shop: Shop) -> None:
    with relay_process(shop) as process:
        await shop.catches_up()
        async with shop.busy(), running(shop.relay()):
            _, first = await shop.checkpoint()
            process.send_signal(signal.SIGSTOP)
            await shop.catches_up()
            position, second = await shop.checkpoint()
            assert second > first
            process.send_signal(signal.SIGCONT)
            # Long enough to publish again what it held, and to find out that its lease is gone.
            woken_until = time.monotonic() + 1.5
            while time.monotonic() < woken_until:
                before, (position, fencing_token) = position, await shop.checkpoint()
                assert (fencing_token, position >= before) == (second, True)
                await asyncio.sleep(0.02)
            assert process.poll() is None
    async with running(shop.relay()):
        await eventually(shop.published)
    for same in repeated(await shop.check()):
        assert len({(record.partition, record.key, record.value, tuple(record.headers)) for record in same}) == 1


async def test_whoever_goes_on_from_an_old_mark_only_repeats_itself(shop: Shop) -> None:
    """What the frozen holder does at its worst, on purpose."""
    woken = shop.relay(page=7)
    await shop.trade(deals=5, rounds=2)
    fencing_token = await Lease(shop.pool, "relay", seconds=0).take()
    assert fencing_token is not None
    old = await woken._take(fencing_token)
    async with running(shop.relay()):
        await eventually(shop.published)
        await shop.trade(deals=5, rounds=2)
        await eventually(shop.published)
    before = await shop.checkpoint()
    async with producing(shop.bootstrap, "woken") as producer:
        with pytest.raises(Fenced):
            await asyncio.wait_for(woken._publish_from(old, fencing_token, producer, asyncio.Event()), 20)
    assert await shop.checkpoint() == before
    again = repeated(await shop.check())
    assert len(again) >= 7
    for same in again:
        assert len({(record.partition, record.key, record.value, tuple(record.headers)) for record in same}) == 1


@asynccontextmanager
async def own_broker(folder: Path) -> AsyncIterator[tuple[KafkaPlace, Running]]:
    """A broker that only this test uses, so that it may go away."""
    home = Home(folder)
    home.prepare()
    ports = remembered(home, ["kafka", "controller"])
    place = KafkaPlace(home=home, port=ports["kafka"], controller_port=ports["controller"])
    broker = await local_kafka.launch(place)
    try:
        yield place, broker
    finally:
        broker.kill()


async def test_while_the_broker_is_away_commands_are_taken_and_later_published(shop: Shop, tmp_path: Path) -> None:
    health = new_health()
    async with own_broker(tmp_path) as (place, broker), AsyncExitStack() as stopping:
        shop.bootstrap = place.bootstrap
        journal = JournalConsumer(
            "contracts",
            shop.pool,
            [shop.topic],
            bootstrap=place.bootstrap,
            health=health,
            arrived=Wakeup(),
            partitions=PARTITIONS,
        )
        async with running(shop.relay(health)), running(journal):

            async def journaled() -> bool:
                return bool(await shop.pool.fetchval("select count(*) from journal") == sum(shop.deals.values()))

            async def both(ok: bool) -> bool:
                return all(said(health, name).ok is ok for name in ("relay", "journal"))

            await shop.trade(deals=5, rounds=3)
            await eventually(journaled)
            await eventually(lambda: both(True))
            broker.kill()
            await shop.trade(deals=5, rounds=3)
            await eventually(lambda: both(False))
            await shop.append(uuid.uuid4())
            assert not await shop.published()
            back = await local_kafka.launch(place)
            try:
                await eventually(journaled, 30)
                await eventually(lambda: both(True))
                await eventually(shop.published)
                await shop.check()
            finally:
                stopping.callback(back.kill)


async def working(subscriber: Any) -> bool:
    """Whether a subscriber has a consumer."""
    return subscriber.consumer is not None


async def test_a_consumer_of_which_a_part_has_ended_is_replaced(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without aiokafka's task that keeps the metadata, nothing finds the broker again, and leaving never ends."""
    for name, seconds in {"STUCK_SECONDS": 2.0, "LEAVE_SECONDS": 1.0, "TIMEOUT_SECONDS": 1.0}.items():
        monkeypatch.setattr(f"shared.kafka.consumer.{name}", seconds)
    health, consumers = new_health(), []

    class Watched(JournalConsumer):
        def subscribe(self, session: Any) -> tuple[Any, Any]:
            broker, subscriber = super().subscribe(session)
            consumers.append(subscriber)
            return broker, subscriber

    async with own_broker(tmp_path) as (place, broker), AsyncExitStack() as stopping:
        shop.bootstrap = place.bootstrap
        journal = Watched(
            "contracts",
            shop.pool,
            [shop.topic],
            bootstrap=place.bootstrap,
            health=health,
            arrived=Wakeup(),
            partitions=PARTITIONS,
        )
        async with running(shop.relay(health)), running(journal):

            async def journaled() -> bool:
                return bool(await shop.pool.fetchval("select count(*) from journal") == sum(shop.deals.values()))

            await shop.trade(deals=5, rounds=3)
            await eventually(journaled)
            # On a busy machine one may have been replaced before.
            await eventually(lambda: working(consumers[-1]))
            before = len(consumers)
            consumers[-1].consumer._client._sync_task.cancel()
            broker.kill()
            await shop.trade(deals=5, rounds=3)
            back = await local_kafka.launch(place)
            try:
                await eventually(journaled, 60)
                assert len(consumers) > before
            finally:
                stopping.callback(back.kill)


async def test_a_relay_that_published_more_than_the_log_holds_stops_for_good(shop: Shop) -> None:
    """OPS-3: after a restore the positions are given to other events, which every reader would take for seen."""
    health = new_health()
    async with running(shop.relay(health)):
        deal = uuid.uuid4()
        await shop.append(deal, 3)
        await shop.catches_up()
        published = len(await records_of(shop.bootstrap, shop.topic))
        await shop.put_back(1)
        await eventually(lambda: stopped(health))
        assert "republish --recreate" in said(health, "relay").detail
        await shop.append(uuid.uuid4(), 30)
    again = new_health()
    async with running(shop.relay(again)):
        await eventually(lambda: stopped(again))
    assert len(await records_of(shop.bootstrap, shop.topic)) == published


async def test_a_relay_that_starts_on_a_restored_store_stops_although_its_mark_was_restored_too(shop: Shop) -> None:
    async with running(shop.relay()):
        await shop.append(uuid.uuid4(), 3)
        await shop.catches_up()
    published = len(await records_of(shop.bootstrap, shop.topic))
    await shop.put_back(1)
    await shop.append(uuid.uuid4(), 30)
    health = new_health()
    async with running(shop.relay(health)):
        await eventually(lambda: stopped(health))
    assert "republish --recreate" in said(health, "relay").detail
    assert len(await records_of(shop.bootstrap, shop.topic)) == published


async def test_a_relay_whose_topics_were_lost_publishes_nothing_behind_the_gap(shop: Shop) -> None:
    async with running(shop.relay()):
        await shop.trade(deals=5, rounds=2)
        await eventually(shop.published)
    await empty(shop.bootstrap, [shop.topic], partitions=PARTITIONS)
    await shop.append(uuid.uuid4())
    health = new_health()
    async with running(shop.relay(health)):
        await eventually(lambda: stopped(health))
        assert "`throughline republish`" in said(health, "relay").detail
        assert await records_of(shop.bootstrap, shop.topic) == []
        await begin_anew(shop.pool)
        await eventually(shop.published)
        await shop.check()


async def told_again(shop: Shop, records: Sequence[ConsumerRecord]) -> None:
    """Let the topic hold these records and no other."""
    await empty(shop.bootstrap, [shop.topic], partitions=PARTITIONS)
    async with AIOKafkaProducer(bootstrap_servers=shop.bootstrap, acks="all") as producer:
        for record in records:
            await producer.send_and_wait(
                record.topic, record.value, record.key, partition=record.partition, headers=list(record.headers)
            )


async def test_a_relay_whose_topics_lost_their_newest_records_publishes_nothing_behind_the_gap(shop: Shop) -> None:
    """OPS-3: a broker without replicas may have lost its last writes."""
    async with running(shop.relay()):
        await shop.trade(deals=5, rounds=2)
        await eventually(shop.published)
    records = await records_of(shop.bootstrap, shop.topic)
    newest = max(records, key=lambda record: record.offset)
    left = [record for record in records if record is not newest]
    assert any(record.partition == newest.partition for record in left)
    await told_again(shop, left)
    await shop.append(uuid.uuid4())
    health = new_health()
    async with running(shop.relay(health)):
        await eventually(lambda: stopped(health))
        assert "`throughline republish --recreate`" in said(health, "relay").detail
        assert len(await records_of(shop.bootstrap, shop.topic)) == len(left)


async def test_a_record_that_was_repeated_late_is_not_taken_for_the_newest(shop: Shop) -> None:
    async with running(shop.relay()):
        await shop.trade(deals=5, rounds=2)
        await eventually(shop.published)
    records = await records_of(shop.bootstrap, shop.topic)
    await told_again(shop, [*records, *(record for record in records if record.offset == 0)])
    async with running(shop.relay()):
        await shop.catches_up()
    await shop.check()


class Heard(Health):
    """A health that keeps all that the relay reported, in order."""

    reports: list[tuple[bool, str]]

    def report(self, name: str, ok: bool, detail: str = "") -> None:
        self.reports.append((ok, detail))
        super().report(name, ok, detail)


def heard() -> Heard:
    health = Heard(metrics=Metrics.of("test"))
    health.reports = []
    return health


async def test_a_relay_that_cannot_publish_says_nothing_else_while_it_tries_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.kafka.relay.SEALED_SECONDS", 0.05)
    await shop.append(uuid.uuid4(), 3)
    await shop.pool.execute("update relay set position = 100")
    health = heard()
    async with running(shop.relay(health)):

        async def tried_again() -> bool:
            return len(health.reports) >= 3

        await eventually(tried_again)
    assert {(ok, detail[:7]) for ok, detail in health.reports} == {(False, "stopped")}


@pytest.mark.parametrize("checkpoint", [FILLING, RECREATING])
async def test_a_relay_that_is_sealed_by_a_command_waits_for_it_and_raises_no_alarm(
    shop: Shop, checkpoint: int
) -> None:
    """That command is at work: to ask for it would be wrong, and so would be to call it an error."""
    await shop.append(uuid.uuid4(), 3)
    await seal(shop.pool, checkpoint)
    health = new_health()
    with structlog.testing.capture_logs() as logged:
        async with running(shop.relay(health)):
            await eventually(lambda: waits_for_the_command(health))
            await begin_anew(shop.pool)
            await shop.catches_up()
    assert [line for line in logged if line["log_level"] == "error" and line.get("service") == "deals"] == []


async def waits_for_the_command(health: Health) -> bool:
    found = [report for report in health.workers if report.name == "relay"]
    return any(not report.ok and report.detail.startswith("waits: `throughline republish") for report in found)


async def test_a_relay_that_reaches_no_broker_does_not_name_another_process(shop: Shop) -> None:
    """A broker behind a filter: the connection is taken, and nothing is ever answered."""
    silent = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    shop.bootstrap = f"127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    health = heard()
    async with silent, running(shop.relay(health)):

        async def tried() -> bool:
            return bool(health.reports)

        await eventually(tried)
    assert not any(ok for ok, _ in health.reports), health.reports


async def test_a_relay_that_lost_its_lease_says_that_another_process_publishes(shop: Shop) -> None:
    health = new_health()
    async with running(shop.relay(health)):
        await shop.catches_up()
        assert said(health, "relay").detail == "publishes"
        await shop.pool.execute(
            "update lease set owner = $1, epoch = epoch + 1, until = clock_timestamp() + interval '1 hour'",
            uuid.uuid4(),
        )
        await eventually(lambda: another_publishes(health))


async def test_a_broker_that_goes_away_is_noticed_while_nothing_is_to_do(shop: Shop, tmp_path: Path) -> None:
    """OPS-2: whether it is dead or only mute; and what nobody can measure any more is not told."""
    health = new_health()
    async with own_broker(tmp_path) as (place, broker):
        shop.bootstrap = place.bootstrap
        journal = JournalConsumer(
            "bills",
            shop.pool,
            [shop.topic],
            bootstrap=place.bootstrap,
            health=health,
            arrived=Wakeup(),
            partitions=PARTITIONS,
        )

        async def well() -> bool:
            return all(said(health, name).ok for name in ("relay", "journal")) and len(health.lags) == 2

        async def unwell() -> bool:
            told = [said(health, name) for name in ("relay", "journal")]
            return all(not one.ok and "Kafka does not answer" in one.detail for one in told)

        async with running(shop.relay(health)), running(journal):
            await eventually(well)
            broker.send(signal.SIGSTOP)
            await eventually(unwell, NOTICED_SECONDS)
            assert [lag.kind for lag in health.lags] == ["relay"], "the database still tells how far the relay is"
            broker.send(signal.SIGCONT)
            await eventually(well)
            broker.kill()
            await eventually(unwell, NOTICED_SECONDS)
            restarted = await local_kafka.launch(place)
            try:
                await eventually(well)
            finally:
                restarted.kill()


async def test_a_relay_whose_pages_are_refused_never_says_that_it_publishes(shop: Shop) -> None:
    await provision(shop.bootstrap, [shop.topic], partitions=PARTITIONS)
    admin = AIOKafkaAdminClient(bootstrap_servers=shop.bootstrap)
    await admin.start()
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, shop.topic, {"max.message.bytes": "1"})])
    await admin.close()
    await shop.append(uuid.uuid4(), 3)
    health = heard()
    async with running(shop.relay(health)):

        async def tried_again() -> bool:
            return len(health.reports) >= 2

        await eventually(tried_again)
    assert not any(ok for ok, _ in health.reports), health.reports


async def another_publishes(health: Health) -> bool:
    return said(health, "relay").detail == "another process publishes"


async def stopped(health: Health) -> bool:
    report = said(health, "relay")
    return not report.ok and report.detail.startswith("stopped")


def test_a_clock_that_is_ahead_of_the_brokers_is_named() -> None:
    assert "clock" in interruption(InvalidTimestampError())
    assert interruption(OSError()) == "interrupted by OSError"


def test_who_does_not_answer_is_named() -> None:
    assert interruption(KafkaTimeoutError()) == "Kafka does not answer: KafkaTimeoutError"
    assert interruption(ConnectionRefusedError()) == "cannot reach the database: ConnectionRefusedError"
    assert interruption(asyncpg.DiskFullError()) == "the database fails: DiskFullError"
