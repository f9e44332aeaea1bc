"""DATA-5: deals of the past come in as dated facts, without gates."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.deals.domain.deal.history import (
    ImportDeal,
    ImportDealAbandonment,
    ImportDealActivity,
    ImportDealChange,
    ImportDealLoss,
    ImportDealMove,
    ImportDealNode,
    ImportDealReopening,
    ImportDealWin,
)
from services.deals.domain.deal.state import NextStep, OpenDeal, WonDeal, deal
from shared.domain.aggregate import Handler
from shared.domain.context import Moment
from shared.domain.roles import ONLY_SERVICES
from shared.events.deals.deal import (
    DealAbandoned,
    DealActivityLogged,
    DealAmountChanged,
    DealCategoryChanged,
    DealCloseDateChanged,
    DealLine,
    DealLost,
    DealMoved,
    DealNextStepPlanned,
    DealNodeCompleted,
    DealReopened,
    DealWon,
)
from shared.events.money import Money
from shared.testing.scenario import NOW, Outcome, Scenario
from tests.services.deals.facts import OTHER, OWNER, TEAM, THE_DEAL, TODAY, eur, usd, yen

START, LATER, END = date(2025, 2, 3), date(2025, 3, 4), date(2025, 5, 6)
END_OF_START = datetime(2025, 2, 3, 23, 59, 59, 999999, tzinfo=UTC)
BEGAN = ImportDeal(
    on=START,
    name="Old deal",
    amount=eur("5000"),
    stage="quotation",
    owner=OWNER,
    team=TEAM,
    assumptions=("list-price",),
)


def known(*commands: Any) -> Scenario:
    """The deal after these imported facts."""
    scenario = THE_DEAL
    for command in (BEGAN, *commands):
        outcome = scenario.when(command)
        assert outcome.rejected is None, outcome.rejected
        scenario = scenario.given(*(fact.event for fact in outcome.facts))
    return scenario


def kinds(outcome: Outcome) -> list[type]:
    assert outcome.rejected is None, outcome.rejected
    return [type(fact.event) for fact in outcome.facts]


def test_data_5_a_deal_is_taken_over_in_any_stage_on_its_day() -> None:
    outcome = THE_DEAL.when(BEGAN)
    event = outcome.facts[0].event
    assert outcome.facts[0].at == Moment(END_OF_START, by_day=True)
    assert (event.stage, event.on, event.assumptions, event.nodes) == ("quotation", START, ("list-price",), ())
    assert isinstance(outcome.state, OpenDeal)


def test_data_5_a_deal_of_the_past_and_its_changes_are_in_any_currency() -> None:
    assert THE_DEAL.when(replace(BEGAN, amount=usd("5000"))).facts[0].event.amount == usd("5000.00")
    outcome = known().when(ImportDealChange(on=LATER, amount=yen("5000")))
    (changed,) = (fact.event for fact in outcome.facts)
    assert (changed.before, changed.amount) == (eur("5000.00"), yen("5000"))
    first, won = (fact.event for fact in known().when(ImportDealWin(on=END, amount=usd("5000"))).facts)
    assert (first.before, first.amount, won.amount) == (eur("5000.00"), usd("5000.00"), usd("5000.00"))
    ended = Money(amount=eur("1.95").amount, currency="BGN")
    assert THE_DEAL.when(replace(BEGAN, amount=ended)).facts[0].event.amount == ended
    THE_DEAL.when(replace(BEGAN, amount=Money(amount=eur("1").amount, currency="XAU"))).then_rejected(
        "unknown-currency"
    )


def test_data_5_lines_of_the_past_have_the_currency_of_the_amount() -> None:
    lines = tuple(DealLine(product_id=UUID(int=1), quantity=Decimal(1), price=each) for each in (eur("1"), usd("1")))
    outcome = THE_DEAL.when(replace(BEGAN, lines=lines)).then_rejected("invalid-deal", "other-currency")
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].field == "lines.1.price.currency"
    assert THE_DEAL.when(replace(BEGAN, lines=lines[:1])).facts[0].event.lines == lines[:1]


def test_data_5_an_instant_stands_where_it_is_known() -> None:
    at = datetime(2025, 2, 3, 9, 30, tzinfo=UTC)
    assert THE_DEAL.when(replace(BEGAN, at=at)).facts[0].at == Moment(at)
    THE_DEAL.when(replace(BEGAN, at=datetime(2025, 2, 4, tzinfo=UTC))).then_rejected("other-day")
    THE_DEAL.when(replace(BEGAN, at=datetime(2025, 2, 3))).then_rejected("other-day")  # noqa: DTZ001
    THE_DEAL.when(replace(BEGAN, on=TODAY, at=NOW.replace(hour=23))).then_rejected("in-the-future")


def test_data_5_tasks_fall_due_only_where_the_history_knows_them() -> None:
    tracked = THE_DEAL.when(replace(BEGAN, tracked=True)).facts[0].event
    assert {node.key for node in tracked.nodes} == {"present-quotation", "handle-objections", "quotation"}
    moved = known().when(ImportDealMove(on=LATER, stage="contract-drafting", tracked=True)).facts[0].event
    assert len(moved.nodes) == 3
    assert known().when(ImportDealMove(on=LATER, stage="contract-drafting")).facts[0].event.nodes == ()


def test_data_5_moves_meet_no_gate() -> None:
    outcome = known().when(ImportDealMove(on=LATER, stage="contract-drafting"))
    assert kinds(outcome) == [DealMoved]
    assert (outcome.state.stage, outcome.state.stage_since) == ("contract-drafting", LATER)
    back = known().when(ImportDealMove(on=LATER, stage="initial-contact")).facts[0].event
    assert back.direction == "back"


def test_data_5_changes_come_with_what_was_before() -> None:
    command = ImportDealChange(
        on=LATER,
        amount=eur("6000"),
        expected_close=END,
        category="commit",
        next_step=NextStep(on=END, what="Call"),
    )
    outcome = known().when(command)
    assert kinds(outcome) == [DealAmountChanged, DealCloseDateChanged, DealCategoryChanged, DealNextStepPlanned]
    assert outcome.facts[0].event.before == eur("5000")


def test_data_5_what_held_anyway_is_recorded_too_for_something_else_may_be_told_before_it() -> None:
    assert kinds(known().when(ImportDealChange(on=LATER, amount=eur("5000")))) == [DealAmountChanged]
    stayed = known().when(ImportDealMove(on=LATER, stage="quotation"))
    assert kinds(stayed) == [DealMoved]
    assert (stayed.state.stage, len(stayed.state.trail)) == ("quotation", 1)


def test_data_5_work_is_taken_over() -> None:
    call = ImportDealActivity(on=LATER, activity_id=UUID(int=60), kind="call", by=OWNER, minutes=10)
    done = ImportDealNode(on=LATER, key="quotation", evidence="Q-1")
    assert kinds(known().when(call)) == [DealActivityLogged]
    assert kinds(known().when(done)) == [DealNodeCompleted]
    assert known(done).when(done).facts == ()
    known(done).when(replace(done, evidence="Q-2")).then_rejected("already-completed")


def test_data_5_outcomes_are_taken_over_on_their_days() -> None:
    won = known().when(ImportDealWin(on=END, amount=eur("5500")))
    assert kinds(won) == [DealAmountChanged, DealWon]
    assert isinstance(won.state, WonDeal)
    assert (won.state.on, won.state.amount) == (END, eur("5500"))
    assert kinds(known().when(ImportDealLoss(on=END))) == [DealLost]
    assert kinds(known().when(ImportDealAbandonment(on=END, reason="no-decision"))) == [DealAbandoned]
    again = known(ImportDealLoss(on=LATER)).when(ImportDealReopening(on=END, reason="Back"))
    assert kinds(again) == [DealReopened]


WIN, LOSE, ABANDON = (
    ImportDealWin(on=END),
    ImportDealLoss(on=END),
    ImportDealAbandonment(on=END, reason="no-decision"),
)


def test_data_5_an_opening_with_other_content_is_refused() -> None:
    known().when(replace(BEGAN, owner=OTHER)).then_rejected("not-in-this-state")


def test_data_5_a_reopening_given_twice_records_nothing() -> None:
    again = ImportDealReopening(on=END, reason="Back")
    known(ImportDealLoss(on=LATER), again).when(again).then()


@pytest.mark.parametrize(
    "command",
    [
        ImportDealMove(on=START, stage="contract-drafting"),
        ImportDealChange(on=START, amount=eur("1")),
        ImportDealActivity(on=START, activity_id=UUID(int=60), kind="call"),
        ImportDealNode(on=START, key="quotation", evidence="Q"),
        WIN,
        LOSE,
        ABANDON,
    ],
    ids=lambda command: type(command).__name__,
)
def test_data_5_no_fact_lies_in_the_future_or_before_the_opening(command: Any) -> None:
    known().when(replace(command, on=date(2025, 2, 2))).then_rejected("before-it-began")
    known().when(replace(command, on=date(2026, 3, 17))).then_rejected("in-the-future")
    THE_DEAL.when(command).then_rejected("does-not-exist")


def test_data_5_stages_and_tasks_have_to_exist() -> None:
    THE_DEAL.when(replace(BEGAN, stage="Engaging")).then_rejected("unknown-stage")
    known().when(ImportDealMove(on=LATER, stage="Engaging")).then_rejected("unknown-stage")
    known().when(ImportDealNode(on=LATER, key="dance", evidence="x")).then_rejected("unknown-node")


def test_data_5_only_imports_bring_history_in() -> None:
    handlers: list[Handler] = [handler for group in deal.handlers.values() for handler in group]
    imports = [handler for handler in handlers if handler.decide.__module__.endswith(".history")]
    assert len(imports) == 9
    assert all(handler.allow == ONLY_SERVICES for handler in imports)
