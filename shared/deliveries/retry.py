"""Exponential back-off with full jitter, and what a receiver asks for instead (Retry-After, RFC 9110, 10.2.3). Pure."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_SECONDS = 5.0
LONGEST_SECONDS = 3600.0
MAX_DOUBLINGS = 16
"""Beyond that every pause is the longest, and the power would only grow."""

Random = Callable[[], float]
"""Evenly spread numbers from 0 to 1."""


def back_off(attempts: int, random: Random, retry_after: float | None = None) -> float:
    """Seconds until the next attempt, after so many that failed in a row.

    Full jitter: anything up to the pause that doubles each time, so that receivers that went away at once do not come
    back at once. Who asks for a later time gets it, as far as the longest pause goes.
    """
    pause = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(max(0, attempts - 1), MAX_DOUBLINGS)) * random()
    return max(pause, min(retry_after or 0.0, LONGEST_SECONDS))


def retry_after(header: str | None, now: datetime) -> float | None:
    """What a Retry-After header asks for, in seconds from now; None where it says nothing that can be read."""
    said = (header or "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        at = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())
