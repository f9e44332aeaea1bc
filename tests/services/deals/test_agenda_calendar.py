"""DEAL-6: an agenda as an iCalendar file (RFC 5545), read by another library than the one that writes it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import vobject

from services.deals.agenda_answers import DueItem
from services.deals.agenda_calendar import calendar_of
from shared.languages.shipped import SHIPPED

ITEM = DueItem(
    id=UUID(int=5),
    version=3,
    kind="next-step",
    due=date(2026, 3, 20),
    days_late=0,
    deal_id=UUID(int=2),
    deal_name="Servers",
    account_id=None,
    key=None,
    name=None,
    what="Workshop",
    required=True,
    support_request_id=None,
    stage_visit_id=None,
    lead_id=None,
    updated_at=datetime(2026, 3, 16, 10, 0, tzinfo=UTC),
)


def read(*items: DueItem, language: str = "en") -> Any:
    written = calendar_of(items, "Europe/Berlin", SHIPPED[language])
    return vobject.readOne(written.decode())


def test_deal_6_an_item_is_a_day_that_ends_before_the_next_one() -> None:
    calendar = read(ITEM)
    assert (calendar.version.value, calendar.x_wr_timezone.value) == ("2.0", "Europe/Berlin")
    event = calendar.vevent
    assert (event.dtstart.value, event.dtend.value) == (date(2026, 3, 20), date(2026, 3, 21))
    assert (event.uid.value, event.sequence.value, event.summary.value) == (f"{ITEM.id}", "3", "Servers: Workshop")
    assert event.last_modified.value == event.dtstamp.value == ITEM.updated_at
    assert event.transp.value == "TRANSPARENT", "nobody is busy all day for it"


def test_deal_6_what_is_put_off_keeps_its_uid_and_is_newer() -> None:
    later = replace(ITEM, due=date(2026, 3, 24), version=4, updated_at=ITEM.updated_at + timedelta(hours=1))
    before, after = read(ITEM).vevent, read(later).vevent
    assert before.uid.value == after.uid.value
    assert int(before.sequence.value) < int(after.sequence.value)
    assert before.last_modified.value < after.last_modified.value


@pytest.mark.parametrize(
    "text",
    [
        "a, b; c\\d",
        "two\nlines",
        "„Überfällig“ – " + "sehr " * 40 + "lang",
        "BEGIN:VEVENT\r\nUID:forged",
        "日本語の長い件名" * 12,
    ],
    ids=["marks", "lines", "long", "forged", "wide"],
)
def test_deal_6_whatever_people_write_is_text(text: str) -> None:
    written = calendar_of([replace(ITEM, what=text)], "UTC", SHIPPED["en"])
    assert all(len(line) <= 75 for line in written.split(b"\r\n")), "folded by octets"
    calendar = vobject.readOne(written.decode())
    assert len(calendar.vevent_list) == 1
    assert calendar.vevent.summary.value.replace("\r\n", "\n") == f"Servers: {text}".replace("\r\n", "\n")


def test_deal_6_an_empty_agenda_is_a_calendar() -> None:
    assert "vevent" not in read().contents


@pytest.mark.parametrize(
    ("changed", "en", "de"),
    [
        ({"what": None}, "Servers: next step", "Servers: nächster Schritt"),
        (
            {"kind": "task", "what": None, "name": "Hold a talk", "key": "talk"},
            "Servers: task Hold a talk",
            "Servers: Aufgabe Hold a talk",
        ),
        (
            {"kind": "exit-proposal", "what": None},
            "Servers: decide whether to go on",
            "Servers: entscheiden, ob es weitergeht",
        ),
    ],
    ids=["erased", "task", "exit"],
)
def test_deal_6_a_calendar_speaks_the_language_that_is_asked_for(changed: dict[str, Any], en: str, de: str) -> None:
    item = replace(ITEM, **changed)
    assert [read(item, language=language).vevent.summary.value for language in ("en", "de")] == [en, de]
