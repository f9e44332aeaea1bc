"""Events of an occasion: something needs attention, and which notices say so until it does not any more."""

from uuid import UUID

from shared.events.definition import event
from shared.events.forecast.notice import About


@event("forecast.occasion-arose", aggregate="occasion")
class OccasionArose:
    """Something needs somebody's attention; it may arise more than once."""

    occasion_id: UUID
    kind: str
    about: About
    cause: UUID
    """The event that it follows from."""
    notices: tuple[UUID, ...]
    """The notices that were raised of it, one for each recipient."""


@event("forecast.occasion-passed", aggregate="occasion")
class OccasionPassed:
    """It needs nobody's attention any more."""

    occasion_id: UUID
    cause: UUID
    """The event that it follows from."""
