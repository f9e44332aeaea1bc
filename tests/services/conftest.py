"""The services of a sale at work with forecast, each over a database of its own, with a broker between them.

There is one of each for all tests: two of a kind would write one topic from two logs.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from deploy.local.identity import Issuer
from services.contracts.app import SERVICE as CONTRACTS
from services.deals.app import SERVICE as DEALS
from services.forecast.app import SERVICE as FORECAST
from services.leads.app import SERVICE as LEADS
from services.receivables.app import SERVICE as RECEIVABLES
from shared.ops.settings import Settings
from shared.service.build import build
from shared.service.definition import Service
from shared.testing.servers import DatabaseServer
from tests.shared.http.conftest import Errands, issuer

__all__ = ["issuer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Everybody:
    """The services."""

    leads: Errands
    deals: Errands
    contracts: Errands
    receivables: Errands
    forecast: Errands


@pytest.fixture(scope="session")
async def everybody(postgres: DatabaseServer, kafka: str, issuer: Issuer) -> AsyncIterator[Everybody]:
    """All of them, migrated and started."""
    async with AsyncExitStack() as stack:
        leads, deals, contracts, receivables, forecast = [
            await stack.enter_async_context(at_work(service, postgres, issuer, kafka))
            for service in (LEADS, DEALS, CONTRACTS, RECEIVABLES, FORECAST)
        ]
        yield Everybody(leads=leads, deals=deals, contracts=contracts, receivables=receivables, forecast=forecast)


@asynccontextmanager
async def at_work(service: Service, postgres: DatabaseServer, issuer: Issuer, kafka: str) -> AsyncIterator[Errands]:
    url = await postgres.create_database(service.name, await postgres.migrated())
    settings = replace(
        Settings(service=service.name, database_url=url, claim_secret="c" * 32),
        oidc_issuer=issuer.address,
        oidc_jwks_url=f"{issuer.address}/jwks",
        kafka_bootstrap=kafka,
        origin="http://errands.test",
        development=True,
        rate_limit="",
    )
    app = build(service, settings)
    async with app.router.lifespan_context(app):
        yield Errands(app=app, issuer=issuer, settings=settings)
    await postgres.drop_database(url)
