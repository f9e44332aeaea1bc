"""Events of a member's preference: which kinds of notices are not sent to them."""

from datetime import date
from uuid import UUID

from shared.events.definition import event


@event("forecast.notices-muted", aggregate="notice-preference")
class NoticesMuted:
    """A member wants notices of a kind in the inbox alone (REC-5)."""

    preference_id: UUID
    member_id: UUID
    kind: str
    until: date | None = None
    """The last day of it; none: until it is unmuted."""


@event("forecast.notices-unmuted", aggregate="notice-preference")
class NoticesUnmuted:
    """A member wants notices of a kind sent again."""

    preference_id: UUID
    member_id: UUID
    kind: str
