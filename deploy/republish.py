"""Publishing every event of the stores again, into topics that were lost or that no longer agree with the stores.

Each step may be killed and the whole run again: the relays are sealed first and let go last, and a journal that was
emptied answers nothing before a run has seen that it is complete.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from deploy.local.fault import LocalError
from deploy.places import last_places
from deploy.verify.verification import LEVEL, Part
from shared.events.registry import topic_of
from shared.eventstore.lease import Lease
from shared.kafka import layout
from shared.kafka.chain import Place
from shared.kafka.outage import SILENCE
from shared.kafka.relay import FILLING, RECREATING
from shared.kafka.republishing import (
    FENCED_SECONDS,
    begin_anew,
    complete,
    completed,
    doubt_journal,
    forget_journal,
    generation,
    read_anew,
    seal,
)
from shared.kafka.topics import empty, held, provision
from shared.projections import builds
from shared.projections.projection import revision_of

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

LOOK_AGAIN_SECONDS = 0.2
TELL_SECONDS = 2.0
STILL_SECONDS = 60.0
"""A step of which nothing moves for so long is given up; services go on with it by themselves once they run."""
BROKER_SECONDS = 60.0
"""A broker that has just made a thousand partitions leads them all only after a while."""
DRAIN_SECONDS = 3.0
"""Consumers write within this time what they fetched before the topics were emptied."""

PUBLISHED = "select aggregate, count(*) as events from event where position <= $1 group by aggregate"
OLDER = """
    select exists (select from pg_stat_activity
                    where datname = current_database() and usename = current_user and xact_start < $1)"""
CHECKPOINT = "select position, (select coalesce(max(position), 0) from event) as head from relay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Republished:
    """What was done."""

    services: Sequence[str]
    """Whose events were published again."""
    events: Mapping[str, int] = field(default_factory=dict)
    """How many, by service."""
    journals: Sequence[str] = ()
    """Whose journals were read again."""


async def republish(
    parts: Sequence[Part], bootstrap: str, *, recreate: bool = False, replication: int = 1
) -> Republished:
    """Fill lost topics from the stores; with `recreate` all of them, and have the journals read again.

    Returns once everything is published, and what is read again is journaled, folded and served: with `recreate` all
    journals, else those that a run was killed over. Raises LocalError, and what the servers raise when they do not
    answer.
    """
    owners = [part for part in parts if part.topics]

    async def work(_: int) -> None:
        nonlocal owners
        for part in [] if recreate else parts:
            await _refuse_another_layout(part)
        await _laid_out(owners, bootstrap, replication=replication)
        if not recreate:
            owners = [part for part in owners if await lost(part, bootstrap)]
        await _stop(owners, RECREATING if recreate else FILLING)
        if recreate:
            await _clear(parts, owners, bootstrap)
            for part in parts:
                await layout.replace(part.pool, part.partitions)
        for part in [] if recreate else owners:
            await lost(part, bootstrap)  # refuses what a relay has published before it was stopped
        for part in owners:
            await begin_anew(part.pool)
            log.info("republish-begins", of=part.name)
        for part in parts if owners and not recreate else ():
            if part.reads:
                await read_anew(part.pool)

    await alone(owners[0], work)
    heads = {part.name: await part.log.head() for part in parts if part.topics}
    await until("published", [part for part in parts if part.topics], lambda part: _published(part, heads[part.name]))
    journals = [part for part in parts if part.reads and await completed(part.pool) is None]
    places: dict[Place, int] = {}
    for part in parts if journals else ():
        if part.topics:
            places |= await last_places(part.pool, part.name, heads[part.name], part.partitions)
    await until("journaled", journals, lambda part: _journaled(part, places))
    await until("folded", journals, _folded)
    return Republished(
        services=[part.name for part in owners],
        events={part.name: int(await part.pool.fetchval("select count(*) from event")) for part in owners},
        journals=[part.name for part in journals],
    )


async def _refuse_another_layout(part: Part) -> None:
    """Topics that are filled again have to be laid out as they were: journals go on from where they were."""
    if await layout.laid_out(part.pool) not in {None, part.partitions}:
        raise LocalError(
            f"The events of {part.name} are spread over partitions in another way than"
            f" KAFKA_PARTITIONS={part.partitions} says, or by an earlier release.",
            "Set the number with which they were published, or have everything made anew:"
            " `throughline republish --recreate`.",
        )


async def _laid_out(owners: Sequence[Part], bootstrap: str, *, replication: int) -> None:
    """Have the topics there, in their layout. Raises LocalError when they have another one."""
    topics, partitions = [topic for part in owners for topic in part.topics], owners[0].partitions
    try:
        await patiently(lambda: provision(bootstrap, topics, partitions=partitions, replication=replication))
    except layout.OtherPartitions as error:
        raise LocalError(
            str(error), "To have another number, stop the services and delete the topics with Kafka's tools."
        ) from error


async def patiently(ask: Callable[[], Awaitable[Result]]) -> Result:
    """Ask the broker again while the answer may change by itself: just after its start, or after topics were made."""
    deadline = time.monotonic() + BROKER_SECONDS
    while True:
        try:
            return await ask()
        except KafkaError as error:
            if not may_pass(error) or time.monotonic() > deadline:
                raise
            log.info("broker-not-ready", error=type(error).__name__)
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


def may_pass(error: KafkaError) -> bool:
    """Whether the same question may be answered a moment later. aiokafka 0.14 calls its own timeouts not retriable."""
    return error.retriable or isinstance(error, SILENCE)


async def alone(part: Part, work: Callable[[int], Awaitable[None]]) -> None:
    """Work under a lease, so that two operators do not work at once; that of one that was killed runs out."""
    lease = Lease(part.pool, "republish")
    deadline = time.monotonic() + FENCED_SECONDS
    while await lease.take() is None:
        if time.monotonic() > deadline:
            raise LocalError("Another `throughline republish` is at work.", "Wait until it has ended.")
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    await lease.hold(work)


async def lost(part: Part, bootstrap: str) -> bool:
    """Whether the topics of a service have lost what was published; LocalError when filling them is not enough."""
    row = await part.pool.fetchrow(CHECKPOINT)
    assert row is not None
    filling = row["position"] == FILLING
    remedy = "`throughline republish --recreate` empties the topics and has everything read again."
    if row["position"] == RECREATING:
        raise LocalError(f"The topics of {part.name} were about to be made anew, and the run did not end.", remedy)
    if row["position"] > row["head"] and not filling:
        raise LocalError(
            f"The relay of {part.name} has published more than its store holds: an older state of the database was"
            " restored.",
            remedy,
        )
    there = await patiently(lambda: held(bootstrap, part.topics, partitions=part.partitions))
    published = {
        topic_of(part.name, found["aggregate"]): found["events"]
        for found in await part.pool.fetch(PUBLISHED, row["position"])
    }
    lacking = sorted(topic for topic, events in published.items() if there.get(topic, 0) < events)
    holding = sorted(topic for topic, records in there.items() if records)
    if holding and (lacking or filling):
        raise LocalError(
            f"Of the topics of {part.name}, {', '.join(holding)} hold records, but not all that were published.", remedy
        )
    return bool(lacking) or filling


async def _stop(owners: Sequence[Part], checkpoint: int) -> None:
    for part in owners:
        await seal(part.pool, checkpoint)
        log.info("relay-sealed", of=part.name)
    if owners:
        await asyncio.sleep(FENCED_SECONDS)


async def _clear(parts: Sequence[Part], owners: Sequence[Part], bootstrap: str) -> None:
    """Empty the topics, then the journals: what a consumer still writes of the old records is gone afterwards."""
    for part in owners:
        await patiently(partial(empty, bootstrap, part.topics, partitions=part.partitions))
        log.info("topics-emptied", of=part.name, topics=len(part.topics))
    await asyncio.sleep(DRAIN_SECONDS)
    for part in parts:
        if part.reads:
            await _forget(part)
            log.info("journal-emptied", of=part.name)


async def _forget(part: Part) -> None:
    """Empty one service's journal and its projections of it.

    Nothing of it serves from a moment before: an emptied table is empty for older snapshots as well, so whoever had
    begun with the serving builds and then read the journal would find nothing there.
    """
    await _without_projections(part, doubt_journal)
    began = time.monotonic()
    since = await part.pool.fetchval("select clock_timestamp()")
    while time.monotonic() - began < STILL_SECONDS and await part.pool.fetchval(OLDER, since):  # noqa: ASYNC110 - the services end them
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    await _without_projections(part, forget_journal)


async def _without_projections(part: Part, change: Callable[[Any], Awaitable[None]]) -> None:
    """Change the journal and let its projections start over, as soon as no long reader is in the way."""
    projections = [projection for projection in part.projections if projection.source == "journal"]
    deadline = time.monotonic() + STILL_SECONDS
    while True:
        try:
            async with part.pool.acquire() as connection, connection.transaction():
                await change(connection)
                await builds.start_over(connection, projections, part.company)
            return
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
            log.info("journal-locked", of=part.name, error=type(error).__name__)
            if time.monotonic() > deadline:
                raise LocalError(
                    f"The journal of {part.name} is locked by a long transaction.",
                    "End it, and run the command again.",
                ) from error


# -- waiting --------------------------------------------------------------------------------------------------------


async def until(what: str, parts: Sequence[Part], left: Callable[[Part], Awaitable[int]]) -> None:
    """Wait until nothing is left of a step in any service, telling how far it is. LocalError when nothing moves."""
    before: dict[str, int] = {}
    told = moved = time.monotonic()
    while waiting := {part.name: count for part in parts if (count := await left(part))}:
        now = time.monotonic()
        if waiting != before:
            before, moved = waiting, now
        if now - told > TELL_SECONDS:
            told = now
            log.info("republish-waits", until=what, left=waiting)
        if now - moved > STILL_SECONDS:
            raise LocalError(
                f"Not everything is {what}: {', '.join(waiting)} does not move.",
                "`throughline status` shows whether it runs; it goes on by itself once it does.",
            )
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    if parts:
        log.info("republish-done", what=what)


async def _published(part: Part, head: int) -> int:
    return max(0, head - int(await part.pool.fetchval("select position from relay")))


async def _journaled(part: Part, places: Mapping[Place, int]) -> int:
    """The partitions of which something has not been read again. Once there is none, its projections may serve."""
    number = await generation(part.pool)
    read = [(*place, position) for place, position in places.items() if place.topic in part.reads]
    columns = [list(column) for column in zip(*read, strict=True)] or [[], [], []]
    left = int(await part.pool.fetchval(LEVEL, *columns))
    if left == 0:
        await complete(part.pool, number)
        # Unless another run has emptied it meanwhile.
        left = int(await completed(part.pool) is None)
    return left


async def _folded(part: Part) -> int:
    """The positions that the builds of projections of the journal lack before they serve, all together; at least one
    for each that does not. What comes after that is no part of it: with traffic there is always something."""
    revisions = [
        revision_of(projection, part.company) for projection in part.projections if projection.source == "journal"
    ]
    serving = {build.revision for build in await builds.builds(part.pool, "serving", revisions)}
    beside = {build.revision: build.position for build in await builds.builds(part.pool, "building", revisions)}
    end = await completed(part.pool) or 0
    return sum(max(1, end - beside.get(revision, 0)) for revision in revisions if revision not in serving)
