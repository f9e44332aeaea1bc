"""The topics: twelve partitions each, for ever. Whoever publishes to one or reads it sees to it that it exists."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.errors import LeaderNotAvailableError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from shared.events.registry import PARTITIONS

MAX_RECORD = 4 << 20
"""Bytes. A command is refused long before its events could grow to this."""


TIMEOUT_MILLISECONDS = 10_000
NOT_SHOWN_YET = {UnknownTopicOrPartitionError.errno, LeaderNotAvailableError.errno}


class TopicError(Exception):
    """A topic exists in a shape that would break the order of events."""


async def provision(bootstrap: str, names: Iterable[str], *, replication: int = 1) -> None:
    """Make sure that topics exist, with what they hold kept for ever.

    Several processes may do so at once. Raises `TopicError` when one has another number of partitions,
    aiokafka's errors while the broker is away, and TimeoutError when it does not show what was created.
    """
    wanted = sorted(set(names))
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=TIMEOUT_MILLISECONDS)
    try:
        await admin.start()
        answer = await admin.create_topics([_definition(name, replication) for name in wanted])
        for name, code, message in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(f"topic {name}: {message}")
        await _shown(admin, wanted)
    finally:
        await admin.close()


async def held(bootstrap: str, names: Iterable[str]) -> dict[str, int]:
    """How many offsets each of these existing topics holds records at. Raises aiokafka's errors."""
    partitions = [TopicPartition(name, number) for name in sorted(set(names)) for number in range(PARTITIONS)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, request_timeout_ms=TIMEOUT_MILLISECONDS)
    await consumer.start()
    try:
        consumer.assign(partitions)
        beginnings = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
    finally:
        await consumer.stop()
    found = dict.fromkeys((partition.topic for partition in partitions), 0)
    for partition in partitions:
        found[partition.topic] += ends[partition] - beginnings[partition]
    return found


async def empty(bootstrap: str, names: Iterable[str]) -> None:
    """Delete every record of these existing topics. Raises aiokafka's errors.

    Offsets go on from where they were: a consumer that stands at the end, or that remembers an offset below, gets every
    later record. In a topic deleted and made again it could start in the middle.
    """
    high_watermark = RecordsToDelete(before_offset=-1)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=TIMEOUT_MILLISECONDS)
    try:
        await admin.start()
        await admin.delete_records(
            {TopicPartition(name, number): high_watermark for name in set(names) for number in range(PARTITIONS)}
        )
    finally:
        await admin.close()


async def _shown(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    """Wait until the broker shows each topic, then check its shape.

    The controller answers that it created a topic; a broker knows of it only once it has read that in the metadata log.
    """
    async with asyncio.timeout(TIMEOUT_MILLISECONDS / 1000):
        while names:
            described = await admin.describe_topics(names)
            names = [topic["topic"] for topic in described if topic["error_code"] in NOT_SHOWN_YET]
            for topic in described:
                if topic["topic"] not in names:
                    _check(topic)
            if names:
                await asyncio.sleep(0.05)


def _definition(name: str, replication: int) -> NewTopic:
    return NewTopic(
        name,
        num_partitions=PARTITIONS,
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


def _check(topic: Any) -> None:
    if code := topic["error_code"]:
        raise for_code(code)(f"topic {topic['topic']}")
    if (found := len(topic["partitions"])) != PARTITIONS:
        raise TopicError(f"The topic {topic['topic']} has {found} partitions; it needs {PARTITIONS}.")
