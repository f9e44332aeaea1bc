"""Ordered log behind a watermark: read without ever missing an event that commits late.

Positions are handed out before they are committed, so a reader that follows the highest position that it sees misses
what commits later below it. The watermark (`fence` in the database) says up to which position the log can be final and
who may still own a number below; once those transactions have ended, everything up to there is final, but never beyond
the highest committed position: numbers above that one may be handed out again after a crash. Below it, numbers that are
missing are dead. No clock decides anything here.

What is final can be read stream by stream as well: whoever folds all of it meets each stream once, and whole.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from shared.events.codec import Codec, UnknownEvent, Unreadable
from shared.events.envelope import Envelope
from shared.events.registry import UNREADABLE
from shared.eventstore.pool import session_number

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.0015
WAIT_SECONDS = 1.0
"""A watermark that waits longer than this for one transaction is logged, with who holds it up."""
SCAN_ROWS = 64
"""So few are decoded, and worked on, at a time: the loop that does it keeps leases and heartbeats as well."""
DECODED_AT_ONCE = 1000
"""So many of a page of streams, whose reader waits for nothing else: others have their turn in between."""
NO_ID, LAST_ID, MAX_SEQUENCE = UUID(int=0), UUID(int=2**128 - 1), 2**63 - 1
MAX_SPAN = 20_000
"""So many positions are looked through for events of some types at a time, however few there are among them."""

COLUMNS = (
    "l.position, l.aggregate_id, l.aggregate, l.sequence, l.event_id, l.type, l.version, l.occurred_at,"
    " l.by_day, l.recorded_at, l.actor, l.correlation_id, l.causation_id, l.imported, l.fact, l.traceparent, l.data"
)
OWN_COLUMNS = f"{COLUMNS}, p.data as personal from event l left join personal p using (event_id)"
JOURNAL_COLUMNS = f"{COLUMNS}, null as personal, l.topic, l.partition, l.source_position from journal l"


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecodable:
    """An event that this release cannot read. One of a type that is `unknown` is to be skipped: a newer release wrote
    it. Any other is damaged, and whoever needs it parks its aggregate."""

    envelope: Envelope[str]
    reason: str
    unknown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamScan:
    """How far a log was read stream by stream, up to a position that is final: all streams before that of
    `aggregate_id`, and of that one the events up to `sequence`."""

    upto: int
    aggregate_id: UUID = NO_ID
    sequence: int = -1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a reader has worked a log off: everything up to `position`, and while it reads stream by stream what lies
    before the `scan` as well."""

    position: int
    scan: StreamScan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The next events, final and in order. A reader that has worked them off is at `upto`, which may lie beyond the
    last event: numbers in between are dead."""

    events: list[Envelope[Any] | Undecodable]
    upto: int
    scan: StreamScan | None = None
    """Where a scan goes on; None of a page in the order of the log, and of the last one of a scan."""
    as_of: datetime | None = None
    """When the last event, of whatever type, was recorded that a scan has read by its last page."""

    @property
    def end(self) -> Progress:
        """Where a reader is that has worked it off."""
        return Progress(self.upto, self.scan)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPage:
    """As `Page`, with the stored JSON text as data and without what is personal: what topics carry."""

    events: list[Envelope[str]]
    upto: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Which events of a family of aggregates are read; None is any. Of `types`, as of a page, also what is no event."""

    among: Sequence[UUID] | None = None
    """Only these aggregates."""
    types: Collection[str] | None = None
    recorded_until: datetime | None = None

    def conditions(self, first: int) -> tuple[str, list[Any]]:
        """SQL that begins with "and", and its arguments from `$first` on. Only what is asked for stands in it, so that
        the aggregates are found by their index."""
        given = [
            ("l.aggregate_id = any (${})", self.among),
            ("l.type = any (${})", None if self.types is None else [*self.types, UNREADABLE]),
            ("l.recorded_at <= ${}", self.recorded_until),
        ]
        asked = [(condition, value) for condition, value in given if value is not None]
        text = "".join(f" and {condition.format(number)}" for number, (condition, _) in enumerate(asked, first))
        return text, [value for _, value in asked]


WHOLE = Excerpt()


class Log:
    """A service's own log (`service` names it), or its journal of the events of others (`service` None)."""

    def __init__(self, pool: asyncpg.Pool, codec: Codec, *, service: str | None = None) -> None:
        self._pool = pool
        self._codec = codec
        self._service = service
        self._final = 0
        self._learnt = 0
        """The number of the newest session that was open when that was found final."""
        table, positions = ("event", "event_position") if service else ("journal", "journal_position")
        columns, raw = (OWN_COLUMNS, f"{COLUMNS} from event l") if service else (JOURNAL_COLUMNS, JOURNAL_COLUMNS)
        self._highest = f"select coalesce(max(position), 0) from {table}"  # noqa: S608 - the names are ours
        self._watermark = f"select ceiling, writers, ({self._highest}) as highest from fence('{table}', '{positions}')"  # noqa: S608 - as above
        following, in_order = "where l.position > $1 and l.position <= $2", "order by l.position limit $3"
        self._next, self._next_raw = f"select {columns} {following} {in_order}", f"select {raw} {following} {in_order}"
        last = f"(select max(position) from {table} where position <= $2)"  # noqa: S608 - as above
        self._next_of = f"select {columns} {following} and (l.type = any ($4) or l.position = {last}) {in_order}"
        self._of = f"select {columns} where l.aggregate_id = any ($1) and l.position <= $2 order by l.position"
        of_one = "where l.aggregate_id = $1 and l.aggregate = $2 and l.sequence > $3"
        self._stream = f"select {columns} {of_one} order by l.sequence limit $4"
        upto = "aggregate_id = $1 and aggregate = $2 and sequence <= $3"
        latest_first = "order by l.occurred_at desc, l.sequence desc"
        # What is not of the page is neither joined nor sent.
        self._latest = (
            f"select {columns} where l.position = any (array(select position from {table} l where {upto}"  # noqa: S608
            " and ($4::timestamptz is null or (occurred_at, sequence) < ($4, $5::bigint))"
            f" {latest_first} limit $6)) {latest_first}"
        )
        self._related = (
            f"select {columns} where l.position = any (array(select position from {table} where {upto}"  # noqa: S608
            " and (type = any ($4) or fact = any ($5) or causation_id = any ($6)))) order by l.sequence"
        )
        # Materialized: each stream is read once, not once for each of its facts.
        self._corrected = (
            "with known as materialized (select aggregate_id, fact, sequence, causation_id"  # noqa: S608 - ours
            f" from {table} where aggregate_id = any ($1::uuid[]) and fact = any ($2::text[]))"
            " select distinct aggregate_id from known join unnest($1::uuid[], $2::text[], $3::bigint[], $4::uuid[])"
            " as told (aggregate_id, fact, sequence, causation_id) using (aggregate_id, fact)"
            " where known.sequence < told.sequence and known.causation_id <> told.causation_id"
        )
        of_page = f"select aggregate_id, sequence from {table} where (aggregate_id, sequence) > ($1, $2)"  # noqa: S608
        by_row = "order by aggregate_id, sequence limit 1"
        self._ends = f"({of_page} {by_row}) union all ({of_page} {by_row} offset $3 - 1)"
        self._streams = (
            # How much lies between two rows PostgreSQL cannot estimate, only between two ids.
            f"select {columns} where l.aggregate_id between $1 and $3 and (l.aggregate_id, l.sequence) > ($1, $2)"
            " and (l.aggregate_id, l.sequence) <= ($3, $4) and l.position <= $5"
            " and ($6::text[] is null or l.type = any ($6)) order by l.position"
        )
        self._newest = f"select recorded_at from {table} where position <= $1 order by position desc limit 1"  # noqa: S608
        family, by_stream = "where l.aggregate = $1 and l.position <= $2", "order by l.aggregate_id, l.sequence"
        self._all = f"select {columns} {family}{{more}} {by_stream}"

    async def head(self) -> int:
        """The highest committed position, final or not."""
        return int(await self._pool.fetchval(self._highest))

    async def ceiling(self) -> int:
        """A position up to which the log is final: nothing will appear there any more."""
        async with self._pool.acquire() as connection:
            return await self._ceiling(connection)

    async def _ceiling(self, connection: Any) -> int:
        self._forget_after_an_outage(connection)
        ceiling, writers, highest = await self._probe(connection)
        waited_for = writers if ceiling > self._final else set()
        started, reported = asyncio.get_running_loop().time(), False
        while waited_for:
            await asyncio.sleep(POLL_SECONDS)
            # Newer writers are left out: they can only own numbers beyond the ceiling.
            _, writers, highest = await self._probe(connection)
            waited_for &= writers
            if waited_for and not reported and asyncio.get_running_loop().time() - started > WAIT_SECONDS:
                reported = True
                log.warning("watermark-waits", writers=sorted(waited_for), ceiling=ceiling)
        # Above the highest committed position a number may be handed out a second time after a crash.
        self._final = max(self._final, min(ceiling, highest))
        return self._final

    def _forget_after_an_outage(self, connection: Any) -> None:
        if (session := session_number(connection)) > self._learnt:
            self._final, self._learnt = 0, session

    async def read(self, after: int, limit: int, types: Collection[str] | None = None) -> Page:
        """The events that follow the position `after`, at most `limit`; with `types` those of these types alone, what
        is no event at all, and the last one whatever it is: it says how current the page is."""
        if types is None:
            rows, upto = await self._rows(self._next, after, limit)
        else:
            rows, upto = await self._rows(self._next_of, after, limit, [*types, UNREADABLE], span=MAX_SPAN)
        return Page(events=[self._decoded(row) for row in rows], upto=upto)

    async def begin_streams(self) -> StreamScan:
        """A scan of everything that is final now."""
        return StreamScan(upto=await self.ceiling())

    async def read_streams(self, scan: StreamScan, limit: int, types: Collection[str] | None = None) -> Page:
        """The next streams of a scan, whole, about `limit` events of any type; a longer stream comes in parts. `types`
        as of `read`. Within the page the events are in the order of the log."""
        after = scan.aggregate_id, scan.sequence
        async with self._pool.acquire() as connection:
            ends = await connection.fetch(self._ends, *after, limit)
            end, more = (LAST_ID, MAX_SEQUENCE), len(ends) == 2
            if more:
                first, last = ends
                # Unless it fills the page, the last stream is of the next one: it may go on beyond.
                alone = first["aggregate_id"] == last["aggregate_id"]
                end = last["aggregate_id"], last["sequence"] if alone else -1
            wanted = None if types is None else [*types, UNREADABLE]
            rows = await connection.fetch(self._streams, *after, *end, scan.upto, wanted)
            as_of = None if more else await connection.fetchval(self._newest, scan.upto)
        events: list[Envelope[Any] | Undecodable] = []
        for begin in range(0, len(rows), DECODED_AT_ONCE):
            events += [self._decoded(row) for row in rows[begin : begin + DECODED_AT_ONCE]]
            await asyncio.sleep(0)
        if not more:
            return Page(events=events, upto=scan.upto, as_of=as_of)
        return Page(events=events, upto=0, scan=replace(scan, aggregate_id=end[0], sequence=end[1]))

    async def read_raw(self, after: int, limit: int) -> RawPage:
        """As `read`, of all types and undecoded."""
        rows, upto = await self._rows(self._next_raw, after, limit)
        return RawPage(events=[self._envelope(row, row["data"]) for row in rows], upto=upto)

    async def history(
        self, connection: Any, aggregate_ids: Sequence[UUID], upto: int
    ) -> list[Envelope[Any] | Undecodable]:
        """All events of these aggregates up to a position that is known to be final, in order."""
        return [self._decoded(row) for row in await connection.fetch(self._of, aggregate_ids, upto)]

    async def stream(
        self, aggregate: str, aggregate_id: UUID, after: int, limit: int
    ) -> list[Envelope[Any] | Undecodable]:
        """The events of an aggregate after one of its sequence numbers, as they were recorded."""
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(self._stream, aggregate_id, aggregate, after, limit)
        return [self._decoded(row) for row in rows]

    async def latest(
        self, aggregate: str, aggregate_id: UUID, upto: int, before: tuple[datetime, int] | None, limit: int
    ) -> list[Envelope[Any] | Undecodable]:
        """The events of an aggregate up to one of its sequence numbers, those first that happened last: `before` an
        instant and a sequence number, at most `limit`."""
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(self._latest, aggregate_id, aggregate, upto, *(before or (None, None)), limit)
        return [self._decoded(row) for row in rows]

    async def related(  # noqa: PLR0917
        self,
        aggregate: str,
        aggregate_id: UUID,
        upto: int,
        types: Collection[str],
        names: Collection[str],
        causes: Collection[UUID],
    ) -> list[Envelope[Any] | Undecodable]:
        """The events of an aggregate up to one of its sequence numbers, as they were recorded, that are of some types,
        tell facts of some names, or were caused by the same."""
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(
                self._related, aggregate_id, aggregate, upto, list(types), list(names), list(causes)
            )
        return [self._decoded(row) for row in rows]

    async def corrected(self, connection: Any, facts: Iterable[Envelope[Any]]) -> set[UUID]:
        """The aggregates of which some of these facts correct what was told before them under the same name."""
        told = {(fact.aggregate_id, fact.fact, fact.sequence, fact.causation_id) for fact in facts if fact.fact}
        if not told:
            return set()
        columns = [list(column) for column in zip(*told, strict=True)]
        return {row["aggregate_id"] for row in await connection.fetch(self._corrected, *columns)}

    async def scan(
        self, connection: Any, aggregate: str, upto: int, excerpt: Excerpt = WHOLE
    ) -> AsyncIterator[list[Envelope[Any] | Undecodable]]:
        """The events of a family of aggregates up to a position that is known to be final, stream by stream, in small
        parts; only inside a transaction."""
        more, arguments = excerpt.conditions(3)
        cursor = await connection.cursor(self._all.format(more=more), aggregate, upto, *arguments)
        while rows := await cursor.fetch(SCAN_ROWS):
            yield [self._decoded(row) for row in rows]

    async def _probe(self, connection: Any) -> tuple[int, set[str], int]:
        row = await connection.fetchrow(self._watermark)
        return row["ceiling"], set(row["writers"]), row["highest"]

    async def _rows(
        self, query: str, after: int, limit: int, *more: object, span: int | None = None
    ) -> tuple[list[Any], int]:
        async with self._pool.acquire() as connection:
            self._forget_after_an_outage(connection)
            ceiling = self._final if after < self._final else await self._ceiling(connection)
            if span is not None:
                ceiling = min(ceiling, after + span)
            if after >= ceiling:
                return [], after
            rows = await connection.fetch(query, after, ceiling, limit, *more)
        return rows, rows[-1]["position"] if len(rows) == limit else ceiling

    def _decoded(self, row: Any) -> Envelope[Any] | Undecodable:
        try:
            data = self._codec.decode(row["type"], row["version"], row["data"], row["personal"])
        except (UnknownEvent, Unreadable) as problem:
            unknown = isinstance(problem, UnknownEvent) and row["type"] != UNREADABLE
            return Undecodable(envelope=self._envelope(row, row["data"]), reason=str(problem), unknown=unknown)
        return self._envelope(row, data)

    def _envelope(self, row: Any, data: Any) -> Envelope[Any]:
        position = row["position"]
        return Envelope(
            id=row["event_id"],
            type=row["type"],
            version=row["version"],
            service=self._service or row["topic"].split(".", 1)[0],
            aggregate=row["aggregate"],
            aggregate_id=row["aggregate_id"],
            sequence=row["sequence"],
            partition=None if self._service else row["partition"],
            position=position,
            source_position=position if self._service else row["source_position"],
            occurred_at=row["occurred_at"],
            by_day=row["by_day"],
            recorded_at=row["recorded_at"],
            actor=row["actor"],
            correlation_id=row["correlation_id"],
            causation_id=row["causation_id"],
            imported=row["imported"],
            fact=row["fact"],
            traceparent=row["traceparent"],
            data=data,
        )
