"""Followers work at once while little happens, in larger steps while much does, and without rest while behind."""

import pytest

from shared.store.pace import rest_after


@pytest.mark.parametrize(("events", "rest"), [(0, 0.0), (1, 0.02), (20, 0.06), (50, 0.1), (999, 0.1), (1000, 0.0)])
def test_the_rest_grows_with_the_page_and_ends_where_somebody_is_behind(events: int, rest: float) -> None:
    assert rest_after(events, 1000) == pytest.approx(rest)
