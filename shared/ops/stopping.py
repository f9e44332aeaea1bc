"""Graceful shutdown: waits that end early when it is time to stop."""

import asyncio
from typing import Any


async def pause(stopping: asyncio.Event, seconds: float | None, *others: "asyncio.Future[Any]") -> None:
    """Wait for `seconds` (None: for ever), or until it is time to stop or one of `others` is done."""
    stop: asyncio.Future[Any] = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait([stop, *others], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()
