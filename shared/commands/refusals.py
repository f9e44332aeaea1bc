"""Why a command was not carried out, apart from a rule's `Rejected`."""

from uuid import UUID


class Refused(Exception):
    """A command was not carried out; nothing was recorded."""


class NotFound(Refused):
    """There is no such aggregate, or the actor may not know of it."""

    def __init__(self, aggregate: str, aggregate_id: UUID) -> None:
        super().__init__(f"There is no {aggregate} {aggregate_id}.")
        self.aggregate = aggregate
        self.aggregate_id = aggregate_id


class Forbidden(Refused):
    """The actor sees the aggregate, but may not do this. `reason` is a sentence for them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StaleVersion(Refused):
    """The caller expected another version of the aggregate than it has."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"The version is {actual}, not {expected}.")
        self.expected = expected
        self.actual = actual


class Busy(Refused):
    """Others changed the same aggregate on every try. Trying again later helps."""


class InFlight(Refused):
    """The same request is being carried out right now."""


class ContentDiffers(Refused):
    """The idempotency key was used before for a request with other content."""
