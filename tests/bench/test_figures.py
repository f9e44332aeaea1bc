"""The bench's arithmetic."""

import pytest

from tests.bench.figures import Round, percentile, ratio


def of_rate(rate: int) -> Round:
    return Round(times=[0.001] * rate, elapsed=1.0, server_cpu=0.0, whole_cpu=0.0, client_cpu=0.0)


def test_a_percentile_is_a_time_that_was_measured() -> None:
    times = [number / 1000 for number in range(100, 0, -1)]

    assert [percentile(times, share) for share in (0.5, 0.99, 1.0)] == [0.05, 0.099, 0.1]
    assert percentile([0.007], 0.99) == 0.007


def test_a_ratio_compares_rounds_that_ran_next_to_each_other() -> None:
    # The machine was twice as fast in the last round: the ratio is none the wiser.
    found = ratio([of_rate(300), of_rate(360), of_rate(600)], [of_rate(100), of_rate(100), of_rate(200)])

    assert (found.median, found.least, found.most) == (3.0, 3.0, 3.6)
    assert str(found) == "3.00 (3.00–3.60)"


def test_rounds_without_a_partner_are_no_ratio() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio([of_rate(1)], [])
