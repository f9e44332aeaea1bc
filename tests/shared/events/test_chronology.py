"""The order of what happened to one thing, whatever the order in which it was told."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.chronology import Dated, Rank, follows, in_order, recorded, told, unordered_days

OPENING, CHANGE, MOVE, ACTIVITY, NODE, END, REOPENING = Rank
DAY = date(2026, 3, 2)


def by_day(rank: Rank, name: str = "", days: int = 0) -> Dated:
    on = DAY + timedelta(days=days)
    return told(datetime.combine(on, time.max, UTC), rank, name, on=on, by_day=True)


def at(rank: Rank, hour: int, name: str = "", days: int = 0) -> Dated:
    on = DAY + timedelta(days=days)
    return told(datetime.combine(on, time(hour), UTC), rank, name, on=on, by_day=False)


HISTORIES: Sequence[tuple[str, Sequence[Dated]]] = (
    ("instants by instant", [at(OPENING, 8), at(MOVE, 9), at(CHANGE, 10), at(END, 11)]),
    ("a day after its instants", [at(OPENING, 8), at(MOVE, 15), by_day(CHANGE)]),
    ("the opening before all", [by_day(OPENING), at(MOVE, 9), at(END, 15)]),
    ("the opening even of a later day", [by_day(OPENING, days=1), by_day(MOVE)]),
    ("an end before the reopening of its day", [by_day(OPENING, days=-9), by_day(END), at(REOPENING, 15)]),
    (
        "an end after the reopening of its day where one ended before",
        [by_day(OPENING, days=-9), by_day(END, days=-5), at(REOPENING, 10), by_day(END)],
    ),
    (
        "each reopening undoes an end",
        [by_day(OPENING, days=-9), by_day(END, "a"), at(REOPENING, 10), by_day(END, "b"), at(REOPENING, 15)],
    ),
    (
        "an end that another day knows stays where it is",
        [by_day(OPENING, days=-9), at(REOPENING, 10), by_day(END, days=1)],
    ),
    (
        "ranks within a day",
        [by_day(OPENING), by_day(CHANGE), by_day(MOVE), by_day(ACTIVITY), by_day(NODE), by_day(END), by_day(REOPENING)],
    ),
    ("what was told within a rank", [by_day(OPENING), by_day(MOVE, "a"), by_day(MOVE, "b"), by_day(MOVE, "c")]),
)


@pytest.mark.parametrize(("history"), [facts for _, facts in HISTORIES], ids=[name for name, _ in HISTORIES])
def test_data_5_a_history_is_the_same_in_whatever_order_it_is_told(history: Sequence[Dated]) -> None:
    for arrived in permutations(history):
        assert in_order(arrived, lambda fact: fact) == list(history)


FACTS = st.builds(
    lambda rank, hour, name, days: by_day(rank, name, days) if hour is None else at(rank, hour, name, days),
    st.sampled_from([CHANGE, MOVE, ACTIVITY, NODE, END, REOPENING]),
    st.none() | st.integers(0, 23),
    st.sampled_from("abc"),
    st.integers(-2, 2),
)


@given(st.lists(FACTS, unique=True, max_size=12), st.randoms(use_true_random=False))
def test_data_5_arrival_decides_nothing(facts: list[Dated], random: "object") -> None:
    history = [by_day(OPENING, days=-3), *facts]
    expected = in_order(history, lambda fact: fact)
    assert sorted(expected) == sorted(history)
    assert expected[0].rank is OPENING
    shuffled = list(history)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert in_order(shuffled, lambda fact: fact) == expected


@given(st.lists(FACTS, unique=True, max_size=8), FACTS)
def test_data_5_what_follows_all_others_stands_last(facts: list[Dated], new: Dated) -> None:
    history = [by_day(OPENING, days=-3), *(fact for fact in facts if fact != new)]
    if follows(max(history), new):
        assert in_order([*history, new], lambda fact: fact) == [*in_order(history, lambda fact: fact), new]


def test_data_5_what_was_recorded_at_one_instant_goes_by_its_sequence_after_what_was_told_of_it() -> None:
    when = datetime.combine(DAY, time(9), UTC)
    first, second = (recorded(when, rank, at, on=DAY, by_day=False) for at, rank in ((1, END), (2, MOVE)))
    assert in_order([second, first, at(REOPENING, 9)], lambda fact: fact) == [at(REOPENING, 9), first, second]


@pytest.mark.parametrize(
    ("facts", "days"),
    [
        ([(by_day(MOVE), "a"), (by_day(MOVE), "b")], [DAY]),
        ([(by_day(MOVE), "a"), (at(MOVE, 9), "b")], [DAY]),
        ([(at(MOVE, 8), "a"), (at(MOVE, 9), "b")], []),
        ([(by_day(MOVE), "a"), (by_day(MOVE), "a")], []),
        ([(by_day(MOVE), "a"), (by_day(END), "won")], []),
        ([(by_day(END), "won"), (by_day(END), "lost")], [DAY]),
        ([(by_day(MOVE), "a"), (by_day(MOVE, days=1), "b")], []),
        ([(by_day(CHANGE), "a"), (by_day(CHANGE), "b")], []),
    ],
)
def test_data_5_two_stages_or_ends_of_one_day_cannot_be_put_in_order(
    facts: list[tuple[Dated, str]], days: list[date]
) -> None:
    assert list(unordered_days(facts)) == days
