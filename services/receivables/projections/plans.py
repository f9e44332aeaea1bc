"""The lists of payment plans and of their instalments."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.receivables.domain.plan import payment_plan
from shared.domain.roles import READING
from shared.events.definition import value
from shared.events.envelope import Envelope
from shared.events.money import Money
from shared.events.receivables.payment_plan import InstalmentInvoiced, PlanDrawnUp, PriorInvoiceCounted
from shared.projections.lists import Listing, at_least, at_most, equals, in_currency, in_team
from shared.projections.projection import Projection, ProjectionDatabase
from shared.projections.tables import Row, Table


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
    """Of how many instalments nothing is left to invoice."""
    to_invoice: Money
    """What is left to invoice."""
    drawn_up_at: datetime
    updated_at: datetime


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
    to_invoice: Money
    """What of it is left to invoice."""
    invoiced: bool
    """Whether nothing of it is left to invoice."""
    invoice_id: UUID | None
    invoice_number: str | None
    updated_at: datetime


def _drawn_up(fact: Envelope[PlanDrawnUp], row: Row) -> Row:
    event = fact.data
    return {
        **_whose(event),
        "total": event.total.amount,
        "currency": event.total.currency,
        "instalments": len(event.instalments),
        "invoiced": sum(part.amount.amount == 0 for part in event.instalments),
        "to_invoice": event.total.amount,
        "drawn_up_at": fact.occurred_at,
    }


def _part(fact: Envelope[PlanDrawnUp], row: Row) -> Row:
    event = fact.data
    (part,) = (part for part in event.instalments if _key(event.plan_id, part.number) == row["id"])
    return {
        "plan_id": event.plan_id,
        "number": part.number,
        **_whose(event),
        "amount": part.amount.amount,
        "currency": part.amount.currency,
        "due": part.due,
        "label": part.label,
        "to_invoice": part.amount.amount,
        "invoiced": part.amount.amount == 0,
    }


def _invoiced(fact: Envelope[InstalmentInvoiced], row: Row) -> Row:
    event = fact.data
    return {"to_invoice": 0, "invoiced": True, "invoice_id": event.invoice_id, "invoice_number": event.invoice_number}


def _less(fact: Envelope[PriorInvoiceCounted], row: Row) -> Row:
    """What of an instalment is left after an invoice that history tells."""
    (left,) = (part.left.amount for part in fact.data.instalments if _key(fact.data.plan_id, part.number) == row["id"])
    return {"to_invoice": left, "invoiced": left == 0}


def _whose(event: PlanDrawnUp) -> Row:
    return {
        "contract_id": event.contract_id,
        "account_id": event.account_id,
        "deal_id": event.deal_id,
        "owner": event.owner,
        "team": event.team,
    }


def _parts(fact: Envelope[PlanDrawnUp | InstalmentInvoiced | PriorInvoiceCounted]) -> list[str]:
    """The keys of the instalments that an event is about."""
    event = fact.data
    numbers = [event.number] if isinstance(event, InstalmentInvoiced) else [part.number for part in event.instalments]
    return [_key(event.plan_id, number) for number in numbers]


def _key(plan_id: UUID, number: int) -> str:
    return f"{plan_id}/{number:03}"


PLAN = Table(
    name="plan",
    row=PlanRow,
    events=payment_plan.events,
    # How many have their invoice, and what is left of all, follow from the instalments (`DONE`).
    changes={PlanDrawnUp: _drawn_up},
    indices=("(drawn_up_at, id)", "(contract_id)", "(account_id)"),
)

INSTALMENT = Table(
    name="instalment",
    row=InstalmentRow,
    events=(PlanDrawnUp, InstalmentInvoiced, PriorInvoiceCounted),
    changes={PlanDrawnUp: _part, InstalmentInvoiced: _invoiced, PriorInvoiceCounted: _less},
    keys=_parts,
    indices=("(due, id)",),
)


async def apply(db: ProjectionDatabase, events: Sequence[Envelope[Any]]) -> None:
    """What a batch of events changes in the lists."""
    await PLAN.apply(db, events)
    await INSTALMENT.apply(db, events)
    await db.execute(DONE, [event.aggregate_id for event in events])


DONE = """
update {view}.plan as p set invoiced = i.invoiced, to_invoice = i.to_invoice from (
       select plan_id, count(*) filter (where invoiced) as invoiced, coalesce(sum(to_invoice), 0) as to_invoice
         from {view}.instalment where plan_id = any($1) group by plan_id) as i
 where p.id = i.plan_id"""

# By this the fold itself sums up a plan.
DDL = PLAN.ddl + INSTALMENT.ddl + "create index on {view}.instalment (plan_id);"

PLAN_PROJECTION = Projection(
    name="plans",
    version=5,
    ddl=DDL,
    indices=(*PLAN.index_ddl, *INSTALMENT.index_ddl),
    apply=apply,
    events=tuple(PLAN.events),
)


PLANS = Listing(
    name="payment-plans",
    projection=PLAN_PROJECTION,
    table="plan",
    item=PlanRow,
    key="id",
    filters={
        "contract": equals("contract_id", UUID),
        "account": equals("account_id", UUID),
        "currency": in_currency(),
        "deal": equals("deal_id", UUID),
        "owner": equals("owner", UUID),
        "team": in_team(),
    },
    sorts=("drawn_up_at", "total"),
    default_sort="-drawn_up_at",
    readers=READING,
)

INSTALMENTS = Listing(
    name="instalments",
    projection=PLAN_PROJECTION,
    table="instalment",
    item=InstalmentRow,
    key="id",
    filters={
        "plan": equals("plan_id", UUID),
        "contract": equals("contract_id", UUID),
        "account": equals("account_id", UUID),
        "currency": in_currency(),
        "invoiced": equals("invoiced", bool),
        "due_from": at_least("due", date),
        "due_to": at_most("due", date),
        "owner": equals("owner", UUID),
        "team": in_team(),
    },
    sorts=("due", "amount"),
    default_sort="due",
    readers=READING,
)
