"""Checkpoints: how far a build of a projection, or the reactions to a log, have come.

Who changes rows of a projection locks its checkpoint first. A second holder of the lease (one that was frozen and woke)
then waits, sees that the checkpoint has moved, and gives up before it has touched anything; no event is ever applied
twice.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from asyncpg import Pool

from shared.eventstore.log import Progress, StreamScan
from shared.eventstore.pool import AnyConnection


class Superseded(Exception):
    """Somebody else has moved the checkpoint: this process no longer leads, or its page is out of date."""


ENSURE = "insert into mark (name, position) values ($1, $2) on conflict do nothing"
TAKE = "update mark set epoch = $2 where name = $1 and epoch <= $2 returning position"
PROGRESS = "position, scan_upto, scan_aggregate_id, scan_sequence"
LOCK = f"select name, {PROGRESS}, epoch from mark where name = any($1::text[]) order by name for update"  # noqa: S608
ADVANCE = """
    update mark set position = $3, scan_upto = $4, scan_aggregate_id = $5, scan_sequence = $6,
           as_of = greatest(as_of, $7), epoch = led.epoch
      from unnest($1::text[], $2::bigint[]) as led (name, epoch) where mark.name = led.name
"""
OVER = """
    update mark set position = $3, as_of = greatest(as_of, $4), epoch = led.epoch
      from unnest($1::text[], $2::bigint[]) as led (name, epoch)
     where mark.name = led.name and position = $5 and scan_upto is null and mark.epoch <= led.epoch returning mark.name
"""

FencingTokens = Mapping[str, int]
"""Checkpoints by their names, each with the fencing token under which this process leads what moves it."""


async def ensure(connection: "AnyConnection | Pool", name: str, *, position: int = 0) -> None:
    """Make sure that there is a checkpoint; a new one stands at `position`, by default before the first event."""
    await connection.execute(ENSURE, name, position)


async def take(connection: "AnyConnection | Pool", name: str, *, fencing_token: int) -> int:
    """Make sure that no earlier leader moves a checkpoint any more; gives its position."""
    row = await connection.fetchrow(TAKE, name, fencing_token)
    if row is None:
        raise Superseded(f"{name} is led by somebody else")
    return int(row["position"])


def progress_of(row: Any) -> Progress:
    """How far a checkpoint is, from its row."""
    if row["scan_upto"] is None:
        return Progress(row["position"])
    scan = StreamScan(upto=row["scan_upto"], aggregate_id=row["scan_aggregate_id"], sequence=row["scan_sequence"])
    return Progress(row["position"], scan)


async def lock(connection: AnyConnection, fencing_tokens: FencingTokens, *, at: Progress) -> None:
    """Hold checkpoints until the transaction ends. `Superseded` unless all stand at `at` and no later leader wrote
    them."""
    rows = await connection.fetch(LOCK, list(fencing_tokens))
    if len(rows) != len(fencing_tokens) or any(
        progress_of(row) != at or row["epoch"] > fencing_tokens[row["name"]] for row in rows
    ):
        raise Superseded(f"{', '.join(fencing_tokens)} moved on from {at}")


async def hold(connection: AnyConnection, name: str, *, fencing_token: int) -> int:
    """Hold one checkpoint wherever it stands; gives its position."""
    row = await connection.fetchrow("select position, epoch from mark where name = $1 for update", name)
    if row is None or row["epoch"] > fencing_token:
        raise Superseded(f"{name} is led by somebody else")
    return int(row["position"])


async def advance(
    connection: AnyConnection, fencing_tokens: FencingTokens, *, to: Progress, as_of: datetime | None
) -> None:
    """Move checkpoints that this transaction holds."""
    scan = (to.scan.upto, to.scan.aggregate_id, to.scan.sequence) if to.scan else (None, None, None)
    led = list(fencing_tokens), list(fencing_tokens.values())
    await connection.execute(ADVANCE, *led, to.position, *scan, as_of)


async def pass_over(
    connection: "AnyConnection | Pool", fencing_tokens: FencingTokens, *, at: int, to: int, as_of: datetime | None
) -> None:
    """Move checkpoints that stand at `at` over events that change nothing, in one statement. `Superseded` as by
    `lock`."""
    moved = await connection.fetch(OVER, list(fencing_tokens), list(fencing_tokens.values()), to, as_of, at)
    if len(moved) != len(fencing_tokens):
        raise Superseded(f"{', '.join(fencing_tokens)} moved on from {at}")
