"""Inbox: new records, once each, and the checkpoints of their partitions in one statement."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg

from shared.events.envelope import Envelope
from shared.kafka.chain import Place, Sifted, sift
from shared.kafka.record import Received

CHECKPOINTS = """
select topic, partition, position from journal_mark
join unnest($1::text[], $2::smallint[]) as asked(topic, partition) using (topic, partition)
"""

MAKE_CHECKPOINTS = """
insert into journal_mark (topic, partition, position)
select topic, partition, 0 from unnest($1::text[], $2::smallint[]) as asked(topic, partition)
order by topic, partition
on conflict do nothing
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
    "by_day": "boolean",
    "recorded_at": "timestamptz",
    "actor": "text",
    "correlation_id": "uuid",
    "causation_id": "uuid",
    "imported": "boolean",
    "fact": "text",
    "traceparent": "text",
    "data": "text",
}

# One statement, hence one round trip and one commit. A partition whose checkpoint is not where it was known to be is
# left alone: somebody else has written meanwhile. Checkpoints are locked in one order, so that two writers never wait
# for each other. Only records without a position (theirs are below zero) can be known although the checkpoint has not
# moved.
KEEP = f"""
with locked as materialized (
    select known.topic, known.partition, known.moved
    from journal_mark
    join unnest($1::text[], $2::smallint[], $3::bigint[], $4::bigint[]) as known(topic, partition, position, moved)
    using (topic, partition, position)
    order by topic, partition
    for update of journal_mark
), moved as (
    update journal_mark set position = locked.moved from locked
    where (journal_mark.topic, journal_mark.partition) = (locked.topic, locked.partition)
), written as (
    insert into journal ({", ".join(COLUMNS)})
    select {", ".join("data::json" if name == "data" else name for name in COLUMNS)}
    from unnest({", ".join(f"${number}::{kind}[]" for number, kind in enumerate(COLUMNS.values(), start=5))})
    with ordinality as given({", ".join(COLUMNS)}, place)
    join locked using (topic, partition)
    where source_position > 0 or not exists (
        select from journal
        where (topic, partition, source_position) = (given.topic, given.partition, given.source_position)
    )
    order by place
    returning 1
)
select topic, partition, (select count(*) from written) as written from locked
"""  # noqa: S608 - the names are the constants above


class Inbox:
    """Writes batches of records, and knows how far each partition is written."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._seen: dict[Place, int] = {}

    async def assigned(self, places: Iterable[Place]) -> set[Place]:
        """Learn anew how far these partitions are written; gives those of which nothing is."""
        self._seen = {}
        return {place for place, position in (await self._known(sorted(places))).items() if position == 0}

    async def generation(self) -> int:
        """A number that grows whenever the journal is emptied, or its topics are filled again, to be read again."""
        return int(await self._pool.fetchval("select number from journal_generation"))

    async def keep(self, records: Sequence[tuple[Place, Received]]) -> Sifted:
        """Commit what is new of a batch together with the checkpoints.

        Where others wrote meanwhile it is sifted again, so that the answer may leave out what an earlier round wrote.
        What is remembered may be dropped at any await: the group may hand out partitions while a batch is written.
        """
        places = sorted({place for place, _ in records})
        while True:
            seen = await self._known(places)
            sifted = sift(records, seen)
            if not sifted.new:
                return sifted
            touched = sorted({place for place, _ in sifted.new})
            kept = await self._write(touched, seen, sifted)
            self._seen.update({place: sifted.seen[place] for place in kept})
            if len(kept) == len(touched):
                return sifted
            for place in set(touched) - kept:  # another member reads this partition too
                self._seen.pop(place, None)

    async def _write(self, touched: Sequence[Place], seen: Mapping[Place, int], sifted: Sifted) -> set[Place]:
        """The partitions whose records are written; the others stood elsewhere."""
        checkpoints = [(*place, seen[place], sifted.seen[place]) for place in touched]
        rows = [_row(place, event) for place, event in sifted.new]
        found = await self._pool.fetch(KEEP, *zip(*checkpoints, strict=True), *zip(*rows, strict=True))
        return {Place(row["topic"], row["partition"]) for row in found}

    async def _known(self, places: Sequence[Place]) -> dict[Place, int]:
        """How far each partition is written; what is not remembered is looked up."""
        known = {place: self._seen[place] for place in places if place in self._seen}
        missing = [place for place in places if place not in known]
        if missing:
            columns = [place.topic for place in missing], [place.partition for place in missing]
            await self._pool.execute(MAKE_CHECKPOINTS, *columns)
            rows = await self._pool.fetch(CHECKPOINTS, *columns)
            learnt = {Place(row["topic"], row["partition"]): row["position"] for row in rows}
            self._seen.update(learnt)
            known |= dict.fromkeys(missing, 0) | learnt
        return known


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
        event.by_day,
        event.recorded_at,
        event.actor,
        event.correlation_id,
        event.causation_id,
        event.imported,
        event.fact,
        event.traceparent,
        event.data.decode(),
    )
