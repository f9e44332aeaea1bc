"""Parse, don't validate: every kind of value in a query has one spelling, whatever service is asked.

Python reads more than that ("1_0", "+1", "2026-W10-1", a UUID in braces), and no other reader of such a link would.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.domain.exchange import has_rates

_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?")
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class WithoutOffset(ValueError):
    """An instant that is one only together with a time zone."""


def whole(text: str) -> int:
    """A whole number of up to 18 digits. Raises ValueError."""
    return int(_matched(_WHOLE, text))


def decimal(text: str) -> Decimal:
    """A decimal number in plain notation. Raises ValueError."""
    return Decimal(_matched(_DECIMAL, text))


def day(text: str) -> date:
    """A day. Raises ValueError."""
    return date.fromisoformat(_matched(_DAY, text))


def moment(text: str) -> datetime:
    """An instant of RFC 3339 in UTC. Raises ValueError, WithoutOffset when only the offset is missing."""
    # RFC 3339 allows small letters, and Python reads none.
    read = datetime.fromisoformat(_matched(_INSTANT, text.upper()))
    if read.tzinfo is None:
        raise WithoutOffset(text)
    try:
        return read.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def identifier(text: str) -> UUID:
    """A UUID with its hyphens. Raises ValueError."""
    return UUID(_matched(_ID, text))


class CurrencyCode(str):
    """A currency of ISO 4217 in which there are amounts or rates, or were."""

    __slots__ = ()


def currency(text: str) -> CurrencyCode:
    """A currency. Raises ValueError."""
    if not has_rates(text):
        raise ValueError(text)
    return CurrencyCode(text)


def flag(text: str) -> bool:
    """A truth. Raises ValueError."""
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _matched(pattern: re.Pattern[str], text: str) -> str:
    if pattern.fullmatch(text) is None:
        raise ValueError(text)
    return text


PARSERS: Mapping[Any, tuple[Callable[[str], Any], str]] = {
    str: (str, "A text"),
    UUID: (identifier, "An id (UUID)"),
    date: (day, "A day like 2026-03-16"),
    datetime: (moment, "An instant like 2026-03-16T10:00:00Z"),
    int: (whole, "A whole number"),
    Decimal: (decimal, "A decimal like 120000.00"),
    bool: (flag, "true or false"),
    CurrencyCode: (currency, "A currency of ISO 4217 like EUR"),
}
"""How a value of a type is read, and what is needed when it is not of that spelling."""
