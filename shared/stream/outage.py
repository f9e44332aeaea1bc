"""What a broker or database that is away looks like, and waiting until it may be back."""

import asyncio
from typing import Any

from aiokafka.errors import KafkaError

from shared.store.pool import DATABASE_ERRORS

OUTAGES = (KafkaError, *DATABASE_ERRORS)
"""Anything else is a fault of ours and ends the worker."""


async def pause(stopping: asyncio.Event, seconds: float | None, *others: "asyncio.Future[Any]") -> None:
    """Wait for `seconds` (None: for ever), or until it is time to stop or one of `others` is done."""
    stop: asyncio.Future[Any] = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait([stop, *others], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()
