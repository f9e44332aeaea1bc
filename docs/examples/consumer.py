"""Read a topic up to its end and prove, from the headers alone, that nothing is missing and nothing counts twice.

KAFKA_BOOTSTRAP=127.0.0.1:41234 python docs/examples/consumer.py deals.deal.v1

A local stack gives Kafka any free port; the first line of `throughline status` says which.
"""

import asyncio
import os
import sys
from collections import Counter

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError


class Proof:
    """What was seen: the last position of each partition, the last sequence of each aggregate."""

    def __init__(self) -> None:
        self.position: Counter[int] = Counter()
        self.sequence: Counter[str] = Counter()

    def is_new(self, partition: int, headers: dict[str, str]) -> bool:
        """Whether a record is seen for the first time; raises LookupError when one before it is missing."""
        position, previous, sequence = (int(headers[name]) for name in ("ce_position", "ce_prev", "ce_sequence"))
        if position <= self.position[partition]:
            return False  # published again after a failure
        subject = headers["ce_subject"]
        if previous != self.position[partition] or sequence != self.sequence[subject] + 1:
            raise LookupError(f"partition {partition}: something before position {position} is missing")
        self.position[partition], self.sequence[subject] = position, sequence
        return True


async def partitions_of(bootstrap: str, topic: str) -> list[TopicPartition]:
    """All partitions of a topic; none when there is no such topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        [described] = await admin.describe_topics([topic])
    finally:
        await admin.close()
    return sorted(TopicPartition(topic, each["partition"]) for each in described["partitions"])


async def main(bootstrap: str, topic: str) -> None:
    proof, handled = Proof(), 0
    partitions = await partitions_of(bootstrap, topic)
    if not partitions:
        sys.exit(f"There is no topic {topic}; docs/reference/asyncapi.json names them all.")
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    try:
        await consumer.start()
        consumer.assign(partitions)
        for partition, end in (await consumer.end_offsets(partitions)).items():
            while await consumer.position(partition) < end:
                for record in (await consumer.getmany(partition, timeout_ms=500)).get(partition, []):
                    handled += proof.is_new(record.partition, {name: raw.decode() for name, raw in record.headers})
    finally:
        await consumer.stop()
    sys.stdout.write(f"{handled} events of {len(proof.sequence)} aggregates, nothing missing\n")


if __name__ == "__main__":
    if len(sys.argv) != 2 or not os.environ.get("KAFKA_BOOTSTRAP"):
        sys.exit(__doc__)
    try:
        asyncio.run(main(os.environ["KAFKA_BOOTSTRAP"], sys.argv[1]))
    except KafkaConnectionError:
        sys.exit(f"No Kafka answers at {os.environ['KAFKA_BOOTSTRAP']}; `throughline status` says where it is.")
