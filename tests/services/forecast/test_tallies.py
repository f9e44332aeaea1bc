"""Tallies hold what was posted, and nothing of what came to nothing, however the changes were cut into pages (FC-1)."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from services.forecast.asking.question import NOBODY
from services.forecast.counting.grains import at_grains
from services.forecast.counting.tallies import Tally, add
from shared.domain.context import Company
from shared.eventstore.pool import create_pool
from shared.projections.projection import ProjectionDatabase
from shared.testing.servers import DatabaseServer
from tests.services.forecast.facts import ANNA, BEN, NORTH, SOUTH

SOLD = Tally(table="sold", key="day date, sort text", values="count bigint")
SOLD_MONTH = Tally(
    table="sold_month",
    key="month date, sort text",
    values="count bigint",
    derived={"month": "date_trunc('month', given.day)::date"},
)

Change = dict[str, Any]


def changes(dice: random.Random) -> list[Change]:
    """Signed changes; many of them take back what another one gave."""
    return [
        {
            "owner": dice.choice([ANNA, BEN, NOBODY]),
            "team": dice.choice([NORTH, SOUTH, NOBODY]),
            "day": date(2026, dice.randrange(1, 3), 1 + dice.randrange(2)),
            "sort": "tea",
            "count": dice.choice([-1, 1]),
        }
        for _ in range(120)
    ]


def counted(given: Sequence[Change]) -> tuple[Counter[Any], Counter[Any]]:
    """What these changes come to by days and by months, at every grain."""
    days: Counter[tuple[UUID, UUID, date]] = Counter()
    months: Counter[tuple[UUID, UUID, date]] = Counter()
    for change in given:
        for team, owner in at_grains(change["team"], change["owner"]):
            days[owner, team, change["day"]] += change["count"]
            months[owner, team, change["day"].replace(day=1)] += change["count"]
    return days, months


async def test_rows_are_the_same_however_changes_are_cut_and_none_is_kept_that_came_to_nothing(
    postgres: DatabaseServer,
) -> None:
    url = await postgres.create_database("tallies")
    dice = random.Random(20261128)
    cleared = 0
    async with await create_pool(url, name="tallies-test") as pool, pool.acquire() as connection:
        for size in (120, 17, 1):
            schema = f"cut_{size}"
            db = ProjectionDatabase(connection, {"view": schema}, log=None, company=Company(), position=0)  # type: ignore[arg-type]
            await connection.execute(f"create schema {schema}")
            await db.execute(SOLD.ddl + SOLD_MONTH.ddl)
            given = changes(dice)
            for start in range(0, len(given), size):
                async with connection.transaction():
                    await add(db, (SOLD, SOLD_MONTH), given[start : start + size])
            for tally, expected in zip((SOLD, SOLD_MONTH), counted(given), strict=True):
                rows = await db.fetch(f"select * from {{view}}.{tally.table}")
                found = {(row[0], row[1], row[2]): row["count"] for row in rows}
                assert len(found) == len(rows)
                assert found == {key: count for key, count in expected.items() if count}, (size, tally.table)
                cleared += sum(count == 0 for count in expected.values())
    assert cleared, "the story has changes that take each other back"
    await postgres.drop_database(url)
