"""Texts that people write, sorted and found as people read them."""

import unicodedata

import pytest

from shared.domain.text import language_key


def test_names_are_sorted_as_people_read_them() -> None:
    names = ["Zebra", "apple", "Öko", "Özil", "Émile", "Cafe"]
    assert sorted(names, key=language_key) == ["apple", "Cafe", "Émile", "Öko", "Özil", "Zebra"]


@pytest.mark.parametrize("text", ["Émile", "ÉMILE", unicodedata.normalize("NFD", "Émile"), "emile"])
def test_capitals_marks_and_composition_make_no_difference(text: str) -> None:
    assert language_key(text) == "emile"


@pytest.mark.parametrize(
    ("text", "key"), [("Straße", "strasse"), ("ＡＢＣ", "abc"), ("Ёлка", "елка"), ("한국", "한국")]
)
def test_other_scripts_keep_their_letters(text: str, key: str) -> None:
    assert language_key(text) == unicodedata.normalize("NFKC", key)
