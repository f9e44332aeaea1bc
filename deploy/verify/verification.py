"""The whole check: every store with its topics and with every journal that reads them, every projection with a fresh
fold.

Traffic may go on meanwhile. Each store is compared up to where its log was final when the check began, once the relay,
the journals and the projections have come so far.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from asyncpg import Pool

from deploy.places import last_places
from deploy.verify import projections
from deploy.verify.comparing import Chain, Comparison, Difference, beyond, differing, named
from deploy.verify.entries import Entry, Totals, added
from deploy.verify.reading import logged, of_days, published
from shared.domain.context import Company
from shared.events.codec import Codec
from shared.eventstore.log import Log
from shared.projections import builds
from shared.projections.projection import Projection, revision_of
from shared.service.definition import Service, journaled_topics, projections_of, registry_for

LOOK_AGAIN_SECONDS = 0.1
LEVEL = """
    select count(*) from unnest($1::text[], $2::smallint[], $3::bigint[]) as wanted(topic, partition, position)
      left join journal_mark m using (topic, partition)
     where coalesce(m.position, 0) < wanted.position
"""
STREAMS = """
    select aggregate_id, coalesce(e.aggregate, h.aggregate) as aggregate, e.events, e.last, h.sequence
      from (select aggregate_id, min(aggregate) as aggregate, count(*) as events, max(sequence) as last
              from event group by aggregate_id) e
      full join stream_head h using (aggregate_id)
     where e.last is distinct from h.sequence or e.events is distinct from e.last
     order by aggregate_id limit 100
"""

Read = Callable[[], AsyncIterator[list[Entry]]]
"""Reads everything of one place from the beginning; may be called again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One service with its database, as the check needs it."""

    service: Service
    pool: Pool
    company: Company
    log: Log
    journal: Log
    topics: frozenset[str]
    """What its own events are published in."""
    reads: frozenset[str]
    """What it journals."""
    projections: tuple[Projection, ...]
    partitions: int
    """Of each topic."""

    @classmethod
    def of(cls, service: Service, pool: Pool, company: Company, partitions: int) -> "Part":
        """A service of this release."""
        registry = registry_for(service)
        codec = Codec(registry)
        return cls(
            service=service,
            pool=pool,
            company=company,
            log=Log(pool, codec, service=service.name),
            journal=Log(pool, codec),
            topics=frozenset(registry.topics(service.name)),
            reads=journaled_topics(service, registry),
            projections=projections_of(service),
            partitions=partitions,
        )

    @property
    def name(self) -> str:
        """The service's name."""
        return self.service.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What the check found."""

    comparisons: Sequence[Comparison]
    totals: Totals
    """The control totals of the stores."""

    @property
    def differences(self) -> list[Difference]:
        """All of them; none is the proof."""
        return [difference for comparison in self.comparisons for difference in comparison.differences]


@dataclass(slots=True)
class Stores:
    """The stores as they were read."""

    ends: Mapping[str, int]
    totals: Totals = field(default_factory=dict)
    reads: dict[str, Read] = field(default_factory=dict)


async def verify(
    parts: Sequence[Part], bootstrap: str, *, patience: float = 30.0, say: Callable[[str], None] = lambda _: None
) -> Verification:
    """Compare everything. Waits at most `patience` seconds for readers that are behind. Raises what the servers raise
    when they do not answer."""
    stores = Stores(ends={part.name: await part.log.ceiling() for part in parts})
    owners = [part for part in parts if part.topics]
    await _level(parts, stores.ends, patience)
    found = []
    for part in owners:
        say(f"Reading the store of {part.name}.")
        found.append(await _store(part, stores))
    for part in owners:
        say(f"Reading the topics of {part.name}.")
        read = partial(published, bootstrap, sorted(part.topics), part.partitions)
        found.append(await _against_stores(f"topics of {part.name}", read, part.topics, stores, parts, links=True))
    for part in [part for part in parts if part.reads]:
        say(f"Reading the journal of {part.name}.")
        topics = frozenset(topic for topic in part.reads if topic.split(".", 1)[0] in stores.ends)
        read = partial(logged, part.journal, await part.journal.ceiling(), topics, part.partitions)
        found.append(await _against_stores(f"journal of {part.name}", read, topics, stores, parts, links=False))
    for part in parts:
        for projection in part.projections:
            say(f"Folding the projection {projection.name} of {part.name}.")
            found.append(await _projection(part, projection, patience))
    return Verification(comparisons=found, totals=stores.totals)


async def _store(part: Part, stores: Stores) -> Comparison:
    """Read a store, and compare its streams with their heads."""
    read = partial(logged, part.log, stores.ends[part.name], part.topics, part.partitions)
    stores.reads[part.name] = read
    events = 0
    async for page in read():
        added(stores.totals, page)
        events += len(page)
    return Comparison(
        where=f"store of {part.name}",
        compared=events,
        differences=[
            Difference(
                where=f"store of {part.name}",
                what="missing" if (row["events"] or 0) < (row["sequence"] or 0) else "unexpected",
                sentence=f"The stream should have {row['sequence'] or 0} events and has {row['events'] or 0}.",
                service=part.name,
                aggregate=row["aggregate"],
                aggregate_id=row["aggregate_id"],
            )
            for row in await part.pool.fetch(STREAMS)
        ],
    )


async def _against_stores(
    where: str, read: Read, topics: Collection[str], stores: Stores, parts: Sequence[Part], *, links: bool
) -> Comparison:
    """Compare what was read of some topics with the stores that own them."""
    chain, totals, events, later = Chain(where, links=links), Totals(), 0, list[Entry]()
    async for page in read():
        new = chain.follow(page)
        covered = [entry for entry in new if _covered(entry, stores.ends)]
        later += [entry for entry in new if not _covered(entry, stores.ends)]
        added(totals, covered)
        events += len(covered)
    # What was read beyond the ends has to be in the stores by now.
    ends = {part.name: await part.log.ceiling() for part in parts} if later else {}
    days = differing({day: total for day, total in stores.totals.items() if day.topic in topics}, totals)
    found: list[Difference] = []
    if days:
        owners = {day.topic.split(".", 1)[0] for day in days}
        stored = [entry for owner in sorted(owners) for entry in await of_days(stores.reads[owner](), days)]
        found = named(where, stored, [e for e in await of_days(read(), days) if _covered(e, stores.ends)])
    return Comparison(where=where, compared=events, differences=[*found, *chain.broken, *beyond(where, later, ends)])


def _covered(entry: Entry, ends: Mapping[str, int]) -> bool:
    return entry.position <= ends[entry.topic.split(".", 1)[0]]


async def _projection(part: Part, projection: Projection, patience: float) -> Comparison:
    log = part.log if projection.source == "log" else part.journal
    head = await log.head()

    async def folded() -> bool:
        serving = await builds.builds(part.pool, "serving", [revision_of(projection, part.company)])
        return bool(serving) and serving[0].position >= head

    await _until(folded, patience)
    return await projections.compared(part.name, projection, pool=part.pool, log=log, company=part.company, head=head)


async def _level(parts: Sequence[Part], ends: Mapping[str, int], patience: float) -> None:
    """Wait until relays and journals have come to the ends of the stores. Whoever has not by then lacks events, and the
    comparison says which."""
    wanted = [
        (*place, position)
        for part in parts
        for place, position in (await last_places(part.pool, part.name, ends[part.name], part.partitions)).items()
    ]

    async def level() -> bool:
        behind = [
            await part.pool.fetchval(LEVEL, *zip(*[w for w in wanted if w[0] in part.reads], strict=True))
            for part in parts
            if any(topic in part.reads for topic, _, _ in wanted)
        ]
        published = [
            await part.pool.fetchval("select position from relay") >= ends[part.name] for part in parts if part.topics
        ]
        return all(published) and not any(behind)

    await _until(level, patience)


async def _until(condition: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Wait for a condition, as long as there is patience."""
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            return
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
