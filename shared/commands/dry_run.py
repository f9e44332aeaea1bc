"""Dry run: commands are decided as ever, and nothing of what they would write is written (DATA-5).

It is kept in memory, and later commands are decided on it. What others write meanwhile to the same things is not seen:
the answer is that of the moment in which each thing was looked at first.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import asyncpg

from shared.domain.aggregate import Aggregate
from shared.domain.history import Recorded, folded
from shared.eventstore.append import (
    Append,
    Appended,
    ClaimTaken,
    Conflict,
    HeldKey,
    Idempotency,
    OtherContent,
    Outcome,
    Replayed,
)
from shared.eventstore.claims import claim_holders
from shared.eventstore.idempotency import first_answer
from shared.eventstore.snapshots import LoadedAggregate
from shared.eventstore.streams import StreamCache


class DryAppender:
    """In place of the group commit: answers as that would, and notes what it would have written."""

    keeps = False

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._turn = asyncio.Lock()
        self._sequences: dict[UUID, int] = {}
        self._holders: dict[tuple[str, bytes], frozenset[UUID]] = {}
        self._answered: dict[tuple[str, str, str], tuple[bytes, Replayed]] = {}

    async def append(self, append: Append) -> Outcome:
        """What appending one command's effect would come to."""
        async with self._turn:
            return await self._refused(append) or self._noted(append)

    async def holders(self, kind: str, key_hash: bytes) -> frozenset[UUID]:
        """The aggregates that would hold a claim by now."""
        key = kind, key_hash
        if key not in self._holders:
            self._holders[key] = await claim_holders(self._pool, kind, key_hash)
        return self._holders[key]

    async def close(self) -> None:
        """There is nothing to wait for."""

    async def _refused(self, append: Append) -> Outcome | None:
        if append.idempotency and (first := await self._first_answer(append.idempotency)):
            return first
        free = {(key.kind, key.key_hash, key.holder) for key in append.release}
        for key in append.take:
            for holder in sorted(await self.holders(key.kind, key.key_hash) - key.beside - {key.holder}):
                if (key.kind, key.key_hash, holder) not in free:
                    return ClaimTaken(kind=key.kind, key_hash=key.key_hash, holder=holder)
        for key in append.release:
            await self.holders(key.kind, key.key_hash)
        for stream in append.streams:
            if self._sequences.get(stream.aggregate_id, stream.expected) != stream.expected:
                return Conflict(aggregate_id=stream.aggregate_id)
        return None

    async def _first_answer(self, asked: Idempotency) -> Replayed | OtherContent | None:
        noted = self._answered.get((asked.principal, asked.operation, asked.key))
        if noted is None:
            return await first_answer(self._pool, asked)
        request_hash, answer = noted
        if request_hash == asked.request_hash:
            return answer
        return None if asked.latest else OtherContent()

    def _noted(self, append: Append) -> Appended:
        for key in append.release:
            self._holders[key.kind, key.key_hash] = self._known(key) - {key.holder}
        for key in append.take:
            self._holders[key.kind, key.key_hash] = self._known(key) | {key.holder}
        self._sequences |= {stream.aggregate_id: stream.expected + len(stream.events) for stream in append.streams}
        if asked := append.idempotency:
            main = append.streams[0]
            answer = Replayed(aggregate_id=main.aggregate_id, sequence=self._sequences[main.aggregate_id], position=0)
            self._answered[asked.principal, asked.operation, asked.key] = asked.request_hash, answer
        return Appended(positions={stream.aggregate_id: 0 for stream in append.streams if stream.events})

    def _known(self, key: HeldKey) -> frozenset[UUID]:
        return self._holders[key.kind, key.key_hash]


class DryStreams:
    """In place of the stream cache: aggregates with what would have been appended to them. Nothing is forgotten."""

    def __init__(self, states: StreamCache) -> None:
        self._states = states
        self._held: dict[tuple[str, UUID], LoadedAggregate] = {}
        self._news: dict[tuple[str, UUID], list[Recorded]] = {}

    def cached(self, aggregate: Aggregate, aggregate_id: UUID) -> LoadedAggregate | None:
        """The aggregate with what would have been appended to it, if anything would."""
        return self._held.get((aggregate.name, aggregate_id))

    async def load(self, aggregate: Aggregate, aggregate_id: UUID) -> LoadedAggregate:
        """The aggregate as it would be now."""
        return (await self.load_many(aggregate, [aggregate_id]))[aggregate_id]

    async def load_many(self, aggregate: Aggregate, aggregate_ids: Sequence[UUID]) -> dict[UUID, LoadedAggregate]:
        """Many aggregates of a family as they would be now."""
        held = {each: held for each in aggregate_ids if (held := self.cached(aggregate, each))}
        # In one statement that remembers nothing: what is remembered would be written as a snapshot now and then.
        return {**await self._states.load_many(aggregate, [each for each in aggregate_ids if each not in held]), **held}

    async def history(self, aggregate: Aggregate, aggregate_id: UUID) -> tuple[LoadedAggregate, list[Recorded]]:
        """An aggregate whose facts may be told late, as it would be now, and all that would be recorded of it."""
        whole, facts = await self._states.history(aggregate, aggregate_id)
        held = self.cached(aggregate, aggregate_id)
        if held is None:
            return whole, facts
        facts = [*facts, *self._news[aggregate.name, aggregate_id]]
        return replace(whole, state=aggregate.of(facts), sequence=held.sequence, folded=folded(None, facts)), facts

    def keep(
        self, aggregate: Aggregate, aggregate_id: UUID, held: LoadedAggregate, news: Sequence[Recorded] = ()
    ) -> None:
        """Note an aggregate and what would be new about it."""
        name = aggregate.name, aggregate_id
        if name not in self._held or self._held[name].sequence < held.sequence:
            self._held[name] = held
        self._news.setdefault(name, []).extend(news)

    def forget_all(self) -> None:
        """Nothing is forgotten: what is not written is nowhere else."""

    async def close(self) -> None:
        """Wait for what is still being read."""
        await self._states.close()
