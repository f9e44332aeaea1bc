"""Events of a calendar link: an address that shows somebody's agenda to whoever has it. Its secret is in no event."""

from uuid import UUID

from shared.events.definition import event


@event("deals.calendar-link-made", aggregate="calendar-link")
class CalendarLinkMade:
    """A member has a new address for their calendar, and the one before it is dead (DEAL-6)."""

    link_id: UUID
    member_id: UUID
    generation: int
    """1, 2, 3 …: which address of theirs it is."""


@event("deals.calendar-link-revoked", aggregate="calendar-link")
class CalendarLinkRevoked:
    """The address shows nothing any more (DEAL-6)."""

    link_id: UUID
    member_id: UUID
    generation: int
    """Which address of theirs it was."""
