"""Transient errors: what a broker or database that is away looks like."""

import asyncpg
from aiokafka.errors import (
    InvalidTimestampError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    NodeNotReadyError,
    RequestTimedOutError,
)

from shared.eventstore.pool import DATABASE_ERRORS, unreachable

TRANSIENT_ERRORS = (KafkaError, *DATABASE_ERRORS)
"""Anything else is a fault of ours and ends the worker."""
SILENCE = (KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError, RequestTimedOutError)
"""What aiokafka raises when nothing comes back."""


def interruption(error: Exception) -> str:
    """What health says of an outage. The kind only: messages may carry addresses."""
    if isinstance(error, InvalidTimestampError):
        return "refused by the broker: the clock of this host is more than an hour ahead of the broker's"
    if isinstance(error, SILENCE):
        return f"Kafka does not answer: {type(error).__name__}"
    # Not every OSError or TimeoutError: both clients raise those.
    if isinstance(error, (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, ConnectionError)):
        return unreachable(error)
    return f"interrupted by {type(error).__name__}"
