"""A payment plan: when which part of a contract's total falls due (REC-1)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated
from uuid import UUID, uuid5

from annotated_types import MaxLen, MinLen

from services.receivables.domain.ledger.state import OpenLedger
from shared.domain.aggregate import Aggregate, Decision, Occurrence
from shared.domain.context import Context
from shared.domain.fields import Day
from shared.domain.money import check_money, split
from shared.domain.references import AccountId, ContractId, DealId, MemberId, TeamId
from shared.domain.rejection import Reason, refuse_all
from shared.domain.roles import ONLY_SERVICES, READING
from shared.events.contracts.contract import PaymentTerm
from shared.events.definition import value
from shared.events.money import Money
from shared.events.receivables.payment_plan import (
    Instalment,
    InstalmentInvoiced,
    InstalmentLeft,
    PlanDrawnUp,
    PriorInvoiceCounted,
)


@value
class NoPlan:
    """The contract has no plan."""


@value
class PlannedInstalment:
    """An instalment, and its invoice once there is one."""

    number: int
    amount: Money
    due: date
    left: Money
    """What of it is left to invoice."""
    label: str | None = None
    invoice_id: UUID | None = None
    invoice_number: str | None = None
    invoiced_on: date | None = None
    legal_entity: str | None = None


@value
class DrawnUpPaymentPlan:
    """The plan of a contract in force."""

    id: UUID
    contract_id: UUID
    account_id: UUID
    total: Money
    instalments: tuple[PlannedInstalment, ...]
    deal_id: UUID | None = None
    owner: UUID | None = None
    team: UUID | None = None
    in_force_on: date | None = None
    """The day on which the contract came into force."""
    prior_invoices: tuple[UUID, ...] = ()
    """The invoices that history tells of the contract, as far as they were counted."""

    def instalment(self, number: int) -> PlannedInstalment | None:
        """The instalment of a number."""
        return next((instalment for instalment in self.instalments if instalment.number == number), None)


@value
class DrawUpPlan:
    """Draw up the payment plan of a contract in force."""

    contract_id: ContractId
    account_id: AccountId
    total: Money
    payment_terms: Annotated[tuple[PaymentTerm, ...], MinLen(1), MaxLen(60)]
    on: Day
    """The day on which the contract came into force; terms count from it."""
    deal_id: DealId | None = None
    owner: MemberId | None = None
    team: TeamId | None = None


payment_plan = Aggregate("payment-plan", plural="payment-plans", start=NoPlan, readers=READING)


def plan_of(contract_id: UUID) -> UUID:
    """The id of a contract's plan."""
    return uuid5(contract_id, "plan")


@payment_plan.decides(allow=ONLY_SERVICES)
def draw_up(state: NoPlan, command: DrawUpPlan, context: Context, books: OpenLedger) -> Decision:
    """Divide the contract's total into instalments that add up to it, to the currency's smallest unit. What history
    tells was invoiced of the contract before is not left to invoice."""
    refuse_all("invalid-payment-plan", "The payment plan is invalid.", list(_faults(command)))
    total = check_money(command.total, "total")
    drawn_up = PlanDrawnUp(
        plan_id=context.aggregate_id,
        contract_id=command.contract_id,
        account_id=command.account_id,
        total=total,
        instalments=instalments_of(total, command.payment_terms, command.on),
        deal_id=command.deal_id,
        owner=command.owner,
        team=command.team,
        on=command.on,
    )
    plan = drawn_up_plan(NoPlan(), drawn_up)
    prior = [Occurrence(event=event) for event in prior_invoices(plan, books)]
    return [Occurrence(event=drawn_up, at=context.moment(command.on)), *prior]


@payment_plan.already
def is_drawn_up(state: DrawnUpPaymentPlan, command: DrawUpPlan) -> bool:
    if command.total.currency != state.total.currency or any(_faults(command)):
        return False
    planned = tuple((part.amount, part.due, part.label) for part in state.instalments)
    asked = instalments_of(command.total, command.payment_terms, command.on)
    return planned == tuple((part.amount, part.due, part.label) for part in asked)


@payment_plan.evolves
def drawn_up_plan(state: NoPlan, event: PlanDrawnUp) -> DrawnUpPaymentPlan:
    return DrawnUpPaymentPlan(
        id=event.plan_id,
        contract_id=event.contract_id,
        account_id=event.account_id,
        total=event.total,
        instalments=tuple(
            PlannedInstalment(number=part.number, amount=part.amount, due=part.due, left=part.amount, label=part.label)
            for part in event.instalments
        ),
        deal_id=event.deal_id,
        owner=event.owner,
        team=event.team,
        in_force_on=event.on,
    )


@payment_plan.evolves
def prior_invoice_counted(state: DrawnUpPaymentPlan, event: PriorInvoiceCounted) -> DrawnUpPaymentPlan:
    left = {each.number: each.left for each in event.instalments}
    return replace(
        state,
        instalments=tuple(replace(part, left=left.get(part.number, part.left)) for part in state.instalments),
        prior_invoices=(*state.prior_invoices, event.invoice_id),
    )


@payment_plan.evolves
def invoiced(state: DrawnUpPaymentPlan, event: InstalmentInvoiced) -> DrawnUpPaymentPlan:
    def after(part: PlannedInstalment) -> PlannedInstalment:
        if part.number != event.number:
            return part
        return replace(
            part,
            left=part.left - part.left,
            invoice_id=event.invoice_id,
            invoice_number=event.invoice_number,
            invoiced_on=event.on,
            legal_entity=event.legal_entity,
        )

    return replace(state, instalments=tuple(after(part) for part in state.instalments))


def instalments_of(total: Money, terms: Sequence[PaymentTerm], start: date) -> tuple[Instalment, ...]:
    """The parts of a total: shares by largest remainder (REC-1), each due its days after the start."""
    parts = split(total, [term.ratio for term in terms])
    return tuple(
        Instalment(number=number, amount=part, due=start + timedelta(days=term.days), label=term.label)
        for number, (part, term) in enumerate(zip(parts, terms, strict=True), start=1)
    )


def _faults(command: DrawUpPlan) -> Iterator[Reason]:
    if command.total.amount < 0:
        yield Reason(code="negative", message="A plan divides a total of zero or more.", field="total.amount")
    ratios = [term.ratio for term in command.payment_terms]
    if not all(ratio.is_finite() and ratio > 0 for ratio in ratios) or sum(ratios) != 1:
        message = "The instalments are shares above 0 that add up to the total."
        yield Reason(code="does-not-add-up", message=message, field="payment_terms")


def prior_invoices(plan: DrawnUpPaymentPlan, books: OpenLedger) -> Iterator[PriorInvoiceCounted]:
    """The invoices of history that are for the plan's contract and were not counted yet: each takes from what is left
    of the instalments, in their order."""
    for invoice in books.invoices:
        is_prior = invoice.outside_id is not None and invoice.contract_id == plan.contract_id
        if is_prior and invoice.id not in plan.prior_invoices:
            event = counted(plan, invoice.id, invoice.number, invoice.amount, invoice.on)
            yield event
            plan = prior_invoice_counted(plan, event)


def counted(plan: DrawnUpPaymentPlan, invoice_id: UUID, number: str, amount: Money, on: date) -> PriorInvoiceCounted:
    """The fact that an invoice of history takes from what is left of a plan."""
    return PriorInvoiceCounted(
        plan_id=plan.id,
        invoice_id=invoice_id,
        invoice_number=number,
        amount=amount,
        on=on,
        instalments=tuple(_less(plan, amount)),
    )


def _less(plan: DrawnUpPaymentPlan, amount: Money) -> Iterator[InstalmentLeft]:
    for part in plan.instalments:
        taken = min(part.left, amount, key=lambda money: money.amount)
        if taken.amount > 0:
            amount = amount - taken
            yield InstalmentLeft(number=part.number, left=part.left - taken)
