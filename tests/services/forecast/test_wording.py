"""What answers call events and keys in words (API-1, FC-15)."""

from decimal import Decimal

import pytest

from services.forecast.asking.wording import EVENT_TEXTS, event_text, title_of
from services.forecast.health.rules import ATTAINMENT, BOOKINGS, DEFINITIONS, TREND_TITLES, Measured, trend
from shared.events.registry import UNREADABLE, registry_of, type_of


def test_every_event_says_in_words_what_happened() -> None:
    types = {type_of(event) for event in registry_of().classes}
    assert EVENT_TEXTS.keys() <= types
    for name in types:
        assert event_text(name)[0].isupper(), name
        assert not {".", "_"} & set(event_text(name)), name


@pytest.mark.parametrize(
    ("type_name", "text"),
    [
        ("deals.deal-node-completed", "Task done"),
        ("deals.deal-won", "Deal won"),
        ("partners.partner-joined", "Partner joined"),
        (UNREADABLE, "Unreadable"),
    ],
)
def test_an_event_that_nobody_knows_yet_has_its_words_too(type_name: str, text: str) -> None:
    assert event_text(type_name) == text


@pytest.mark.parametrize(
    ("key", "title"), [("pulled-in", "Pulled in"), ("expected_close", "Expected close"), ("won", "Won"), ("", "")]
)
def test_a_key_in_words(key: str, title: str) -> None:
    assert title_of(key) == title


def test_every_metric_says_what_it_counts() -> None:
    assert len({each.description for each in DEFINITIONS}) == len(DEFINITIONS)
    assert ATTAINMENT.described("invoiced") == ATTAINMENT.description
    assert ATTAINMENT.described(BOOKINGS).startswith("booked in the running quarter")


def test_every_trend_has_its_words() -> None:
    measured = [Measured(numerator=Decimal(part), denominator=Decimal(4), n=n) for part, n in ((1, 0), (1, 4), (2, 4))]
    found = {trend(ATTAINMENT, before, now, 1) for before in measured for now in measured}
    assert found == TREND_TITLES.keys()
