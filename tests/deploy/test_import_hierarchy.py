"""ORG-1, ACCT-1: no import makes a team or an account stand below itself, in whatever order it tells (DATA-5)."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.test_import import Books, books
from tests.deploy.test_import_again import told_in_turn

__all__ = ["books"]

Fact = Mapping[str, Any]
KINDS = ("team", "account")
PAIRS = range(30)


def was(kind: str, outside: str, month: int, parent: str | None = None) -> Fact:
    """What something was from a month on."""
    told = {"fact": kind, "id": outside, "on": f"2025-{month:02}-01", "name": outside}
    return told | ({"parent": parent} if parent else {})


def reasons(told: Sequence[str]) -> set[str]:
    """Why lines were refused, in a word."""
    return {"itself" if "itself" in each else each for each in told}


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_told_to_stand_below_itself_is_refused(books: Books, tmp_path: Path, kind: str) -> None:
    own = [was(kind, "o", 1, "o")]
    assert reasons(await told_in_turn(books, tmp_path, own)) == {"itself"}
    later = [was(kind, "p", 1), was(kind, "p", 2, "p")]
    assert reasons(await told_in_turn(books, tmp_path, later)) == {"itself"}
    ring = [was(kind, "a", 1, "b"), was(kind, "b", 1, "c"), was(kind, "c", 1, "a")]
    assert reasons(await told_in_turn(books, tmp_path, ring)) == {"itself"}


@pytest.mark.parametrize("kind", KINDS)
async def test_the_line_that_closes_a_circle_is_refused_whichever_comes_last(
    books: Books, tmp_path: Path, kind: str
) -> None:
    for order in permutations(range(3)):
        a, b, c = (f"{name}-{order}" for name in "abc")
        closing = [was(kind, a, 3, b), was(kind, b, 5, c), was(kind, c, 4, a)]
        first, second, last = ([closing[place]] for place in order)
        assert await told_in_turn(books, tmp_path, [was(kind, each, 1) for each in (a, b, c)], first, second) == []
        assert reasons(await told_in_turn(books, tmp_path, last)) == {"itself"}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_circle_that_held_in_the_past_alone_is_refused(books: Books, tmp_path: Path, kind: str) -> None:
    there = [was(kind, each, 1) for each in ("top", "a", "b")]
    known = [*there, was(kind, "a", 2, "b"), was(kind, "a", 6, "top")]
    assert await told_in_turn(books, tmp_path, known, [was(kind, "b", 6, "a")]) == []
    assert reasons(await told_in_turn(books, tmp_path, [was(kind, "b", 5, "a")])) == {"itself"}


@pytest.mark.parametrize("kind", KINDS)
async def test_what_changed_places_is_told_in_any_order(books: Books, tmp_path: Path, kind: str) -> None:
    """First one stood below the other, then the other way round: told backwards it is no circle either."""
    there = [was(kind, each, 1) for each in ("top", "a", "b")]
    lines = [was(kind, "a", 2, "b"), was(kind, "a", 3, "top"), was(kind, "b", 4, "a")]
    assert await told_in_turn(books, tmp_path, there, [lines[1]], [lines[2]], [lines[0]]) == []


@pytest.mark.parametrize("kind", KINDS)
async def test_of_two_that_are_to_stand_below_each_other_one_does(books: Books, tmp_path: Path, kind: str) -> None:
    """Of two imports that run beside each other."""
    assert await told_in_turn(books, tmp_path, [was(kind, f"{side}{each}", 1) for side in "ab" for each in PAIRS]) == []
    crossed = [[was(kind, f"{one}{each}", 3, f"{other}{each}") for each in PAIRS] for one, other in ("ab", "ba")]
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    refused = await asyncio.gather(
        *(told_in_turn(books, folder, lines) for folder, lines in zip(folders, crossed, strict=True))
    )
    found = [*refused[0], *refused[1]]
    assert reasons(found) == {"itself"}
    assert len(found) == len(PAIRS)
