"""The topics: so many partitions each, for ever. Whoever publishes to one or reads it sees to it that it exists."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.errors import (
    KafkaTimeoutError,
    LeaderNotAvailableError,
    NodeNotReadyError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from shared.kafka.layout import OtherPartitions

MAX_RECORD = 4 << 20
"""Bytes. A command is refused long before its events could grow to this."""


TIMEOUT_MILLISECONDS = 10_000
SHOWN_SECONDS = 10.0
NOT_SHOWN_YET = {UnknownTopicOrPartitionError.errno, LeaderNotAvailableError.errno}


async def provision(bootstrap: str, names: Iterable[str], *, partitions: int, replication: int = 1) -> None:
    """Make sure that topics exist, with what they hold kept for ever.

    Several processes may do so at once. Raises `OtherPartitions` when one has another number of partitions, and
    aiokafka's errors while the broker is away; KafkaTimeoutError when it does not show what was created.
    """
    wanted = sorted(set(names))
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=TIMEOUT_MILLISECONDS)
    try:
        await admin.start()
        await _refuse_without_controller(admin)
        answer = await admin.create_topics([_definition(name, partitions, replication) for name in wanted])
        for name, code, message in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(f"topic {name}: {message}")
        await _shown(admin, wanted, partitions)
    finally:
        await admin.close()


async def held(bootstrap: str, names: Iterable[str], *, partitions: int) -> dict[str, int]:
    """How many offsets each of these existing topics holds records at. Raises aiokafka's errors."""
    places = [TopicPartition(name, number) for name in sorted(set(names)) for number in range(partitions)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, request_timeout_ms=TIMEOUT_MILLISECONDS)
    await consumer.start()
    try:
        consumer.assign(places)
        beginnings = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
    finally:
        await consumer.stop()
    found = dict.fromkeys((place.topic for place in places), 0)
    for place in places:
        found[place.topic] += ends[place] - beginnings[place]
    return found


async def empty(bootstrap: str, names: Iterable[str], *, partitions: int) -> None:
    """Delete every record of these existing topics. Raises aiokafka's errors.

    Offsets go on from where they were: a consumer that stands at the end, or that remembers an offset below, gets every
    later record. In a topic deleted and made again it could start in the middle.
    """
    high_watermark = RecordsToDelete(before_offset=-1)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=TIMEOUT_MILLISECONDS)
    try:
        await admin.start()
        await admin.delete_records(
            {TopicPartition(name, number): high_watermark for name in set(names) for number in range(partitions)}
        )
    finally:
        await admin.close()


async def _refuse_without_controller(admin: AIOKafkaAdminClient) -> None:
    """A broker that its controller holds for dead (KRaft: it is fenced) names neither brokers nor a controller until it
    is heard again. aiokafka 0.14 would ask the missing controller, and raise AttributeError."""
    if (await admin.describe_cluster())["controller_id"] < 0:
        raise NodeNotReadyError("no controller is known yet")


async def _shown(admin: AIOKafkaAdminClient, names: list[str], partitions: int) -> None:
    """Wait until the broker shows each topic, then check its shape.

    The controller answers that it created a topic; a broker knows of it only once it has read that in the metadata log.
    """
    try:
        async with asyncio.timeout(SHOWN_SECONDS):
            while names:
                described = await admin.describe_topics(names)
                names = [topic["topic"] for topic in described if topic["error_code"] in NOT_SHOWN_YET]
                for topic in described:
                    if topic["topic"] not in names:
                        _check(topic, partitions)
                if names:
                    await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise KafkaTimeoutError(f"the broker does not show {', '.join(names)}") from error


def _definition(name: str, partitions: int, replication: int) -> NewTopic:
    return NewTopic(
        name,
        num_partitions=partitions,
        replication_factor=replication,
        topic_configs={
            "cleanup.policy": "delete",
            "retention.ms": "-1",
            "retention.bytes": "-1",
            "max.message.bytes": str(MAX_RECORD),
            "min.insync.replicas": str(min(2, replication)),
            "unclean.leader.election.enable": "false",
        },
    )


def _check(topic: Any, partitions: int) -> None:
    if code := topic["error_code"]:
        raise for_code(code)(f"topic {topic['topic']}")
    if (found := len(topic["partitions"])) != partitions:
        raise OtherPartitions(partitions, found, f"the topic {topic['topic']} has")
