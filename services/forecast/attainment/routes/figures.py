"""What the answers about targets share: a figure of any kind, and the period that is asked about (PROC-4)."""

from decimal import Decimal

from services.forecast.asking.parameters import QueryContext
from services.forecast.asking.periods import period
from shared.domain.periods import Period
from shared.events.money import Money
from shared.http.json import answer_shape

SHARE = Decimal("0.0001")


@answer_shape
class Figure:
    """A figure of a kind: an amount of what is money, else a number; a share has four decimals."""

    amount: Money | None
    number: Decimal | None


def asked_period(query: QueryContext, name: str | None) -> Period:
    """The period that is named, or the quarter that was running at the instant asked about."""
    today = query.company.day(query.question.as_of)
    return period(name, query.company) if name is not None else query.company.fiscal_year.quarter_of(today)
