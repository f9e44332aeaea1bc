"""What clients see of a contract: each state's published fields (`GET /v1/contracts/{id}`)."""

from datetime import date
from uuid import UUID

from services.contracts.domain.contract import contract
from services.contracts.domain.contract.approval import APPROVALS
from shared.events.contracts.contract import ContractLine, ContractQuote, PaymentTerm
from shared.events.definition import value
from shared.events.money import Money
from shared.http.resources import Resource
from shared.service.resources import approval_resource


@value
class Contract:
    """What is published of a contract, whatever its state."""

    name: str
    total: Money
    payment_terms: tuple[PaymentTerm, ...]
    deal_id: UUID | None
    account_id: UUID | None
    owner: UUID | None
    team: UUID | None
    flagged: str | None
    """Why somebody should look at the contract."""
    drafted_on: date | None
    """Nothing that happens to it is dated before."""
    lines: tuple[ContractLine, ...]
    """What it is about: the positions of the accepted quote, else the lines that the deal had when it entered its
    contract stage or was won. Of a position that is no product neither name nor description is told here: they stand in
    the quote. They are taken over and not edited; a total that somebody changed in the draft may be another than they
    come to. Nothing of a contract without a deal, or imported."""
    quote: ContractQuote | None
    """The accepted quote that it comes of; null where none was accepted, or it was set aside."""


@value
class DraftedContract(Contract):
    """It is being prepared; its terms can change."""

    returned_for: str | None
    """What the approver wants reworked."""


@value
class SubmittedContract(Contract):
    """It waits for somebody else's approval; its terms stand."""

    submitter: str
    approval_id: UUID | None
    """What decides it, at `/v1/contract-approvals/{id}`; None where history tells of the submission."""


@value
class ApprovedContract(Contract):
    """It may be signed."""

    approver: str
    approval_reason: str | None


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


RESOURCES = (
    approval_resource(APPROVALS),
    Resource(
        contract, DraftedContract, SubmittedContract, ApprovedContract, SignedContract, ActiveContract, VoidedContract
    ),
)
