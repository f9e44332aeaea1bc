"""The leads service at work, over a database of its own. The broker is away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from deploy.local.identity import Issuer
from services.leads.app import SERVICE
from shared.domain.roles import Role
from shared.ops.ids import new_id
from shared.ops.settings import Settings
from shared.projections.tokens import PartitionPosition, token_for
from shared.service.build import build
from shared.testing.servers import DatabaseServer
from tests.described import as_described
from tests.shared.http import conftest as web

issuer = web.issuer


PATIENCE_SECONDS = 60


async def patiently(ask: Callable[[], Awaitable[httpx.Response]], headers: Mapping[str, str]) -> httpx.Response:
    """An answer that waits for what a token stands for: asked again on 503, as clients do, for a busy machine takes
    longer than a service waits."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            answer = await ask()
            if answer.status_code != 503 or "Consistency-Token" not in headers:
                return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Somebody at work with the service."""

    client: httpx.AsyncClient

    async def does(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        """A command, under a key of its own."""
        sent = {"Idempotency-Key": str(new_id()), **headers}
        return await patiently(lambda: self.client.post(path, json=body or {}, headers=sent), sent)

    async def makes(self, path: str, body: dict[str, Any] | None = None) -> str:
        """A command that has to succeed; gives the id."""
        response = await self.does(path, body)
        assert response.status_code in (200, 201), response.text
        return str(response.json()["id"])

    async def sees(self, path: str, **query: str) -> Any:
        """What is there; it has to be."""
        response = await self.client.get(path, params=query)
        assert response.status_code == 200, response.text
        return as_described(path, response.json())

    async def status(self, path: str) -> int:
        """How a read ends."""
        return (await self.client.get(path)).status_code


QUALIFIED = {
    "need_stated": True,
    "budget": {"amount": "650000.00", "currency": "EUR"},
    "decision_chain_known": True,
}


def unique(name: str) -> str:
    return f"{name}-{new_id().hex[-12:]}"


def address() -> str:
    return f"{unique('ada')}@northwind.example"


async def ready_lead(desk: Desk, **fields: Any) -> str:
    """A lead that can be converted."""
    lead = await desk.makes("/v1/leads", {"source": "fair", "person_name": "Ada Moreno", **fields})
    await desk.makes(f"/v1/leads/{lead}/note-qualification", QUALIFIED)
    return lead


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The service, and the people who work with it."""

    service: web.Errands

    def somebody(self, role: Role = Role.SALES_OPERATIONS, subject: str = "ops") -> Desk:
        return Desk(client=self.service.client(role, subject))

    async def team(self, *subjects: str, manager: str | None = None, capacity: int = 30) -> tuple[str, list[str]]:
        """A team with reps of these subjects (made unique), and a manager; gives the team's id and the members'."""
        ops = self.somebody()
        team = await ops.makes("/v1/teams", {"name": f"Team of {', '.join(subjects)}"})
        reps = [
            await ops.makes(
                "/v1/members",
                {"subject": subject, "name": subject, "role": "rep", "team_id": team, "capacity": capacity},
            )
            for subject in subjects
        ]
        if manager is not None:
            leads = await ops.makes(
                "/v1/members", {"subject": manager, "name": manager, "role": "manager", "team_id": team}
            )
            await ops.makes(f"/v1/teams/{team}/appoint-manager", {"member_id": leads})
        await self.settled()
        return team, reps

    async def settled(self) -> None:
        """The projections hold everything that was done."""
        running = self.service.running
        newest = token_for("leads", [PartitionPosition("leads.team.v1", 0, await running.log.head())])
        await running.consistency.wait_for(newest, running.projections.every, 10)


@pytest.fixture(scope="session")
async def settings(postgres: DatabaseServer, issuer: Issuer) -> AsyncIterator[Settings]:
    """A migrated database, and who is trusted."""
    url = await postgres.create_database("leads", await postgres.migrated())
    yield replace(
        Settings(service="leads", database_url=url, claim_secret="c" * 32),
        oidc_issuer=issuer.address,
        oidc_jwks_url=f"{issuer.address}/jwks",
        kafka_bootstrap="127.0.0.1:9",
        origin="http://errands.test",
        rate_limit="",
    )
    await postgres.drop_database(url)


@pytest.fixture(scope="session")
async def house(settings: Settings, issuer: Issuer) -> AsyncIterator[House]:
    """The service at work."""
    app = build(SERVICE, settings)
    async with app.router.lifespan_context(app):
        yield House(service=web.Errands(app=app, issuer=issuer, settings=settings))


@pytest.fixture
async def alone(postgres: DatabaseServer, settings: Settings, issuer: Issuer) -> AsyncIterator[House]:
    """The service over a database of its own, whose clock may be moved."""
    url = await postgres.create_database("leads", await postgres.migrated())
    own = replace(settings, database_url=url)
    app = build(SERVICE, own)
    async with app.router.lifespan_context(app):
        yield House(service=web.Errands(app=app, issuer=issuer, settings=own))
    await postgres.drop_database(url)


@pytest.fixture
async def replica(house: House, issuer: Issuer) -> AsyncIterator[House]:
    """The service once more, on the same database."""
    app = build(SERVICE, house.service.settings)
    async with app.router.lifespan_context(app):
        yield House(service=web.Errands(app=app, issuer=issuer, settings=house.service.settings))
