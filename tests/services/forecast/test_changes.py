"""Pipeline changes add up to the cent, and every deal stands in the leg that tells what happened (FC-3)."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.forecast.asking.question import Question
from services.forecast.counting.valuation import Rates
from services.forecast.pipeline.legs import LEGS, Comparison, Pair, moves
from services.forecast.pipeline.queries.totals import tally_open
from services.forecast.pipeline.timeline import at
from shared.domain.context import Actor
from shared.domain.periods import CALENDAR_YEAR, Period
from shared.domain.roles import Role
from tests.services.forecast.facts import (
    ANNA,
    BEN,
    NORTH,
    SOUTH,
    day,
    fact,
    handed_over,
    lost,
    moved,
    opened,
    reopened,
    repriced,
    rescheduled,
    won,
)
from tests.services.forecast.test_figures import START, life, lives

ALL = Question(
    as_of=day("2026-01-10"),
    current=False,
    known_at=None,
    asker=Actor(subject="somebody", roles=frozenset({Role.ADMIN})),
    sees_all=True,
    sees_teams=(),
    member=None,
    teams=None,
    owners=None,
)
FIRST_QUARTER = CALENDAR_YEAR.period("2026-Q1")


def between(start: Question, end: Question, wanted: Period | None) -> Comparison:
    """Two instants between which no rate plays a part."""
    return Comparison(
        start=start,
        end=end,
        rates=Rates(company="EUR"),
        first_day=start.as_of.date(),
        last_day=end.as_of.date(),
        wanted=wanted,
    )


def pair(before: list[Any], after: list[Any]) -> Pair:
    history = [fact(n, data, day("2026-01-05")) for n, data in enumerate(before, 1)]
    later = [fact(n, data, day("2026-01-20")) for n, data in enumerate(after, len(before) + 1)]
    start, end = day("2026-01-10"), day("2026-01-30")
    return at(history + later, start, end), at(history + later, end, end)


LEG_BY_LEG = [
    ("new", [], [opened()], 1000),
    ("reopened", [opened(), lost(date(2026, 1, 5))], [reopened(), repriced(1100)], 1100),
    ("pulled-in", [opened(close=date(2026, 4, 1))], [rescheduled(date(2026, 3, 1)), repriced(1300)], 1300),
    ("pulled-in", [opened(close=None)], [rescheduled(date(2026, 3, 1))], 1000),
    ("pushed-in", [opened(close=date(2025, 12, 1))], [rescheduled(date(2026, 1, 31))], 1000),
    ("increase", [opened()], [repriced(1250)], 250),
    ("decrease", [opened()], [repriced(900)], -100),
    ("won", [opened()], [won(date(2026, 1, 20), 1400)], -1000),
    ("lost", [opened()], [lost(date(2026, 1, 20))], -1000),
    ("pushed-out", [opened()], [rescheduled(date(2026, 4, 1)), repriced(5000)], -1000),
    ("pulled-out", [opened()], [rescheduled(date(2025, 12, 31))], -1000),
]


@pytest.mark.parametrize(("leg", "before", "after", "amount"), LEG_BY_LEG)
def test_each_leg(leg: str, before: list[Any], after: list[Any], amount: int) -> None:
    (move,) = moves([pair(before, after)], between(ALL, ALL, FIRST_QUARTER))
    assert (move.leg, move.amount) == (leg, Decimal(amount))


PASSING = [
    ([], [opened(), won(date(2026, 1, 20))], ["new", "won"], 1000),
    ([], [opened(), moved("needs"), repriced(1200), lost(date(2026, 1, 20))], ["new", "lost"], 1200),
    ([opened(), lost(date(2026, 1, 5))], [reopened(), won(date(2026, 1, 20))], ["reopened", "won"], 1000),
    (
        [opened(close=date(2026, 4, 1))],
        [rescheduled(date(2026, 3, 1)), won(date(2026, 1, 20))],
        ["pulled-in", "won"],
        1000,
    ),
    ([opened(team=SOUTH, owner=BEN)], [handed_over(NORTH, ANNA), won(date(2026, 1, 20))], ["scope-in", "won"], 1000),
    # Closed all the time, or due in another period all the time.
    ([opened(), lost(date(2026, 1, 5))], [won(date(2026, 1, 20))], [], 0),
    ([], [opened(close=date(2026, 4, 1)), won(date(2026, 1, 20))], [], 0),
    ([opened(close=date(2026, 4, 1))], [won(date(2026, 1, 20))], [], 0),
]


@pytest.mark.parametrize(("before", "after", "legs", "amount"), PASSING)
def test_a_deal_that_came_and_ended_in_between_is_in_both_legs(
    before: list[Any], after: list[Any], legs: list[str], amount: int
) -> None:
    north = replace(ALL, teams=(NORTH,))
    found = moves([pair(before, after)], between(north, north, FIRST_QUARTER))
    assert [move.leg for move in found] == legs
    assert [move.amount for move in found] == ([amount, -amount] if legs else [])


def test_a_deal_that_leaves_the_team_leaves_its_scope() -> None:
    north = replace(ALL, teams=(NORTH,))
    south = replace(ALL, teams=(SOUTH,))
    gone = pair([opened()], [handed_over(SOUTH, BEN)])
    assert [move.leg for move in moves([gone], between(north, north, None))] == ["scope-out"]
    assert [move.leg for move in moves([gone], between(south, south, None))] == ["scope-in"]


def test_moving_between_stages_changes_no_amount() -> None:
    assert moves([pair([opened()], [moved("needs")])], between(ALL, ALL, None)) == []


@settings(max_examples=80)
@given(
    st.lists(lives, min_size=1, max_size=5),
    st.integers(-1, 60),
    st.integers(0, 40),
    st.sampled_from([None, FIRST_QUARTER, CALENDAR_YEAR.period("2026-06")]),
    st.sampled_from([{}, {"teams": (NORTH,)}, {"owners": (ANNA,)}]),
)
def test_end_is_start_plus_the_legs(
    drawn: list[list[tuple[Any, int, int]]], first: int, then: int, within: Any, narrowed: dict[str, Any]
) -> None:
    start, end = START + timedelta(days=first), START + timedelta(days=first + then)
    known = START + timedelta(days=999)
    asked = replace(ALL, **narrowed)
    stories = [life(UUID(int=1000 + number), steps) for number, steps in enumerate(drawn)]
    pairs = [(at(facts, start, known), at(facts, end, known)) for facts in stories]

    def total(states: list[Any]) -> Decimal:
        seen = [state for state in states if state is not None and asked.covers(state.team, state.owner)]
        rows = [row for row in tally_open(seen) if within is None or row.due in within.months]
        return sum((row.amount for row in rows), Decimal(0))

    legs = moves(pairs, between(asked, asked, within))
    assert {move.leg for move in legs} <= set(LEGS)
    added = sum((move.amount for move in legs), Decimal(0))
    assert total([before for before, _ in pairs]) + added == total([after for _, after in pairs])
