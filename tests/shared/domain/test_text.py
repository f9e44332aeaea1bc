"""Texts that people write, sorted and found as people read them."""

import unicodedata

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.domain.fields import Name
from shared.domain.text import language_key, shows


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        *((text, True) for text in ("a", " 0 ", "\u202e.", "한", "👩\u200d🔧", "\u0301")),
        *((text, False) for text in (" ", "\t\n", "\u00a0\u2003", "\u200b", "\ufeff", "\u202e \u2060", "\u0085\ue000")),
    ],
)
def test_a_name_has_a_character_that_shows(text: str, shown: bool) -> None:
    """API-1: told by the type of a field as by the function."""
    assert shows(text) is shown
    try:
        named = TypeAdapter(Name).validate_python(text) == text
    except ValidationError as refused:
        named = [error["type"] for error in refused.errors()] != ["string_pattern_mismatch"]
    assert named is shown
