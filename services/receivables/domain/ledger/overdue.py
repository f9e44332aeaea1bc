"""What is open after its due day: noted once for each invoice, by one timer for all of a customer."""

from collections.abc import Iterator
from dataclasses import replace

from services.receivables.domain.ledger.state import OpenLedger, invoice_in, ledger
from shared.domain.aggregate import Decision, Occurrence, Timer
from shared.domain.context import Context, Moment
from shared.domain.roles import ONLY_SERVICES
from shared.events.definition import value
from shared.events.receivables.ledger import InvoiceOverdue


@value
class MarkOverdue:
    """Note which invoices were not settled by their due date."""


@ledger.decides(allow=ONLY_SERVICES)
def mark_overdue(state: OpenLedger, command: MarkOverdue, context: Context) -> Decision:
    """Note every invoice that is open after its due date, as of the first moment of the day after it."""
    return list(become_overdue(state, context))


@ledger.evolves
def became_overdue(state: OpenLedger, event: InvoiceOverdue) -> OpenLedger:
    return replace(state, invoices=state.invoices.changed(replace(invoice_in(state, event.invoice_id), overdue=True)))


@ledger.timer
def overdue(state: OpenLedger) -> Timer | None:
    """One timer for all invoices: the first deadline. While history waits to be allocated nobody knows what is open."""
    due = None if state.arrange_by else state.invoices.next_late()
    return Timer(due=due, command=MarkOverdue()) if due else None


def become_overdue(state: OpenLedger, context: Context) -> Iterator[Occurrence]:
    """What is open after its due day and was not noted as such."""
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
        yield Occurrence(event=event, to=state.id, at=Moment(invoice.overdue_from) if invoice.overdue_from else None)
