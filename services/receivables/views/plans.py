"""The lists of payment plans and of their instalments."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.domain.money import Money
from shared.domain.roles import READING
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.events.receivables import InstalmentInvoiced, PlanDrawnUp
from shared.views.lists import Listing, at_least, at_most, equals
from shared.views.view import View, ViewDatabase

DDL = """
create table {view}.plan (
    id uuid primary key,
    contract_id uuid not null,
    account_id uuid not null,
    deal_id uuid,
    owner uuid,
    team uuid,
    total numeric not null,
    currency text not null,
    instalments integer not null,
    invoiced integer not null default 0,
    drawn_up_at timestamptz not null
);
create index on {view}.plan (drawn_up_at, id);
create index on {view}.plan (contract_id);
create index on {view}.plan (account_id);
create table {view}.instalment (
    id text primary key,
    plan_id uuid not null,
    number integer not null,
    contract_id uuid not null,
    account_id uuid not null,
    deal_id uuid,
    owner uuid,
    team uuid,
    amount numeric not null,
    currency text not null,
    due date not null,
    label text,
    invoiced boolean not null default false,
    invoice_id uuid,
    invoice_number text
);
create index on {view}.instalment (due, id);
create index on {view}.instalment (plan_id);
"""

PLAN = """
insert into {view}.plan
    (id, contract_id, account_id, deal_id, owner, team, total, currency, instalments, drawn_up_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
INSTALMENT = """
insert into {view}.instalment
    (id, plan_id, number, contract_id, account_id, deal_id, owner, team, amount, currency, due, label)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
INSTALMENT_INVOICED = """
update {view}.instalment set invoiced = true, invoice_id = $2, invoice_number = $3 where id = $1
"""
ONE_MORE_INVOICED = "update {view}.plan set invoiced = invoiced + 1 where id = $1"


async def apply(db: ViewDatabase, events: Sequence[Envelope[Any]]) -> None:
    """What a batch of events changes in the lists."""
    drawn_up = [fact for fact in events if isinstance(fact.data, PlanDrawnUp)]
    await db.executemany(PLAN, [_plan(fact.data, fact.occurred_at) for fact in drawn_up])
    await db.executemany(INSTALMENT, [row for fact in drawn_up for row in _instalments(fact.data)])
    invoiced = [fact.data for fact in events if isinstance(fact.data, InstalmentInvoiced)]
    await db.executemany(
        INSTALMENT_INVOICED,
        [(_key(event.plan_id, event.number), event.invoice_id, event.invoice_number) for event in invoiced],
    )
    await db.executemany(ONE_MORE_INVOICED, [(event.plan_id,) for event in invoiced])


def _plan(event: PlanDrawnUp, at: datetime) -> tuple[Any, ...]:
    total = (event.total.amount, event.total.currency)
    return (event.plan_id, *_whose(event), *total, len(event.instalments), at)


def _instalments(event: PlanDrawnUp) -> list[tuple[Any, ...]]:
    return [
        (
            _key(event.plan_id, part.number),
            event.plan_id,
            part.number,
            *_whose(event),
            part.amount.amount,
            part.amount.currency,
            part.due,
            part.label,
        )
        for part in event.instalments
    ]


def _whose(event: PlanDrawnUp) -> tuple[UUID | None, ...]:
    return event.contract_id, event.account_id, event.deal_id, event.owner, event.team


def _key(plan_id: UUID, number: int) -> str:
    return f"{plan_id}/{number:03}"


PLAN_VIEW = View(name="plans", version=2, ddl=DDL, apply=apply, events=(PlanDrawnUp, InstalmentInvoiced))


@value
class PlanRow:
    """A payment plan in the list."""

    id: UUID
    contract_id: UUID
    account_id: UUID
    deal_id: UUID | None
    owner: UUID | None
    team: UUID | None
    total: Money
    instalments: int
    invoiced: int
    """How many instalments have their invoice."""
    drawn_up_at: datetime


@value
class InstalmentRow:
    """An instalment in the list."""

    id: str
    """The plan's id and the number."""
    plan_id: UUID
    number: int
    contract_id: UUID
    account_id: UUID
    deal_id: UUID | None
    owner: UUID | None
    team: UUID | None
    amount: Money
    due: date
    label: str | None
    invoiced: bool
    invoice_id: UUID | None
    invoice_number: str | None


PLANS = Listing(
    name="payment-plans",
    view=PLAN_VIEW,
    table="plan",
    item=PlanRow,
    key="id",
    filters={
        "contract": equals("contract_id", UUID),
        "account": equals("account_id", UUID),
        "deal": equals("deal_id", UUID),
        "owner": equals("owner", UUID),
        "team": equals("team", UUID),
    },
    sorts=("drawn_up_at", "total"),
    default_sort="-drawn_up_at",
    readers=READING,
)

INSTALMENTS = Listing(
    name="instalments",
    view=PLAN_VIEW,
    table="instalment",
    item=InstalmentRow,
    key="id",
    filters={
        "plan": equals("plan_id", UUID),
        "contract": equals("contract_id", UUID),
        "account": equals("account_id", UUID),
        "invoiced": equals("invoiced", bool),
        "due_from": at_least("due", date),
        "due_to": at_most("due", date),
        "owner": equals("owner", UUID),
        "team": equals("team", UUID),
    },
    sorts=("due", "amount"),
    default_sort="due",
    readers=READING,
)
