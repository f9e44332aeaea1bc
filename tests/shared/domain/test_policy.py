"""Policies: what counts for whom on which day, and what may be set."""

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deals.domain.policies import NEXT_STEPS, POLICIES
from services.leads.domain.policies import WORKING_HOURS
from shared.domain.policy import Counts, InForce, Policy, Version, in_force, policies
from shared.domain.rejection import Reason
from shared.domain.working_days import calendar_of
from shared.events.deals.policy import DealPolicySet, NextSteps
from shared.testing.scenario import CONTEXT, Scenario, scenario

TODAY = CONTEXT.today
TOMORROW = TODAY + timedelta(days=1)
SOUTH, SOUTH_EAST, NORTH, PROCESS = (UUID(int=number) for number in (70, 71, 72, 80))
SET = POLICIES.commands["next-steps"]
SHIPPED = NEXT_STEPS.default_of(CONTEXT.company)


def told(number: int, days: int | None, valid_from: date = TODAY, **scope: Any) -> DealPolicySet:
    return DealPolicySet(
        policy_id=CONTEXT.aggregate_id,
        kind="next-steps",
        number=number,
        on=TODAY,
        valid_from=valid_from,
        next_steps=None if days is None else NextSteps(days_ahead=days),
        **scope,
    )


def held(*events: DealPolicySet, on: date = TODAY, **known: Any) -> InForce[NextSteps]:
    state = POLICIES.family.fold(events)
    return InForce(default=SHIPPED, on=on, versions=getattr(state, "versions", ()), **known)


def counts(days: int, version: int) -> Counts[NextSteps]:
    return Counts(document=NextSteps(days_ahead=days), version=version)


the_policy = scenario(POLICIES.family)


def test_without_a_version_the_default_counts() -> None:
    assert held().of(team=SOUTH, process=PROCESS) == counts(14, 0)


def test_a_default_may_depend_on_the_company() -> None:
    egypt = replace(CONTEXT.company, calendar=calendar_of("EG"))
    assert WORKING_HOURS.default_of(CONTEXT.company).shifts[-1].weekday == "friday"
    assert WORKING_HOURS.default_of(egypt).shifts[-1].weekday == "sunday"


def test_what_is_set_counts_from_its_day_on() -> None:
    known = (told(1, 20), told(2, 30, TOMORROW))
    assert held(*known).of() == counts(20, 1)
    assert held(*known, on=TOMORROW).of() == counts(30, 2)


def test_a_version_from_an_earlier_day_leaves_the_one_that_is_planned() -> None:
    known = (told(1, 30, TOMORROW), told(2, 20))
    assert held(*known).of() == counts(20, 2)
    assert held(*known, on=TOMORROW).of() == counts(30, 1)


def test_of_one_day_the_last_one_counts() -> None:
    assert held(told(1, 20), told(2, 25)).of() == counts(25, 2)


def test_the_narrowest_scope_counts() -> None:
    known = (told(1, 20), told(2, 30, team=SOUTH), told(3, 40, process=PROCESS))
    assert held(*known).of(team=NORTH) == counts(20, 1)
    assert held(*known).of(team=SOUTH) == counts(30, 2)
    assert held(*known).of(team=SOUTH, process=PROCESS) == counts(40, 3)
    assert held(*known).of(team=SOUTH, process=UUID(int=81)) == counts(30, 2)


def test_a_team_has_what_the_nearest_above_it_has() -> None:
    above = {SOUTH_EAST: SOUTH, SOUTH: NORTH}
    assert held(told(1, 20, team=NORTH), above=above).of(team=SOUTH_EAST) == counts(20, 1)
    both = (told(1, 20, team=NORTH), told(2, 30, team=SOUTH))
    assert held(*both, above=above).of(team=SOUTH_EAST) == counts(30, 2)
    assert held(*both, above={SOUTH_EAST: SOUTH, SOUTH: SOUTH_EAST}).of(team=SOUTH_EAST) == counts(30, 2)


def test_teams_that_stand_above_each_other_end_at_the_company() -> None:
    ring = {SOUTH_EAST: NORTH, NORTH: SOUTH_EAST}
    assert held(told(1, 20), told(2, 30, team=SOUTH), above=ring).of(team=SOUTH_EAST) == counts(20, 1)


def test_taken_back_the_next_wider_scope_counts_again() -> None:
    known = (told(1, 20), told(2, 30, team=SOUTH), told(3, None, TOMORROW, team=SOUTH))
    assert held(*known).of(team=SOUTH) == counts(30, 2)
    assert held(*known, on=TOMORROW).of(team=SOUTH) == counts(20, 1)
    assert held(told(1, 20), told(2, None)).of() == counts(14, 0)


def test_it_is_set_with_its_number_day_and_scope() -> None:
    command = SET(document=NextSteps(days_ahead=21), valid_from=TOMORROW, team=SOUTH, reason="Longer fairs")
    expected = told(2, 21, TOMORROW, team=SOUTH, reason="Longer fairs")
    the_policy.given(told(1, 20)).when(command).then(expected)


def test_it_is_valid_from_today_where_no_day_is_named() -> None:
    the_policy.when(SET(document=NextSteps(days_ahead=21))).then(told(1, 21))


@pytest.mark.parametrize(
    "known",
    [(told(1, 21),), (told(1, 21, TODAY - timedelta(days=9)),), (told(1, 30, TODAY - timedelta(days=9)), told(2, 21))],
)
def test_what_counts_already_is_not_set_again(known: tuple[DealPolicySet, ...]) -> None:
    the_policy.given(*known).when(SET(document=NextSteps(days_ahead=21))).then()


def test_what_counts_today_is_set_where_something_else_is_planned_before() -> None:
    planned = (told(1, 21), told(2, 30, TOMORROW))
    later = TOMORROW + timedelta(days=1)
    the_policy.given(*planned).when(SET(document=NextSteps(days_ahead=21), valid_from=later)).then(told(3, 21, later))


def test_nothing_is_taken_back_where_nothing_was_set() -> None:
    the_policy.given(told(1, 20)).when(SET(document=None, team=SOUTH)).then()


def test_the_past_stays_as_it_was_decided() -> None:
    yesterday = TODAY - timedelta(days=1)
    outcome = the_policy.when(SET(document=NextSteps(days_ahead=21), valid_from=yesterday))
    outcome.then_rejected("invalid-policy", "in-the-past")
    assert outcome.rejected is not None
    assert [reason.field for reason in outcome.rejected.reasons] == ["valid_from"]


def test_every_fault_is_told_at_once_with_its_field() -> None:
    def faults(document: NextSteps) -> Iterator[Reason]:
        yield Reason(code="odd", message="Odd.", field="days_ahead")
        yield Reason(code="wrong", message="Wrong as a whole.")

    made = policies("deal", DealPolicySet, replace(NEXT_STEPS, faults=faults))
    command = made.commands["next-steps"](
        document=NextSteps(days_ahead=21), valid_from=TODAY - timedelta(days=1), team=SOUTH, process=PROCESS
    )
    outcome = Scenario(aggregate=made.family).when(command)
    outcome.then_rejected("invalid-policy", "in-the-past", "two-scopes", "odd", "wrong")
    assert outcome.rejected is not None
    fields = [reason.field for reason in outcome.rejected.reasons]
    assert fields == ["valid_from", "process", "document.days_ahead", "document"]


def test_a_kind_is_set_for_the_scopes_that_it_has_and_no_others() -> None:
    made = policies("deal", DealPolicySet, replace(NEXT_STEPS, scopes=("company",)))
    assert {each.name for each in fields(made.commands["next-steps"])} == {"document", "valid_from", "reason"}


days = st.integers(0, 6).map(lambda number: TODAY + timedelta(days=number))
versions = st.lists(st.tuples(days, st.none() | st.integers(1, 5), st.sampled_from([None, SOUTH])), max_size=6).map(
    lambda drawn: [
        Version(
            number=number,
            valid_from=day,
            document=None if length is None else NextSteps(days_ahead=length),
            team=team,
            process=None,
            set_on=TODAY,
            reason=None,
        )
        for number, (day, length, team) in enumerate(drawn, start=1)
    ]
)


@given(versions, days)
def test_what_counts_does_not_depend_on_the_order_of_versions(known: list[Version[NextSteps]], on: date) -> None:
    asked = [InForce(default=SHIPPED, on=on, versions=order) for order in list(permutations(known))[:24]]
    assert len({(each.of(), each.of(team=SOUTH)) for each in asked}) == 1


@given(versions, days)
def test_what_is_shown_as_in_force_is_what_counts(known: list[Version[NextSteps]], on: date) -> None:
    asked = InForce(default=SHIPPED, on=on, versions=known)
    shown = {version.team: version.number for version in in_force(known, on)}
    assert asked.of().version == shown.get(None, 0)
    assert asked.of(team=SOUTH).version == shown.get(SOUTH, shown.get(None, 0))


def test_each_kind_has_a_stream_of_its_own() -> None:
    other: Policy[NextSteps] = replace(NEXT_STEPS, kind="other")
    assert POLICIES.id_of(NEXT_STEPS) != POLICIES.id_of(other)
    assert POLICIES.id_of(NEXT_STEPS) == POLICIES.id_of(NEXT_STEPS)
