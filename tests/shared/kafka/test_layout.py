"""The layout of the topics is frozen on first use, and what was laid out otherwise is not gone on with."""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from shared.eventstore.group_commit import GroupCommit
from shared.eventstore.migrate import FOLDER, migrate
from shared.eventstore.pool import create_pool
from shared.eventstore.wakeup import Wakeup
from shared.kafka.consumer import JournalConsumer
from shared.kafka.layout import OtherPartitions, freeze, hold_to, laid_out, replace
from shared.kafka.partitioning import PARTITIONS
from shared.kafka.republishing import begin_anew
from shared.testing.servers import DatabaseServer
from tests.shared.kafka.stage import eventually, new_aggregate, new_health, records_of, running, said
from tests.shared.kafka.test_relay import Shop

# What the migration leaves behind in a database whose topics were filled by an earlier release.
OLDER = "insert into topic_layout (partitions) values (null)"


@pytest.fixture
async def shop(pool: "asyncpg.Pool[Any]", database: str, kafka: str) -> AsyncIterator[Shop]:
    """An empty log and nobody who publishes it."""
    appender = GroupCommit(pool)
    yield Shop(pool=pool, database=database, bootstrap=kafka, aggregate=new_aggregate(), appender=appender)
    await appender.close()


async def test_the_first_number_stays(pool: "asyncpg.Pool[Any]") -> None:
    assert await laid_out(pool) is None
    await hold_to(pool, 3)  # nothing is frozen by a process that has not reached its topics
    await asyncio.gather(*(freeze(pool, 12) for _ in range(5)))
    assert await laid_out(pool) == 12
    with pytest.raises(OtherPartitions, match=r"KAFKA_PARTITIONS is 3, but .* over 12: .* Set KAFKA_PARTITIONS=12"):
        await hold_to(pool, 3)
    with pytest.raises(OtherPartitions):
        await freeze(pool, 3)
    await hold_to(pool, 12)


async def test_whoever_publishes_and_whoever_reads_freezes_it(pool: "asyncpg.Pool[Any]", shop: Shop) -> None:
    await shop.append(uuid.uuid4(), 2)
    async with running(shop.relay()):
        await eventually(shop.published)
    assert await laid_out(pool) == PARTITIONS
    await pool.execute("delete from topic_layout")
    journal = JournalConsumer(
        f"reader-{uuid.uuid4().hex[:8]}",
        pool,
        [shop.topic],
        bootstrap=shop.bootstrap,
        health=new_health(),
        arrived=Wakeup(),
        partitions=PARTITIONS,
    )

    async def journaled() -> bool:
        return bool(await pool.fetchval("select count(*) from journal") == 2)

    async with running(journal):
        await eventually(journaled)
    assert await laid_out(pool) == PARTITIONS


@pytest.mark.parametrize(
    ("done", "layout"),
    [
        ("select 1", None),
        ("update relay set position = 7", "older"),
        ("insert into journal_mark values ('deals.deal.v1', 3, 7)", "older"),
    ],
    ids=["nothing", "published", "journaled"],
)
async def test_a_database_of_an_earlier_release_is_told_by_what_it_did(
    postgres: DatabaseServer, tmp_path: Path, done: str, layout: str | None
) -> None:
    for file in FOLDER.glob("*.sql"):
        if file.name < "0017":
            shutil.copy(file, tmp_path)
    url = await postgres.create_database("earlier")
    await migrate(url, tmp_path)
    async with await create_pool(url, name="test") as pool:
        await pool.execute(done)
        assert (await migrate(url))[0] == "0017_topic_layout"
        assert await laid_out(pool) == layout
    await postgres.drop_database(url)


async def test_a_journal_of_an_earlier_layout_is_not_gone_on_with(shop: Shop) -> None:
    """Its checkpoints would take for seen what stands in other partitions now."""
    await shop.pool.execute(OLDER)
    await shop.pool.execute("insert into journal_mark select $1, n, 1000 from generate_series(0, 11) as n", shop.topic)
    health = new_health()
    journal = JournalConsumer(
        f"reader-{uuid.uuid4().hex[:8]}",
        shop.pool,
        [shop.topic],
        bootstrap=shop.bootstrap,
        health=health,
        arrived=Wakeup(),
        partitions=PARTITIONS,
    )

    async def stopped() -> bool:
        return "another rule" in said(health, "journal").detail and not said(health, "journal").ok

    async def reads() -> bool:
        return said(health, "journal").ok

    async with running(journal):
        await eventually(stopped)
        await shop.pool.execute("delete from journal_mark")
        await replace(shop.pool, PARTITIONS)
        await eventually(reads)


async def test_topics_that_an_earlier_release_filled_are_not_gone_on_with(shop: Shop) -> None:
    """Its aggregates stand in other partitions: the next event of one would come into a second."""
    deal = uuid.uuid4()
    await shop.append(deal)
    async with running(shop.relay()):
        await eventually(shop.published)
    await shop.pool.execute("delete from topic_layout")
    await shop.pool.execute(OLDER)
    await hold_to(shop.pool, PARTITIONS)  # the process starts: `republish` needs it
    before = len(await records_of(shop.bootstrap, shop.topic))
    await shop.append(deal)
    health = new_health()

    async def stopped() -> bool:
        return "another rule" in said(health, "relay").detail

    async with running(shop.relay(health)):
        await eventually(stopped)
        assert not said(health, "relay").ok
        assert "`throughline republish --recreate`" in said(health, "relay").detail
        assert not await shop.published()
        assert len(await records_of(shop.bootstrap, shop.topic)) == before
        await replace(shop.pool, PARTITIONS)
        await begin_anew(shop.pool)
        await eventually(shop.published)
