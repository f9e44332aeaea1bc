"""How a batch of records gets into the journal: everything that is new, once, with the marks, in one transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg

from shared.events.envelope import Envelope
from shared.stream.chain import Place, Sifted, sift
from shared.stream.record import Received

Connection = Any
"""An asyncpg connection, from a pool or not."""

UNMARKED = """
select topic, partition from unnest($1::text[], $2::smallint[]) as asked(topic, partition)
where not exists (select from journal_mark where (topic, partition) = (asked.topic, asked.partition))
"""

MAKE_MARKS = """
insert into journal_mark (topic, partition, position)
select topic, partition, 0 from unnest($1::text[], $2::smallint[]) as asked(topic, partition)
order by topic, partition
on conflict do nothing
"""

# The lock makes consumers of one partition (one of them may have lost it without knowing yet) take turns. It comes
# before the first row of the journal, so that readers of the journal never wait for somebody who waits here.
LOCK_MARKS = """
select topic, partition, position from journal_mark
where (topic, partition) in (select topic, partition from unnest($1::text[], $2::smallint[]) as asked(topic, partition))
order by topic, partition
for update
"""

MOVE_MARKS = """
update journal_mark set position = moved.position
from unnest($1::text[], $2::smallint[], $3::bigint[]) as moved(topic, partition, position)
where (journal_mark.topic, journal_mark.partition) = (moved.topic, moved.partition)
"""

# Records without a position have one below zero that follows from their offset.
KNOWN = """
select topic, partition, source_position from journal
join unnest($1::text[], $2::smallint[], $3::bigint[]) as asked(topic, partition, source_position)
using (topic, partition, source_position)
"""

COLUMNS = {
    "topic": "text",
    "partition": "smallint",
    "source_position": "bigint",
    "aggregate_id": "uuid",
    "aggregate": "text",
    "sequence": "bigint",
    "event_id": "uuid",
    "type": "text",
    "version": "integer",
    "occurred_at": "timestamptz",
    "recorded_at": "timestamptz",
    "actor": "text",
    "correlation_id": "uuid",
    "causation_id": "uuid",
    "imported": "boolean",
    "traceparent": "text",
    "data": "text",
}

INSERT = f"""
insert into journal ({", ".join(COLUMNS)})
select {", ".join("data::json" if name == "data" else name for name in COLUMNS)}
from unnest({", ".join(f"${number}::{kind}[]" for number, kind in enumerate(COLUMNS.values(), start=1))})
with ordinality as given({", ".join(COLUMNS)}, place)
order by place
"""  # noqa: S608 - the names are the constants above


async def keep(connection: Connection, records: Sequence[tuple[Place, Received]]) -> Sifted:
    """Write what is new of a batch. The caller's transaction makes it one with the marks."""
    places = sorted({place for place, _ in records})
    seen = await _locked_marks(connection, places)
    sifted = sift(await _without_known(connection, records), seen)
    if sifted.new:
        rows = [_row(place, event) for place, event in sifted.new]
        await connection.execute(INSERT, *zip(*rows, strict=True))
    moved = [(*place, position) for place, position in sifted.seen.items() if position != seen[place]]
    if moved:
        await connection.execute(MOVE_MARKS, *zip(*moved, strict=True))
    return sifted


async def unmarked(pool: "asyncpg.Pool[Any]", places: Iterable[Place]) -> set[Place]:
    """The partitions that were never journaled."""
    rows = await pool.fetch(UNMARKED, *_columns(sorted(places)))
    return {Place(*row) for row in rows}


async def _locked_marks(connection: Connection, places: Sequence[Place]) -> dict[Place, int]:
    columns = _columns(places)
    rows = await connection.fetch(LOCK_MARKS, *columns)
    if len(rows) < len(places):
        await connection.execute(MAKE_MARKS, *columns)
        rows = await connection.fetch(LOCK_MARKS, *columns)
    return {Place(row["topic"], row["partition"]): row["position"] for row in rows}


async def _without_known(
    connection: Connection, records: Sequence[tuple[Place, Received]]
) -> Sequence[tuple[Place, Received]]:
    asked = [
        (*place, received.event.source_position) for place, received in records if received.event.source_position < 0
    ]
    if not asked:
        return records
    known = {tuple(row) for row in await connection.fetch(KNOWN, *zip(*asked, strict=True))}
    return [(place, received) for place, received in records if (*place, received.event.source_position) not in known]


def _columns(places: Sequence[Place]) -> tuple[list[str], list[int]]:
    return [place.topic for place in places], [place.partition for place in places]


def _row(place: Place, event: Envelope[bytes]) -> tuple[Any, ...]:
    return (
        place.topic,
        place.partition,
        event.source_position,
        event.aggregate_id,
        event.aggregate,
        event.sequence,
        event.id,
        event.type,
        event.version,
        event.occurred_at,
        event.recorded_at,
        event.actor,
        event.correlation_id,
        event.causation_id,
        event.imported,
        event.traceparent,
        event.data.decode(),
    )
