"""Limits: how many requests one caller may make at one process."""

import math
import time
from dataclasses import dataclass

import limits
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from shared.http.problems import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What is left to a caller in the current window."""

    limit: int
    window: int
    remaining: int
    reset: int
    """Seconds until the window ends."""

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """As the answer says it (RateLimit header fields for HTTP)."""
        return [
            (b"ratelimit-policy", f'"caller";q={self.limit};w={self.window}'.encode()),
            (b"ratelimit", f'"caller";r={self.remaining};t={self.reset}'.encode()),
        ]


class RateLimit:
    """A fixed window for each caller, kept in the process's memory."""

    def __init__(self, rate: str) -> None:
        self._item = limits.parse(rate) if rate else None
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def require(self, caller: str) -> None:
        """Raises Problem when nothing is left to a caller. Counts nothing."""
        if self._item is not None and not self._limiter.test(self._item, caller):
            raise self._spent(self._item, caller)

    def count(self, caller: str, requests: int = 1) -> Allowance | None:
        """Count requests; what is left, or None when nothing is limited. Raises Problem when so many are not left."""
        if self._item is None:
            return None
        within = self._limiter.hit(self._item, caller, cost=requests)
        if not within:
            raise self._spent(self._item, caller)
        remaining, reset = self._left(self._item, caller)
        return Allowance(limit=self._item.amount, window=self._item.get_expiry(), remaining=remaining, reset=reset)

    def _left(self, item: limits.RateLimitItem, caller: str) -> tuple[int, int]:
        """How many requests are left, and in how many seconds the window ends."""
        window = self._limiter.get_window_stats(item, caller)
        return max(0, window.remaining), max(1, math.ceil(window.reset_time - time.time()))

    def _spent(self, item: limits.RateLimitItem, caller: str) -> Problem:
        _, reset = self._left(item, caller)
        return Problem(
            "too-many-requests",
            f"At most {item.amount} requests in {item.get_expiry()} s.",
            headers={"Retry-After": str(reset)},
        )
