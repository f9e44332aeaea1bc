"""Deals with their worth in the company's currency: an open one at the rate of a day, a closed one at its own day's."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.forecast.counting.valuation import Rate, Rates, times
from services.forecast.pipeline.timeline import DealState


@dataclass(frozen=True, slots=True, kw_only=True)
class DealWorth:
    """A deal, and what it is worth in the company's currency, exactly, at which rate."""

    state: DealState
    rate: Rate

    @property
    def amount(self) -> Decimal:
        """All of it."""
        return times(self.state.amount, self.rate.factor)

    @property
    def weighted(self) -> Decimal:
        """What is expected of it while it is open."""
        return times(self.state.weighted, self.rate.factor)


def worth_of_deals(states: Iterable[DealState], rates: Rates, today: date) -> Iterator[DealWorth]:
    """Deals with their worth; those without a rate are left out."""
    for state in states:
        rate = rates.rate(state.currency, state.closed_on or today)
        if rate is not None:
            yield DealWorth(state=state, rate=rate)
