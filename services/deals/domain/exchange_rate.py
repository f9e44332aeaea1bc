"""Exchange rates: what one unit of a currency was worth in others on a day, as it was published."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar
from uuid import NAMESPACE_URL, UUID, uuid5

from annotated_types import MaxLen, MinLen

from shared.domain.aggregate import Aggregate, Decision, Occurrence
from shared.domain.context import Context
from shared.domain.exchange import converted, has_rates
from shared.domain.fields import Day
from shared.domain.rejection import Reason, refuse_all
from shared.domain.retraction import retractable
from shared.domain.roles import EVERYBODY, Reach, Role, permission
from shared.events.deals.exchange_rate import ExchangeRate, ExchangeRateFactRetracted, ExchangeRatesPublished
from shared.events.definition import value
from shared.events.money import Money

KEEPING_RATES = permission({Role.SALES_OPERATIONS: Reach.ALL, Role.FINANCE: Reach.ALL})

DIGITS = 18
"""The significant digits of a rate at most: three times those that central banks publish."""
MIN_RATE, MAX_RATE = Decimal("0.000001"), Decimal("1000000000000")
"""Of two currencies that are further apart, the rates are published for the stronger one."""
CURRENCIES = 300
"""Rates of a day at most; there are fewer currencies."""

Code = Annotated[str, MinLen(3), MaxLen(3)]
Rates = Annotated[tuple[ExchangeRate, ...], MaxLen(CURRENCIES)]


@value
class NoExchangeRate:
    """Nothing was published in this base for this day."""


@value
class PublishedExchangeRate:
    """What one unit of the base was worth on a day."""

    id: UUID
    base: str
    on: date
    rates: tuple[ExchangeRate, ...]
    """Sorted by currency."""


exchange_rate = Aggregate("exchange-rate", plural="exchange-rates", start=NoExchangeRate, readers=EVERYBODY)


@value
class PublishExchangeRates:
    """What one unit of a currency was worth in others on a day. For a day that has rates, those that are named replace
    the ones of their currencies."""

    base: Code
    """ISO 4217, like EUR."""
    on: Day
    """The company's day, not in the future."""
    rates: Rates
    """Every currency once, and not the base; a rate lies between 0.000001 and a million millions, with at most 18
    significant digits."""

    example: ClassVar[dict[str, Any]] = {
        "base": "EUR",
        "on": "2026-03-16",
        "rates": [{"currency": "JPY", "rate": "180.93"}, {"currency": "USD", "rate": "1.1607"}],
    }


@value
class ImportExchangeRates:
    """What one unit of a currency was worth in others on a day of the past (DATA-5)."""

    on: Day
    at: datetime | None = None
    base: Code
    """ISO 4217, like EUR."""
    rates: Rates
    """Every currency once, and not the base."""


@value
class Conversion:
    """What amounts are worth in the company's currency, as a handler is given it. `factors` has how many of its units
    one unit of another currency is worth; None where no rate was published."""

    currency: str
    factors: Mapping[str, Decimal | None]

    def worth(self, amount: Money) -> Decimal | None:
        """The amount in the company's currency; None without a rate."""
        if amount.currency == self.currency:
            return amount.amount
        by = self.factors[amount.currency]
        return None if by is None else converted(amount, by, self.currency).amount


retractable(exchange_rate, ExchangeRateFactRetracted, thing="table_id")


@exchange_rate.decides(allow=KEEPING_RATES, routed=False)
def publish(state: NoExchangeRate | PublishedExchangeRate, command: PublishExchangeRates, context: Context) -> Decision:
    """Publish the exchange rates of a day, or correct them."""
    future = Reason(code="in-the-future", message="Rates are published of a day that has begun.", field="on")
    reasons = [*([future] if command.on > context.today else []), *_faults(command)]
    refuse_all("invalid-exchange-rates", "The rates cannot be published like this.", reasons)
    known = _by_currency(state.rates) if isinstance(state, PublishedExchangeRate) else {}
    changed = [each for each in command.rates if known.get(each.currency) != each.rate]
    if not changed:
        return []
    return [Occurrence(event=_published(command, changed), at=context.moment(command.on))]


@exchange_rate.imports(
    "exchange-rates", ExchangeRatesPublished, stream=lambda command: table_of(command.base, command.on)
)
def import_exchange_rates(
    state: NoExchangeRate | PublishedExchangeRate, command: ImportExchangeRates, context: Context
) -> Decision:
    """Take over the exchange rates of a day of the past."""
    refuse_all("invalid-exchange-rates", "The rates cannot be taken over like this.", list(_faults(command)))
    return [Occurrence(event=_published(command, command.rates), at=context.past_moment(command.on, command.at))]


@exchange_rate.evolves
def published(state: NoExchangeRate | PublishedExchangeRate, event: ExchangeRatesPublished) -> PublishedExchangeRate:
    known = _by_currency(state.rates) if isinstance(state, PublishedExchangeRate) else {}
    now = known | _by_currency(event.rates)
    return PublishedExchangeRate(
        id=event.table_id,
        base=event.base,
        on=event.on,
        rates=tuple(ExchangeRate(currency=currency, rate=now[currency]) for currency in sorted(now)),
    )


def table_of(base: str, on: date) -> UUID:
    """The id of the rates of a base on a day, whoever publishes them."""
    return uuid5(NAMESPACE_URL, f"exchange-rates/{base}/{on}")


def rate_fault(rate: Decimal) -> tuple[str, str] | None:
    """What is wrong with a rate: a code and a sentence."""
    if not rate.is_finite() or rate <= 0:
        return "not-positive", "A rate is above zero."
    if not MIN_RATE <= rate <= MAX_RATE:
        return "out-of-range", f"A rate lies between {MIN_RATE} and {MAX_RATE}; publish it for the stronger currency."
    if len(rate.as_tuple().digits) > DIGITS:
        return "too-many-digits", f"A rate has at most {DIGITS} significant digits."
    return None


def _by_currency(rates: Sequence[ExchangeRate]) -> dict[str, Decimal]:
    return {each.currency: each.rate for each in rates}


def _published(
    command: PublishExchangeRates | ImportExchangeRates, rates: Sequence[ExchangeRate]
) -> ExchangeRatesPublished:
    return ExchangeRatesPublished(
        table_id=table_of(command.base, command.on),
        base=command.base,
        on=command.on,
        rates=tuple(sorted(rates, key=lambda each: each.currency)),
    )


def _faults(command: PublishExchangeRates | ImportExchangeRates) -> Iterator[Reason]:
    """Every reason why rates are none."""
    if not has_rates(command.base):
        yield _unknown_currency(command.base, "base")
    # No rule of the type: that one also counts what is wrong with a rate as its absence.
    if not command.rates:
        yield Reason(code="no-rates", message="At least one rate is needed.", field="rates")
    named: set[str] = set()
    for index, each in enumerate(command.rates):
        field = f"rates.{index}.currency"
        if not has_rates(each.currency):
            yield _unknown_currency(each.currency, field)
        if each.currency == command.base:
            message = f"What one {each.currency} is worth in {each.currency} is 1, and not published."
            yield Reason(code="base-among-rates", message=message, field=field)
        if each.currency in named:
            yield Reason(code="doubled-currency", message=f"There are two rates in {each.currency}.", field=field)
        named.add(each.currency)
        if fault := rate_fault(each.rate):
            code, message = fault
            yield Reason(code=code, message=message, field=f"rates.{index}.rate")


def _unknown_currency(currency: str, field: str) -> Reason:
    message = f"{currency} is no currency of ISO 4217 in which accounts are kept or were."
    return Reason(code="unknown-currency", message=message, field=field)
