"""Bulkhead: so many costly answers are worked out at once in a process, so that the others stay quick."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.http.problems import Problem


class Bulkhead:
    """A number of places. Whoever finds none waits for one, in turn and not for long, and holds nothing meanwhile."""

    def __init__(self, places: int, wait_seconds: float) -> None:
        self._places = asyncio.Semaphore(places)
        self._wait_seconds = wait_seconds

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for one answer. Raises Problem when none became free in time."""
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._places.acquire()
        except TimeoutError as error:
            detail = "Too many answers that take long are being worked out."
            raise Problem("unavailable", detail, headers={"Retry-After": "1"}) from error
        try:
            yield
        finally:
            self._places.release()
