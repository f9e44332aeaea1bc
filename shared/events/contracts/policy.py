"""Events of the policies of contracts: rules with numbers that people set, from a day on."""

from datetime import date
from typing import Annotated
from uuid import UUID

from annotated_types import MaxLen, MinLen

from shared.events.approval_chain import ApprovalChain
from shared.events.contracts.contract import PaymentTerm
from shared.events.definition import FreeText, event, value


@value
class StandardTerms:
    """When which share of a contract's total falls due, unless its draft says otherwise."""

    payment_terms: Annotated[tuple[PaymentTerm, ...], MinLen(1), MaxLen(60)]


@value
class ContractChain:
    """Who has to approve a contract before it is signed."""

    chain: ApprovalChain
    """Its conditions are about the facts amount, currency, foreign_currency, instalments, longest_days, standard_terms
    and for_deal."""


@event("contracts.policy-set", aggregate="policy")
class ContractPolicySet:
    """A policy of contracts counts from a day on: the field of its kind has the document, none takes it back."""

    policy_id: UUID
    kind: str
    number: int
    """The version, counted from 1 in its kind."""
    on: date
    """The company's day on which it was set."""
    valid_from: date
    team: UUID | None = None
    """The team that it is for, with those below it; without team and process it is for the company."""
    process: UUID | None = None
    reason: FreeText[str | None] = None
    payment_terms: StandardTerms | None = None
    contract_approval: ContractChain | None = None
