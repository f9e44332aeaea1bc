"""Deadline: an outcome in time, or none, whatever the network does."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def within(seconds: float, asked: Coroutine[Any, Any, T]) -> T:
    """The outcome of something that asks a server, or TimeoutError after `seconds`.

    A cancelled query waits for the server to confirm, so `asyncio.timeout` around it is no deadline while the network
    stalls. It is left to end by itself here: its connection goes back to the pool then, or its own limit closes it.
    """
    task = asyncio.ensure_future(asked)
    task.add_done_callback(_seen)
    try:
        await asyncio.wait([task], timeout=max(0.0, seconds))
        if not task.done():
            raise TimeoutError
        return task.result()
    finally:
        task.cancel()


def _seen(task: "asyncio.Task[Any]") -> None:
    """An outcome that nothing waits for any more is no news."""
    if not task.cancelled():
        task.exception()
