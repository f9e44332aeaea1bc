"""Who works with deals."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from deploy.local.identity import Issuer
from services.deals.app import SERVICE
from shared.directory.organisation import NAME as ORGANISATION
from shared.domain.roles import Role
from shared.http.context import ServiceContext
from shared.ops.ids import new_id
from shared.ops.settings import Settings
from shared.service.build import build
from shared.testing.servers import DatabaseServer
from tests.services.conftest import Everybody
from tests.services.leads.conftest import Desk, House
from tests.shared.http.conftest import Errands
from tests.shared.http.waiting import until

LED = "select from {view}.team where team_id = $1 and manager_id is not null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team, its manager, and two of its reps, known to the deals service."""

    id: str
    rep: str
    other: str
    subjects: tuple[str, str, str]
    """Of the rep, the other rep and the manager."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Both services, and the people who work with them."""

    leads: Errands
    deals: Errands

    @property
    def running(self) -> ServiceContext:
        return self.deals.running

    def somebody(self, role: Role = Role.SALES_OPERATIONS, subject: str = "ops") -> Desk:
        return Desk(client=self.deals.client(role, subject))

    def operations(self) -> Desk:
        """Sales operations in the leads service."""
        return Desk(client=self.leads.client(Role.SALES_OPERATIONS, "ops"))

    async def team(self) -> Team:
        """A new team; the deals service knows it when this returns."""
        subjects = (f"rep-{new_id()}", f"other-{new_id()}", f"manager-{new_id()}")
        team, (rep, other) = await House(service=self.leads).team(subjects[0], subjects[1], manager=subjects[2])

        async def arrived() -> bool:
            people = [await self.running.organisation.actor(subject, ()) for subject in subjects]
            led = await self.running.projections.lookup(ORGANISATION, LED, UUID(team))
            return bool(led) and all(person.teams for person in people)

        await until(arrived, 60)
        return Team(id=team, rep=rep, other=other, subjects=subjects)


@pytest.fixture(scope="session")
def office(everybody: Everybody) -> Office:
    """Both services, migrated and started."""
    return Office(leads=everybody.leads, deals=everybody.deals)


@pytest.fixture(scope="session")
async def team(office: Office) -> Team:
    """The team that most tests work with."""
    return await office.team()


@pytest.fixture
async def alone(postgres: DatabaseServer, issuer: Issuer) -> AsyncIterator[Errands]:
    """The deals service over a database of its own, whose clock may be moved. The broker is away."""
    url = await postgres.create_database("deals", await postgres.migrated())
    settings = replace(
        Settings(service="deals", database_url=url, claim_secret="c" * 32),
        oidc_issuer=issuer.address,
        oidc_jwks_url=f"{issuer.address}/jwks",
        kafka_bootstrap="127.0.0.1:9",
        origin="http://errands.test",
        rate_limit="",
    )
    app = build(SERVICE, settings)
    async with app.router.lifespan_context(app):
        yield Errands(app=app, issuer=issuer, settings=settings)
    await postgres.drop_database(url)
