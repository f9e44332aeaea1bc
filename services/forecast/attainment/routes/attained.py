"""What is reached of the targets of a period, over HTTP (PROC-4)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, get_args

from fastapi import Query, Response

from services.forecast.asking.answers import Unconverted, money, ratio
from services.forecast.asking.parameters import AskedPeriod, PastQuery, QueryContext
from services.forecast.attainment.queries import BOOKINGS, INVOICED, MEASURED, MEASURES, Measure, Measurement
from services.forecast.attainment.routes.figures import SHARE, Figure, asked_period
from services.forecast.attainment.rules import UNITS, Reached, Unit, due
from services.forecast.counting.valuation import shown_left_out
from services.forecast.targets.queries import target_of
from shared.domain.money import half_up
from shared.domain.roles import READING
from shared.events.deals.target import TargetKind
from shared.events.definition import words
from shared.events.money import Money
from shared.http.handwritten import answer, handwritten, operation
from shared.http.json import answer_shape

router = handwritten("target-attainment")

KINDS: tuple[TargetKind, ...] = get_args(TargetKind)


@answer_shape
class ShareOfCases:
    """A share with what it was worked out from."""

    value: Decimal | None
    numerator: Decimal
    denominator: Decimal


@answer_shape
class AttainedTarget:
    """What is reached of a kind. `attained` is actual ÷ target, `attained_so_far` actual ÷ due; both are null without a
    target. `n` cases are behind the actual, which is null where there is nothing to divide by."""

    kind: TargetKind
    name: str
    formula: str
    """By which it is measured, in words."""
    unit: Annotated[str, words(get_args(Unit))]
    target: Figure | None
    target_missing: list[str]
    """Quarters and months without a target, where others of the period have one: then the period has none."""
    due: Figure | None
    """What is to be reached by now: of what adds up the elapsed part of the target, else all of it."""
    actual: Figure | None
    n: int
    attained: Decimal | None
    attained_so_far: Decimal | None
    gap: Figure | None
    """Target − actual: below zero once it is exceeded."""
    fraction: ShareOfCases | None
    """Of what is divided, by what."""
    of_closed: ShareOfCases | None
    """Beside the win rate: won ÷ closed, of what was closed in the period."""
    basis: Annotated[str, words((INVOICED, BOOKINGS))] | None
    """What revenue counts: bookings until the first invoice exists."""
    bookings: Money | None
    """Beside revenue: what was won in the period."""
    receipts: Money | None
    """Beside revenue: what was received in the period for invoices."""
    unconverted: list[Unconverted]


@answer_shape
class TargetAttainments:
    """What is reached of the targets of a period, for the company, a team or a member."""

    as_of: datetime
    known_at: datetime | None
    period: str
    first: date
    last: date
    elapsed: Decimal
    """The share of the period's days that have begun."""
    currency: str
    attainments: list[AttainedTarget]


AskedKind = Annotated[TargetKind | None, Query(description="What was wanted. Default: all.")]


@router.get(
    "/v1/target-attainment",
    **operation(roles=READING, reads=MEASURED, answers=TargetAttainments, worded=True),
)
async def target_attainment(query: PastQuery, name: AskedPeriod = None, kind: AskedKind = None) -> Response:
    """What is reached of the targets of a period.

    Of what is divided, what entered in the period counts, with what became of it by as_of: the win rate of a quarter is
    that of the deals that were opened in it. Targets are told to those who see them.
    """
    asked = query.question
    wanted = asked_period(query, name)
    async with query.reading() as reading:
        measure = Measure(reading=reading, asked=asked, company=query.company, period=wanted)
        found = [await _attainment(query, measure, each) for each in KINDS if kind in (None, each)]
        parked = reading.parked
    return answer(
        TargetAttainments(
            as_of=asked.as_of,
            known_at=asked.known_at,
            period=wanted.name,
            first=wanted.first,
            last=wanted.last,
            elapsed=ratio(*wanted.elapsed(query.company.day(asked.as_of))) or Decimal(0),
            currency=query.currency,
            attainments=found,
        ),
        parked=parked,
        words=query.words,
    )


async def _attainment(query: QueryContext, measure: Measure, kind: TargetKind) -> AttainedTarget:
    goal = await target_of(measure.reading("targets"), measure.asked, measure.period, kind)
    measured = await MEASURES[kind](measure)
    actual = measured.reached.value
    begun, whole = measure.period.elapsed(query.company.day(measure.asked.as_of))
    by_now = None if goal.amount is None else due(kind, goal.amount, begun, whole)
    beside = (await measure.bookings(), await measure.receipts()) if kind == "revenue" else None
    return AttainedTarget(
        kind=kind,
        name=query.words.say(f"target.{kind}.name"),
        formula=query.words.say(f"target.{kind}.formula"),
        unit=UNITS[kind],
        target=_figure(query, kind, goal.amount),
        target_missing=list(goal.missing),
        due=_figure(query, kind, by_now),
        actual=_figure(query, kind, actual),
        n=measured.reached.n,
        attained=None if actual is None else ratio(actual, goal.amount),
        attained_so_far=None if actual is None else ratio(actual, by_now),
        gap=None if actual is None or goal.amount is None else _figure(query, kind, goal.amount - actual),
        fraction=_fraction(measured.reached),
        of_closed=_fraction(measured.beside),
        basis=measured.basis if kind == "revenue" else None,
        bookings=None if beside is None else money(beside[0].reached.numerator, query.currency),
        receipts=None if beside is None else money(beside[1].reached.numerator, query.currency),
        unconverted=_left_out(query, measured),
    )


def _figure(query: QueryContext, kind: str, value: Decimal | None) -> Figure | None:
    if value is None:
        return None
    match UNITS[kind]:
        case "money":
            return Figure(amount=money(value, query.currency), number=None)
        case "count":
            is_whole = value == value.to_integral_value()
            return Figure(amount=None, number=half_up(value, Decimal(1) if is_whole else Decimal("0.01")))
        case _:
            return Figure(amount=None, number=half_up(value, SHARE))


def _fraction(reached: Reached | None) -> ShareOfCases | None:
    if reached is None or reached.denominator is None:
        return None
    value = None if reached.value is None else half_up(reached.value, SHARE)
    return ShareOfCases(value=value, numerator=reached.numerator, denominator=half_up(reached.denominator, SHARE))


def _left_out(query: QueryContext, measured: Measurement) -> list[Unconverted]:
    return shown_left_out(query.words, measured.unconverted or {})
