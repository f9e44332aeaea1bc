"""The law of languages: every text for people stands in every catalogue, and nothing else does."""

import re
from pathlib import Path
from typing import get_args

import pytest

from services.deals.projections.agenda_queries import DueKind
from services.deals.quote_print.sheet import Mark
from services.forecast.app import SERVICE
from services.forecast.asking.answers import LEFT_OUT
from services.forecast.attainment.rules import UNITS
from services.forecast.deliveries import ADDRESS_CONFIRMATION
from services.forecast.domain.notice import NoticeKind
from services.forecast.health.rules import ATTAINMENT, DEFINITIONS, Band, Trend
from services.forecast.pipeline.dangers import Code
from services.forecast.pipeline.legs import LEGS
from services.forecast.pipeline.queries.changed_fields import SHOWN
from services.forecast.pipeline.timeline import CATEGORIES, OUTCOME_WORDS
from shared.domain.roles import Role
from shared.events.registry import UNREADABLE, registry_of, type_of
from shared.http.static import PLACEHOLDER, SAID_BY_PAGES
from shared.languages.catalogue import NAME, Catalogue
from shared.languages.completeness import faults_of
from shared.languages.shipped import FOLDER, SHIPPED, SOURCE

assert SERVICE.pages is not None
PAGE = SERVICE.pages
SAID = re.compile(r'"(page\.[a-z.-]+)"')
LITERAL = re.compile(r'"[^"\n]*"|`[^`]*`')
TEXT = re.compile(r"^.[A-Z][a-z]+\b|\b[a-z]+ [a-z]+ [a-z]+\b")
"""A literal that begins with a word in capitals, or has three words."""
NO_TEXT = {'"Accept"', '"Accept-Language"'}
BRAND = "Throughline"

LETTERS = (*get_args(NoticeKind), ADDRESS_CONFIRMATION)
LETTER = ("amount", "where", "why")
"""What every letter of a notice says."""

QUOTE = (
    *("title", "customer", "subject", "date", "valid-until", "version"),
    *(
        "positions",
        "position",
        "description",
        "quantity",
        "quantity-of",
        "price",
        "discount",
        "own-discount",
        "tax",
        "net",
    ),
    *("amount", "gross", "discounts", "net-total", "tax-of", "total", "shared-discount", "page", "unnamed"),
)
"""What a printed quote says, beside its mark."""

every_language = pytest.mark.parametrize("catalogue", SHIPPED.values(), ids=lambda each: each.language)


def said_by_answers() -> set[str]:
    """The keys of all that answers say: of every word of a closed set, its text."""
    told = {
        "event": [*(type_of(event) for event in registry_of().classes), UNREADABLE],
        "agenda": [*get_args(DueKind), "next-step-untold"],
        "outcome": OUTCOME_WORDS,
        "category": CATEGORIES,
        "leg": LEGS,
        "field": SHOWN,
        "role": list(Role),
        "left-out": LEFT_OUT,
        "danger": get_args(Code),
        "mail": [*(f"{kind}.{part}" for kind in LETTERS for part in ("subject", "text")), *LETTER],
        "quote": [*QUOTE, *(f"mark.{mark}" for mark in get_args(Mark))],
        "health.state": list(Band),
        "health.trend": [trend for trend in get_args(Trend) if trend != "unknown"],
        "target": [f"{kind}.{part}" for kind in UNITS for part in ("name", "formula")],
        "health": [f"{each.metric}.{part}" for each in DEFINITIONS for part in ("name", "description", "hint")],
    }
    keys = {f"{place}.{word}" for place, words in told.items() for word in words}
    return {*keys, NAME, f"health.{ATTAINMENT.metric}.booked"}


def said_by_the_page() -> set[str]:
    """The keys that the modules of the page and its index name."""
    named = {key for module in PAGE.rglob("*.js") for key in SAID.findall(module.read_text())}
    return named | set(PLACEHOLDER.findall((PAGE / "index.html").read_text())) - {"release", "language"}


def test_the_source_has_every_text_that_is_said_and_no_other() -> None:
    texts = SHIPPED[SOURCE].texts
    of_page = {key for key in texts if key.startswith(SAID_BY_PAGES)}
    assert said_by_the_page() == of_page
    assert said_by_answers() == texts.keys() - of_page


@every_language
def test_a_catalogue_says_all_that_the_source_says_and_no_more(catalogue: Catalogue) -> None:
    assert faults_of(catalogue, SHIPPED[SOURCE]) == []


@every_language
def test_a_catalogue_stands_in_the_order_of_the_source(catalogue: Catalogue) -> None:
    """So that a change of both is read side by side."""
    assert list(catalogue.texts) == list(SHIPPED[SOURCE].texts)


def test_every_file_is_a_language_that_ships() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == SHIPPED.keys() >= {"en", "de"}


def test_german_is_set_as_german_is() -> None:
    """Quotes of its own, no straight ones, and the dash with spaces."""
    for key, text in SHIPPED["de"].texts.items():
        for sentence in [text] if isinstance(text, str) else text.values():
            assert not set("\"'“—") & set(sentence.replace("“", "", sentence.count("„"))), key
            assert sentence.count("„") == sentence.count("“"), key
            assert " %" not in sentence, key


@pytest.mark.parametrize("module", sorted(PAGE.rglob("*.js")), ids=lambda path: path.name)
def test_a_module_of_the_page_has_no_text_of_its_own(module: Path) -> None:
    code = re.sub(r"^\s*//.*$", "", module.read_text(), flags=re.MULTILINE)
    assert {literal for literal in LITERAL.findall(code) if TEXT.search(literal)} <= NO_TEXT


def test_the_index_of_the_page_has_no_text_of_its_own() -> None:
    index = (PAGE / "index.html").read_text()
    between = {text.strip() for text in re.findall(r">([^<]+)<", index)} - {""}
    attributes = set(re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]+)"', index))
    assert {text for text in between | attributes if not PLACEHOLDER.fullmatch(text)} == {BRAND}
