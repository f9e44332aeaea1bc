"""The workers of a process: relay, journal consumer, projections, reactions, timers, and what looks after them.

Several processes may have them: of each kind one at a time works, under a lease, and Kafka gives each partition to
one."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from shared.commands.timers import Timers
from shared.deliveries.follower import delivery_follower
from shared.deliveries.sender import Sender
from shared.events.registry import Registry
from shared.eventstore.batching import Pace
from shared.eventstore.group_commit import GroupCommit
from shared.eventstore.idempotency import forget_old_answers
from shared.eventstore.lease import Lease
from shared.eventstore.pool import unreachable
from shared.eventstore.wakeup import Wakeup, listen
from shared.http.context import ServiceContext
from shared.kafka.consumer import JournalConsumer
from shared.kafka.relay import Relay
from shared.ops.deadline import within
from shared.ops.health import Health
from shared.ops.stopping import pause
from shared.projections.projection import Source
from shared.projections.read_snapshot import NotBuilt
from shared.projections.runner import ProjectionRunner
from shared.reactions.follower import reaction_follower
from shared.service.definition import Outside, Part, Service, journaled_topics, projections_of
from shared.service.supervision import Worker

SOURCES: tuple[Source, ...] = ("log", "journal")
RETENTION_SECONDS = 3600.0
BUILT_SECONDS = 0.5
LOOK_SECONDS = 2.0
"""How often a worker makes sure of its database that asks it nothing."""
TIMEOUT_SECONDS = 2.0
CLOCK_SECONDS = 1.0
"""How soon a process follows when another one has moved the company clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A composed process, with what its workers need beyond the context."""

    service: Service
    context: ServiceContext
    registry: Registry
    appender: GroupCommit


def workers_of(process: Process, only: Part | None = None) -> list[Worker]:
    """Everything that a process does beside answering; or of that only what answering needs, or only the rest."""
    return [
        *_common(process),
        *(_of_web(process) if only != "workers" else ()),
        *(_of_workers(process) if only != "web" else ()),
    ]


def _common(process: Process) -> list[Worker]:
    """What every process does: it follows the clock, and hears of what other processes append."""
    context, appended = process.context, process.appender.appended
    url, health = context.settings.database_url, context.health

    async def hear(stopping: asyncio.Event) -> None:
        await _until(stopping, listen(url, appended, lambda problem: _heard(health, problem)))

    return [
        Worker(name="clock", run=lambda stopping: _follow_clock(context, stopping)),
        Worker(name="signals", run=hear),
    ]


def _of_web(process: Process) -> list[Worker]:
    """The end of the event stream that listeners hear."""
    context, feed = process.context, process.service.feed
    if feed is None:
        return []
    following = _while_reached(context, "feed", context.feed.run)
    return [_once_built(context, following.name, following.run, feed.reads)]


def _of_workers(process: Process) -> list[Worker]:
    """What one process at a time does for all: publish, journal, fold, react."""
    context = process.context
    service, settings, pool, health = process.service, context.settings, context.pool, context.health
    workers = [_while_reached(context, "retention", lambda stopping: _forget(context, stopping))]
    if service.every_aggregate:
        relay = Relay(
            service.name,
            pool,
            context.log,
            Lease(pool, "relay"),
            process.registry.topics(service.name),
            bootstrap=settings.kafka_bootstrap,
            health=health,
            appended=process.appender.appended,
            partitions=settings.kafka_partitions,
            replication=settings.kafka_replication,
            page=settings.relay_page,
        )
        timers = Timers(service.name, pool=pool, commands=context.commands, clock=context.clock, health=health)
        workers += [
            Worker(name="relay", run=relay.run),
            _once_built(context, "timers", timers.run, context.commands.every_read),
        ]
    topics = journaled_topics(service, process.registry)
    if topics:
        journal = JournalConsumer(
            service.name,
            pool,
            topics,
            bootstrap=settings.kafka_bootstrap,
            health=health,
            arrived=context.arrived,
            partitions=settings.kafka_partitions,
            replication=settings.kafka_replication,
            pace=_pace(service, "journal"),
        )
        workers.append(Worker(name="journal", run=journal.run))
    readers = [worker for source in SOURCES for worker in _readers(process, source)]
    return [*workers, *readers, *(_of_outside(process, service.outside) if service.outside else ())]


def _of_outside(process: Process, outside: Outside) -> list[Worker]:
    """What sends outside: one queues what follows from our events, the other sends it."""
    context, queued = process.context, Wakeup()
    channels = outside.channels(context)
    follower = delivery_follower(
        pool=context.pool,
        log=context.log,
        deliveries=outside.deliveries,
        channels=channels.keys(),
        receivers=outside.receivers(context),
        level=lambda: context.projections.level("log"),
        health=context.health,
        wake=process.appender.appended,
        advanced=context.advanced,
        queued=queued,
    )
    sender = Sender(
        pool=context.pool,
        channels=channels,
        health=context.health,
        queued=queued,
        give_up_after=context.settings.delivery_hours * 3600.0,
    )
    return [_once_built(context, each.name, each.run, outside.reads) for each in (follower, sender)]


def _readers(process: Process, source: Source) -> list[Worker]:
    """What works off one log: its projections, and the reactions to it."""
    context = process.context
    own = source == "log"
    about: Any = {
        "pool": context.pool,
        "log": context.log if own else context.journal,
        "health": context.health,
        "wake": process.appender.appended if own else context.arrived,
        "advanced": context.advanced,
    }
    workers: list[Worker] = []
    projections = projections_of(process.service)
    if any(projection.source == source for projection in projections):
        company, pace = context.settings.company, _pace(process.service, source)
        folding = ProjectionRunner(source, projections=projections, company=company, pace=pace, **about)
        workers.append(Worker(name=folding.name, run=folding.run))
    reactions = process.service.reactions
    if reactions and source in reactions.sources:
        partitions = context.settings.kafka_partitions
        reacting = reaction_follower(
            source, reactions=reactions, commands=context.commands, partitions=partitions, **about
        )
        workers.append(_once_built(context, reacting.name, reacting.run, context.commands.every_read))
    return workers


def _pace(service: Service, source: Source) -> Pace:
    return (source == "journal" and service.journal_pace) or service.pace


def _once_built(
    context: ServiceContext, name: str, run: Callable[[asyncio.Event], Awaitable[None]], reads: Collection[str]
) -> Worker:
    """A worker that asks projections. Until these serve in the revisions of this release, it is left to the processes
    of the release before; and it waits again when they cease to serve, because their journal is read again."""

    async def wait_and_run(stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                await context.projections.require(reads)
                await run(stopping)
                return
            except NotBuilt:
                await pause(stopping, BUILT_SECONDS)

    return Worker(name=name, run=wait_and_run)


def _while_reached(context: ServiceContext, name: str, run: Callable[[asyncio.Event], Awaitable[None]]) -> Worker:
    """A worker that asks the database seldom, and would not notice by itself that it is away."""

    async def look(stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            await within(TIMEOUT_SECONDS, context.pool.fetchval("select 1"))
            await pause(stopping, LOOK_SECONDS)

    async def run_and_look(stopping: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(look(stopping))
            await run(stopping)

    return Worker(name=name, run=run_and_look)


def _heard(health: Health, problem: Exception | None) -> None:
    health.report("signals", problem is None, "works" if problem is None else unreachable(problem))


async def _follow_clock(context: ServiceContext, stopping: asyncio.Event) -> None:
    """Take over how far other processes have moved the company clock."""
    while not stopping.is_set():
        await within(TIMEOUT_SECONDS, context.clock.refresh(context.pool))
        context.health.report("clock", True, "works")
        await pause(stopping, CLOCK_SECONDS)


async def _forget(context: ServiceContext, stopping: asyncio.Event) -> None:
    """Delete first answers to requests that are kept no longer."""
    while not stopping.is_set():
        await forget_old_answers(context.pool)
        await pause(stopping, RETENTION_SECONDS)


async def _until(stopping: asyncio.Event, work: Any) -> None:
    """Run something that never ends by itself until it is time to stop."""
    task, stop = asyncio.ensure_future(work), asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()
        if not task.done():
            task.cancel()
    if task.done() and not task.cancelled():
        task.result()
