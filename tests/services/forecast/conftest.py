"""A forecast at work on a database of its own: facts are journaled, projections fold them."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import pytest

from deploy.local.identity import Issuer
from services.forecast.app import SERVICE
from shared.domain.context import Company
from shared.events.codec import Codec
from shared.events.envelope import Envelope
from shared.events.registry import registry_of, topic_of
from shared.eventstore.log import Log
from shared.eventstore.pool import create_pool
from shared.eventstore.wakeup import Wakeup
from shared.http.context import ServiceContext
from shared.ops.health import Health
from shared.ops.metrics import Metrics
from shared.ops.settings import Settings
from shared.projections import builds
from shared.projections.read_snapshot import Projections, ReadSnapshot
from shared.projections.runner import ProjectionRunner
from shared.service.build import build
from shared.service.definition import Service
from shared.testing.servers import DatabaseServer
from tests.shared.http.conftest import Errands, issuer

__all__ = ["issuer"]

COMPANY = Company(timezone="Europe/Berlin")
CODEC = Codec(registry_of())
PATIENCE_SECONDS = 60.0

READ_MODELS = tuple(projection for projection in SERVICE.projections if projection.source == "journal")
"""What is folded from topics; what forecast tells by itself is not at work in the fixture `forecast`."""

INSERT = """
    insert into journal (topic, partition, source_position, aggregate_id, aggregate, sequence, event_id, type, version,
        occurred_at, by_day, recorded_at, actor, correlation_id, causation_id, imported, fact, traceparent, data)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The read side of forecast."""

    pool: asyncpg.Pool
    journal: Log
    projections: Projections
    arrived: Wakeup
    advanced: Wakeup

    async def journal_facts(self, facts: Iterable[Envelope[Any]]) -> None:
        """Journal facts in this order, and wait until every projection has them."""
        await journaled(self, facts)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadSnapshot]:
        """All projections on one snapshot."""
        async with self.projections.reading(self.projections.every) as reading:
            yield reading


async def journaled(there: "Forecast | ServiceContext", facts: Iterable[Envelope[Any]]) -> None:
    """Journal facts in this order, and wait until every projection has them."""
    await arrived(there, facts)
    head = await there.journal.head()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            seen = there.advanced.count
            async with there.projections.reading(there.projections.every) as reading:
                if reading.position >= head:
                    return
            await there.advanced.wait(seen, 0.5)


async def arrived(there: "Forecast | ServiceContext", facts: Iterable[Envelope[Any]]) -> None:
    """Journal facts in this order, and wait for nobody."""
    rows = [_row(fact, place) for place, fact in enumerate(facts, start=1 + await there.journal.head())]
    async with there.pool.acquire() as connection, connection.transaction():
        await connection.executemany(INSERT, rows)
    there.arrived.notify()


def _row(fact: Envelope[Any], place: int) -> tuple[Any, ...]:
    about = (topic_of(fact.service, fact.aggregate), fact.partition, place)
    named = (fact.aggregate_id, fact.aggregate, fact.sequence, fact.id, fact.type, fact.version)
    caused = (fact.actor, fact.correlation_id, fact.causation_id, fact.imported, fact.fact, fact.traceparent)
    return (
        *about,
        *named,
        fact.occurred_at,
        fact.by_day,
        fact.recorded_at,
        *caused,
        CODEC.encode(fact.data).data.decode(),
    )


@pytest.fixture
async def forecast(postgres: DatabaseServer) -> AsyncIterator[Forecast]:
    """Forecast on a fresh database."""
    url = await postgres.create_database("forecast", await postgres.migrated())
    stopping, arrived, advanced = asyncio.Event(), Wakeup(), Wakeup()
    async with await create_pool(url, name="forecast-test") as pool:
        log, journal = Log(pool, CODEC, service="forecast"), Log(pool, CODEC)
        for projection in READ_MODELS:
            await builds.prepare(pool, projection, COMPANY)
        runner = ProjectionRunner(
            "journal",
            pool=pool,
            log=journal,
            projections=READ_MODELS,
            company=COMPANY,
            health=Health(Metrics.of("forecast")),
            wake=arrived,
            advanced=advanced,
        )
        work = asyncio.create_task(runner.run(stopping))
        projections = Projections(pool, READ_MODELS, {"log": log, "journal": journal}, COMPANY)
        yield Forecast(pool=pool, journal=journal, projections=projections, arrived=arrived, advanced=advanced)
        stopping.set()
        arrived.notify()
        await work
    await postgres.drop_database(url)


@asynccontextmanager
async def serving(service: Service, postgres: DatabaseServer, issuer: Issuer) -> AsyncIterator[Errands]:
    """Forecast, as this says what it consists of, at work on an empty database. The broker is away."""
    url = await postgres.create_database("forecast", await postgres.migrated())
    settings = replace(
        Settings(service="forecast", database_url=url, claim_secret="c" * 32),
        oidc_issuer=issuer.address,
        oidc_jwks_url=f"{issuer.address}/jwks",
        kafka_bootstrap="127.0.0.1:9",
        rate_limit="",
    )
    app = build(service, settings)
    async with app.router.lifespan_context(app):
        yield Errands(app=app, issuer=issuer, settings=settings)
    await postgres.drop_database(url)


@pytest.fixture(scope="module")
async def served(postgres: DatabaseServer, issuer: Issuer) -> AsyncIterator[Errands]:
    """Forecast at work on an empty database. The broker is away."""
    async with serving(SERVICE, postgres, issuer) as there:
        yield there
