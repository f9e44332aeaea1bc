"""Rows that are written by COPY are read back as they were given, whatever is in their texts."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from shared.projections.csv import quoted, quoted_json
from shared.projections.projection import ProjectionDatabase
from tests.shared.projections.conftest import Depot

MADE = """
create schema copied;
create table copied.row (
    number bigint primary key, id uuid, amount numeric, at timestamptz, on_day date, is_open boolean, text text,
    document json
)
"""
START = datetime(2026, 3, 16, 10, tzinfo=UTC)
PIECES = (*'aß😀,[]"\\\n\r\t\x01\x7f\u2028 ', "null", "\\.")
"""What texts are made of that CSV or JSON might take for its own."""


def a_text(dice: random.Random) -> str:
    return "".join(dice.choices(PIECES, k=dice.randrange(6)))


def a_row(dice: random.Random, number: int) -> tuple[Any, ...]:
    values: tuple[Any, ...] = (
        UUID(int=dice.getrandbits(128)),
        Decimal(dice.randrange(-(10**20), 10**20)).scaleb(-dice.randrange(5)),
        START + timedelta(microseconds=dice.randrange(-(10**16), 10**16)),
        date.fromordinal(dice.randrange(1, 3_000_000)),
        dice.random() < 0.5,
    )
    values = tuple(value if dice.random() < 0.9 else None for value in values)
    return number, *values, a_text(dice), {"name": a_text(dice), "parts": [a_text(dice), None]}


async def test_rows_are_read_back_as_they_were_given(depot: Depot) -> None:
    dice = random.Random(20260316)
    given = [a_row(dice, number) for number in range(3000)]
    async with depot.pool.acquire() as connection:
        await connection.execute(MADE)
        db = ProjectionDatabase(connection, {"view": "copied"}, log=depot.log, company=depot.company, position=0)
        await db.copy("row", [])
        await db.copy("row", [(*values, quoted(text), quoted_json(document)) for *values, text, document in given])
        found = await db.fetch("select * from {view}.row order by number")
    assert [(*row[:-1], msgspec.json.decode(row[-1])) for row in map(tuple, found)] == given
