"""Followers work at once while little happens, in larger steps while much does, and without rest while behind."""

import pytest

from shared.eventstore.batching import PROMPT, RELAXED, UNHURRIED


@pytest.mark.parametrize(("events", "rest"), [(0, 0.0), (1, 0.01), (20, 0.06), (50, 0.1), (999, 0.1), (1000, 0.0)])
def test_the_rest_grows_with_the_page_and_ends_where_somebody_is_behind(events: int, rest: float) -> None:
    assert PROMPT.rest_after(events, 1000) == pytest.approx(rest)


@pytest.mark.parametrize(("events", "rest"), [(0, 0.0), (1, 0.1), (999, 0.1), (1000, 0.0)])
def test_whom_nobody_watches_takes_large_steps(events: int, rest: float) -> None:
    assert RELAXED.rest_after(events, 1000) == pytest.approx(rest)


@pytest.mark.parametrize(("events", "rest"), [(0, 0.0), (1, 1.0), (999, 1.0), (1000, 0.0)])
def test_for_whom_nobody_waits_one_step_a_second_is_enough(events: int, rest: float) -> None:
    assert UNHURRIED.rest_after(events, 1000) == pytest.approx(rest)
