"""Persistent sorted set: a changed one is a new one, which shares all chunks but one with the one before.

States keep in it what commands ask for in order, like what is open by due date, so that no command goes through
everything. A change copies one chunk, and the references to the others: at 20,000 keys some 300.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=tuple[Any, ...])

MAX_CHUNK = 128


class SortedKeys(Generic[Key]):
    """Keys are tuples that compare with each other; a shorter tuple stands before all that begin with it."""

    __slots__ = ("_chunks", "_firsts")

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        ordered, half = sorted(set(keys)), MAX_CHUNK // 2
        self._chunks = tuple(tuple(ordered[start : start + half]) for start in range(0, len(ordered), half))
        self._firsts = tuple(chunk[0] for chunk in self._chunks)

    def __iter__(self) -> Iterator[Key]:
        for chunk in self._chunks:
            yield from chunk

    def __len__(self) -> int:
        return sum(map(len, self._chunks))

    def first(self) -> Key | None:
        """The least key."""
        return self._firsts[0] if self._firsts else None

    def since(self, bound: tuple[Any, ...]) -> Iterator[Key]:
        """The keys from `bound` on, in order."""
        at = self._at(bound)
        for chunk in self._chunks[at : at + 1]:
            yield from chunk[bisect_left(chunk, bound) :]
        for number in range(at + 1, len(self._chunks)):
            yield from self._chunks[number]

    def moved(self, before: Key | None, after: Key | None) -> "SortedKeys[Key]":
        """With `after` in the place of `before`; None is no key."""
        if before == after:
            return self
        left = self if before is None else self.without(before)
        return left if after is None else left.with_(after)

    def with_(self, key: Key) -> "SortedKeys[Key]":
        """With a key more."""
        at = self._at(key)
        chunk = self._chunks[at] if self._chunks else ()
        place = bisect_left(chunk, key)
        if place < len(chunk) and chunk[place] == key:
            return self
        grown, half = (*chunk[:place], key, *chunk[place:]), MAX_CHUNK // 2
        return self._changed(at, *((grown,) if len(grown) <= MAX_CHUNK else (grown[:half], grown[half:])))

    def without(self, key: Key) -> "SortedKeys[Key]":
        """Without a key, which need not be there."""
        at = self._at(key)
        chunk = self._chunks[at] if self._chunks else ()
        place = bisect_left(chunk, key)
        if place == len(chunk) or chunk[place] != key:
            return self
        shrunk = (*chunk[:place], *chunk[place + 1 :])
        return self._changed(at, *((shrunk,) if shrunk else ()))

    def _at(self, key: tuple[Any, ...]) -> int:
        """The chunk in which a key has its place."""
        return max(bisect_right(self._firsts, key) - 1, 0)

    def _changed(self, at: int, *chunks: tuple[Key, ...]) -> "SortedKeys[Key]":
        made: SortedKeys[Key] = SortedKeys.__new__(SortedKeys)
        made._chunks = (*self._chunks[:at], *chunks, *self._chunks[at + 1 :])
        made._firsts = (*self._firsts[:at], *(chunk[0] for chunk in chunks), *self._firsts[at + 1 :])
        return made
