"""The composition of a running process: pool, logs, write path, projections, and the workers that keep them going."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import structlog

from shared.commands.dry_run import DryAppender, DryStreams
from shared.commands.executor import Appender, CommandExecutor
from shared.deliveries.follower import begin as begin_deliveries
from shared.directory.organisation import NAME as ORGANISATION
from shared.directory.organisation import Organisation
from shared.events.codec import Codec
from shared.eventstore.claim_secret import OtherClaimSecret, hold_to
from shared.eventstore.group_commit import GroupCommit
from shared.eventstore.log import Log
from shared.eventstore.migrate import MigrationError, check
from shared.eventstore.pool import create_pool
from shared.eventstore.streams import StreamCache, StreamLoader
from shared.eventstore.wakeup import Wakeup
from shared.http.authentication import Authenticator, IssuerKeys, Tokens, fetch_keys, issuer_client
from shared.http.context import ServiceContext
from shared.http.rate_limit import RateLimit
from shared.http.sse import Feed
from shared.kafka import layout
from shared.languages.shipped import Languages
from shared.ops.bulkhead import Bulkhead
from shared.ops.clock import Clock
from shared.ops.health import Health, NotReady
from shared.ops.settings import Settings
from shared.projections.builds import prepare
from shared.projections.consistency import ConsistencyGate
from shared.projections.cursors import Cursors
from shared.projections.read_snapshot import NotBuilt, Projections
from shared.projections.readers import CONNECTIONS, READER_LOCK_SECONDS, Readers, readers_alone
from shared.service.definition import Part, Service, journaled_topics, projections_of, providers_of, registry_for
from shared.service.supervision import run_all
from shared.service.workers import Process, workers_of

log = structlog.get_logger(__name__)

FOLDS_AT_ONCE = 2
FOLD_WAIT_SECONDS = 3.0
"""So many answers are folded from events at once, so that neither the loop nor the connections are taken up by them;
the next waits so long for its place."""


@asynccontextmanager
async def running_process(
    service: Service, settings: Settings, health: Health, only: Part | None = None
) -> AsyncIterator[ServiceContext]:
    """A process of a service, or of a part of it, at work; on leaving, workers finish first, then what is being
    appended, then the pool."""
    stopping = asyncio.Event()
    async with (
        await create_pool(settings.database_url, name=service.name) as pool,
        await _pool_of_readers(service, settings) as reading,
        issuer_client(settings) as client,
    ):
        await _require_fit(pool, settings)
        process = await _compose(
            service, settings, health=health, pool=pool, reading=reading, client=client, stopping=stopping
        )
        for projection in projections_of(service):
            await prepare(pool, projection, settings.company)
        if service.outside:
            await begin_deliveries(pool, process.context.log)
        for seed in service.seeds:
            await seed(process.context.commands)
        working = asyncio.create_task(run_all(workers_of(process, only), health, stopping))
        try:
            yield process.context
        finally:
            stopping.set()
            await working
            await process.appender.close()
            await process.context.commands.close()


async def _pool_of_readers(service: Service, settings: Settings) -> asyncpg.Pool:
    """The connections of answers and look-ups: who waits in a table of theirs takes none of commands and workers."""
    name = f"{service.name}-readers"
    return await create_pool(settings.database_url, name=name, size=CONNECTIONS, lock_seconds=READER_LOCK_SECONDS)


async def _require_fit(pool: asyncpg.Pool, settings: Settings) -> None:
    """Refuse a database that this process must not write to, before anything is written."""
    try:
        await check(pool)
        await hold_to(pool, settings.claim_secret.encode())
        await layout.hold_to(pool, settings.kafka_partitions)
    except (MigrationError, OtherClaimSecret, layout.OtherPartitions) as refusal:
        log.error("not-started", reason=str(refusal))
        raise


async def _compose(
    service: Service,
    settings: Settings,
    *,
    health: Health,
    pool: asyncpg.Pool,
    reading: asyncpg.Pool,
    client: httpx.AsyncClient,
    stopping: asyncio.Event,
) -> Process:
    registry = registry_for(service)
    codec, clock, company = Codec(registry), Clock(), settings.company
    await clock.refresh(pool)
    log, journal = Log(pool, codec, service=service.name), Log(pool, codec)
    arrived, advanced = Wakeup(), Wakeup()
    appender = GroupCommit(pool)
    projections = Projections(
        reading,
        projections_of(service),
        {"log": log, "journal": journal},
        company,
        Readers(everybodys={ORGANISATION}, metrics=health.metrics),
    )
    people = Organisation(projections)
    keys = IssuerKeys(fetch_keys(client, settings.oidc_issuer, settings.oidc_jwks_url))
    tokens = Tokens(keys, issuer=settings.oidc_issuer, audience=settings.oidc_audience)
    streams = StreamCache(pool, codec)
    executor = _executors(service, settings, pool=pool, codec=codec, clock=clock, projections=projections)
    context = ServiceContext(
        name=service.name,
        settings=settings,
        languages=Languages(service.catalogues, settings.company_language),
        pool=pool,
        clock=clock,
        health=health,
        log=log,
        journal=journal,
        arrived=arrived,
        advanced=advanced,
        commands=executor(appender, streams),
        dry_run_commands=lambda: executor(DryAppender(pool), DryStreams(streams)),
        projections=projections,
        consistency=ConsistencyGate(
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
        authenticator=Authenticator(tokens, people.actor, RateLimit(settings.rate_limit), origin=settings.origin),
        cursors=Cursors(settings.claim_secret),
        folding=Bulkhead(FOLDS_AT_ONCE, FOLD_WAIT_SECONDS),
        stopping=stopping,
        feed=_feed(service, settings, health, advanced, projections),
    )
    _readiness(health, context)
    return Process(service=service, context=context, registry=registry, appender=appender)


def _executors(
    service: Service,
    settings: Settings,
    *,
    pool: asyncpg.Pool,
    codec: Codec,
    clock: Clock,
    projections: Projections,
) -> Callable[[Appender, StreamLoader], CommandExecutor]:
    """Makes what executes the commands of a service, by what takes its appends and where it loads from."""

    def executor(appender: Appender, streams: StreamLoader) -> CommandExecutor:
        return CommandExecutor(
            aggregates=service.families,
            pool=pool,
            appender=appender,
            streams=streams,
            codec=codec,
            clock=clock,
            company=settings.company,
            claim_secret=settings.claim_secret.encode(),
            provides=providers_of(service),
            knows=service.knows,
            look_up=projections.lookup,
            snapshots=projections.reading,
        )

    return executor


@asynccontextmanager
async def commands_alone(
    service: Service, settings: Settings, *, dry_run: bool = False
) -> AsyncIterator[CommandExecutor]:
    """The commands of a service without its web side and its workers, as an import needs them. What they append is
    published and folded by the service's own processes; in a dry run nothing is appended, nor written otherwise."""
    async with (
        await create_pool(settings.database_url, name=f"{service.name}-commands") as pool,
        await _pool_of_readers(service, settings) as reading,
    ):
        await _require_fit(pool, settings)
        codec, clock = Codec(registry_for(service)), Clock()
        appender: GroupCommit | DryAppender = GroupCommit(pool)
        streams: StreamLoader = StreamCache(pool, codec)
        if dry_run:
            appender, streams = DryAppender(pool), DryStreams(StreamCache(pool, codec))
        await clock.refresh(pool)
        for projection in () if dry_run else projections_of(service):
            await prepare(pool, projection, settings.company)
        log, journal = Log(pool, codec, service=service.name), Log(pool, codec)
        projections = Projections(
            reading,
            projections_of(service),
            {"log": log, "journal": journal},
            settings.company,
            readers_alone({projection.name for projection in projections_of(service)}),
        )
        executor = _executors(service, settings, pool=pool, codec=codec, clock=clock, projections=projections)
        commands = executor(appender, streams)
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


def _readiness(health: Health, context: ServiceContext) -> None:
    async def database() -> None:
        await check(context.pool)

    async def claim_secret() -> None:
        await hold_to(context.pool, context.settings.claim_secret.encode())

    async def projections() -> None:
        try:
            await context.projections.require(context.projections.every)
        except NotBuilt as lacking:
            raise NotReady(str(lacking)) from lacking

    health.ready("database", database)
    health.ready("claim secret", claim_secret)
    health.ready("projections", projections)
