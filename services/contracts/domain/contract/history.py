"""How contracts of the past come in: as dated facts, without gates."""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Any
from uuid import UUID

from services.contracts.domain.contract.approval import APPROVALS
from services.contracts.domain.contract.state import (
    ActiveContract,
    ApprovedContract,
    Contract,
    DraftedContract,
    NoContract,
    SignedContract,
    SubmittedContract,
    VoidedContract,
    contract,
    contract_of,
)
from services.contracts.domain.contract.terms import STANDARD_TERMS, PaymentTerms, agreed
from shared.domain.aggregate import Decision, Occurrence
from shared.domain.approval.requesting import OwnApproval, recalled
from shared.domain.approval.state import WaitingApproval
from shared.domain.context import Context
from shared.domain.fields import Day, Name
from shared.domain.imports import ONCE
from shared.domain.references import AccountId, DealId, MemberId, TeamId
from shared.domain.rejection import Reason, Rejected, refuse_all, refuse_otherwise
from shared.domain.roles import ONLY_SERVICES
from shared.events.chronology import Rank
from shared.events.contracts.contract import (
    ContractActivated,
    ContractApproved,
    ContractDrafted,
    ContractSigned,
    ContractSubmitted,
)
from shared.events.definition import value
from shared.events.money import Money

STEP = "approval"
"""The step that approved what history tells of."""


@value
class ImportContract:
    """A contract of the past with the days that history knows; what it does not know is left out."""

    name: Name
    total: Money
    drafted_on: Day
    payment_terms: PaymentTerms = STANDARD_TERMS
    submitted_on: Day | None = None
    submitter: str = "imported"
    approved_on: Day | None = None
    approver: str = "imported"
    signed_on: Day | None = None
    """The day on which the second party signed."""
    evidence_hash: str = ""
    """Empty when history keeps no signed document."""
    activated_on: Day | None = None
    deal_id: DealId | None = None
    account_id: AccountId | None = None
    owner: MemberId | None = None
    team: TeamId | None = None


STEPS = (DraftedContract, SubmittedContract, ApprovedContract, SignedContract, ActiveContract)
EVENTS: tuple[type, ...] = (ContractDrafted, ContractSubmitted, ContractApproved, ContractSigned, ContractActivated)
"""What leads to each step."""


@contract.imports(
    "contract",
    ContractDrafted,
    ContractSubmitted,
    ContractApproved,
    ContractSigned,
    ContractActivated,
    rank=Rank.OPENING,
    again=ONCE,
    day="drafted_on",
    # So that the one which the won deal brings about later is the same.
    identify=lambda ids, deal: contract_of(ids("deal", deal)),
)
def import_contract(state: NoContract, command: ImportContract, context: Context) -> Decision:
    """Record a contract of the past as the facts that made it."""
    refuse_all("invalid-contract-history", "The contract's history is invalid.", list(_faults(command, context)))
    total = agreed(command.total, command.payment_terms)
    return [
        Occurrence(event=event, at=context.moment(on)) for on, event in _events(command, total, context.aggregate_id)
    ]


@contract.decides(allow=ONLY_SERVICES)
def import_steps(
    state: DraftedContract | SubmittedContract | ApprovedContract | SignedContract | ActiveContract | VoidedContract,
    command: ImportContract,
    context: Context,
    approval: OwnApproval,
) -> Decision:
    """Take over the steps that a later export knows more of; what is known otherwise is refused with both values."""
    refuse_all("invalid-contract-history", "The contract's history is invalid.", list(_faults(command, context)))
    total = agreed(command.total, command.payment_terms)
    said = _said(state, command, total)
    refuse_otherwise(
        {field: getattr(state, name) for field, (name, _) in said.items()},
        {field: value for field, (_, value) in said.items()},
    )
    come_to = next((step for step, reached in enumerate(STEPS) if isinstance(state, reached)), len(STEPS))
    steps = [each for each in _events(command, total, state.id) if EVENTS.index(type(each[1])) > come_to]
    told = [Occurrence(event=event, at=context.moment(on)) for on, event in steps]
    if told and isinstance(approval.state, WaitingApproval):
        told.append(recalled(APPROVALS, approval.state, context, "History tells how it was decided."))
    return told


def _said(state: Contract, command: ImportContract, total: Money) -> Mapping[str, tuple[str, Any]]:
    """What a command says that stands in the state already: the field, its name in the state, and what is said."""
    said: dict[str, tuple[str, Any]] = {
        "name": ("name", command.name),
        "total": ("total", total),
        "payment_terms": ("payment_terms", command.payment_terms),
    }
    if isinstance(state, SignedContract) and command.signed_on:
        said["signed_on"] = ("signed_by_customer", command.signed_on)
    if isinstance(state, ActiveContract) and command.activated_on:
        said["activated_on"] = ("activated_on", command.activated_on)
    return said


def _events(
    command: ImportContract, total: Money, contract_id: UUID
) -> Iterator[tuple[date, ContractDrafted | ContractSubmitted | ContractApproved | ContractSigned | ContractActivated]]:
    yield (
        command.drafted_on,
        ContractDrafted(
            contract_id=contract_id,
            name=command.name,
            total=total,
            payment_terms=command.payment_terms,
            trigger="direct",
            deal_id=command.deal_id,
            account_id=command.account_id,
            owner=command.owner,
            team=command.team,
            on=command.drafted_on,
        ),
    )
    if command.submitted_on:
        yield (
            command.submitted_on,
            ContractSubmitted(contract_id=contract_id, submitter=command.submitter, total=total),
        )
    if command.approved_on:
        yield command.approved_on, ContractApproved(contract_id=contract_id, approver=command.approver, step=STEP)
    if command.signed_on:
        yield (
            command.signed_on,
            ContractSigned(
                contract_id=contract_id,
                signed_by_us=command.signed_on,
                signed_by_customer=command.signed_on,
                evidence_hash=command.evidence_hash,
                deal_id=command.deal_id,
                total=total,
            ),
        )
    if command.activated_on and command.account_id:
        yield (
            command.activated_on,
            ContractActivated(
                contract_id=contract_id,
                on=command.activated_on,
                total=total,
                payment_terms=command.payment_terms,
                account_id=command.account_id,
                name=command.name,
                deal_id=command.deal_id,
                owner=command.owner,
                team=command.team,
            ),
        )


def _faults(command: ImportContract, context: Context) -> Iterator[Reason]:
    steps = ("drafted_on", "submitted_on", "approved_on", "signed_on", "activated_on")
    known = [(step, on) for step in steps if (on := getattr(command, step)) is not None]
    for step, on in known:
        try:
            context.past_moment(on, field=step)
        except Rejected as rejected:
            yield from rejected.reasons
    for (_, before), (step, on) in pairwise(known):
        if on < before:
            yield Reason(code="out-of-order", message="The steps of a contract follow one another.", field=step)
    if command.approved_on and not command.submitted_on:
        yield Reason(code="step-missing", message="What was approved was submitted before.", field="submitted_on")
    if command.activated_on and not command.signed_on:
        yield Reason(code="step-missing", message="What is in force was signed before.", field="signed_on")
    if command.activated_on and not command.account_id:
        yield Reason(code="account-missing", message="A contract in force names the customer.", field="account_id")
