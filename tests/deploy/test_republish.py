"""Publishing again on real servers: Kafka's data lost, a database restored, and a run that is killed half way."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    NodeNotReadyError,
    NotLeaderForPartitionError,
    TopicAuthorizationFailedError,
)

from deploy.local import kafka as local_kafka
from deploy.local.fault import LocalError
from deploy.local.program import Running as Server
from deploy.local.stack import Stack
from deploy.republish import patiently, republish
from deploy.services import definition_of
from deploy.verify.verification import Part
from services.deals.app import SERVICE as DEALS
from services.forecast.app import SERVICE as FORECAST
from shared.http.context import ServiceContext
from shared.kafka.layout import laid_out
from shared.kafka.relay import RECREATING
from shared.kafka.topics import provision
from shared.ops.health import Health
from shared.ops.ids import new_id
from shared.ops.metrics import Metrics
from shared.ops.settings import Settings
from shared.service.definition import Service
from shared.service.runtime import running_process
from shared.testing.servers import DatabaseServer
from tests.deploy.test_verify import House, until

FEW = 4
"""Partitions of each topic: a broker that is lost and made anew has them to make anew, too."""
TWICE = "select count(*) - count(distinct (topic, source_position)) from journal"


@dataclass(slots=True)
class Servers:
    """A broker and the databases of two services, which may be lost and restored."""

    stack: Stack
    postgres: DatabaseServer
    broker: Server
    deals: str
    forecast: str

    @asynccontextmanager
    async def at_work(self, service: Service) -> AsyncIterator[ServiceContext]:
        url = self.deals if service is DEALS else self.forecast
        settings = Settings(
            service=service.name,
            database_url=url,
            claim_secret="c" * 32,
            kafka_bootstrap=self.stack.bootstrap,
            kafka_partitions=FEW,
        )
        async with running_process(service, settings, Health(Metrics.of(service.name))) as running:
            yield running

    @asynccontextmanager
    async def house(self, forecast: ServiceContext) -> AsyncIterator[House]:
        async with self.at_work(DEALS) as deals:
            yield House(deals=deals, forecast=forecast, bootstrap=self.stack.bootstrap, partitions=FEW)

    async def copy_of_deals(self) -> str:
        """A back-up, made while nobody is connected."""
        return await self.postgres.create_database("backup", urlsplit(self.deals).path.removeprefix("/"))

    async def leave_a_record(self, topic: str) -> None:
        """Let a topic hold something, but not what was published."""

        async def left() -> bool:
            try:
                await provision(self.stack.bootstrap, [topic], partitions=FEW)
            except KafkaError:
                return False
            return True

        await until(left)
        async with AIOKafkaProducer(bootstrap_servers=self.stack.bootstrap, acks="all") as producer:
            await producer.send_and_wait(topic, b"{}", str(new_id()).encode(), partition=0)

    async def lose_kafka(self) -> None:
        """Kill the broker, remove its data, and start it anew."""
        self.broker.kill()
        shutil.rmtree(self.stack.kafka.data)
        self.broker = await local_kafka.launch(self.stack.kafka)


@pytest.fixture
async def servers(stack: Stack, postgres: DatabaseServer, home: object) -> AsyncIterator[Servers]:
    urls = [await postgres.create_database(name, await postgres.migrated()) for name in ("d", "f")]
    broker = await local_kafka.launch(stack.kafka)
    servers = Servers(stack=stack, postgres=postgres, broker=broker, deals=urls[0], forecast=urls[1])
    yield servers
    for url in {*urls, servers.deals}:
        await postgres.drop_database(url)


def parts(house: House) -> list[Part]:
    return [
        Part.of(definition_of(one.name), one.pool, one.settings.company, FEW) for one in (house.deals, house.forecast)
    ]


async def sentences(house: House) -> list[str]:
    return [f"{one.where}, {one.position}: {one.sentence}" for one in await house.differences()]


@pytest.mark.parametrize("passing", [KafkaTimeoutError, NotLeaderForPartitionError, NodeNotReadyError])
async def test_a_broker_that_is_busy_with_what_was_made_is_asked_again(passing: type[KafkaError]) -> None:
    silences = [passing(), passing()]

    async def ask() -> str:
        if silences:
            raise silences.pop()
        return "there"

    assert await patiently(ask) == "there"


async def test_a_broker_that_refuses_is_not_asked_again() -> None:
    asked: list[str] = []

    async def ask() -> None:
        asked.append("once")
        raise TopicAuthorizationFailedError

    with pytest.raises(TopicAuthorizationFailedError):
        await patiently(ask)
    assert asked == ["once"]


async def test_lost_topics_are_filled_again_and_topics_that_hold_records_are_left_alone(servers: Servers) -> None:
    async with servers.at_work(FORECAST) as forecast, servers.house(forecast) as house:
        opened = [await house.deal(f"{number}000.00") for number in range(1, 9)]
        await house.journaled(opened[-1])
        assert list((await republish(parts(house), house.bootstrap)).services) == []
        assert await sentences(house) == [], "the journal holds every event, of all topics, before they are lost"
        await servers.lose_kafka()
        done = await republish(parts(house), house.bootstrap)
        assert (list(done.services), done.events["deals"] >= 8, list(done.journals)) == (
            ["deals", "forecast"],
            True,
            [],
        )
        assert await sentences(house) == []
        assert await forecast.pool.fetchval(TWICE) == 0, "nothing came twice"
        assert list((await republish(parts(house), house.bootstrap)).services) == []
        await house.journaled(await house.deal())


async def test_topics_that_hold_something_but_not_all_are_refused_and_made_anew_on_demand(servers: Servers) -> None:
    async with servers.at_work(FORECAST) as forecast, servers.house(forecast) as house:
        for number in range(1, 9):
            opened = await house.deal(f"{number}000.00")
        await house.journaled(opened)
        await servers.lose_kafka()
        await servers.leave_a_record("deals.deal.v1")
        with pytest.raises(LocalError, match=r"deals.deal.v1 hold records, but not all"):
            await republish(parts(house), house.bootstrap)
        done = await republish(parts(house), house.bootstrap, recreate=True)
        assert list(done.journals) == ["deals", "forecast"]
        assert await sentences(house) == []
        await house.journaled(await house.deal())


async def test_topics_of_an_earlier_layout_are_made_anew_and_nothing_less(servers: Servers) -> None:
    """DATA-1: what an earlier release published stands in other partitions, and so it is in the journals."""
    async with servers.at_work(FORECAST) as forecast, servers.house(forecast) as house:
        opened = [await house.deal(f"{number}000.00") for number in range(1, 6)]
        await house.journaled(opened[-1])
        for database in (house.deals.pool, forecast.pool):
            await database.execute("update topic_layout set partitions = null")
        await servers.lose_kafka()
        with pytest.raises(LocalError, match="in another way than KAFKA_PARTITIONS=4 says"):
            await republish(parts(house), house.bootstrap)
        assert [await laid_out(one.pool) for one in (house.deals, forecast)] == ["older", "older"]
        await republish(parts(house), house.bootstrap, recreate=True)
        assert [await laid_out(one.pool) for one in (house.deals, forecast)] == [FEW, FEW]
        assert await sentences(house) == []
        await house.journaled(await house.deal())


async def test_topics_with_another_number_of_partitions_are_refused(servers: Servers) -> None:
    async with servers.at_work(FORECAST) as forecast, servers.house(forecast) as house:
        await house.journaled(await house.deal())
        fewer = [replace(part, partitions=3) for part in parts(house)]
        with pytest.raises(LocalError, match="in another way than KAFKA_PARTITIONS=3 says"):
            await republish(fewer, house.bootstrap)
        with pytest.raises(LocalError, match=r"KAFKA_PARTITIONS is 3, but the topic \S+ has 4"):
            await republish(fewer, house.bootstrap, recreate=True)
        await house.journaled(await house.deal())


async def test_after_a_restore_everything_is_published_and_read_anew(servers: Servers) -> None:
    async with servers.at_work(FORECAST) as forecast:
        async with servers.house(forecast) as house:
            kept = [await house.deal(f"{number}000.00") for number in range(1, 6)]
            await house.journaled(kept[-1])
        backup = await servers.copy_of_deals()
        async with servers.house(forecast) as house:
            lost = [await house.deal("1.00") for _ in range(6)]
            await house.journaled(lost[-1])
        await servers.postgres.drop_database(servers.deals)
        servers.deals = backup
        async with servers.house(forecast) as house:
            later = [await house.deal("2.00") for _ in range(3)]
            assert {one.position for one in later} & {one.position for one in lost}, "positions are handed out again"
            await republish(parts(house), house.bootstrap, recreate=True)
            assert await sentences(house) == []
            known = await forecast.pool.fetch("select distinct aggregate_id from journal where topic = 'deals.deal.v1'")
            assert {row["aggregate_id"] for row in known} == {one.aggregate_id for one in (*kept, *later)}
            await house.journaled(await house.deal())


@pytest.mark.parametrize("step", ["forget_journal", "begin_anew"])
async def test_a_run_that_ended_half_way_ends_right_when_it_is_run_again(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async with servers.at_work(FORECAST) as forecast, servers.house(forecast) as house:
        opened = [await house.deal(f"{number}000.00") for number in range(1, 6)]
        await house.journaled(opened[-1])
        with monkeypatch.context() as patched:
            patched.setattr(f"deploy.republish.{step}", killed)
            with pytest.raises(Killed):
                await republish(parts(house), house.bootstrap, recreate=True)
        await house.deal()
        assert await house.deals.pool.fetchval("select position from relay") == RECREATING
        await republish(parts(house), house.bootstrap, recreate=True)
        assert await sentences(house) == []
        await house.journaled(await house.deal())


class Killed(BaseException):
    """What ends a run where it is."""


async def killed(*_: object) -> None:
    raise Killed
