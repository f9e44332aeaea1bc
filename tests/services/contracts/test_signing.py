"""CON-3: both parties sign, then the contract comes into force."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from services.contracts.domain.contract.signing import ActivateContract
from shared.domain.context import Moment
from shared.testing.scenario import NOW, Scenario
from tests.services.contracts.facts import (
    ACCOUNT,
    ACTIVATED,
    APPROVED,
    DRAFTED,
    DRAFTED_ON,
    END_OF_12TH,
    EVIDENCE,
    SIGN,
    SIGNED,
    SUBMITTED,
    THE_CONTRACT,
    TODAY,
)

SUBMITTED_ONE = THE_CONTRACT.given(DRAFTED, SUBMITTED)
APPROVED_ONE = SUBMITTED_ONE.given(APPROVED)
SIGNED_ONE = APPROVED_ONE.given(SIGNED)
ACTIVE_ONE = SIGNED_ONE.given(ACTIVATED)
TOMORROW = date(2026, 3, 17)


def test_an_approved_contract_is_signed_on_the_day_of_the_second_signature_con_3() -> None:
    outcome = APPROVED_ONE.when(SIGN).then(SIGNED)
    assert outcome.facts[0].at == Moment(END_OF_12TH, by_day=True)


def test_signing_again_records_nothing() -> None:
    SIGNED_ONE.when(SIGN).then()


def test_signing_differently_is_refused() -> None:
    SIGNED_ONE.when(replace(SIGN, signed_by_us=TODAY)).then_rejected("not-in-this-state")


@pytest.mark.parametrize("history", [THE_CONTRACT.given(DRAFTED), SUBMITTED_ONE])
def test_only_an_approved_contract_is_signed_con_3(history: Scenario) -> None:
    history.when(SIGN).then_rejected("not-in-this-state")


def test_all_that_is_wrong_with_a_signature_is_said_at_once_con_3() -> None:
    wrong = replace(SIGN, signed_by_us=TOMORROW, signed_by_customer=TOMORROW, evidence_hash=EVIDENCE.upper())
    outcome = APPROVED_ONE.when(wrong)
    outcome.then_rejected("invalid-signature", "in-the-future", "in-the-future", "not-a-hash")
    assert outcome.rejected is not None
    assert [reason.field for reason in outcome.rejected.reasons] == [
        "signed_by_us",
        "signed_by_customer",
        "evidence_hash",
    ]


def test_nothing_happens_to_a_contract_before_it_was_drafted_con_3() -> None:
    """A signature of 1999 on a draft of today made time run backwards for whoever reads the topics."""
    early = replace(SIGN, signed_by_us=date(2026, 3, 1), signed_by_customer=date(1999, 12, 31))
    outcome = APPROVED_ONE.when(early)
    outcome.then_rejected("invalid-signature", "before-it-began", "before-it-began")
    assert outcome.rejected is not None
    assert [reason.field for reason in outcome.rejected.reasons] == ["signed_by_us", "signed_by_customer"]
    SIGNED_ONE.when(ActivateContract(on=date(2026, 3, 1))).then_rejected("before-it-began")
    SIGNED_ONE.when(ActivateContract(on=DRAFTED_ON)).then(replace(ACTIVATED, on=DRAFTED_ON))


def test_all_that_is_wrong_with_an_activation_is_said_at_once_con_3() -> None:
    wrong = ActivateContract(on=TOMORROW, account_id=UUID(int=99))
    SIGNED_ONE.when(wrong).then_rejected("other-account", "other-account", "in-the-future")


def test_a_signed_contract_comes_into_force_today_con_3() -> None:
    outcome = SIGNED_ONE.when(ActivateContract(on=TODAY)).then(ACTIVATED)
    assert outcome.facts[0].at == Moment(NOW)


def test_it_may_be_in_force_since_an_earlier_day_con_3() -> None:
    outcome = SIGNED_ONE.when(ActivateContract(on=date(2026, 3, 12)))
    assert outcome.facts[0].at == Moment(END_OF_12TH, by_day=True)


def test_activating_again_records_nothing() -> None:
    ACTIVE_ONE.when(ActivateContract(on=TODAY)).then()
    ACTIVE_ONE.when(ActivateContract(on=TODAY, account_id=ACCOUNT)).then()
    ACTIVE_ONE.when(ActivateContract(on=date(2026, 3, 1))).then_rejected("not-in-this-state")


def test_an_unsigned_contract_is_not_in_force_con_3() -> None:
    APPROVED_ONE.when(ActivateContract(on=TODAY)).then_rejected("not-in-this-state")


def test_no_contract_is_in_force_in_the_future_con_3() -> None:
    SIGNED_ONE.when(ActivateContract(on=TOMORROW)).then_rejected("in-the-future")


def test_a_contract_in_force_names_the_customer_con_3() -> None:
    nameless = THE_CONTRACT.given(replace(DRAFTED, account_id=None), SUBMITTED, APPROVED, SIGNED)
    nameless.when(ActivateContract(on=TODAY)).then_rejected("account-missing")
    nameless.when(ActivateContract(on=TODAY, account_id=ACCOUNT)).then(ACTIVATED)


def test_the_customer_is_not_exchanged_on_activation_con_3() -> None:
    SIGNED_ONE.when(ActivateContract(on=TODAY, account_id=UUID(int=99))).then_rejected("other-account")
