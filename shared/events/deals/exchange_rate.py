"""Events of exchange rates: what one unit of a currency was worth in others on a day."""

from datetime import date
from typing import Annotated
from uuid import UUID

from annotated_types import MaxLen, MinLen

from shared.events.chronology import Rank
from shared.events.definition import Exact, event, value


@value
class ExchangeRate:
    """What one unit of the base was worth in a currency."""

    currency: Annotated[str, MinLen(3), MaxLen(3)]
    """ISO 4217, like USD."""
    rate: Exact
    """How many units of the currency one unit of the base is worth, as published; above zero."""


@event("deals.exchange-rates-published", aggregate="exchange-rate", rank=Rank.CHANGE)
class ExchangeRatesPublished:
    """What one unit of a currency was worth in others on a day, as somebody, like a central bank, published it."""

    table_id: UUID
    """Derived from the base and the day, of which there is one table."""
    base: str
    """ISO 4217, like EUR."""
    on: date
    rates: tuple[ExchangeRate, ...]
    """Sorted by currency. They replace what was published before in these currencies of that day; others stay."""


@event("deals.exchange-rate-fact-retracted", aggregate="exchange-rate", rank=Rank.CHANGE, retracts=True)
class ExchangeRateFactRetracted:
    """What a request told of the rates of a day is taken back; what had been corrected by it counts again (DATA-5)."""

    table_id: UUID
    request: UUID
    """The causation id of the events that count no longer."""
