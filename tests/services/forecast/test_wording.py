"""What answers call events and keys in words (API-1, FC-15)."""

import pytest

from services.forecast.asking.wording import role_title
from shared.events.registry import UNREADABLE
from shared.languages.shipped import SHIPPED
from shared.languages.wording import event_text, spelled

ENGLISH, GERMAN = SHIPPED["en"], SHIPPED["de"]


@pytest.mark.parametrize(
    ("type_name", "english", "german"),
    [
        ("deals.deal-node-completed", "Task done", "Aufgabe erledigt"),
        ("deals.deal-won", "Deal won", "Deal gewonnen"),
        ("partners.partner-joined", "Partner joined", "Partner joined"),
        (UNREADABLE, "Unreadable", "Nicht lesbar"),
    ],
)
def test_an_event_that_nobody_knows_yet_has_its_words_too(type_name: str, english: str, german: str) -> None:
    assert (event_text(ENGLISH, type_name), event_text(GERMAN, type_name)) == (english, german)


@pytest.mark.parametrize(("key", "title"), [("first-contact", "First contact"), ("offer_2", "Offer 2"), ("", "")])
def test_a_key_of_the_company_in_words(key: str, title: str) -> None:
    assert spelled(key) == title


def test_who_has_no_role_has_no_title() -> None:
    assert (role_title(GERMAN, "sales-director"), role_title(GERMAN, None)) == ("Vertriebsleitung", "")
