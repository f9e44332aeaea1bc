"""What a broker or database that is away looks like."""

from aiokafka.errors import KafkaError

from shared.store.pool import DATABASE_ERRORS

OUTAGES = (KafkaError, *DATABASE_ERRORS)
"""Anything else is a fault of ours and ends the worker."""
