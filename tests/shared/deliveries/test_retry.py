"""Attempts come later and later, spread out, and not before a receiver wants them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.deliveries.retry import FIRST_SECONDS, LONGEST_SECONDS, back_off, retry_after

NOW = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)


def test_the_longest_pause_doubles_up_to_an_hour() -> None:
    pauses = [back_off(attempts, lambda: 1.0) for attempts in range(1, 14)]
    assert pauses[:4] == [5.0, 10.0, 20.0, 40.0]
    assert pauses[-3:] == [LONGEST_SECONDS] * 3


@given(attempts=st.integers(0, 10**6), dice=st.floats(0, 1), asked=st.none() | st.floats(0, 1e12))
def test_a_pause_is_anything_up_to_the_longest(attempts: int, dice: float, asked: float | None) -> None:
    """Full jitter: those that failed at once do not come back at once."""
    pause = back_off(attempts, lambda: dice, asked)
    assert 0 <= pause <= LONGEST_SECONDS
    assert pause >= min(asked or 0.0, LONGEST_SECONDS)
    if not asked:
        assert pause <= FIRST_SECONDS * 2.0 ** min(max(0, attempts - 1), 40)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("9" * 5000, 999_999_999.0),
        ("Mon, 16 Mar 2026 10:02:00 GMT", 120.0),
        ("Mon, 16 Mar 2026 10:02:00 -0000", 120.0),
        ("Mon, 16 Mar 2026 09:00:00 GMT", 0.0),
        ("Fri, 99 Mar 2026 10:02:00 GMT", None),
        ("Mon, 16 Mar 99999 10:02:00 GMT", None),
    ],
)
def test_what_a_receiver_asks_for_is_read_in_both_forms(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@given(st.text() | st.datetimes().map(lambda at: f"{at:%a, %d %b %Y %H:%M:%S} +{at.year}"))
def test_no_header_breaks_it(header: str) -> None:
    found = retry_after(header, NOW)
    assert found is None or found >= 0


def test_a_time_is_reckoned_from_the_clock_that_is_given() -> None:
    assert retry_after("Mon, 16 Mar 2026 10:02:00 GMT", NOW + timedelta(seconds=50)) == 70.0
