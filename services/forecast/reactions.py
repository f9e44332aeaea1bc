"""What other services' events bring about here: whoever has to know is told, until it waits for nobody (REC-5)."""

from collections.abc import Iterable

from services.forecast.domain.notice import APPROVAL_WAITING, INVOICE_OVERDUE
from services.forecast.domain.occasion import RaiseNotices, SettleNotices, occasion, occasion_of
from shared.domain.roles import Role
from shared.events.contracts.contract import (
    ContractApproved,
    ContractRecalled,
    ContractReturned,
    ContractSubmitted,
    ContractVoided,
)
from shared.events.envelope import Envelope
from shared.events.receivables.ledger import InvoiceOverdue, ReceiptAllocated
from shared.reactions.registry import Do, Reactions

reactions = Reactions("forecast")

APPROVERS = (Role.SALES_DIRECTOR, Role.LEGAL)
"""Who is told that a contract waits for its approval."""


@reactions.on
def tell_of_overdue_invoice(event: InvoiceOverdue, fact: Envelope[InvoiceOverdue]) -> Iterable[Do]:
    """REC-5: an invoice is overdue: whose deal it is, whoever leads them, and finance are told."""
    yield Do(
        aggregate=occasion,
        aggregate_id=occasion_of(INVOICE_OVERDUE, event.invoice_id),
        command=RaiseNotices(
            kind=INVOICE_OVERDUE,
            about="invoice",
            about_id=event.invoice_id,
            cause=fact.id,
            account_id=event.account_id,
            amount=event.open,
            due=event.due,
            reference=event.invoice_number,
            owner=event.owner,
            team=event.team,
            roles=(Role.FINANCE,),
        ),
    )


@reactions.on(imported=True)
def settle_paid_invoice(event: ReceiptAllocated, fact: Envelope[ReceiptAllocated]) -> Iterable[Do]:
    """REC-5: nobody has to know any more of an invoice that is paid, whoever told of the money."""
    if event.open_after.amount == 0:
        yield Do(
            aggregate=occasion,
            aggregate_id=occasion_of(INVOICE_OVERDUE, event.invoice_id),
            command=SettleNotices(cause=fact.id),
        )


@reactions.on
def tell_of_waiting_contract(event: ContractSubmitted, fact: Envelope[ContractSubmitted]) -> Iterable[Do]:
    """CON-2: a contract waits for approval: those who may give it are told, but for whoever submitted it."""
    yield Do(
        aggregate=occasion,
        aggregate_id=occasion_of(APPROVAL_WAITING, event.contract_id),
        command=RaiseNotices(
            kind=APPROVAL_WAITING,
            about="contract",
            about_id=event.contract_id,
            cause=fact.id,
            account_id=event.account_id,
            amount=event.total,
            roles=APPROVERS,
            not_to=event.submitter,
        ),
    )


@reactions.on
def settle_decided_contract(
    event: ContractApproved | ContractReturned | ContractRecalled | ContractVoided,
    fact: Envelope[ContractApproved | ContractReturned | ContractRecalled | ContractVoided],
) -> Iterable[Do]:
    """CON-2: a contract that was decided, taken back or is not pursued waits for nobody."""
    yield Do(
        aggregate=occasion,
        aggregate_id=occasion_of(APPROVAL_WAITING, event.contract_id),
        command=SettleNotices(cause=fact.id),
    )
