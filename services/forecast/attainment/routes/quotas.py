"""How many wins, deals and leads a target takes, over HTTP (PROC-4)."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

from annotated_types import Gt, Le
from fastapi import Query, Response

from services.forecast.asking.answers import money
from services.forecast.asking.parameters import AskedPeriod, PastQuery
from services.forecast.attainment.queries import MEASURED, Measure
from services.forecast.attainment.routes.figures import SHARE, asked_period
from services.forecast.attainment.rules import Reached, quota
from services.forecast.targets.queries import target_of
from shared.domain.money import MAX_AMOUNT, half_up
from shared.domain.periods import Period
from shared.domain.roles import READING
from shared.events.definition import Exact, words
from shared.events.money import Money
from shared.http.handwritten import answer, handwritten, operation
from shared.http.json import answer_shape

router = handwritten("target-attainment")


@answer_shape
class QuotaInput:
    """What a quota is worked out from: given in the question, or found in the last twelve months, as numerator ÷
    denominator over `n` cases."""

    value: Decimal | None
    origin: Literal["given", "history"]
    numerator: Decimal | None
    denominator: Decimal | None
    n: int | None


@answer_shape
class TargetQuota:
    """How many wins, deals and leads a target takes, each rounded up; null from where an input is not known."""

    as_of: datetime
    known_at: datetime | None
    period: str
    currency: str
    target: Money | None
    target_origin: Literal["given", "set"]
    """Whether the target was given in the question, or is the revenue target that is set for the period."""
    since: date
    """The first day of the twelve months of history."""
    average_won_amount: QuotaInput
    win_rate: QuotaInput
    """Won ÷ all deals opened in these months: some of them are still open."""
    lead_conversion: QuotaInput
    """Leads that became deals ÷ all leads captured in these months."""
    wins: int | None
    deals: int | None
    leads: int | None
    missing: list[Annotated[str, words(("amount", "average", "win_rate", "conversion"))]]
    """The parameters to give, as what they stand for is not known or is zero: what rests on them is null."""


Amount = Annotated[Exact, Gt(Decimal(0)), Le(MAX_AMOUNT)]
Rate = Annotated[Exact, Gt(Decimal(0)), Le(Decimal(1))]


@router.get("/v1/target-quota", **operation(roles=READING, reads=MEASURED, answers=TargetQuota))
async def target_quota(
    query: PastQuery,
    *,
    name: AskedPeriod = None,
    amount: Annotated[
        Amount | None,
        Query(description="The target, in the company's currency. Default: the revenue target of the period."),
    ] = None,
    average: Annotated[
        Amount | None, Query(description="What a won deal brings. Default: that of the last twelve months.")
    ] = None,
    win_rate: Annotated[
        Rate | None, Query(description="Won ÷ opened deals, like 0.40. Default: that of the last twelve months.")
    ] = None,
    conversion: Annotated[
        Rate | None, Query(description="Deals ÷ leads, like 0.20. Default: that of the last twelve months.")
    ] = None,
) -> Response:
    """How many wins, deals and leads a revenue target takes.

    Target ÷ average won amount ÷ win rate ÷ lead conversion, each step rounded up. What is not given is taken from the
    history of the company, team or member that is asked about, with its sample size.
    """
    asked, wanted = query.question, asked_period(query, name)
    today = query.company.day(asked.as_of)
    year = Period(name="", first=_year_before(today), last=today, fiscal_year=query.company.fiscal_year)
    async with query.reading() as reading:
        history = Measure(reading=reading, asked=asked, company=query.company, period=year)
        goal = await target_of(reading("targets"), asked, wanted) if amount is None else None
        inputs = [
            _given(average) if average else _found((await history.average_won_amount()).reached, Decimal("0.01")),
            _given(win_rate) if win_rate else _found((await history.win_rate()).reached, SHARE),
            _given(conversion) if conversion else _found((await history.lead_conversion()).reached, SHARE),
        ]
        parked = reading.parked
    target = amount if goal is None else goal.amount
    rates = dict(zip(("average", "win_rate", "conversion"), map(_exact, inputs), strict=True))
    needed = quota(target or None, *rates.values())
    return answer(
        TargetQuota(
            as_of=asked.as_of,
            known_at=asked.known_at,
            period=wanted.name,
            currency=query.currency,
            target=None if target is None else money(target, query.currency),
            target_origin="set" if amount is None else "given",
            since=year.first,
            average_won_amount=inputs[0],
            win_rate=inputs[1],
            lead_conversion=inputs[2],
            wins=needed.wins,
            deals=needed.deals,
            leads=needed.leads,
            missing=[name for name, known in {"amount": target, **rates}.items() if not known],
        ),
        parked=parked,
    )


def _year_before(day: date) -> date:
    """The first of the twelve months that end with a day."""
    following = day + timedelta(days=1)
    leap = (following.month, following.day) == (2, 29)
    return date(following.year - 1, 3, 1) if leap else following.replace(year=following.year - 1)


def _given(value: Decimal) -> QuotaInput:
    return QuotaInput(value=value, origin="given", numerator=None, denominator=None, n=None)


def _found(reached: Reached, unit: Decimal) -> QuotaInput:
    return QuotaInput(
        value=None if reached.value is None else half_up(reached.value, unit),
        origin="history",
        numerator=reached.numerator,
        denominator=reached.denominator,
        n=reached.n,
    )


def _exact(known: QuotaInput) -> Fraction | None:
    """A rate as exactly as it is known: what is shown is rounded, and so is a third by decimals."""
    if known.numerator is not None and known.denominator:
        return Fraction(known.numerator) / Fraction(known.denominator)
    return None if known.value is None else Fraction(known.value)
