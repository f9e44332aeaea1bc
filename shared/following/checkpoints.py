"""Marks: how far a build of a view, or the reactions to a log, have come.

Who changes rows of a view locks its mark first. A second holder of the lease (one that was frozen and woke) then waits,
sees that the mark has moved, and gives up before it has touched anything; no event is ever applied twice.
"""

from collections.abc import Mapping
from datetime import datetime

from asyncpg import Pool

from shared.eventstore.pool import AnyConnection


class Superseded(Exception):
    """Somebody else has moved the mark: this process no longer leads, or its page is out of date."""


ENSURE = "insert into mark (name) values ($1) on conflict do nothing"
TAKE = "update mark set epoch = $2 where name = $1 and epoch <= $2 returning position"
LOCK = "select name, position, epoch from mark where name = any($1::text[]) order by name for update"
ADVANCE = """
    update mark set position = $3, as_of = greatest(as_of, $4), epoch = led.epoch
      from unnest($1::text[], $2::bigint[]) as led (name, epoch) where mark.name = led.name
"""
OVER = """
    update mark set position = $4, as_of = greatest(as_of, $5), epoch = led.epoch
      from unnest($1::text[], $2::bigint[]) as led (name, epoch)
     where mark.name = led.name and position = $3 and mark.epoch <= led.epoch returning mark.name
"""

Epochs = Mapping[str, int]
"""Marks by their names, each with the epoch in which this process leads what moves it."""


async def ensure(connection: AnyConnection, name: str) -> None:
    """Make sure that there is a mark; a new one stands before the first event."""
    await connection.execute(ENSURE, name)


async def take(connection: "AnyConnection | Pool", name: str, *, epoch: int) -> int:
    """Make sure that no earlier leader moves a mark any more; gives its position."""
    row = await connection.fetchrow(TAKE, name, epoch)
    if row is None:
        raise Superseded(f"{name} is led by somebody else")
    return int(row["position"])


async def lock(connection: AnyConnection, epochs: Epochs, *, at: int) -> None:
    """Hold marks until the transaction ends. `Superseded` unless all stand at `at` and no later leader wrote them."""
    rows = await connection.fetch(LOCK, list(epochs))
    if len(rows) != len(epochs) or any(row["position"] != at or row["epoch"] > epochs[row["name"]] for row in rows):
        raise Superseded(f"{', '.join(epochs)} moved on from {at}")


async def hold(connection: AnyConnection, name: str, *, epoch: int) -> int:
    """Hold one mark wherever it stands; gives its position."""
    row = await connection.fetchrow("select position, epoch from mark where name = $1 for update", name)
    if row is None or row["epoch"] > epoch:
        raise Superseded(f"{name} is led by somebody else")
    return int(row["position"])


async def advance(connection: AnyConnection, epochs: Epochs, *, to: int, as_of: datetime | None) -> None:
    """Move marks that this transaction holds."""
    await connection.execute(ADVANCE, list(epochs), list(epochs.values()), to, as_of)


async def pass_over(
    connection: "AnyConnection | Pool", epochs: Epochs, *, at: int, to: int, as_of: datetime | None
) -> None:
    """Move marks that stand at `at` over events that change nothing, in one statement. `Superseded` as by `lock`."""
    moved = await connection.fetch(OVER, list(epochs), list(epochs.values()), at, to, as_of)
    if len(moved) != len(epochs):
        raise Superseded(f"{', '.join(epochs)} moved on from {at}")
