"""Who works with contracts and money."""

from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest

from services.receivables.domain.plan import DrawUpPlan, payment_plan, plan_of
from shared.commands.request import CommandRequest
from shared.domain.context import Actor
from shared.domain.roles import Role
from shared.http.context import ServiceContext
from shared.kafka.partitioning import PARTITIONS
from shared.ops.ids import new_id
from shared.projections.tokens import decode
from tests.services.conftest import Everybody
from tests.services.leads.conftest import Desk, House
from tests.shared.http.conftest import Errands
from tests.shared.http.waiting import until

ITSELF = Actor(subject="test", roles=frozenset({Role.SERVICE}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The services, and the people who work with them."""

    leads: Errands
    deals: Errands
    contracts: Errands
    receivables: Errands

    @property
    def running(self) -> ServiceContext:
        return self.receivables.running

    def seller(self) -> Desk:
        return Desk(client=self.contracts.client(Role.SALES_OPERATIONS, "ops"))

    def lawyer(self) -> Desk:
        return Desk(client=self.contracts.client(Role.LEGAL, "lara"))

    def director(self) -> Desk:
        return Desk(client=self.contracts.client(Role.SALES_DIRECTOR, "dora"))

    def finance(self) -> Desk:
        return Desk(client=self.receivables.client(Role.FINANCE, "fred"))

    async def known(self, answer: httpx.Response) -> UUID:
        """What an answer made; contracts and receivables know of it when this returns."""
        assert answer.status_code in {200, 201}, answer.text
        token = decode(answer.headers["Consistency-Token"], PARTITIONS)
        for service in (self.contracts, self.receivables):
            await service.running.consistency.wait_for(token, service.running.projections.every, 60)
        return UUID(answer.json()["id"])

    async def account(self) -> UUID:
        """A customer."""
        operations = Desk(client=self.leads.client())
        return await self.known(await operations.does("/v1/accounts", {"name": f"Customer {new_id()}"}))

    async def deal(self, role: Role = Role.SALES_OPERATIONS, subject: str = "ops") -> UUID:
        """A deal of somebody's."""
        desk = Desk(client=self.deals.client(role, subject))
        return await self.known(await desk.does("/v1/deals", {"name": f"Deal {new_id()}"}))

    async def team(self) -> tuple[str, str, str]:
        """A new team, which deals and contracts know; the subjects of its two reps and its manager."""
        subjects = (f"rep-{new_id()}", f"other-{new_id()}", f"manager-{new_id()}")
        await House(service=self.leads).team(subjects[0], subjects[1], manager=subjects[2])

        async def arrived() -> bool:
            everywhere = [service.running.organisation for service in (self.deals, self.contracts)]
            people = [await organisation.actor(subject, ()) for organisation in everywhere for subject in subjects]
            return all(person.teams for person in people)

        await until(arrived, 60)
        return subjects

    async def plan(self, command: DrawUpPlan) -> UUID:
        """A plan, drawn up as the reaction does it."""
        plan_id = plan_of(command.contract_id)
        await self.running.commands.execute(CommandRequest(payment_plan, plan_id, command, ITSELF))
        return plan_id


@pytest.fixture(scope="session")
def office(everybody: Everybody) -> Office:
    """All of them, migrated and started."""
    return Office(
        leads=everybody.leads,
        deals=everybody.deals,
        contracts=everybody.contracts,
        receivables=everybody.receivables,
    )
