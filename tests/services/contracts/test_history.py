"""DATA-5: contracts of the past come in as the facts that made them."""

from dataclasses import replace
from datetime import date

import pytest

from services.contracts.domain.contract.history import ImportContract
from services.contracts.domain.contract.state import ActiveContract, SignedContract
from shared.domain.context import Moment
from shared.events.contracts.contract import (
    ContractActivated,
    ContractApproved,
    ContractDrafted,
    ContractSigned,
    ContractSubmitted,
)
from tests.services.contracts.facts import (
    ACCOUNT,
    DEAL,
    DRAFTED,
    END_OF_12TH,
    SUBMITTED,
    THE_CONTRACT,
    VOIDED,
    eur,
)

WHOLE = ImportContract(
    name="Packaging line",
    total=eur("120000"),
    drafted_on=date(2026, 3, 2),
    submitted_on=date(2026, 3, 3),
    submitter="rita",
    approved_on=date(2026, 3, 4),
    approver="dora",
    signed_on=date(2026, 3, 12),
    activated_on=date(2026, 3, 12),
    deal_id=DEAL,
    account_id=ACCOUNT,
)
SHORT = replace(WHOLE, submitted_on=None, approved_on=None)


def test_a_whole_history_is_recorded_day_by_day() -> None:
    outcome = THE_CONTRACT.when(WHOLE)
    assert [type(fact.event) for fact in outcome.facts] == [
        ContractDrafted,
        ContractSubmitted,
        ContractApproved,
        ContractSigned,
        ContractActivated,
    ]
    assert outcome.facts[3].at == outcome.facts[4].at == Moment(END_OF_12TH, by_day=True)
    assert isinstance(outcome.state, ActiveContract)


def test_steps_that_history_does_not_know_are_left_out() -> None:
    outcome = THE_CONTRACT.when(replace(SHORT, activated_on=None))
    assert [type(fact.event) for fact in outcome.facts] == [ContractDrafted, ContractSigned]
    assert isinstance(outcome.state, SignedContract)


@pytest.mark.parametrize(
    ("history", "following"),
    [
        ((DRAFTED,), [ContractSubmitted, ContractApproved, ContractSigned, ContractActivated]),
        ((DRAFTED, SUBMITTED), [ContractApproved, ContractSigned, ContractActivated]),
        ((DRAFTED, VOIDED), []),
    ],
)
def test_importing_again_brings_the_steps_that_are_new(history: tuple[object, ...], following: list[type]) -> None:
    outcome = THE_CONTRACT.given(*history).when(WHOLE)
    assert [type(fact.event) for fact in outcome.facts] == following
    THE_CONTRACT.given(*history, *(fact.event for fact in outcome.facts)).when(WHOLE).then()


def test_importing_again_what_is_known_otherwise_is_refused_with_both_values() -> None:
    outcome = THE_CONTRACT.given(DRAFTED).when(replace(WHOLE, name="Another line"))
    outcome.then_rejected("says-otherwise")
    assert outcome.rejected is not None
    assert [reason.field for reason in outcome.rejected.reasons] == ["name"]


@pytest.mark.parametrize(
    ("command", "code", "field"),
    [
        (replace(SHORT, activated_on=date(2026, 3, 17)), "in-the-future", "activated_on"),
        (replace(SHORT, activated_on=None, signed_on=date(2026, 3, 17)), "in-the-future", "signed_on"),
        (replace(WHOLE, approved_on=date(2026, 3, 2)), "out-of-order", "approved_on"),
        (replace(SHORT, signed_on=None), "step-missing", "signed_on"),
        (replace(WHOLE, submitted_on=None), "step-missing", "submitted_on"),
        (replace(WHOLE, account_id=None), "account-missing", "account_id"),
    ],
)
def test_a_history_that_cannot_be_is_refused(command: ImportContract, code: str, field: str) -> None:
    outcome = THE_CONTRACT.when(command).then_rejected("invalid-contract-history", code)
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].field == field
