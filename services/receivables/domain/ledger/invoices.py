"""How an invoice enters a ledger (REC-2)."""

from dataclasses import replace
from datetime import timedelta

from services.receivables.domain.ledger.allocation import allocated, use_credit
from services.receivables.domain.ledger.holdings import LedgerInvoice
from services.receivables.domain.ledger.state import NoLedger, OpenLedger, empty, ledger
from shared.domain.aggregate import Occurrence
from shared.domain.context import Context
from shared.domain.fields import LAST_DAY
from shared.domain.rejection import Rejected
from shared.events.receivables.ledger import InvoiceIssued

INSTANT = timedelta(microseconds=1)


def enter(state: OpenLedger, invoice: InvoiceIssued, context: Context) -> list[Occurrence]:
    """An invoice that enters the ledger, and the standing credit that settles it at once."""
    issued = dated(invoice, context)
    # While history is told, nobody knows yet what is left of which receipt.
    credit = use_credit(state.receipts, entered(issued)) if state.arrange_by is None else ()
    allocations = [allocated(state, each) for each in credit]
    return [
        Occurrence(event=issued, to=state.id, at=context.moment(issued.on)),
        *(Occurrence(event=event, to=state.id, at=context.moment(event.on)) for event in allocations),
    ]


def dated(invoice: InvoiceIssued, context: Context) -> InvoiceIssued:
    """The invoice with the instant from which it is overdue."""
    if invoice.due > LAST_DAY:
        raise Rejected("out-of-range", f"An invoice falls due by {LAST_DAY}.", field="due")
    return replace(invoice, overdue_from=context.company.end_of(invoice.due) + INSTANT)


@ledger.evolves
def issued(state: NoLedger | OpenLedger, event: InvoiceIssued) -> OpenLedger:
    before = state if isinstance(state, OpenLedger) else empty(event.account_id, event.amount.currency)
    arrange_by = event.arrange_by or before.arrange_by
    return replace(before, invoices=before.invoices.with_(entered(event)), arrange_by=arrange_by)


def entered(event: InvoiceIssued) -> LedgerInvoice:
    """An invoice as the ledger holds it."""
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
        legal_entity=event.legal_entity,
        outside_id=event.outside_id,
        unnumbered=event.unnumbered,
    )
