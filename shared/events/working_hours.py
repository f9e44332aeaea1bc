"""Working hours as data: the shifts of a week, by local times of day."""

from typing import Annotated, Literal, get_args

from annotated_types import MaxLen, MinLen
from pydantic import Field

from shared.events.definition import value

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

TIME_OF_DAY = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
"""How a local time is written: hours and minutes. 24:00 is the midnight at the end of a day, as in ISO 8601."""

TimeOfDay = Annotated[str, Field(pattern=TIME_OF_DAY, examples=["09:00"])]


@value
class Shift:
    """Work from one local time to another. It belongs to the day on which it starts."""

    weekday: Weekday
    start: TimeOfDay
    end: TimeOfDay
    """An end before the start lies on the next day: 22:00 to 06:00 is a night."""


@value
class WorkingHours:
    """The hours in which a team, or the company, works in a week."""

    shifts: Annotated[tuple[Shift, ...], MinLen(1), MaxLen(100)]
    """No two at one time; a weekday without any is free, be it of the place's weekend or not."""
    timezone: str | None = None
    """The IANA name of the zone whose clocks the shifts go by, like Europe/Berlin. Default: the company's."""
    place: str | None = None
    """The country, or its subdivision like DE-BY, whose public holidays are free; empty for none. Default: the
    company's."""
