"""The journal holds every event of its topics once, in the order of each aggregate, whatever happens on the way."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events.envelope import Envelope
from shared.events.registry import UNREADABLE, topic_of
from shared.eventstore.wakeup import Wakeup
from shared.kafka.chain import Gap, Place
from shared.kafka.consumer import JournalConsumer, Session
from shared.kafka.partitioning import PARTITIONS
from shared.kafka.record import headers_of
from shared.ops.health import Health
from shared.testing.transactions import long_transaction
from tests.shared.kafka.stage import Publisher, deals, event_of, eventually, journaled, new_health, running, said, where

Pool = asyncpg.Pool


def new_group() -> str:
    return f"contracts-{uuid.uuid4().hex[:8]}"


def new_journal(
    pool: "Pool[Any]", kafka: str, aggregate: str, *, group: str | None = None, health: Health | None = None
) -> JournalConsumer:
    return JournalConsumer(
        group or new_group(),
        pool,
        [topic_of("deals", aggregate)],
        bootstrap=kafka,
        health=health or new_health(),
        arrived=Wakeup(),
        partitions=PARTITIONS,
    )


async def committed(kafka: str, group: str, aggregate: str) -> dict[int, int | None]:
    """The group's offset of each partition."""
    async with AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False) as consumer:
        partitions = [TopicPartition(topic_of("deals", aggregate), number) for number in range(PARTITIONS)]
        return {partition.partition: await consumer.committed(partition) for partition in partitions}


async def commit(kafka: str, group: str, aggregate: str, offsets: Mapping[int, int]) -> None:
    """Move the group's offsets while it has no members."""
    async with AIOKafkaConsumer(bootstrap_servers=kafka, group_id=group, enable_auto_commit=False) as consumer:
        topic = topic_of("deals", aggregate)
        consumer.assign([TopicPartition(topic, number) for number in offsets])
        await consumer.commit({TopicPartition(topic, number): offset for number, offset in offsets.items()})


async def holds(pool: "Pool[Any]", count: int) -> bool:
    return bool(await pool.fetchval("select count(*) from journal") == count)


def assert_complete(rows: Sequence[asyncpg.Record], events: Sequence[Envelope[bytes]]) -> None:
    """Every event once, with everything that it says, and each aggregate in order."""
    assert sorted(row["source_position"] for row in rows) == sorted(event.source_position for event in events)
    by_position = {event.source_position: event for event in events}
    last: dict[UUID, int] = {}
    for row in rows:
        event = by_position[row["source_position"]]
        assert (row["event_id"], row["type"], row["version"]) == (event.id, event.type, event.version)
        assert (row["occurred_at"], row["recorded_at"]) == (event.occurred_at, event.recorded_at)
        assert (row["actor"], row["imported"], row["traceparent"]) == (event.actor, event.imported, event.traceparent)
        assert (row["correlation_id"], row["causation_id"]) == (event.correlation_id, event.causation_id)
        assert (row["partition"], row["data"].encode()) == (where(event), event.data)
        assert row["sequence"] == last.get(row["aggregate_id"], 0) + 1
        last[row["aggregate_id"]] = row["sequence"]
    assert all(before["position"] < after["position"] for before, after in pairwise(rows))


async def test_events_arrive_whole_and_whoever_waits_is_woken(
    pool: "Pool[Any]", kafka: str, aggregate: str, publisher: Publisher
) -> None:
    events = deals(aggregate, [3, 1, 5, 2])
    arrived, health = Wakeup(), new_health()
    journal = JournalConsumer(
        new_group(),
        pool,
        [topic_of("deals", aggregate)],
        bootstrap=kafka,
        health=health,
        arrived=arrived,
        partitions=PARTITIONS,
    )
    async with running(journal):
        await publisher.publish(events)
        await eventually(lambda: holds(pool, len(events)))
        assert await arrived.wait(0, 5)
        await eventually(lambda: caught_up(health, journal.service))
    assert_complete(await journaled(pool), events)


async def caught_up(health: Health, service: str) -> bool:
    return [(lag.kind, lag.name, lag.events, lag.seconds) for lag in health.lags] == [("consumer", service, 0, 0)]


async def healthy(health: Health) -> bool:
    return said(health, "journal").ok


async def unhealthy(health: Health) -> bool:
    return not said(health, "journal").ok and bool(said(health, "journal").detail)


async def test_nothing_is_acknowledged_before_it_is_committed(
    pool: "Pool[Any]", kafka: str, aggregate: str, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, looks = Session._look, list[Session]()

    async def noted(session: Session) -> None:
        await look(session)
        looks.append(session)

    monkeypatch.setattr(Session, "_look", noted)
    group, events = new_group(), deals(aggregate, [4])
    (event, *_) = events
    health = new_health()
    async with running(new_journal(pool, kafka, aggregate, group=group, health=health)):
        await eventually(lambda: healthy(health))
        async with pool.acquire() as blocking, long_transaction(blocking):
            await blocking.execute("lock table journal in share mode")

            async def waits() -> bool:
                waiting = "select count(*) from pg_locks where relation = 'journal'::regclass and not granted"
                return bool(await pool.fetchval(waiting))

            await publisher.publish(events)
            await eventually(waits)
            # The consumer has the records. One look may be under way already; the one after it began later.
            seen = len(looks)

            async def looked_twice() -> bool:
                return len(looks) >= seen + 2

            await eventually(looked_twice)
            assert (await committed(kafka, group, aggregate))[where(event)] is None

        async def acknowledged() -> bool:
            return (await committed(kafka, group, aggregate))[where(event)] == len(events)

        await eventually(acknowledged)
    assert_complete(await journaled(pool), events)


async def test_records_that_come_again_change_nothing(
    pool: "Pool[Any]", kafka: str, aggregate: str, publisher: Publisher
) -> None:
    group, events = new_group(), deals(aggregate, [3, 4])
    await publisher.publish(events)
    async with running(new_journal(pool, kafka, aggregate, group=group)):
        await eventually(lambda: holds(pool, len(events)))
    before = await journaled(pool)
    await commit(kafka, group, aggregate, {where(event): 0 for event in events})
    later = deals(aggregate, [1], first=100)
    async with running(new_journal(pool, kafka, aggregate, group=group)):
        await publisher.publish(later)
        await eventually(lambda: holds(pool, len(events) + 1))
    rows = await journaled(pool)
    assert rows[:-1] == before
    assert_complete(rows, [*events, *later])


async def test_members_that_come_and_go_apply_everything_once(
    pool: "Pool[Any]", kafka: str, aggregate: str, publisher: Publisher
) -> None:
    group, events = new_group(), deals(aggregate, [25] * 160)

    async def at_least(count: int) -> bool:
        return bool(await pool.fetchval("select count(*) from journal") >= count)

    async def publish() -> None:
        for start in range(0, len(events), 50):
            await publisher.publish(events[start : start + 50])

    publishing = asyncio.create_task(publish())
    async with running(new_journal(pool, kafka, aggregate, group=group)):
        await eventually(lambda: at_least(300))
        async with running(new_journal(pool, kafka, aggregate, group=group)):
            await eventually(lambda: at_least(900))
        await eventually(lambda: at_least(1500))
        async with running(new_journal(pool, kafka, aggregate, group=group)):
            await eventually(lambda: at_least(2500))
            await publishing
            await eventually(lambda: holds(pool, len(events)))
    assert_complete(await journaled(pool), events)


async def test_two_that_both_believe_to_own_the_partitions_take_turns(
    pool: "Pool[Any]", kafka: str, aggregate: str, publisher: Publisher
) -> None:
    """As when a member was frozen and does not know yet that it was replaced: here two groups read it all."""
    events = deals(aggregate, [10] * 100)
    async with running(new_journal(pool, kafka, aggregate)), running(new_journal(pool, kafka, aggregate)):
        for start in range(0, len(events), 100):
            await publisher.publish(events[start : start + 100])
        await eventually(lambda: holds(pool, len(events)))
    assert_complete(await journaled(pool), events)


async def test_what_is_no_event_is_kept_aside_and_stops_nobody(
    pool: "Pool[Any]", kafka: str, aggregate: str, publisher: Publisher
) -> None:
    first, second = deals(aggregate, [2]), deals(aggregate, [2], first=50)
    topic, partition = topic_of("deals", aggregate), where(first[0])
    key = str(first[0].aggregate_id).encode()
    unknown = headers_of(event_of(aggregate, first[0].aggregate_id, 3), 2)
    await publisher.publish(first)
    await publisher.stranger(topic, partition, key=key, value=None)
    await publisher.stranger(topic, partition, key=key, value=b"{]")
    await publisher.stranger(topic, partition, key=b"\xff", value=b"\x00\xff", headers=[("a", None), ("b", b"\xff")])
    await publisher.stranger(
        topic,
        partition,
        key=key,
        value=b'{"new":true}',
        headers=[
            (
                name,
                {
                    "ce_type": b"deals.later",
                    "ce_position": b"10",
                    "ce_dataschema": b"urn:throughline:deals.later:1",
                }.get(name, raw),
            )
            for name, raw in unknown
        ],
    )
    group = new_group()
    async with running(new_journal(pool, kafka, aggregate, group=group)):
        await publisher.publish(second)
        await eventually(lambda: holds(pool, 8))
    rows = [row for row in await journaled(pool) if row["partition"] == partition and row["source_position"] < 50]
    assert [row["type"] for row in rows] == ["deals.deal-won"] * 2 + [UNREADABLE] * 3 + ["deals.later"]
    assert [row["aggregate_id"] == first[0].aggregate_id for row in rows] == [True] * 4 + [False, True]
    assert [orjson.loads(row["data"])["reason"] for row in rows if row["type"] == UNREADABLE] == [
        "the record has no value",
        "the value is not JSON",
        "the value is not JSON",
    ]
    # They are as harmless when they come again as any other record.
    await commit(kafka, group, aggregate, {partition: 0})
    async with running(new_journal(pool, kafka, aggregate, group=group)):
        await publisher.publish(deals(aggregate, [1], first=90))
        await eventually(lambda: holds(pool, 9))


async def test_a_gap_is_noticed_and_stops_its_partition_only(
    pool: "Pool[Any]", kafka: str, aggregate: str, publisher: Publisher
) -> None:
    torn = deals(aggregate, [5])
    whole = [event for event in deals(aggregate, [1] * 40, first=50) if where(event) != where(torn[0])]
    health = new_health()
    await publisher.publish(torn, lost=[3])
    async with running(new_journal(pool, kafka, aggregate, health=health)):
        await publisher.publish(whole)
        await eventually(lambda: holds(pool, 2 + len(whole)))
        await eventually(lambda: unhealthy(health))
        assert f"{topic_of('deals', aggregate)}/{where(torn[0])}" in said(health, "journal").detail
    assert_complete(await journaled(pool), [*torn[:2], *whole])
    checkpoints = dict(await pool.fetch("select partition, position from journal_mark"))
    assert checkpoints[where(torn[0])] == 2


async def test_a_partition_that_comes_back_is_read_again_before_it_stops(
    pool: "Pool[Any]", kafka: str, aggregate: str, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All partitions are revoked at every rebalance, here because a second member joins; what was read again before
    says nothing of what can be read now."""
    torn, group, health = deals(aggregate, [5]), new_group(), new_health()
    read_again: list[tuple[Session, Place]] = []
    revoked: list[Session] = []
    gap, revoke = Session._gap, Session.on_partitions_revoked

    def noticed(session: Session, place: Place, found: Gap) -> None:
        before = set(session._stopped)
        gap(session, place, found)
        if set(session._stopped) == before:
            read_again.append((session, place))

    async def noted(session: Session, partitions: Any) -> None:
        await revoke(session, partitions)
        if partitions:
            revoked.append(session)
            read_again.clear()

    monkeypatch.setattr(Session, "_gap", noticed)
    monkeypatch.setattr(Session, "on_partitions_revoked", noted)

    async def read_again_after_it_was_revoked() -> bool:
        return bool(revoked) and bool(read_again) and read_again[-1][0] is revoked[0]

    await publisher.publish(torn, lost=[3])
    async with running(new_journal(pool, kafka, aggregate, group=group, health=health)):
        await eventually(lambda: unhealthy(health))
        async with running(new_journal(pool, kafka, aggregate, group=group)):

            async def joined() -> bool:
                return bool(revoked)

            await eventually(joined)
        await eventually(read_again_after_it_was_revoked)


async def test_a_journal_older_than_the_group_s_offsets_is_filled_from_the_beginning(
    pool: "Pool[Any]", kafka: str, aggregate: str, publisher: Publisher
) -> None:
    group, events = new_group(), deals(aggregate, [6])
    partition, topic = where(events[0]), topic_of("deals", aggregate)
    await publisher.publish(events)
    # As after the return to a backup: three events are known, and the broker believes that five are.
    await commit(kafka, group, aggregate, {partition: 3})
    async with running(new_journal(pool, kafka, aggregate, group=group)):
        await eventually(lambda: holds(pool, 6))
    assert_complete(await journaled(pool), events)
    await pool.execute("alter table journal disable trigger append_only")
    await pool.execute("delete from journal where source_position > 3")
    await pool.execute("update journal_mark set position = 3 where topic = $1 and position > 3", topic)
    await commit(kafka, group, aggregate, {partition: 5})
    health = new_health()
    async with running(new_journal(pool, kafka, aggregate, group=group, health=health)):
        await eventually(lambda: holds(pool, 6))
        await eventually(lambda: healthy(health))
    assert_complete(await journaled(pool), events)


async def test_a_database_that_fails_loses_nothing(
    pool: "Pool[Any]", kafka: str, aggregate: str, publisher: Publisher
) -> None:
    events, health = deals(aggregate, [3, 3]), new_health()
    async with running(new_journal(pool, kafka, aggregate, health=health)):
        await eventually(lambda: healthy(health))
        await pool.execute("alter table journal rename to journal_away")
        await publisher.publish(events)
        await eventually(lambda: unhealthy(health))
        await pool.execute("alter table journal_away rename to journal")
        await eventually(lambda: holds(pool, len(events)))
        await eventually(lambda: healthy(health))
    assert_complete(await journaled(pool), events)
