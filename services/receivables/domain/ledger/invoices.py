"""How an invoice enters a ledger, and becomes overdue (REC-2)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from services.receivables.domain.ledger.allocation import use_credit
from services.receivables.domain.ledger.holdings import LedgerInvoice
from services.receivables.domain.ledger.state import NoLedger, OpenLedger, empty, holding, invoice_in, ledger
from shared.domain.aggregate import Fact, Timer
from shared.domain.calendar import LAST_DAY
from shared.domain.context import Context, Moment
from shared.domain.rejection import Rejected
from shared.domain.roles import ONLY_SERVICES
from shared.events.definition import value
from shared.events.receivables import InvoiceIssued, InvoiceOverdue

INSTANT = timedelta(microseconds=1)


@value
class MarkOverdue:
    """Note which invoices were not settled by their due date."""


def enter(state: OpenLedger, invoice: InvoiceIssued, context: Context) -> list[Fact]:
    """An invoice that enters the ledger, and the standing credit that settles it at once."""
    if invoice.due > LAST_DAY:
        raise Rejected("out-of-range", f"An invoice falls due by {LAST_DAY}.", field="due")
    issued = replace(invoice, overdue_from=context.company.end_of(invoice.due) + INSTANT)
    allocations = use_credit(state, _entered(issued))
    return [
        Fact(event=issued, to=state.id, at=context.moment(issued.on)),
        *(Fact(event=event, to=state.id, at=context.moment(event.on)) for event in allocations),
    ]


@ledger.decides(allow=ONLY_SERVICES)
def mark_overdue(state: OpenLedger, command: MarkOverdue, context: Context) -> Sequence[Fact]:
    """Note every invoice that is open after its due date, as of the first moment of the day after it."""
    return list(_overdue(state, context))


def _overdue(state: OpenLedger, context: Context) -> Iterator[Fact]:
    for invoice in state.invoices.late(context.now):
        event = InvoiceOverdue(
            ledger_id=state.id,
            account_id=state.account_id,
            invoice_id=invoice.id,
            invoice_number=invoice.number,
            due=invoice.due,
            open=invoice.open,
            owner=invoice.owner,
            team=invoice.team,
            deal_id=invoice.deal_id,
        )
        yield Fact(event=event, at=Moment(invoice.overdue_from) if invoice.overdue_from else None)


@ledger.timer
def overdue(state: OpenLedger) -> Timer | None:
    due = state.invoices.next_late()
    return Timer(due=due, command=MarkOverdue()) if due else None


# -- evolving -------------------------------------------------------------------------------------------------------


@ledger.evolves
def issued(state: NoLedger | OpenLedger, event: InvoiceIssued) -> OpenLedger:
    before = state if isinstance(state, OpenLedger) else empty(event.account_id, event.amount.currency)
    return holding(before, invoices=before.invoices.with_(_entered(event)))


@ledger.evolves
def became_overdue(state: OpenLedger, event: InvoiceOverdue) -> OpenLedger:
    return holding(state, invoices=state.invoices.changed(replace(invoice_in(state, event.invoice_id), overdue=True)))


def _entered(event: InvoiceIssued) -> LedgerInvoice:
    return LedgerInvoice(
        id=event.invoice_id,
        number=event.number,
        amount=event.amount,
        open=event.amount,
        on=event.on,
        due=event.due,
        overdue_from=event.overdue_from,
        contract_id=event.contract_id,
        deal_id=event.deal_id,
        owner=event.owner,
        team=event.team,
    )
