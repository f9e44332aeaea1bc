"""Kafka's default partitioner: an aggregate's partition is the murmur2 hash of its record's key, by their number.

Java clients, Kafka Streams and, where told to (`partitioner=murmur2`), librdkafka place a record of the same key in the
same partition of as many: a topic of ours joins any other that is keyed by the same id. Pure.
"""

from functools import lru_cache
from uuid import UUID

from aiokafka.partitioner import murmur2

PARTITIONS = 12
"""Partitions of every topic, unless the setting KAFKA_PARTITIONS says otherwise."""
WITHOUT_SIGN = 0x7FFFFFFF


def key_of(aggregate_id: UUID) -> bytes:
    """The key of an aggregate's records: its id as text, in lower case with hyphens, as in `ce_subject`."""
    return str(aggregate_id).encode()


def partition_of_key(key: bytes, partitions: int) -> int:
    """Where Kafka's default partitioner puts a record with this key."""
    return int((murmur2(key) & WITHOUT_SIGN) % partitions)


@lru_cache(maxsize=1 << 14)
def partition_of(aggregate_id: UUID, partitions: int) -> int:
    """The partition of an aggregate in every topic of so many. Memoised: an aggregate's events come close together, and
    the hash takes as long as all else that is done for a record."""
    return partition_of_key(key_of(aggregate_id), partitions)
