"""State cache: folded aggregates in memory. An old one does no harm: the append checks the sequence.

None outlives the sessions that were open when it was read: after a restore the streams are shorter.
"""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from shared.domain.aggregate import Aggregate
from shared.events.codec import Codec
from shared.store.pool import session_number
from shared.store.together import Together

LARGEST_CACHE = 10_000
FOLD_AT_ONCE = 200
"""After so many events the fold of a long stream lets others run: leases are renewed in the same event loop."""

SINCE = (
    "select e.aggregate_id, e.aggregate, e.position, e.sequence, e.type, e.version, e.data, p.data as personal"
    " from unnest($1::uuid[], $2::text[], $3::bigint[]) as known(aggregate_id, aggregate, sequence)"
    " join event e on e.aggregate_id = known.aggregate_id and e.aggregate = known.aggregate"
    " and e.sequence > known.sequence"
    " left join personal p using (event_id) order by e.aggregate_id, e.sequence"
)
STREAMS = (
    "select e.aggregate_id, e.position, e.sequence, e.type, e.version, e.data, p.data as personal"
    " from event e left join personal p using (event_id)"
    " where e.aggregate_id = any($1::uuid[]) and e.aggregate = $2 order by e.aggregate_id, e.sequence"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An aggregate as far as its stream was folded: sequence 0 has the start state; `position` is where the last event
    of the stream stands in the log."""

    state: Any
    sequence: int
    position: int


Stream = tuple[Aggregate, UUID]


class Seen:
    """Aggregates as they were when a batch of commands last read or wrote them; for as long as the batch takes."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, UUID], Held] = {}
        self._locks: dict[tuple[str, UUID], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def load(self, states: "States", aggregate: Aggregate, aggregate_id: UUID) -> Held:
        """The aggregate as seen last; loaded when it was not, once however many wait for it."""
        async with self._locks[aggregate.name, aggregate_id]:
            held = self.get(aggregate, aggregate_id)
            if held is None:
                held = await states.load(aggregate, aggregate_id)
                self.keep(aggregate, aggregate_id, held)
            return held

    def get(self, aggregate: Aggregate, aggregate_id: UUID) -> Held | None:
        """The aggregate as seen last."""
        return self._held.get((aggregate.name, aggregate_id))

    def keep(self, aggregate: Aggregate, aggregate_id: UUID, held: Held) -> None:
        """Note what was seen, unless something newer was."""
        known = self.get(aggregate, aggregate_id)
        if known is None or known.sequence < held.sequence:
            self._held[aggregate.name, aggregate_id] = held


class States:
    """Loads aggregates and remembers those used last, each by its family and id: under an id of another family there
    is nothing, whoever may see that one."""

    def __init__(self, pool: asyncpg.Pool, codec: Codec) -> None:
        self._pool = pool
        self._codec = codec
        self._newest = 0
        """The number of the newest session through which something was loaded."""
        self._held: OrderedDict[tuple[str, UUID], Held] = OrderedDict()
        self._loading = Together(self._load)

    def cached(self, aggregate: Aggregate, aggregate_id: UUID) -> Held | None:
        """The aggregate as last seen in this process; others may have gone on."""
        return self._held.get((aggregate.name, aggregate_id))

    async def load(self, aggregate: Aggregate, aggregate_id: UUID) -> Held:
        """The aggregate as it is now: what is remembered, and what was appended since."""
        return await self._loading.ask((aggregate, aggregate_id))

    async def _load(self, wanted: Sequence[Stream]) -> dict[Stream, Held]:
        rows: dict[tuple[str, UUID], list[asyncpg.Record]] = defaultdict(list)
        async with self._pool.acquire() as connection:
            if (session := session_number(connection)) > self._newest:
                self.forget_all()
                self._newest = session
            known = {
                (aggregate, aggregate_id): self.cached(aggregate, aggregate_id)
                or Held(state=aggregate.start(), sequence=0, position=0)
                for aggregate, aggregate_id in wanted
            }
            # One statement, hence one snapshot: the state and its sequence always belong together.
            found = await connection.fetch(SINCE, *_places(known))
        for row in found:
            rows[row["aggregate"], row["aggregate_id"]].append(row)
        loaded = {}
        for (aggregate, aggregate_id), held in known.items():
            now = await self._folded(aggregate, held, rows.get((aggregate.name, aggregate_id), ()))
            if now.sequence:
                self.keep(aggregate, aggregate_id, now)
            loaded[aggregate, aggregate_id] = now
        return loaded

    async def load_many(self, aggregate: Aggregate, aggregate_ids: Sequence[UUID]) -> dict[UUID, Held]:
        """Many aggregates of a family as they are now, in one statement; nothing of them is remembered."""
        rows: dict[UUID, list[asyncpg.Record]] = defaultdict(list)
        for row in await self._pool.fetch(STREAMS, aggregate_ids, aggregate.name):
            rows[row["aggregate_id"]].append(row)
        start = Held(state=aggregate.start(), sequence=0, position=0)
        return {each: await self._folded(aggregate, start, rows.get(each, ())) for each in aggregate_ids}

    async def _folded(self, aggregate: Aggregate, held: Held, rows: Sequence[asyncpg.Record]) -> Held:
        if not rows:
            return held
        state = held.state
        for number, row in enumerate(rows, start=1):
            event = self._codec.decode(row["type"], row["version"], row["data"], row["personal"])
            state = aggregate.evolve(state, event)
            if number % FOLD_AT_ONCE == 0:
                await asyncio.sleep(0)
        return Held(state=state, sequence=rows[-1]["sequence"], position=rows[-1]["position"])

    def keep(self, aggregate: Aggregate, aggregate_id: UUID, held: Held) -> None:
        """Remember an aggregate, unless something newer is remembered."""
        name = (aggregate.name, aggregate_id)
        known = self._held.get(name)
        if known is None or known.sequence < held.sequence:
            self._held[name] = held
        self._held.move_to_end(name)
        if len(self._held) > LARGEST_CACHE:
            self._held.popitem(last=False)

    def forget_all(self) -> None:
        """Forget everything, like the personal data of somebody who was erased."""
        self._held.clear()


def _places(known: Mapping[Stream, Held]) -> tuple[list[UUID], list[str], list[int]]:
    """What of which stream is known."""
    return (
        [aggregate_id for _, aggregate_id in known],
        [aggregate.name for aggregate, _ in known],
        [held.sequence for held in known.values()],
    )
