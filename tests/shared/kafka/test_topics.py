"""Topics are there, in their shape, when `provision` has answered."""

import uuid

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaTimeoutError, MetadataEmptyBrokerList

from shared.kafka.layout import OtherPartitions
from shared.kafka.outage import TRANSIENT_ERRORS
from shared.kafka.partitioning import PARTITIONS
from shared.kafka.topics import NOT_SHOWN_YET, provision


def new_names(count: int) -> list[str]:
    return [f"topics.made-{uuid.uuid4().hex[:10]}.v1" for _ in range(count)]


async def test_every_topic_is_shown_once_provided(kafka: str) -> None:
    """A broker says of a topic just created that it is unknown until it has read the controller's record of it."""
    for _ in range(5):
        names = new_names(5)
        await provision(kafka, names, partitions=PARTITIONS)
        await provision(kafka, names, partitions=PARTITIONS)


async def test_a_topic_of_another_shape_is_refused(kafka: str) -> None:
    (name,) = new_names(1)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(name, 3, 1)])
    await admin.close()
    with pytest.raises(OtherPartitions, match=f"KAFKA_PARTITIONS is 12, but the topic {name} has 3: .* Set .*=3 for"):
        await provision(kafka, [name], partitions=12)
    await provision(kafka, [name], partitions=3)


async def test_a_broker_that_names_no_broker_is_an_outage_as_any_other(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So one answers, for a moment, that was frozen for longer than the controller waits for it."""
    (name,) = new_names(1)

    def names_none(cluster: ClusterMetadata, answer: object) -> None:
        cluster.failed_update(MetadataEmptyBrokerList(answer))

    with monkeypatch.context() as fenced:
        fenced.setattr(ClusterMetadata, "update_metadata", names_none)
        with pytest.raises(TRANSIENT_ERRORS):
            await provision(kafka, [name], partitions=3)
    await provision(kafka, [name], partitions=3)


async def test_a_broker_that_does_not_show_a_topic_in_time_is_an_outage_as_any_other(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy one takes long to learn of a thousand partitions; whoever asked may ask again."""
    (name,) = new_names(1)
    with monkeypatch.context() as slow:
        slow.setattr("shared.kafka.topics.NOT_SHOWN_YET", NOT_SHOWN_YET | {0})
        slow.setattr("shared.kafka.topics.SHOWN_SECONDS", 0.2)
        with pytest.raises(KafkaTimeoutError, match=f"does not show {name}"):
            await provision(kafka, [name], partitions=3)
    await provision(kafka, [name], partitions=3)
