"""Which language somebody prefers of those that ship (API-7)."""

import pytest

from shared.languages.preference import lookup, preferred

SHIPPED = ("de", "en", "pt-BR")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "de"),
        ("DE", "de"),
        ("de-AT", "de"),
        ("de-Latn-AT-1996", "de"),
        ("de-a-private", "de"),
        ("fr", "en"),
        ("fr, de;q=0.3", "de"),
        ("en;q=0.4, de;q=0.8", "de"),
        ("en;q=0.8, de;q=0.8", "en"),
        ("de, en", "de"),
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "en"),
        ("pt", "pt-BR"),
        ("pt-PT", "en"),
        ("*", "en"),
        ("fr, *;q=0.1", "en"),
        ("*, en;q=0", "de"),
        ("en;q=0", "en"),
        ("de;q=0, de-AT", "en"),
        ("de;q=0.000, en;q=1.000", "en"),
        ("de ; Q=0.5", "de"),
        ("de,, ,en", "de"),
        ("de;q=2", "en"),
        ("de;q=0.1234", "en"),
        ("de;q=", "en"),
        ("de;level=1", "en"),
        ("de_AT", "en"),
        ("de en", "en"),
        ("de;q=\u0661", "en"),
        ("de, en;q=x", "en"),
        ("-", "en"),
        ("x-pig, de", "de"),
        ("i-lux, de", "de"),
        ("x, de;q=0.5", "de"),
        ("abcdefghi, de", "en"),
        ("1a, de", "en"),
    ],
)
def test_a_header_prefers_a_language(accepted: str | None, language: str) -> None:
    assert preferred(accepted, SHIPPED, "en") == language


def test_the_default_is_the_company_s() -> None:
    assert preferred("fr", SHIPPED, "de") == "de"
    assert preferred("*;q=0.5, de;q=0", SHIPPED, "de") == "en"
    assert preferred("nonsense;;", SHIPPED, "de") == "de"


@pytest.mark.parametrize(
    ("tag", "served"), [("de-AT", "de"), ("PT-br", "pt-BR"), ("pt", "pt-BR"), ("p", None), ("fr", None), ("", None)]
)
def test_a_tag_is_served_by_what_ships(tag: str, served: str | None) -> None:
    assert lookup(tag, SHIPPED) == served


def test_a_tag_that_is_longer_than_any_is_looked_at_no_further() -> None:
    """What one falls back to takes time by the square of its length."""
    long = "-".join(["de", *["aa"] * 2000])
    assert lookup(long, ["de", "en"]) is None
    assert preferred(f"{long}, de;q=0.5", ["de", "en"], "en") == "de"
