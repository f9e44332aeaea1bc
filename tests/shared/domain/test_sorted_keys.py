"""The persistent sorted set, beside a plain set that is sorted each time."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.sorted_keys import MAX_CHUNK, SortedKeys

KEYS = st.tuples(st.integers(min_value=0, max_value=6), st.integers(min_value=0, max_value=400))
STEPS = st.lists(st.tuples(st.booleans(), KEYS), max_size=60)


def carried(start: list[tuple[int, int]], steps: list[tuple[bool, tuple[int, int]]]) -> None:
    keys, plain = SortedKeys(start), set(start)
    for more, key in steps:
        before, was = keys, sorted(plain)
        keys = keys.with_(key) if more else keys.without(key)
        plain = plain | {key} if more else plain - {key}
        assert list(keys) == sorted(plain)
        assert list(before) == was, "a changed set leaves the one before as it was"
        assert keys.first() == min(plain, default=None)
        assert list(keys.since(key[:1])) == [each for each in sorted(plain) if each >= key[:1]]
    assert len(keys) == len(plain)


@given(st.lists(KEYS, max_size=40), STEPS)
def test_it_says_what_a_plain_sorted_set_says(
    start: list[tuple[int, int]], steps: list[tuple[bool, tuple[int, int]]]
) -> None:
    carried(start, steps)


def test_chunks_are_split_when_they_are_full_and_dropped_when_they_are_empty() -> None:
    keys = [(0, number) for number in range(4 * MAX_CHUNK)]
    shuffled = [keys[(number * 7919) % len(keys)] for number in range(len(keys))]
    carried([], [(True, key) for key in shuffled] + [(False, key) for key in shuffled[1:]] + [(False, shuffled[0])])
    carried(keys, [(False, key) for key in keys[100:300]] + [(True, key) for key in keys[150:250]])


def test_a_key_moves_from_one_place_to_another() -> None:
    keys = SortedKeys([(1,), (2,)])
    assert list(keys.moved((1,), (3,))) == [(2,), (3,)]
    assert list(keys.moved((1,), None)) == [(2,)]
    assert list(keys.moved(None, (0,))) == [(0,), (1,), (2,)]
    assert keys.moved((1,), (1,)) is keys
