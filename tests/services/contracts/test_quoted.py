"""DEAL-8, CON-1: the lines of the quote that the customer accepted become those of the contract."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.contracts.domain.contract.drafting import OTHER_LINES, ChangeContract, DraftForDeal
from services.contracts.domain.contract.quoted import OTHER_QUOTE, SET_ASIDE, TAKEN_OVER, FollowQuote, LeaveQuote
from services.contracts.domain.contract.terms import STANDARD_TERMS
from shared.events.contracts.contract import (
    ContractFlagged,
    ContractLine,
    ContractLinesTaken,
    ContractQuote,
    ContractTermsChanged,
)
from shared.testing.scenario import Scenario
from tests.services.contracts.facts import ACCOUNT, DRAFTED, ID, RECALLED, SUBMITTED, THE_CONTRACT, VOIDED, eur
from tests.services.contracts.test_drafting import FURTHER, STAGE, WIN

QUOTE = ContractQuote(quote_id=UUID(int=21), quote_version=2)
OTHER = ContractQuote(quote_id=UUID(int=22), quote_version=1)


def line(position: int, amount: str, product_id: UUID | None = None) -> ContractLine:
    return ContractLine(
        position=position,
        product_id=product_id,
        unit="piece",
        quantity=Decimal(1),
        price=eur(amount),
        amount=eur(amount),
    )


QUOTED = (line(1, "8000.00", UUID(int=31)), line(2, "640.00"))
OF_DEAL = (line(1, "120000.00", UUID(int=31)),)
ACCEPTED = FollowQuote(total=eur("8640.00"), lines=QUOTED, quote=QUOTE)
TERMS = ContractTermsChanged(
    contract_id=ID, total=eur("8640.00"), payment_terms=STANDARD_TERMS, account_id=ACCOUNT, reason=TAKEN_OVER
)
TAKEN = ContractLinesTaken(contract_id=ID, lines=QUOTED, quote=QUOTE)
QUOTED_DRAFT = replace(DRAFTED, total=eur("8640.00"), lines=QUOTED, quote=QUOTE)


def quoted(trigger: DraftForDeal) -> DraftForDeal:
    return replace(trigger, total=eur("8640.00"), lines=QUOTED, quote=QUOTE)


def flagged(reason: str) -> ContractFlagged:
    return ContractFlagged(contract_id=ID, reason=reason, deal_id=DRAFTED.deal_id)


@pytest.mark.parametrize("trigger", [STAGE, WIN])
def test_deal_8_a_draft_begins_with_lines_and_quote_of_its_deal(trigger: DraftForDeal) -> None:
    outcome = THE_CONTRACT.when(quoted(trigger)).then(replace(QUOTED_DRAFT, trigger=trigger.trigger))
    assert (outcome.state.lines, outcome.state.quote) == (QUOTED, QUOTE)
    THE_CONTRACT.when(replace(trigger, lines=OF_DEAL)).then(replace(DRAFTED, trigger=trigger.trigger, lines=OF_DEAL))


def test_deal_8_a_draft_takes_over_the_quote_that_is_accepted_once() -> None:
    outcome = THE_CONTRACT.given(replace(DRAFTED, lines=OF_DEAL)).when(ACCEPTED).then(TERMS, TAKEN)
    state = outcome.state
    assert (state.total, state.lines, state.quote) == (eur("8640.00"), QUOTED, QUOTE)
    met = THE_CONTRACT.given(DRAFTED, TERMS, TAKEN)
    met.when(ACCEPTED).then()
    met.when(quoted(STAGE)).then()
    met.when(quoted(WIN)).then()
    THE_CONTRACT.given(replace(DRAFTED, total=eur("8640.00"))).when(ACCEPTED).then(TAKEN)


@pytest.mark.parametrize(
    "told",
    [
        (STAGE, ACCEPTED, quoted(WIN)),
        (ACCEPTED, quoted(STAGE), quoted(WIN)),
        (ACCEPTED, quoted(WIN)),
        (quoted(STAGE), ACCEPTED),
        (quoted(WIN), ACCEPTED),
        (quoted(STAGE), STAGE),
        (STAGE, quoted(STAGE)),
    ],
)
def test_deal_8_whatever_is_told_first_the_contract_is_the_accepted_quote(told: tuple[Any, ...]) -> None:
    met: Scenario = THE_CONTRACT
    for command in told:
        met = met.given(*(fact.event for fact in met.when(command).facts))
    state = met.when(replace(STAGE, quote=QUOTE)).state
    assert (state.total, state.lines, state.quote) == (eur("8640.00"), QUOTED, QUOTE)


def test_deal_8_a_draft_made_by_hand_takes_over_the_quote_as_its_deal_enters_the_contract_stage() -> None:
    by_hand = THE_CONTRACT.given(replace(DRAFTED, trigger="direct", total=eur("1.00")))
    changed = replace(TERMS, reason="The deal that entered its contract stage says so.")
    by_hand.when(quoted(STAGE)).then(changed, TAKEN)
    by_hand.when(replace(STAGE, lines=OF_DEAL)).then()


def test_deal_8_what_somebody_changed_in_the_draft_stands_until_the_win() -> None:
    changed = THE_CONTRACT.given(QUOTED_DRAFT).when(ChangeContract(total=eur("8000"))).facts[0].event
    met = THE_CONTRACT.given(QUOTED_DRAFT, changed)
    met.when(quoted(STAGE)).then()
    met.when(quoted(WIN)).then(replace(TERMS, reason="The deal was won with these terms."))
    assert met.when(ChangeContract(total=eur("8100"))).state.lines == QUOTED


def test_deal_8_a_win_brings_the_lines_that_the_deal_was_won_with() -> None:
    taken = ContractLinesTaken(contract_id=ID, lines=OF_DEAL)
    THE_CONTRACT.given(DRAFTED).when(replace(WIN, lines=OF_DEAL)).then(taken)
    THE_CONTRACT.given(replace(DRAFTED, lines=OF_DEAL)).when(WIN).then(replace(taken, lines=()))


@pytest.mark.parametrize("history", FURTHER)
def test_deal_8_a_contract_that_went_further_and_says_something_else_is_flagged_once(history: tuple[Any, ...]) -> None:
    flag = flagged(OTHER_QUOTE)
    met = THE_CONTRACT.given(replace(DRAFTED, lines=OF_DEAL), *history)
    met.when(ACCEPTED).then(flag)
    met.given(flag).when(ACCEPTED).then()
    met.when(replace(ACCEPTED, total=eur("120000.00"))).then(flag)
    met.when(replace(ACCEPTED, total=eur("120000.00"), lines=OF_DEAL)).then()
    THE_CONTRACT.given(DRAFTED, *history).when(replace(ACCEPTED, total=eur("120000.00"))).then()


def test_deal_8_a_contract_that_went_further_than_a_win_with_other_lines_is_flagged() -> None:
    met = THE_CONTRACT.given(replace(DRAFTED, lines=OF_DEAL), SUBMITTED)
    met.when(replace(WIN, lines=OF_DEAL)).then()
    met.when(replace(WIN, lines=QUOTED)).then(flagged(OTHER_LINES))
    met.when(replace(STAGE, lines=QUOTED)).then()


def test_deal_8_what_was_flagged_takes_the_quote_over_with_the_win_once_it_is_a_draft_again() -> None:
    met = THE_CONTRACT.given(DRAFTED, SUBMITTED, flagged(OTHER_QUOTE), RECALLED)
    met.when(quoted(WIN)).then(replace(TERMS, reason="The deal was won with these terms."), TAKEN)


def test_deal_8_a_quote_that_is_set_aside_leaves_total_and_lines_of_the_draft() -> None:
    met = THE_CONTRACT.given(QUOTED_DRAFT)
    left = ContractLinesTaken(contract_id=ID, lines=QUOTED)
    outcome = met.when(LeaveQuote(quote_id=QUOTE.quote_id)).then(left)
    assert (outcome.state.total, outcome.state.quote) == (eur("8640.00"), None)
    met.given(left).when(LeaveQuote(quote_id=QUOTE.quote_id)).then()
    met.when(LeaveQuote(quote_id=OTHER.quote_id)).then()
    met.given(left).when(replace(ACCEPTED, quote=OTHER)).then(replace(TAKEN, quote=OTHER))


@pytest.mark.parametrize("history", FURTHER)
def test_deal_8_a_contract_that_went_further_is_flagged_as_its_quote_is_set_aside(history: tuple[Any, ...]) -> None:
    leave = LeaveQuote(quote_id=QUOTE.quote_id)
    met = THE_CONTRACT.given(QUOTED_DRAFT, *history)
    met.when(leave).then(flagged(SET_ASIDE))
    met.given(flagged(SET_ASIDE)).when(leave).then()
    met.when(LeaveQuote(quote_id=OTHER.quote_id)).then()
    assert met.when(leave).state.lines == QUOTED


@pytest.mark.parametrize("history", [(), (DRAFTED, VOIDED)])
def test_deal_8_a_deal_without_a_live_contract_is_answered_with_nothing(history: tuple[Any, ...]) -> None:
    met = THE_CONTRACT.given(*history)
    met.when(ACCEPTED).then()
    met.when(LeaveQuote(quote_id=QUOTE.quote_id)).then()
    outcome = met.when(quoted(STAGE)).then(QUOTED_DRAFT)
    assert outcome.state.lines == QUOTED
