"""An idempotent producer that is thrown away after its first failure: aiokafka's cannot be trusted after one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from shared.kafka.topics import MAX_RECORD

REQUEST_MILLISECONDS = 5_000
TIMEOUT_SECONDS = 0.1
MAX_BATCH = 1 << 20
"""Bytes. One batch of a partition is under way at a time, so its size is the throughput."""


@asynccontextmanager
async def producing(bootstrap: str, client: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer of one's own. Whatever is still pending at the end is given up."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        client_id=client,
        enable_idempotence=True,
        acks="all",
        compression_type="zstd",
        max_batch_size=MAX_BATCH,
        max_request_size=MAX_RECORD,
        request_timeout_ms=REQUEST_MILLISECONDS,
    )
    try:
        await producer.start()
        yield producer
    finally:
        await abandon(producer)


async def abandon(producer: AIOKafkaProducer) -> None:
    """Stop a producer without waiting for the broker.

    Its own `stop` waits until everything pending is taken, which an idempotent producer tries for ever. So the task
    that sends is ended, and what it still held is forgotten.
    """
    sending: asyncio.Task[None] | None = producer._sender.sender_task
    while sending is not None and not sending.done():
        sending.cancel()  # the first time it only waits for the requests under way; each further time ends one of them
        await asyncio.wait([sending], timeout=TIMEOUT_SECONDS)
    producer._closed = True
    await producer.client.close()
