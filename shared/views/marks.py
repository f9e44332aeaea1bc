"""Marks: how far a build of a view, or the reactions to a log, have come.

Who changes rows of a view locks its mark first. A second holder of the lease (one that was frozen and woke) then waits,
sees that the mark has moved, and gives up before it has touched anything; no event is ever applied twice.
"""

from collections.abc import Sequence
from datetime import datetime

from asyncpg import Pool

from shared.views.view import AnyConnection


class Superseded(Exception):
    """Somebody else has moved the mark: this process no longer leads, or its page is out of date."""


ENSURE = "insert into mark (name) values ($1) on conflict do nothing"
LOCK = "select name, position, epoch from mark where name = any($1::text[]) order by name for update"
ADVANCE = """
    update mark set position = $2, as_of = greatest(as_of, $3), epoch = $4 where name = any($1::text[])
"""

OVER = """
    update mark set position = $3, as_of = greatest(as_of, $4), epoch = $5
     where name = any($1::text[]) and position = $2 and epoch <= $5 returning name
"""


async def ensure(connection: AnyConnection, name: str) -> None:
    """Make sure that there is a mark; a new one stands before the first event."""
    await connection.execute(ENSURE, name)


async def lock(connection: AnyConnection, names: Sequence[str], *, at: int, epoch: int) -> None:
    """Hold marks until the transaction ends. `Superseded` unless all stand at `at` and no later leader wrote them."""
    rows = await connection.fetch(LOCK, list(names))
    if len(rows) != len(names) or any(row["position"] != at or row["epoch"] > epoch for row in rows):
        raise Superseded(f"{', '.join(names)} moved on from {at}")


async def hold(connection: AnyConnection, name: str, *, epoch: int) -> int:
    """Hold one mark wherever it stands; gives its position."""
    row = await connection.fetchrow("select position, epoch from mark where name = $1 for update", name)
    if row is None or row["epoch"] > epoch:
        raise Superseded(f"{name} is led by somebody else")
    return int(row["position"])


async def advance(
    connection: AnyConnection, names: Sequence[str], *, to: int, as_of: datetime | None, epoch: int
) -> None:
    """Move marks that this transaction holds."""
    await connection.execute(ADVANCE, list(names), to, as_of, epoch)


async def pass_over(
    connection: "AnyConnection | Pool", names: Sequence[str], *, at: int, to: int, as_of: datetime | None, epoch: int
) -> None:
    """Move marks that stand at `at` over events that change nothing, in one statement. `Superseded` as by `lock`."""
    moved = await connection.fetch(OVER, list(names), at, to, as_of, epoch)
    if len(moved) != len(names):
        raise Superseded(f"{', '.join(names)} moved on from {at}")
