"""What the tests of leads have in common: people, teams, and histories to begin from."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.leads.domain.lead import lead
from services.leads.domain.policies import FOLLOW_UPS, WORKING_HOURS
from services.leads.domain.reminders import OwnerToday, RemindedToday
from shared.domain.aggregate import Aggregate
from shared.domain.policy import InForce
from shared.events.leads.account import AccountOpened, ContactAdded
from shared.events.leads.lead import (
    LeadActivityLogged,
    LeadAssigned,
    LeadCaptured,
    LeadConverted,
    LeadDisqualified,
    LeadErased,
    LeadMarkedDuplicate,
    LeadQualificationNoted,
)
from shared.events.leads.member import MemberJoined
from shared.events.leads.team import TeamFormed
from shared.events.money import Money
from shared.testing.scenario import CONTEXT, NOW, SOMEBODY, Scenario, scenario

HERE = CONTEXT.aggregate_id
"""The aggregate that a scenario's command is addressed to."""

SOUTH, NORTH = UUID(int=70), UUID(int=71)
ROSA, SAM, TEA = UUID(int=11), UUID(int=12), UUID(int=13)
OTHER = UUID(int=99)
EARLIER = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)
TODAY = NOW.date()


def after(aggregate: Aggregate, *events: Any) -> Any:
    """The state after a history."""
    return aggregate.fold(events)


def euros(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


formed = TeamFormed(team_id=HERE, name="South")
joined = MemberJoined(member_id=HERE, subject="rosa.diaz", name="Rosa Diaz", role="rep", team_id=SOUTH)

captured = LeadCaptured(
    lead_id=HERE,
    source="website",
    person_name="Ada Moreno",
    email="ada@northwind.example",
    phone="+4930901820",
    title="Head of production",
    interest="Wants to see the new line.",
    company_name="Northwind Tooling",
    company_domain="northwind.example",
    industry="manufacturing",
    company_size=420,
    country="DE",
    captured_at=EARLIER,
)
assigned = LeadAssigned(lead_id=HERE, team_id=SOUTH, member_id=ROSA, rule="given-team", candidates=(ROSA, SAM))
qualified = LeadQualificationNoted(lead_id=HERE, need_stated=True, budget=euros("500000.00"), decision_chain_known=True)

opened = AccountOpened(
    account_id=HERE, name="Northwind Tooling", domain="northwind.example", country="DE", owner=ROSA, team=SOUTH
)
ada = ContactAdded(
    account_id=HERE,
    contact_id=UUID(int=21),
    buying_role="champion",
    name="Ada Moreno",
    email="ada@northwind.example",
    phone="+4930901820",
    title="Head of production",
)

called = LeadActivityLogged(
    lead_id=HERE,
    activity_id=UUID(int=31),
    kind="call",
    by=SOMEBODY.member,
    on=TODAY,
    minutes=12,
    outcome="reached",
    note="Call back.",
)
duplicate = LeadMarkedDuplicate(
    lead_id=HERE, original_id=OTHER, original_kind="lead", matched_on="email", score=Decimal(1)
)
converted = LeadConverted(
    lead_id=HERE,
    account_id=OTHER,
    contact_id=UUID(int=21),
    captured_at=EARLIER,
    source="website",
    owner=ROSA,
    team=SOUTH,
    industry="manufacturing",
    company_size=420,
    country="DE",
)
given_up = LeadDisqualified(lead_id=HERE, reason="no-budget", note="Frozen.")
erased = LeadErased(lead_id=HERE)


def reminding() -> Scenario:
    """A lead of Rosa's, whose follow-ups are reminded of by the rules that count as long as nobody sets any."""
    company = CONTEXT.company
    return (
        scenario(lead)
        .given(captured, assigned)
        .knowing(
            follow_ups=InForce(default=FOLLOW_UPS.default_of(company), on=TODAY),
            hours=InForce(default=WORKING_HOURS.default_of(company), on=TODAY),
            owner=OwnerToday(),
            reminded=RemindedToday(),
        )
    )
