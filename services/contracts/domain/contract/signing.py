"""How a contract comes into force: both parties sign, then it is activated (CON-3)."""

import string
from collections.abc import Iterator
from typing import Annotated, ClassVar
from uuid import UUID

from annotated_types import MaxLen, MinLen

from services.contracts.domain.contract.state import (
    ActiveContract,
    ApprovedContract,
    Contract,
    DraftedContract,
    SignedContract,
    SubmittedContract,
    contract,
)
from shared.domain.aggregate import Decision, Occurrence, carried
from shared.domain.context import Context
from shared.domain.fields import Day
from shared.domain.references import CustomerId
from shared.domain.rejection import Reason, Rejected, all_at_once, refuse_all
from shared.domain.roles import SELLING, Reach, Role, permission
from shared.events.contracts.contract import ContractActivated, ContractSigned
from shared.events.definition import value

CONCLUDING = permission({**SELLING, Role.LEGAL: Reach.ALL})
"""Those who carry the sale, and legal."""


@value
class SignContract:
    """Record that both parties signed an approved contract."""

    signed_by_us: Day
    signed_by_customer: Day
    evidence_hash: Annotated[str, MinLen(64), MaxLen(64)]
    """SHA-256 of the signed document, in lower-case hexadecimal."""

    example: ClassVar[dict[str, object]] = {
        "signed_by_us": "2026-03-12",
        "signed_by_customer": "2026-03-16",
        "evidence_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    }


@value
class ActivateContract:
    """Put a signed contract into force."""

    on: Day
    """The first day of its term; payment terms count from it."""
    account_id: CustomerId | None = None
    """The customer, when the contract does not name one yet."""

    example: ClassVar[dict[str, object]] = {"on": "2026-03-16"}


@contract.decides(allow=CONCLUDING)
def sign(state: ApprovedContract, command: SignContract, context: Context) -> Decision:
    """Record that both parties signed."""
    refuse_all("invalid-signature", "The signature is invalid.", list(_signature_faults(state, command, context)))
    signed = ContractSigned(
        contract_id=state.id,
        signed_by_us=command.signed_by_us,
        signed_by_customer=command.signed_by_customer,
        evidence_hash=command.evidence_hash,
        deal_id=state.deal_id,
        total=state.total,
    )
    return [Occurrence(event=signed, at=context.moment(max(command.signed_by_us, command.signed_by_customer)))]


@contract.decides(allow=CONCLUDING)
def activate(state: SignedContract, command: ActivateContract, context: Context) -> Decision:
    """Put a signed contract into force; its payment plan follows."""
    all_at_once(lambda: _customer(state, command), lambda: _check_day(state, command, context))
    account_id = _customer(state, command)
    activated = ContractActivated(
        contract_id=state.id,
        on=command.on,
        total=state.total,
        payment_terms=state.payment_terms,
        account_id=account_id,
        name=state.name,
        deal_id=state.deal_id,
        owner=state.owner,
        team=state.team,
    )
    return [Occurrence(event=activated, at=context.moment(command.on))]


@contract.already
def is_signed(state: SignedContract, command: SignContract) -> bool:
    return all(
        getattr(state, field) == getattr(command, field)
        for field in ("signed_by_us", "signed_by_customer", "evidence_hash")
    )


@contract.already
def is_active(state: ActiveContract, command: ActivateContract) -> bool:
    return state.activated_on == command.on and command.account_id in (None, state.account_id)


@contract.evolves
def signed(state: DraftedContract | SubmittedContract | ApprovedContract, event: ContractSigned) -> SignedContract:
    # Imported history often knows the signature and not the approval before it.
    return SignedContract(
        **carried(state, Contract),
        signed_by_us=event.signed_by_us,
        signed_by_customer=event.signed_by_customer,
        evidence_hash=event.evidence_hash,
    )


@contract.evolves
def activated(state: SignedContract, event: ContractActivated) -> ActiveContract:
    return ActiveContract(**{**carried(state, Contract), "account_id": event.account_id}, activated_on=event.on)


def _signature_faults(state: ApprovedContract, command: SignContract, context: Context) -> Iterator[Reason]:
    for field in ("signed_by_us", "signed_by_customer"):
        on = getattr(command, field)
        if on > context.today:
            yield Reason(code="in-the-future", message="Nobody has signed in the future.", field=field)
        if state.drafted_on and on < state.drafted_on:
            yield Reason(code="before-it-began", message=f"It was drafted on {state.drafted_on}.", field=field)
    if set(command.evidence_hash) - set(string.digits + "abcdef") or len(command.evidence_hash) != 64:
        message = "The evidence is a SHA-256 in 64 lower-case hexadecimal digits."
        yield Reason(code="not-a-hash", message=message, field="evidence_hash")


def _customer(state: SignedContract, command: ActivateContract) -> UUID:
    account_id = state.account_id or command.account_id
    if account_id is None:
        raise Rejected("account-missing", "A contract in force names the customer.", field="account_id")
    if command.account_id not in (None, account_id):
        raise Rejected("other-account", f"The contract is with {account_id}.", field="account_id")
    return account_id


def _check_day(state: SignedContract, command: ActivateContract, context: Context) -> None:
    if command.on > context.today:
        raise Rejected("in-the-future", "A contract is put into force once its day has come.", field="on")
    if state.drafted_on and command.on < state.drafted_on:
        raise Rejected("before-it-began", f"It was drafted on {state.drafted_on}.", field="on")
