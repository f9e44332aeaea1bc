"""Texts with values, plural forms, and what makes a catalogue whole (API-7)."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.languages.catalogue import Catalogue, Text
from shared.languages.completeness import faults_of
from shared.languages.shipped import CatalogueError, Languages, read_catalogues

DAYS: dict[str, Text] = {
    "language.name": "English",
    "days": {"one": "{count} day in {stage}", "other": "{count} days in {stage}"},
    "times": {"one": "once", "other": "{count} times"},
    "sum": "{amount} {currency}",
}
ENGLISH = Catalogue("en", DAYS)


@pytest.mark.parametrize(
    ("language", "forms", "said"),
    [
        ("en", ("one", "other"), {0: "0 other", 1: "1 one", 2: "2 other", 1234: "1,234 other"}),
        ("de", ("one", "other"), {1: "1 one", 1234: "1.234 other"}),
        ("fr", ("one", "many", "other"), {0: "0 one", 1: "1 one", 2: "2 other", 1_000_000: "1\u202f000\u202f000 many"}),
        ("pl", ("one", "few", "many", "other"), {1: "1 one", 3: "3 few", 5: "5 many", 22: "22 few"}),
        ("ja", ("other",), {1: "1 other"}),
    ],
)
def test_the_plural_form_is_that_of_the_language(
    language: str, forms: tuple[str, ...], said: Mapping[int, str]
) -> None:
    catalogue = Catalogue(language, {"n": {form: f"{{count}} {form}" for form in forms}})
    assert {number: catalogue.say("n", count=number) for number in said} == said


def test_a_fraction_has_the_plural_form_of_a_fraction() -> None:
    assert ENGLISH.say("days", count=Decimal("1.0"), stage="Offer") == "1.0 days in Offer"


def test_values_stand_where_the_text_names_them() -> None:
    assert ENGLISH.say("sum", amount=Decimal("1234567.10"), currency="EUR") == "1,234,567.10 EUR"
    assert Catalogue("de", DAYS).say("sum", amount=Decimal("1234567.125"), currency="KWD") == "1.234.567,125 KWD"
    assert ENGLISH.say("sum", amount="{currency}", currency="EUR") == "{currency} EUR", "values are no texts"
    assert Catalogue("de", DAYS).share(Decimal("0.2")) == "20\u00a0%"
    with pytest.raises(KeyError):
        ENGLISH.say("sum", amount=1)
    with pytest.raises(KeyError):
        ENGLISH.say("nothing")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"sum": None}, "sum: lacks"),
        ({"language.name": None}, "language.name: lacks"),
        ({"more": "More"}, "more: is not in en"),
        ({"sum": "{amount}"}, "sum: lacks {currency}"),
        ({"sum": "{amount} {currency} {day}"}, "sum: has {day}, which nobody gives"),
        ({"days": "{count} Tage in {stage}"}, None),
        ({"days": {"other": "{count} Tage in {stage}"}}, "days: lacks the plural form one"),
        ({"days": {"one": "ein Tag", "other": "{count} Tage in {stage}"}}, "days: its plural form one lacks {stage}"),
        (
            {"times": {"one": "einmal", "few": "{count}-mal", "other": "{count}-mal"}},
            "times: has the plural form few, which the language has not",
        ),
        (
            {"sum": {"one": "{amount} {currency}", "other": "{amount} {currency}"}},
            "sum: has plural forms without {count}",
        ),
        ({"sum": "{amount} {currency} "}, "sum: is empty, or begins or ends with a space"),
        ({"sum": "{amount} {currency} {"}, "sum: has a brace that belongs to no placeholder"),
    ],
)
def test_a_catalogue_says_what_the_source_says(change: dict[str, Any], fault: str | None) -> None:
    texts = {key: text for key, text in {**DAYS, **change}.items() if text is not None}
    assert faults_of(Catalogue("de", texts), ENGLISH) == ([fault] if fault else [])


def test_every_file_of_a_folder_is_a_language(tmp_path: Path) -> None:
    written(tmp_path, en=DAYS, **{"nl-BE": {**DAYS, "language.name": "Nederlands"}})
    catalogues = read_catalogues(tmp_path)
    assert {language: each.name for language, each in catalogues.items()} == {"en": "English", "nl-BE": "Nederlands"}
    languages = Languages(catalogues, "nl-NL")
    assert languages.own.language == "en"
    assert Languages(catalogues, "nl").own.language == "nl-BE"
    assert languages.asked("nl;q=0.5, en;q=0.1").language == "nl-BE"
    assert languages.named("xx") is None


def test_what_is_wrong_with_files_is_said_at_once(tmp_path: Path) -> None:
    written(tmp_path, en=DAYS, de={"days": 3}, xxx=DAYS)
    (tmp_path / "fr.json").write_text('{"sum": "a", "sum": "b"}')
    with pytest.raises(CatalogueError) as refused:
        read_catalogues(tmp_path)
    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == ["de.json", "fr.json", "xxx.json"]
    assert "sum stands twice" in str(refused.value)


def test_a_file_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    written(tmp_path, en=DAYS, de={key: text for key, text in DAYS.items() if key != "sum"})
    with pytest.raises(CatalogueError, match=r"^de\.json: sum: lacks$"):
        read_catalogues(tmp_path)


def written(folder: Path, **files: Any) -> None:
    for name, texts in files.items():
        (folder / f"{name}.json").write_text(json.dumps(texts))
