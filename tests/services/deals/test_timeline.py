"""DATA-5: what became of the facts of a deal: which stand, which were corrected, and which were withdrawn."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from services.deals.domain.deal.timeline import became
from shared.domain.history import Recorded
from shared.events.deals.deal import DealActivityLogged, DealFactRetracted, DealNextStepPlanned, DealWon
from shared.events.deals.deal_qualification import DealAnswerWithdrawn, DealBudgetStated, Fading
from shared.events.deals.deal_record import DealActivityCorrected, DealActivityWithdrawn
from tests.services.deals.facts import ID, OPENED, TODAY, eur

AT = datetime(2026, 3, 16, 10, tzinfo=UTC)
CALL, OTHER_CALL = UUID(int=50), UUID(int=51)
LOGGED = DealActivityLogged(deal_id=ID, activity_id=CALL, kind="call")
CORRECTED = DealActivityCorrected(
    deal_id=ID, activity_id=CALL, kind="meeting", by=None, on=TODAY, minutes=None, cost=None, outcome=None
)
PLANNED = DealNextStepPlanned(deal_id=ID, on=date(2026, 4, 1))
FADES = Fading(half_life_days=60, renew_on=date(2026, 5, 16), policy_version=0)
BUDGET = DealBudgetStated(deal_id=ID, answer_id=UUID(int=60), amount=eur("1.00"), found_on=TODAY, fades=FADES)


def request(number: int) -> UUID:
    return UUID(int=1000 + number)


def told(*requests: tuple[Any, ...], named: str | None = None) -> list[Recorded]:
    """Facts, as several requests recorded them one after the other."""
    facts = [(number, event) for number, events in enumerate(requests, 1) for event in events]
    return [
        Recorded(data=event, occurred_at=AT, by_day=False, sequence=place, fact=named, causation_id=request(number))
        for place, (number, event) in enumerate(facts, 1)
    ]


def retracted(number: int) -> DealFactRetracted:
    return DealFactRetracted(deal_id=ID, request=request(number))


def test_what_nobody_spoke_of_again_stands() -> None:
    assert became(told((OPENED,), (LOGGED,), (PLANNED,))) == {1: "stands", 2: "stands", 3: "stands"}
    assert became([]) == {}


def test_deal_6_an_activity_that_was_corrected_says_so_and_what_was_told_along_is_told_once_more() -> None:
    facts = told((OPENED,), (LOGGED, PLANNED), (retracted(2), PLANNED, CORRECTED))
    assert became(facts) == {
        1: "stands",
        2: "corrected",
        3: "corrected",
        4: "stands",
        5: "stands",
        6: "stands",
    }


def test_deal_6_an_activity_that_was_withdrawn_says_so_and_what_was_told_along_does_not() -> None:
    gone = DealActivityWithdrawn(deal_id=ID, activity_id=CALL, reason="Of another customer")
    facts = told((OPENED,), (LOGGED, PLANNED), (retracted(2), PLANNED, gone))
    assert became(facts) == {1: "stands", 2: "withdrawn", 3: "corrected", 4: "stands", 5: "stands", 6: "stands"}


def test_an_activity_corrected_twice_stands_as_it_was_told_last() -> None:
    facts = told((OPENED,), (LOGGED,), (retracted(2), CORRECTED), (retracted(3), CORRECTED))
    assert became(facts) == {1: "stands", 2: "corrected", 3: "stands", 4: "corrected", 5: "stands", 6: "stands"}


def test_data_5_history_that_was_taken_back_is_withdrawn() -> None:
    facts = told((OPENED,), (replace(LOGGED, activity_id=OTHER_CALL),), (retracted(2),))
    assert became(facts) == {1: "stands", 2: "withdrawn", 3: "stands"}


def test_data_5_of_several_under_one_name_the_last_stands() -> None:
    won = DealWon(deal_id=ID, on=TODAY, amount=eur("1.00"), stage="quotation", name="Servers")
    facts = [*told((OPENED,)), *told((), (won,), (won,), named="won 1")[0:2]]
    facts = [replace(fact, sequence=place) for place, fact in enumerate(facts, 1)]
    assert became(facts) == {1: "stands", 2: "corrected", 3: "stands"}


def test_deal_5_an_answer_given_anew_corrects_the_one_before_and_one_taken_back_is_withdrawn() -> None:
    back = DealAnswerWithdrawn(deal_id=ID, answer_id=BUDGET.answer_id)
    assert became(told((OPENED,), (BUDGET,), (BUDGET,))) == {1: "stands", 2: "corrected", 3: "stands"}
    assert became(told((OPENED,), (BUDGET,), (back,), (BUDGET,))) == {
        1: "stands",
        2: "withdrawn",
        3: "stands",
        4: "stands",
    }
