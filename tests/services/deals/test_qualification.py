"""DEAL-5: what is found out about a deal's case, and how it loses strength."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_UP, Decimal, localcontext
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deals.domain.deal.answering import (
    AssessInaction,
    AssessRisk,
    StateBudget,
    StateCompetition,
    StateCustomerEvent,
    StatePain,
    StateRequirement,
    WithdrawAnswer,
)
from services.deals.domain.deal.erasure import EraseTexts
from services.deals.domain.deal.facts import facts_of
from services.deals.domain.deal.qualification import (
    Pain,
    Qualification,
    Requirement,
    Risk,
    by_exposure,
    cost_of_idle_day,
    expected_value,
    fit,
    missing,
    of_kind,
    overall_strength,
    renewal_day,
    renewal_due,
    strength,
    strength_on,
)
from services.deals.domain.deal.stages import MoveDeal
from services.deals.domain.deal.state import OpenDeal
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.facts import DERIVED
from services.deals.domain.policies import POLICIES, QUALIFICATION
from services.deals.domain.process.short import SHORT
from shared.domain.context import Company
from shared.domain.policy import InForce, Version
from shared.events.criteria import Criterion, Predicate
from shared.events.deals.deal import DealWon
from shared.events.deals.deal_qualification import (
    DealAnswerWithdrawn,
    DealBudgetStated,
    DealCompetitionStated,
    DealCustomerEventStated,
    DealInactionAssessed,
    DealPainStated,
    DealRequirementStated,
    DealRiskAssessed,
    Fading,
)
from shared.events.deals.policy import QualificationRule
from shared.events.money import Money
from shared.testing.scenario import Scenario, scenario
from tests.services.deals.facts import (
    FRIDAY,
    ID,
    OPENED,
    OPENED_FRIDAY,
    OWNER,
    PROCESS,
    TEAM,
    THE_DEAL,
    TODAY,
    eur,
    usd,
    yen,
)

OPEN = THE_DEAL.given(OPENED_FRIDAY)
FIRST, SECOND = UUID(int=100), UUID(int=101)
FADES = Fading(half_life_days=60, renew_on=date(2026, 5, 16), policy_version=0)
"""61 days from TODAY on: after 60 it is half as strong, which is the limit, and not below it."""
TOLD: dict[str, Any] = {"deal_id": ID, "found_on": TODAY, "evidence": "Minutes 118", "by": OWNER, "fades": FADES}
PAIN = DealPainStated(**TOLD, answer_id=FIRST, text="The line stands still", severity=4)
STATE_PAIN = StatePain(text="The line stands still", severity=4, evidence="Minutes 118", answer_id=FIRST)
REQUIREMENT = DealRequirementStated(**TOLD, answer_id=SECOND, text="Restarts by itself", matched=False)
DEFAULT = QUALIFICATION.default_of(Company())
WON = DealWon(deal_id=ID, on=TODAY, amount=eur("120000.00"), stage="initial-contact", name=OPENED.name)


def known(scenario: Scenario) -> Qualification:
    state = scenario.aggregate.fold(scenario.history)
    assert isinstance(state, OpenDeal)
    return state.qualification


# -- answers ----------------------------------------------------------------------------------------------------------


def test_deal_5_every_question_is_answered_with_evidence_and_the_day() -> None:
    """DEAL-5: pains, inaction, events, budget, competition, requirements and risks."""
    OPEN.when(STATE_PAIN).then(PAIN)
    inaction = AssessInaction(consequence="No shift", cost_of_delay=usd("18000"), evidence="Minutes 118")
    (told,) = [fact.event for fact in OPEN.when(inaction).facts]
    assert told == DealInactionAssessed(
        **TOLD, answer_id=told.answer_id, consequence="No shift", cost_of_delay=usd("18000.00")
    )
    opens = StateCustomerEvent(
        kind="compelling", text="A plant opens", day=date(2026, 9, 1), evidence="Minutes 118", answer_id=FIRST
    )
    OPEN.when(opens).then(
        DealCustomerEventStated(**TOLD, answer_id=FIRST, kind="compelling", text="A plant opens", day=date(2026, 9, 1))
    )
    (budget,) = [fact.event for fact in OPEN.when(StateBudget(amount=eur("150000"), evidence="Minutes 118")).facts]
    assert budget == DealBudgetStated(**TOLD, answer_id=budget.answer_id, amount=eur("150000.00"))
    asked = StateCompetition(competitors=("Globex",), evidence="Minutes 118")
    (competition,) = [fact.event for fact in OPEN.when(asked).facts]
    assert competition == DealCompetitionStated(**TOLD, answer_id=competition.answer_id, competitors=("Globex",))
    asks = StateRequirement(text="Restarts by itself", matched=False, evidence="Minutes 118", answer_id=SECOND)
    OPEN.when(asks).then(REQUIREMENT)
    risk = AssessRisk(
        text="The sponsor leaves", likelihood=3, impact=4, response="Meet", evidence="Minutes 118", answer_id=FIRST
    )
    OPEN.when(risk).then(
        DealRiskAssessed(**TOLD, answer_id=FIRST, text="The sponsor leaves", likelihood=3, impact=4, response="Meet")
    )


def test_deal_5_an_answer_is_replaced_by_a_newer_one_under_its_id() -> None:
    worse = replace(STATE_PAIN, severity=5)
    after = OPEN.given(PAIN, REQUIREMENT).when(worse).then(replace(PAIN, severity=5))
    answers = after.state.qualification.answers
    assert [(answer.answer_id, getattr(answer, "severity", None)) for answer in answers] == [(FIRST, 5), (SECOND, None)]


def test_deal_5_without_an_id_a_pain_is_a_further_one_and_a_budget_the_only_one() -> None:
    further = OPEN.given(PAIN).when(replace(STATE_PAIN, answer_id=None, text="Scrap"))
    assert [pain.text for pain in of_kind(Pain, further.state.qualification)] == ["The line stands still", "Scrap"]
    (first,) = [fact.event for fact in OPEN.when(StateBudget(amount=eur("1"), evidence="x")).facts]
    (second,) = [fact.event for fact in OPEN.given(first).when(StateBudget(amount=eur("2"), evidence="x")).facts]
    assert first.answer_id == second.answer_id


def test_deal_5_the_same_answer_of_the_same_day_records_nothing_and_of_another_day_renews_it() -> None:
    OPEN.given(PAIN).when(STATE_PAIN).then()
    OPEN.given(replace(PAIN, by=None)).when(STATE_PAIN).then()
    old = replace(PAIN, found_on=FRIDAY, fades=replace(FADES, renew_on=date(2026, 5, 13)))
    OPEN.given(old).when(STATE_PAIN).then(PAIN)


def test_deal_5_what_was_found_out_earlier_is_as_old_as_that() -> None:
    told = OPEN.when(replace(STATE_PAIN, found_on=FRIDAY)).facts[0]
    assert told.event.found_on == FRIDAY
    assert told.event.fades.renew_on == FRIDAY + timedelta(days=61)
    assert told.at is None, "it is recorded when it is told"


def test_deal_5_nothing_is_found_out_tomorrow_and_an_id_stays_with_its_question() -> None:
    """DEAL-5: all that is wrong is said at once."""
    wrong = replace(STATE_PAIN, found_on=TODAY + timedelta(days=1), answer_id=SECOND)
    OPEN.given(REQUIREMENT).when(wrong).then_rejected("in-the-future", "in-the-future", "other-question")


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (StateBudget(amount=eur("-1"), evidence="x"), "amount.amount"),
        (AssessInaction(consequence="x", cost_of_delay=eur("-1"), evidence="x"), "cost_of_delay.amount"),
    ],
)
def test_deal_5_amounts_are_not_negative(command: Any, field: str) -> None:
    refused = OPEN.when(command).then_rejected("negative").rejected
    assert refused is not None
    assert refused.reasons[0].field == field
    tomorrow = replace(command, found_on=TODAY + timedelta(days=1))
    OPEN.when(tomorrow).then_rejected("in-the-future", "in-the-future", "negative")


def test_deal_5_an_answer_is_withdrawn_once_and_may_be_given_again() -> None:
    withdraw = WithdrawAnswer(answer_id=FIRST, reason="Sold")
    withdrawn = DealAnswerWithdrawn(deal_id=ID, answer_id=FIRST, reason="Sold")
    assert OPEN.given(PAIN).when(withdraw).then(withdrawn).state.qualification.answers == ()
    OPEN.given(PAIN, withdrawn).when(withdraw).then()
    OPEN.given(PAIN, withdrawn).when(STATE_PAIN).then(PAIN)
    OPEN.given(PAIN, withdrawn, PAIN).when(withdraw).then(withdrawn)
    OPEN.when(withdraw).then_rejected("unknown-answer")


@pytest.mark.parametrize("command", [STATE_PAIN, WithdrawAnswer(answer_id=FIRST)])
def test_deal_5_a_closed_deal_is_not_qualified_any_more(command: Any) -> None:
    OPEN.given(PAIN, WON).when(command).then_rejected("not-in-this-state")
    THE_DEAL.when(command).then_rejected("does-not-exist")


def test_data_4_texts_of_answers_are_erased_and_their_figures_stay() -> None:
    (erased,) = [fact.event for fact in OPEN.given(PAIN).when(EraseTexts()).facts]
    (pain,) = of_kind(Pain, known(OPEN.given(PAIN, erased)))
    assert (pain.text, pain.evidence, pain.severity, pain.found_on) == (None, None, 4, TODAY)
    OPEN.given(PAIN, erased).when(EraseTexts()).then()
    OPEN.given(PAIN, erased, PAIN).when(EraseTexts()).then(erased)
    withdrawn = DealAnswerWithdrawn(deal_id=ID, answer_id=FIRST, reason="Sold")
    OPEN.given(PAIN, erased, withdrawn).when(EraseTexts()).then(erased)


# -- strength ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "left"),
    [
        (0, "1"),
        (30, "0.7071067811865475244008443621"),
        (60, "0.5"),
        (90, "0.3535533905932737622004221811"),
        (120, "0.25"),
        (600, "0.0009765625"),
    ],
)
def test_deal_5_an_answer_is_half_as_strong_after_each_half_life(age: int, left: str) -> None:
    assert abs(strength(age, 60) - Decimal(left)) <= Decimal("1e-27")
    assert (strength(age, 60) == Decimal(left)) or age % 60


@pytest.mark.parametrize(
    ("half_life", "weakest", "days"),
    [
        (60, "0.5", 61),
        (60, "0.25", 121),
        (60, "1", 1),
        (60, "0.7", 31),
        (60, "0.7072", 30),
        (1, "0.5", 2),
        (7, "0.01", 47),
    ],
)
def test_deal_5_renewal_falls_due_on_the_first_day_below_the_limit(half_life: int, weakest: str, days: int) -> None:
    rule = replace(DEFAULT, half_life_days=half_life, weakest=Decimal(weakest))
    assert renewal_day(TODAY, rule) == TODAY + timedelta(days=days)


@given(half_life=st.integers(1, 3650), weakest=st.decimals(Decimal("0.01"), 1, places=6, allow_nan=False))
def test_deal_5_the_day_of_renewal_is_exact(half_life: int, weakest: Decimal) -> None:
    """Whatever the context of decimals that a thread has."""
    rule = replace(DEFAULT, half_life_days=half_life, weakest=weakest)
    days = (renewal_day(TODAY, rule) - TODAY).days
    assert strength(days, half_life) < weakest <= strength(days - 1, half_life)
    with localcontext(prec=5, rounding=ROUND_UP):
        assert renewal_day(TODAY, rule) == TODAY + timedelta(days=days)


def test_deal_5_all_answers_are_as_strong_as_the_weakest() -> None:
    old = replace(REQUIREMENT, found_on=TODAY - timedelta(days=60), fades=replace(FADES, renew_on=date(2026, 3, 17)))
    answered = known(OPEN.given(PAIN, old))
    assert overall_strength(answered, TODAY) == Decimal("0.5000")
    assert overall_strength(answered, TODAY + timedelta(days=1)) == Decimal("0.4943")
    assert renewal_due(answered) == date(2026, 3, 17)
    assert (overall_strength(Qualification(), TODAY), renewal_due(Qualification())) == (None, None)


def test_deal_5_an_answer_fades_by_the_policy_that_counted_when_it_was_given() -> None:
    quick = QualificationRule(half_life_days=10, weakest=Decimal("0.5"), silent_day_drop=Decimal(0))
    version = Version(number=3, valid_from=FRIDAY, document=quick, team=TEAM, process=None, set_on=FRIDAY, reason=None)
    in_force = InForce(default=DEFAULT, on=TODAY, versions=(version,))
    (told,) = [fact.event for fact in OPEN.knowing(qualification=in_force).when(STATE_PAIN).facts]
    assert told.fades == Fading(half_life_days=10, renew_on=TODAY + timedelta(days=11), policy_version=3)
    (pain,) = known(OPEN.given(told)).answers
    assert strength_on(pain, TODAY + timedelta(days=10)) == Decimal("0.5000")


# -- what follows from the answers ------------------------------------------------------------------------------------


def requirement(matched: bool) -> Requirement:
    (asked,) = of_kind(Requirement, known(OPEN.given(replace(REQUIREMENT, matched=matched))))
    return asked


@pytest.mark.parametrize(
    ("matched", "share"),
    [((), None), ((False,), "0"), ((True, True, True, True, False), "0.8"), ((True, True, False), "0.6667")],
)
def test_deal_5_fit_is_matched_by_stated_requirements(matched: tuple[bool, ...], share: str | None) -> None:
    assert fit([requirement(each) for each in matched]) == (None if share is None else Decimal(share))


def test_deal_5_risks_stand_by_likelihood_times_impact() -> None:
    told = [
        DealRiskAssessed(**TOLD, answer_id=UUID(int=number), text=name, likelihood=likelihood, impact=impact)
        for number, (name, likelihood, impact) in enumerate([("a", 2, 2), ("b", 5, 1), ("c", 1, 5), ("d", 5, 5)])
    ]
    assert [risk.text for risk in by_exposure(of_kind(Risk, known(OPEN.given(*told))))] == ["d", "b", "c", "a"]


def test_deal_5_what_nobody_answered_is_missing() -> None:
    every = ["pains", "inaction", "customer-events", "budget", "competition", "requirements", "risks"]
    assert missing(Qualification()) == every
    assert missing(known(OPEN.given(PAIN, REQUIREMENT))) == [
        topic for topic in every if topic not in ("pains", "requirements")
    ]


@pytest.mark.parametrize(
    ("amount", "drop", "carrying", "cost"),
    [
        (eur("120000.00"), "0.005", (), eur("600.00")),
        (eur("120000.00"), "0.005", (eur("40"), yen("9")), eur("640.00")),
        (eur("0.99"), "0.005", (), eur("0.00")),
        (eur("1.00"), "0.005", (), eur("0.01")),
        (eur("1.00"), "0.005", (eur("0.01"),), eur("0.02")),
        (yen("100"), "0.005", (eur("40"),), yen("1")),
        (yen("99"), "0.005", (), yen("0")),
        (eur("0.00"), "1", (), eur("0.00")),
    ],
)
def test_deal_5_an_idle_day_costs_amount_times_drop_and_what_it_carries(
    amount: Money, drop: str, carrying: tuple[Money, ...], cost: Money
) -> None:
    assert cost_of_idle_day(amount, replace(DEFAULT, silent_day_drop=Decimal(drop), carrying_costs=carrying)) == cost


def test_deal_5_going_on_is_worth_amount_times_probability() -> None:
    assert expected_value(eur("120000.00"), Decimal("0.10")) == eur("12000.00")
    assert expected_value(eur("0.05"), Decimal("0.10")) == eur("0.01")
    assert expected_value(yen("55"), Decimal("0.10")) == yen("6")


def test_proc_3_criteria_ask_for_what_was_answered() -> None:
    """DEAL-5, DEAL-3: and what is unmet says by which command it changes."""
    state = THE_DEAL.aggregate.fold(OPEN.given(PAIN, REQUIREMENT, replace(REQUIREMENT, answer_id=UUID(int=9))).history)
    facts = facts_of(state, PROCESS, Conversion(currency="EUR", factors={}))
    asked = {name: facts[name] for name in DERIVED if name.startswith("qualification.")}
    assert asked == {
        "qualification.pains": 1,
        "qualification.inaction": False,
        "qualification.compelling_event": False,
        "qualification.insurmountable": False,
        "qualification.budget": False,
        "qualification.competition": False,
        "qualification.fit": Decimal(0),
        "qualification.exposure": None,
    }
    fits = Criterion(
        key="fits", name="Fits", when=Predicate(fact="qualification.fit", operator="at-least", value="0.8")
    )
    first, *rest = SHORT.stages
    process = replace(PROCESS, definition=replace(SHORT, stages=(replace(first, exit=(fits,)), *rest)))
    move = OPEN.given(REQUIREMENT).knowing(process=process).when(MoveDeal(stage="needs-confirmed"))
    refused = move.then_rejected("gate-closed", "criterion-unmet").rejected
    assert refused is not None
    assert refused.reasons[0].details["by"] == {"qualification.fit": "state-requirement"}
    assert refused.reasons[0].details["met"] == {"qualification.fit": "0.0000"}


# -- the policy -------------------------------------------------------------------------------------------------------


def test_deal_5_a_rule_that_cannot_be_is_refused_with_every_reason() -> None:
    rule = QualificationRule(
        half_life_days=60,
        weakest=Decimal(0),
        silent_day_drop=Decimal("1.1"),
        carrying_costs=(eur("-1"), eur("1"), usd("0.001")),
    )
    refused = scenario(POLICIES.family).when(POLICIES.commands["qualification"](document=rule)).rejected
    assert refused is not None
    assert [(reason.code, reason.field) for reason in refused.reasons] == [
        ("out-of-range", "document.weakest"),
        ("out-of-range", "document.silent_day_drop"),
        ("negative", "document.carrying_costs.0.amount"),
        ("repeated", "document.carrying_costs.1.currency"),
        ("too-many-decimals", "document.carrying_costs.2.amount"),
    ]
