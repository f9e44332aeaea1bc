"""The states that a contract stands in, and what all of them carry."""

from datetime import date
from uuid import UUID, uuid5

from shared.domain.aggregate import Aggregate
from shared.domain.roles import READING
from shared.events.contracts.contract import ContractLine, ContractQuote, PaymentTerm
from shared.events.definition import value
from shared.events.money import Money


@value
class NoContract:
    """Nothing was drafted yet."""


@value
class Contract:
    """What every contract carries, whatever its state."""

    id: UUID
    name: str
    total: Money
    payment_terms: tuple[PaymentTerm, ...]
    deal_id: UUID | None = None
    account_id: UUID | None = None
    owner: UUID | None = None
    team: UUID | None = None
    flagged: str | None = None
    """Why somebody should look at the contract."""
    drafted_on: date | None = None
    """Nothing that happens to it is dated before."""
    lines: tuple[ContractLine, ...] = ()
    quote: ContractQuote | None = None
    """The accepted quote that total and lines come of."""


@value
class DraftedContract(Contract):
    """It is being prepared; its terms can change."""

    returned_for: str | None = None
    """What the approver wants reworked."""


@value
class SubmittedContract(Contract):
    """It waits for somebody else's approval; its terms stand."""

    submitter: str
    approval_id: UUID | None = None
    """What decides it; None where history tells of the submission."""


@value
class ApprovedContract(Contract):
    """It may be signed."""

    approver: str
    approval_reason: str | None = None


@value
class SignedContract(Contract):
    """Both parties signed."""

    signed_by_us: date
    signed_by_customer: date
    evidence_hash: str


@value
class ActiveContract(Contract):
    """It is in force."""

    activated_on: date


@value
class VoidedContract(Contract):
    """It is not pursued. The contract of a deal may be drafted anew from here."""

    voided_for: str


contract = Aggregate("contract", plural="contracts", start=NoContract, readers=READING)


def contract_of(deal_id: UUID) -> UUID:
    """The id of a deal's contract: a deal has at most one that is live (CON-1)."""
    return uuid5(deal_id, "contract")
