"""The maintained figures come to what counting every deal comes to (FC-1)."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.forecast.counting.sums import Sum
from services.forecast.pipeline.figures import (
    Counted,
    Standing,
    Where,
    changes_of,
    counted,
    key_of,
    mean_and_median,
    opening_of,
    silence_of,
    sum_of,
)
from services.forecast.pipeline.timeline import OPEN, DealState, at, spans
from shared.domain.context import Company
from shared.events.envelope import Envelope
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
    planned,
    reopened,
    repriced,
    rescheduled,
    won,
)

Movements = dict[tuple[date, Where], Sum]
Levels = dict[tuple[date, bool, Standing], Sum]

COMPANY = Company(timezone="Europe/Berlin")
START = day("2026-01-01")

steps = st.sampled_from(
    [
        moved("needs"),
        moved("quotation", before="needs"),
        repriced(1200),
        repriced(700),
        rescheduled(date(2026, 6, 15)),
        rescheduled(None),
        handed_over(SOUTH, BEN),
        handed_over(NORTH, ANNA),
        won(date(2026, 2, 1), 900),
        lost(date(2026, 2, 2), 800),
        planned(date(2026, 1, 20)),
        planned(date(2026, 6, 1)),
        planned(None),
        reopened(),
    ]
)
lives = st.lists(st.tuples(steps, st.integers(0, 60), st.integers(0, 30)), max_size=8)


def life(deal: UUID, drawn: list[tuple[Any, int, int]]) -> list[Envelope[Any]]:
    begun = fact(1, opened(deal=deal), START, deal=deal)
    return [
        begun,
        *(
            fact(number, data, START + timedelta(days=after), START + timedelta(days=after + late), deal)
            for number, (data, after, late) in enumerate(drawn, start=2)
        ),
    ]


def sum_until(posted: Movements, last: date) -> dict[Where, Sum]:
    total: dict[Where, Sum] = {}
    for (on, where), change in posted.items():
        if on <= last:
            total[where] = total.get(where, Sum()) + change
    return {where: value for where, value in total.items() if value}


def tally(states: Iterable[DealState], on: date) -> dict[Where, Sum]:
    figures: dict[Where, Sum] = {}
    for state in states:
        post(figures, [(key_of(state, COMPANY), sum_of(state)), (opening_of(state, COMPANY), Sum(1))])
        if state.outcome == OPEN and state.stalls(COMPANY) < COMPANY.end_of(on):
            post(figures, [(silence_of(state), Sum(1))])
    return figures


def post(posted: dict[Any, Sum], changes: Iterable[tuple[Any, Sum]]) -> None:
    for key, change in changes:
        posted[key] = posted.get(key, Sum()) + change


@settings(max_examples=60)
@given(st.lists(lives, min_size=1, max_size=4), st.integers(-1, 95))
def test_daily_movements_add_up_to_a_count_of_all_deals(drawn: list[list[tuple[Any, int, int]]], after: int) -> None:
    asked = COMPANY.day(START) + timedelta(days=after)
    posted: Movements = {}
    states = []
    for number, steps_of_one in enumerate(drawn):
        facts = life(UUID(int=1000 + number), steps_of_one)
        # Recorded one by one, each changing the past as far as it reaches.
        before: list[Any] = []
        for known in range(1, len(facts) + 1):
            now = [counted(span, COMPANY) for span in spans(facts[:known])]
            post(posted, changes_of(before, now, COMPANY)[0])
            before = now
        state = at(facts, COMPANY.end_of(asked), START + timedelta(days=999))
        states += [state] if state is not None else []
    assert sum_until(posted, asked) == tally(states, asked)


@settings(max_examples=100)
@given(st.lists(lives, min_size=1, max_size=4), st.integers(-1, 400))
def test_a_month_s_level_and_its_movements_are_the_sum_over_all_history(
    drawn: list[list[tuple[Any, int, int]]], after: int
) -> None:
    """What stood when the month began, however late the facts came, and what moved since: never the years before."""
    moved: Movements = {}
    levelled: Levels = {}
    for number, steps_of_one in enumerate(drawn):
        facts, before = life(UUID(int=1000 + number), steps_of_one), list[Counted]()
        for known in range(1, len(facts) + 1):
            now = [counted(span, COMPANY) for span in spans(facts[:known])]
            movements, levels = changes_of(before, now, COMPANY)
            post(moved, movements)
            post(levelled, levels)
            before = now
    for asked in (COMPANY.day(START) + timedelta(days=after), *(date(2026, month, 1) for month in range(1, 6))):
        ever = {where: value for where, value in sum_until(moved, asked).items() if isinstance(where, Standing)}
        assert level_and_movements(moved, levelled, asked) == ever, asked


def level_and_movements(moved: Movements, levelled: Levels, asked: date) -> dict[Any, Sum]:
    total: dict[Any, Sum] = {}
    month = asked.replace(day=1)
    for (began, still, where), change in levelled.items():
        if (still and began < month) or (not still and began == month):
            post(total, [(where, change)])
    for (on, place), change in moved.items():
        if month <= on <= asked and isinstance(place, Standing):
            post(total, [(place, change)])
    return {where: value for where, value in total.items() if value}


def test_mean_and_median_of_the_days() -> None:
    assert mean_and_median(Counter()) == (None, None, 0)
    assert mean_and_median(Counter({10: 2, 40: 1})) == (Decimal("20.00"), Decimal("10.0"), 3)
    assert mean_and_median(Counter({1: 1, 2: 1})) == (Decimal("1.50"), Decimal("1.5"), 2)
    assert mean_and_median(Counter({0: 7, 1: 1})) == (Decimal("0.13"), Decimal("0.0"), 8), "halves are rounded up"
