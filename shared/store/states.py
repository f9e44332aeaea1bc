"""Folded states of aggregates, kept in memory. An old one does no harm: the append checks the sequence."""

from collections import OrderedDict
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An aggregate as far as its stream was folded: sequence 0 has the start state; `position` is where the last event
    of the stream stands in the log."""

    state: Any
    sequence: int
    position: int


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
        if rows:
            state = held.state
            for row in rows:
                event = self._codec.decode(row["type"], row["version"], row["data"], row["personal"])
                state = aggregate.evolve(state, event)
            held = Held(state=state, sequence=rows[-1]["sequence"], position=rows[-1]["position"])
        if held.sequence:
            self.keep(aggregate, aggregate_id, held)
        return held

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
