"""The composition of a running process: pool, logs, write path, projections, and the workers that keep them going."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import structlog

from shared.commands.dry_run import DryAppender, DryStates
from shared.commands.executor import Appender, CommandExecutor
from shared.commands.timers import Timers
from shared.directory.organisation import NAME as ORGANISATION
from shared.directory.organisation import Organisation, organisation
from shared.events.codec import Codec
from shared.events.leads.team import TeamFormed
from shared.events.registry import Registry, registry_of, service_of, topic_of_class
from shared.eventstore.claim_secret import OtherClaimSecret, hold_to
from shared.eventstore.group_commit import GroupCommit
from shared.eventstore.idempotency import forget_old_answers
from shared.eventstore.lease import Lease
from shared.eventstore.log import Log
from shared.eventstore.migrate import MigrationError, check
from shared.eventstore.pool import create_pool, unreachable
from shared.eventstore.streams import StreamCache, StreamLoader
from shared.eventstore.wakeup import Wakeup, listen
from shared.http.authentication import Authenticator, IssuerKeys, Tokens, fetch_keys, issuer_client
from shared.http.bulkhead import Bulkhead
from shared.http.context import ServiceContext
from shared.http.rate_limit import RateLimit
from shared.http.sse import Feed
from shared.kafka.consumer import JournalConsumer
from shared.kafka.relay import Relay
from shared.ops.clock import Clock
from shared.ops.deadline import within
from shared.ops.health import Health, NotReady
from shared.ops.settings import Settings
from shared.ops.stopping import pause
from shared.projections.builds import prepare
from shared.projections.consistency import ConsistencyGate
from shared.projections.cursors import Cursors
from shared.projections.projection import Projection, Source
from shared.projections.read_snapshot import NotBuilt, Projections
from shared.projections.runner import ProjectionRunner
from shared.reactions.runner import ReactionRunner
from shared.service.definition import Service
from shared.service.workers import Worker, run_all

log = structlog.get_logger(__name__)

SOURCES: tuple[Source, ...] = ("log", "journal")
RETENTION_SECONDS = 3600.0
BUILT_SECONDS = 0.5
LOOK_SECONDS = 2.0
"""How often a worker makes sure of its database that asks it nothing."""
ANSWER_SECONDS = 2.0
FOLDS_AT_ONCE = 2
FOLD_WAIT_SECONDS = 3.0
"""So many answers are folded from events at once, so that neither the loop nor the connections are taken up by them;
the next waits so long for its place."""
CLOCK_SECONDS = 1.0
"""How soon a process follows when another one has moved the company clock."""


def registry_for(service: Service) -> Registry:
    """The published events, and those of the service's aggregates should they not be among them."""
    published = registry_of()
    own = {event for aggregate in service.families for event in aggregate.events} - set(published.classes)
    return Registry([*published.classes, *own]) if own else published


def projections_of(service: Service) -> tuple[Projection, ...]:
    """The projections of a service; everybody has the organisation."""
    if any(projection.name == ORGANISATION for projection in service.projections):
        return service.projections
    return (organisation("log" if service.name == service_of(TeamFormed) else "journal"), *service.projections)


def journaled_topics(service: Service, registry: Registry) -> frozenset[str]:
    """The topics that a service keeps in its journal."""
    if service.reads is None:
        return frozenset(registry.topics())
    projections = [projection for projection in projections_of(service) if projection.source == "journal"]
    classes = {*service.reads, *(event for projection in projections for event in projection.events)}
    classes |= set(service.reactions.reads) if service.reactions else set()
    return frozenset(topic_of_class(event) for event in classes if service_of(event) != service.name)


@asynccontextmanager
async def running_process(service: Service, settings: Settings, health: Health) -> AsyncIterator[ServiceContext]:
    """A process of a service at work; on leaving, workers finish first, then what is being appended, then the pool."""
    stopping = asyncio.Event()
    async with (
        await create_pool(settings.database_url, name=service.name) as pool,
        issuer_client(settings) as client,
    ):
        await _require_fit(pool, settings)
        parts = await _compose(service, settings, health=health, pool=pool, client=client, stopping=stopping)
        for projection in projections_of(service):
            await prepare(pool, projection, settings.company)
        for seed in service.seeds:
            await seed(parts.running.commands)
        workers = asyncio.create_task(run_all(_workers(parts), health, stopping))
        try:
            yield parts.running
        finally:
            stopping.set()
            await workers
            await parts.appender.close()
            await parts.running.commands.close()


async def _require_fit(pool: asyncpg.Pool, settings: Settings) -> None:
    """Refuse a database that this process must not write to, before anything is written."""
    try:
        await check(pool)
        await hold_to(pool, settings.claim_secret.encode())
    except (MigrationError, OtherClaimSecret) as refusal:
        log.error("not-started", reason=str(refusal))
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    service: Service
    running: ServiceContext
    registry: Registry
    appender: GroupCommit


async def _compose(
    service: Service,
    settings: Settings,
    *,
    health: Health,
    pool: asyncpg.Pool,
    client: httpx.AsyncClient,
    stopping: asyncio.Event,
) -> _Parts:
    registry = registry_for(service)
    codec, clock, company = Codec(registry), Clock(), settings.company
    await clock.refresh(pool)
    log, journal = Log(pool, codec, service=service.name), Log(pool, codec)
    arrived, advanced = Wakeup(), Wakeup()
    appender = GroupCommit(pool)
    projections = Projections(pool, projections_of(service), {"log": log, "journal": journal}, company)
    people = Organisation(projections)
    keys = IssuerKeys(fetch_keys(client, settings.oidc_issuer, settings.oidc_jwks_url))
    tokens = Tokens(keys, issuer=settings.oidc_issuer, audience=settings.oidc_audience)
    running = ServiceContext(
        name=service.name,
        settings=settings,
        pool=pool,
        clock=clock,
        health=health,
        log=log,
        journal=journal,
        arrived=arrived,
        advanced=advanced,
        commands=_commands(
            service,
            settings,
            pool=pool,
            appender=appender,
            states=StreamCache(pool, codec),
            codec=codec,
            clock=clock,
            projections=projections,
        ),
        projections=projections,
        arrival=ConsistencyGate(
            pool,
            service.name,
            projections=projections_of(service),
            company=company,
            reactions=service.reactions.checkpoints if service.reactions else (),
            topics=journaled_topics(service, registry),
            log=log,
            journal=journal,
            advanced=advanced,
        ),
        organisation=people,
        authorization=Authenticator(tokens, people.actor, RateLimit(settings.rate_limit), origin=settings.origin),
        cursors=Cursors(settings.claim_secret),
        folding=Bulkhead(FOLDS_AT_ONCE, FOLD_WAIT_SECONDS),
        stopping=stopping,
        feed=_feed(service, settings, health, advanced, projections),
    )
    _readiness(health, running)
    return _Parts(service=service, running=running, registry=registry, appender=appender)


def _commands(
    service: Service,
    settings: Settings,
    *,
    pool: asyncpg.Pool,
    appender: Appender,
    states: StreamLoader,
    codec: Codec,
    clock: Clock,
    projections: Projections,
) -> CommandExecutor:
    return CommandExecutor(
        service.name,
        aggregates=service.families,
        pool=pool,
        appender=appender,
        states=states,
        codec=codec,
        clock=clock,
        company=settings.company,
        claim_secret=settings.claim_secret.encode(),
        provides=service.provides,
        look_up=projections.lookup,
    )


@asynccontextmanager
async def commands_alone(
    service: Service, settings: Settings, *, dry_run: bool = False
) -> AsyncIterator[CommandExecutor]:
    """The commands of a service without its web side and its workers, as an import needs them. What they append is
    published and folded by the service's own processes; in a dry run nothing is appended, nor written otherwise."""
    async with await create_pool(settings.database_url, name=f"{service.name}-commands") as pool:
        await _require_fit(pool, settings)
        codec, clock = Codec(registry_for(service)), Clock()
        appender: GroupCommit | DryAppender = GroupCommit(pool)
        states: StreamLoader = StreamCache(pool, codec)
        if dry_run:
            appender, states = DryAppender(pool), DryStates(StreamCache(pool, codec))
        await clock.refresh(pool)
        for projection in () if dry_run else projections_of(service):
            await prepare(pool, projection, settings.company)
        log, journal = Log(pool, codec, service=service.name), Log(pool, codec)
        projections = Projections(pool, projections_of(service), {"log": log, "journal": journal}, settings.company)
        commands = _commands(
            service,
            settings,
            pool=pool,
            appender=appender,
            states=states,
            codec=codec,
            clock=clock,
            projections=projections,
        )
        try:
            yield commands
        finally:
            await appender.close()
            await commands.close()


def _feed(service: Service, settings: Settings, health: Health, advanced: Wakeup, projections: Projections) -> Feed:
    source = service.feed

    async def read(after: int, limit: int) -> Any:
        return await source.read(projections, after, limit) if source else ((), after)

    async def head() -> int:
        return await source.head(projections) if source else 0

    return Feed(read, head, advanced, gauge=health.metrics.listeners, limit=settings.stream_limit)


def _readiness(health: Health, running: ServiceContext) -> None:
    async def database() -> None:
        await check(running.pool)

    async def claim_secret() -> None:
        await hold_to(running.pool, running.settings.claim_secret.encode())

    async def projections() -> None:
        try:
            async with running.projections.reading():
                pass
        except NotBuilt as lacking:
            raise NotReady(str(lacking)) from lacking

    health.ready("database", database)
    health.ready("claim secret", claim_secret)
    health.ready("projections", projections)


def _workers(parts: _Parts) -> list[Worker]:
    """Everything that a process does beside answering."""
    running = parts.running
    service, settings, pool, health = parts.service, running.settings, running.pool, running.health
    appended = parts.appender.appended
    workers = [
        Worker(name="clock", run=lambda stopping: _follow_clock(running, stopping)),
        _while_reached(running, "retention", lambda stopping: _forget(running, stopping)),
        Worker(
            name="signals",
            run=lambda stopping: _until(
                stopping, listen(settings.database_url, appended, lambda problem: _heard(health, problem))
            ),
        ),
    ]
    if service.aggregates:
        relay = Relay(
            service.name,
            pool,
            running.log,
            Lease(pool, "relay"),
            parts.registry.topics(service.name),
            bootstrap=settings.kafka_bootstrap,
            health=health,
            appended=appended,
            replication=settings.kafka_replication,
            page=settings.relay_page,
        )
        timers = Timers(service.name, pool=pool, commands=running.commands, clock=running.clock, health=running.health)
        workers += [Worker(name="relay", run=relay.run), _once_built(running, "timers", timers.run)]
    topics = journaled_topics(service, parts.registry)
    if topics:
        journal = JournalConsumer(
            service.name,
            pool,
            topics,
            bootstrap=settings.kafka_bootstrap,
            health=health,
            arrived=running.arrived,
            replication=settings.kafka_replication,
            pace=service.pace,
        )
        workers.append(Worker(name="journal", run=journal.run))
    for source in SOURCES:
        workers += _readers(parts, source)
    if service.feed:
        following = _while_reached(running, "feed", running.feed.run)
        workers.append(_once_built(running, following.name, following.run))
    return workers


def _readers(parts: _Parts, source: Source) -> list[Worker]:
    """What works off one log: its projections, and the reactions to it."""
    running = parts.running
    own = source == "log"
    about: Any = {
        "pool": running.pool,
        "log": running.log if own else running.journal,
        "health": running.health,
        "wake": parts.appender.appended if own else running.arrived,
        "advanced": running.advanced,
    }
    workers: list[Worker] = []
    projections = projections_of(parts.service)
    if any(projection.source == source for projection in projections):
        company, pace = running.settings.company, parts.service.pace
        folding = ProjectionRunner(source, projections=projections, company=company, pace=pace, **about)
        workers.append(Worker(name=folding.name, run=folding.run))
    reactions = parts.service.reactions
    if reactions and source in reactions.sources:
        reacting = ReactionRunner(source, reactions=reactions, commands=running.commands, **about)
        workers.append(_once_built(running, reacting.name, reacting.run))
    return workers


def _once_built(running: ServiceContext, name: str, run: Callable[[asyncio.Event], Awaitable[None]]) -> Worker:
    """A worker that asks the views. Until they serve in the revisions of this release, it is left to the processes of
    the release before; and it waits again when they cease to serve, because their journal is read again."""

    async def wait_and_run(stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                async with running.projections.reading():
                    pass
                await run(stopping)
                return
            except NotBuilt:
                await pause(stopping, BUILT_SECONDS)

    return Worker(name=name, run=wait_and_run)


def _while_reached(running: ServiceContext, name: str, run: Callable[[asyncio.Event], Awaitable[None]]) -> Worker:
    """A worker that asks the database seldom, and would not notice by itself that it is away."""

    async def look(stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            await within(ANSWER_SECONDS, running.pool.fetchval("select 1"))
            await pause(stopping, LOOK_SECONDS)

    async def run_and_look(stopping: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(look(stopping))
            await run(stopping)

    return Worker(name=name, run=run_and_look)


def _heard(health: Health, problem: Exception | None) -> None:
    health.report("signals", problem is None, "works" if problem is None else unreachable(problem))


async def _follow_clock(running: ServiceContext, stopping: asyncio.Event) -> None:
    """Take over how far other processes have moved the company clock."""
    while not stopping.is_set():
        await within(ANSWER_SECONDS, running.clock.refresh(running.pool))
        running.health.report("clock", True, "works")
        await pause(stopping, CLOCK_SECONDS)


async def _forget(running: ServiceContext, stopping: asyncio.Event) -> None:
    """Delete first answers to requests that are kept no longer."""
    while not stopping.is_set():
        await forget_old_answers(running.pool)
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
