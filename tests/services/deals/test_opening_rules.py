"""DEAL-1: ordered rules choose the process of a new deal, by what is known of it as it begins."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.deals.domain.choice import (
    FACTS,
    SEGMENT_FACTS,
    ChosenProcess,
    OpeningFacts,
    asks_for,
    choose,
    rule_faults,
)
from services.deals.domain.policies import OPENING_RULES, POLICIES
from services.deals.domain.process.full import FULL_ID
from services.deals.domain.process.short import SHORT_ID
from shared.domain.context import Company
from shared.domain.criteria import meets
from shared.domain.roles import Role
from shared.events.criteria import FactValue, Predicate
from shared.events.deals.policy import OpeningRule, OpeningRules, Segment
from tests.services.deals.facts import OPENED, PROCESS, THE_DEAL
from tests.services.deals.test_opening import OPEN

TEAM, ACCOUNT = str(UUID(int=70)), str(UUID(int=20))
KNOWN: dict[str, Any] = {
    "industry": "chemicals",
    "country": "DE",
    "size": 1200,
    "amount": Decimal(500000),
    "currency": "EUR",
    "source": "fair",
    "team": TEAM,
    "teams": frozenset({TEAM, str(UUID(int=71))}),
    "account": ACCOUNT,
    "customer": "returning",
    "families": frozenset({"Servers", "Racks"}),
    "from_lead": True,
}
NOTHING: dict[str, Any] = {"customer": "new", "from_lead": False}


def asking(fact: str, operator: str, value: FactValue = None) -> Predicate:
    return Predicate(fact=fact, operator=operator, value=value)


def rule(when: Predicate, name: str = "large") -> OpeningRule:
    return OpeningRule(name=name, when=when, process_id=FULL_ID)


def ruled(*rules: OpeningRule, segments: tuple[Segment, ...] = ()) -> OpeningRules:
    return OpeningRules(otherwise=SHORT_ID, rules=rules, segments=segments)


def chosen(document: OpeningRules, known: Mapping[str, Any], *incomparable: str) -> tuple[str, UUID]:
    choice = choose(document, OpeningFacts(known=known, incomparable=frozenset(incomparable)))
    return choice.rule, choice.process_id


LARGE = rule(asking("amount", "at-least", "500000"))
ENTERPRISE = Segment(key="enterprise", name="Enterprise", when=asking("size", "at-least", 1000))
GERMAN = Segment(key="german", name="German", when=asking("country", "is", "DE"))


def test_deal_1_as_long_as_nothing_is_set_every_deal_follows_the_short_process() -> None:
    document = OPENING_RULES.default_of(Company())
    assert chosen(document, KNOWN) == chosen(document, NOTHING) == ("default", SHORT_ID)


def test_deal_1_the_first_rule_that_applies_chooses_and_there_is_always_a_default() -> None:
    document = ruled(LARGE, rule(asking("source", "is", "fair"), "fair"))
    assert chosen(document, KNOWN) == ("large", FULL_ID)
    assert chosen(document, {**KNOWN, "amount": Decimal(499999)}) == ("fair", FULL_ID)
    assert chosen(document, NOTHING) == ("default", SHORT_ID)


@pytest.mark.parametrize(
    "when",
    [
        asking("amount", "at-least", "500000"),
        asking("currency", "is", "EUR"),
        asking("source", "one-of", "web, fair"),
        asking("industry", "is", "chemicals"),
        asking("country", "is", "DE"),
        asking("size", "above", 1000),
        asking("team", "is", TEAM),
        asking("teams", "has", str(UUID(int=71))),
        asking("account", "is", ACCOUNT),
        asking("customer", "is", "returning"),
        asking("families", "has", "Racks"),
        asking("from_lead", "is", True),
        asking("segment", "is", "enterprise"),
    ],
    ids=lambda when: when.fact,
)
def test_deal_1_a_rule_may_ask_for_each_fact(when: Predicate) -> None:
    document = ruled(rule(when), segments=(ENTERPRISE,))
    assert list(rule_faults(document)) == []
    assert chosen(document, KNOWN) == ("large", FULL_ID)
    assert chosen(document, NOTHING) == ("default", SHORT_ID), "of what is not known no rule knows better"


def test_deal_1_the_facts_of_the_test_above_are_all_there_are() -> None:
    assert FACTS.keys() == {*KNOWN, "segment"}
    assert SEGMENT_FACTS.keys() < FACTS.keys()


def test_deal_1_a_customer_is_in_the_first_segment_that_applies() -> None:
    both = ruled(segments=(ENTERPRISE, GERMAN))
    segments = [
        choose(both, OpeningFacts(known=known)).segment
        for known in (KNOWN, {**KNOWN, "size": 10}, {**KNOWN, "size": 10, "country": "FR"}, NOTHING)
    ]
    assert segments == ["enterprise", "german", None, None]


def test_deal_1_what_rules_asked_for_and_nobody_knew_is_told() -> None:
    document = ruled(LARGE, rule(asking("families", "has", "Racks"), "racks"), segments=(ENTERPRISE,))
    assert choose(document, OpeningFacts(known=NOTHING)).unknown == ("size", "amount", "families")
    assert choose(document, OpeningFacts(known={**NOTHING, "size": 3})).unknown == ("amount", "families")
    assert choose(document, OpeningFacts(known=KNOWN)).unknown == (), "what comes behind the rule was not asked for"
    racks = {**NOTHING, "families": frozenset({"Racks"})}
    assert choose(document, OpeningFacts(known=racks)).unknown == ("size", "amount")


def test_deal_1_a_rule_on_an_amount_that_no_rate_makes_comparable_does_not_apply_whatever_it_says() -> None:
    small = rule(Predicate(not_=asking("amount", "at-least", "500000")), "small")
    unrated = {**KNOWN, "amount": None}
    document = ruled(small, rule(asking("currency", "is", "EUR"), "euro"))
    assert chosen(document, unrated, "amount") == ("euro", FULL_ID)
    assert choose(document, OpeningFacts(known=unrated, incomparable=frozenset({"amount"}))).unknown == ("amount",)
    assert chosen(document, unrated) == ("small", FULL_ID), "of a deal that says no amount it is true"


def test_deal_1_only_what_is_asked_for_has_to_be_looked_up() -> None:
    document = ruled(LARGE, segments=(ENTERPRISE,))
    assert [asks_for(document, fact) for fact in ("amount", "size", "country")] == [True, True, False]


@pytest.mark.parametrize(
    ("document", "faults"),
    [
        (ruled(rule(asking("colour", "is", "red"))), {"rules.0.when.fact": "unknown-fact"}),
        (ruled(rule(asking("amount", "at-least", "much"))), {"rules.0.when.value": "not-a-number"}),
        (ruled(rule(asking("source", "at-least", "3"))), {"rules.0.when.operator": "not-comparable"}),
        (ruled(rule(asking("from_lead", "is", "yes"))), {"rules.0.when.value": "other-kind"}),
        (ruled(rule(asking("families", "is", "Racks"))), {"rules.0.when.operator": "other-operator"}),
        (ruled(rule(asking("source", "has", "web"))), {"rules.0.when.operator": "other-operator"}),
        (ruled(rule(asking("families", "has"))), {"rules.0.when.value": "value-missing"}),
        (ruled(rule(Predicate())), {"rules.0.when": "not-one-shape"}),
        (ruled(rule(asking("customer", "is", "old"))), {"rules.0.when.value": "unknown-value"}),
        (ruled(rule(asking("customer", "one-of", "new, old"))), {"rules.0.when.value": "unknown-value"}),
        (ruled(rule(asking("segment", "is", "enterprise"))), {"rules.0.when.value": "unknown-value"}),
        (ruled(LARGE, rule(asking("source", "is", "web"))), {"rules.1.name": "repeated"}),
        (ruled(LARGE, rule(LARGE.when, "again")), {"rules.1.when": "unreachable"}),
        (ruled(rule(LARGE.when, "default")), {"rules.0.name": "reserved-name"}),
        (ruled(rule(LARGE.when, "named"), rule(asking("source", "is", "web"), " ")),
         {"rules.0.name": "reserved-name", "rules.1.name": "blank"}),
        (ruled(segments=(Segment(key="a b", name=" ", when=asking("size", "known")),)),
         {"segments.0.key": "invalid-key", "segments.0.name": "blank"}),
        (ruled(segments=(ENTERPRISE, Segment(key="enterprise", name="Other", when=ENTERPRISE.when))),
         {"segments.1.key": "repeated-key", "segments.1.when": "unreachable"}),
        (ruled(segments=(Segment(key="large", name="Large", when=LARGE.when),)),
         {"segments.0.when.fact": "unknown-fact"}),
    ],
)  # fmt: skip
def test_deal_1_what_is_wrong_with_rules_is_told_with_its_position(
    document: OpeningRules, faults: dict[str, str]
) -> None:
    assert {fault.field: fault.code for fault in rule_faults(document)} == faults


def test_deal_1_the_example_is_a_policy_that_can_be_set_by_who_steers_sales() -> None:
    assert POLICIES.kinds["opening-rules"] is OPENING_RULES
    assert OPENING_RULES.scopes == ("company",)
    assert set(OPENING_RULES.allow) - {Role.ADMIN, Role.SERVICE} == {Role.SALES_OPERATIONS, Role.SALES_DIRECTOR}


def test_proc_3_a_fact_that_is_several_texts_has_each_of_them() -> None:
    facts = {"families": frozenset({"Servers"})}
    assert meets(asking("families", "has", "Servers"), facts)
    assert not meets(asking("families", "has", "Server"), facts), "no part of one"
    assert not meets(asking("families", "has", "Servers"), {})
    assert meets(asking("families", "known"), facts)
    assert meets(asking("families", "unknown"), {})


def test_deal_1_the_choice_is_recorded_with_what_it_rests_on() -> None:
    choice = ChosenProcess(
        process=PROCESS,
        rule="large",
        segment="enterprise",
        customer="returning",
        rules_version=3,
        unknown=("families",),
    )
    told = replace(
        OPENED,
        process_rule="large",
        segment="enterprise",
        customer="returning",
        opening_rules_version=3,
        unknown_facts=("families",),
    )
    outcome = THE_DEAL.knowing(chosen=choice).when(OPEN).then(told)
    state = outcome.state
    assert (state.segment, state.customer, state.opening_rules_version) == ("enterprise", "returning", 3)
    assert (state.unknown_facts, state.opening.process_rule) == (("families",), "large")
