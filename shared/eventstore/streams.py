"""Stream cache: folded aggregates in memory. An old one does no harm: the append checks the sequence.

None outlives the sessions that were open when it was read: after a restore the streams are shorter.
"""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import structlog

from shared.domain.aggregate import Aggregate
from shared.domain.history import Recorded, folded, goes_on
from shared.events.codec import Codec
from shared.eventstore.data_loader import DataLoader
from shared.eventstore.pool import DATABASE_ERRORS, session_number
from shared.eventstore.snapshots import LONG_TAIL, LoadedAggregate, Snapshots, Taken
from shared.ops.collector import no_collection

log = structlog.get_logger(__name__)

MAX_CACHED = 10_000
MAX_BYTES = 64 << 20
"""So much the snapshots of all remembered states may be long together; in memory they take a few times that."""
TAIL_BYTES = 100
"""So much an event after the last snapshot counts for."""
FOLD_AT_ONCE = 200
"""After so many events the fold of a long stream lets others run: leases are renewed in the same event loop."""

PAGE = 2_000
"""So many events of a stream are fetched at a time; sequences have no gaps."""

SINCE = (
    "select e.aggregate_id, e.aggregate, e.position, e.sequence, e.event_id, e.type, e.version, e.data,"
    " e.occurred_at, e.by_day, e.fact, e.causation_id, p.data as personal"
    " from unnest($1::uuid[], $2::text[], $3::bigint[]) as known(aggregate_id, aggregate, sequence)"
    " join event e on e.aggregate_id = known.aggregate_id and e.aggregate = known.aggregate"
    " and e.sequence > known.sequence and e.sequence <= known.sequence + $4"
    " left join personal p using (event_id) order by e.aggregate_id, e.sequence"
)

Stream = tuple[Aggregate, UUID]


class StreamLoader(Protocol):
    """What loads aggregates: the stream cache, or what takes its place in a dry run."""

    def cached(self, aggregate: Aggregate, aggregate_id: UUID) -> LoadedAggregate | None: ...
    async def load(self, aggregate: Aggregate, aggregate_id: UUID) -> LoadedAggregate: ...
    async def load_many(self, aggregate: Aggregate, aggregate_ids: Sequence[UUID]) -> dict[UUID, LoadedAggregate]: ...
    async def history(self, aggregate: Aggregate, aggregate_id: UUID) -> tuple[LoadedAggregate, list[Recorded]]: ...
    def keep(
        self, aggregate: Aggregate, aggregate_id: UUID, held: LoadedAggregate, news: Sequence[Recorded] = ()
    ) -> None: ...
    def forget_all(self) -> None: ...
    async def close(self) -> None: ...


class BatchCache:
    """Aggregates as they were when a batch of commands last read or wrote them; for as long as the batch takes."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, UUID], LoadedAggregate] = {}
        self._locks: dict[tuple[str, UUID], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def load(self, states: StreamLoader, aggregate: Aggregate, aggregate_id: UUID) -> LoadedAggregate:
        """The aggregate as seen last; loaded when it was not, once however many wait for it."""
        async with self._locks[aggregate.name, aggregate_id]:
            held = self.get(aggregate, aggregate_id)
            if held is None:
                held = await states.load(aggregate, aggregate_id)
                self.keep(aggregate, aggregate_id, held)
            return held

    def get(self, aggregate: Aggregate, aggregate_id: UUID) -> LoadedAggregate | None:
        """The aggregate as seen last."""
        return self._held.get((aggregate.name, aggregate_id))

    def keep(self, aggregate: Aggregate, aggregate_id: UUID, held: LoadedAggregate) -> None:
        """Note what was seen, unless something newer was."""
        known = self.get(aggregate, aggregate_id)
        if known is None or known.sequence < held.sequence:
            self._held[aggregate.name, aggregate_id] = held


class StreamCache:
    """Loads aggregates and remembers those used last, each by its family and id: under an id of another family there
    is nothing, whoever may see that one."""

    def __init__(self, pool: asyncpg.Pool, codec: Codec, *, largest_bytes: int = MAX_BYTES) -> None:
        self._pool = pool
        self._codec = codec
        self._largest_bytes = largest_bytes
        self._bytes = 0
        self._weights: dict[tuple[str, UUID], int] = {}
        """About how large each remembered state is that has, or will have, a snapshot; together `_bytes`."""
        self._newest = 0
        """The number of the newest session through which something was loaded."""
        self._held: OrderedDict[tuple[str, UUID], LoadedAggregate] = OrderedDict()
        self._loading = DataLoader(self._load)
        self._snapshots = Snapshots(pool)
        self._taken: dict[tuple[str, UUID], Taken] = {}
        self._taking: dict[tuple[str, UUID], asyncio.Task[None]] = {}
        """The snapshots that are being written, by stream."""

    def cached(self, aggregate: Aggregate, aggregate_id: UUID) -> LoadedAggregate | None:
        """The aggregate as last seen in this process; others may have gone on."""
        return self._held.get((aggregate.name, aggregate_id))

    async def load(self, aggregate: Aggregate, aggregate_id: UUID) -> LoadedAggregate:
        """The aggregate as it is now: what is remembered, and what was appended since."""
        return await self._loading.ask((aggregate, aggregate_id))

    async def _load(self, wanted: Sequence[Stream]) -> dict[Stream, LoadedAggregate]:
        loaded = await self._read(wanted)
        for (aggregate, aggregate_id), held in loaded.items():
            if held.sequence:
                self.keep(aggregate, aggregate_id, held)
        return loaded

    async def load_many(self, aggregate: Aggregate, aggregate_ids: Sequence[UUID]) -> dict[UUID, LoadedAggregate]:
        """Many aggregates of a family as they are now, in one statement; nothing of them is remembered."""
        loaded = await self._read([(aggregate, each) for each in aggregate_ids])
        return {aggregate_id: held for (_, aggregate_id), held in loaded.items()}

    async def _read(self, wanted: Sequence[Stream]) -> dict[Stream, LoadedAggregate]:
        async with self._pool.acquire() as connection:
            if (session := session_number(connection)) > self._newest:
                self.forget_all()
                self._newest = session
            cached = {stream: held for stream in wanted if (held := self.cached(*stream))}
            start = {stream: LoadedAggregate(state=stream[0].start(), sequence=0, position=0) for stream in wanted}
            known = {**start, **await self._snapshotted(connection, wanted, cached), **cached}
            left, late = known, list[Stream]()
            while left:
                rows = await self._page(connection, left)
                late += [stream for stream, held in left.items() if self._is_late(stream[0], held, rows[stream])]
                left = {stream: held for stream, held in left.items() if stream not in late}
                folded = {stream: await self._folded(stream[0], held, rows[stream]) for stream, held in left.items()}
                known.update(folded)
                left = {stream: held for stream, held in folded.items() if len(rows[stream]) == PAGE}
            known.update({stream: (await self._whole(connection, stream))[0] for stream in late})
        return known

    async def history(self, aggregate: Aggregate, aggregate_id: UUID) -> tuple[LoadedAggregate, list[Recorded]]:
        """An aggregate whose facts may be told late, as it is now, and all that was recorded of it."""
        async with self._pool.acquire() as connection:
            return await self._whole(connection, (aggregate, aggregate_id))

    async def _whole(self, connection: Any, stream: Stream) -> tuple[LoadedAggregate, list[Recorded]]:
        aggregate, facts = stream[0], list[Recorded]()
        held = LoadedAggregate(state=aggregate.start(), sequence=0, position=0)
        while rows := (await self._page(connection, {stream: held}))[stream]:
            for start in range(0, len(rows), FOLD_AT_ONCE):
                facts += [self._fact(row) for row in rows[start : start + FOLD_AT_ONCE]]
                await asyncio.sleep(0)
            held = replace(held, sequence=rows[-1]["sequence"], position=rows[-1]["position"])
            held = replace(held, event_id=rows[-1]["event_id"])
            if len(rows) < PAGE:
                break
        return replace(held, state=aggregate.of(facts), folded=folded(None, facts)), facts

    def _is_late(self, aggregate: Aggregate, held: LoadedAggregate, rows: Sequence[asyncpg.Record]) -> bool:
        """Whether what was folded of a stream cannot simply go on with these rows."""
        if not aggregate.is_dated:
            return False
        so_far = held.folded
        for fact in map(self._fact, rows):
            if not goes_on(so_far, [fact]):
                return True
            so_far = folded(so_far, [fact])
        return False

    def _fact(self, row: asyncpg.Record) -> Recorded:
        return Recorded(
            data=self._codec.decode(row["type"], row["version"], row["data"], row["personal"]),
            occurred_at=row["occurred_at"],
            by_day=row["by_day"],
            sequence=row["sequence"],
            fact=row["fact"],
            causation_id=row["causation_id"],
        )

    async def _page(self, connection: Any, known: Mapping[Stream, LoadedAggregate]) -> dict[Stream, list[Any]]:
        """The next events of each stream, after what is known of it."""
        rows: dict[tuple[str, UUID], list[Any]] = defaultdict(list)
        for row in await connection.fetch(SINCE, *_places(known), PAGE):
            rows[row["aggregate"], row["aggregate_id"]].append(row)
        return {(aggregate, aggregate_id): rows[aggregate.name, aggregate_id] for aggregate, aggregate_id in known}

    async def _snapshotted(
        self, connection: Any, wanted: Sequence[Stream], cached: Mapping[Stream, LoadedAggregate]
    ) -> dict[Stream, LoadedAggregate]:
        found = await self._snapshots.find(connection, (stream for stream in wanted if stream not in cached))
        for (aggregate, aggregate_id), (_, taken) in found.items():
            self._taken[aggregate.name, aggregate_id] = taken
        return {stream: held for stream, (held, _) in found.items()}

    async def _folded(
        self, aggregate: Aggregate, held: LoadedAggregate, rows: Sequence[asyncpg.Record]
    ) -> LoadedAggregate:
        if not rows:
            return held
        state, facts = held.state, list[Recorded]()
        for start in range(0, len(rows), FOLD_AT_ONCE):
            if start:
                await asyncio.sleep(0)
            with no_collection():
                for row in rows[start : start + FOLD_AT_ONCE]:
                    fact = self._fact(row)
                    state = aggregate.evolve(state, fact.data)
                    if aggregate.is_dated:
                        facts.append(fact)
        last = rows[-1]
        return LoadedAggregate(
            state=state,
            sequence=last["sequence"],
            position=last["position"],
            event_id=last["event_id"],
            folded=folded(held.folded, facts),
        )

    def keep(
        self, aggregate: Aggregate, aggregate_id: UUID, held: LoadedAggregate, news: Sequence[Recorded] = ()
    ) -> None:
        """Remember an aggregate, unless something newer is remembered. What is new about it is in the log."""
        name = (aggregate.name, aggregate_id)
        known = self._held.get(name)
        if known is None or known.sequence < held.sequence:
            self._held[name] = held
        self._held.move_to_end(name)
        if aggregate.snapshot_version is not None:
            self._weigh(name)
        self._make_room()
        if aggregate.snapshot_version is None or name in self._taking:
            return
        if self._taken.get(name, Taken()).is_old(held.sequence):
            self._taking[name] = asyncio.create_task(self._take(aggregate, aggregate_id, held))

    def _weigh(self, name: tuple[str, UUID]) -> None:
        taken = self._taken.get(name, Taken())
        # What has a long tail is not known to be large: it gets a snapshot, and then it is.
        tail = min(self._held[name].sequence - taken.sequence, LONG_TAIL)
        weight = taken.length + max(tail, 0) * TAIL_BYTES
        self._bytes += weight - self._weights.get(name, 0)
        self._weights[name] = weight

    def _make_room(self) -> None:
        """Forget what was used longest ago; never what was used last."""
        while len(self._held) > MAX_CACHED or (self._bytes > self._largest_bytes and len(self._held) > 1):
            name, _ = self._held.popitem(last=False)
            self._bytes -= self._weights.pop(name, 0)

    async def _take(self, aggregate: Aggregate, aggregate_id: UUID, held: LoadedAggregate) -> None:
        name = (aggregate.name, aggregate_id)
        try:
            self._taken[name] = await self._snapshots.write(aggregate, aggregate_id, held)
            if name in self._held:
                self._weigh(name)
                self._make_room()
        except DATABASE_ERRORS as problem:
            # Nothing is lost by it, and the next command on the stream finds its tail still long.
            log.warning("snapshot-not-written", aggregate=aggregate.name, error=type(problem).__name__)
        finally:
            del self._taking[name]

    async def close(self) -> None:
        """Wait for the snapshots that are being written."""
        await asyncio.gather(*self._taking.values())

    def forget_all(self) -> None:
        """Forget everything, like the personal data of somebody who was erased."""
        self._held.clear()
        self._taken.clear()
        self._weights.clear()
        self._bytes = 0


def _places(known: Mapping[Stream, LoadedAggregate]) -> tuple[list[UUID], list[str], list[int]]:
    """What of which stream is known."""
    return (
        [aggregate_id for _, aggregate_id in known],
        [aggregate.name for aggregate, _ in known],
        [held.sequence for held in known.values()],
    )
