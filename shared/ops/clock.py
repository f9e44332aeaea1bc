"""Two clocks: real time for leases, tokens and metrics; the company clock for what happens in the business."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import asyncpg


def real_now() -> datetime:
    """Real time, UTC."""
    return datetime.now(UTC)


class Clock:
    """The company clock: real time plus one offset, which is zero in production and only ever grows.

    The offset lives in the service's database, so that it survives a restart and holds for every process.
    """

    def __init__(self, real: Callable[[], datetime] = real_now) -> None:
        self._real = real
        self._ahead = timedelta()

    @property
    def ahead(self) -> timedelta:
        """How far the company clock is ahead of real time."""
        return self._ahead

    def now(self) -> datetime:
        """The company's time, UTC."""
        return self._real() + self._ahead

    async def refresh(self, pool: asyncpg.Pool) -> None:
        """Take over what another process or an earlier run has set."""
        self._ahead = max(self._ahead, await pool.fetchval("select ahead from company_clock"))

    async def advance(self, pool: asyncpg.Pool, by: timedelta) -> datetime:
        """Move the clock forward, for good; gives the new time. A step back is a `ValueError`."""
        if by < timedelta():
            raise ValueError("the company clock only moves forward")
        self._ahead = await pool.fetchval("update company_clock set ahead = ahead + $1 returning ahead", by)
        return self.now()
