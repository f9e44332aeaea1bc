"""Contracts and receivables at work, each over a database of its own, with a broker between them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from deploy.local.identity import Issuer
from services.contracts.app import SERVICE as CONTRACTS
from services.receivables.app import SERVICE as RECEIVABLES
from services.receivables.domain.plan import DrawUpPlan, payment_plan, plan_of
from shared.domain.context import Actor
from shared.domain.roles import Role
from shared.ops.settings import Settings
from shared.store.migrate import migrate
from shared.testing.servers import DatabaseServer
from shared.web.running import Running
from shared.web.service import Service, build
from tests.services.leads.conftest import Desk
from tests.shared.web.conftest import Errands, issuer

__all__ = ["issuer"]

ITSELF = Actor(subject="test", roles=frozenset({Role.SERVICE}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Both services, and the people who work with them."""

    contracts: Errands
    receivables: Errands

    @property
    def running(self) -> Running:
        return self.receivables.running

    def seller(self) -> Desk:
        return Desk(client=self.contracts.client(Role.SALES_OPERATIONS, "ops"))

    def lawyer(self) -> Desk:
        return Desk(client=self.contracts.client(Role.LEGAL, "lara"))

    def finance(self) -> Desk:
        return Desk(client=self.receivables.client(Role.FINANCE, "fred"))

    async def plan(self, command: DrawUpPlan) -> UUID:
        """A plan, drawn up as the reaction does it."""
        plan_id = plan_of(command.contract_id)
        await self.running.commands.execute(payment_plan, plan_id, command, ITSELF)
        return plan_id


@asynccontextmanager
async def at_work(service: Service, postgres: DatabaseServer, issuer: Issuer, kafka: str) -> AsyncIterator[Errands]:
    url = await postgres.create_database(service.name, await postgres.template("web", migrate))
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


@pytest.fixture(scope="session")
async def office(postgres: DatabaseServer, kafka: str, issuer: Issuer) -> AsyncIterator[Office]:
    """Both services, migrated and started."""
    async with AsyncExitStack() as stack:
        contracts = await stack.enter_async_context(at_work(CONTRACTS, postgres, issuer, kafka))
        receivables = await stack.enter_async_context(at_work(RECEIVABLES, postgres, issuer, kafka))
        yield Office(contracts=contracts, receivables=receivables)
