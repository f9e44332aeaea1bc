"""Where an aggregate's records go is where Kafka's own clients put records of the same key."""

import csv
from pathlib import Path
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer

from shared.kafka.partitioning import PARTITIONS, key_of, partition_of, partition_of_key
from shared.kafka.topics import provision
from shared.ops.settings import Settings
from tests.shared.kafka.stage import new_aggregate

GOLDEN = Path(__file__).parent / "golden" / "murmur2.csv"
"""What `BuiltInPartitioner.partitionForKey` of kafka-clients 4.1.1 (Java) answers for keys of 0 to 40 bytes, for
texts, and for ids as records carry them."""


def vectors() -> list[tuple[bytes, int, int]]:
    """Keys, with their partition of 12 and of 3."""
    with GOLDEN.open(encoding="ascii", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [(bytes.fromhex(key), int(of_12), int(of_3)) for key, _, of_12, of_3 in rows]


def test_every_key_goes_where_the_java_client_puts_it() -> None:
    """DATA-1: a topic of ours can be joined with one that Kafka Streams has keyed anew by the same id."""
    known = vectors()
    assert {len(key) for key, _, _ in known} >= set(range(41))
    assert [(partition_of_key(key, 12), partition_of_key(key, 3)) for key, _, _ in known] == [
        (of_12, of_3) for _, of_12, of_3 in known
    ]


def test_an_aggregate_is_keyed_by_its_id_as_text() -> None:
    ids = [key for key, _, _ in vectors() if len(key) == 36 and key.count(b"-") == 4 and key.isascii()]
    assert len(ids) >= 20
    for key in ids:
        aggregate_id = UUID(key.decode())
        assert key_of(aggregate_id) == key
        assert partition_of(aggregate_id, 12) == partition_of_key(key, 12)


@pytest.mark.parametrize("partitions", [3, 12])
async def test_a_producer_that_is_told_nothing_puts_a_key_in_the_same_partition(kafka: str, partitions: int) -> None:
    topic = f"elsewhere.{new_aggregate()}.v1"
    await provision(kafka, [topic], partitions=partitions)
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for key in [key for key, _, _ in vectors() if key]:
            sent = await producer.send_and_wait(topic, b"{}", key)
            assert sent.partition == partition_of_key(key, partitions)


def test_there_are_twelve_unless_a_deployment_says_otherwise() -> None:
    settings = Settings(service="deals", database_url="postgresql://nowhere", claim_secret="-" * 32)
    assert settings.kafka_partitions == PARTITIONS
