"""What clients see of ledgers, payment plans and number series: each state's published fields (`GET /v1/…/{id}`)."""

from datetime import date
from uuid import UUID

from services.receivables.domain.ledger import ledger
from services.receivables.domain.ledger.allocation import AllocationRule
from services.receivables.domain.ledger.holdings import Waits
from services.receivables.domain.ledger.state import content
from services.receivables.domain.numbers import number_series
from services.receivables.domain.plan import payment_plan
from shared.events.definition import value
from shared.events.money import Money
from shared.events.receivables.ledger import Share
from shared.http.resources import Resource

# -- ledgers ----------------------------------------------------------------------------------------------------------


@value
class LedgerInvoice:
    """An invoice and what of it is open."""

    id: UUID
    number: str
    amount: Money
    open: Money
    on: date
    due: date
    overdue: bool
    contract_id: UUID | None
    deal_id: UUID | None
    owner: UUID | None
    team: UUID | None
    legal_entity: str | None
    outside_id: str | None
    """By what the system knows it that it came from."""
    unnumbered: bool
    """History knows no number of it, and it is shown by its outside id."""


@value
class LedgerReceipt:
    """Money that arrived, and what of it settles no invoice yet."""

    id: UUID
    bank_reference: str
    amount: Money
    unapplied: Money
    on: date
    reference: str | None
    """What the payer wrote."""
    outside_id: str | None
    waits: Waits | None
    """Why it waits for a person."""
    shares: tuple[Share, ...]
    """The invoices that it may be for, with what was open then; or how it would be allocated."""
    taken_back: Money | None
    """What of it was taken back, and waits until somebody allocates it."""


@value
class LedgerAllocation:
    """How much of a receipt settles an invoice, since when, and why."""

    receipt_id: UUID
    invoice_id: UUID
    amount: Money
    on: date
    rule: AllocationRule
    of_history: bool
    """Decided on what history tells: what is told of it later may have it allocated otherwise."""


@value
class OpenLedger:
    """A customer's account in one currency."""

    account_id: UUID
    currency: str
    invoices: tuple[LedgerInvoice, ...]
    receipts: tuple[LedgerReceipt, ...]
    allocations: tuple[LedgerAllocation, ...]


# -- plans and numbers ------------------------------------------------------------------------------------------------


@value
class PlannedInstalment:
    """An instalment, and its invoice once there is one."""

    number: int
    amount: Money
    due: date
    left: Money
    """What of it is left to invoice."""
    label: str | None
    invoice_id: UUID | None
    invoice_number: str | None
    invoiced_on: date | None
    legal_entity: str | None


@value
class DrawnUpPaymentPlan:
    """The plan of a contract in force."""

    contract_id: UUID
    account_id: UUID
    total: Money
    instalments: tuple[PlannedInstalment, ...]
    deal_id: UUID | None
    owner: UUID | None
    team: UUID | None
    in_force_on: date | None
    """The day on which the contract came into force."""


@value
class RunningNumberSeries:
    """Numbers 1 to `last` were taken."""

    legal_entity: str
    last: int
    last_on: date | None
    """The last day of an invoice with one of these numbers."""


RESOURCES = (
    Resource(ledger, OpenLedger, reads=content),
    Resource(payment_plan, DrawnUpPaymentPlan),
    Resource(number_series, RunningNumberSeries),
)
