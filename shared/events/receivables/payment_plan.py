"""Events of a payment plan: the instalments of a contract."""

from datetime import date
from uuid import UUID

from shared.events.definition import AsKnown, event, value
from shared.events.money import Money


@value
class Instalment:
    """One part of a payment plan."""

    number: int
    amount: Money
    due: date
    label: str | None = None


@event("receivables.plan-drawn-up", aggregate="payment-plan")
class PlanDrawnUp:
    """A contract's total is to be paid in these instalments, which add up to it (REC-1)."""

    plan_id: UUID
    contract_id: UUID
    account_id: UUID
    total: Money
    instalments: tuple[Instalment, ...]
    deal_id: UUID | None = None
    owner: UUID | None = None
    team: UUID | None = None
    on: date | None = None
    """The day on which the contract came into force; no invoice of the plan is dated before it."""


@event("receivables.instalment-invoiced", aggregate="payment-plan")
class InstalmentInvoiced:
    """What was left of an instalment has its invoice."""

    plan_id: UUID
    number: int
    invoice_id: UUID
    invoice_number: str
    on: date | None = None
    legal_entity: str | None = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@value
class InstalmentLeft:
    """What of an instalment is left to invoice."""

    number: int
    left: Money


@event("receivables.prior-invoice-counted", aggregate="payment-plan")
class PriorInvoiceCounted:
    """An invoice that history tells of the contract was counted against the plan: so much less is left to invoice."""

    plan_id: UUID
    invoice_id: UUID
    invoice_number: str
    amount: Money
    on: date
    instalments: tuple[InstalmentLeft, ...] = ()
    """The instalments of which less is left now."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
