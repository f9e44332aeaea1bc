"""Read-your-writes: wait until what a token names has arrived in the projections that an answer is read from (API-2).

A token of our own log is there once those of them that fold the log have passed it. One of another service has to pass
the whole way: journaled, folded by those that fold the journal and answered by the reactions, whose own events then
have to reach those that fold our log. Each step waits for what the step before has left at its end. Projections that
the answer is not read from are not waited for: one that stands still holds up nobody who does not ask it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Protocol

from asyncpg import Pool

from shared.domain.context import Company
from shared.eventstore.data_loader import DataLoader
from shared.eventstore.wakeup import Wakeup
from shared.ops.deadline import within
from shared.projections.projection import Projection, Source, revision_of
from shared.projections.tokens import ConsistencyToken, PartitionPosition

POLL_SECONDS = 0.02
"""How often checkpoints are looked at while another process moves them; in this process a signal comes first."""

CHECKPOINTS = """
    select b.view as name, m.position from view_build b join mark m on m.name = b.view || '_' || b.build
     where b.state = 'serving' and b.revision = any($1::text[])
    union all
    select b.view, m.position from view_build b join mark m on m.name = b.view || '_' || b.build
     where b.state = 'building' and b.revision = any($1::text[])
       and not exists (select from view_build o where o.view = b.view and o.state = 'serving')
       and exists (select from view_build o where o.view = b.view and o.served_at is not null)
    union all
    select name, position from mark where name = any($2::text[])
"""
JOURNALED = """
    select topic, partition, position from journal_mark
      join unnest($1::text[], $2::smallint[]) as asked(topic, partition) using (topic, partition)
"""

Partition = tuple[str, int]
Levels = Mapping[str, int]
"""How far the serving build of each projection is, and the reactions."""


class HasHead(Protocol):
    """The one thing that waiting needs of a log."""

    async def head(self) -> int: ...


class ReadModelBehind(Exception):
    """What the token names has not arrived in time (503 `read-model-behind`)."""

    def __init__(self, token: ConsistencyToken) -> None:
        super().__init__(f"{token.service} {token.position} has not arrived yet")
        self.token = token


class ConsistencyGate:
    """The checkpoints of a service, and how to wait for them.

    `reactions` names the checkpoints of the reactions that run (`reactions-journal`); `topics` are those that the
    service journals: for what a token names of any other there is nothing to wait.
    """

    def __init__(
        self,
        pool: Pool,
        service: str,
        *,
        projections: Sequence[Projection],
        company: Company,
        reactions: Collection[str],
        topics: Collection[str],
        log: HasHead,
        journal: HasHead,
        advanced: Wakeup,
    ) -> None:
        self._pool = pool
        self._service = service
        self._revisions = [revision_of(projection, company) for projection in projections]
        self._projections = {
            source: [projection.name for projection in projections if projection.source == source]
            for source in _SOURCES
        }
        self._reactions = {source: [name for name in reactions if name == f"reactions-{source}"] for source in _SOURCES}
        self._topics = frozenset(topics)
        self._log = log
        self._journal = journal
        self._advanced = advanced
        self._levels = DataLoader[None, Levels](self._read_levels)
        self._journaled = DataLoader[Partition, int](self._read_journaled)

    async def wait_for(
        self,
        token: ConsistencyToken,
        reads: Collection[str],
        timeout: float = 2.0,  # noqa: ASYNC109
    ) -> None:
        """Return once the projections of these names hold what the token names. `ReadModelBehind` after `timeout`
        seconds."""
        try:
            if token.service == self._service:
                await within(timeout, self._passed("log", token.position, reads))
            elif followed := [each for each in token.partitions if each.topic in self._topics]:
                await within(timeout, self._arrived(followed, reads))
        except TimeoutError:
            raise ReadModelBehind(token) from None

    async def _arrived(self, written: Sequence[PartitionPosition], reads: Collection[str]) -> None:
        async def journaled(each: PartitionPosition) -> bool:
            return await self._journaled.ask((each.topic, each.partition)) >= each.position

        for each in written:  # one after the other: a long token costs no more questions at a time than a short one
            await self._until(partial(journaled, each))
        await self._passed("journal", await self._journal.head(), reads, reactions=True)
        await self._passed("log", await self._log.head(), reads)

    async def _passed(self, source: Source, position: int, reads: Collection[str], *, reactions: bool = False) -> None:
        following = self._reactions[source] if reactions else []
        folding = [name for name in self._projections[source] if name in reads]

        async def passed() -> bool:
            levels = await self._levels.ask(None)
            # A projection that does not serve yet is not waited for: there is nothing to read in it. One that has
            # ceased to serve is: it may serve again in the moment after this.
            built = all(levels.get(projection, position) >= position for projection in folding)
            return built and all(levels.get(name, 0) >= position for name in following)

        await self._until(passed)

    async def _until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait for a condition. All who wait look at the same moments and share one query, so that tokens that nothing
        will ever reach cost a fixed number of queries, however many wait."""
        loop = asyncio.get_running_loop()
        while True:
            seen = self._advanced.count
            if await condition():
                return
            await self._advanced.wait(seen, POLL_SECONDS - loop.time() % POLL_SECONDS)

    async def _read_levels(self, _keys: Sequence[None]) -> Mapping[None, Levels]:
        reactions = [name for names in self._reactions.values() for name in names]
        rows = await self._pool.fetch(CHECKPOINTS, self._revisions, reactions)
        return {None: {row["name"]: row["position"] for row in rows}}

    async def _read_journaled(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        rows = await self._pool.fetch(
            JOURNALED, [topic for topic, _ in partitions], [number for _, number in partitions]
        )
        found = {(row["topic"], row["partition"]): row["position"] for row in rows}
        return {partition: found.get(partition, 0) for partition in partitions}


_SOURCES: tuple[Source, Source] = ("log", "journal")
