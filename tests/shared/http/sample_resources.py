"""What clients see of an errand."""

from uuid import UUID

from shared.events.definition import value
from shared.events.money import Money


@value
class OpenErrand:
    """Somebody runs it."""

    name: str
    price: Money
    owner: UUID | None
    team: UUID | None


@value
class FinishedErrand:
    """It is done."""

    name: str
    price: Money
    owner: UUID | None
    team: UUID | None
