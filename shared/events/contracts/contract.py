"""Events of a contract: from the draft to its signatures and its end."""

from datetime import date
from typing import Annotated
from uuid import UUID

from shared.events.definition import AsKnown, Exact, FreeText, event, value
from shared.events.money import Money
from shared.events.references import Free

OfDeals = Annotated[UUID, Free("products and quotes are those of another service, which says what the deal is about")]


@value
class PaymentTerm:
    """One instalment: its share of the total, and when it falls due."""

    ratio: Exact
    """Share of the total, above 0 and at most 1; the shares of all terms add up to 1."""
    days: int = 30
    """Days after the contract is activated."""
    label: str | None = None


@value
class ContractLine:
    """One position of what the contract is about."""

    position: int
    """From 1: that of the accepted quote, else of the lines of the deal."""
    product_id: OfDeals | None = None
    """None: a position that was made for this customer; what it is called stands in the quote alone."""
    unit: str | None = None
    """What is counted, like piece or hour. None: the lines of the deal do not say it."""
    quantity: Exact
    price: Money
    """What one costs after all discounts, rounded to the minor unit."""
    amount: Money
    """What the position comes to, without tax; of a quote those of all positions add up to its amount."""


@value
class ContractQuote:
    """The version of a quote that the customer accepted, and the contract comes of."""

    quote_id: OfDeals
    quote_version: int | None = None
    """None where the quote was accepted before that was told."""


@event("contracts.contract-drafted", aggregate="contract")
class ContractDrafted:
    """A contract is being prepared (CON-1)."""

    contract_id: UUID
    name: str
    total: Money
    payment_terms: tuple[PaymentTerm, ...]
    trigger: str
    """stage, win or direct: what brought the draft about."""
    deal_id: UUID | None = None
    account_id: UUID | None = None
    owner: UUID | None = None
    team: UUID | None = None
    on: date | None = None
    """The company's day of it; nothing that happens to the contract is dated before."""
    terms_version: int | None = None
    """The version of the policy payment-terms that the terms are of; 0 is the default. None: the draft named them."""
    lines: tuple[ContractLine, ...] = ()
    """What it is about, where its deal says so."""
    quote: ContractQuote | None = None
    """The accepted quote that total and lines come of."""


@event("contracts.contract-terms-changed", aggregate="contract")
class ContractTermsChanged:
    """Account, total or payment terms of the draft are now these."""

    contract_id: UUID
    total: Money
    payment_terms: tuple[PaymentTerm, ...]
    account_id: UUID | None = None
    reason: FreeText[str | None] = None
    owner: UUID | None = None
    """The member whose draft it is from now on; None: as before."""
    team: UUID | None = None
    """The team that it belongs to from now on; None: as before."""


@event("contracts.contract-lines-taken", aggregate="contract")
class ContractLinesTaken:
    """The draft is about what its deal is about now, by the quote that the customer accepted or without one
    (DEAL-8)."""

    contract_id: UUID
    lines: tuple[ContractLine, ...]
    """All of them, as they are now."""
    quote: ContractQuote | None = None
    """None: they come of no quote, or of one that was set aside."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("contracts.contract-submitted", aggregate="contract")
class ContractSubmitted:
    """The draft waits for approval (CON-2)."""

    contract_id: UUID
    submitter: str
    total: Money
    approval_id: UUID | None = None
    """The approval that decides it; None where history tells of it."""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("contracts.contract-approved", aggregate="contract")
class ContractApproved:
    """Everybody approved it whom its chain asks (CON-2)."""

    contract_id: UUID
    approver: str
    """Who decided last; where nobody had to, who submitted it."""
    step: str
    """The key of the last step; where there was none, `none`."""
    reason: FreeText[str | None] = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("contracts.contract-returned", aggregate="contract")
class ContractReturned:
    """The approver sent it back for rework (CON-2)."""

    contract_id: UUID
    approver: str
    step: str
    reason: FreeText[str] = ""
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("contracts.contract-recalled", aggregate="contract")
class ContractRecalled:
    """It was taken back before it was decided, and is a draft again (CON-2)."""

    contract_id: UUID
    by: str
    reason: FreeText[str | None] = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("contracts.contract-signed", aggregate="contract")
class ContractSigned:
    """Both parties signed (CON-3)."""

    contract_id: UUID
    signed_by_us: date
    signed_by_customer: date
    evidence_hash: str
    """SHA-256 of the signed document, hexadecimal."""
    deal_id: UUID | None = None
    total: Money | None = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("contracts.contract-activated", aggregate="contract")
class ContractActivated:
    """The contract is in force; receivables follow it (CON-3, REC-1)."""

    contract_id: UUID
    on: date
    total: Money
    payment_terms: tuple[PaymentTerm, ...]
    account_id: UUID
    name: str
    deal_id: UUID | None = None
    owner: UUID | None = None
    team: UUID | None = None


@event("contracts.contract-voided", aggregate="contract")
class ContractVoided:
    """The draft is not pursued, like after its deal was reopened."""

    contract_id: UUID
    reason: FreeText[str] = ""
    cause: str = ""
    """given-up, deal-reopened, deal-lost or deal-abandoned; empty in events from before this field."""
    deal_id: UUID | None = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None


@event("contracts.contract-flagged", aggregate="contract")
class ContractFlagged:
    """Somebody should look at the contract: what its deal says changed after it was submitted, like by a reopening or a
    quote that was accepted."""

    contract_id: UUID
    reason: str
    deal_id: UUID | None = None
    account_id: AsKnown[UUID | None] = None
    owner: AsKnown[UUID | None] = None
    team: AsKnown[UUID | None] = None
