"""The topics: twelve partitions each, for ever. Whoever publishes to one or reads it sees to it that it exists."""

from collections.abc import Iterable
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.events.registry import PARTITIONS

LARGEST_RECORD = 4 << 20
"""Bytes. A command is refused long before its events could grow to this."""


class TopicError(Exception):
    """A topic exists in a shape that would break the order of events."""


async def provision(bootstrap: str, names: Iterable[str], *, replication: int = 1) -> None:
    """Make sure that topics exist, with what they hold kept for ever.

    Several processes may do so at once. Raises `TopicError` when one has another number of partitions,
    and aiokafka's errors while the broker is away.
    """
    wanted = sorted(set(names))
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    try:
        await admin.start()
        answer = await admin.create_topics([_definition(name, replication) for name in wanted])
        for name, code, message in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(f"topic {name}: {message}")
        for topic in await admin.describe_topics(wanted):
            _check(topic)
    finally:
        await admin.close()


def _definition(name: str, replication: int) -> NewTopic:
    return NewTopic(
        name,
        num_partitions=PARTITIONS,
        replication_factor=replication,
        topic_configs={
            "cleanup.policy": "delete",
            "retention.ms": "-1",
            "retention.bytes": "-1",
            "max.message.bytes": str(LARGEST_RECORD),
            "min.insync.replicas": str(min(2, replication)),
            "unclean.leader.election.enable": "false",
        },
    )


def _check(topic: Any) -> None:
    if code := topic["error_code"]:
        raise for_code(code)(f"topic {topic['topic']}")
    if (found := len(topic["partitions"])) != PARTITIONS:
        raise TopicError(f"The topic {topic['topic']} has {found} partitions; it needs {PARTITIONS}.")
