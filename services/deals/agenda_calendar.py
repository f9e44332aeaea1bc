"""iCalendar (RFC 5545): an agenda as all-day events. Pure."""

from collections.abc import Iterable
from datetime import timedelta

from icalendar import Calendar, Event

from services.deals.agenda_answers import DueItem
from shared.languages.catalogue import Catalogue

MEDIA_TYPE = "text/calendar"
PRODUCT = "-//Throughline//Agenda//EN"
ONE_DAY = timedelta(days=1)


def calendar_of(items: Iterable[DueItem], timezone: str, words: Catalogue) -> bytes:
    """The items as events of a calendar, each on the day on which it is due and without a time.

    What is put off keeps its UID and gets a higher SEQUENCE, so that a client moves it. The end of a day-long event is
    the day after it. Days are those of the company, whose time zone the calendar names.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("x-wr-timezone", timezone)
    for item in items:
        calendar.add_component(_event(item, words))
    written: bytes = calendar.to_ical()
    return written


def _event(item: DueItem, words: Catalogue) -> Event:
    event = Event()
    event.add("uid", f"{item.id}")
    event.add("dtstamp", item.updated_at)
    event.add("last-modified", item.updated_at)
    event.add("sequence", item.version)
    event.add("dtstart", item.due)
    event.add("dtend", item.due + ONE_DAY)
    event.add("summary", _summary(item, words))
    event.add("categories", [item.kind])
    event.add("transp", "TRANSPARENT")
    return event


def _summary(item: DueItem, words: Catalogue) -> str:
    if item.kind == "next-step" and item.what is None:  # it was erased, or says nothing
        return words.say("agenda.next-step-untold", deal=item.deal_name)
    return words.say(f"agenda.{item.kind}", deal=item.deal_name, what=item.what or item.name or item.key or "")
