"""DEAL-9 (quick update), DEAL-10 (category), and other changes of an open deal."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from services.deals.domain.deal.changes import (
    ChangeAmount,
    ChangeCloseDate,
    HandOver,
    NoteFacts,
    OverrideCategory,
    RenameDeal,
    SetCategory,
    UpdateDeal,
)
from services.deals.domain.deal.state import NextStep
from shared.domain.roles import Role
from shared.events.deals.deal import (
    DealAmountChanged,
    DealCategoryChanged,
    DealCloseDateChanged,
    DealFactsNoted,
    DealHandedOver,
    DealMoved,
    DealNextStepPlanned,
    DealRenamed,
    DealWon,
)
from shared.events.money import Money
from shared.testing.scenario import Scenario
from tests.services.deals.facts import ID, OPENED, OTHER, OTHER_TEAM, OWNER, TALKED, TEAM, THE_DEAL, TODAY, eur, usd

OPEN = THE_DEAL.given(OPENED)
CLOSED = OPEN.given(DealWon(deal_id=ID, on=TODAY, amount=eur("1"), stage="initial-contact", name="x"))
DEARER = DealAmountChanged(deal_id=ID, before=eur("120000.00"), amount=eur("135000.00"), on=TODAY)
LATER = DealCloseDateChanged(deal_id=ID, before=date(2026, 6, 30), expected_close=date(2026, 9, 30), on=TODAY)
BY_REP = DealCategoryChanged(deal_id=ID, before="pipeline", category="commit", judged_by="rep", on=TODAY)
BY_MANAGER = DealCategoryChanged(
    deal_id=ID, before="commit", category="omitted", judged_by="manager", reason="No budget", on=TODAY
)
STEP = NextStep(on=date(2026, 3, 20), what="Workshop")


def test_deal_9_the_amount_changes_and_what_it_was_stays_known() -> None:
    OPEN.when(ChangeAmount(amount=eur("135000"))).then(DEARER)
    OPEN.given(DEARER).when(ChangeAmount(amount=eur("135000.00"))).then()


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (Money(amount=Decimal(1), currency="XAU"), "unknown-currency"),
        (Money(amount=Decimal("0.5"), currency="JPY"), "too-many-decimals"),
        (eur("-0.01"), "negative"),
    ],
)
def test_deal_9_an_amount_that_cannot_be_is_refused(amount: Money, code: str) -> None:
    OPEN.when(ChangeAmount(amount=amount)).then_rejected(code)
    OPEN.when(UpdateDeal(amount=amount)).then_rejected("invalid-deal-change", code)


def test_deal_9_an_amount_is_negotiated_in_another_currency_and_what_it_was_stays_known() -> None:
    in_dollars = replace(DEARER, before=eur("120000.00"), amount=usd("120000.00"))
    OPEN.when(ChangeAmount(amount=usd("120000"))).then(in_dollars)
    OPEN.when(UpdateDeal(amount=usd("120000"))).then(in_dollars)
    dearer = OPEN.given(in_dollars)
    dearer.when(ChangeAmount(amount=usd("120000"))).then()
    dearer.when(ChangeAmount(amount=eur("120000"))).then(
        replace(in_dollars, before=in_dollars.amount, amount=eur("120000.00"))
    )


def test_deal_9_the_close_date_changes_or_becomes_unknown() -> None:
    OPEN.when(ChangeCloseDate(expected_close=date(2026, 9, 30))).then(LATER)
    OPEN.given(LATER).when(ChangeCloseDate(expected_close=date(2026, 9, 30))).then()
    unknown = DealCloseDateChanged(deal_id=ID, before=date(2026, 6, 30), expected_close=None, on=TODAY)
    OPEN.when(ChangeCloseDate(expected_close=None)).then(unknown)


def test_deal_9_a_close_date_in_the_past_is_refused() -> None:
    OPEN.when(ChangeCloseDate(expected_close=date(2026, 3, 15))).then_rejected("in-the-past")


@pytest.mark.parametrize("history", [OPEN, CLOSED], ids=["open", "closed"])
def test_deal_9_a_deal_is_called_otherwise_also_once_it_is_closed(history: Scenario) -> None:
    renamed = DealRenamed(deal_id=ID, name="Both plants")
    outcome = history.when(RenameDeal(name="Both plants")).then(renamed)
    assert outcome.state == replace(history.when(RenameDeal(name=OPENED.name)).then().state, name="Both plants")
    history.given(renamed).when(RenameDeal(name="Both plants")).then()


def test_proc_3_facts_are_noted_once_and_may_become_unknown_again() -> None:
    noted = DealFactsNoted(deal_id=ID, facts={"pains": 2, "budget": "150000"})
    OPEN.when(NoteFacts(facts={"pains": 2, "budget": "150000"})).then(noted)
    OPEN.given(noted).when(NoteFacts(facts={"pains": 2, "budget": "150000"})).then()
    outcome = OPEN.given(noted).when(NoteFacts(facts={"pains": 3, "budget": None}))
    outcome.then(DealFactsNoted(deal_id=ID, facts={"pains": 3, "budget": None}))
    assert outcome.state.facts == {"pains": 3, "budget": None}
    OPEN.when(NoteFacts(facts={"pains": None})).then()


def test_proc_3_facts_that_the_process_does_not_know_are_refused_each_by_its_name() -> None:
    outcome = OPEN.when(
        NoteFacts(facts={"mood": "good", "pains": "many", "need_stated": "yes", "timeline": 3, "budget": "1.5"})
    ).then_rejected("invalid-facts", "unknown-fact", "other-kind", "other-kind", "other-kind")
    assert outcome.rejected is not None
    assert [reason.field for reason in outcome.rejected.reasons] == [
        "facts.mood",
        "facts.pains",
        "facts.need_stated",
        "facts.timeline",
    ]


def test_proc_3_a_truth_is_no_number() -> None:
    for number in (10**15, -(10**15), "9" * 5000, f"0.{'1' * 5000}", "1e999999", "+1", "1_0", " 1", ""):
        OPEN.when(NoteFacts(facts={"pains": number})).then_rejected("invalid-facts", "other-kind")
    OPEN.when(NoteFacts(facts={"pains": True})).then_rejected("invalid-facts", "other-kind")
    OPEN.when(NoteFacts(facts={"need_stated": 1})).then_rejected("invalid-facts", "other-kind")


def test_deal_10_the_rep_judges_and_the_manager_overrides_and_both_are_kept() -> None:
    OPEN.when(SetCategory(category="commit")).then(BY_REP)
    outcome = OPEN.given(BY_REP).when(OverrideCategory(category="omitted", reason="No budget")).then(BY_MANAGER)
    state = outcome.state
    assert (state.category, state.category_by_rep, state.category_by_manager) == ("omitted", "commit", "omitted")


def test_deal_10_a_judgement_repeated_records_nothing() -> None:
    OPEN.given(BY_REP).when(SetCategory(category="commit")).then()
    OPEN.given(BY_REP, BY_MANAGER).when(OverrideCategory(category="omitted", reason="Again")).then()


def test_deal_10_an_override_stands_until_a_manager_changes_it() -> None:
    OPEN.given(BY_REP, BY_MANAGER).when(SetCategory(category="pipeline")).then_rejected("overridden")
    outcome = OPEN.given(BY_REP, BY_MANAGER).when(OverrideCategory(category="best-case", reason="Budget is there"))
    assert outcome.state.category == "best-case"


def test_deal_10_only_those_who_answer_for_others_override_and_hand_over() -> None:
    for command in (OverrideCategory, HandOver):
        (handler,) = THE_DEAL.aggregate.handlers[command]
        assert Role.REP not in handler.allow
        assert Role.MANAGER in handler.allow


def test_acct_4_a_deal_is_handed_over_and_stays_with_its_team_unless_said() -> None:
    outcome = OPEN.when(HandOver(owner=OTHER, reason="New territory")).then(
        DealHandedOver(
            deal_id=ID,
            owner_before=OWNER,
            team_before=TEAM,
            owner=OTHER,
            team=TEAM,
            reason="New territory",
            on=TODAY,
        )
    )
    handed = outcome.facts[0].event
    OPEN.given(handed).when(HandOver(owner=OTHER)).then()
    assert OPEN.when(HandOver(owner=OWNER, team=OTHER_TEAM)).state.team == OTHER_TEAM


def test_deal_9_a_quick_update_changes_everything_together() -> None:
    command = UpdateDeal(
        name="Both plants",
        stage="needs-confirmed",
        amount=eur("135000"),
        expected_close=date(2026, 9, 30),
        next_step=STEP,
    )
    outcome = OPEN.given(TALKED).when(command)
    kinds = [type(fact.event) for fact in outcome.facts]
    assert kinds == [DealRenamed, DealAmountChanged, DealCloseDateChanged, DealNextStepPlanned, DealMoved]
    assert outcome.facts[-1].event.amount == eur("135000")  # the move tells the new amount
    events = [fact.event for fact in outcome.facts]
    OPEN.given(TALKED, *events).when(command).then()


def test_deal_9_the_gate_sees_the_next_step_of_the_same_update() -> None:
    OPEN.given(TALKED).when(UpdateDeal(stage="needs-confirmed")).then_rejected("invalid-deal-change", "criterion-unmet")
    assert OPEN.given(TALKED).when(UpdateDeal(stage="needs-confirmed", next_step=STEP)).rejected is None


def test_deal_9_a_quick_update_is_all_or_nothing_and_names_everything() -> None:
    command = UpdateDeal(
        stage="needs-confirmed",
        amount=eur("-1"),
        expected_close=date(2020, 1, 1),
        next_step=replace(STEP, on=date(2020, 1, 1)),
    )
    outcome = OPEN.when(command).then_rejected(
        "invalid-deal-change", "negative", "in-the-past", "in-the-past", "criterion-unmet", "criterion-unmet"
    )
    assert outcome.facts == ()
    assert outcome.rejected is not None
    assert [reason.field for reason in outcome.rejected.reasons[:3]] == [
        "amount.amount",
        "expected_close",
        "next_step.on",
    ]


def test_deal_9_an_update_that_says_nothing_records_nothing() -> None:
    OPEN.when(UpdateDeal()).then()


@pytest.mark.parametrize(
    "command",
    [
        ChangeAmount(amount=eur("1")),
        ChangeCloseDate(expected_close=None),
        NoteFacts(facts={"pains": 2}),
        SetCategory(category="commit"),
        OverrideCategory(category="commit", reason="x"),
        HandOver(owner=OTHER),
        UpdateDeal(amount=eur("1")),
    ],
    ids=lambda command: type(command).__name__,
)
def test_deal_9_a_closed_or_missing_deal_does_not_change(command: object) -> None:
    CLOSED.when(command).then_rejected("not-in-this-state")
    THE_DEAL.when(command).then_rejected("does-not-exist")
