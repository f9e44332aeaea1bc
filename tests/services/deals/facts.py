"""Facts about one deal that the tests start from."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.deals.domain.choice import ChosenProcess
from services.deals.domain.deal import deal
from services.deals.domain.deal.approval import AllApprovals, PendingApprovals
from services.deals.domain.deal.closing import ContractOfDeal
from services.deals.domain.deal.contacts import KnownContact, KnownContacts
from services.deals.domain.deal.content import NamedContent
from services.deals.domain.deal.corrections import Tellings
from services.deals.domain.deal.history import DealToday
from services.deals.domain.deal.migration import TargetProcess
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.policies import NEXT_STEPS, OPENING_RULES, QUALIFICATION, WINNING
from services.deals.domain.process.piloting import PilotCrew
from services.deals.domain.process.short import SHORT, SHORT_ID
from services.deals.domain.process.state import Process, Version
from services.deals.domain.product import Catalogue, ListedProduct
from services.deals.domain.product_cost import KnownCost
from services.deals.domain.quote.following import QuotesOfDeal
from services.deals.domain.stage_visit.following import VisitsOfDeal
from services.deals.domain.support_request.following import SupportOfDeal
from services.deals.domain.target import PlaceInSplits, Seat
from shared.domain.approval.chain import Approvers
from shared.domain.context import Actor, Company
from shared.domain.policy import InForce
from shared.domain.roles import Role
from shared.domain.working_time.hours import usual_hours
from shared.events.deals.deal import DealNodeCompleted, DealOpened, DueNode
from shared.events.money import Money
from shared.testing.scenario import CONTEXT, Scenario

ID = UUID(int=2)
OWNER, TEAM = UUID(int=7), UUID(int=70)
OTHER, OTHER_TEAM = UUID(int=8), UUID(int=71)
ACCOUNT, LEAD = UUID(int=20), UUID(int=21)
CHAMPION, STRANGER = UUID(int=40), UUID(int=41)
"""Contacts at the account, and at another one."""
SERVER, RETIRED, UNKNOWN = UUID(int=30), UUID(int=31), UUID(int=32)
TODAY = date(2026, 3, 16)
FRIDAY = date(2026, 3, 13)
END_OF_FRIDAY = datetime(2026, 3, 13, 23, 59, 59, 999999, tzinfo=UTC)
REP = Actor(subject="rep", roles=frozenset({Role.REP}), member=OWNER, team=TEAM, teams=frozenset({TEAM}))


def eur(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def yen(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="JPY")


PROCESS = Process(id=SHORT_ID, version=1, definition=SHORT)
CATALOGUE = Catalogue(
    products={
        SERVER: ListedProduct(
            id=SERVER, code="SRV", name="Server", family="Servers", list_price=eur("4800"), active=True
        ),
        RETIRED: ListedProduct(id=RETIRED, code="OLD", name="Old", family=None, list_price=eur("10"), active=False),
    }
)
LOADED: dict[str, Any] = {
    "process": PROCESS,
    "target": TargetProcess(
        id=SHORT_ID,
        versions=tuple(Version(number=number, definition=SHORT, published=True) for number in (1, 2)),
    ),
    "chosen": ChosenProcess(process=PROCESS, rule="default"),
    "catalogue": CATALOGUE,
    "cost": KnownCost(),
    "conversion": Conversion(currency="EUR", factors={}),
    "seat": Seat(team=TEAM),
    "place": PlaceInSplits(),
    "qualification": InForce(default=QUALIFICATION.default_of(Company()), on=TODAY),
    "contacts": KnownContacts(
        of={CHAMPION: KnownContact(account_id=ACCOUNT, team=TEAM), STRANGER: KnownContact(account_id=LEAD)}
    ),
    "tellings": Tellings(),
    "content": NamedContent(version=3),
    "support": SupportOfDeal(),
    "visits": VisitsOfDeal(),
    "winning": InForce(default=WINNING.default_of(Company()), on=TODAY),
    "contract": ContractOfDeal(),
    "quotes": QuotesOfDeal(),
    "next_steps": InForce(default=NEXT_STEPS.default_of(Company()), on=TODAY),
    "approvers": Approvers(),
    "hours": InForce(default=usual_hours(Company().calendar), on=TODAY),
    "pending": PendingApprovals(),
    "every": AllApprovals(),
    "crew": PilotCrew(),
    "today": DealToday(),
    "opening": InForce(default=OPENING_RULES.default_of(Company()), on=TODAY),
}

THE_DEAL = Scenario(aggregate=deal, context=replace(CONTEXT, aggregate_id=ID), loaded=tuple(LOADED.items()))
"""The deal, met by somebody from sales operations on a Monday morning; everything that handlers want is loaded."""

FIRST_NODES = (
    DueNode(key="first-conversation", kind="task", required=True, due=date(2026, 3, 23)),
    DueNode(key="background-research", kind="task", required=False, due=date(2026, 3, 23)),
    DueNode(key="contact-record", kind="deliverable", required=False, due=date(2026, 4, 3)),
)
OPENED = DealOpened(
    deal_id=ID,
    name="Servers for the new plant",
    amount=eur("120000.00"),
    expected_close=date(2026, 6, 30),
    owner=OWNER,
    team=TEAM,
    process_id=SHORT_ID,
    process_name="Short",
    process_version=1,
    process_rule="default",
    stage="initial-contact",
    probability=Decimal("0.10"),
    category="pipeline",
    source="referral",
    nodes=FIRST_NODES,
    on=TODAY,
)
OPENED_FRIDAY = replace(OPENED, on=FRIDAY)
TALKED = DealNodeCompleted(
    deal_id=ID,
    stage="initial-contact",
    key="first-conversation",
    kind="task",
    required=True,
    evidence="Minutes 118",
    due=date(2026, 3, 23),
)
