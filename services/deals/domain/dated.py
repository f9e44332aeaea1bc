"""When a fact of the past happened."""

from datetime import date, datetime

from shared.domain.context import Context
from shared.domain.rejection import Rejected


def past_moment(context: Context, on: date, at: datetime | None, since: date | None = None) -> datetime:
    """The instant of an imported fact: as stated, else the end of its day. Refused when it cannot be.

    `since` is the day before which the fact cannot lie, like the opening of its deal.
    """
    if at is not None and (at.tzinfo is None or context.company.day(at) != on):
        raise Rejected("another-day", f"The instant has a time zone and lies on {on}.", field="at")
    if on > context.today or (at is not None and at > context.now):
        raise Rejected("in-the-future", "History lies in the past.", field="on")
    if since is not None and on < since:
        raise Rejected("before-it-began", f"It began on {since}.", field="on")
    return at or context.moment(on)
