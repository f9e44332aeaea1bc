"""Folded states of aggregates, kept in memory. An old one does no harm: the append checks the sequence."""

from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from shared.domain.aggregate import Aggregate
from shared.events.codec import Codec

LARGEST_CACHE = 10_000

STREAM = (
    "select e.position, e.sequence, e.type, e.version, e.data, p.data as personal"
    " from event e left join personal p using (event_id)"
    " where e.aggregate_id = $1 and e.aggregate = $2 and e.sequence > $3 order by e.sequence"
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


class Seen:
    """Aggregates as they were when a batch of commands last read or wrote them; for as long as the batch takes."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, UUID], Held] = {}

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
        self._held: OrderedDict[tuple[str, UUID], Held] = OrderedDict()

    def cached(self, aggregate: Aggregate, aggregate_id: UUID) -> Held | None:
        """The aggregate as last seen in this process; others may have gone on."""
        return self._held.get((aggregate.name, aggregate_id))

    async def load(self, aggregate: Aggregate, aggregate_id: UUID) -> Held:
        """The aggregate as it is now: what is remembered, and what was appended since."""
        held = self.cached(aggregate, aggregate_id) or Held(state=aggregate.start(), sequence=0, position=0)
        # One statement, hence one snapshot: the state and its sequence always belong together.
        rows = await self._pool.fetch(STREAM, aggregate_id, aggregate.name, held.sequence)
        held = self._folded(aggregate, held, rows)
        if held.sequence:
            self.keep(aggregate, aggregate_id, held)
        return held

    async def load_many(self, aggregate: Aggregate, aggregate_ids: Sequence[UUID]) -> dict[UUID, Held]:
        """Many aggregates of a family as they are now, in one statement; nothing of them is remembered."""
        rows: dict[UUID, list[asyncpg.Record]] = defaultdict(list)
        for row in await self._pool.fetch(STREAMS, aggregate_ids, aggregate.name):
            rows[row["aggregate_id"]].append(row)
        start = Held(state=aggregate.start(), sequence=0, position=0)
        return {each: self._folded(aggregate, start, rows.get(each, ())) for each in aggregate_ids}

    def _folded(self, aggregate: Aggregate, held: Held, rows: Sequence[asyncpg.Record]) -> Held:
        if not rows:
            return held
        state = held.state
        for row in rows:
            event = self._codec.decode(row["type"], row["version"], row["data"], row["personal"])
            state = aggregate.evolve(state, event)
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
