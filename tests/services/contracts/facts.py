"""Facts about one contract that the tests start from."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from services.contracts.domain.contract import contract
from services.contracts.domain.contract.drafting import NamedDeal
from services.contracts.domain.contract.signing import SignContract
from services.contracts.domain.contract.state import contract_of
from services.contracts.domain.contract.terms import STANDARD_TERMS
from shared.domain.approval.requesting import OwnApproval
from shared.domain.context import Actor
from shared.domain.policy import InForce
from shared.domain.roles import Role
from shared.events.contracts.contract import (
    ContractActivated,
    ContractApproved,
    ContractDrafted,
    ContractFlagged,
    ContractRecalled,
    ContractReturned,
    ContractSigned,
    ContractSubmitted,
    ContractVoided,
)
from shared.events.contracts.policy import StandardTerms
from shared.events.money import Money
from shared.testing.scenario import CONTEXT, SOMEBODY, Scenario

DEAL = UUID(int=11)
ACCOUNT = UUID(int=12)
OWNER, TEAM = UUID(int=13), UUID(int=14)
ID = contract_of(DEAL)
TODAY = date(2026, 3, 16)
END_OF_12TH = datetime(2026, 3, 12, 23, 59, 59, 999999, tzinfo=UTC)
DIRECTOR = Actor(subject="director", roles=frozenset({Role.SALES_DIRECTOR}))
EVIDENCE = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def eur(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


STANDARD = InForce(default=StandardTerms(payment_terms=STANDARD_TERMS), on=date(2026, 3, 16))
THE_DEAL = NamedDeal(owner=OWNER, team=TEAM, account_id=ACCOUNT)
A_CONTRACT = Scenario(aggregate=contract).knowing(deal=NamedDeal(), standard=STANDARD, approval=OwnApproval())
"""A contract without a deal."""

THE_CONTRACT = replace(A_CONTRACT, context=replace(CONTEXT, aggregate_id=ID)).knowing(deal=THE_DEAL)
"""The contract of the deal, met by somebody from sales operations."""

DRAFTED_ON = date(2026, 3, 2)
DRAFTED = ContractDrafted(
    contract_id=ID,
    name="Packaging line",
    total=eur("120000.00"),
    payment_terms=STANDARD_TERMS,
    trigger="stage",
    deal_id=DEAL,
    account_id=ACCOUNT,
    owner=OWNER,
    team=TEAM,
    on=DRAFTED_ON,
    terms_version=0,
)
SUBMITTED = ContractSubmitted(contract_id=ID, submitter=SOMEBODY.subject, total=eur("120000.00"))
APPROVED = ContractApproved(contract_id=ID, approver="director", step="approval")
RETURNED = ContractReturned(contract_id=ID, approver="director", step="approval", reason="Retention is missing")
SIGN = SignContract(signed_by_us=date(2026, 3, 10), signed_by_customer=date(2026, 3, 12), evidence_hash=EVIDENCE)
SIGNED = ContractSigned(
    contract_id=ID,
    signed_by_us=SIGN.signed_by_us,
    signed_by_customer=SIGN.signed_by_customer,
    evidence_hash=EVIDENCE,
    deal_id=DEAL,
    total=eur("120000.00"),
)
ACTIVATED = ContractActivated(
    contract_id=ID,
    on=TODAY,
    total=eur("120000.00"),
    payment_terms=STANDARD_TERMS,
    account_id=ACCOUNT,
    name="Packaging line",
    deal_id=DEAL,
    owner=OWNER,
    team=TEAM,
)
RECALLED = ContractRecalled(contract_id=ID, by=SOMEBODY.subject)
VOIDED = ContractVoided(contract_id=ID, reason="The deal was reopened.", cause="deal-reopened", deal_id=DEAL)
FLAGGED = ContractFlagged(contract_id=ID, reason="The deal was reopened.", deal_id=DEAL)
