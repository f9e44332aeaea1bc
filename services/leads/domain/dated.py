"""When something that history tells of occurred."""

from datetime import date, datetime
from typing import Protocol

from shared.domain.context import Context


class Dated(Protocol):
    """A fact with its day and, where it is known, its instant."""

    @property
    def on(self) -> date: ...

    @property
    def at(self) -> datetime | None: ...


def moment_of(told: Dated, context: Context) -> datetime:
    """The instant that is told, else the end of the day (now for today)."""
    return told.at or context.moment(told.on)
