"""CSV for COPY: rows as PostgreSQL reads them fastest that are not in its binary form.

An array of scalars in JSON, without its brackets, is a line of CSV whose escape character is the backslash, and msgspec
writes it ten times as fast as Python writes any other. Only texts differ, where JSON escapes control characters in a
way of its own; so these are given as `quoted`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

CsvValue: TypeAlias = UUID | int | Decimal | date | msgspec.Raw | None
"""A value of a row; bool is an int here, and datetime a date. A text is `quoted`."""

CSV_OPTIONS: Mapping[str, Any] = MappingProxyType({"format": "csv", "null": "null", "escape": "\\"})
"""How asyncpg is to tell PostgreSQL to read it."""

_ENCODER = msgspec.json.Encoder()


def csv(rows: Iterable[Sequence[CsvValue]]) -> bytes:
    """The lines of some rows."""
    return b"\n".join([_ENCODER.encode(row)[1:-1] for row in rows])


@lru_cache(maxsize=4096)
def quoted(text: str) -> msgspec.Raw:
    """A text, whatever is in it. Remembered: made for words that come again and again."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return msgspec.Raw(f'"{escaped}"'.encode())


def quoted_json(data: Any) -> msgspec.Raw:
    """What a column of type `json` holds; JSON has no control characters, so that JSON escapes it as CSV does."""
    return msgspec.Raw(_ENCODER.encode(_ENCODER.encode(data).decode()))
