"""The list of exchange rates: a row for every base, currency and day."""

from collections.abc import Iterator
from datetime import date, datetime
from uuid import UUID

from services.deals.domain.exchange_rate import exchange_rate
from shared.domain.roles import EVERYBODY
from shared.events.deals.exchange_rate import ExchangeRatesPublished
from shared.events.definition import Exact, value
from shared.events.envelope import Envelope
from shared.projections.lists import Listing, at_least, at_most, equals, in_currency
from shared.projections.projection import Projection
from shared.projections.query_values import CurrencyCode
from shared.projections.tables import Row, Table


@value
class ExchangeRateRow:
    """What one unit of the base was worth in a currency on a day."""

    id: str
    table_id: UUID
    """The rates of this base and day: `GET /v1/exchange-rates/{id}`."""
    version: int
    base: str
    currency: str
    published_on: date
    """The day whose rate it is."""
    rate: Exact
    """How many units of the currency one unit of the base was worth."""
    updated_at: datetime
    """When it was recorded here last."""


def _published(fact: Envelope[ExchangeRatesPublished], row: Row) -> Row:
    event = fact.data
    _, _, currency = row["id"].split("/")
    return {
        "table_id": event.table_id,
        "base": event.base,
        "currency": currency,
        "published_on": event.on,
        "rate": next(each.rate for each in event.rates if each.currency == currency),
    }


def _keys(fact: Envelope[ExchangeRatesPublished]) -> Iterator[str]:
    event = fact.data
    return (f"{event.on}/{event.base}/{each.currency}" for each in event.rates)


EXCHANGE_RATE = Table(
    name="exchange_rate",
    row=ExchangeRateRow,
    events=exchange_rate.events,
    changes={ExchangeRatesPublished: _published},
    keys=_keys,
    indices=("(published_on, base, currency)", "(currency, published_on, id)"),
)

EXCHANGE_RATE_PROJECTION = Projection(
    name="exchange_rates",
    version=3,
    ddl=EXCHANGE_RATE.ddl,
    indices=EXCHANGE_RATE.index_ddl,
    apply=EXCHANGE_RATE.apply,
    events=tuple(EXCHANGE_RATE.events),
)

EXCHANGE_RATES = Listing(
    name="exchange-rates",
    projection=EXCHANGE_RATE_PROJECTION,
    table="exchange_rate",
    item=ExchangeRateRow,
    key="id",
    filters={
        "base": equals("base", CurrencyCode),
        "currency": in_currency(),
        "published_from": at_least("published_on", date),
        "published_to": at_most("published_on", date),
    },
    sorts=("published_on", "currency"),
    default_sort="-published_on",
    readers=EVERYBODY,
    owner=None,
    team=None,
)
